"""The network namespace of a task, held by a pause container in the VPC's network.

Whoever wants one calls `take`, and `release` when the task is over. Here each is made when it is asked for; those made
ahead are in emulator.runtime.docker.pool.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from threading import Lock
from typing import Any

from emulator.planner.specs import Subnet, TaskSpec
from emulator.runtime.docker import labels
from emulator.runtime.docker.addresses import Addresses
from emulator.runtime.docker.doors import DoorOpener
from emulator.runtime.docker.engine import RefusedError
from emulator.runtime.docker.labels import Owner
from emulator.runtime.docker.networks import Networks
from emulator.runtime.docker.observe import is_running, labels_of, task_of_inspected
from emulator.runtime.docker.pause import IMAGE, PauseImage
from emulator.runtime.docker.setting import Setting
from emulator.runtime.driver import DriverUnreachableError, Namespace, NoFreeAddressError, PrepareFailedError
from emulator.state.networks import private_dns_name

ATTEMPTS = 20
"""How often another emulator may be quicker in taking the same address, before we give up."""


@dataclass(frozen=True, slots=True)
class Place:
    """What namespaces have in common but for their address. All of a namespace that is fixed when it is made follows
    from the two, so one that was made for no task in particular fits every task of its place.
    """

    region: str
    cidr: IPv4Network
    vpc_cidr: IPv4Network

    @classmethod
    def of(cls, task: TaskSpec, subnet: Subnet) -> Place:
        """Where a task's namespace is."""
        return cls(task.region, subnet.cidr, subnet.vpc_cidr)


@dataclass(frozen=True, slots=True)
class Made:
    """A namespace that was made, and belongs to no task yet."""

    container_id: str
    place: Place
    address: IPv4Address


class ColdNamespaces:
    """Namespaces that are made when they are wanted. Calls for different tasks may come from several threads."""

    def __init__(self, setting: Setting, networks: Networks, doors: DoorOpener) -> None:
        self._engine = setting.engine
        self._owner = setting.owner
        self._known = setting.known
        self._networks = networks
        self._doors = doors
        self._image = PauseImage(setting.engine)
        self._lock = Lock()
        self._addresses: dict[IPv4Network, Addresses] = {}
        self._of_tasks: dict[str, tuple[IPv4Network, IPv4Address]] = {}

    def take(self, task: TaskSpec, subnet: Subnet) -> Namespace:
        """The namespace of a task: the one it has, or a new one with an address of the subnet.

        Raises DriverUnreachableError, PrepareFailedError.
        """
        for _ in range(ATTEMPTS):
            try:
                return self._given(self.make(Place.of(task, subnet), task.arn), task.arn)
            except (RefusedError, NoFreeAddressError) as error:
                existing = self._existing(task.arn)
                if existing is None and isinstance(error, NoFreeAddressError):
                    raise
            if existing is not None:
                return existing
        raise PrepareFailedError(f"the dead container {labels.namespace_name(task.arn)} is in the way; remove it")

    def make(self, place: Place, task_arn: str | None = None) -> Made:
        """A new namespace, for this task or for none.

        Raises DriverUnreachableError, PrepareFailedError; RefusedError when a container has the name that it would get.
        """
        for _ in range(ATTEMPTS):
            network_id = self._networks.id_of(place.vpc_cidr)
            address = self._next_address(place)
            name = spare_name(address, self._owner) if task_arn is None else labels.namespace_name(task_arn)
            try:
                container_id = self._run(name, create_body(place, address, network_id, self._owner, task_arn))
            except RefusedError as refusal:
                self._clear_away(refusal, place, address)
            except (DriverUnreachableError, PrepareFailedError):
                self._addresses_of(place.vpc_cidr).release(address)
                raise
            else:
                self._doors.made(container_id)
                if task_arn is None:
                    self._doors.begin(container_id)
                return Made(container_id, place, address)
        raise PrepareFailedError(
            f"no address of subnet {place.cidr} was to be had in {ATTEMPTS} attempts: others took each one first. "
            "Is another emulator on this daemon starting many tasks in the same VPC range?"
        )

    def give(self, made: Made, task: TaskSpec) -> Namespace | None:
        """Make a namespace that belongs to no task this task's. One that is of no use any more is removed: then None.

        From the moment in which it has the task's name it is the task's, whatever happens to this process.
        Raises DriverUnreachableError.
        """
        try:
            with self._engine.asking() as api:
                api.rename(made.container_id, labels.namespace_name(task.arn))
            is_alive = is_running(self._engine.inspect(made.container_id))  # a dead one can be renamed too [tried]
        except RefusedError:
            is_alive = False
        except DriverUnreachableError:
            self.let_go(made)
            raise
        if not is_alive:
            self.discard(made)
            return None
        return self._given(made, task.arn)

    def discard(self, made: Made) -> None:
        """Remove a namespace that belongs to no task. Raises DriverUnreachableError."""
        try:
            self._remove(made.container_id)
        finally:
            self.let_go(made)

    def let_go(self, made: Made) -> None:
        """Give back the address of a namespace that belongs to no task, and that somebody else removes."""
        self._addresses_of(made.place.vpc_cidr).release(made.address)

    def has(self, task_arn: str) -> bool:
        """Is a namespace of this task known here? It may have died."""
        with self._lock:
            return task_arn in self._of_tasks

    def adopt(self, namespace: Mapping[str, Any]) -> None:
        """Note a namespace that an earlier process made, by its inspected container."""
        found = labels_of(namespace)
        with suppress(KeyError):
            cidr, address = IPv4Network(found[labels.VPC]), IPv4Address(found[labels.ADDRESS])
            self._networks.use(cidr)
            task_arn = task_of_inspected(namespace)
            if task_arn is not None:
                self._hold(task_arn, cidr, address)

    def release(self, task_arn: str) -> None:
        """Give back the address of a task whose namespace is removed."""
        with self._lock:
            cidr, address = self._of_tasks.pop(task_arn, (None, None))
        if cidr is not None and address is not None:
            self._addresses_of(cidr).release(address)

    def _next_address(self, place: Place) -> IPv4Address:
        addresses = self._addresses_of(place.vpc_cidr)
        try:
            return addresses.take(place.cidr)
        except NoFreeAddressError:
            addresses.renew(self._networks.addresses_in_use(place.vpc_cidr))  # others may have let some go
            return addresses.take(place.cidr)

    def _addresses_of(self, cidr: IPv4Network) -> Addresses:
        with self._lock:
            known = self._addresses.get(cidr)
        if known is not None:
            return known
        first = int.from_bytes(hashlib.sha256(self._owner.instance.encode()).digest()[:4], "big")
        seeded = Addresses(first=first)
        seeded.renew(self._networks.addresses_in_use(cidr))
        with self._lock:
            return self._addresses.setdefault(cidr, seeded)

    def _given(self, made: Made, task_arn: str) -> Namespace:
        self._hold(task_arn, made.place.vpc_cidr, made.address)
        return Namespace(made.container_id, str(made.address), mac_of(made.address))

    def _hold(self, task_arn: str, cidr: IPv4Network, address: IPv4Address) -> None:
        """Note the address that a task has now, instead of one that it had in a namespace that died."""
        with self._lock:
            same = self._of_tasks.get(task_arn) == (cidr, address)
        if not same:
            self.release(task_arn)
        self._addresses_of(cidr).hold(address)
        with self._lock:
            self._of_tasks[task_arn] = (cidr, address)

    def _run(self, name: str, body: dict[str, Any]) -> str:
        """Create and start a pause container and return its id. Raises RefusedError, and then leaves nothing."""
        try:
            container_id = self._engine.create(name, body)
        except RefusedError as refusal:
            if not refusal.no_such_image:
                raise
            self._image.make()
            container_id = self._engine.create(name, body)
        try:
            with self._engine.asking() as api:
                api.start(container_id)
        except RefusedError:
            self._remove(container_id)
            raise
        return container_id

    def _clear_away(self, refusal: RefusedError, place: Place, address: IPv4Address) -> None:
        """Clear away why a namespace was refused. Raises PrepareFailedError; `refusal` when its name is taken."""
        addresses = self._addresses_of(place.vpc_cidr)
        if is_address_taken(refusal):
            addresses.lose(address)
            addresses.renew(self._networks.addresses_in_use(place.vpc_cidr))
            return
        addresses.release(address)
        if refusal.name_taken:
            raise refusal
        if not is_network_gone(refusal):
            raise PrepareFailedError(f"cannot make the task's network namespace: {refusal.words}") from refusal
        self._networks.forget(place.vpc_cidr)

    def _existing(self, task_arn: str) -> Namespace | None:
        """The namespace that bears the task's name if it is alive; a dead one is removed. Raises PrepareFailedError."""
        name = labels.namespace_name(task_arn)
        try:
            container = self._engine.inspect(name)
        except RefusedError:
            return None
        found = labels_of(container)
        if not self._owner.owns(found) or task_of_inspected(container) != task_arn:
            raise PrepareFailedError(f"the container {name} is not this emulator's; remove it (docker rm -f {name})")
        if not is_running(container):
            self._remove(str(container["Id"]))
            return None
        self.adopt(container)
        address = IPv4Address(found[labels.ADDRESS])
        return Namespace(str(container["Id"]), str(address), mac_of(address))

    def _remove(self, container_id: str) -> None:
        self._known.removing(container_id)
        self._doors.drop(container_id)
        with suppress(RefusedError), self._engine.asking() as api:
            api.remove_container(container_id, force=True)


def create_body(
    place: Place, address: IPv4Address, network_id: str, owner: Owner, task_arn: str | None = None
) -> dict[str, Any]:
    """What the engine is asked to create. The container is outside of the task's cgroup, so that the kernel never
    chooses it when the task runs out of memory.
    """
    endpoint = {"IPAMConfig": {"IPv4Address": str(address)}, "MacAddress": mac_of(address)}
    of_task = {} if task_arn is None else {labels.TASK_ARN: task_arn}
    return {
        "Image": IMAGE,
        "Hostname": private_dns_name(str(address), place.region),
        "Labels": {
            **owner.labels("namespace"),
            **of_task,
            labels.VPC: str(place.vpc_cidr),
            labels.ADDRESS: str(address),
        },
        "HostConfig": {
            "NetworkMode": network_id,
            "IpcMode": "shareable",
            # Its one program makes one system call and reads nothing, so a filter guards nothing: without one it starts
            # a twentieth sooner [tried]. Containers that join the namespace have filters of their own.
            "SecurityOpt": ["seccomp=unconfined"],
            "CapDrop": ["ALL"],
            "LogConfig": {"Type": "none", "Config": {}},
        },
        "NetworkingConfig": {"EndpointsConfig": {network_id: endpoint}},
    }


def spare_name(address: IPv4Address, owner: Owner) -> str:
    """The name of a pause container that waits for a task; an emulator's own, as others may use the same VPC range."""
    return f"ecs-spare-{str(address).replace('.', '-')}-{owner.instance}"


def mac_of(address: IPv4Address) -> str:
    """The hardware address that goes with an address: locally administered, and the same whoever has the address.

    So neighbours whose ARP tables remember the last task with this address reach the next one. It is what Docker
    before 28 chooses by itself; API versions below 1.44 take no other in a network that is named by its id [tried].
    """
    return ":".join(f"{byte:02x}" for byte in b"\x02\x42" + address.packed)


def is_address_taken(refusal: RefusedError) -> bool:
    """Does the engine say that somebody has this address? Docker's words [tried], and Podman's [its sources]."""
    words = refusal.words.lower()
    return "address already in use" in words or "already allocated" in words


def is_network_gone(refusal: RefusedError) -> bool:
    """Does the engine say that the network is not there? Another emulator removed it, as nobody was in it."""
    return refusal.status == 404 and "network" in refusal.words.lower()
