"""Whose an access key is."""

from __future__ import annotations

import sys


def owner_of(key: str) -> str | None:
    """The account whose IAM or STS gave out a key; None for an unknown one. Imports nothing and waits for nothing."""
    return next((account for account, keys in _books() if key in keys), None)


def owners() -> dict[str, str]:
    """The accounts of all access keys."""
    return {key: account for account, keys in _books() for key in list(keys)}


def _books() -> list[tuple[str, dict[str, object]]]:
    """Each account with access keys of it. Copies, as other threads may add an account or a partition meanwhile."""
    models = sys.modules.get("moto.iam.models")
    if models is None:
        return []
    return [
        (str(account), backend.access_keys)
        for account, partitions in list(models.iam_backends.items())
        for backend in list(partitions.values())
    ]
