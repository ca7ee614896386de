"""The steps that fetch something for tasks: how often they ask, what they keep, and what they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

import api_models as ecs
from emulator.clock import ManualClock
from emulator.neighbours.ports import Place, ServiceRefusedError, ServiceUnreachableError
from emulator.planner.specs import ContainerSpec, PullPolicy
from emulator.runtime.driver import (
    DriverUnreachableError,
    Login,
    Namespace,
    PullFailedError,
    PullProblem,
    Started,
)
from emulator.runtime.simulated import SimulatedDriver
from emulator.runtime.steps.ecr import EcrDiagnosis
from emulator.runtime.steps.environment_files import EnvironmentFiles
from emulator.runtime.steps.kept import Kept
from emulator.runtime.steps.registry_logins import RegistryLogins
from emulator.runtime.steps.secrets import Secrets
from emulator.runtime.steps.steps import Steps
from emulator.state.tasks import Task
from tests.builders import container, definition
from tests.machine import Machine

HERE = Place("000000000000", "us-east-1")
SECRET = "arn:aws:secretsmanager:us-east-1:000000000000:secret:db-AbCdEf"
PARAMETER = "arn:aws:ssm:eu-west-1:111111111111:parameter/far"
LOGIN = '{"username": "me", "password": "hush"}'


@dataclass
class Services:
    """Secrets Manager, Parameter Store, S3 and ECR, who remember what they were asked."""

    asked: list[tuple[object, ...]] = field(default_factory=list)
    text: str = '{"a": "1", "b": "2"}'
    failure: Exception | None = None

    def secret(self, place: Place, name: str, *, stage: str | None = None, version: str | None = None) -> str:
        self._ask(place, name, stage, version)
        return self.text

    def parameters(self, place: Place, names: Sequence[str]) -> tuple[dict[str, str], list[str]]:
        self._ask(place, *names)
        return {name: f"value of {name}" for name in names}, []

    def read(self, place: Place, bucket: str, key: str) -> bytes:
        self._ask(place, bucket, key)
        return f"FROM={key}\n".encode()

    def has_repository(self, place: Place, name: str) -> bool:
        self._ask(place, name)
        return name == "there"

    def _ask(self, *what: object) -> None:
        self.asked.append(what)
        if self.failure:
            raise self.failure


def steps(services: Services) -> Steps:
    secrets, logins, files = Secrets(services, services), RegistryLogins(services), EnvironmentFiles(services)
    return Steps(
        at_before_start=(secrets.before_start, logins.before_start, files.before_start),
        at_pull=(logins.at_pull,),
        at_pull_failure=(EcrDiagnosis(services).at_pull_failure,),
        at_start=(secrets.at_start, files.at_start),
        at_after_release=(secrets.after_release, logins.after_release, files.after_release),
    )


class Notebook(SimulatedDriver):
    """A driver that notes who asks for an image, and that may not answer a start or a pull."""

    answers = True
    pulls = True

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.logins: list[Login | None] = []

    def pull(self, image: str, policy: PullPolicy, login: Login | None = None) -> str:
        if not self.pulls:
            raise DriverUnreachableError("it was switched off")
        self.logins.append(login)
        return super().pull(image, policy, login)

    def start(self, container: ContainerSpec, namespace: Namespace) -> Started:
        if not self.answers:
            raise DriverUnreachableError("it was switched off")
        return super().start(container, namespace)

    def variables(self, task: Task, name: str = "web") -> dict[str, str]:
        merged = self._tasks[task.arn].containers[name].spec.environment.merged()
        return {name: value for name, value in merged.items() if not name.startswith("AWS_")}


@dataclass
class Bench:
    """A machine, its driver and the services that its steps ask."""

    services: Services
    driver: Notebook
    machine: Machine

    def restarted(self) -> Bench:
        """Another process on the same state, beside the same engine and services."""
        again = Machine(lambda _: self.driver, self.machine.store, lambda _: steps(self.services))
        again.clock = self.machine.clock
        return Bench(self.services, self.driver, again.connect())


def bench(services: Services | None = None) -> Bench:
    services = services or Services()
    drivers: list[Notebook] = []

    def driver(clock: ManualClock) -> Notebook:
        drivers.append(Notebook(clock))
        return drivers[-1]

    machine = Machine(driver, steps=lambda _: steps(services)).connect()
    return Bench(services, drivers[0], machine)


def secrets(**value_from: str) -> tuple[ecs.Secret, ...]:
    return tuple(ecs.Secret(name=name, value_from=value) for name, value in value_from.items())


def asking(*containers: ecs.ContainerDefinition) -> ecs.TaskDefinition:
    return definition(*containers, execution_role_arn="role")


FILE = (ecs.EnvironmentFile(value="arn:aws:s3:::bucket/a.env", type="s3"),)
PRIVATE = ecs.RepositoryCredentials(credentials_parameter="registry")


def test_what_several_containers_want_is_fetched_once() -> None:
    found = bench()
    found.machine.run(
        asking(
            container(
                "web", secrets=secrets(A=f"{SECRET}:a::", B=f"{SECRET}:b::", C=SECRET, D="p"), environment_files=FILE
            ),
            container("side", secrets=secrets(E=f"{SECRET}:a::", F="p"), environment_files=FILE),
        )
    )
    assert found.services.asked == [(HERE, SECRET, None, None), (HERE, "p"), (HERE, "bucket", "a.env")]


def test_parameters_are_asked_for_by_tens_in_their_region() -> None:
    found = bench()
    names = {f"V{number}": f"p{number}" for number in range(12)}
    task = found.machine.run(asking(container(secrets=secrets(**names, FAR=PARAMETER))))
    asked = [(place, len(names)) for place, *names in found.services.asked]
    assert asked == [(HERE, 10), (HERE, 2), (Place("111111111111", "eu-west-1"), 1)]
    assert found.driver.variables(task)["V11"] == "value of p11"


def test_a_new_process_fetches_anew_what_its_tasks_still_need() -> None:
    found = bench()
    found.driver.answers = False
    task = found.machine.run(asking(container(secrets=secrets(A=f"{SECRET}:a::"), environment_files=FILE)))
    assert found.machine.now(task).provided
    assert found.machine.shown(task).last_status == "PENDING"
    found.services.text = '{"a": "changed"}'
    found.driver.answers = True
    again = found.restarted()
    again.machine.advance(1)
    assert again.machine.shown(task).last_status == "RUNNING"
    assert found.driver.variables(task) == {"A": "changed", "FROM": "a.env"}


def test_what_a_new_process_cannot_fetch_is_the_containers_reason() -> None:
    found = bench()
    found.driver.answers = False
    task = found.machine.run(asking(container(secrets=secrets(A=SECRET))))
    found.services.failure = ServiceRefusedError("GetSecretValue", "ResourceNotFoundException", "It is gone.")
    found.driver.answers = True
    again = found.restarted()
    again.machine.advance(1)
    shown = again.machine.shown(task)
    assert (shown.last_status, shown.stopped_reason) == ("STOPPED", "Task failed to start")
    (web,) = shown.containers or ()
    assert (web.reason or "").startswith(
        "CannotStartContainerError: ResourceInitializationError: unable to pull secrets"
    )


def test_a_private_image_is_pulled_with_its_login_and_no_other_is() -> None:
    found = bench(Services(text=LOGIN))
    found.machine.run(
        asking(
            container("web", repository_credentials=PRIVATE),
            container("side"),
            container("third", repository_credentials=PRIVATE),
        )
    )
    assert found.services.asked == [(HERE, "registry", None, None)]
    logins = [login and (login.username, login.password) for login in found.driver.logins]
    assert sorted(logins, key=bool) == [None, ("me", "hush"), ("me", "hush")]


def test_a_new_process_fetches_a_login_anew() -> None:
    found = bench(Services(text=LOGIN))
    found.driver.pulls = False
    task = found.machine.run(asking(container(repository_credentials=PRIVATE)))
    assert found.machine.now(task).provided
    found.driver.pulls = True
    again = found.restarted()
    again.machine.advance(1)
    assert again.machine.shown(task).last_status == "RUNNING"
    assert len(found.services.asked) == 2
    assert [login and login.username for login in found.driver.logins] == ["me"]


def test_a_login_is_never_printed() -> None:
    assert "hush" not in repr(Login("me", "hush"))
    kept: Kept[Login] = Kept()
    kept.keep("task", Login("me", "hush"))
    assert repr(kept) == "<kept for 1 tasks>"


REFUSED = ServiceRefusedError("GetSecretValue", "ResourceNotFoundException", "It is gone.")
SILENT = ServiceUnreachableError("nobody answers.")
SECRETS = "ResourceInitializationError: unable to pull secrets or registry auth: "
SEEN = (
    "Check your task network configuration. nobody answers. Name an endpoint that answers with --neighbour {}=URL, or "
    "leave it to the emulator itself."
)


@pytest.mark.parametrize(
    ("asks", "failure", "reason"),
    [
        (
            container(repository_credentials=PRIVATE),
            REFUSED,
            (
                f"{SECRETS}execution resource retrieval failed: unable to get registry auth from asm: service call has "
                "been retried 1 time(s): asm fetching secret from the service for registry: "
                "ResourceNotFoundException: It is gone."
            ),
        ),
        (
            container(repository_credentials=PRIVATE),
            SILENT,
            (
                f"{SECRETS}unable to get registry auth from asm: There is a connection issue between the task and AWS "
                f"Secrets Manager. {SEEN.format('secretsmanager')}"
            ),
        ),
        (
            container(secrets=secrets(A=SECRET)),
            SILENT,
            (
                f"{SECRETS}unable to retrieve secret from asm: There is a connection issue between the task and AWS "
                f"Secrets Manager. {SEEN.format('secretsmanager')}"
            ),
        ),
        (
            container(secrets=secrets(A="a")),
            SILENT,
            (
                f"{SECRETS}unable to retrieve secrets from ssm: The task cannot pull secrets from AWS Systems Manager. "
                "There is a connection issue between the task and AWS Systems Manager Parameter Store. "
                f"{SEEN.format('ssm')}"
            ),
        ),
        (
            container(secrets=secrets(A="a")),
            ServiceRefusedError("GetParameters", "InternalServerError", "Try again."),
            (
                f"{SECRETS}execution resource retrieval failed: unable to retrieve secrets from ssm: service call has "
                "been retried 1 time(s): InternalServerError: Try again."
            ),
        ),
        (
            container(environment_files=FILE),
            ServiceRefusedError("GetObject", "AccessDenied", "Access Denied", 403),
            (
                "ResourceInitializationError: failed to download env files: service call has been retried 1 time(s): "
                "operation error S3: HeadObject, https response error StatusCode: 403, api error Forbidden: Forbidden"
            ),
        ),
        (
            container(environment_files=FILE),
            SILENT,
            (
                "ResourceInitializationError: failed to download env files: There is a connection issue between the "
                f"task and Amazon S3. {SEEN.format('s3')}"
            ),
        ),
    ],
)
def test_a_service_that_says_no_or_nothing_is_the_tasks_reason(
    asks: ecs.ContainerDefinition, failure: Exception, reason: str
) -> None:
    found = bench(Services(failure=failure))
    shown = found.machine.shown(found.machine.run(asking(asks)))
    assert (shown.last_status, shown.stop_code) == ("STOPPED", "TaskFailedToStart")
    assert shown.stopped_reason == reason


@pytest.mark.parametrize(
    ("asks", "words"),
    [
        (container(repository_credentials=PRIVATE), "asm resource: unable to find execution role credentials"),
        (container(secrets=secrets(A=SECRET)), "ASM secret resource: unable to find execution role credentials"),
    ],
)
def test_a_task_without_an_execution_role_gets_nothing(asks: ecs.ContainerDefinition, words: str) -> None:
    found = bench()
    shown = found.machine.shown(found.machine.run(definition(asks)))
    assert (shown.stopped_reason or "").endswith(words)
    assert found.services.asked == []


def test_a_secret_that_is_no_login_is_the_tasks_reason() -> None:
    found = bench(Services(text='{"username": "me"}'))
    shown = found.machine.shown(found.machine.run(asking(container(repository_credentials=PRIVATE))))
    assert shown.stopped_reason == (
        f"{SECRETS}execution resource retrieval failed: unable to get registry auth from asm: service call has been "
        "retried 1 time(s): asm fetching password: AuthorizationData is malformed, empty field"
    )
    assert found.driver.logins == []


ECR = "111111111111.dkr.ecr.eu-west-1.amazonaws.com"


@pytest.mark.parametrize(
    ("image", "seen", "becomes"),
    [
        (f"{ECR}/there:1", "not-found", "not-found"),
        (f"{ECR}/there:1", "denied", "not-found"),
        (f"{ECR}/nope:1", "not-found", "denied"),
        (f"{ECR}/nope@sha256:00", "not-found", "denied"),
        (f"{ECR}/nope:1", "wrong-platform", "wrong-platform"),
        (f"{ECR}/nope:1", "unreachable", "unreachable"),
        ("public.ecr.aws/nope:1", "not-found", "not-found"),
        ("there:1", "denied", "denied"),
    ],
)
def test_ecr_tells_a_missing_repository_from_a_missing_image(
    image: str, seen: PullProblem, becomes: PullProblem
) -> None:
    diagnosis = EcrDiagnosis(Services())
    assert diagnosis.at_pull_failure(image, PullFailedError(seen, "words")).problem == becomes


@pytest.mark.parametrize("failure", [REFUSED, SILENT])
def test_where_ecr_says_nothing_the_failure_stays(failure: Exception) -> None:
    error = PullFailedError("not-found", "words")
    assert EcrDiagnosis(Services(failure=failure)).at_pull_failure(f"{ECR}/there:1", error) is error


def test_ecr_is_asked_about_images_that_cannot_be_had_and_no_others() -> None:
    found = bench()
    found.machine.run(asking(container(image=f"{ECR}/there:1")))
    assert found.services.asked == []
    shown = found.machine.shown(found.machine.run(asking(container(image=f"{ECR}/nope:not-found"))))
    assert found.services.asked == [(Place("111111111111", "eu-west-1"), "nope")]
    assert shown.stopped_reason == (
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref "
        f"{ECR}/nope:not-found: pull access denied, repository does not exist or may require authorization: "
        "server message: insufficient_scope: authorization failed"
    )
