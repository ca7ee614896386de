"""Stacks with ECS resources, by stock clients."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

from tests.emulators import ROOT, InProcess
from tests.neighbours.stacks import (
    CONSENT,
    FARGATE,
    events,
    fargate,
    outputs,
    physical_ids,
    reasons,
    resource,
    status,
    template,
)

CLUSTER = resource("AWS::ECS::Cluster")


@pytest.fixture
def stacks(emulator: InProcess) -> Any:
    """A client of CloudFormation."""
    return emulator.client("cloudformation")


def definition_of(emulator: InProcess, stack: str) -> dict[str, Any]:
    arn = outputs(emulator, stack)["Definition"]
    found: dict[str, Any] = emulator.ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
    return found


def refusal(call: Any, **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


# A stack that is made


def test_a_fargate_template_makes_all_that_a_task_needs(emulator: InProcess, stacks: Any) -> None:
    stacks.create_stack(StackName="app", TemplateBody=fargate(), **CONSENT)
    stacks.get_waiter("stack_create_complete").wait(StackName="app")
    names = physical_ids(emulator, "app")
    cluster = emulator.ecs.describe_clusters(clusters=[names["Cluster"]], include=["SETTINGS"])["clusters"][0]
    assert cluster["settings"] == [{"name": "containerInsights", "value": "enabled"}]
    assert cluster["capacityProviders"] == ["FARGATE", "FARGATE_SPOT"]
    assert cluster["defaultCapacityProviderStrategy"] == [{"capacityProvider": "FARGATE", "weight": 1, "base": 0}]
    group = emulator.client("logs").describe_log_groups(logGroupNamePrefix=names["Logs"])["logGroups"][0]
    assert group["retentionInDays"] == 7
    policies = emulator.client("iam").list_attached_role_policies(RoleName=names["ExecutionRole"])["AttachedPolicies"]
    assert [policy["PolicyName"] for policy in policies] == ["AmazonECSTaskExecutionRolePolicy"]


def test_the_definition_is_what_the_template_says(emulator: InProcess, stacks: Any) -> None:
    stacks.create_stack(StackName="app", TemplateBody=fargate(), **CONSENT)
    names, definition = physical_ids(emulator, "app"), definition_of(emulator, "app")
    members = ("family", "cpu", "memory", "networkMode", "requiresCompatibilities", "executionRoleArn", "volumes")
    assert {name: definition[name] for name in members} == {
        "family": "web",
        "cpu": "256",
        "memory": "512",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "executionRoleArn": f"arn:aws:iam::000000000000:role/{names['ExecutionRole']}",
        "volumes": [
            {
                "name": "data",
                "efsVolumeConfiguration": {"fileSystemId": "fs-12345678", "transitEncryption": "ENABLED"},
            }
        ],
    }
    container = definition["containerDefinitions"][0]
    assert container["essential"] is True
    assert container["portMappings"] == [{"containerPort": 80, "hostPort": 80, "protocol": "tcp"}]
    assert container["environment"] == [{"name": "CLUSTER", "value": f"us-east-1/{names['Cluster']}"}]
    assert container["dockerLabels"] == {"Some.Label": "Kept"}
    assert container["logConfiguration"]["options"]["awslogs-group"] == names["Logs"]


def test_its_task_runs(emulator: InProcess, stacks: Any) -> None:
    stacks.create_stack(StackName="app", TemplateBody=fargate(Volumes=None), **CONSENT)
    task = run_task(emulator, "app")
    found = emulator.ecs.describe_tasks(cluster=physical_ids(emulator, "app")["Cluster"], tasks=[task])["tasks"][0]
    assert (found["lastStatus"], found["launchType"]) == ("RUNNING", "FARGATE")


def test_the_events_tell_it_in_aws_s_order(emulator: InProcess, stacks: Any) -> None:
    stacks.create_stack(StackName="app", TemplateBody=template({"Cluster": CLUSTER}))
    assert events(emulator, "app") == [
        "app CREATE_IN_PROGRESS",
        "Cluster CREATE_IN_PROGRESS",
        "Cluster CREATE_IN_PROGRESS",
        "Cluster CREATE_COMPLETE",
        "app CREATE_COMPLETE",
    ]
    assert reasons(emulator, "app", "app CREATE_IN_PROGRESS") == ["User Initiated"]
    assert reasons(emulator, "app", "Cluster CREATE_IN_PROGRESS") == ["", "Resource creation Initiated"]


def test_a_resource_without_a_name_is_named_after_the_stack(emulator: InProcess, stacks: Any) -> None:
    stacks.create_stack(StackName="app", TemplateBody=fargate(Family=None), **CONSENT)
    names = physical_ids(emulator, "app")
    assert re.fullmatch(r"app-Cluster-[A-Z0-9]{12}", names["Cluster"])
    assert re.fullmatch(
        r"arn:aws:ecs:us-east-1:000000000000:task-definition/app-Definition-[A-Z0-9]{12}:1", names["Definition"]
    )


def test_refs_attributes_and_exports(emulator: InProcess, stacks: Any) -> None:
    stacks.create_stack(StackName="app", TemplateBody=fargate(), **CONSENT)
    names, shown = physical_ids(emulator, "app"), outputs(emulator, "app")
    assert shown == {
        "Definition": "arn:aws:ecs:us-east-1:000000000000:task-definition/web:1",
        "Cluster": f"arn:aws:ecs:us-east-1:000000000000:cluster/{names['Cluster']}",
        "Network": names["Cluster"],
    }
    exports = stacks.list_exports()["Exports"]
    assert [(export["Name"], export["Value"]) for export in exports] == [("app-task", shown["Definition"])]


def test_another_stack_imports_what_one_exports(emulator: InProcess, stacks: Any) -> None:
    stacks.create_stack(StackName="app", TemplateBody=fargate(), **CONSENT)
    parameter = resource("AWS::SSM::Parameter", Type="String", Value={"Fn::ImportValue": "app-task"})
    stacks.create_stack(StackName="user", TemplateBody=template({"Parameter": parameter}))
    name = physical_ids(emulator, "user")["Parameter"]
    value = emulator.client("ssm").get_parameter(Name=name)["Parameter"]["Value"]
    assert value == outputs(emulator, "app")["Definition"]
    assert stacks.list_imports(ExportName="app-task")["Imports"] == ["user"]
    stacks.delete_stack(StackName="app")
    assert status(emulator, "app") == "DELETE_FAILED"
    assert reasons(emulator, "app", "app DELETE_FAILED") == ["Cannot delete export app-task as it is in use by user."]


def test_the_stack_s_tags_are_its_resources_tags(emulator: InProcess, stacks: Any) -> None:
    own = resource("AWS::ECS::Cluster", Tags=[{"Key": "own", "Value": "1"}])
    tags = [{"Key": "team", "Value": "web"}]
    stacks.create_stack(StackName="app", TemplateBody=template({"Cluster": own}), Tags=tags)
    cluster = emulator.ecs.describe_clusters(clusters=[physical_ids(emulator, "app")["Cluster"]], include=["TAGS"])
    assert {tag["key"]: tag["value"] for tag in cluster["clusters"][0]["tags"]} == {"own": "1", "team": "web"}


def test_stacks_of_other_accounts_and_regions_are_apart(emulator: InProcess, stacks: Any) -> None:
    stacks.create_stack(StackName="app", TemplateBody=template({"Cluster": CLUSTER}))
    theirs = emulator.client("cloudformation", account="123456789012", region="eu-west-1")
    stack = theirs.create_stack(StackName="app", TemplateBody=template({"Cluster": CLUSTER}))["StackId"]
    assert stack.startswith("arn:aws:cloudformation:eu-west-1:123456789012:stack/app/")
    assert len(emulator.ecs.list_clusters()["clusterArns"]) == 1


def test_nothing_of_it_is_imported_before_it_is_asked_for() -> None:
    program = (
        "import sys\n"
        "from tests.emulators import InProcess\n"
        "def there(): return [name for name in sys.modules if name.startswith('emulator.neighbours.embedded.cloudf')]\n"
        "with InProcess.started() as emulator:\n"
        "    emulator.client('sqs').list_queues()\n"
        "    assert there() == [], there()\n"
        "    emulator.client('cloudformation').list_stacks()\n"
        "    assert there()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr


# A stack that cannot be made


def test_a_bad_definition_rolls_all_back_with_ecs_s_sentence(emulator: InProcess, stacks: Any) -> None:
    stack = stacks.create_stack(StackName="app", TemplateBody=fargate(Memory=513), **CONSENT)
    assert stack["StackId"].startswith("arn:aws:cloudformation:us-east-1:000000000000:stack/app/")
    with pytest.raises(WaiterError, match="ROLLBACK_COMPLETE"):
        stacks.get_waiter("stack_create_complete").wait(StackName="app")
    (reason,) = reasons(emulator, "app", "Definition CREATE_FAILED")
    assert re.fullmatch(
        r'Resource handler returned message: "Invalid request provided: Create TaskDefinition: No Fargate '
        r"configuration exists for given values: 256 CPU, 513 memory\. See the Amazon ECS documentation for the valid "
        r"values\. \(Service: AmazonECS; Status Code: 400; Error Code: ClientException; Request ID: [0-9a-f-]{36}; "
        r'Proxy: null\)" \(RequestToken: [0-9a-f-]{36}, HandlerErrorCode: InvalidRequest\)',
        reason,
    )
    assert reasons(emulator, "app", "app ROLLBACK_IN_PROGRESS") == [
        "The following resource(s) failed to create: [Definition]. Rollback requested by user."
    ]
    assert emulator.ecs.list_clusters()["clusterArns"] == []
    assert emulator.client("logs").describe_log_groups()["logGroups"] == []
    assert events(emulator, "app")[-2:] == ["Cluster DELETE_COMPLETE", "app ROLLBACK_COMPLETE"]


@pytest.mark.parametrize(
    ("wish", "ends"),
    [
        ({"DisableRollback": True}, "CREATE_FAILED"),
        ({"OnFailure": "DO_NOTHING"}, "CREATE_FAILED"),
        ({"OnFailure": "ROLLBACK"}, "ROLLBACK_COMPLETE"),
        ({"OnFailure": "DELETE"}, "DELETE_COMPLETE"),
    ],
)
def test_what_becomes_of_it_can_be_said(emulator: InProcess, stacks: Any, wish: Any, ends: str) -> None:
    made = stacks.create_stack(StackName="app", TemplateBody=fargate(Memory=513), **CONSENT, **wish)
    assert status(emulator, made["StackId"]) == ends
    assert len(emulator.ecs.list_clusters()["clusterArns"]) == (1 if ends == "CREATE_FAILED" else 0)


def test_an_operation_that_ecs_does_not_have_here_fails_the_stack(emulator: InProcess, stacks: Any) -> None:
    provider = resource("AWS::ECS::CapacityProvider", AutoScalingGroupProvider={"AutoScalingGroupArn": "arn"})
    stacks.create_stack(StackName="app", TemplateBody=template({"Cluster": CLUSTER, "Provider": provider}))
    assert status(emulator, "app") == "ROLLBACK_COMPLETE"
    (reason,) = reasons(emulator, "app", "Provider CREATE_FAILED")
    assert "The operation CreateCapacityProvider is not implemented in this emulator." in reason


@pytest.mark.parametrize(
    ("properties", "complaint"),
    [
        ({"Colour": "red"}, "#: extraneous key [Colour] is not permitted"),
        ({"Volumes": "data"}, "#/Volumes: expected type: JSONArray, found: String"),
        (
            {"ContainerDefinitions": [{"Name": "a", "Image": "i", "Cpu": "much"}]},
            "#/ContainerDefinitions/0/Cpu: expected type: Number, found: String",
        ),
    ],
)
def test_properties_that_the_type_does_not_have_are_named(
    emulator: InProcess, stacks: Any, properties: Any, complaint: str
) -> None:
    stacks.create_stack(StackName="app", TemplateBody=fargate(**properties), **CONSENT)
    assert reasons(emulator, "app", "Definition CREATE_FAILED") == [
        f"Properties validation failed for resource Definition with message:\n[{complaint}]"
    ]


def test_a_cluster_that_is_there_is_not_taken_over(emulator: InProcess, stacks: Any) -> None:
    emulator.ecs.create_cluster(clusterName="mine")
    named = resource("AWS::ECS::Cluster", ClusterName="mine")
    stacks.create_stack(StackName="app", TemplateBody=template({"Cluster": named}))
    (reason,) = reasons(emulator, "app", "Cluster CREATE_FAILED")
    assert "Resource of type 'AWS::ECS::Cluster' with identifier 'mine' already exists." in reason
    assert len(emulator.ecs.list_clusters()["clusterArns"]) == 1


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (
            template({"A": resource("AWS::CodeDeploy::Application"), "B": resource("Custom::Thing"), "C": CLUSTER}),
            "ValidationError",
            "Template format error: Unrecognized resource types: [AWS::CodeDeploy::Application, Custom::Thing]",
        ),
        (fargate(), "InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_IAM]"),
        (
            template({"Role": resource("AWS::IAM::Role", RoleName="r", AssumeRolePolicyDocument={})}),
            "InsufficientCapabilitiesException",
            "Requires capabilities : [CAPABILITY_NAMED_IAM]",
        ),
        ("Resources: [", "ValidationError", "Template format error: YAML not well-formed. (line 2, column 1)"),
        (
            "#" * 51_201,
            "ValidationError",
            (
                "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have "
                "length less than or equal to 51200"
            ),
        ),
        (
            template({"Cluster": CLUSTER}, Transform="AWS::Serverless-2016-10-31"),
            "NotImplementedException",
            "Transforms are not implemented in this emulator: [AWS::Serverless-2016-10-31].",
        ),
    ],
)
def test_a_template_that_is_none_is_refused_and_makes_no_stack(stacks: Any, body: str, code: str, message: str) -> None:
    assert refusal(stacks.create_stack, StackName="app", TemplateBody=body) == (code, message)
    assert stacks.list_stacks()["StackSummaries"] == []


def test_a_name_is_given_once(emulator: InProcess, stacks: Any) -> None:
    stacks.create_stack(StackName="app", TemplateBody=template({"Cluster": CLUSTER}))
    again = {"StackName": "app", "TemplateBody": template({"Cluster": CLUSTER})}
    assert refusal(stacks.create_stack, **again) == ("AlreadyExistsException", "Stack [app] already exists")
    assert refusal(stacks.create_stack, StackName="1app", TemplateBody="x")[0] == "ValidationError"


def test_an_export_s_name_is_given_once(emulator: InProcess, stacks: Any) -> None:
    body = template({"Cluster": CLUSTER}, Outputs={"C": {"Value": {"Ref": "Cluster"}, "Export": {"Name": "c"}}})
    stacks.create_stack(StackName="one", TemplateBody=body)
    stacks.create_stack(StackName="two", TemplateBody=body)
    assert reasons(emulator, "two", "two ROLLBACK_IN_PROGRESS") == [
        "Export with name c is already exported by stack one. Rollback requested by user."
    ]


# A stack that is changed


def test_a_changed_definition_is_a_new_revision_and_the_old_one_is_deregistered(
    emulator: InProcess, stacks: Any
) -> None:
    stacks.create_stack(StackName="app", TemplateBody=fargate(), **CONSENT)
    before = outputs(emulator, "app")["Definition"]
    parameters = [{"ParameterKey": "Memory", "ParameterValue": "1024"}]
    stacks.update_stack(StackName="app", UsePreviousTemplate=True, Parameters=parameters, **CONSENT)
    stacks.get_waiter("stack_update_complete").wait(StackName="app")
    definition = definition_of(emulator, "app")
    assert (definition["family"], definition["revision"], definition["memory"]) == ("web", 2, "1024")
    old = emulator.ecs.describe_task_definition(taskDefinition=before)["taskDefinition"]
    assert old["status"] == "INACTIVE"
    assert [export["Value"] for export in stacks.list_exports()["Exports"]] == [definition["taskDefinitionArn"]]
    assert events(emulator, "app")[-8:] == [
        "app UPDATE_IN_PROGRESS",
        "Definition UPDATE_IN_PROGRESS",
        "Definition UPDATE_IN_PROGRESS",
        "Definition UPDATE_COMPLETE",
        "app UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "Definition DELETE_IN_PROGRESS",
        "Definition DELETE_COMPLETE",
        "app UPDATE_COMPLETE",
    ]


def test_resources_that_name_a_replaced_one_are_changed_too(emulator: InProcess, stacks: Any) -> None:
    def body(memory: int) -> str:
        parameter = resource("AWS::SSM::Parameter", Name="/task", Type="String", Value={"Ref": "Definition"})
        found = json.loads(fargate(Memory=memory))
        found["Resources"]["Parameter"] = parameter
        return json.dumps(found)

    stacks.create_stack(StackName="app", TemplateBody=body(512), **CONSENT)
    stacks.update_stack(StackName="app", TemplateBody=body(1024), **CONSENT)
    value = emulator.client("ssm").get_parameter(Name="/task")["Parameter"]["Value"]
    assert value == "arn:aws:ecs:us-east-1:000000000000:task-definition/web:2"


def test_tags_of_a_definition_change_in_place(emulator: InProcess, stacks: Any) -> None:
    stacks.create_stack(StackName="app", TemplateBody=fargate(), **CONSENT)
    tagged = fargate(Tags=[{"Key": "team", "Value": "web"}])
    stacks.update_stack(StackName="app", TemplateBody=tagged, **CONSENT)
    arn = outputs(emulator, "app")["Definition"]
    assert arn.endswith("/web:1")
    assert emulator.ecs.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "team", "value": "web"}]


def test_a_cluster_changes_in_place_until_its_name_does(emulator: InProcess, stacks: Any) -> None:
    def body(**properties: Any) -> str:
        return template({"Cluster": resource("AWS::ECS::Cluster", **properties)})

    stacks.create_stack(StackName="app", TemplateBody=body())
    first = physical_ids(emulator, "app")["Cluster"]
    stacks.update_stack(
        StackName="app", TemplateBody=body(ClusterSettings=[{"Name": "containerInsights", "Value": "enabled"}])
    )
    assert physical_ids(emulator, "app")["Cluster"] == first
    settings = emulator.ecs.describe_clusters(clusters=[first], include=["SETTINGS"])["clusters"][0]["settings"]
    assert settings == [{"name": "containerInsights", "value": "enabled"}]
    stacks.update_stack(StackName="app", TemplateBody=body(ClusterName="other"))
    assert [arn.rpartition("/")[2] for arn in emulator.ecs.list_clusters()["clusterArns"]] == ["other"]


def test_what_is_no_longer_in_the_template_is_removed(emulator: InProcess, stacks: Any) -> None:
    both = {"One": CLUSTER, "Two": CLUSTER}
    stacks.create_stack(StackName="app", TemplateBody=template(both))
    stacks.update_stack(StackName="app", TemplateBody=template({"One": CLUSTER}))
    assert list(physical_ids(emulator, "app")) == ["One"]
    assert len(emulator.ecs.list_clusters()["clusterArns"]) == 1


def test_a_failed_update_brings_the_former_resources_back(emulator: InProcess, stacks: Any) -> None:
    stacks.create_stack(StackName="app", TemplateBody=fargate(), **CONSENT)
    before = physical_ids(emulator, "app")
    bad = json.loads(fargate(Memory=513))
    bad["Resources"]["Logs"]["Properties"]["RetentionInDays"] = 14
    bad["Resources"]["Another"] = CLUSTER
    stacks.update_stack(StackName="app", TemplateBody=json.dumps(bad), **CONSENT)
    assert status(emulator, "app") == "UPDATE_ROLLBACK_COMPLETE"
    assert reasons(emulator, "app", "app UPDATE_ROLLBACK_IN_PROGRESS") == [
        "The following resource(s) failed to update: [Definition]. "
    ]
    assert physical_ids(emulator, "app") == before
    group = emulator.client("logs").describe_log_groups(logGroupNamePrefix=before["Logs"])["logGroups"][0]
    assert group["retentionInDays"] == 7
    assert len(emulator.ecs.list_clusters()["clusterArns"]) == 1
    assert definition_of(emulator, "app")["status"] == "ACTIVE"
    assert stacks.get_template(StackName="app")["TemplateBody"] == FARGATE


def test_a_failed_update_may_be_left_as_it_is_and_mended(emulator: InProcess, stacks: Any) -> None:
    stacks.create_stack(StackName="app", TemplateBody=fargate(), **CONSENT)
    stacks.update_stack(StackName="app", TemplateBody=fargate(Memory=513), DisableRollback=True, **CONSENT)
    assert status(emulator, "app") == "UPDATE_FAILED"
    stacks.update_stack(StackName="app", TemplateBody=fargate(Memory=1024), **CONSENT)
    assert status(emulator, "app") == "UPDATE_COMPLETE"
    assert definition_of(emulator, "app")["memory"] == "1024"


@pytest.mark.parametrize("change", [{}, {"Description": "Another text"}])
def test_an_update_that_changes_nothing_is_refused(emulator: InProcess, stacks: Any, change: Any) -> None:
    stacks.create_stack(StackName="app", TemplateBody=fargate(), **CONSENT)
    same = json.dumps({**json.loads(fargate()), **change})
    refused = refusal(stacks.update_stack, StackName="app", TemplateBody=same, **CONSENT)
    assert refused == ("ValidationError", "No updates are to be performed.")


def test_a_stack_that_was_rolled_back_is_not_updated(emulator: InProcess, stacks: Any) -> None:
    made = stacks.create_stack(StackName="app", TemplateBody=fargate(Memory=513), **CONSENT)["StackId"]
    refused = refusal(stacks.update_stack, StackName="app", TemplateBody=fargate(), **CONSENT)
    assert refused == ("ValidationError", f"Stack:{made} is in ROLLBACK_COMPLETE state and can not be updated.")


def test_a_resource_keeps_its_type(emulator: InProcess, stacks: Any) -> None:
    stacks.create_stack(StackName="app", TemplateBody=template({"Thing": CLUSTER}))
    other = template({"Thing": resource("AWS::Logs::LogGroup")})
    assert refusal(stacks.update_stack, StackName="app", TemplateBody=other)[1] == (
        "Update of resource type is not permitted. The new template modifies resource type of the following "
        "resources: [Thing]"
    )


# A stack that is removed


def test_deleting_a_stack_leaves_nothing(emulator: InProcess, stacks: Any) -> None:
    made = stacks.create_stack(StackName="app", TemplateBody=fargate(), **CONSENT)["StackId"]
    definition = outputs(emulator, "app")["Definition"]
    stacks.delete_stack(StackName="app")
    stacks.get_waiter("stack_delete_complete").wait(StackName="app")
    assert refusal(stacks.describe_stacks, StackName="app") == ("ValidationError", "Stack with id app does not exist")
    assert status(emulator, made) == "DELETE_COMPLETE"
    assert emulator.ecs.list_clusters()["clusterArns"] == []
    assert emulator.client("logs").describe_log_groups()["logGroups"] == []
    roles = [role["RoleName"] for role in emulator.client("iam").list_roles()["Roles"]]
    assert not [name for name in roles if name.startswith("app-")]
    found = emulator.ecs.describe_task_definition(taskDefinition=definition)["taskDefinition"]
    assert found["status"] == "INACTIVE"
    assert stacks.list_exports()["Exports"] == []


def run_task(emulator: InProcess, stack: str) -> str:
    """The ARN of a running task of a stack's definition in its cluster."""
    names = physical_ids(emulator, stack)
    subnet = emulator.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    task: str = emulator.ecs.run_task(
        cluster=names["Cluster"],
        taskDefinition=names["Definition"],
        networkConfiguration={"awsvpcConfiguration": {"subnets": [subnet]}},
        **({} if "Providers" in names else {"launchType": "FARGATE"}),
    )["tasks"][0]["taskArn"]
    emulator.advance(30)
    return task


@pytest.mark.parametrize(
    ("left_out", "refuses", "sentence"),
    [
        (
            "Providers",
            "Cluster",
            "'DeleteClusters SDK Error: The Cluster cannot be deleted while Tasks are active. (Service: AmazonECS; ",
        ),
        ("Logs", "Providers", "The specified capacity provider is in use and cannot be removed."),
    ],
)
def test_a_cluster_with_tasks_refuses_and_so_does_the_stack(
    emulator: InProcess, stacks: Any, left_out: str, refuses: str, sentence: str
) -> None:
    stubborn = {"Name": "a", "Image": "local/busybox:1", "DockerLabels": {"emulator.ignore-stop": "true"}}
    body = json.loads(fargate(Volumes=None, ContainerDefinitions=[stubborn]))
    del body["Resources"][left_out]
    stacks.create_stack(StackName="app", TemplateBody=json.dumps({**body, "Outputs": {}}), **CONSENT)
    cluster, task = physical_ids(emulator, "app")["Cluster"], run_task(emulator, "app")
    stacks.delete_stack(StackName="app")
    assert status(emulator, "app") == "DELETE_FAILED"
    (reason,) = reasons(emulator, "app", f"{refuses} DELETE_FAILED")
    assert sentence in reason
    assert reasons(emulator, "app", "app DELETE_FAILED") == [
        f"The following resource(s) failed to delete: [{refuses}]. "
    ]
    emulator.ecs.stop_task(cluster=cluster, task=task)
    stacks.delete_stack(StackName="app")
    assert status(emulator, "app") == "DELETE_IN_PROGRESS"  # the task is ending
    emulator.advance(120)
    stacks.get_waiter("stack_delete_complete").wait(StackName="app")
    assert emulator.ecs.list_clusters()["clusterArns"] == []


def test_a_resource_may_be_retained(emulator: InProcess, stacks: Any) -> None:
    made = stacks.create_stack(
        StackName="app", TemplateBody=template({"Cluster": {**CLUSTER, "DeletionPolicy": "Retain"}})
    )["StackId"]
    stacks.delete_stack(StackName="app")
    assert "Cluster DELETE_SKIPPED" in events(emulator, made)
    assert len(emulator.ecs.list_clusters()["clusterArns"]) == 1


def test_a_protected_stack_is_not_deleted(emulator: InProcess, stacks: Any) -> None:
    body = template({"Cluster": CLUSTER})
    stacks.create_stack(StackName="app", TemplateBody=body, EnableTerminationProtection=True)
    assert refusal(stacks.delete_stack, StackName="app")[1] == (
        "Stack [app] cannot be deleted while TerminationProtection is enabled"
    )
    stacks.update_termination_protection(StackName="app", EnableTerminationProtection=False)
    stacks.delete_stack(StackName="app")
    assert stacks.describe_stacks()["Stacks"] == []


# Stacks within stacks


@pytest.fixture
def inner(emulator: InProcess) -> str:
    """The URL of a template that makes a cluster and shows it."""
    body = template(
        {"Cluster": resource("AWS::ECS::Cluster", ClusterName={"Ref": "Name"})},
        Parameters={"Name": {"Type": "String"}},
        Outputs={"Arn": {"Value": {"Fn::GetAtt": ["Cluster", "Arn"]}}},
    )
    emulator.client("s3").create_bucket(Bucket="templates")
    emulator.client("s3").put_object(Bucket="templates", Key="inner.json", Body=body)
    return "https://s3.us-east-1.amazonaws.com/templates/inner.json"


def outer(url: str, name: str) -> str:
    nested = resource("AWS::CloudFormation::Stack", TemplateURL=url, Parameters={"Name": name})
    return template({"Inner": nested}, Outputs={"Arn": {"Value": {"Fn::GetAtt": ["Inner", "Outputs.Arn"]}}})


def test_a_stack_within_a_stack_is_made_changed_and_removed_with_it(
    emulator: InProcess, stacks: Any, inner: str
) -> None:
    stacks.create_stack(StackName="outer", TemplateBody=outer(inner, "one"))
    assert outputs(emulator, "outer")["Arn"].endswith(":cluster/one")
    nested = physical_ids(emulator, "outer")["Inner"]
    assert stacks.describe_stacks(StackName=nested)["Stacks"][0]["ParentId"].split("/")[1] == "outer"
    stacks.update_stack(StackName="outer", TemplateBody=outer(inner, "two"))
    assert outputs(emulator, "outer")["Arn"].endswith(":cluster/two")
    stacks.delete_stack(StackName="outer")
    assert status(emulator, nested) == "DELETE_COMPLETE"
    assert emulator.ecs.list_clusters()["clusterArns"] == []


def test_a_stack_fails_with_the_one_within(emulator: InProcess, stacks: Any, inner: str) -> None:
    emulator.ecs.create_cluster(clusterName="mine")
    stacks.create_stack(StackName="outer", TemplateBody=outer(inner, "mine"))
    assert status(emulator, "outer") == "ROLLBACK_COMPLETE"
    (reason,) = reasons(emulator, "outer", "Inner CREATE_FAILED")
    assert re.fullmatch(
        r"Embedded stack arn:aws:cloudformation:us-east-1:000000000000:stack/outer-Inner-\w+/[0-9a-f-]+ was not "
        r"successfully created: The following resource\(s\) failed to create: \[Cluster\]\. ",
        reason,
    )
    assert [stack["StackName"] for stack in stacks.describe_stacks()["Stacks"]] == ["outer"]


def test_a_stack_that_has_itself_within_it_comes_to_an_end(emulator: InProcess, stacks: Any) -> None:
    url = "https://s3.us-east-1.amazonaws.com/templates/endless.json"
    body = template({"Inner": resource("AWS::CloudFormation::Stack", TemplateURL=url)})
    emulator.client("s3").create_bucket(Bucket="templates")
    emulator.client("s3").put_object(Bucket="templates", Key="endless.json", Body=body)
    stacks.create_stack(StackName="outer", TemplateBody=body)
    assert status(emulator, "outer") == "ROLLBACK_COMPLETE"
    assert [stack["StackName"] for stack in stacks.describe_stacks()["Stacks"]] == ["outer"]


def test_instances_of_stack_sets_are_stacks(emulator: InProcess, stacks: Any) -> None:
    stacks.create_stack_set(StackSetName="set", TemplateBody=template({"Cluster": CLUSTER}))
    where = {"StackSetName": "set", "Accounts": ["000000000000"], "Regions": ["us-east-1"]}
    stacks.create_stack_instances(**where)
    assert len(emulator.ecs.list_clusters()["clusterArns"]) == 1
    stacks.delete_stack_instances(**where, RetainStacks=False)
    assert emulator.ecs.list_clusters()["clusterArns"] == []
