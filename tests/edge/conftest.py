"""The edge that most tests share."""

from collections.abc import Iterator

import pytest

from tests.edge.clients import serving


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    """An edge for tests that need nothing special; it keeps nothing."""
    with serving() as shared:
        yield shared
