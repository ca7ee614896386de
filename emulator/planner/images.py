"""The names of images."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ECR_NAME = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/(?P<short>.+)"
)


@dataclass(frozen=True, slots=True)
class EcrImage:
    """An image of ECR: its registry's account and region, and its name without the registry."""

    account: str
    region: str
    short: str

    @property
    def repository(self) -> str:
        """The repository's name."""
        return split_name(self.short)[0]


def read_ecr_name(image: str) -> EcrImage | None:
    """The parts of an ECR image's name; None for an image of another registry, ECR's public gallery included."""
    found = _ECR_NAME.fullmatch(image)
    return EcrImage(found["account"], found["region"], found["short"]) if found else None


def split_name(image: str) -> tuple[str, str]:
    """A reference's repository, and its tag or digest; `latest` for one that has neither."""
    name, _, digest = image.partition("@")
    head, colon, tag = name.rpartition(":")
    repository, tag = (head, tag) if colon and "/" not in tag else (name, "latest")
    return repository, digest or tag


def full_reference(image: str) -> str:
    """An image's reference with the registry, repository and tag that a short one leaves out."""
    name, at, digest = image.partition("@")
    first, slash, _ = name.partition("/")
    if not slash:
        name = f"docker.io/library/{name}"
    elif not ("." in first or ":" in first or first == "localhost"):
        name = f"docker.io/{name}"
    if at:
        return f"{name}@{digest}"
    return name if ":" in name.rsplit("/", 1)[1] else f"{name}:latest"
