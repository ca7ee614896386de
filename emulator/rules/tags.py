"""What operations refuse about tags."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import api_models as ecs
from emulator.rules.parameters import first_duplicate
from emulator.rules.rule import broken, enforce, rule
from emulator.rules.shared import SharedRules

MOST_TAGS = 50
LONGEST_KEY = 128
LONGEST_VALUE = 256
RESERVED = "aws:"

REGISTRATION = "RegisterTaskDefinition:tags"

TAGS = SharedRules()
"""What holds for every list of tags. An operation adds them to its own guard."""

Found = Mapping[str, object] | None


class Tagged(Protocol):
    """A request with tags."""

    @property
    def tags(self) -> tuple[ecs.Tag, ...] | None:
        """The tags given."""
        ...


@dataclass(frozen=True, slots=True)
class Tagging:
    """The facts for TagResource: the tags given, and how many the resource would have then."""

    tags: tuple[ecs.Tag, ...] | None
    in_all: int


def refuse_tags(operation: str, tags: tuple[ecs.Tag, ...] | None, *, in_all: int) -> None:
    """Raise what TagResource answers to tags that it does not take."""
    enforce(operation, Tagging(tags, in_all))


@TAGS.rule(
    refuse="InvalidParameterException",
    says="Tag key can not be blank.",
    evidence="inferred: the form of `Family can not be blank.`",
)
def tags_have_keys(given: Tagged) -> Found:
    """A tag has a key."""
    return None if all(tag.key for tag in given.tags or ()) else broken()


@TAGS.rule(
    refuse="InvalidParameterException",
    says="Some tags contain invalid characters.",
    evidence="observed 2024-04: PrefectHQ/prefect issue 13174 (RunTask)",
)
def tags_have_valid_characters(given: Tagged) -> Found:
    """Keys and values have letters, digits and spaces of all scripts, and some signs."""
    return None if all(map(_valid, _texts(given.tags))) else broken()


def _texts(tags: Iterable[ecs.Tag] | None) -> Iterable[str]:
    for tag in tags or ():
        yield tag.key or ""
        yield tag.value or ""


def _valid(text: str) -> bool:
    return all(sign in "_.:/=+-@" or unicodedata.category(sign)[0] in "LZN" for sign in text)


@TAGS.rule(
    refuse="InvalidParameterException",
    says="Tag keys can have at most 128 characters and tag values at most 256.",
    evidence="inferred: the bounds are documented",
)
def tags_are_not_too_long(given: Tagged) -> Found:
    """A key has at most 128 characters, a value 256."""
    for tag in given.tags or ():
        if len(tag.key or "") > LONGEST_KEY or len(tag.value or "") > LONGEST_VALUE:
            return broken()
    return None


@TAGS.rule(
    refuse="InvalidParameterException",
    says="Tag keys and values cannot start with aws:. This prefix is reserved for AWS use.",
    evidence="inferred: documented without its sentence",
)
def tags_are_not_reserved(given: Tagged) -> Found:
    """What begins with aws:, in any case, is AWS's."""
    return broken() if any(map(is_reserved, _texts(given.tags))) else None


@TAGS.rule(
    refuse="InvalidParameterException",
    says="Duplicate tag keys found.",
    evidence="inferred: documented without its sentence",
)
def tag_keys_are_unique(given: Tagged) -> Found:
    """A key is given once."""
    return broken() if first_duplicate(tag.key for tag in given.tags or ()) else None


@TAGS.rule(
    refuse="InvalidParameterException",
    says="tags can have at most 50 items.",
    evidence="inferred: the bound is documented",
)
def tags_are_fifty_at_most(given: Tagged) -> Found:
    """A list has at most fifty tags."""
    return broken() if len(given.tags or ()) > MOST_TAGS else None


@rule(
    REGISTRATION,
    refuse="ClientException",
    says="Tags can not be empty.",
    evidence="observed 2026-06: springload/ecs-tool pull 44",
)
def a_list_of_tags_has_some(given: Tagged) -> Found:
    """Who gives a list of tags gives some. RegisterTaskDefinition alone insists."""
    return broken() if given.tags == () else None


TAGS.guard(REGISTRATION, refuse="ClientException")


@rule(
    "TagResource",
    refuse="LimitExceededException",
    says="tags can have at most 50 items.",
    evidence="inferred: the bound and the error are documented",
)
def a_resource_has_fifty_tags_at_most(given: Tagging) -> Found:
    """A resource has at most fifty tags, those from earlier calls among them."""
    return broken() if given.in_all > MOST_TAGS else None


TAGS.guard("TagResource")


@rule(
    "UntagResource",
    refuse="InvalidParameterException",
    says="Tag keys and values cannot start with aws:. This prefix is reserved for AWS use.",
    evidence="inferred: documented without its sentence",
)
def reserved_tags_stay(request: ecs.UntagResourceRequest) -> Found:
    """What AWS tagged, nobody else untags."""
    return broken() if any(is_reserved(key) for key in request.tag_keys or ()) else None


def is_reserved(text: str) -> bool:
    """Whether a key or value begins as only AWS's own do, in any case."""
    return text.lower().startswith(RESERVED)
