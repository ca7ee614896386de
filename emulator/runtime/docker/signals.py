"""Ending a container from outside."""

from __future__ import annotations

import logging
from typing import Any

from emulator.runtime.docker.engine import RefusedError
from emulator.runtime.docker.observe import is_running
from emulator.runtime.docker.setting import Setting

logger = logging.getLogger(__name__)


class Signals:
    """Sends signals to an emulator's containers."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._engine = setting.engine
        self._known = setting.known

    def send(self, task_arn: str, container: str, *, kill: bool) -> None:
        """As Driver.signal."""
        container_id = self._setting.container_id(task_arn, container)
        try:
            if container_id is not None:
                self._send(container_id, kill=kill)
        except RefusedError as refusal:
            if refusal.status not in (404, 409):  # gone, or not running
                logger.warning("container %s of %s takes no signal: %s", container, task_arn, refusal.words)

    def _send(self, container_id: str, *, kill: bool) -> None:
        signal = "SIGKILL" if kill else _stop_signal(self._engine.inspect(container_id))
        if kill:
            self._known.killing(container_id)
        if signal is not None:
            with self._engine.asking() as api:
                api.kill(container_id, signal)


def _stop_signal(container: dict[str, Any]) -> str | None:
    """The signal that asks an inspected container to stop: its image's, by default SIGTERM. None if it has ended."""
    return (container["Config"].get("StopSignal") or "SIGTERM") if is_running(container) else None
