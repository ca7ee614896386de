"""Has work done in a thread of its own, so that calls that only look never wait for the disk.

To hand a piece over to the thread, and its outcome back, takes longer than most pieces do. So what comes up while the
thread is at work waits, and then goes over and comes back together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

Work = Callable[[], None]
Outcome = asyncio.Future[BaseException | None]
"""What the work raised. Cancelled when nobody waits for it any more."""


class Writer:
    """One thread, and the work that waits for it. To be called on the server's loop."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="write")
        self._waiting: list[tuple[Work, Outcome]] = []
        self._busy = False

    async def do(self, work: Work) -> None:
        """Have this done after all that was asked for before. Raises what it raises.

        Whoever is cancelled before the work has begun has it left undone.
        """
        loop = asyncio.get_running_loop()
        outcome: Outcome = loop.create_future()
        self._waiting.append((work, outcome))
        if not self._busy:
            self._busy = True
            loop.call_soon(self._hand_over)  # with what else the loop has read in this round
        error = await outcome
        if error is not None:
            raise error

    async def close(self) -> None:
        """Wait for what is being done. Nothing can be asked for afterwards."""
        await asyncio.to_thread(self._thread.shutdown)

    def _hand_over(self) -> None:
        batch, self._waiting = self._waiting, []
        done = asyncio.get_running_loop().run_in_executor(self._thread, _do_all, batch)
        done.add_done_callback(lambda done: self._take_back(batch, done.result()))

    def _take_back(self, batch: Sequence[tuple[Work, Outcome]], errors: Sequence[BaseException | None]) -> None:
        for (_, outcome), error in zip(batch, errors, strict=True):
            if not outcome.cancelled():
                outcome.set_result(error)
        self._waiting = [(work, outcome) for work, outcome in self._waiting if not outcome.cancelled()]
        self._busy = bool(self._waiting)
        if self._busy:
            self._hand_over()


def _do_all(batch: Sequence[tuple[Work, Outcome]]) -> list[BaseException | None]:
    return [None if outcome.cancelled() else _error_of(work) for work, outcome in batch]


def _error_of(work: Work) -> BaseException | None:
    try:
        work()
    except BaseException as error:  # noqa: BLE001 - raised again where somebody waits for this work
        return error
    return None
