"""CloudWatch Logs, as ECS asks it."""

from __future__ import annotations

from collections.abc import Sequence

from emulator.neighbours.clients import Clients
from emulator.neighbours.ports import LogEvent, Place, ServiceRefusedError

EXISTS = "ResourceAlreadyExistsException"


class CloudWatchLogs:
    """Log groups and streams. See emulator.neighbours.ports.Logs for every method."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def create_group(self, place: Place, group: str) -> None:
        """Make a log group."""
        try:
            with self._clients.asking("logs", place) as logs:
                logs.create_log_group(logGroupName=group)
        except ServiceRefusedError as refusal:
            if refusal.code != EXISTS:
                raise

    def create_stream(self, place: Place, group: str, stream: str) -> None:
        """Make a log stream."""
        try:
            with self._clients.asking("logs", place) as logs:
                logs.create_log_stream(logGroupName=group, logStreamName=stream)
        except ServiceRefusedError as refusal:
            if refusal.code != EXISTS:
                raise

    def put(self, place: Place, group: str, stream: str, events: Sequence[LogEvent]) -> bool:
        """Append events."""
        entries = [{"timestamp": event.at, "message": event.message} for event in events]
        with self._clients.asking("logs", place) as logs:
            answer = logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=entries)
        return not answer.get("rejectedLogEventsInfo")

    def latest(self, place: Place, group: str, stream: str, most: int) -> list[LogEvent]:
        """The last events of a stream."""
        with self._clients.asking("logs", place) as logs:
            answer = logs.get_log_events(logGroupName=group, logStreamName=stream, limit=most, startFromHead=False)
        return [LogEvent(event["timestamp"], event["message"]) for event in answer["events"]]
