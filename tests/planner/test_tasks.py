"""The life of a task, step by step: what was seen goes in, what ought to happen comes out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import api_models as ecs
from emulator.planner.observations import (
    ContainerExited,
    ContainerStarted,
    ImagePulled,
    NamespaceLost,
    Observation,
    PlatformFailed,
    Prepared,
    Provided,
    Released,
    Signalled,
    StartRefused,
    StartUnknown,
)
from emulator.planner.plan import Action, Plan, Prepare, Provide, PullImage, Release, SignalContainer, StartContainer
from emulator.planner.tasks import plan_task
from emulator.state.tasks import STATUSES, ContainerExit, InvalidTransitionError, Task, asked_to_stop
from tests.builders import INTERFACE, NOW, SUBNET, container, definition, task

DIGEST = "sha256:" + "0" * 64


def exited(name: str, code: int | None = 0, *, out_of_memory: bool = False, at: float = NOW + 9) -> ContainerExited:
    return ContainerExited(name, ContainerExit(code, out_of_memory, at))


def started(name: str, at: float = NOW + 3) -> ContainerStarted:
    return ContainerStarted(name, "ab" * 32, at)


class Life:
    """A task that is planned to the end of what can be planned after everything that it sees."""

    def __init__(self, content: ecs.TaskDefinition | None = None) -> None:
        self.definition = content or definition()
        self.task: Task | None = task(self.definition)
        self.now = NOW
        self.statuses = ["PROVISIONING"]
        self.versions = [1]
        self.plan = Plan()
        self.settle()

    @property
    def shown(self) -> ecs.Task:
        assert self.task is not None
        return self.task.content

    def settle(self) -> Life:
        while self.task is not None:
            self.plan = plan_task(self.task, self.definition, self.now)
            if self.plan.forget:
                self.task = None
            elif self.plan.after is None:
                break
            else:
                self.task = self.plan.after
                if self.task.last_status != self.statuses[-1]:
                    self.statuses.append(self.task.last_status)
                if self.shown.version != self.versions[-1]:
                    self.versions.append(self.shown.version or 0)
        return self

    def see(self, *observations: Observation) -> Life:
        for observation in observations:
            assert self.task is not None
            self.task = observation.enter(self.task)
            self.settle()
        return self

    def stop(self) -> Life:
        assert self.task is not None
        self.task = self.task.shown(asked_to_stop(self.shown, "UserInitiated", "Task stopped by user", self.now))
        self.versions.append(self.shown.version or 0)
        return self.settle()

    def at(self, now: float) -> Life:
        self.now = now
        return self.settle()

    def actions(self) -> list[type[Action]]:
        return [type(action) for action in self.plan.actions]

    def container(self, name: str = "web") -> ecs.Container:
        return next(found for found in self.shown.containers or () if found.name == name)

    def running(self) -> Life:
        names = [found.name or "" for found in self.definition.container_definitions or ()]
        self.see(Prepared(INTERFACE))
        self.see(*(ImagePulled(name, DIGEST, NOW + 2) for name in names))
        return self.see(*(started(name) for name in names))


TWO = definition(container("web"), container("side", essential=False))


def test_a_new_task_has_its_network_prepared() -> None:
    (action,) = Life().plan.actions
    assert isinstance(action, Prepare)
    assert (action.subnet, action.task.cpu, action.task.memory) == (SUBNET, 256, 512)


def test_the_attached_interface_is_shown_and_the_task_becomes_pending() -> None:
    life = Life().at(NOW + 1).see(Prepared(INTERFACE))
    (attachment,) = life.shown.attachments or ()
    assert life.shown.last_status == "PENDING"
    assert attachment.status == "ATTACHED"
    assert [(pair.name, pair.value) for pair in attachment.details or ()] == [
        ("subnetId", SUBNET),
        ("networkInterfaceId", "eni-0123456789abcdef0"),
        ("macAddress", "0a:00:00:00:00:01"),
        ("privateDnsName", "ip-10-0-0-5.ec2.internal"),
        ("privateIPv4Address", "10.0.0.5"),
    ]
    assert (life.shown.connectivity, life.shown.connectivity_at) == ("CONNECTED", NOW + 1)


def test_all_images_are_pulled_before_any_container_starts() -> None:
    life = Life(TWO).see(Prepared(INTERFACE), ImagePulled("web", DIGEST, NOW + 2))
    assert life.actions() == [PullImage]
    assert life.see(ImagePulled("side", DIGEST, NOW + 2)).actions() == [StartContainer, StartContainer]


def test_a_task_runs_when_every_container_was_started() -> None:
    life = Life(TWO).running()
    assert life.shown.last_status == "RUNNING"
    assert life.shown.started_at == NOW + 3
    assert life.shown.pull_stopped_at == NOW + 2
    assert [found.last_status for found in life.shown.containers or ()] == ["RUNNING", "RUNNING"]
    assert life.container().image_digest == DIGEST
    assert life.container().network_bindings == ()
    assert life.plan == Plan()


def test_the_version_counts_each_visible_change() -> None:
    life = Life().running().stop().see(Signalled("web", kill=False), exited("web", 143), Released())
    assert life.statuses == ["PROVISIONING", "PENDING", "RUNNING", "STOPPING", "DEPROVISIONING", "STOPPED"]
    assert life.versions == [1, 2, 3, 4, 5, 6, 7]


def test_an_essential_container_that_ends_stops_the_task() -> None:
    life = Life(TWO).running().see(exited("web", 3))
    assert (life.shown.stop_code, life.shown.stopped_reason) == (
        "EssentialContainerExited",
        "Essential container in task exited",
    )
    assert (life.container().last_status, life.container().exit_code, life.container().reason) == ("STOPPED", 3, None)
    assert life.shown.execution_stopped_at == NOW + 9
    assert life.actions() == [SignalContainer]


def test_a_container_that_is_not_essential_may_end() -> None:
    life = Life(TWO).running().see(exited("side", 1))
    assert (life.shown.last_status, life.shown.desired_status) == ("RUNNING", "RUNNING")
    assert (life.container("side").last_status, life.container("side").exit_code) == ("STOPPED", 1)
    assert life.shown.execution_stopped_at is None


def test_a_task_whose_container_ended_at_once_was_running() -> None:
    life = Life(TWO).see(Prepared(INTERFACE), ImagePulled("web", DIGEST, NOW + 2), ImagePulled("side", DIGEST, NOW + 2))
    life.see(started("web"), exited("web", 0, at=NOW + 3))
    assert life.shown.last_status == "PENDING"
    life.see(started("side"))
    assert "RUNNING" in life.statuses
    assert life.shown.stop_code == "EssentialContainerExited"


def test_an_exit_that_is_seen_before_its_start_is_not_lost() -> None:
    life = Life().see(Prepared(INTERFACE), ImagePulled("web", DIGEST, NOW + 2), exited("web", 7, at=NOW + 4))
    life.see(started("web"), Released())
    assert life.container().exit_code == 7
    assert life.shown.stop_code == "EssentialContainerExited"


def test_running_out_of_memory_is_the_containers_reason() -> None:
    life = Life().running().see(exited("web", 137, out_of_memory=True))
    assert life.container().reason == "OutOfMemoryError: Container killed due to memory usage"
    assert life.shown.stopped_reason == "Essential container in task exited"


def test_the_reason_is_shown_even_if_it_is_known_after_the_end() -> None:
    life = Life().running().see(exited("web", 137))
    assert life.container().reason is None
    life.see(exited("web", 137, out_of_memory=True), Released())
    assert life.container().reason == "OutOfMemoryError: Container killed due to memory usage"
    assert life.shown.last_status == "STOPPED"


def test_a_stop_signals_waits_and_kills() -> None:
    life = Life(definition(container(stop_timeout=10))).running().at(NOW + 100).stop()
    assert life.plan.actions == (SignalContainer("web", kill=False),)
    life.see(Signalled("web", kill=False))
    assert life.plan == Plan(wake=NOW + 110)
    assert life.at(NOW + 110).plan.actions == (SignalContainer("web", kill=True),)
    life.see(Signalled("web", kill=True))
    assert life.plan == Plan()
    life.see(exited("web", 137, at=NOW + 110))
    assert life.shown.last_status == "DEPROVISIONING"


def test_without_a_stop_timeout_a_container_has_thirty_seconds() -> None:
    assert Life().running().stop().see(Signalled("web", kill=False)).plan.wake == NOW + 30


def test_everything_is_removed_before_the_task_is_stopped() -> None:
    life = Life().running().see(exited("web"))
    assert life.actions() == [Release]
    assert life.shown.last_status == "DEPROVISIONING"
    life.at(NOW + 20).see(Released())
    assert (life.shown.last_status, life.shown.stopped_at) == ("STOPPED", NOW + 20)
    assert [found.status for found in life.shown.attachments or ()] == ["DELETED"]


def test_a_stopped_task_is_forgotten_after_an_hour() -> None:
    life = Life().running().see(exited("web"), Released())
    assert life.plan.wake == NOW + 3600
    assert life.at(NOW + 3599).task is not None
    assert life.at(NOW + 3600).task is None


def test_a_task_stopped_before_it_started_has_no_exit_code_and_no_start() -> None:
    life = Life().stop().see(Released())
    assert life.statuses == ["PROVISIONING", "DEPROVISIONING", "STOPPED"]
    assert (life.shown.stop_code, life.shown.started_at, life.shown.pull_started_at) == ("UserInitiated", None, None)
    assert (life.container().last_status, life.container().exit_code) == ("STOPPED", None)


def test_a_failure_of_the_platform_is_the_tasks_reason() -> None:
    life = Life().see(Prepared(INTERFACE), PlatformFailed("CannotPullContainerError: …"), Released())
    assert (life.shown.stop_code, life.shown.stopped_reason) == ("TaskFailedToStart", "CannotPullContainerError: …")
    assert (life.shown.last_status, life.shown.started_at) == ("STOPPED", None)


def test_a_container_that_cannot_start_says_why_and_the_task_does_not() -> None:
    life = Life(TWO).see(Prepared(INTERFACE), ImagePulled("web", DIGEST, NOW), ImagePulled("side", DIGEST, NOW))
    life.see(started("web"), StartRefused("side", "no such command"))
    assert (life.shown.stop_code, life.shown.stopped_reason) == ("TaskFailedToStart", "Task failed to start")
    assert life.plan.actions == (SignalContainer("web", kill=False),)
    life.see(exited("web", 143))
    assert life.container("side").reason == "CannotStartContainerError: no such command"
    assert life.container("side").exit_code is None
    assert life.container("web").exit_code == 143


def test_a_start_under_way_is_awaited_before_a_stopping_task_is_removed() -> None:
    life = Life().see(Prepared(INTERFACE), ImagePulled("web", DIGEST, NOW)).stop()
    assert (life.shown.last_status, life.actions()) == ("STOPPING", [StartContainer])
    life.see(started("web"))
    assert life.plan.actions == (SignalContainer("web", kill=False),)


def test_a_start_that_never_reached_the_engine_is_asked_for_again() -> None:
    life = Life().see(Prepared(INTERFACE), ImagePulled("web", DIGEST, NOW), StartUnknown("web"))
    assert life.actions() == [StartContainer]


def test_a_stopping_task_does_not_start_what_never_started() -> None:
    life = Life().see(Prepared(INTERFACE), ImagePulled("web", DIGEST, NOW)).stop().see(StartUnknown("web"))
    assert life.actions() == [Release]


def test_a_running_task_whose_namespace_is_gone_stops() -> None:
    life = Life().running().see(NamespaceLost())
    assert life.shown.stop_code == "EssentialContainerExited"


@pytest.mark.parametrize(
    ("member", "value", "name"),
    [
        ("depends_on", (ecs.ContainerDependency(container_name="a", condition="START"),), "dependsOn"),
        ("mount_points", (ecs.MountPoint(source_volume="a"),), "mountPoints"),
        ("volumes_from", (ecs.VolumeFrom(source_container="a"),), "volumesFrom"),
    ],
)
def test_a_task_that_needs_what_is_not_there_yet_stops_and_names_it(member: str, value: object, name: str) -> None:
    given: dict[str, Any] = {member: value}
    life = Life(definition(container(**given)))
    assert life.shown.stop_code == "TaskFailedToStart"
    assert f"{name} of container web" in (life.shown.stopped_reason or "")


def asking(**members: Any) -> ecs.TaskDefinition:
    """A definition one of whose two containers takes something from another service."""
    return definition(container("web", **members), container("side", essential=False))


SECRETS = (ecs.Secret(name="A", value_from="a"),)
PRIVATE = ecs.RepositoryCredentials(credentials_parameter="registry")
FILES = (ecs.EnvironmentFile(value="arn:aws:s3:::b/a.env", type="s3"),)


@pytest.mark.parametrize("members", [{"secrets": SECRETS}, {"environment_files": FILES}])
def test_other_services_are_asked_while_images_are_pulled(members: dict[str, Any]) -> None:
    life = Life(asking(**members)).see(Prepared(INTERFACE))
    assert life.actions() == [Provide, PullImage, PullImage]
    assert life.see(ImagePulled("web", DIGEST, NOW + 2), ImagePulled("side", DIGEST, NOW + 2)).actions() == [Provide]
    assert life.see(Provided()).actions() == [StartContainer, StartContainer]


def test_an_image_of_a_private_registry_waits_for_its_login() -> None:
    life = Life(asking(repository_credentials=PRIVATE)).see(Prepared(INTERFACE))
    assert [getattr(action, "container", None) for action in life.plan.actions] == [None, "side"]
    life.see(Provided())
    assert [getattr(action, "container", None) for action in life.plan.actions] == ["web", "side"]


def test_what_is_accepted_and_does_nothing_is_told() -> None:
    content = definition(container(log_configuration=ecs.LogConfiguration(log_driver="splunk")))
    seen = Prepared(INTERFACE).enter(task(content))
    plan = plan_task(seen, content, NOW)
    assert "logConfiguration of container web is accepted and not acted on yet" in plan.said


def test_a_task_never_goes_back() -> None:
    record = Life().running().task
    assert record is not None
    with pytest.raises(InvalidTransitionError, match="from RUNNING back to PENDING"):
        record.shown(record.content.replace(last_status="PENDING"))


def test_a_task_that_was_asked_to_stop_is_never_wanted_running() -> None:
    record = Life().running().stop().task
    assert record is not None
    with pytest.raises(InvalidTransitionError, match="asked to stop"):
        record.shown(record.content.replace(desired_status="RUNNING"))


ANYTHING = st.one_of(
    st.just(Prepared(INTERFACE)),
    st.builds(PlatformFailed, st.just("broken")),
    st.builds(ImagePulled, st.sampled_from(["web", "side"]), st.just(DIGEST), st.floats(NOW, NOW + 5)),
    st.builds(started, st.sampled_from(["web", "side"]), st.floats(NOW, NOW + 5)),
    st.builds(StartRefused, st.sampled_from(["web", "side"]), st.just("no")),
    st.builds(StartUnknown, st.sampled_from(["web", "side"])),
    st.builds(exited, st.sampled_from(["web", "side"]), st.integers(0, 255), at=st.floats(NOW, NOW + 5)),
    st.builds(Signalled, st.sampled_from(["web", "side"]), st.booleans()),
    st.just(NamespaceLost()),
    st.just("stop"),
)


@given(st.lists(ANYTHING, max_size=14))
def test_whatever_is_seen_in_whatever_order_time_and_state_go_forward(events: list[Observation | str]) -> None:
    life = Life(TWO)
    for event in events:
        life.now += 1
        if not isinstance(event, str):
            life.see(event)
        elif life.shown.desired_status == "RUNNING":
            life.stop()
    shown = life.shown
    assert [STATUSES.index(status) for status in life.statuses] == sorted(map(STATUSES.index, life.statuses))
    assert life.versions == sorted(set(life.versions))
    moments = [shown.created_at, shown.started_at, shown.execution_stopped_at]
    known = [moment for moment in moments if moment is not None]
    assert known == sorted(known)
    assert (shown.stop_code is None) == (shown.desired_status == "RUNNING")
    if shown.desired_status == "RUNNING":
        assert not any(isinstance(action, SignalContainer | Release) for action in life.plan.actions)


def test_an_observation_that_is_known_already_changes_nothing() -> None:
    life = Life(TWO).running().see(exited("side", 1))
    record = life.task
    assert record is not None
    known: list[Observation] = [
        Prepared(INTERFACE),
        ImagePulled("web", DIGEST, NOW + 50),
        started("web", NOW + 50),
        exited("side", 9, at=NOW + 50),
    ]
    for again in known:
        assert again.enter(record) is record


def test_the_record_survives_being_written_as_json() -> None:
    record = Life(TWO).running().task
    assert record is not None
    assert replace(record, view=record.content.to_json()) == record
