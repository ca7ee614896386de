"""The path of a request, from the first byte to the answer. This is the page to read first.

A request takes the steps of `RequestPath.steps` in their order, which is the order in which AWS finds mistakes. A step
fills in what it found out, or refuses (ApiError), or answers, and then none follows.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial

from emulator.edge import ecs_json
from emulator.edge.credentials import ECS, ECS_TARGET, NO_ACCOUNT, credential_of, service_without_credential
from emulator.edge.exchange import TEXT, Exchange
from emulator.edge.guards import Guards
from emulator.edge.parts import Parts
from emulator.edge.writer import Writer
from emulator.errors import ApiError
from emulator.operations.operation import Caller

logger = logging.getLogger(__name__)

Step = Callable[[Exchange], Awaitable[None] | None]
"""A step that has to wait for something gives back what to wait for."""

CONTROL_PATH = "/_emulator"
MOST_BODY = 1 << 20
"""The longest body of an ECS call that is read."""
MOST_DROPPED = 256 << 20
"""The most that is taken from a caller before it is told that its body is too long."""

GREETING = b"This is a local Amazon ECS. Point an AWS SDK at this URL, or look at /_emulator/health.\n"


class CallerGoneError(Exception):
    """The caller went away before its request was complete. Nobody waits for an answer."""


class RequestPath:
    """Takes requests down their steps."""

    def __init__(self, parts: Parts, guards: Guards, writer: Writer, control: Callable[[Exchange], Awaitable[None]]):
        self._parts = parts
        self._guards = guards
        self._writer = writer
        self._control = control
        self.steps: tuple[Step, ...] = (
            self.give_request_id,
            self.check_host,
            self.check_origin,
            self.answer_preflight,
            self.hand_over_control,
            self.find_service_and_caller,
            self.hand_over_other_services,
            self.greet_visitors,
            self.check_method_and_path,
            self.find_operation,
            self.read_body,
            self.parse_body,
            self.authorize,
            self.look_around,
            self.perform,
            self.answer,
        )

    async def take(self, exchange: Exchange) -> None:
        """Answer one request, whatever happens."""
        try:
            for step in self.steps:
                waiting = step(exchange)
                if waiting is not None:
                    await waiting
                if exchange.answered:
                    return
        except CallerGoneError:
            return
        except asyncio.CancelledError:  # the server ends, and this has taken longer than it waits
            if exchange.answered:
                raise
            exchange.closing = True
            await _answer_refusal(exchange, ApiError("ServiceUnavailable", "The emulator is stopping.", status=503))
        except ApiError as refusal:
            await _refuse(exchange, refusal)
        except Exception:
            logger.exception("Request %s failed: a defect of the emulator", exchange.request_id)
            if exchange.answered:
                raise  # half an answer is out: the server cuts the connection, so that nobody takes it for a whole one
            await _refuse(exchange, _defect(exchange))

    # The steps, in their order.

    def give_request_id(self, exchange: Exchange) -> None:
        """Every answer, refusals too, carries an id."""
        exchange.request_id = self._parts.ids.uuid()

    def check_host(self, exchange: Exchange) -> None:
        """Only for hosts that are served."""
        self._guards.check_host(exchange.scope, exchange.headers)

    def check_origin(self, exchange: Exchange) -> None:
        """Not for web pages of other sites, unless they may."""
        exchange.origin = self._guards.check_origin(exchange.scope, exchange.headers)

    def answer_preflight(self, exchange: Exchange) -> Awaitable[None] | None:
        """A browser asks on behalf of an allowed page whether the page may call."""
        headers = exchange.headers
        if exchange.method != "OPTIONS" or exchange.origin is None or b"access-control-request-method" not in headers:
            return None
        return exchange.answer(
            200,
            TEXT,
            b"",
            # By the standard, the star does not stand for Authorization.
            (b"access-control-allow-headers", b"*, Authorization"),
            (b"access-control-allow-methods", b"POST, GET, OPTIONS"),
            (b"access-control-max-age", b"600"),
        )

    def hand_over_control(self, exchange: Exchange) -> Awaitable[None] | None:
        """/_emulator is no part of AWS."""
        if exchange.path.startswith(CONTROL_PATH) and exchange.path[len(CONTROL_PATH) :][:1] in {"", "/"}:
            return self._control(exchange)
        return None

    def find_service_and_caller(self, exchange: Exchange) -> None:
        """By the signature's credential scope; without one, by the target, the host or the path."""
        credential = credential_of(exchange.scope, exchange.headers)
        if credential is not None:
            exchange.service = credential.service
            exchange.caller = Caller(
                credential.account, credential.region or self._parts.default_region, credential.key
            )
            exchange.marked = True
        else:
            service = service_without_credential(exchange.headers, exchange.path)
            exchange.service = service or ECS
            exchange.caller = Caller(NO_ACCOUNT, self._parts.default_region)
            exchange.marked = service is not None or b"x-amz-target" in exchange.headers

    def hand_over_other_services(self, exchange: Exchange) -> Awaitable[None] | None:
        """What is not ECS belongs to a neighbour."""
        if exchange.service == ECS:
            return None
        if self._parts.neighbour is not None:
            return self._parts.neighbour(exchange)
        raise ApiError(
            "NotImplementedException", f"This emulator does not serve '{exchange.service[:64]}' yet.", status=501
        )

    def greet_visitors(self, exchange: Exchange) -> Awaitable[None] | None:
        """Somebody looks at the root with a browser."""
        if exchange.path != "/" or exchange.method not in {"GET", "HEAD"} or exchange.marked:
            return None
        return exchange.answer(200, TEXT, GREETING)

    def check_method_and_path(self, exchange: Exchange) -> None:
        """All of ECS is at POST /."""
        if exchange.method != "POST" or exchange.path != "/":
            raise ApiError("UnknownOperationException", "ECS is served at POST / only.", status=404)

    def find_operation(self, exchange: Exchange) -> None:
        """By X-Amz-Target, in its exact case."""
        prefix, _, name = exchange.headers.get(b"x-amz-target", b"").rpartition(b".")
        if prefix != ECS_TARGET:
            raise ApiError("UnknownOperationException", "")
        exchange.handler = self._parts.api.find(name.decode("latin-1"))

    async def read_body(self, exchange: Exchange) -> None:
        """Up to a megabyte."""
        if _declared_length(exchange) > MOST_BODY:
            raise _too_long()
        body = await _next_piece(exchange)
        while not exchange.body_read:
            body += await _next_piece(exchange)
            if len(body) > MOST_BODY:
                raise _too_long()
        exchange.body = body

    def parse_body(self, exchange: Exchange) -> None:
        """JSON to the operation's structure."""
        exchange.request = ecs_json.parse(exchange.handler.name, exchange.body)

    def authorize(self, exchange: Exchange) -> Awaitable[None] | None:
        """Where IAM is enforced, in a thread: policies may have to be looked up."""
        check = self._parts.authorize
        if check is None:
            return None
        return asyncio.get_running_loop().run_in_executor(
            None, check, exchange.handler.name, exchange.request, exchange.caller
        )

    def look_around(self, exchange: Exchange) -> Awaitable[None] | None:
        """What an operation must know of other services is asked in a thread, while nobody waits but its caller."""
        if exchange.handler.looks is None:
            return None
        return asyncio.get_running_loop().run_in_executor(None, self._look, exchange)

    def perform(self, exchange: Exchange) -> Awaitable[None] | None:
        """What only looks is done at once. What may change something waits for the disk: that is done in a thread."""
        if exchange.handler.writes:
            return self._writer.do(partial(self._perform, exchange))
        self._perform(exchange)
        return None

    def answer(self, exchange: Exchange) -> Awaitable[None]:
        """The operation's answer."""
        return exchange.answer(200, ecs_json.CONTENT_TYPE, exchange.result)

    # What the steps share.

    def _look(self, exchange: Exchange) -> None:
        exchange.found = self._parts.api.look(exchange.handler, exchange.request, exchange.caller)

    def _perform(self, exchange: Exchange) -> None:
        answer = self._parts.api.perform(exchange.handler, exchange.request, exchange.caller, exchange.found)
        exchange.result = answer if isinstance(answer, bytes) else answer.to_json()


async def _refuse(exchange: Exchange, refusal: ApiError) -> None:
    try:
        await _drop_rest(exchange)
    except CallerGoneError:
        return
    await _answer_refusal(exchange, refusal)


async def _answer_refusal(exchange: Exchange, refusal: ApiError) -> None:
    body = ecs_json.error_body(refusal.code, refusal.message, refusal.members)
    await exchange.answer(refusal.status, ecs_json.CONTENT_TYPE, body)


async def _next_piece(exchange: Exchange) -> bytes:
    exchange.body_asked = True
    message = await exchange.receive()
    if message["type"] == "http.disconnect":
        raise CallerGoneError
    exchange.body_read = not message.get("more_body", False)
    piece: bytes = message.get("body", b"")
    return piece


async def _drop_rest(exchange: Exchange) -> None:
    """Take what is still being sent: a caller who is sending does not see an answer before it is done.

    A caller who waits to be asked for its body (Expect), and one who sends without end, is cut off after the answer.
    """
    dropped = 0
    waits = not exchange.body_asked and b"expect" in exchange.headers
    exchange.closing = waits or _declared_length(exchange) > MOST_DROPPED
    while not exchange.body_read and not exchange.closing:
        dropped += len(await _next_piece(exchange))
        exchange.closing = dropped > MOST_DROPPED


def _declared_length(exchange: Exchange) -> int:
    length = exchange.headers.get(b"content-length", b"")
    return int(length) if length.isdigit() and len(length) < 20 else 0


def _too_long() -> ApiError:
    return ApiError("RequestEntityTooLargeException", f"The body is longer than {MOST_BODY} bytes.", status=413)


def _defect(exchange: Exchange) -> ApiError:
    return ApiError(
        "ServerException",
        "This is a defect of the emulator, not of the request. "
        f"Its log says more under the request id {exchange.request_id}.",
        status=500,
    )
