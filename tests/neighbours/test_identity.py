"""What ECS asks of IAM and STS, in this process and at an endpoint."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from emulator.neighbours.neighbours import Neighbours
from emulator.neighbours.ports import Identity, Place, ServiceAbsentError, ServiceUnreachableError
from tests.emulators import InProcess
from tests.neighbours.test_front import ROLE

HERE = Place("000000000000", "us-east-1")


@pytest.fixture(params=["embedded", "endpoint"])
def identity(request: pytest.FixtureRequest, emulator: InProcess) -> Iterator[Identity]:
    if request.param == "embedded":
        yield emulator.app.neighbours.ports.identity
    else:
        url = emulator.url
        yield Neighbours(embedded=False, endpoints={"iam": url, "sts": url}).ports.identity


@pytest.mark.parametrize("name", ["r", "a/path/r"])
def test_a_role_is_found_by_its_name(emulator: InProcess, identity: Identity, name: str) -> None:
    path, _, _ = name.rpartition("r")
    emulator.client("iam").create_role(RoleName="r", Path=f"/{path}", AssumeRolePolicyDocument=ROLE)
    role = identity.role(HERE, name)
    assert role is not None
    assert (role.arn, role.name) == (f"arn:aws:iam::000000000000:role/{name}", "r")
    assert "ecs-tasks.amazonaws.com" in role.trust


def test_there_is_no_role_that_nobody_made(identity: Identity) -> None:
    assert identity.role(HERE, "nobody") is None
    assert identity.role(Place("123456789012", "eu-west-1"), "r") is None


def test_a_session_acts_as_its_role_for_six_hours(emulator: InProcess, identity: Identity) -> None:
    arn = emulator.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=ROLE)["Role"]["Arn"]
    session = identity.assume(HERE, arn, "a-task")
    who = emulator.client("sts", account=session.access_key_id).get_caller_identity()
    assert who["Arn"] == "arn:aws:sts::000000000000:assumed-role/r/a-task"
    again = identity.assume(HERE, arn, "a-task")
    assert again.access_key_id != session.access_key_id
    assert 0 <= again.expires_at - session.expires_at < 60


def test_a_session_that_was_ended_is_nobody(emulator: InProcess) -> None:
    identity = emulator.app.neighbours.ports.identity
    session = identity.assume(HERE, "arn:aws:iam::000000000000:role/ecsTaskExecutionRole", "a-task")
    identity.revoke(HERE, session.access_key_id)
    identity.revoke(HERE, session.access_key_id)
    who = emulator.client("sts", account=session.access_key_id).get_caller_identity()
    assert "assumed-role" not in who["Arn"]


def test_nothing_prints_credentials(identity: Identity) -> None:
    session = identity.assume(HERE, "arn:aws:iam::000000000000:role/r", "a-task")
    assert session.secret_access_key not in repr(session)


def test_nobody_answering_differs_from_nobody_wanted() -> None:
    with pytest.raises(ServiceAbsentError):
        Neighbours(embedded=False, endpoints={}).ports.identity.role(HERE, "r")
    gone = Neighbours(embedded=False, endpoints={"iam": "http://127.0.0.1:9"}).ports.identity
    with pytest.raises(ServiceUnreachableError) as unreachable:
        gone.role(HERE, "r")
    assert not isinstance(unreachable.value, ServiceAbsentError)
