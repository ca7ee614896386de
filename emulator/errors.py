"""The refusals that reach a caller of the API."""

from __future__ import annotations

from collections.abc import Mapping


class ApiError(Exception):
    """A call that AWS would refuse: the error's code, AWS's sentence, and the HTTP status.

    `members` are what the error carries beside its message (ConflictException: resourceIds).
    """

    def __init__(
        self, code: str, message: str, *, status: int = 400, members: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.members = dict(members or {})
