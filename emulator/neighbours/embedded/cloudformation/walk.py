"""In which order things happen that need each other. Pure."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping

Work = Generator[None, None, None]
"""Something that is done step by step: it stops wherever it has to wait, and goes on when it is asked to."""


def in_order(needs: Mapping[str, set[str]], begin: Callable[[str], None], is_done: Callable[[str], bool]) -> Work:
    """Begin each as soon as all that it needs are done; stop while nothing but time helps.

    What `begin` or `is_done` raises ends it. Whoever needs each other in a circle is never begun.
    """
    waiting = dict(needs)
    under_way: list[str] = []
    done: set[str] = set()
    while True:
        before = len(done)
        under_way = [name for name in under_way if not _is_done(name, is_done, done)]
        for name in [name for name, wanted in waiting.items() if wanted <= done]:
            del waiting[name]
            begin(name)
            if not _is_done(name, is_done, done):
                under_way.append(name)
        if len(done) > before:
            continue
        if not under_way:
            return
        yield


def _is_done(name: str, is_done: Callable[[str], bool], done: set[str]) -> bool:
    if is_done(name):
        done.add(name)
        return True
    return False
