"""Keeps what calls made, and does them again in a new process.

A call that changed something is written to the journal when it has succeeded and before its caller hears of it, under
the lock of its service: whatever builds on it comes after it. It was given one moment and a seed of its own, so that
done again it makes the same ids, keys and dates.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Callable, MutableMapping
from dataclasses import replace
from functools import cache
from importlib.metadata import version
from typing import Any

from emulator.clock import Clock
from emulator.ids import Ids
from emulator.neighbours.answers import Answer
from emulator.neighbours.embedded.chance import draws_of
from emulator.neighbours.embedded.given import Given, given_now, giving
from emulator.neighbours.embedded.keeping.changes import Asked, asked, is_kept
from emulator.neighbours.embedded.keeping.dynamodb import put_again
from emulator.neighbours.embedded.keeping.effects import entries, is_vain
from emulator.neighbours.embedded.keeping.heads import head_of, request_of
from emulator.neighbours.embedded.keeping.stand_ins import stand_in
from emulator.neighbours.embedded.models import forget_everything
from emulator.neighbours.journal import Journal, KeptCall
from emulator.neighbours.ports import Place, ServiceRefusedError

logger = logging.getLogger(__name__)

Environ = MutableMapping[str, Any]
Perform = Callable[[str, Environ], Answer]
"""Has a service (by moto's name) answer a request."""
Step = Callable[[Place], bool]
"""Goes on with what is under way in a service at a place. Says whether anything was."""

STEP = "(goes on)"
"""Stands for an operation where a step was kept."""

NOT_KEPT = (
    "Of what other AWS services hold, these do not survive a restart: messages in queues, log events, metric data, "
    "records of streams, events, executions and jobs, exports, imported tables, sessions of Cognito users, and when a "
    "thing was last used."
)

STACKS = "cloudformation"
"""Its calls make things of any service."""

CODE = re.compile(rb"<Code>([\w.]+)</Code>|\"(?:__type|code|Code)\": ?\"(?:[^\"]*#)?([\w.]+)\"")
"""The code of an error, in XML and in JSON."""


class Keeper:
    """What one emulator keeps of its other services."""

    def __init__(self, journal: Journal, clock: Clock, ids: Ids) -> None:
        self._journal = journal
        self._clock = clock
        self._ids = ids
        self._resets = 0
        self._services = cache(journal.services)  # asked only while nothing has been written
        self.steps: dict[str, Step] = {}
        """How services (by moto's names) go on between requests, where they do."""
        self._under_way = False
        self.is_up_to_date = False
        """Was everything done again that earlier processes kept?"""

    def kept(self, backend: str, place: Place, environ: Environ, perform: Perform) -> Answer:
        """Have a request answered, and keep it if it changes something. The caller holds the service's lock.

        A request in the midst of another one is a part of that. Raises ServiceRefusedError for what was done but
        cannot be kept.
        """
        call = None if given_now() is not None else self._to_keep(backend, place, environ)
        if call is None:
            return perform(backend, environ)
        stand_in()
        resets = self._resets
        given = Given(draws_of(call.seed), call.at)
        with giving(given):
            answer = perform(backend, environ)
        if int(answer[0][:3]) < 400 and resets == self._resets:
            self._write(replace(call, told=given.told), answer[2])
        return answer

    def step(self, backend: str, place: Place) -> None:
        """Have a service go on by itself, and keep that it did. The caller holds the service's lock.

        Raises ServiceRefusedError as `kept` does.
        """
        take = self.steps[backend]
        if given_now() is not None:
            take(place)
            return
        call = self._call(backend, place, Asked(STEP, {}), {}, b"")
        given = Given(draws_of(call.seed), call.at)
        with giving(given):
            was_under_way = take(place)
        if was_under_way:
            self._write(replace(call, told=given.told), b"")

    def _to_keep(self, backend: str, place: Place, environ: Environ) -> KeptCall | None:
        """The call that a request is, if it will change something that is kept."""
        body = environ["wsgi.input"].getvalue()
        what = asked(environ, backend, body)
        if not is_kept(what.operation):
            return None
        call = self._call(backend, place, what, head_of(environ), body)
        return None if is_vain(call) else call

    def _call(self, backend: str, place: Place, what: Asked, head: dict[str, Any], body: bytes) -> KeptCall:
        return KeptCall(
            backend=backend,
            place=place,
            operation=what.operation,
            labels=what.labels,
            at=self._clock.now(),
            seed=int(self._ids.hex(32), 16),
            environ=head,
            body=body,
        )

    def _write(self, call: KeptCall, answer: bytes) -> None:
        try:
            self._journal.add(entries(call, answer))
        except OSError as error:
            logger.error("%s %s was done, but will not survive: %s", call.backend, call.operation, error)  # noqa: TRY400
            message = "This was done, but cannot be kept: the emulator's log says why."
            raise ServiceRefusedError(call.operation, "InternalFailure", message, 500) from error

    def bring_back(self, perform: Perform) -> None:
        """Do again what earlier processes kept, unless that was done. For one thread at a time, which may come again.

        Raises OSError when the journal cannot be read.
        """
        if self.is_up_to_date or self._under_way:
            return
        self._under_way = True
        try:
            forget_everything()
            self._warn_of_another_moto()
            outcomes = Counter(self._done_again(call, perform) for call in self._journal.calls(self._clock.now()))
            self.is_up_to_date = True
        finally:
            self._under_way = False
        for failure, times in outcomes.items():
            if failure is not None:
                logger.warning("Kept of another AWS service, but could not be done again: %s, %d times", failure, times)

    def _done_again(self, call: KeptCall, perform: Perform) -> str | None:
        """Do a call again. Returns what failed, and how; None when it went as before."""
        stand_in()
        given = Given(draws_of(call.seed), call.at, told=[dict(each) for each in call.told], again=True)
        try:
            with giving(given):
                return self._failure(call, perform)
        except Exception as error:
            logger.debug("%s %s failed when it was done again", call.backend, call.operation, exc_info=error)
            return f"{call.backend} {call.operation} ({type(error).__name__})"

    def _failure(self, call: KeptCall, perform: Perform) -> str | None:
        if call.operation == STEP:
            self.steps[call.backend](call.place)
            return None
        if (call.backend, call.operation) == ("dynamodb", "PutItem"):
            put_again(call)
            return None
        status, _, body = perform(call.backend, request_of(call))
        if int(status[:3]) < 400:
            return None
        code = CODE.search(body)
        return f"{call.backend} {call.operation} ({(code[1] or code[2]).decode() if code else status})"

    def _warn_of_another_moto(self) -> None:
        before = self._journal.made_by(version("moto"))
        if before is not None:
            logger.warning(
                "What other AWS services held was made by moto %s; done again by moto %s, ids may be others.",
                before,
                version("moto"),
            )

    def holds(self, backend: str, place: Place) -> bool:
        """Was something kept of a service (by moto's name) at a place that is still to be done again?"""
        if self.is_up_to_date:
            return False
        return not self._services().isdisjoint({(backend, place), (STACKS, place)})

    def forget(self) -> None:
        """Forget what was kept. Raises OSError."""
        self._resets += 1
        self._journal.clear()
        self.is_up_to_date = True

    def close(self) -> None:
        """Let go of the file."""
        self._journal.close()
