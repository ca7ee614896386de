"""Where chance comes in. No other module makes an identifier out of nothing."""

from __future__ import annotations

import secrets
import uuid
from typing import Protocol


class Ids(Protocol):
    """Makes the identifiers that AWS would make."""

    def hex(self, digits: int) -> str:
        """Lower-case hexadecimal digits: task ids (32), ENI ids (17)."""
        ...

    def uuid(self) -> str:
        """A UUID with dashes: request, container and attachment ids."""
        ...


def derived_uuid(secret: str, name: str) -> str:
    """The UUID of a name: the same each time, and foreseen by nobody who does not know the secret, a UUID itself."""
    return str(uuid.uuid5(uuid.UUID(secret), name))


class RandomIds:
    """Identifiers that nobody can foresee."""

    def hex(self, digits: int) -> str:
        """Lower-case hexadecimal digits."""
        return secrets.token_hex((digits + 1) // 2)[:digits]

    def uuid(self) -> str:
        """A UUID, version 4, with dashes."""
        return str(uuid.uuid4())
