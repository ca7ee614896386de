"""Work that is done in a thread, for whoever waits on the loop."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from emulator.edge.writer import Work, Writer


class Held:
    """Work that keeps the thread busy until it may go on."""

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.begun.set()
        assert self.go_on.wait(30)


@asynccontextmanager
async def busy(writer: Writer) -> AsyncIterator[None]:
    """A writer's thread is at work inside the block, and not any more behind it."""
    held = Held()
    first = asyncio.create_task(writer.do(held))
    assert await asyncio.to_thread(held.begun.wait, 30)
    yield
    held.go_on.set()
    await first


async def asked(writer: Writer, *works: Work) -> list[asyncio.Task[None]]:
    """Tasks that wait for these pieces of work."""
    tasks = [asyncio.create_task(writer.do(work)) for work in works]
    await asyncio.sleep(0)
    return tasks


def failing(error: Exception) -> Work:
    def work() -> None:
        raise error

    return work


def test_work_is_done_in_the_order_in_which_it_was_asked_for():
    done = []

    async def main():
        writer = Writer()
        async with busy(writer):
            waiting = await asked(writer, *(lambda number=number: done.append(number) for number in range(100)))
        await asyncio.gather(*waiting)
        await writer.close()

    asyncio.run(main())
    assert done == list(range(100))


@pytest.mark.parametrize("error", [KeyError("x"), StopIteration()], ids=["an error", "an error that ends loops"])
def test_an_error_comes_to_who_asked_and_the_others_have_their_work_done(error):
    done = []

    async def main():
        writer = Writer()
        async with busy(writer):
            waiting = await asked(writer, failing(error), lambda: done.append("second"))
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        await writer.do(lambda: done.append("later"))
        await writer.close()
        return outcomes

    bad, good = asyncio.run(main())
    assert error in (bad, bad.__cause__)
    assert good is None
    assert done == ["second", "later"]


def test_work_that_nobody_waits_for_any_more_is_left_undone():
    done = []

    async def main():
        writer = Writer()
        async with busy(writer):
            given_up, wanted = await asked(writer, lambda: done.append("given up"), lambda: done.append("wanted"))
            given_up.cancel()
        await wanted
        await writer.close()

    asyncio.run(main())
    assert done == ["wanted"]


def test_closing_waits_for_what_is_being_done_and_for_nothing_that_was_given_up(caplog):
    done = []

    async def main():
        writer = Writer()
        held = Held()
        running, given_up = await asked(writer, held, lambda: done.append("given up"))
        assert await asyncio.to_thread(held.begun.wait, 30)
        (waiting,) = await asked(writer, lambda: done.append("waiting"))
        for task in (given_up, waiting):
            task.cancel()
        closing = asyncio.create_task(writer.close())
        await asyncio.sleep(0)
        assert not closing.done()
        held.go_on.set()
        await closing
        await running

    asyncio.run(main())
    assert done == []
    assert not caplog.records
