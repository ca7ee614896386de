"""Templates, and looking at stacks."""

from __future__ import annotations

import copy
import json
from typing import Any

from tests.emulators import InProcess

ROLE = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}

FARGATE: dict[str, Any] = {
    "Parameters": {"Memory": {"Type": "Number", "Default": 512}},
    "Resources": {
        "Cluster": {
            "Type": "AWS::ECS::Cluster",
            "Properties": {"ClusterSettings": [{"Name": "containerInsights", "Value": "enabled"}]},
        },
        "Providers": {
            "Type": "AWS::ECS::ClusterCapacityProviderAssociations",
            "Properties": {
                "Cluster": {"Ref": "Cluster"},
                "CapacityProviders": ["FARGATE", "FARGATE_SPOT"],
                "DefaultCapacityProviderStrategy": [{"CapacityProvider": "FARGATE", "Weight": "1"}],
            },
        },
        "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 7}},
        "ExecutionRole": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": ROLE,
                "ManagedPolicyArns": ["arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"],
            },
        },
        "Definition": {
            "Type": "AWS::ECS::TaskDefinition",
            "Properties": {
                "Family": "web",
                "RequiresCompatibilities": ["FARGATE"],
                "NetworkMode": "awsvpc",
                "Cpu": 256,
                "Memory": {"Ref": "Memory"},
                "ExecutionRoleArn": {"Fn::GetAtt": ["ExecutionRole", "Arn"]},
                "ContainerDefinitions": [
                    {
                        "Name": "web",
                        "Image": "local/busybox:1",
                        "Essential": "true",
                        "PortMappings": [{"ContainerPort": "80"}],
                        "Environment": [{"Name": "CLUSTER", "Value": {"Fn::Sub": "${AWS::Region}/${Cluster}"}}],
                        "DockerLabels": {"Some.Label": "Kept"},
                        "LogConfiguration": {
                            "LogDriver": "awslogs",
                            "Options": {
                                "awslogs-group": {"Ref": "Logs"},
                                "awslogs-region": {"Ref": "AWS::Region"},
                                "awslogs-stream-prefix": "web",
                            },
                        },
                    }
                ],
                "Volumes": [
                    {
                        "Name": "data",
                        "EFSVolumeConfiguration": {"FilesystemId": "fs-12345678", "TransitEncryption": "ENABLED"},
                    }
                ],
            },
        },
    },
    "Outputs": {
        "Definition": {"Value": {"Ref": "Definition"}, "Export": {"Name": {"Fn::Sub": "${AWS::StackName}-task"}}},
        "Cluster": {"Value": {"Fn::GetAtt": ["Cluster", "Arn"]}, "Description": "Where it runs"},
        "Network": {"Value": {"Ref": "Providers"}},
    },
}
"""A Fargate task and all that it needs."""

CONSENT = {"Capabilities": ["CAPABILITY_IAM"]}


def fargate(**properties: Any) -> str:
    """The template, whose task definition has other properties; None takes one away."""
    template = copy.deepcopy(FARGATE)
    of_definition = template["Resources"]["Definition"]["Properties"]
    of_definition.update(properties)
    for name in [name for name, value in of_definition.items() if value is None]:
        del of_definition[name]
    return json.dumps(template)


def template(resources: dict[str, Any], **sections: Any) -> str:
    return json.dumps({"Resources": resources, **sections})


def resource(type_: str, **properties: Any) -> dict[str, Any]:
    return {"Type": type_, "Properties": properties}


def status(emulator: InProcess, name: str) -> str:
    found: str = emulator.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
    return found


def events(emulator: InProcess, name: str) -> list[str]:
    """What happened to a stack, oldest first: `Cluster CREATE_COMPLETE`."""
    found = emulator.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
    return [f"{event['LogicalResourceId']} {event['ResourceStatus']}" for event in reversed(found)]


def reasons(emulator: InProcess, name: str, what: str) -> list[str]:
    """Why: the reasons of the events `Cluster CREATE_FAILED`."""
    found = emulator.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
    return [
        event.get("ResourceStatusReason", "")
        for event in reversed(found)
        if f"{event['LogicalResourceId']} {event['ResourceStatus']}" == what
    ]


def outputs(emulator: InProcess, name: str) -> dict[str, str]:
    stack = emulator.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def physical_ids(emulator: InProcess, name: str) -> dict[str, str]:
    found = emulator.client("cloudformation").describe_stack_resources(StackName=name)["StackResources"]
    return {each["LogicalResourceId"]: each.get("PhysicalResourceId", "") for each in found}
