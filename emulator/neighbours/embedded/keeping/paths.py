"""What calls are about, as paths whose parts may hold anything."""

from __future__ import annotations

from urllib.parse import quote


def path(*parts: str) -> str:
    """A path of these parts."""
    return "/".join(quote(part.encode("utf-8", "surrogatepass"), safe="") for part in parts)


def folder(*parts: str) -> str:
    """A path that others are below."""
    return f"{path(*parts)}/"
