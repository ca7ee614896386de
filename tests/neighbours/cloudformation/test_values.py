"""What functions come to, and how properties become members of API calls."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.session import Session

from emulator.neighbours.embedded.cloudformation.dynamic import filled
from emulator.neighbours.embedded.cloudformation.intrinsics import Scope, resolve
from emulator.neighbours.embedded.cloudformation.members import PropertyError, fitted
from emulator.neighbours.embedded.cloudformation.names import name_for
from emulator.neighbours.ports import ServiceRefusedError

SCOPE = Scope(
    values={"AWS::Region": "eu-west-1", "Zones": ["a", "b"], "Size": "2"},
    mappings={"Sizes": {"eu-west-1": {"2": "large"}}},
    reference=lambda name: f"id-of-{name}",
    attribute=lambda name, attribute: f"{attribute}-of-{name}",
    imported=lambda name: f"imported-{name}",
    zones=lambda region: [f"{region}a", f"{region}b"],
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "Size"}, "2"),
        ({"Ref": "Cluster"}, "id-of-Cluster"),
        ({"Fn::GetAtt": ["Inner", "Outputs.Arn"]}, "Outputs.Arn-of-Inner"),
        ({"Fn::Sub": "${AWS::Region}/${Cluster}/${Cluster.Arn}/${!Kept}"},
         "eu-west-1/id-of-Cluster/Arn-of-Cluster/${Kept}"),
        ({"Fn::Sub": ["${A}-${Size}", {"A": {"Ref": "B"}}]}, "id-of-B-2"),
        ({"Fn::Join": ["-", ["a", 1, True, {"Ref": "Size"}]]}, "a-1-true-2"),
        ({"Fn::Join": [",", {"Ref": "Zones"}]}, "a,b"),
        ({"Fn::Split": ["/", "a/b"]}, ["a", "b"]),
        ({"Fn::Select": ["1", {"Fn::Split": ["/", "a/b"]}]}, "b"),
        ({"Fn::FindInMap": ["Sizes", {"Ref": "AWS::Region"}, {"Ref": "Size"}]}, "large"),
        ({"Fn::ImportValue": {"Fn::Sub": "x-${Size}"}}, "imported-x-2"),
        ({"Fn::GetAZs": ""}, ["eu-west-1a", "eu-west-1b"]),
        ({"Fn::Base64": "hello"}, "aGVsbG8="),
        ({"Fn::Cidr": ["10.0.0.0/16", 2, 8]}, ["10.0.0.0/24", "10.0.1.0/24"]),
        ({"A": {"Ref": "AWS::NoValue"}, "B": [1, {"Ref": "AWS::NoValue"}]}, {"B": [1]}),
        ({"Ref": "x", "Other": 1}, {"Ref": "x", "Other": 1}),
    ],
)  # fmt: skip
def test_what_functions_come_to(value: Any, expected: Any) -> None:
    assert resolve(value, SCOPE) == expected


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({"Fn::Select": [5, ["a"]]}, "Fn::Select cannot select nonexistent value at index 5"),
        ({"Fn::Join": ["-", "a"]}, "every Fn::Join object requires two parameters"),
        ({"Fn::FindInMap": ["Sizes", "none", "2"]}, "Unable to get mapping for Sizes::none::2"),
        ({"Fn::Sub": "${Zones}"}, "variable Zones in Fn::Sub expression does not resolve to a string"),
        ({"Fn::Cidr": ["10.0.0.0/24", 3, 8]}, "Fn::Cidr cannot cut 3 ranges"),
        ({"Fn::Cidr": ["nowhere", 3, 8]}, "Fn::Cidr requires an IP block"),
        ({"Fn::Transform": {}}, "the function Fn::Transform is not implemented"),
        ({"Ref": ["a"]}, "every Ref object must have a single String value"),
    ],
)
def test_functions_that_are_used_wrongly_are_refused(value: Any, sentence: str) -> None:
    with pytest.raises(ServiceRefusedError) as refused:
        resolve(value, SCOPE)
    assert sentence in refused.value.message


def shape(operation: str, service: str = "ecs") -> Any:
    return Session().get_service_model(service).operation_model(operation).input_shape


def test_properties_of_a_definition_are_members_of_its_registration() -> None:
    properties = {
        "Family": "web",
        "Cpu": 256,
        "EnableFaultInjection": "true",
        "ProxyConfiguration": {
            "ContainerName": "envoy",
            "ProxyConfigurationProperties": [{"Name": "AppPorts", "Value": "80"}],
        },
        "ContainerDefinitions": [
            {
                "Name": "web",
                "StopTimeout": "30",
                "EnvironmentFiles": [{"Type": "s3", "Value": "arn"}],
                "DockerLabels": {"Keep.Me": "As-Is"},
                "Ulimits": [{"Name": "nofile", "HardLimit": 10, "SoftLimit": "5"}],
                "LogConfiguration": {"LogDriver": "awslogs", "Options": {"awslogs-Group": "g"}},
            }
        ],
        "Volumes": [
            {"EFSVolumeConfiguration": {"FilesystemId": "fs-1", "AuthorizationConfig": {"IAM": "ENABLED"}}},
            {"FSxWindowsFileServerVolumeConfiguration": {"FileSystemId": "fs-2"}},
            {"DockerVolumeConfiguration": {"Autoprovision": True, "DriverOpts": {"O": "addr"}, "Labels": {"L": "1"}}},
        ],
        "Tags": [{"Key": "k", "Value": 1}],
    }
    assert fitted(properties, shape("RegisterTaskDefinition"), {"ProxyConfigurationProperties": "properties"}) == {
        "family": "web",
        "cpu": "256",
        "enableFaultInjection": True,
        "proxyConfiguration": {"containerName": "envoy", "properties": [{"name": "AppPorts", "value": "80"}]},
        "containerDefinitions": [
            {
                "name": "web",
                "stopTimeout": 30,
                "environmentFiles": [{"type": "s3", "value": "arn"}],
                "dockerLabels": {"Keep.Me": "As-Is"},
                "ulimits": [{"name": "nofile", "hardLimit": 10, "softLimit": 5}],
                "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-Group": "g"}},
            }
        ],
        "volumes": [
            {"efsVolumeConfiguration": {"fileSystemId": "fs-1", "authorizationConfig": {"iam": "ENABLED"}}},
            {"fsxWindowsFileServerVolumeConfiguration": {"fileSystemId": "fs-2"}},
            {"dockerVolumeConfiguration": {"autoprovision": True, "driverOpts": {"O": "addr"}, "labels": {"L": "1"}}},
        ],
        "tags": [{"key": "k", "value": "1"}],
    }


def test_properties_of_a_service_are_members_of_its_creation() -> None:
    properties = {
        "EnableECSManagedTags": "true",
        "PlacementStrategies": [{"Type": "spread", "Field": "host"}],
        "NetworkConfiguration": {"AwsvpcConfiguration": {"Subnets": ["s"], "AssignPublicIp": "ENABLED"}},
        "VolumeConfigurations": [{"Name": "v", "ManagedEBSVolume": {"RoleArn": "r", "SizeInGiB": "10"}}],
        "DeploymentConfiguration": {"DeploymentCircuitBreaker": {"Enable": True, "Rollback": "false"}},
        "LoadBalancers": [{"ContainerName": "web", "ContainerPort": "80", "TargetGroupArn": "t"}],
    }
    assert fitted(properties, shape("CreateService"), {"PlacementStrategies": "placementStrategy"}) == {
        "enableECSManagedTags": True,
        "placementStrategy": [{"type": "spread", "field": "host"}],
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["s"], "assignPublicIp": "ENABLED"}},
        "volumeConfigurations": [{"name": "v", "managedEBSVolume": {"roleArn": "r", "sizeInGiB": 10}}],
        "deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": True, "rollback": False}},
        "loadBalancers": [{"containerName": "web", "containerPort": 80, "targetGroupArn": "t"}],
    }


def test_a_list_of_tags_is_a_map_where_the_service_has_one() -> None:
    tags = [{"Key": "a", "Value": "1"}]
    assert fitted({"Tags": tags}, shape("CreateLogGroup", "logs")) == {"tags": {"a": "1"}}


@pytest.mark.parametrize(
    ("properties", "complaint"),
    [
        ({"Colour": 1}, "#: extraneous key [Colour] is not permitted"),
        ({"DesiredCount": "many"}, "#/DesiredCount: expected type: Number, found: String"),
        ({"EnableExecuteCommand": 3}, "#/EnableExecuteCommand: expected type: Boolean, found: Integer"),
        ({"ServiceName": {}}, "#/ServiceName: expected type: String, found: JSONObject"),
        ({"LoadBalancers": {}}, "#/LoadBalancers: expected type: JSONArray, found: JSONObject"),
        ({"LoadBalancers": [{"X": 1}]}, "#/LoadBalancers/0: extraneous key [X] is not permitted"),
    ],
)
def test_properties_that_do_not_fit_are_named(properties: Any, complaint: str) -> None:
    with pytest.raises(PropertyError) as refused:
        fitted(properties, shape("CreateService"))
    assert str(refused.value) == complaint


@pytest.mark.parametrize(
    ("type_", "stack", "logical", "name"),
    [
        ("AWS::ECS::Cluster", "app", "Cluster", "app-Cluster-ABCDEFGHIJKL"),
        ("AWS::S3::Bucket", "App", "Files", "app-files-abcdefghijkl"),
        ("AWS::ElasticLoadBalancingV2::TargetGroup", "application", "Targets", "application-Targets-ABCDEFGHIJKL"),
        ("AWS::ElasticLoadBalancingV2::TargetGroup", "a" * 40, "Targets", "a" * 11 + "-Targets-ABCDEFGHIJKL"),
        ("AWS::IAM::Role", "s" * 128, "R" * 60, "s" * 25 + "-" + "R" * 25 + "-ABCDEFGHIJKL"),
    ],
)
def test_names_are_made_of_the_stack_s_and_the_resource_s(type_: str, stack: str, logical: str, name: str) -> None:
    assert name_for(type_, stack, logical, "ABCDEFGHIJKL") == name


def test_dynamic_references_name_a_key_a_stage_and_a_version() -> None:
    asked: list[Any] = []

    def call(service: str, operation: str, members: dict[str, Any]) -> dict[str, Any]:
        asked.append(members)
        return {"SecretString": '{"user": "me"}', "Parameters": [{"Value": "7"}]}

    arn = "arn:aws:secretsmanager:us-east-1:1:secret:db-x"
    value = {"A": [f"<{{{{resolve:secretsmanager:{arn}:SecretString:user:AWSPREVIOUS:v1}}}}>"],
             "B": "{{resolve:ssm:/size:3}}"}  # fmt: skip
    assert filled(value, call) == {"A": ["<me>"], "B": "7"}
    assert asked == [
        {"SecretId": arn, "VersionStage": "AWSPREVIOUS", "VersionId": "v1"},
        {"Names": ["/size:3"], "WithDecryption": True},
    ]
