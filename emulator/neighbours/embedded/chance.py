"""Ids that are the same every time, out of moto's one generator of random numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def drawn_from(*what: str) -> Iterator[None]:
    """Let moto's random numbers follow from these words alone, and those after it be as if none had been drawn."""
    from moto.moto_api._internal import mock_random

    state = mock_random.getstate()
    mock_random.seed(hashlib.sha256("/".join(what).encode()).hexdigest())
    try:
        yield
    finally:
        mock_random.setstate(state)
