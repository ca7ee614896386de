"""Amounts, sizes, the order of answers, and worked examples."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import api_models as ecs
from emulator.errors import ApiError
from emulator.rules.fargate import SIZES, WINDOWS_SIZES, fargate_accepts, size_exists
from emulator.rules.registration import cpu_units, memory_mebibytes
from emulator.rules.task_definitions import refusal_of, refuse_registration, registration
from tests.rules.tables import changed, definition_of

BASE: dict[str, Any] = {
    "family": "f",
    "networkMode": "awsvpc",
    "requiresCompatibilities": ["FARGATE"],
    "cpu": "256",
    "memory": "512",
    "containerDefinitions": [{"name": "web", "image": "nginx"}],
}


def answer(document: dict[str, Any]) -> ApiError | None:
    body = json.dumps(document).encode()
    return refusal_of(registration(ecs.RegisterTaskDefinitionRequest.parse(body), len(body)))


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("256", 256),
        ("1 vCPU", 1024),
        ("1vcpu", 1024),
        (".5 vCPU", 512),
        ("0.25 VCPU", 256),
        ("2 vcpus", 2048),
        ("16 vCPU", 16384),
        *(
            (text, None)
            for text in ("", "0", "-1", "1.5", "1.0", "0.3 vCPU", "vCPU", "1 GB", "one", "1e3", "٢٥٦", None)
        ),
        ("9" * 5000, None),
    ],
)
def test_cpu_is_read(text: str | None, units: int | None) -> None:
    assert cpu_units(text) == units


@pytest.mark.parametrize(
    ("text", "mebibytes"),
    [
        ("512", 512),
        ("1GB", 1024),
        ("0.5 GB", 512),
        ("2 gb", 2048),
        ("512 MiB", 512),
        ("1 GiB", 1024),
        *((text, None) for text in ("", "0", "0 GB", "-1", "1.5", "0.0001 GB", "1 vCPU", "GB", None)),
    ],
)
def test_memory_is_read(text: str | None, mebibytes: int | None) -> None:
    assert memory_mebibytes(text) == mebibytes


@given(st.text())
def test_no_text_is_too_odd_to_be_read(text: str) -> None:
    for found in (cpu_units(text), memory_mebibytes(text)):
        assert found is None or found > 0


def test_fargate_sells_77_sizes() -> None:
    pairs = [(cpu, memory) for cpu, memories in SIZES.items() for memory in memories]
    assert len(pairs) == len(set(pairs)) == 77
    for cpu, memory in pairs:
        assert answer(changed(BASE, {"cpu": str(cpu), "memory": str(memory)})) is None


def test_fargate_sells_nothing_between_them() -> None:
    memories = {memory for row in SIZES.values() for memory in row}
    neighbours = {memory + step for memory in memories for step in (-1024, -512, -1, 0, 1, 512, 1024)}
    for cpu in {cpu + step for cpu in SIZES for step in (-1, 0, 1)}:
        for memory in (memory for memory in neighbours if memory > 0 and memory not in SIZES.get(cpu, ())):
            found = answer(changed(BASE, {"cpu": str(cpu), "memory": str(memory)}))
            assert found is not None
            assert found.message.startswith(f"No Fargate configuration exists for given values: {cpu} CPU, {memory} ")


def test_windows_has_three_rows() -> None:
    assert set(WINDOWS_SIZES) == {1024, 2048, 4096}
    assert size_exists(1024, 2048, windows=True)
    assert not size_exists(512, 2048, windows=True)


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({}, None),
        ({"cpu": "0.25 vCPU", "memory": "0.5 GB"}, None),
        ({"memory": "4096"}, "No Fargate configuration exists for given values: 256 CPU, 4096 memory. See "),
        ({"cpu": "1024", "memory": "2560"}, "No Fargate configuration exists for given values"),
        ({"cpu": "8192", "memory": "20480"}, None),
        ({"cpu": "16384", "memory": "32768"}, None),
        ({"cpu": None}, "Fargate requires that 'cpu'"),
        ({"networkMode": "bridge"}, "Fargate only supports network mode 'awsvpc'"),
        ({"container.portMappings": [{"containerPort": 80, "hostPort": 8080}]}, "the host ports and container ports"),
        ({"container.essential": False}, "doesn't have any essential container"),
        ({"container.cpu": 300}, "The sum of all container 'cpu' values"),
        ({"container.memory": 600}, "is greater than for the task"),
        ({"container.linuxParameters": {"devices": [{"hostPath": "/dev/x"}]}}, "do not support devices"),
        ({"container.linuxParameters": {"capabilities": {"add": ["NET_ADMIN"]}}}, "NET_ADMIN is not allowed"),
        ({"container.healthCheck": {"command": ["CMD", "a"], "interval": 301}}, "must be less than or equal to"),
        ({"ephemeralStorage": {"sizeInGiB": 20}}, "at least 21"),
        ({"container.logConfiguration": {"logDriver": "json-file"}}, "not a valid log driver"),
        ({"tags": [{"key": "a", "value": "b"}, {"key": "c", "value": "d"}]}, None),
    ],
)
def test_worked_examples(change: dict[str, Any], refused: str | None) -> None:
    found = answer(changed(BASE, change))
    if refused is None:
        assert found is None
    else:
        assert found is not None
        assert found.code == "ClientException"
        assert refused in found.message


def test_the_first_mistake_answers() -> None:
    both_missing = changed(BASE, {"cpu": None, "memory": None, "container.memory": 128})
    assert "'cpu'" in str(answer(both_missing))
    without_memory = changed(BASE, {"cpu": None, "memory": None})
    assert "At least one of 'memory' or 'memoryReservation'" in str(answer(without_memory))
    assert "Family" in str(answer({}))


def test_what_is_refused_is_raised() -> None:
    with pytest.raises(ApiError, match="Family can not be blank"):
        refuse_registration(registration(ecs.RegisterTaskDefinitionRequest(), 2))
    refuse_registration(registration(ecs.RegisterTaskDefinitionRequest.parse(json.dumps(BASE).encode()), 200))


def test_fargate_accepts_what_did_not_ask_for_it() -> None:
    body = json.dumps(changed(BASE, {"requiresCompatibilities": None})).encode()
    assert fargate_accepts(registration(ecs.RegisterTaskDefinitionRequest.parse(body), len(body)))


def test_the_base_is_answered_with_what_goes_without_saying() -> None:
    found = definition_of(changed(BASE, {"cpu": "0.25 vCPU", "memory": "0.5 GB", "tags": [{"key": "a", "value": "b"}]}))
    assert json.loads(found.to_json()) == {
        "taskDefinitionArn": "arn:aws:ecs:r:1:task-definition/f:1",
        "family": "f",
        "revision": 1,
        "status": "ACTIVE",
        "registeredAt": 0.0,
        "registeredBy": "root",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "compatibilities": ["EC2", "FARGATE", "MANAGED_INSTANCES"],
        "cpu": "256",
        "memory": "512",
        "volumes": [],
        "placementConstraints": [],
        "requiresAttributes": [
            {"name": "com.amazonaws.ecs.capability.docker-remote-api.1.18"},
            {"name": "ecs.capability.task-eni"},
        ],
        "containerDefinitions": [
            {
                "name": "web",
                "image": "nginx",
                "cpu": 0,
                "essential": True,
                "portMappings": [],
                "environment": [],
                "mountPoints": [],
                "volumesFrom": [],
                "systemControls": [],
            }
        ],
    }


@pytest.mark.parametrize(
    ("mode", "given", "answered"),
    [
        ("awsvpc", {"containerPort": 80}, {"containerPort": 80, "hostPort": 80, "protocol": "tcp"}),
        ("host", {"containerPort": 80, "hostPort": 0}, {"containerPort": 80, "hostPort": 80, "protocol": "tcp"}),
        (None, {"containerPort": 53, "protocol": "udp"}, {"containerPort": 53, "hostPort": 0, "protocol": "udp"}),
        ("bridge", {"containerPort": 80, "hostPort": 8080}, {"containerPort": 80, "hostPort": 8080, "protocol": "tcp"}),
        ("awsvpc", {"containerPortRange": "80-90"}, {"containerPortRange": "80-90", "protocol": "tcp"}),
    ],
)
def test_port_mappings_are_filled_in(mode: str | None, given: dict[str, Any], answered: dict[str, Any]) -> None:
    found = definition_of(changed(BASE, {"networkMode": mode, "container.portMappings": [given]}))
    [container] = found.container_definitions or ()
    [mapping] = container.port_mappings or ()
    assert json.loads(mapping.to_json()) == answered


def test_health_checks_are_filled_in() -> None:
    found = definition_of(changed(BASE, {"container.healthCheck": {"command": ["CMD", "a"], "retries": 1}}))
    [container] = found.container_definitions or ()
    assert container.health_check == ecs.HealthCheck(command=("CMD", "a"), interval=30, timeout=5, retries=1)


@pytest.mark.parametrize(
    ("mode", "cpu", "asked", "compatible"),
    [
        (None, "256", None, ("EXTERNAL", "EC2")),
        ("host", "256", None, ("EXTERNAL", "EC2", "MANAGED_INSTANCES")),
        ("awsvpc", "300", ["EC2"], ("EC2", "MANAGED_INSTANCES")),
        ("awsvpc", "256", None, ("EC2", "FARGATE", "MANAGED_INSTANCES")),
    ],
)
def test_compatibilities_are_computed(
    mode: str | None, cpu: str, asked: list[str] | None, compatible: tuple[str, ...]
) -> None:
    found = definition_of(changed(BASE, {"networkMode": mode, "cpu": cpu, "requiresCompatibilities": asked}))
    assert found.compatibilities == compatible
    assert found.requires_compatibilities == (tuple(asked) if asked else None)
    assert found.network_mode == mode


def test_attributes_follow_from_features() -> None:
    found = definition_of(
        changed(
            BASE,
            {
                "executionRoleArn": "role",
                "taskRoleArn": "role",
                "container.image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/web",
                "container.logConfiguration": {"logDriver": "awslogs"},
                "container.secrets": [{"name": "A", "valueFrom": "arn:aws:secretsmanager:r:1:secret:a"}],
                "volumes": [{"name": "a", "efsVolumeConfiguration": {"fileSystemId": "fs-01234567"}}],
            },
        )
    )
    assert {attribute.name for attribute in found.requires_attributes or ()} == {
        "com.amazonaws.ecs.capability.logging-driver.awslogs",
        "ecs.capability.execution-role-awslogs",
        "com.amazonaws.ecs.capability.docker-remote-api.1.19",
        "com.amazonaws.ecs.capability.ecr-auth",
        "ecs.capability.execution-role-ecr-pull",
        "ecs.capability.secrets.asm.environment-variables",
        "com.amazonaws.ecs.capability.task-iam-role",
        "com.amazonaws.ecs.capability.docker-remote-api.1.17",
        "com.amazonaws.ecs.capability.docker-remote-api.1.18",
        "ecs.capability.task-eni",
        "ecs.capability.efs",
    }
