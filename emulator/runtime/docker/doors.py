"""Doors: sockets of this process that listen inside of tasks' network namespaces.

Nobody shall wait while they are opened: it is done where a namespace is made ahead, or else while the daemon creates
the task's first container. A thread that has entered a namespace stays there, so each opening has one of its own.
"""

from __future__ import annotations

import os
import shutil
import socket
import sys
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from ipaddress import IPv4Address

from emulator.runtime.docker import labels, netns
from emulator.runtime.docker.engine import Engine, RefusedError
from emulator.runtime.docker.observe import is_running, labels_of
from emulator.runtime.driver import Doors, NoDoorsError

LOCALHOST = IPv4Address("127.0.0.1")
ENDPOINT = IPv4Address("169.254.170.2")
ENDPOINT_PORT = 80
BEHIND = 51679
"""The port that connections to the endpoint come to. A socket at port 80 itself would keep every container of the task
from listening there [tried]; this one is the agent's on AWS's own hosts (documented: container instance ports).
"""
TOOL, TOOL_PATH = "iptables", "/usr/sbin:/sbin:/usr/bin:/bin:/usr/local/sbin"

GONE = "its network namespace is gone"


@dataclass(slots=True)
class _Opening:
    future: Future[Doors] = field(default_factory=Future)
    begun: bool = False
    taken: bool = False
    """Somebody has the sockets, and closes them."""


class DoorOpener:
    """Opens the doors of namespaces, by the ids of their containers. All calls may come from any thread."""

    def __init__(self, engine: Engine, port: int) -> None:
        """`port`: the API's."""
        self._engine = engine
        self._port = port
        self._lock = threading.Lock()
        self._openings: dict[str, _Opening] = {}
        self._goes_well = False
        """The last opening went well, so the next one is expected to."""

    def made(self, container_id: str) -> None:
        """A namespace was made, by this process."""
        self._opening(container_id)

    def begin(self, container_id: str) -> None:
        """Open them, in the background, if it was not begun yet."""
        self._begun(container_id)

    def port(self, container_id: str) -> int:
        """Where the API will be: as it is expected if that is sure enough, else as it is found when they are open.

        Raises DriverUnreachableError, NoDoorsError.
        """
        with self._lock:
            is_ours = container_id in self._openings
        return self._port if is_ours and self._goes_well else self._outcome(container_id).port

    def wait(self, container_id: str) -> None:
        """Wait until they are open, or cannot be opened."""
        self._begun(container_id).future.exception()

    def take(self, container_id: str) -> Doors:
        """The doors, which are whose who took them. Raises DriverUnreachableError, NoDoorsError."""
        doors = self._outcome(container_id)
        self._opening(container_id).taken = True
        return doors

    def drop(self, container_id: str) -> None:
        """Forget those of a namespace that is about to go, and close them if nobody took them. None is fine."""
        with self._lock:
            opening = self._openings.pop(container_id, None)
        if opening is not None and opening.begun and not opening.taken:
            opening.future.add_done_callback(_close)

    def close(self) -> None:
        """Drop all."""
        with self._lock:
            container_ids = list(self._openings)
        for container_id in container_ids:
            self.drop(container_id)

    def _opening(self, container_id: str) -> _Opening:
        with self._lock:
            return self._openings.setdefault(container_id, _Opening())

    def _begun(self, container_id: str) -> _Opening:
        opening = self._opening(container_id)
        with self._lock:
            if opening.begun:
                return opening
            opening.begun = True
        why = _out_of_reach(is_local=self._engine.is_local)
        if why is None:
            work = partial(self._settle, container_id, opening.future)
            threading.Thread(target=work, name="doors", daemon=True).start()
        else:
            opening.future.set_exception(NoDoorsError(why))
        return opening

    def _outcome(self, container_id: str) -> Doors:
        try:
            return self._begun(container_id).future.result()
        except Exception:
            self.drop(container_id)  # the next one tries anew
            raise

    def _settle(self, container_id: str, future: Future[Doors]) -> None:
        try:
            doors = self._open(container_id)
        except BaseException as error:  # noqa: BLE001 - raised in the thread that wants the doors
            self._goes_well = False
            future.set_exception(error)
        else:
            self._goes_well = True
            future.set_result(doors)

    def _open(self, container_id: str) -> Doors:
        """Enter the namespace and open the doors. Raises DriverUnreachableError, NoDoorsError."""
        try:
            namespace = self._engine.inspect(container_id)
        except RefusedError as refusal:
            raise NoDoorsError(GONE) from refusal
        if not is_running(namespace):
            raise NoDoorsError(GONE)
        known = labels_of(namespace)
        # Where its containers were told to look for the API: for one that an earlier process made, maybe elsewhere.
        port = int(known.get(labels.API_PORT, self._port))
        try:
            netns.enter(int(namespace["State"]["Pid"]), IPv4Address(known[labels.ADDRESS]))
            return _open_here(port)
        except netns.OtherNamespaceError as error:
            raise NoDoorsError(
                f"{error}: the container engine or this emulator seems to be in a container or a virtual machine"
            ) from error
        except OSError as error:
            raise NoDoorsError(f"its network namespace cannot be set up: {error.strerror or error}") from error


def _open_here(port: int) -> Doors:
    """Open the doors of the network namespace that this thread is in. Raises OSError."""
    endpoint = _endpoint()
    try:
        return Doors(port=port, api=netns.listen(LOCALHOST, port), endpoint=endpoint)
    except OSError:
        endpoint.close()
        raise


def _endpoint() -> socket.socket:
    """The socket behind 169.254.170.2:80. The address comes last: where it is, an earlier process has done the rest."""
    if not netns.has(ENDPOINT):
        netns.redirect(_tool() or TOOL, ENDPOINT, ENDPOINT_PORT, BEHIND)
        netns.add(ENDPOINT)
    return netns.listen(ENDPOINT, BEHIND)


def _close(future: Future[Doors]) -> None:
    if future.exception() is None:
        future.result().close()


def _out_of_reach(*, is_local: bool) -> str | None:
    """Why no task's network namespace can be entered from here; None if it may be tried."""
    if not is_local:
        return "the container engine is not on this machine"
    if sys.platform != "linux":
        return "this machine does not run Linux"
    if os.geteuid() != 0:
        return "only root may enter its network namespace: start the emulator as root"
    if _tool() is None:
        return f"{TOOL} is not on this machine: install it"
    return None


def _tool() -> str | None:
    return shutil.which(TOOL, path=TOOL_PATH)
