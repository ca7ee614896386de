"""What ECS fetches from Secrets Manager, Parameter Store, S3 and ECR, in this process and at an endpoint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from emulator.neighbours.neighbours import Neighbours
from emulator.neighbours.ports import Place, Ports, ServiceRefusedError, ServiceUnreachableError
from tests.emulators import InProcess

HERE = Place("000000000000", "us-east-1")
SERVICES = ("secretsmanager", "ssm", "s3", "ecr")


@pytest.fixture(params=["embedded", "endpoint"])
def ports(request: pytest.FixtureRequest, emulator: InProcess) -> Ports:
    if request.param == "embedded":
        return emulator.app.neighbours.ports
    return Neighbours(embedded=False, endpoints=dict.fromkeys(SERVICES, emulator.url)).ports


def refusal(ask: Callable[[], Any]) -> str:
    with pytest.raises(ServiceRefusedError) as refused:
        ask()
    return refused.value.code


def test_a_secret_is_read_by_name_arn_stage_and_version(emulator: InProcess, ports: Ports) -> None:
    manager = emulator.client("secretsmanager")
    first = manager.create_secret(Name="s", SecretString="one")
    manager.put_secret_value(SecretId="s", SecretString="two")
    assert ports.secrets.secret(HERE, "s") == "two"
    assert ports.secrets.secret(HERE, first["ARN"]) == "two"
    assert ports.secrets.secret(HERE, "s", stage="AWSPREVIOUS") == "one"
    assert ports.secrets.secret(HERE, "s", version=first["VersionId"]) == "one"
    assert refusal(lambda: ports.secrets.secret(HERE, "none")) == "ResourceNotFoundException"


def test_a_secret_that_is_no_text_is_refused(emulator: InProcess, ports: Ports) -> None:
    emulator.client("secretsmanager").create_secret(Name="s", SecretBinary=b"\x00\xff")
    assert refusal(lambda: ports.secrets.secret(HERE, "s")) == "InvalidParameterException"


def test_parameters_are_read_decrypted_and_the_missing_ones_named(emulator: InProcess, ports: Ports) -> None:
    store = emulator.client("ssm")
    store.put_parameter(Name="plain", Value="1", Type="String")
    store.put_parameter(Name="/a/secret", Value="2", Type="SecureString")
    arn = "arn:aws:ssm:us-east-1:000000000000:parameter/plain"
    asked = ["plain", "/a/secret", arn, "none", "/nor/this"]
    assert ports.parameters.parameters(HERE, asked) == (
        {"plain": "1", "/a/secret": "2", arn: "1"},
        ["none", "/nor/this"],
    )


def test_an_object_is_read(emulator: InProcess, ports: Ports) -> None:
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket="bkt")
    s3.put_object(Bucket="bkt", Key="a b/ü.env", Body=b"A=1\n")
    assert ports.objects.read(HERE, "bkt", "a b/ü.env") == b"A=1\n"
    assert refusal(lambda: ports.objects.read(HERE, "bkt", "none")) == "NoSuchKey"
    assert refusal(lambda: ports.objects.read(HERE, "no-bucket", "none")) == "NoSuchBucket"


def test_a_repository_is_there_or_not(emulator: InProcess, ports: Ports) -> None:
    emulator.client("ecr").create_repository(repositoryName="team/app")
    assert ports.registry.has_repository(HERE, "team/app")
    assert not ports.registry.has_repository(HERE, "team/other")
    assert not ports.registry.has_repository(Place("123456789012", "us-east-1"), "team/app")


def test_who_does_not_answer_has_said_nothing() -> None:
    gone = Neighbours(embedded=False, endpoints=dict.fromkeys(SERVICES, "http://127.0.0.1:9")).ports
    for ask in (
        lambda: gone.secrets.secret(HERE, "s"),
        lambda: gone.parameters.parameters(HERE, ["p"]),
        lambda: gone.objects.read(HERE, "bkt", "k"),
        lambda: gone.registry.has_repository(HERE, "repo"),
    ):
        with pytest.raises(ServiceUnreachableError):
            ask()
