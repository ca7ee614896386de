"""The generated types: they are current, and they read and write the wire as the service does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

import api_models as ecs
from api_models.operations import OPERATIONS

ROOT = Path(__file__).parent.parent


def test_the_checked_in_files_are_those_of_the_newest_service_model() -> None:
    script = ROOT / "scripts" / "generate-api-models"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_operation_has_structures_for_its_input_and_output() -> None:
    for operation in OPERATIONS.values():
        assert issubclass(getattr(ecs, operation.input), ecs.Shape)
        assert operation.output is None or issubclass(getattr(ecs, operation.output), ecs.Shape)


def test_a_class_is_not_built_before_it_is_asked_for() -> None:
    ask = (
        "import api_models as ecs, api_models.services as s; ecs.ListClustersRequest;"
        "assert 'Service' not in vars(s); s.Service; assert 'Service' in vars(s)"
    )
    subprocess.run([sys.executable, "-c", ask], check=True, cwd=ROOT)


def test_a_structure_survives_the_wire() -> None:
    body = b'{"taskDefinition":"web:1","count":2,"tags":[{"key":"a","value":"b"}],"enableECSManagedTags":true}'
    request = ecs.RunTaskRequest.parse(body)
    assert request.enable_ecs_managed_tags is True
    assert ecs.RunTaskRequest.parse(request.to_json()) == request


def test_unknown_members_and_python_names_are_ignored() -> None:
    request = ecs.RunTaskRequest.parse(b'{"task_definition":"a","new":{"x":[1]},"taskDefinition":"b"}')
    assert request.to_json() == b'{"taskDefinition":"b"}'


def test_null_is_the_same_as_absent() -> None:
    assert ecs.RunTaskRequest.parse(b'{"count":null}').to_json() == b"{}"


@pytest.mark.parametrize(
    "body",
    [
        b'{"count":"2"}',
        b'{"count":true}',
        b'{"count":1.5}',
        b'{"count":2147483648}',
        b'{"cluster":1}',
        b'{"tags":{}}',
        b'{"tags":[null]}',
        b'{"overrides":[]}',
        b"[]",
        b"{",
        b'{"new":' + b"[" * 100_000,
    ],
)
def test_wrong_types_and_broken_documents_are_refused(body: bytes) -> None:
    with pytest.raises(ValidationError):
        ecs.RunTaskRequest.parse(body)
