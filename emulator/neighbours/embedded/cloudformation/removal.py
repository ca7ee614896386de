"""In which order resources are removed. Pure."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping

from emulator.neighbours.embedded.cloudformation.resource_types import ResourceError
from emulator.neighbours.embedded.cloudformation.stack import Resource
from emulator.neighbours.embedded.cloudformation.walk import Work

Refusals = list[tuple[Resource, str]]
"""Resources that could not be removed, and why."""


def removed(
    resources: Iterable[Resource], needs: Mapping[str, set[str]], remove: Callable[[Resource], Work]
) -> Generator[None, None, Refusals]:
    """Remove each after all that need it. One that refuses is asked again after another is gone.

    `needs`: for each logical id, those that it needs. `remove` raises ResourceError.
    """
    remaining = list(resources)
    refusals: Refusals = []
    gone = True
    while remaining and gone:
        refusals, gone = [], False
        for resource in reversed(list(remaining)):
            if any(resource.logical_id in needs.get(other.logical_id, ()) for other in remaining):
                continue
            try:
                yield from remove(resource)
            except ResourceError as error:
                refusals.append((resource, str(error)))
                continue
            remaining = [other for other in remaining if other is not resource]
            gone = True
    return refusals
