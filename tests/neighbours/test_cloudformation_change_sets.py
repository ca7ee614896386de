"""Change sets, and `aws cloudformation deploy`, which is made of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

from tests.emulators import InProcess
from tests.neighbours.stacks import CONSENT, events, fargate, outputs, physical_ids, resource, status, template

NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."
YAML = """
AWSTemplateFormatVersion: 2010-09-09
Parameters:
  Memory: {Type: Number, Default: 512}
Conditions:
  Small: !Equals [!Ref Memory, 512]
Resources:
  Cluster:
    Type: AWS::ECS::Cluster
  Definition:
    Type: AWS::ECS::TaskDefinition
    Properties:
      Family: !Sub "${AWS::StackName}-web"
      RequiresCompatibilities: [FARGATE]
      NetworkMode: awsvpc
      Cpu: 256
      Memory: !Ref Memory
      ContainerDefinitions:
        - Name: web
          Image: local/busybox:1
          Environment:
            - {Name: CLUSTER, Value: !GetAtt Cluster.Arn}
            - !If [Small, !Ref AWS::NoValue, {Name: SIZE, Value: large}]
Outputs:
  Definition:
    Value: !Ref Definition
"""


@pytest.fixture
def stacks(emulator: InProcess) -> Any:
    return emulator.client("cloudformation")


def deploy(emulator: InProcess, file: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Stock `aws cloudformation deploy`."""
    command = ["deploy", "--stack-name", "app", "--template-file", str(file), *options]
    return subprocess.run(
        [Path(sys.executable).parent / "aws", "cloudformation", *command],
        env={
            **os.environ,
            "AWS_ENDPOINT_URL": emulator.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_cli_deploys_deploys_again_and_sees_that_nothing_changed(emulator: InProcess, tmp_path: Path) -> None:
    file = tmp_path / "app.yaml"
    file.write_text(YAML)
    first = deploy(emulator, file)
    assert (first.returncode, "Successfully created/updated stack - app" in first.stdout) == (0, True), first.stderr
    second = deploy(emulator, file, "--parameter-overrides", "Memory=1024")
    assert second.returncode == 0, second.stderr
    arn = outputs(emulator, "app")["Definition"]
    definition = emulator.ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
    assert (definition["family"], definition["revision"], definition["memory"]) == ("app-web", 2, "1024")
    names = [variable["name"] for variable in definition["containerDefinitions"][0]["environment"]]
    assert sorted(names) == ["CLUSTER", "SIZE"]
    third = deploy(emulator, file, "--no-fail-on-empty-changeset")
    assert "No changes to deploy. Stack app is up to date" in third.stdout + third.stderr


def test_the_cli_says_that_a_deployment_failed(emulator: InProcess, tmp_path: Path) -> None:
    file = tmp_path / "app.yaml"
    file.write_text(YAML.replace("Default: 512", "Default: 513"))
    failed = deploy(emulator, file)
    assert failed.returncode != 0
    assert "Failed to create/update the stack" in failed.stderr
    assert status(emulator, "app") == "ROLLBACK_COMPLETE"


def test_a_new_stack_is_in_review_until_its_change_set_is_executed(emulator: InProcess, stacks: Any) -> None:
    made = stacks.create_change_set(
        StackName="app", ChangeSetName="first", ChangeSetType="CREATE", TemplateBody=fargate(), **CONSENT
    )
    assert status(emulator, "app") == "REVIEW_IN_PROGRESS"
    assert emulator.ecs.list_clusters()["clusterArns"] == []
    found = stacks.describe_change_set(ChangeSetName="first", StackName="app")
    assert (found["Status"], found["ExecutionStatus"], found["StackId"]) == (
        "CREATE_COMPLETE",
        "AVAILABLE",
        made["StackId"],
    )
    changes = [change["ResourceChange"] for change in found["Changes"]]
    assert {(change["Action"], change["LogicalResourceId"]) for change in changes} == {
        ("Add", name) for name in ("Cluster", "Providers", "Logs", "ExecutionRole", "Definition")
    }
    stacks.execute_change_set(ChangeSetName="first", StackName="app")
    assert status(emulator, "app") == "CREATE_COMPLETE"
    assert events(emulator, "app")[0] == "app REVIEW_IN_PROGRESS"
    assert stacks.describe_change_set(ChangeSetName=made["Id"])["ExecutionStatus"] == "EXECUTE_COMPLETE"


def test_a_change_set_says_what_is_replaced_and_what_follows(emulator: InProcess, stacks: Any) -> None:
    def body(memory: int) -> str:
        definition = resource(
            "AWS::ECS::TaskDefinition", Memory=memory, ContainerDefinitions=[{"Name": "a", "Image": "i"}]
        )
        parameter = resource("AWS::SSM::Parameter", Type="String", Value={"Ref": "Definition"})
        return template({"Definition": definition, "Parameter": parameter, "Cluster": resource("AWS::ECS::Cluster")})

    stacks.create_stack(StackName="app", TemplateBody=body(512))
    ids = physical_ids(emulator, "app")
    stacks.create_change_set(StackName="app", ChangeSetName="c", ChangeSetType="UPDATE", TemplateBody=body(1024))
    found = stacks.describe_change_set(ChangeSetName="c", StackName="app")["Changes"]
    changes = {change["ResourceChange"]["LogicalResourceId"]: change["ResourceChange"] for change in found}
    assert {name: (change["Action"], change["Replacement"]) for name, change in changes.items()} == {
        "Definition": ("Modify", "True"),
        "Parameter": ("Modify", "False"),
    }
    assert changes["Definition"]["PhysicalResourceId"] == ids["Definition"]
    assert changes["Definition"]["Details"] == [
        {
            "Target": {"Attribute": "Properties", "Name": "Memory", "RequiresRecreation": "Always"},
            "Evaluation": "Static",
            "ChangeSource": "DirectModification",
        }
    ]
    assert changes["Parameter"]["Details"][0]["ChangeSource"] == "ResourceReference"
    assert physical_ids(emulator, "app") == ids


def test_a_change_set_without_changes_fails(emulator: InProcess, stacks: Any) -> None:
    stacks.create_stack(StackName="app", TemplateBody=fargate(), **CONSENT)
    change_set = {"StackName": "app", "ChangeSetName": "none"}
    stacks.create_change_set(**change_set, ChangeSetType="UPDATE", TemplateBody=fargate(), **CONSENT)
    with pytest.raises(WaiterError):
        stacks.get_waiter("change_set_create_complete").wait(**change_set)
    found = stacks.describe_change_set(**change_set)
    assert (found["Status"], found["ExecutionStatus"], found["StatusReason"]) == ("FAILED", "UNAVAILABLE", NO_CHANGES)
    with pytest.raises(ClientError, match=r"cannot be executed in its current status of \[FAILED\]"):
        stacks.execute_change_set(**change_set)


def test_a_name_is_free_again_when_its_change_set_is_done_with(emulator: InProcess, stacks: Any) -> None:
    change_set = {"StackName": "app", "ChangeSetName": "same", **CONSENT}
    first = stacks.create_change_set(**change_set, TemplateBody=fargate())["Id"]
    with pytest.raises(ClientError, match=r"ChangeSet \[same\] already exists"):
        stacks.create_change_set(**change_set, TemplateBody=fargate())
    stacks.execute_change_set(ChangeSetName=first)
    for _ in range(2):  # without changes, so that it fails
        stacks.create_change_set(**change_set, ChangeSetType="UPDATE", TemplateBody=fargate())
    third = stacks.create_change_set(**change_set, ChangeSetType="UPDATE", TemplateBody=fargate(Memory=1024))["Id"]
    assert stacks.describe_change_set(ChangeSetName="same", StackName="app")["ChangeSetId"] == third
    assert stacks.describe_change_set(ChangeSetName=first)["ExecutionStatus"] == "EXECUTE_COMPLETE"


def test_a_failed_change_set_may_leave_the_stack_as_it_is(emulator: InProcess, stacks: Any) -> None:
    change_set = {"StackName": "app", "ChangeSetName": "c"}
    body = fargate(Memory=513)
    stacks.create_change_set(**change_set, ChangeSetType="CREATE", TemplateBody=body, **CONSENT)
    stacks.execute_change_set(**change_set, DisableRollback=True)
    assert status(emulator, "app") == "CREATE_FAILED"
    assert stacks.describe_change_set(**change_set)["ExecutionStatus"] == "EXECUTE_FAILED"
    assert len(emulator.ecs.list_clusters()["clusterArns"]) == 1


def test_change_sets_are_listed_by_stack_and_deleted(stacks: Any) -> None:
    for stack in ("one", "two"):
        stacks.create_change_set(
            StackName=stack, ChangeSetName="c", TemplateBody=template({"Cluster": resource("AWS::ECS::Cluster")})
        )
    assert [each["StackName"] for each in stacks.list_change_sets(StackName="one")["Summaries"]] == ["one"]
    stacks.delete_change_set(ChangeSetName="c", StackName="one")
    with pytest.raises(ClientError, match=r"ChangeSet \[c\] does not exist"):
        stacks.describe_change_set(ChangeSetName="c", StackName="one")
    assert len(stacks.list_change_sets(StackName="two")["Summaries"]) == 1
    stacks.delete_stack(StackName="two")
    assert [stack["StackName"] for stack in stacks.describe_stacks()["Stacks"]] == ["one"]
