"""Puts an emulator together. The only place where objects are built and handed to each other."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import api_models as ecs
import emulator.operations  # noqa: F401 - registers every operation
from emulator.clock import Clock, SystemClock
from emulator.config import Config, set_up_moto
from emulator.edge import ecs_json
from emulator.edge.exchange import Exchange
from emulator.edge.parts import Control, Parts, StoryLine
from emulator.edge.sockets import Sockets
from emulator.errors import ApiError
from emulator.ids import Ids, RandomIds
from emulator.neighbours.embedded.clocks import tell_time
from emulator.neighbours.interfaces import TaskInterfaces
from emulator.neighbours.neighbours import Neighbours
from emulator.neighbours.ports import Place, ServiceRefusedError
from emulator.operations.api import Api
from emulator.operations.operation import Caller
from emulator.runtime.actions import Hands
from emulator.runtime.driver import Doors, Driver, DriverUnreachableError, PrepareFailedError
from emulator.runtime.probe import docker_problem
from emulator.runtime.ranges import default_vpc
from emulator.runtime.runtime import Runtime
from emulator.runtime.simulated import SimulatedDriver
from emulator.runtime.steps.credentials import TaskCredentials
from emulator.runtime.steps.doors import Doorkeeper
from emulator.runtime.steps.ecr import EcrDiagnosis
from emulator.runtime.steps.environment_files import EnvironmentFiles
from emulator.runtime.steps.logs import AwsLogs
from emulator.runtime.steps.network import Interfaces
from emulator.runtime.steps.registry_logins import RegistryLogins
from emulator.runtime.steps.secrets import Secrets
from emulator.runtime.steps.steps import Steps
from emulator.state.folder import Lock, ephemeral_lock, folder_lock, neighbours_file, state_file
from emulator.state.networks import Vpc
from emulator.state.sqlite import Database
from emulator.state.store import Store
from emulator.state.tasks import STATUSES, tasks_everywhere, tasks_of_id

if TYPE_CHECKING:
    from emulator.neighbours.embedded.keeping.keeper import Keeper

logger = logging.getLogger(__name__)


class NoRuntimeError(Exception):
    """The runtime that was asked for is not there. Says why and what to do."""


class Emulator:
    """One emulator: its state, its runtime, and the parts of its edge."""

    def __init__(self, config: Config, clock: Clock | None = None, ids: Ids | None = None) -> None:
        """Open the state; nothing runs yet.

        Raises NoRuntimeError, FolderInUseError, StateFileError, OSError.
        """
        self._config = config
        clock, ids = clock or SystemClock(), ids or RandomIds()
        simulated = self._simulated()
        self._lock, self._store, self.instance = _open_state(config, ids)
        driver: Driver
        if simulated:
            driver = SimulatedDriver(clock)
        else:
            from emulator.runtime.docker import DockerDriver

            driver = DockerDriver(
                instance=self.instance,
                ephemeral_lock=self._lock.path if config.state_dir is None else None,
                clock=clock,
                port=config.port,
                base_url=config.docker_host,
                pool=config.pool,
            )
        self.driver = driver
        set_up_moto()
        self.neighbours = Neighbours(
            embedded=config.neighbours == "embedded",
            endpoints=dict(config.endpoints),
            keeper=_keeper(config, clock, ids),
        )
        if self.neighbours.moto is not None:
            tell_time(self.neighbours.moto, clock)
        self.neighbours.show_network(self._default_vpc, TaskInterfaces(self._store))
        self.neighbours.give(self.call_ecs, clock, ids)
        ports = self.neighbours.ports
        secret = self._store.setting("credentials", ids.uuid())
        self._credentials = TaskCredentials(self._store, ports.identity, clock, secret)
        self._sockets = Sockets()
        self._doors = Doorkeeper(self._store, driver, clock, self._serve_doors, self._sockets.close)
        steps = self._steps(driver)
        self.runtime = Runtime(Hands(self._store, driver, clock, ids, config.pull, steps))
        self.parts = Parts(
            api=Api(self._store, clock, ids, lambda: self.runtime.problem, self.neighbours.ports),
            control=Control(health=self.health, reset=self.reset, story=self.story),
            ids=ids,
            default_region=config.region,
            allow_hosts=config.allow_hosts,
            allow_origins=config.allow_origins,
            neighbour=self._answer_neighbour,
            sockets=self._sockets,
            authorize=self._authorize(clock),
            startup=self.runtime.start,
            shutdown=self.stop,
        )

    def _steps(self, driver: Driver) -> Steps:
        """What is done for tasks beside running their containers, in the order in which Fargate does it."""
        ports, credentials, doors = self.neighbours.ports, self._credentials, self._doors
        interfaces = Interfaces(self._store, ports.network)
        secrets = Secrets(ports.secrets, ports.parameters)
        logins = RegistryLogins(ports.secrets)
        files = EnvironmentFiles(ports.objects)
        logs = AwsLogs(ports.logs, driver)
        return Steps(
            at_attach=(interfaces.create,),
            at_before_start=(
                secrets.before_start,
                logins.before_start,
                files.before_start,
                logs.before_start,
                credentials.before_start,
            ),
            at_pull=(logins.at_pull,),
            at_pull_failure=(EcrDiagnosis(ports.registry).at_pull_failure,),
            at_start=(secrets.at_start, files.at_start, credentials.at_start, doors.at_start),
            at_after_start=(doors.after_start, logs.after_start),
            at_before_release=(doors.before_release, logs.before_release),
            at_after_release=(
                logs.after_release,
                secrets.after_release,
                logins.after_release,
                files.after_release,
                credentials.after_release,
                interfaces.delete,
            ),
            at_forget=(doors.forget, logs.forget),
        )

    def _simulated(self) -> bool:
        """Is the runtime simulated? Raises NoRuntimeError."""
        if self._config.runtime == "simulated":
            return True
        problem = docker_problem(self._config.docker_host)
        if problem and self._config.runtime == "docker":
            raise NoRuntimeError(f"{problem}: start it, or choose --runtime simulated.")
        return problem is not None

    @property
    def state(self) -> str:
        """Where the state is kept, for people."""
        return str(self._config.state_dir) if self._config.state_dir else "none kept"

    def health(self) -> dict[str, object]:
        """What `/_emulator/health` shows."""
        tasks = self._store.state.tasks
        return {
            "status": "ok" if self.runtime.problem is None else "degraded",
            "version": version("ecs-emulator"),
            "instance": self.instance,
            "runtime": {
                "name": self.driver.name,
                "engine": self.runtime.status,
                "problem": self.runtime.problem,
                "pool": self.driver.spare(),
            },
            "state": self.state,
            "tasks": {status: tasks.count(tasks_everywhere(status)) for status in STATUSES},
            "actions_under_way": self.runtime.loop.under_way(),
        }

    def story(self, text: str) -> Sequence[StoryLine] | None:
        """What happened to the task of an ARN or id; None for an unknown one."""
        found = self._store.state.tasks.page(tasks_of_id(text.rsplit("/", 1)[-1]), limit=1)
        if not found or text not in (found[0].id, found[0].arn):
            return None
        return [{"at": line.at, "text": line.text} for line in self._store.story(found[0].arn)]

    def _authorize(self, clock: Clock) -> Callable[[str, ecs.Shape, Caller], None] | None:
        principals = self.neighbours.principals
        if not self._config.enforce_iam or principals is None:
            return None
        from emulator.operations.authorization import Authorization

        return Authorization(self._store, clock, principals).check

    def reset(self) -> None:
        """Forget everything, here and in the services beside ECS."""
        self.runtime.reset()
        self.neighbours.reset()

    def call_ecs(self, operation: str, request: Mapping[str, Any], place: Place) -> dict[str, Any]:
        """Perform an operation of ECS for another service. See emulator.neighbours.ports.Ecs."""
        api, caller = self.parts.api, Caller(place.account, place.region)
        try:
            handler = api.find(operation)
            parsed = ecs_json.parse(operation, json.dumps(request).encode())
            found = api.look(handler, parsed, caller) if handler.looks is not None else None
            answer = api.perform(handler, parsed, caller, found)
        except ApiError as refusal:
            raise ServiceRefusedError(operation, refusal.code, refusal.message, refusal.status) from refusal
        content: dict[str, Any] = json.loads(answer if isinstance(answer, bytes) else answer.to_json())
        return content

    def _serve_doors(self, task_arn: str, doors: Doors) -> None:
        self._sockets.open(task_arn, doors.api)
        from emulator.edge.task_endpoint import Inside, TaskEndpoint

        endpoint = TaskEndpoint(task_arn, Inside(credentials=self._credentials.shown))
        self._sockets.open(task_arn, doors.endpoint, endpoint)

    def _default_vpc(self, place: Place) -> Vpc:
        """The default VPC that EC2 shows. Raises ServiceRefusedError."""
        try:
            return default_vpc(self._store, self.driver, *place)
        except (DriverUnreachableError, PrepareFailedError) as error:
            message = f"The default VPC of {place.account} in {place.region} has no range yet: {error}"
            raise ServiceRefusedError("", "Unavailable", message, 503) from error

    async def _answer_neighbour(self, exchange: Exchange) -> None:
        place = Place(exchange.caller.account, exchange.caller.region)
        await self.neighbours.front.answer(exchange.service, place, exchange.scope, exchange.receive, exchange.send)

    async def stop(self) -> None:
        """Let go of the other services, then of everything."""
        await self.neighbours.front.close()
        self.close()

    def close(self) -> None:
        """Stop. What runs goes on if the state is kept; else nothing of ours is left."""
        kept = self._config.state_dir is not None
        self.runtime.close(keep_tasks=kept)
        self.neighbours.close()
        self._store.close()
        self._lock.release(remove=not kept)


def _keeper(config: Config, clock: Clock, ids: Ids) -> Keeper | None:
    """What keeps what the embedded services hold, where state is kept. Raises StateFileError, OSError."""
    if config.state_dir is None or config.neighbours != "embedded":
        return None
    from emulator.neighbours.embedded.keeping.keeper import NOT_KEPT, Keeper
    from emulator.neighbours.journal import Journal

    logger.warning(NOT_KEPT)
    return Keeper(Journal(neighbours_file(config.state_dir)), clock, ids)


def _open_state(config: Config, ids: Ids) -> tuple[Lock, Store, str]:
    """The lock, the store and the instance's id. Raises FolderInUseError, StateFileError, OSError."""
    if config.state_dir is None:
        instance = ids.uuid()
        return ephemeral_lock(instance), Store(Database(None)), instance
    lock = folder_lock(config.state_dir)
    store = Store(Database(state_file(config.state_dir)))
    return lock, store, store.setting("instance", ids.uuid())
