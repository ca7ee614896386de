"""Tokens with which a caller asks for the next page."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Sequence

from emulator.errors import ApiError
from emulator.state.record import Key


class Tokens:
    """Makes tokens that only this emulator accepts, and only for the question that they were made for.

    A token holds the key of the last record shown, so the next page begins behind it whatever was added or removed
    meanwhile, and nothing is remembered for it.
    """

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def make(self, question: Sequence[object], last: Key) -> str:
        """The token for the page behind a record."""
        text = json.dumps(last, separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(self._sign(question, text) + text).decode()

    def read(self, question: Sequence[object], token: str | None) -> Key | None:
        """The key that a token stands for; None without one. Raises InvalidParameterException for a foreign one."""
        if not token:
            return None
        try:
            found = base64.b64decode(token, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            found = b""
        signature, text = found[:16], found[16:]
        if not hmac.compare_digest(signature, self._sign(question, text)):
            # The sentence is inferred.
            raise ApiError("InvalidParameterException", "Invalid token")
        return tuple(json.loads(text))

    def _sign(self, question: Sequence[object], text: bytes) -> bytes:
        asked = json.dumps(question, separators=(",", ":")).encode()
        return hmac.digest(self._secret, hashlib.sha256(asked).digest() + text, "sha256")[:16]


def page_size(asked: int | None, *, default: int = 100, most: int = 100) -> int:
    """How many items a page may have. Raises InvalidParameterException out of bounds (text inferred)."""
    if asked is None:
        return default
    if not 1 <= asked <= most:
        raise ApiError("InvalidParameterException", f"maxResults should be between 1 and {most}")
    return asked
