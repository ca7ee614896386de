"""How moto keeps its models, and how it is made to forget them."""

from __future__ import annotations

import sys
from typing import Any, cast

from emulator.neighbours.ports import Place

NOBODY = "0"
"""An account that no caller can have; moto wants it to be a number."""


def keep_no_track() -> None:
    """Have moto not remember every object it ever made, message and log line, for a dashboard that we do not show."""
    from moto.core.common_models import BaseModel

    def make(cls: type[Any], *_arguments: object, **_named: object) -> Any:
        return object.__new__(cls)

    BaseModel.__new__ = make  # type: ignore[method-assign]


def read_routes_of_nobody() -> None:
    """Moto makes a backend of each service only to read the service's addresses off it: not in a user's account."""
    from moto.moto_server import werkzeug_app

    cast("Any", werkzeug_app).DEFAULT_ACCOUNT_ID = NOBODY


def made(service: str, place: Place) -> Any:
    """A service's backend of a place if there is one already, else None. Imports nothing and waits for nothing."""
    core = sys.modules.get("moto.core.base_backend")
    for book in list(core.BackendDict._instances) if core else ():  # noqa: SLF001 - the only list of them
        if book.service_name == service:
            return dict.get(dict.get(book, place.account, {}), place.region)
    return None


def forget_everything() -> None:
    """Drop every backend of every account and region; they are made anew when they are next asked for."""
    core = sys.modules.get("moto.core.base_backend")
    if core is None:
        return
    _close_objects()
    instances: list[Any] = core.BackendDict._instances  # noqa: SLF001 - the only list of them
    for book in list(instances):
        book.clear()
    instances.clear()


def _close_objects() -> None:
    """Each object of S3 is an open file; and the names of buckets are kept beside the backends."""
    s3 = sys.modules.get("moto.s3.models")
    if s3 is None:
        return
    for _account, _partition, backend in list(s3.s3_backends.iter_backends()):
        backend.reset()
    s3.s3_backends.bucket_accounts.clear()
