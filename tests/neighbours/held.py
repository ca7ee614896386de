"""Things that other services hold: how a client makes some of each kind, and all that it can see of them."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any, NamedTuple

Client = Callable[[str], Any]
"""Botocore's client of a service."""

ROLE = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})
MANIFEST = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 7, "digest": "sha256:aa"},
        "layers": [{"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "size": 9, "digest": "sha256:b"}],
    }
)
QUEUE = "arn:aws:sqs:us-east-1:000000000000:q"


class Kind(NamedTuple):
    """A kind of thing."""

    make: Callable[[Client], object]
    see: Callable[[Client], object]


def _buckets(client: Client) -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket="plain")
    s3.put_object(
        Bucket="plain",
        Key="a//ü b%2F+c",
        Body=b"x" * 2_000_000,
        Metadata={"snake_case": "1", "kebab-case": "2"},
        ContentType="text/x-test",
        Tagging="a=b",
    )
    s3.create_bucket(Bucket="versioned")
    s3.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
    for body in (b"1", b"2"):
        s3.put_object(Bucket="versioned", Key="k", Body=body)
    s3.delete_object(Bucket="versioned", Key="k")


def _see_buckets(client: Client) -> object:
    s3 = client("s3")
    found = s3.get_object(Bucket="plain", Key="a//ü b%2F+c")
    return [
        {**found, "Body": found["Body"].read()},
        s3.get_object_tagging(Bucket="plain", Key="a//ü b%2F+c"),
        s3.list_object_versions(Bucket="versioned"),
        s3.list_buckets(),
    ]


def _queues(client: Client) -> None:
    sqs = client("sqs")
    sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "5"}, tags={"a": "b"})
    sqs.create_queue(QueueName="f.fifo", Attributes={"FifoQueue": "true"})


def _see_queues(client: Client) -> object:
    sqs = client("sqs")
    urls = sqs.list_queues()["QueueUrls"]
    return [
        (sqs.get_queue_attributes(QueueUrl=each, AttributeNames=["All"]), sqs.list_queue_tags(QueueUrl=each))
        for each in urls
    ]


def _tables(client: Client) -> None:
    dynamodb = client("dynamodb")
    dynamodb.create_table(
        TableName="orders",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )
    dynamodb.put_item(TableName="orders", Item={"id": {"S": "1"}, "b": {"B": b"\0\xff"}, "s": {"SS": ["a", "b"]}})


def _see_tables(client: Client) -> object:
    dynamodb = client("dynamodb")
    return [dynamodb.describe_table(TableName="orders"), dynamodb.scan(TableName="orders")]


def _identities(client: Client) -> None:
    iam = client("iam")
    iam.create_role(RoleName="app", AssumeRolePolicyDocument=ROLE, Tags=[{"Key": "a", "Value": "b"}])
    iam.put_role_policy(RoleName="app", PolicyName="inline", PolicyDocument=POLICY)
    policy = iam.create_policy(PolicyName="own", PolicyDocument=POLICY)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="app", PolicyArn=policy)
    iam.attach_role_policy(RoleName="app", PolicyArn="arn:aws:iam::aws:policy/AmazonS3FullAccess")
    iam.create_user(UserName="ann")
    iam.create_access_key(UserName="ann")


def _see_identities(client: Client) -> object:
    iam = client("iam")
    return [
        iam.list_roles(),
        iam.get_role(RoleName="app"),
        iam.get_role_policy(RoleName="app", PolicyName="inline"),
        iam.list_attached_role_policies(RoleName="app"),
        iam.list_policies(Scope="Local"),
        iam.list_users(),
        iam.list_access_keys(UserName="ann"),
    ]


def _secrets(client: Client) -> None:
    manager = client("secretsmanager")
    manager.create_secret(Name="db", SecretString="one")
    manager.put_secret_value(SecretId="db", SecretString="two")


def _see_secrets(client: Client) -> object:
    manager = client("secretsmanager")
    described = manager.describe_secret(SecretId="db")
    return [
        {name: value for name, value in described.items() if name != "LastAccessedDate"},
        manager.get_secret_value(SecretId="db"),
        manager.get_secret_value(SecretId="db", VersionStage="AWSPREVIOUS"),
    ]


def _parameters(client: Client) -> None:
    ssm = client("ssm")
    ssm.put_parameter(Name="/a", Value="1", Type="String")
    ssm.put_parameter(Name="/a", Value="2", Type="String", Overwrite=True)
    ssm.put_parameter(Name="/hush", Value="x", Type="SecureString")


def _see_parameters(client: Client) -> object:
    ssm = client("ssm")
    return [
        ssm.describe_parameters(),
        ssm.get_parameter_history(Name="/a"),
        ssm.get_parameter(Name="/hush", WithDecryption=True),
    ]


def _log_groups(client: Client) -> None:
    logs = client("logs")
    logs.create_log_group(logGroupName="/ecs/a", tags={"a": "b"})
    logs.put_retention_policy(logGroupName="/ecs/a", retentionInDays=7)
    logs.create_log_stream(logGroupName="/ecs/a", logStreamName="s")


def _see_log_groups(client: Client) -> object:
    logs = client("logs")
    return [logs.describe_log_groups(), logs.describe_log_streams(logGroupName="/ecs/a")]


def _networks(client: Client) -> None:
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.1.0.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="g", Description="d", VpcId=vpc)["GroupId"]
    web = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[web])
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    routes = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=routes, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    ec2.associate_route_table(RouteTableId=routes, SubnetId=subnet)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)
    ec2.create_key_pair(KeyName="rsa")
    ec2.create_key_pair(KeyName="ed25519", KeyType="ed25519")
    default = ec2.describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])["Subnets"][0]
    ec2.create_tags(Resources=[vpc, default["SubnetId"]], Tags=[{"Key": "Name", "Value": "v"}])


def _see_networks(client: Client) -> object:
    ec2 = client("ec2")
    names = "vpcs subnets security_groups security_group_rules route_tables network_acls internet_gateways addresses"
    return [getattr(ec2, f"describe_{name}")() for name in (*names.split(), "nat_gateways", "key_pairs", "tags")]


def _load_balancers(client: Client) -> None:
    ec2, elb = client("ec2"), client("elbv2")
    vpc = ec2.create_vpc(CidrBlock="10.2.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.2.{n}.0/24", AvailabilityZone=f"us-east-1{zone}")["Subnet"][
            "SubnetId"
        ]
        for n, zone in enumerate("ab")
    ]
    balancer = elb.create_load_balancer(Name="lb", Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    elb.describe_load_balancers()  # becomes active when it is looked at
    target = elb.create_target_group(Name="tg", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip")
    group = target["TargetGroups"][0]["TargetGroupArn"]
    forward = [{"Type": "forward", "TargetGroupArn": group}]
    listener = elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=forward)
    elb.create_rule(
        ListenerArn=listener["Listeners"][0]["ListenerArn"],
        Priority=5,
        Conditions=[{"Field": "path-pattern", "Values": ["/a*"]}],
        Actions=forward,
    )
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "10.2.0.9", "Port": 80}])


def _see_load_balancers(client: Client) -> object:
    elb = client("elbv2")
    balancers, groups = elb.describe_load_balancers(), elb.describe_target_groups()
    listeners = elb.describe_listeners(LoadBalancerArn=balancers["LoadBalancers"][0]["LoadBalancerArn"])
    return [
        balancers,
        groups,
        listeners,
        elb.describe_rules(ListenerArn=listeners["Listeners"][0]["ListenerArn"]),
        elb.describe_target_health(TargetGroupArn=groups["TargetGroups"][0]["TargetGroupArn"]),
    ]


def _namespaces(client: Client) -> None:
    vpc = client("ec2").create_vpc(CidrBlock="10.3.0.0/16")["Vpc"]["VpcId"]
    discovery = client("servicediscovery")
    discovery.create_private_dns_namespace(Name="local", Vpc=vpc)
    namespace = discovery.list_namespaces()["Namespaces"][0]["Id"]
    service = discovery.create_service(
        Name="web", NamespaceId=namespace, DnsConfig={"DnsRecords": [{"Type": "A", "TTL": 5}]}
    )
    discovery.register_instance(
        ServiceId=service["Service"]["Id"], InstanceId="i", Attributes={"AWS_INSTANCE_IPV4": "10.3.0.9"}
    )


def _see_namespaces(client: Client) -> object:
    discovery = client("servicediscovery")
    services = discovery.list_services()
    return [
        discovery.list_namespaces(),
        services,
        discovery.list_instances(ServiceId=services["Services"][0]["Id"]),
        client("route53").list_hosted_zones(),
    ]


def _rules(client: Client) -> None:
    events = client("events")
    events.put_rule(Name="r", EventPattern='{"source":["aws.ecs"]}')
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": QUEUE}])
    events.create_event_bus(Name="bus")


def _see_rules(client: Client) -> object:
    events = client("events")
    return [events.list_rules(), events.list_targets_by_rule(Rule="r"), events.list_event_buses()]


def _topics(client: Client) -> None:
    topic = client("sns").create_topic(Name="t")["TopicArn"]
    client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=QUEUE)


def _see_topics(client: Client) -> object:
    topics = client("sns").list_topics()
    attributes = client("sns").get_topic_attributes(TopicArn=topics["Topics"][0]["TopicArn"])
    return [topics, attributes, client("sns").list_subscriptions()]


def _repositories(client: Client) -> None:
    client("ecr").create_repository(repositoryName="app")
    client("ecr").put_image(repositoryName="app", imageTag="1", imageManifest=MANIFEST)


def _see_repositories(client: Client) -> object:
    return [client("ecr").describe_repositories(), client("ecr").describe_images(repositoryName="app")]


def _keys(client: Client) -> None:
    kms = client("kms")
    key = kms.create_key(Description="d")["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/a", TargetKeyId=key)
    kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")


def _see_keys(client: Client) -> object:
    kms = client("kms")
    keys = [kms.describe_key(KeyId=each["KeyId"]) for each in kms.list_keys()["Keys"]]
    signing = [each["KeyMetadata"]["KeyId"] for each in keys if each["KeyMetadata"].get("KeyUsage") == "SIGN_VERIFY"]
    return [keys, kms.list_aliases(), [kms.get_public_key(KeyId=each) for each in signing]]


def _functions(client: Client) -> None:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("h.py", "def h(event, context): return event")
    functions, role = client("lambda"), "arn:aws:iam::000000000000:role/lambda"
    client("iam").create_role(RoleName="lambda", AssumeRolePolicyDocument=ROLE)
    client("s3").create_bucket(Bucket="code")
    client("s3").put_object(Bucket="code", Key="f.zip", Body=code.getvalue())
    functions.create_function(
        FunctionName="f", Runtime="python3.11", Role=role, Handler="h.h", Code={"S3Bucket": "code", "S3Key": "f.zip"}
    )
    client("s3").delete_object(Bucket="code", Key="f.zip")
    functions.publish_version(FunctionName="f")
    functions.create_alias(FunctionName="f", Name="live", FunctionVersion="1")


def _see_functions(client: Client) -> object:
    functions = client("lambda")
    return [
        functions.get_function(FunctionName="f"),
        functions.list_versions_by_function(FunctionName="f"),
        functions.list_aliases(FunctionName="f"),
    ]


def _stacks(client: Client) -> None:
    resources = {
        "Queue": {"Type": "AWS::SQS::Queue"},
        "Topic": {"Type": "AWS::SNS::Topic"},
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": json.loads(ROLE)}},
        "Bucket": {"Type": "AWS::S3::Bucket"},
    }
    stacks, may = client("cloudformation"), ["CAPABILITY_IAM"]
    stacks.create_stack(StackName="s", TemplateBody=json.dumps({"Resources": resources}), Capabilities=may)
    del resources["Topic"]
    stacks.update_stack(StackName="s", TemplateBody=json.dumps({"Resources": resources}), Capabilities=may)


def _see_stacks(client: Client) -> object:
    stacks = client("cloudformation")
    return [
        stacks.describe_stacks(),
        stacks.list_stack_resources(StackName="s"),
        stacks.describe_stack_events(StackName="s"),
    ]


def _certificates(client: Client) -> None:
    client("acm").request_certificate(DomainName="a.test", SubjectAlternativeNames=["c.test", "b.test"])


def _see_certificates(client: Client) -> object:
    arn = client("acm").list_certificates()["CertificateSummaryList"][0]["CertificateArn"]
    return [client("acm").describe_certificate(CertificateArn=arn), client("acm").get_certificate(CertificateArn=arn)]


def _schedules(client: Client) -> None:
    client("scheduler").create_schedule(
        Name="s",
        ScheduleExpression="rate(1 hour)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": QUEUE, "RoleArn": "arn:aws:iam::000000000000:role/app"},
    )


def _see_schedules(client: Client) -> object:
    return client("scheduler").get_schedule(Name="s")


def _alarms(client: Client) -> None:
    client("cloudwatch").put_metric_alarm(
        AlarmName="a",
        Namespace="n",
        MetricName="m",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        Statistic="Sum",
    )


def _see_alarms(client: Client) -> object:
    return client("cloudwatch").describe_alarms()


KINDS = {
    "buckets and objects": Kind(_buckets, _see_buckets),
    "queues": Kind(_queues, _see_queues),
    "tables and items": Kind(_tables, _see_tables),
    "roles, policies, users and access keys": Kind(_identities, _see_identities),
    "secrets": Kind(_secrets, _see_secrets),
    "parameters": Kind(_parameters, _see_parameters),
    "log groups and streams": Kind(_log_groups, _see_log_groups),
    "networks": Kind(_networks, _see_networks),
    "load balancers": Kind(_load_balancers, _see_load_balancers),
    "namespaces and instances": Kind(_namespaces, _see_namespaces),
    "rules of EventBridge": Kind(_rules, _see_rules),
    "topics": Kind(_topics, _see_topics),
    "repositories": Kind(_repositories, _see_repositories),
    "keys": Kind(_keys, _see_keys),
    "functions": Kind(_functions, _see_functions),
    "stacks": Kind(_stacks, _see_stacks),
    "certificates": Kind(_certificates, _see_certificates),
    "schedules": Kind(_schedules, _see_schedules),
    "alarms": Kind(_alarms, _see_alarms),
}
