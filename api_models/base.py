"""What every generated structure shares: how it is built, read from the wire, and written to it.

A module of this package declares plain classes. Making one a pydantic class is the expensive part (all of them at once
take 0.3 s and 23 MiB), so that is done for each when somebody first asks for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field

Integer = Annotated[int, Field(ge=-(2**31), lt=2**31)]
Long = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Double = float
Timestamp = float
"""Seconds since the epoch; milliseconds are the fraction."""


class Shape(BaseModel):
    """A structure of the API, immutable. Members that are absent are None and are not sent.

    In Python members have snake_case names; on the wire they have the names of the service model, and no others.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        validate_by_alias=True,
        validate_by_name=True,
        hide_input_in_errors=True,
        # The parser may keep the strings that it meets, for the whole process. Names come again, values seldom do.
        cache_strings="keys",
        allow_inf_nan=False,
        protected_namespaces=(),
    )

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Read a JSON document as AWS does: unknown members are ignored, types are never converted.

        Raises pydantic.ValidationError.
        """
        return cls.model_validate_json(body, strict=True, by_alias=True, by_name=False)

    def to_json(self) -> bytes:
        """The structure as a JSON document in UTF-8."""
        return self.__pydantic_serializer__.to_json(self, by_alias=True, exclude_none=True)

    def replace(self, **members: Any) -> Self:
        """A copy in which some members differ. They are not checked."""
        return self.model_copy(update=members)


class Declared:
    """Base of a declared class that nobody has asked for yet."""


class _WireName(str):
    """The default of a declared member: its name on the wire."""

    __slots__ = ()


def wire(name: str) -> Any:
    """Declare an optional member by its name on the wire."""
    return _WireName(name)


class _Namespace(dict[str, Any]):
    """Resolves the names in annotations: builtins and this module first, else a structure of any module."""

    def __missing__(self, name: str) -> type[Shape]:
        import api_models

        try:
            return getattr(api_models, name)  # type: ignore[no-any-return]
        except AttributeError:
            raise KeyError(name) from None


_building = threading.RLock()


def when_used(module: dict[str, Any]) -> Callable[[str], type[Shape]]:
    """Take the declared classes out of a module's globals, and give the `__getattr__` that puts them back, built."""
    declared = {
        name: found
        for name, found in module.items()
        if isinstance(found, type) and issubclass(found, Declared) and found is not Declared
    }
    for name in declared:
        del module[name]

    def __getattr__(name: str) -> type[Shape]:  # noqa: N807 - it becomes the module's
        if name not in declared:
            raise AttributeError(f"module {module['__name__']!r} has no attribute {name!r}")
        with _building:
            if name not in module:
                module[name] = _build(declared[name], module)
            return module[name]  # type: ignore[no-any-return]

    return __getattr__


def _build(declared: type, module: dict[str, Any]) -> type[Shape]:
    names = _Namespace(module)
    body: dict[str, Any] = {"__module__": declared.__module__, "__qualname__": declared.__name__}
    body["__annotations__"] = {
        member: eval(annotation, {}, names)  # noqa: S307 - our own generated annotations
        for member, annotation in declared.__annotations__.items()
    }
    for member in declared.__annotations__:
        body[member] = Field(None, alias=str(vars(declared)[member]))
    build: Any = type(Shape)
    built: type[Shape] = build(declared.__name__, (Shape,), body)
    return built
