"""While a call is done again nothing passes through the services: messages, invocations and records had their time."""

from __future__ import annotations

import functools
from collections.abc import Callable
from importlib import import_module
from typing import Any

from emulator.neighbours.embedded.given import is_done_again

ENTRANCES = {
    "awslambda": [("models", "LambdaFunction", "invoke")],
    "dynamodb": [("models.table", "StreamShard", "add")],
    "events": [("models", "EventsBackend", "put_events"), ("notifications", "", "_send_safe_notification")],
    "firehose": [("models", "FirehoseBackend", "send_log_event")],
    "kinesis": [("models", "KinesisBackend", "send_log_event")],
    "sns": [("models", "SNSBackend", "publish")],
    "sqs": [("models", "SQSBackend", "send_message")],
    "stepfunctions": [("models", "StepFunctionBackend", "start_execution")],
}
"""Where other services of moto let something into one (by moto's name): module, class, function."""


def be_quiet(service: str) -> None:
    """Close the entrances of a service to calls that are done again. Call it when its models are imported."""
    for module, owner, name in ENTRANCES[service]:
        found: Any = import_module(f"moto.{service}.{module}")
        place = getattr(found, owner) if owner else found
        setattr(place, name, _closed(getattr(place, name)))


def _closed(entrance: Callable[..., Any]) -> Callable[..., Any]:
    if hasattr(entrance, "closes"):  # for another emulator in this process
        return entrance

    @functools.wraps(entrance)
    def closed(*values: Any, **named: Any) -> Any:
        return None if is_done_again() else entrance(*values, **named)

    closed.closes = True  # type: ignore[attr-defined]
    return closed
