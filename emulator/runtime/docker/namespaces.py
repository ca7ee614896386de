"""The network namespace of a task, held by a pause container in the VPC's network.

Whoever wants one calls `take`, and `release` when the task is over. Here each is made when it is asked for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network
from threading import Lock
from typing import Any

from emulator.planner.specs import Subnet, TaskSpec
from emulator.runtime.docker import labels
from emulator.runtime.docker.addresses import Addresses
from emulator.runtime.docker.engine import RefusedError
from emulator.runtime.docker.labels import Owner
from emulator.runtime.docker.networks import Networks
from emulator.runtime.docker.observe import is_running, labels_of
from emulator.runtime.docker.pause import IMAGE, PauseImage
from emulator.runtime.docker.setting import Setting
from emulator.runtime.driver import DriverUnreachableError, Namespace, NoFreeAddressError, PrepareFailedError

ATTEMPTS = 20
"""How often another emulator may be quicker in taking the same address, before we give up."""


class ColdNamespaces:
    """Namespaces that are made when they are wanted. Calls for different tasks may come from several threads."""

    def __init__(self, setting: Setting, networks: Networks) -> None:
        self._engine = setting.engine
        self._owner = setting.owner
        self._known = setting.known
        self._networks = networks
        self._image = PauseImage(setting.engine)
        self._lock = Lock()
        self._addresses: dict[IPv4Network, Addresses] = {}
        self._of_tasks: dict[str, tuple[IPv4Network, IPv4Address]] = {}

    def take(self, task: TaskSpec, subnet: Subnet) -> Namespace:
        """The namespace of a task: the one it has, or a new one with an address of the subnet.

        Raises DriverUnreachableError, PrepareFailedError.
        """
        for _ in range(ATTEMPTS):
            network_id = self._networks.id_of(subnet.vpc_cidr)
            address = self._next_address(subnet)
            try:
                container_id = self._run(name_of(task), create_body(task, subnet, network_id, address, self._owner))
            except RefusedError as refusal:
                existing = self._after_refusal(refusal, task, subnet, address)
                if existing is not None:
                    return existing
            except (DriverUnreachableError, PrepareFailedError):
                self._addresses_of(subnet.vpc_cidr).release(address)
                raise
            else:
                self._hold(task.arn, subnet.vpc_cidr, address)
                return Namespace(container_id, str(address), mac_of(address))
        raise PrepareFailedError(
            f"no address of subnet {subnet.cidr} was to be had in {ATTEMPTS} attempts: others took each one first. "
            "Is another emulator on this daemon starting many tasks in the same VPC range?"
        )

    def adopt(self, namespace: Mapping[str, str]) -> None:
        """Note a namespace that an earlier process made, by its container's labels."""
        with suppress(KeyError):
            cidr, address = IPv4Network(namespace[labels.VPC]), IPv4Address(namespace[labels.ADDRESS])
            self._networks.use(cidr)
            self._hold(namespace[labels.TASK_ARN], cidr, address)

    def release(self, task_arn: str) -> None:
        """Give back the address of a task whose namespace is removed."""
        with self._lock:
            cidr, address = self._of_tasks.pop(task_arn, (None, None))
        if cidr is not None and address is not None:
            self._addresses_of(cidr).release(address)

    def _next_address(self, subnet: Subnet) -> IPv4Address:
        addresses = self._addresses_of(subnet.vpc_cidr)
        try:
            return addresses.take(subnet.cidr)
        except NoFreeAddressError:
            addresses.renew(self._networks.addresses_in_use(subnet.vpc_cidr))  # others may have let some go
            return addresses.take(subnet.cidr)

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

    def _after_refusal(
        self, refusal: RefusedError, task: TaskSpec, subnet: Subnet, address: IPv4Address
    ) -> Namespace | None:
        """Clear away why a namespace was refused; or return the one that the task has. Raises PrepareFailedError."""
        addresses = self._addresses_of(subnet.vpc_cidr)
        if is_address_taken(refusal):
            addresses.lose(address)
            addresses.renew(self._networks.addresses_in_use(subnet.vpc_cidr))
            return None
        addresses.release(address)
        if refusal.name_taken:
            return self._existing(task)
        if is_network_gone(refusal):
            self._networks.forget(subnet.vpc_cidr)
            return None
        raise PrepareFailedError(f"cannot make the task's network namespace: {refusal.words}") from refusal

    def _existing(self, task: TaskSpec) -> Namespace | None:
        """The namespace that bears the task's name if it is alive; a dead one is removed. Raises PrepareFailedError."""
        name = name_of(task)
        try:
            container = self._engine.inspect(name)
        except RefusedError:
            return None
        found = labels_of(container)
        if not self._owner.owns(found) or found.get(labels.TASK_ARN) != task.arn:
            raise PrepareFailedError(f"the container {name} is not this emulator's; remove it (docker rm -f {name})")
        if not is_running(container):
            self._remove(str(container["Id"]))
            return None
        self.adopt(found)
        address = IPv4Address(found[labels.ADDRESS])
        return Namespace(str(container["Id"]), str(address), mac_of(address))

    def _remove(self, container_id: str) -> None:
        self._known.removing(container_id)
        with suppress(RefusedError), self._engine.asking() as api:
            api.remove_container(container_id, force=True)


def create_body(task: TaskSpec, subnet: Subnet, network_id: str, address: IPv4Address, owner: Owner) -> dict[str, Any]:
    """What the engine is asked to create. The container is outside of the task's cgroup, so that the kernel never
    chooses it when the task runs out of memory.
    """
    endpoint = {"IPAMConfig": {"IPv4Address": str(address)}, "MacAddress": mac_of(address)}
    return {
        "Image": IMAGE,
        "Hostname": private_dns_name(address, task.region),
        "Labels": {
            **owner.labels("namespace"),
            labels.TASK_ARN: task.arn,
            labels.VPC: str(subnet.vpc_cidr),
            labels.ADDRESS: str(address),
        },
        "HostConfig": {
            "NetworkMode": network_id,
            "IpcMode": "shareable",
            "LogConfig": {"Type": "none", "Config": {}},
        },
        "NetworkingConfig": {"EndpointsConfig": {network_id: endpoint}},
    }


def name_of(task: TaskSpec) -> str:
    """The name of a task's pause container: the same each time, so that a second attempt finds the first."""
    return f"ecs-{task.id}-pause"


def mac_of(address: IPv4Address) -> str:
    """The hardware address that goes with an address: locally administered, and the same whoever has the address.

    So neighbours whose ARP tables remember the last task with this address reach the next one. It is what Docker
    before 28 chooses by itself; API versions below 1.44 take no other in a network that is named by its id [tried].
    """
    return ":".join(f"{byte:02x}" for byte in b"\x02\x42" + address.packed)


def private_dns_name(address: IPv4Address, region: str) -> str:
    """The ENI's name inside its VPC [documented: EC2 user guide, "IP based naming"]."""
    suffix = "ec2.internal" if region == "us-east-1" else f"{region}.compute.internal"
    return f"ip-{str(address).replace('.', '-')}.{suffix}"


def is_address_taken(refusal: RefusedError) -> bool:
    """Does the engine say that somebody has this address? Docker's words [tried], and Podman's [its sources]."""
    words = refusal.words.lower()
    return "address already in use" in words or "already allocated" in words


def is_network_gone(refusal: RefusedError) -> bool:
    """Does the engine say that the network is not there? Another emulator removed it, as nobody was in it."""
    return refusal.status == 404 and "network" in refusal.words.lower()
