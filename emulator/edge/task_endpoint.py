"""What one task sees at 169.254.170.2: its credentials. As ECS's agent has it, in its sources.

A task's sockets listen inside of its own network namespace, so whoever comes to one is code of that task.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from emulator.edge.exchange import TEXT, Receive, Scope, Send
from emulator.errors import ApiError

logger = logging.getLogger(__name__)

JSON = b"application/json"
NOT_FOUND = b"404 page not found\n"

ESCAPED = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}
"""What Go's JSON writes by its number."""


@dataclass(frozen=True, slots=True)
class Inside:
    """What a task may ask for, answered by functions that may block. They are given the task's ARN."""

    credentials: Callable[[str, str], Mapping[str, object]]
    """The credentials of an id, as SDKs read them. Raises ApiError."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer."""

    status: int
    body: bytes
    content_type: bytes = JSON


def credentials(inside: Inside, task_arn: str, id_: str) -> Reply:
    """The task role's credentials."""
    if not id_:
        return refused("NoIdInRequest", "CredentialsV2Request: No Credential ID in the request", 400)
    try:
        found = inside.credentials(task_arn, id_)
    except ApiError as refusal:
        return refused(refusal.code, f"CredentialsV2Request: {refusal.message}", refusal.status)
    return Reply(200, go_json(found))


def refused(code: str, message: str, status: int) -> Reply:
    """An error as an object, with its status within."""
    return Reply(status, go_json({"code": code, "message": message, "HTTPErrorCode": status}))


ROUTES: tuple[tuple[re.Pattern[str], Callable[..., Reply]], ...] = (
    (re.compile(r"/v2/credentials/(?P<id_>.*)", re.DOTALL), credentials),
)
"""Paths, and who answers them: with `Inside`, the task's ARN, and the groups of the path."""


class TaskEndpoint:
    """The ASGI application at one task's socket. Methods do not matter."""

    def __init__(self, task_arn: str, inside: Inside) -> None:
        self._task_arn = task_arn
        self._inside = inside

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer a request."""
        reply = await asyncio.to_thread(self._reply, scope["path"])
        headers = [(b"content-type", reply.content_type), (b"content-length", b"%d" % len(reply.body))]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})

    def _reply(self, path: str) -> Reply:
        for pattern, answer in ROUTES:
            found = pattern.fullmatch(path)
            if found is not None:
                try:
                    return answer(self._inside, self._task_arn, **found.groupdict())
                except Exception:
                    logger.exception("%s asked for %s: a defect of the emulator", self._task_arn, pattern.pattern)
                    return refused("InternalServerError", "Internal server error", 500)
        return Reply(404, NOT_FOUND, TEXT)


def go_json(value: object) -> bytes:
    """JSON as the agent writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(ESCAPED).encode()
