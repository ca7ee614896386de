"""Resources of other services that stacks with ECS have: they are there while the stack is."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.emulators import InProcess
from tests.neighbours.stacks import CONSENT, ROLE, events, outputs, physical_ids, reasons, resource, status, template

Look = Callable[[InProcess], Any]


def namespaces(emulator: InProcess) -> Any:
    found = emulator.client("servicediscovery").list_namespaces()["Namespaces"]
    return [(each["Name"], each["Type"]) for each in found]


def registries(emulator: InProcess) -> Any:
    return [each["Name"] for each in emulator.client("servicediscovery").list_services()["Services"]]


def alarms(emulator: InProcess) -> Any:
    found = emulator.client("cloudwatch").describe_alarms()["MetricAlarms"]
    return [(each["AlarmName"], each["Threshold"], each["Dimensions"]) for each in found]


def schedules(emulator: InProcess) -> Any:
    found = emulator.client("scheduler").list_schedules()["Schedules"]
    return [(each["Name"], each["GroupName"]) for each in found]


def rules(emulator: InProcess) -> Any:
    client = emulator.client("events")
    found = [each["Name"] for each in client.list_rules()["Rules"]]
    return [(name, client.list_targets_by_rule(Rule=name)["Targets"]) for name in found]


def groups(emulator: InProcess) -> Any:
    found = emulator.client("logs").describe_log_groups()["logGroups"]
    return [(each["logGroupName"], each.get("retentionInDays")) for each in found]


def parameters(emulator: InProcess) -> Any:
    found = emulator.client("ssm").get_parameters(Names=["/key"])["Parameters"]
    return [each["Value"] for each in found]


ECS_TARGET = {
    "Arn": "arn:aws:ecs:us-east-1:000000000000:cluster/c",
    "RoleArn": "arn:aws:iam::000000000000:role/ecsEventsRole",
}
NETWORK = {"Subnets": ["subnet-1"], "AssignPublicIp": "ENABLED"}

CASES: dict[str, tuple[dict[str, Any], Look, Any]] = {
    "private namespace": (
        {
            "Vpc": resource("AWS::EC2::VPC", CidrBlock="10.9.0.0/16"),
            "Names": resource("AWS::ServiceDiscovery::PrivateDnsNamespace", Name="app.local", Vpc={"Ref": "Vpc"}),
        },
        namespaces,
        [("app.local", "DNS_PRIVATE")],
    ),
    "public namespace": (
        {"Names": resource("AWS::ServiceDiscovery::PublicDnsNamespace", Name="app.example")},
        namespaces,
        [("app.example", "DNS_PUBLIC")],
    ),
    "registry": (
        {
            "Names": resource("AWS::ServiceDiscovery::HttpNamespace", Name="app"),
            "Registry": resource(
                "AWS::ServiceDiscovery::Service", Name="web", NamespaceId={"Fn::GetAtt": ["Names", "Id"]}
            ),
        },
        registries,
        ["web"],
    ),
    "alarm": (
        {
            "Alarm": resource(
                "AWS::CloudWatch::Alarm",
                AlarmName="busy",
                Namespace="AWS/ECS",
                MetricName="CPUUtilization",
                Dimensions=[{"Name": "ClusterName", "Value": "c"}],
                Statistic="Average",
                Period="60",
                EvaluationPeriods="1",
                Threshold="75.5",
                ComparisonOperator="GreaterThanThreshold",
            )
        },
        alarms,
        [("busy", 75.5, [{"Name": "ClusterName", "Value": "c"}])],
    ),
    "schedule": (
        {
            "Group": resource("AWS::Scheduler::ScheduleGroup", Name="nightly"),
            "Schedule": resource(
                "AWS::Scheduler::Schedule",
                Name="report",
                GroupName={"Ref": "Group"},
                ScheduleExpression="rate(1 day)",
                FlexibleTimeWindow={"Mode": "OFF"},
                Target={**ECS_TARGET, "EcsParameters": {"TaskDefinitionArn": "arn:aws:ecs:us-east-1:1:t/t:1"}},
            ),
        },
        schedules,
        [("report", "nightly")],
    ),
    "rule": (
        {
            "Rule": resource(
                "AWS::Events::Rule",
                Name="stopped",
                EventPattern={"source": ["aws.ecs"]},
                Targets=[
                    {
                        **ECS_TARGET,
                        "Id": "run",
                        "EcsParameters": {
                            "TaskDefinitionArn": "arn:aws:ecs:us-east-1:000000000000:task-definition/t:1",
                            "TaskCount": "2",
                            "LaunchType": "FARGATE",
                            "NetworkConfiguration": {"AwsVpcConfiguration": NETWORK},
                        },
                    }
                ],
            )
        },
        rules,
        [
            (
                "stopped",
                [
                    {
                        **ECS_TARGET,
                        "Id": "run",
                        "EcsParameters": {
                            "TaskDefinitionArn": "arn:aws:ecs:us-east-1:000000000000:task-definition/t:1",
                            "TaskCount": 2,
                            "LaunchType": "FARGATE",
                            "NetworkConfiguration": {"awsvpcConfiguration": NETWORK},
                        },
                    }
                ],
            )
        ],
    ),
    "log group": (
        {"Logs": resource("AWS::Logs::LogGroup", LogGroupName="/app", RetentionInDays="30")},
        groups,
        [("/app", 30)],
    ),
    "parameter": (
        {"Key": resource("AWS::SSM::Parameter", Name="/key", Type="String", Value="open sesame")},
        parameters,
        ["open sesame"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_resource_is_there_while_its_stack_is(emulator: InProcess, case: str) -> None:
    resources, look, expected = CASES[case]
    before = look(emulator)
    stacks = emulator.client("cloudformation")
    stacks.create_stack(StackName="app", TemplateBody=template(resources))
    assert events(emulator, "app")[-1] == "app CREATE_COMPLETE"
    assert [each for each in look(emulator) if each not in before] == expected
    stacks.delete_stack(StackName="app")
    assert look(emulator) == before


@pytest.mark.parametrize(
    ("type_", "properties", "complaint"),
    [
        ("AWS::IAM::Role", {}, "#: required key [AssumeRolePolicyDocument] not found"),
        (
            "AWS::IAM::Role",
            {"AssumeRolePolicyDocument": ROLE, "Policies": "all"},
            "#/Policies: expected type: JSONArray, found: String",
        ),
        (
            "AWS::IAM::Role",
            {"AssumeRolePolicyDocument": ROLE, "Policies": [{"PolicyName": "p"}]},
            "#/Policies/0: required key [PolicyDocument] not found",
        ),
        ("AWS::Logs::LogGroup", {"Tags": ["a"]}, "#/Tags/0: expected type: JSONObject, found: String"),
    ],
)
def test_what_a_resource_lacks_is_named(
    emulator: InProcess, type_: str, properties: dict[str, Any], complaint: str
) -> None:
    body = template({"Thing": resource(type_, **properties)})
    emulator.client("cloudformation").create_stack(StackName="app", TemplateBody=body, **CONSENT)
    assert reasons(emulator, "app", "Thing CREATE_FAILED") == [
        f"Properties validation failed for resource Thing with message:\n[{complaint}]"
    ]


def test_a_secret_is_made_up_and_put_into_its_template(emulator: InProcess) -> None:
    secret = resource(
        "AWS::SecretsManager::Secret",
        GenerateSecretString={
            "SecretStringTemplate": '{"username": "app"}',
            "GenerateStringKey": "password",
            "PasswordLength": "24",
            "ExcludePunctuation": "true",
        },
    )
    stacks = emulator.client("cloudformation")
    stacks.create_stack(StackName="app", TemplateBody=template({"Secret": secret}))
    arn = physical_ids(emulator, "app")["Secret"]
    content = json.loads(emulator.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])
    assert content["username"] == "app"
    assert len(content["password"]) == 24
    assert content["password"].isalnum()
    stacks.delete_stack(StackName="app")
    assert emulator.client("secretsmanager").list_secrets()["SecretList"] == []


def test_what_is_scaled_has_to_be_there(emulator: InProcess) -> None:
    target = resource(
        "AWS::ApplicationAutoScaling::ScalableTarget",
        ServiceNamespace="ecs",
        ScalableDimension="ecs:service:DesiredCount",
        ResourceId="service/none/none",
        MinCapacity=1,
        MaxCapacity=3,
        RoleARN="arn:aws:iam::000000000000:role/r",
    )
    emulator.client("cloudformation").create_stack(StackName="app", TemplateBody=template({"Target": target}))
    (reason,) = reasons(emulator, "app", "Target CREATE_FAILED")
    assert "(Service: ApplicationAutoScaling, Status Code: 400, Request ID: " in reason
    assert status(emulator, "app") == "ROLLBACK_COMPLETE"


def test_a_table_is_scaled_by_a_policy_that_names_its_target(emulator: InProcess) -> None:
    def table(unit: str, **more: Any) -> dict[str, Any]:
        return {"ServiceNamespace": "dynamodb", "ScalableDimension": f"dynamodb:table:{unit}CapacityUnits", **more}

    emulator.client("dynamodb").create_table(
        TableName="orders",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
    )
    resources = {
        "Target": resource(
            "AWS::ApplicationAutoScaling::ScalableTarget",
            **table(
                "Read", ResourceId="table/orders", MinCapacity="1", MaxCapacity="9", RoleARN="arn:aws:iam::1:role/r"
            ),
        ),
        "Policy": resource(
            "AWS::ApplicationAutoScaling::ScalingPolicy",
            PolicyName="half",
            PolicyType="TargetTrackingScaling",
            ScalingTargetId={"Ref": "Target"},
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": "50",
                "PredefinedMetricSpecification": {"PredefinedMetricType": "DynamoDBReadCapacityUtilization"},
            },
        ),
    }
    stacks, scaling = emulator.client("cloudformation"), emulator.client("application-autoscaling")
    stacks.create_stack(StackName="app", TemplateBody=template(resources))
    assert status(emulator, "app") == "CREATE_COMPLETE"
    found = scaling.describe_scaling_policies(ServiceNamespace="dynamodb")["ScalingPolicies"][0]
    assert found["PolicyARN"] == physical_ids(emulator, "app")["Policy"]
    assert found["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 50
    stacks.delete_stack(StackName="app")
    assert scaling.describe_scalable_targets(ServiceNamespace="dynamodb")["ScalableTargets"] == []


NETWORKED = {
    "Vpc": resource("AWS::EC2::VPC", CidrBlock="10.8.0.0/16", EnableDnsHostnames="true"),
    "Subnet": resource(
        "AWS::EC2::Subnet",
        VpcId={"Ref": "Vpc"},
        CidrBlock={"Fn::Select": [0, {"Fn::Cidr": [{"Fn::GetAtt": ["Vpc", "CidrBlock"]}, 2, 8]}]},
        AvailabilityZone={"Fn::Select": [0, {"Fn::GetAZs": ""}]},
        MapPublicIpOnLaunch=True,
    ),
    "Other": resource(
        "AWS::EC2::Subnet",
        VpcId={"Ref": "Vpc"},
        CidrBlock="10.8.1.0/24",
        AvailabilityZone={"Fn::Select": [1, {"Fn::GetAZs": {"Ref": "AWS::Region"}}]},
    ),
    "Gateway": resource("AWS::EC2::InternetGateway", Tags=[{"Key": "Name", "Value": "way out"}]),
    "Attachment": resource(
        "AWS::EC2::VPCGatewayAttachment", VpcId={"Ref": "Vpc"}, InternetGatewayId={"Ref": "Gateway"}
    ),
    "Table": resource("AWS::EC2::RouteTable", VpcId={"Ref": "Vpc"}),
    "Route": {
        **resource(
            "AWS::EC2::Route",
            RouteTableId={"Ref": "Table"},
            DestinationCidrBlock="0.0.0.0/0",
            GatewayId={"Ref": "Gateway"},
        ),
        "DependsOn": "Attachment",
    },
    "Association": resource(
        "AWS::EC2::SubnetRouteTableAssociation", RouteTableId={"Ref": "Table"}, SubnetId={"Ref": "Subnet"}
    ),
    "Address": resource("AWS::EC2::EIP", Domain="vpc"),
    "Nat": resource(
        "AWS::EC2::NatGateway",
        AllocationId={"Fn::GetAtt": ["Address", "AllocationId"]},
        SubnetId={"Ref": "Subnet"},
    ),
    "Group": resource(
        "AWS::EC2::SecurityGroup",
        GroupDescription="web",
        VpcId={"Ref": "Vpc"},
        SecurityGroupIngress=[{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "CidrIp": "0.0.0.0/0"}],
    ),
    "Inside": resource(
        "AWS::EC2::SecurityGroupIngress",
        GroupId={"Ref": "Group"},
        IpProtocol="tcp",
        FromPort="443",
        ToPort="443",
        SourceSecurityGroupId={"Ref": "Group"},
    ),
    "Balancer": {
        **resource(
            "AWS::ElasticLoadBalancingV2::LoadBalancer",
            Subnets=[{"Ref": "Subnet"}, {"Ref": "Other"}],
            SecurityGroups=[{"Ref": "Group"}],
            LoadBalancerAttributes=[{"Key": "idle_timeout.timeout_seconds", "Value": "30"}],
        ),
        "DependsOn": ["Route"],
    },
    "Targets": resource(
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        VpcId={"Ref": "Vpc"},
        Port=80,
        Protocol="HTTP",
        TargetType="ip",
        HealthCheckPath="/health",
        TargetGroupAttributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "15"}],
    ),
    "Listener": resource(
        "AWS::ElasticLoadBalancingV2::Listener",
        LoadBalancerArn={"Ref": "Balancer"},
        Port="80",
        Protocol="HTTP",
        DefaultActions=[{"Type": "forward", "TargetGroupArn": {"Ref": "Targets"}}],
    ),
    "Rule": resource(
        "AWS::ElasticLoadBalancingV2::ListenerRule",
        ListenerArn={"Ref": "Listener"},
        Priority="5",
        Conditions=[{"Field": "path-pattern", "Values": ["/api/*"]}],
        Actions=[{"Type": "forward", "TargetGroupArn": {"Ref": "Targets"}}],
    ),
}


def test_a_network_and_its_load_balancer(emulator: InProcess) -> None:
    stacks, ec2, elb = (emulator.client(name) for name in ("cloudformation", "ec2", "elbv2"))
    shown = {"Name": {"Value": {"Fn::GetAtt": ["Balancer", "DNSName"]}}}
    stacks.create_stack(StackName="app", TemplateBody=template(NETWORKED, Outputs=shown))
    assert events(emulator, "app")[-1] == "app CREATE_COMPLETE"
    names = physical_ids(emulator, "app")
    routes = ec2.describe_route_tables(RouteTableIds=[names["Table"]])["RouteTables"][0]
    assert names["Gateway"] in [route.get("GatewayId") for route in routes["Routes"]]
    assert [each["SubnetId"] for each in routes["Associations"] if not each.get("Main")] == [names["Subnet"]]
    group = ec2.describe_security_groups(GroupIds=[names["Group"]])["SecurityGroups"][0]
    assert [each["FromPort"] for each in group["IpPermissions"]] == [80, 443]
    balancer = elb.describe_load_balancers(LoadBalancerArns=[names["Balancer"]])["LoadBalancers"][0]
    assert balancer["DNSName"] == outputs(emulator, "app")["Name"]
    attributes = elb.describe_target_group_attributes(TargetGroupArn=names["Targets"])["Attributes"]
    assert {"Key": "deregistration_delay.timeout_seconds", "Value": "15"} in attributes
    changed = {**NETWORKED, "Targets": json.loads(json.dumps(NETWORKED["Targets"]))}
    changed["Targets"]["Properties"]["HealthCheckPath"] = "/ready"
    stacks.update_stack(StackName="app", TemplateBody=template(changed, Outputs=shown))
    assert physical_ids(emulator, "app") == names
    target_group = elb.describe_target_groups(TargetGroupArns=[names["Targets"]])["TargetGroups"][0]
    assert target_group["HealthCheckPath"] == "/ready"
    stacks.delete_stack(StackName="app")
    assert names["Vpc"] not in [vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"]]
    assert (elb.describe_load_balancers()["LoadBalancers"], elb.describe_target_groups()["TargetGroups"]) == ([], [])
    assert ec2.describe_addresses()["Addresses"] == []


def test_a_role_and_its_policies_change_in_place(emulator: InProcess) -> None:
    def body(action: str, *managed: str) -> str:
        document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}
        policies = [{"PolicyName": "own", "PolicyDocument": document}]
        role = resource("AWS::IAM::Role", AssumeRolePolicyDocument=ROLE, Policies=policies)
        role["Properties"]["ManagedPolicyArns"] = [f"arn:aws:iam::aws:policy/{name}" for name in managed]
        apart = resource("AWS::IAM::Policy", PolicyName="apart", PolicyDocument=document, Roles=[{"Ref": "Role"}])
        return template({"Role": role, "Apart": apart})

    stacks, iam = emulator.client("cloudformation"), emulator.client("iam")
    stacks.create_stack(StackName="app", TemplateBody=body("s3:GetObject", "AmazonS3ReadOnlyAccess"), **CONSENT)
    role = physical_ids(emulator, "app")["Role"]
    stacks.update_stack(StackName="app", TemplateBody=body("s3:PutObject", "CloudWatchLogsFullAccess"), **CONSENT)
    assert physical_ids(emulator, "app")["Role"] == role
    attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    assert [policy["PolicyName"] for policy in attached] == ["CloudWatchLogsFullAccess"]
    for name in ("own", "apart"):
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        assert document["Statement"][0]["Action"] == "s3:PutObject"
    stacks.delete_stack(StackName="app")
    assert role not in [each["RoleName"] for each in iam.list_roles()["Roles"]]


def test_moto_makes_what_nothing_here_makes(emulator: InProcess) -> None:
    stacks, sqs = emulator.client("cloudformation"), emulator.client("sqs")
    queue = resource("AWS::SQS::Queue", VisibilityTimeout=60)
    shown = {"Arn": {"Value": {"Fn::GetAtt": ["Queue", "Arn"]}}}
    stacks.create_stack(StackName="app", TemplateBody=template({"Queue": queue}, Outputs=shown))
    url = physical_ids(emulator, "app")["Queue"]
    assert outputs(emulator, "app")["Arn"].rpartition(":")[2] == url.rpartition("/")[2]
    stacks.update_stack(
        StackName="app", TemplateBody=template({"Queue": resource("AWS::SQS::Queue", VisibilityTimeout=5)})
    )
    assert physical_ids(emulator, "app")["Queue"] == url
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert attributes["VisibilityTimeout"] == "5"
    stacks.delete_stack(StackName="app")
    assert "QueueUrls" not in sqs.list_queues()


def test_a_template_s_dynamic_references_are_put_in_and_shown_to_nobody(emulator: InProcess) -> None:
    emulator.client("secretsmanager").create_secret(Name="db", SecretString='{"password": "open sesame"}')
    emulator.client("ssm").put_parameter(Name="/size", Value="7", Type="String")
    resources = {
        "Key": resource(
            "AWS::SSM::Parameter",
            Name="/key",
            Type="String",
            Value="{{resolve:secretsmanager:db:SecretString:password}}/{{resolve:ssm:/size}}",
        )
    }
    stacks = emulator.client("cloudformation")
    stacks.create_stack(StackName="app", TemplateBody=template(resources))
    assert parameters(emulator) == ["open sesame/7"]
    assert "open sesame" not in str(stacks.describe_stack_events(StackName="app"))


def test_topics_are_told_of_a_stack_s_events(emulator: InProcess) -> None:
    sns, sqs = emulator.client("sns"), emulator.client("sqs")
    topic = sns.create_topic(Name="stacks")["TopicArn"]
    queue = sqs.create_queue(QueueName="told")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    emulator.client("cloudformation").create_stack(
        StackName="app",
        TemplateBody=template({"Cluster": resource("AWS::ECS::Cluster")}),
        NotificationARNs=[topic],
    )
    messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert any("ResourceStatus='CREATE_COMPLETE'" in message["Body"] for message in messages)


def test_many_stacks_are_made_at_once_beside_other_requests(emulator: InProcess) -> None:
    def make(number: int) -> str:
        region = ("us-east-1", "eu-west-1")[number % 2]
        stacks = emulator.client("cloudformation", region=region)
        resources = {
            "Cluster": resource("AWS::ECS::Cluster"),
            "Queue": resource("AWS::SQS::Queue"),
            "Topic": resource("AWS::SNS::Topic"),
            "Role": resource("AWS::IAM::Role", AssumeRolePolicyDocument=ROLE),
            "Group": resource("AWS::EC2::SecurityGroup", GroupDescription="g"),
        }
        stacks.create_stack(StackName=f"s{number}", TemplateBody=template(resources), **CONSENT)
        found: str = stacks.describe_stacks(StackName=f"s{number}")["Stacks"][0]["StackStatus"]
        stacks.delete_stack(StackName=f"s{number}")
        return found

    def look(number: int) -> str:
        emulator.client("ec2").describe_vpcs()
        emulator.client("iam").list_roles()
        emulator.client("sqs").create_queue(QueueName=f"q{number}")
        return "CREATE_COMPLETE"

    with ThreadPoolExecutor(8) as pool:
        work = [pool.submit(make if number % 2 else look, number // 2) for number in range(16)]
        assert {each.result(timeout=60) for each in work} == {"CREATE_COMPLETE"}
    assert emulator.ecs.list_clusters()["clusterArns"] == []
