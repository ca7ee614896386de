"""What tests share about tasks that take something from other services."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.planner.specs import ContainerSpec
from emulator.runtime.simulated import SimulatedDriver
from tests.emulators import InProcess, client
from tests.operations.helpers import WEB, describe, run

ROLE = "arn:aws:iam::000000000000:role/ecsTaskExecutionRole"
"""The execution role that every account has."""
RETRIEVAL = (
    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
)
FROM_ASM = f"{RETRIEVAL}unable to retrieve secret from asm: service call has been retried 1 time(s): "
FROM_SSM = f"{RETRIEVAL}unable to retrieve secrets from ssm: service call has been retried 1 time(s): "
FOR_REGISTRY = f"{RETRIEVAL}unable to get registry auth from asm: service call has been retried 1 time(s): "


class Account:
    """An emulator whose other services hold nothing yet."""

    def __init__(self, emulator: InProcess) -> None:
        self.emulator = emulator
        self.ecs = emulator.ecs
        # Other emulators of this process may have left something; an emulator that nobody asked yet forgets nothing.
        self.client("sts").get_caller_identity()
        emulator.app.reset()
        self.ecs.create_cluster()

    def client(self, service: str, **given: str) -> Any:
        return client(self.emulator.url, service=service, **given)

    def secret(self, name: str, text: str, **given: str) -> str:
        """Make a secret and return its ARN."""
        return str(self.client("secretsmanager", **given).create_secret(Name=name, SecretString=text)["ARN"])

    def parameter(self, name: str, value: str, **given: str) -> None:
        self.client("ssm", **given).put_parameter(Name=name, Value=value, Type="SecureString")

    def file(self, key: str, content: str | bytes) -> str:
        """Put an object into a bucket and return its ARN."""
        s3 = self.client("s3")
        s3.create_bucket(Bucket="files")
        s3.put_object(Bucket="files", Key=key, Body=content)
        return f"arn:aws:s3:::files/{key}"

    def define(self, *containers: dict[str, Any], **members: Any) -> None:
        """Register `web` with these containers; each has a name and an image unless it says otherwise."""
        given = [{"name": "web", "image": "web:1", **container} for container in containers]
        definition = {**WEB, "executionRoleArn": ROLE, "containerDefinitions": given, **members}
        self.ecs.register_task_definition(**{name: value for name, value in definition.items() if value is not None})

    def run(self, **request: Any) -> dict[str, Any]:
        """Run `web` and return the task once nothing more happens by itself."""
        task = run(self.ecs, **request)
        self.emulator.advance()
        return describe(self.ecs, task)

    def reason(self, *containers: dict[str, Any], **members: Any) -> str:
        """Why a task with these containers did not start."""
        self.define(*containers, **members)
        task = self.run()
        assert (task["lastStatus"], task["stopCode"]) == ("STOPPED", "TaskFailedToStart")
        return str(task["stoppedReason"])

    def variables(self, *containers: dict[str, Any], **request: Any) -> Mapping[str, str]:
        """The variables that the container `web` of a task with these containers has, beside those that all have."""
        self.define(*containers)
        found = self.spec(self.run(**request)).environment.merged()
        everybodys = ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV")
        return {name: value for name, value in found.items() if name not in everybodys}

    def spec(self, task: dict[str, Any], container: str = "web") -> ContainerSpec:
        """What the driver was asked to run."""
        assert task["lastStatus"] == "RUNNING", task.get("stoppedReason")
        driver = self.emulator.app.driver
        assert isinstance(driver, SimulatedDriver)
        return driver._tasks[task["taskArn"]].containers[container].spec


def secrets(**value_from: str) -> dict[str, Any]:
    """A container's secrets by the names of variables."""
    return {"secrets": [{"name": name, "valueFrom": value} for name, value in value_from.items()]}


def files(*arns: str) -> dict[str, Any]:
    """A container's environment files."""
    return {"environmentFiles": [{"type": "s3", "value": arn} for arn in arns]}
