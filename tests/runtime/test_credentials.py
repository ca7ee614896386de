"""The sessions of tasks' roles: when they are assumed, shown, renewed and ended."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

import api_models as ecs
from emulator.clock import ManualClock
from emulator.errors import ApiError
from emulator.neighbours.ports import (
    Credentials,
    Place,
    Role,
    ServiceAbsentError,
    ServiceRefusedError,
    ServiceUnreachableError,
)
from emulator.planner.containers import task_spec
from emulator.planner.environment import Environment
from emulator.planner.specs import ContainerSpec
from emulator.runtime.steps.credentials import VARIABLE, TaskCredentials
from emulator.runtime.steps.steps import StepFailedError
from emulator.state.sqlite import Database
from emulator.state.store import Store
from emulator.state.tasks import Task
from tests.builders import NOW, TASK_ARN, TASK_ID, definition, definition_record
from tests.builders import task as new_task

SECRET = "0f8fad5b-d9cb-469f-a165-70867728950e"
ROLE = "arn:aws:iam::000000000000:role/app"
HOURS = 3600.0


@dataclass
class Sts:
    """Gives out sessions for six hours, and keeps what it was asked."""

    clock: ManualClock
    before: Callable[[], None] = lambda: None
    """Called while a session is being assumed."""
    refusal: Exception | None = None
    keeps_sessions: bool = False
    assumed: list[tuple[Place, str, str]] = field(default_factory=list)
    revoked: list[tuple[Place, str]] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def role(self, place: Place, name: str) -> Role | None:
        raise AssertionError("nobody asks")

    def assume(self, place: Place, role_arn: str, session: str) -> Credentials:
        self.before()
        if self.refusal is not None:
            raise self.refusal
        self.assumed.append((place, role_arn, session))
        return Credentials(role_arn, f"ASIA{next(self.numbers)}", "secret", "token", self.clock.now() + 6 * HOURS)

    def revoke(self, place: Place, access_key_id: str) -> None:
        if self.keeps_sessions:
            raise ServiceUnreachableError("sts does not answer")
        self.revoked.append((place, access_key_id))


class Bench:
    """A task with a role, and whoever has its credentials."""

    def __init__(self, **members: Any) -> None:
        self.clock = ManualClock(NOW)
        self.sts = Sts(self.clock)
        self.store = Store(Database(None))
        self.definition = definition(**{"task_role_arn": ROLE, **members})
        self.task = self.put(new_task(self.definition))
        with self.store.write() as transaction:
            transaction.task_definitions.put(definition_record(self.definition))
        self.steps = TaskCredentials(self.store, self.sts, self.clock, SECRET)

    def put(self, task: Task) -> Task:
        with self.store.write() as transaction:
            return transaction.tasks.put(task)

    def comes_to(self, status: str) -> None:
        self.task = self.put(replace(self.task, last_status=status))

    def before_start(self) -> None:
        self.steps.before_start(self.task, self.definition)

    def environment(self, **given: str) -> dict[str, str]:
        spec = ContainerSpec(task_spec(self.task), "web", "web", environment=Environment(definition=given))
        return self.steps.at_start(self.task, self.definition, spec).environment.merged()

    def shown(self) -> dict[str, str]:
        return dict(self.steps.shown(TASK_ARN, self.steps.id_of(TASK_ARN)))


@pytest.fixture
def bench() -> Bench:
    return Bench()


def refused(call: Callable[[], object]) -> tuple[str, int]:
    with pytest.raises(ApiError) as caught:
        call()
    return caught.value.code, caught.value.status


def test_the_role_is_assumed_before_the_task_starts_and_shown_from_memory(bench: Bench) -> None:
    bench.before_start()
    bench.before_start()
    assert bench.shown() == bench.shown()
    assert bench.sts.assumed == [(Place("000000000000", "us-east-1"), ROLE, TASK_ID)]


def test_a_session_is_shown_as_sdks_read_it(bench: Bench) -> None:
    assert list(bench.shown().items()) == [
        ("RoleArn", ROLE),
        ("AccessKeyId", "ASIA1"),
        ("SecretAccessKey", "secret"),
        ("Token", "token"),
        ("Expiration", "2023-11-15T04:13:20Z"),
    ]


@pytest.mark.parametrize(
    ("role", "arn", "account"),
    [
        ("app", "arn:aws:iam::000000000000:role/app", "000000000000"),
        ("/path/app", "arn:aws:iam::000000000000:role/path/app", "000000000000"),
        ("arn:aws:iam::123456789012:role/app", "arn:aws:iam::123456789012:role/app", "123456789012"),
    ],
)
def test_a_role_may_be_given_by_its_name_and_is_assumed_in_its_account(role: str, arn: str, account: str) -> None:
    bench = Bench(task_role_arn=role)
    bench.before_start()
    assert bench.sts.assumed == [(Place(account, "us-east-1"), arn, TASK_ID)]


def test_the_role_that_run_task_gives_counts_more() -> None:
    bench = Bench()
    content = bench.task.content.replace(overrides=ecs.TaskOverride(task_role_arn="other"))
    bench.task = bench.put(replace(bench.task, view=content.to_json()))
    bench.before_start()
    assert bench.shown()["RoleArn"] == "arn:aws:iam::000000000000:role/other"


def test_a_task_without_a_role_has_no_credentials() -> None:
    bench = Bench(task_role_arn=None)
    bench.before_start()
    assert bench.environment() == {}
    assert refused(bench.shown) == ("InvalidIdInRequest", 400)
    assert bench.sts.assumed == []


def test_containers_are_told_the_path_whatever_they_were_told_else(bench: Bench) -> None:
    path = f"/v2/credentials/{bench.steps.id_of(TASK_ARN)}"
    assert bench.environment(**{VARIABLE: "/mine", "A": "b"}) == {VARIABLE: path, "A": "b"}


def test_an_id_is_the_same_in_the_next_process_and_anothers_with_another_secret(bench: Bench) -> None:
    id_ = bench.steps.id_of(TASK_ARN)
    assert TaskCredentials(bench.store, bench.sts, bench.clock, SECRET).id_of(TASK_ARN) == id_
    assert bench.steps.id_of(f"{TASK_ARN}0") != id_
    other = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
    assert TaskCredentials(bench.store, bench.sts, bench.clock, other).id_of(TASK_ARN) != id_


def test_the_next_process_assumes_the_role_when_it_is_asked(bench: Bench) -> None:
    bench.before_start()
    bench.steps = TaskCredentials(bench.store, bench.sts, bench.clock, SECRET)
    assert bench.shown()["AccessKeyId"] == "ASIA2"


@pytest.mark.parametrize("id_", ["", "0f8fad5b-d9cb-469f-a165-70867728950e", "\n"])
def test_another_id_is_unknown(bench: Bench, id_: str) -> None:
    bench.before_start()
    assert refused(lambda: bench.steps.shown(TASK_ARN, id_)) == ("InvalidIdInRequest", 400)


def test_another_tasks_id_is_unknown(bench: Bench) -> None:
    arn = TASK_ARN[:-1] + "0"
    bench.put(replace(bench.task, id=arn.rpartition("/")[2], arn=arn))
    assert bench.steps.shown(arn, bench.steps.id_of(arn))
    assert refused(lambda: bench.steps.shown(TASK_ARN, bench.steps.id_of(arn))) == ("InvalidIdInRequest", 400)


def test_a_session_is_renewed_a_quarter_of_an_hour_before_its_end(bench: Bench) -> None:
    bench.before_start()
    bench.clock.set(NOW + 5.75 * HOURS)
    assert bench.shown()["AccessKeyId"] == "ASIA1"
    bench.clock.set(NOW + 5.75 * HOURS + 0.001)
    assert bench.shown()["AccessKeyId"] == "ASIA2"
    assert bench.sts.revoked == []  # it may be in use still


def test_a_session_that_has_ended_is_forgotten_with_the_next_renewal(bench: Bench) -> None:
    bench.before_start()
    bench.clock.set(NOW + 5.9 * HOURS)
    bench.shown()
    bench.clock.set(NOW + 11.8 * HOURS)
    bench.shown()
    assert bench.sts.revoked == [(Place("000000000000", "us-east-1"), "ASIA1")]


def test_all_sessions_end_with_the_task(bench: Bench) -> None:
    bench.before_start()
    bench.clock.set(NOW + 5.9 * HOURS)
    bench.shown()
    bench.comes_to("DEPROVISIONING")
    bench.steps.after_release(bench.task)
    bench.steps.after_release(bench.task)
    assert [key for _, key in bench.sts.revoked] == ["ASIA1", "ASIA2"]
    assert refused(bench.shown) == ("InvalidIdInRequest", 400)


def test_a_task_that_is_stopping_has_its_credentials_still(bench: Bench) -> None:
    bench.before_start()
    bench.comes_to("STOPPING")
    assert bench.shown()["AccessKeyId"] == "ASIA1"


def test_a_session_that_comes_after_the_tasks_end_is_ended(bench: Bench) -> None:
    bench.sts.before = lambda: bench.comes_to("DEPROVISIONING")
    assert refused(bench.shown) == ("InvalidIdInRequest", 400)
    assert [key for _, key in bench.sts.revoked] == ["ASIA1"]


def test_of_two_that_are_had_at_once_one_counts(bench: Bench) -> None:
    def meanwhile() -> None:
        bench.sts.before = lambda: None
        bench.shown()

    bench.sts.before = meanwhile
    assert bench.shown()["AccessKeyId"] == "ASIA1"
    assert [key for _, key in bench.sts.revoked] == ["ASIA2"]


REFUSED = ServiceRefusedError("AssumeRole", "AccessDenied", "no", 403)


@pytest.mark.parametrize("refusal", [REFUSED, ServiceUnreachableError("sts does not answer")])
def test_a_role_that_cannot_be_assumed_keeps_the_task_from_starting(bench: Bench, refusal: Exception) -> None:
    bench.sts.refusal = refusal
    with pytest.raises(StepFailedError) as caught:
        bench.before_start()
    assert str(caught.value) == (
        f"ECS was unable to assume the role '{ROLE}' that was provided for this task. Please verify that the role "
        "being passed has the proper trust relationship and permissions and that your IAM user has permissions to "
        "pass this role."
    )


@pytest.mark.parametrize(
    "role", ["arn:aws:iam::me:role/app", "arn:aws:s3:::bucket", "arn:aws:iam::000000000000:user/a"]
)
def test_what_is_no_role_is_not_asked_for(role: str) -> None:
    bench = Bench(task_role_arn=role)
    with pytest.raises(StepFailedError, match=f"unable to assume the role '{role}'"):
        bench.before_start()
    assert bench.sts.assumed == []


def test_without_other_services_a_task_starts_and_has_no_credentials(bench: Bench) -> None:
    bench.sts.refusal = ServiceAbsentError("no sts is served")
    bench.before_start()
    assert refused(bench.shown) == ("CredentialsUninitialized", 503)


def test_a_role_that_is_gone_is_told_as_not_delivered_and_logged(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.before_start()
    bench.steps = TaskCredentials(bench.store, bench.sts, bench.clock, SECRET)
    bench.sts.refusal = REFUSED
    assert refused(bench.shown) == ("CredentialsUninitialized", 503)
    assert [record.getMessage() for record in caplog.records] == [
        f"{TASK_ARN} cannot have credentials of its role: AssumeRole: AccessDenied: no"
    ]
    bench.sts.refusal = None
    assert bench.shown()["AccessKeyId"] == "ASIA2"


def test_a_session_that_cannot_be_ended_does_not_keep_the_task(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.before_start()
    bench.sts.keeps_sessions = True
    bench.steps.after_release(bench.task)
    assert "a session of its role stays" in caplog.text


def test_nothing_secret_is_printed(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    bench.before_start()
    bench.comes_to("DEPROVISIONING")
    bench.steps.after_release(bench.task)
    told = caplog.text + str([line.text for line in bench.store.story(TASK_ARN)])
    kept = [bench.store._row(record) for table in bench.store.state.all() for record in table]
    assert "secret" not in told + str(kept)
    assert "token" not in told + str(kept)
