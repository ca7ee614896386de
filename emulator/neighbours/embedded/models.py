"""How moto keeps its models, and how it is made to forget them."""

from __future__ import annotations

import sys
from typing import Any, cast


def keep_no_track() -> None:
    """Have moto not remember every object it ever made, message and log line, for a dashboard that we do not show."""
    from moto.core.common_models import BaseModel

    def make(cls: type[Any], *_arguments: object, **_named: object) -> Any:
        return object.__new__(cls)

    BaseModel.__new__ = make  # type: ignore[method-assign]


def forget_everything() -> None:
    """Drop every backend of every account and region; they are made anew when they are next asked for."""
    from moto.core.base_backend import BackendDict

    _forget_objects()
    instances: list[Any] = cast("Any", BackendDict)._instances  # noqa: SLF001 - the only list of them
    for book in list(instances):
        book.clear()
    instances.clear()


def _forget_objects() -> None:
    """Close the files that hold the objects of S3, and forget the names of buckets, which are kept beside backends."""
    s3 = sys.modules.get("moto.s3.models")
    if s3 is not None:
        for _, _, backend in list(s3.s3_backends.iter_backends()):
            backend.reset()
        s3.s3_backends.bucket_accounts.clear()
