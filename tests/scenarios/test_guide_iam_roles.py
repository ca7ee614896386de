"""The guide's known good configuration of IAM roles for tasks ("Troubleshooting IAM Roles for Tasks"), step by step.

Other than there: an image made here instead of amazonlinux, which has a shell by the name of sh and needs no yum; and
what Fargate asks of every task, since there are no container instances.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import docker
import pytest

from tests.emulators import served
from tests.python_image import import_python

pytestmark = pytest.mark.docker

STEPS = """
aws logs create-log-group --log-group-name ecs-tasks

aws iam create-role --role-name ECS-task-full-access --assume-role-policy-document '{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
  ]
}' > /dev/null
aws iam attach-role-policy --role-name ECS-task-full-access \
  --policy-arn arn:aws:iam::aws:policy/AmazonEC2ContainerServiceFullAccess

aws ecs register-task-definition --cli-input-json "$DEFINITION" > /dev/null
aws ecs create-cluster > /dev/null
subnet=$(aws ec2 describe-subnets --query 'Subnets[0].SubnetId' --output text)
task=$(aws ecs run-task --task-definition iam-role-test --launch-type FARGATE \
  --network-configuration "awsvpcConfiguration={subnets=[$subnet]}" --query 'tasks[0].taskArn' --output text)
aws ecs wait tasks-stopped --tasks "$task"

stream=$(aws logs describe-log-streams --log-group-name ecs-tasks --query 'logStreams[0].logStreamName' --output text)
echo "$task $stream"
aws logs get-log-events --log-group-name ecs-tasks --log-stream-name "$stream" \
  --query 'events[].message' --output json
"""

DEFINITION = {
    "taskRoleArn": "ECS-task-full-access",
    "containerDefinitions": [
        {
            "memory": 128,
            "essential": True,
            "name": "amazonlinux",
            "image": "amazonlinux",
            "entryPoint": ["/bin/sh", "-c"],
            "command": ["aws ecs list-tasks --region us-west-2"],
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {
                    "awslogs-group": "ecs-tasks",
                    "awslogs-region": "us-west-2",
                    "awslogs-stream-prefix": "iam-role-test",
                },
            },
        }
    ],
    "family": "iam-role-test",
    "requiresCompatibilities": ["FARGATE"],
    "volumes": [],
    "placementConstraints": [],
    "networkMode": "awsvpc",
    "executionRoleArn": "ecsTaskExecutionRole",
    "memory": "512",
    "cpu": "256",
}


def test_a_task_lists_itself_with_its_role_and_its_output_is_in_the_log(engine: docker.APIClient) -> None:
    image = import_python(engine, cli=True)
    definition = json.dumps(DEFINITION).replace('"amazonlinux", "entryPoint"', f'"{image}", "entryPoint"')
    with served("--ephemeral", "--runtime", "docker") as emulator:
        done = subprocess.run(
            ["bash", "-e", "-c", STEPS],
            capture_output=True,
            text=True,
            check=False,
            env={
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
                "AWS_ENDPOINT_URL": emulator.url,
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
                "AWS_DEFAULT_REGION": "us-west-2",
                "AWS_PAGER": "",
                "DEFINITION": definition,
            },
        )
    assert done.returncode == 0, done.stderr
    head, _, printed = done.stdout.partition("\n")
    task, stream = head.split()
    assert stream == f"iam-role-test/amazonlinux/{task.rsplit('/', 1)[1]}"
    assert json.loads("".join(json.loads(printed))) == {"taskArns": [task]}
