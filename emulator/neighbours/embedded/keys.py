"""Whose an access key is."""

from __future__ import annotations

import sys


def owner_of(key: str) -> str | None:
    """The account whose IAM or STS gave out a key; None for an unknown one. Imports nothing and waits for nothing."""
    models = sys.modules.get("moto.iam.models")
    if models is None:
        return None
    # Copies, as other threads may add an account or a partition meanwhile.
    for account, partitions in list(models.iam_backends.items()):
        if any(key in backend.access_keys for backend in list(partitions.values())):
            return str(account)
    return None
