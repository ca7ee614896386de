"""From what a caller names a resource by, a short name or an ARN, to the resource's key."""

from __future__ import annotations

from emulator.errors import ApiError
from emulator.operations.operation import Caller
from emulator.state.arns import Arn, read_arn


def arn_of(text: str, resource: str, caller: Caller) -> Arn | None:
    """An ARN of a resource of this kind; None for a short name.

    Raises InvalidParameterException for anything that begins like an ARN and is none, or is of another kind, account
    or region.
    """
    if not text.startswith("arn:"):
        return None
    found = read_arn(text)
    # All but the sentence about regions were observed in public issues.
    if found is None:
        raise ApiError("InvalidParameterException", "Invalid identifier: Unexpected number of separators")
    if found.resource != resource:
        raise ApiError("InvalidParameterException", f"Unsupported resource type: {found.resource}")
    if found.account != caller.account:
        raise ApiError("InvalidParameterException", "AccountIDs mismatch")
    if found.region != caller.region:
        raise ApiError("InvalidParameterException", "Region mismatch")
    return found
