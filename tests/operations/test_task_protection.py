"""Protection of tasks, by boto3. No service runs tasks here yet, so their records are put into the store."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from emulator.state.tasks import Task, asked_to_stop
from tests.builders import NOW
from tests.emulators import InProcess
from tests.operations.helpers import WEB, refused, run

UNKNOWN = "0123456789abcdef0123456789abcdef"


class Tasks:
    """Running tasks of the cluster `demo`, and their protection."""

    def __init__(self, emulator: InProcess) -> None:
        self.emulator = emulator
        self.ecs = emulator.ecs

    def standalone(self) -> str:
        arn: str = run(self.ecs, cluster="demo")["taskArn"]
        self.emulator.advance()
        return arn

    def of_a_service(self) -> str:
        arn = self.standalone()
        self.change(arn, lambda task: task.shown(task.content.replace(group="service:web")))
        return arn

    def record(self, arn: str) -> Task:
        found = self.emulator.app._store.state.tasks.get(("000000000000", "us-east-1", "demo", arn.rpartition("/")[2]))
        assert found is not None
        return found

    def change(self, arn: str, changed: Any) -> None:
        with self.emulator.app._store.write() as transaction:
            transaction.tasks.put(changed(self.record(arn)))

    def protect(self, *tasks: str, enabled: bool = True, **request: Any) -> Any:
        return self.ecs.update_task_protection(cluster="demo", tasks=tasks, protectionEnabled=enabled, **request)

    def look(self, *tasks: str) -> Any:
        return self.ecs.get_task_protection(cluster="demo", tasks=tasks)

    def protected(self, arn: str) -> bool:
        (found,) = self.look(arn)["protectedTasks"]
        value: bool = found["protectionEnabled"]
        assert ("expirationDate" in found) == value
        return value


@pytest.fixture
def tasks(emulator: InProcess) -> Tasks:
    emulator.ecs.create_cluster(clusterName="demo")
    emulator.ecs.register_task_definition(**WEB)
    return Tasks(emulator)


def test_a_task_that_was_never_protected_is_not(tasks: Tasks) -> None:
    arn = tasks.of_a_service()
    answer = tasks.look(arn)
    assert answer["protectedTasks"] == [{"taskArn": arn, "protectionEnabled": False}]
    assert answer["failures"] == []


def test_a_task_is_protected_for_two_hours(tasks: Tasks) -> None:
    arn = tasks.of_a_service()
    answer = tasks.protect(arn)
    (shown,) = answer["protectedTasks"]
    assert (shown["taskArn"], shown["protectionEnabled"]) == (arn, True)
    assert shown["expirationDate"].timestamp() == NOW + 7200
    assert answer["failures"] == []
    assert tasks.look(arn)["protectedTasks"] == [shown]


def test_a_task_is_protected_for_as_long_as_was_asked(tasks: Tasks) -> None:
    arn = tasks.of_a_service()
    tasks.protect(arn, expiresInMinutes=1)
    tasks.emulator.advance(59.9)
    assert tasks.protected(arn)
    tasks.emulator.advance(0.1)
    assert not tasks.protected(arn)


def test_every_call_counts_the_minutes_anew(tasks: Tasks) -> None:
    arn = tasks.of_a_service()
    tasks.protect(arn, expiresInMinutes=2880)
    tasks.emulator.advance(30)
    (shown,) = tasks.protect(arn, expiresInMinutes=1)["protectedTasks"]
    assert shown["expirationDate"].timestamp() == NOW + 90


def test_protection_is_taken_away(tasks: Tasks) -> None:
    arn = tasks.of_a_service()
    tasks.protect(arn)
    answer = tasks.protect(arn, enabled=False)
    assert answer["protectedTasks"] == [{"taskArn": arn, "protectionEnabled": False}]
    assert not tasks.protected(arn)


def test_a_task_of_no_service_cannot_be_protected(tasks: Tasks) -> None:
    arn = tasks.standalone()
    for answer in (tasks.look(arn), tasks.protect(arn), tasks.protect(arn, enabled=False)):
        assert answer["protectedTasks"] == []
        assert answer["failures"] == [{"arn": arn, "reason": "TASK_NOT_VALID"}]


def test_who_started_a_task_makes_it_no_services(tasks: Tasks) -> None:
    arn = run(tasks.ecs, cluster="demo", startedBy="ecs-svc/0123456789012345678")["taskArn"]
    assert tasks.protect(arn)["failures"] == [{"arn": arn, "reason": "TASK_NOT_VALID"}]


def test_an_unknown_task_is_missing_and_the_others_are_answered(tasks: Tasks) -> None:
    arn = tasks.of_a_service()
    missing = {"arn": f"arn:aws:ecs:us-east-1:000000000000:task/demo/{UNKNOWN}", "reason": "MISSING"}
    for answer in (tasks.protect(UNKNOWN, arn), tasks.look(UNKNOWN, arn)):
        assert answer["failures"] == [missing]
        assert [task["taskArn"] for task in answer["protectedTasks"]] == [arn]


def test_a_task_is_named_by_its_id_too(tasks: Tasks) -> None:
    arn = tasks.of_a_service()
    assert tasks.protect(arn.rpartition("/")[2])["protectedTasks"][0]["taskArn"] == arn


def test_a_task_that_shall_stop_is_not_protected_and_cannot_be(tasks: Tasks) -> None:
    arn = tasks.of_a_service()
    tasks.protect(arn)
    tasks.change(arn, lambda task: task.shown(asked_to_stop(task.content, "ServiceSchedulerInitiated", "gone", NOW)))
    assert not tasks.protected(arn)
    assert tasks.protect(arn)["failures"] == [{"arn": arn, "reason": "TASK_NOT_VALID"}]


def test_a_protected_task_can_be_stopped_by_its_owner(tasks: Tasks) -> None:
    arn = tasks.of_a_service()
    tasks.protect(arn)
    tasks.ecs.stop_task(cluster="demo", task=arn)
    tasks.emulator.advance()
    assert tasks.record(arn).last_status == "STOPPED"


def test_protection_changes_nothing_of_what_a_task_shows(tasks: Tasks) -> None:
    arn = tasks.of_a_service()
    before = tasks.record(arn)
    tasks.protect(arn)
    assert tasks.record(arn) == replace(before, protected_until=NOW + 7200)


@pytest.mark.parametrize("minutes", [0, 2881])
def test_minutes_out_of_bounds_are_refused(tasks: Tasks, minutes: int) -> None:
    with refused("InvalidParameterException", "expiresInMinutes should be between 1 and 2880"):
        tasks.protect(UNKNOWN, expiresInMinutes=minutes)


def test_ten_tasks_are_protected_and_a_hundred_seen_at_most(tasks: Tasks) -> None:
    assert len(tasks.protect(*[UNKNOWN] * 10)["failures"]) == 10
    with refused("InvalidParameterException", "taskIds can have at most 10 items."):
        tasks.protect(*[UNKNOWN] * 11)
    assert len(tasks.look(*[UNKNOWN] * 100)["failures"]) == 100
    with refused("InvalidParameterException", "taskIds can have at most 100 items."):
        tasks.look(*[UNKNOWN] * 101)


def test_a_call_without_tasks_is_refused(tasks: Tasks) -> None:
    with refused("InvalidParameterException", "Tasks cannot be empty."):
        tasks.ecs.get_task_protection(cluster="demo")


def test_an_unknown_cluster_is_refused(tasks: Tasks) -> None:
    with refused("ClusterNotFoundException", "Cluster not found."):
        tasks.ecs.get_task_protection(cluster="nope", tasks=[UNKNOWN])
