"""Types of resources that moto makes, for which there is nothing of ours. Private names of moto are used here only."""

from __future__ import annotations

import copy
import inspect
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from moto.cloudformation import parsing
from moto.cloudformation.exceptions import UnformattedGetAttTemplateException

from emulator.ids import Ids
from emulator.neighbours.embedded.cloudformation import reasons
from emulator.neighbours.embedded.cloudformation.builder import BROKEN
from emulator.neighbours.embedded.cloudformation.kinds import HOUR
from emulator.neighbours.embedded.cloudformation.resource_types import Made, Properties, ResourceError, Wanted
from emulator.neighbours.embedded.locks import Locks

logger = logging.getLogger(__name__)

OURS = ("AWS::ECS::", "AWS::CloudFormation::", "AWS::SERVICE::", "?")
"""The beginnings of types that moto has, and that must not be taken from it."""
TOUCHED = frozenset({"ec2", "iam"})
"""Services that moto's models of others change without being asked by their names."""
REPLACED = frozenset(
    {
        "AWS::EC2::FlowLog",
        "AWS::EC2::VolumeAttachment",
        "AWS::EC2::VPCPeeringConnection",
        "AWS::Lambda::LayerVersion",
        "AWS::Lambda::Permission",
        "AWS::Lambda::Version",
    }
)
"""Those that moto cannot change, as AWS cannot either (documented: the types' schemas)."""


def moto_model(type_: str) -> Any | None:
    """Moto's class of a type."""
    return None if type_.startswith(OURS) else parsing.get_model_map().get(type_)


def service_of(model: Any) -> str:
    """Moto's name of the service whose state a model changes."""
    return str(model.__module__).split(".")[1]


class MotoType:
    """A class of moto's as the engine knows types. See ResourceType for every method.

    Moto's classes change the state of their services, and of others, directly: the locks of all services that the
    template names are held meanwhile. None of them waits for anything, or asks ECS.
    """

    names_are_unique = True
    tagged = False
    patience = HOUR

    def __init__(self, model: Any, locks: Locks, ids: Ids) -> None:
        self._model = model
        self._locks = locks
        self._ids = ids
        self.named_by: str = model.cloudformation_name_type() or ""

    def has_attribute(self, name: str) -> bool:
        """Does moto know it?"""
        return bool(self._model.has_cfn_attr(name))

    def must_replace(self, before: Properties, after: Properties) -> bool:
        """Moto's classes that can change decide for themselves."""
        return before != after and self._model.cloudformation_type() in REPLACED

    def attribute(self, made: Made, wanted: Wanted, name: str) -> Any:
        """Ask moto."""
        with self._held(wanted):
            try:
                return made.handle.get_cfn_attribute(name)
            except (AttributeError, NotImplementedError, UnformattedGetAttTemplateException):
                raise ResourceError(reasons.no_attribute(wanted.logical_id, name)) from None

    def create(self, wanted: Wanted) -> Made:
        """Have moto make one."""
        return self._with_model(
            wanted,
            lambda: self._model.create_from_cloudformation_json(
                wanted.name,
                self._declaration(wanted, named=True),
                wanted.place.account,
                wanted.place.region,
                LogicalId=wanted.logical_id,
                StackId=wanted.stack_id,
                ResourceType=wanted.type,
            ),
        )

    def complete(self, made: Made, _wanted: Wanted) -> Made:
        """It is."""
        return made

    def update(self, made: Made, before: Wanted, wanted: Wanted) -> Made:
        """Have moto change it, where it can. A name makes it replace the resource, so only a new one is given."""
        if _is_missing(self._model.update_from_cloudformation_json):
            raise ResourceError(f"This emulator cannot change a resource of type {wanted.type}.")
        return self._with_model(
            wanted,
            lambda: self._model.update_from_cloudformation_json(
                original_resource=made.handle,
                new_resource_name=wanted.name,
                cloudformation_json=self._declaration(wanted, named=wanted.name != before.name),
                account_id=wanted.place.account,
                region_name=wanted.place.region,
            ),
        )

    def is_ready(self, made: Made, _wanted: Wanted) -> bool:
        """Moto's resources are ready at once."""
        return bool(getattr(made.handle, "is_created", lambda: True)())

    def delete(self, made: Made, wanted: Wanted) -> bool:
        """Have moto remove it, by its object or else by its class, as its own engine does."""
        place = wanted.place
        own = getattr(made.handle, "delete", None)
        with self._held(wanted), self._refusals(wanted):
            if own is not None and _takes_two(own):
                own(place.account, place.region)
            elif not _is_missing(self._model.delete_from_cloudformation_json):
                declared = self._declaration(wanted, named=True)
                self._model.delete_from_cloudformation_json(made.id, declared, place.account, place.region)
            else:
                raise ResourceError(f"This emulator cannot remove a resource of type {wanted.type}.")
        return True

    def _declaration(self, wanted: Wanted, *, named: bool) -> dict[str, Any]:
        """A copy, as moto writes into what it is given."""
        properties = copy.deepcopy(dict(wanted.properties))
        properties.pop(self.named_by, None)
        if named and self.named_by:
            properties[self.named_by] = wanted.name
        return {"Type": wanted.type, "Properties": properties}

    def _with_model(self, wanted: Wanted, make: Callable[[], Any]) -> Made:
        with self._held(wanted), self._refusals(wanted):
            handle = make()
        return Made(str(getattr(handle, "physical_resource_id", wanted.name)), handle=handle)

    @contextmanager
    def _held(self, wanted: Wanted) -> Iterator[None]:
        with self._locks.held_all({service_of(self._model), *TOUCHED, *wanted.beside}, wanted.place):
            yield

    @contextmanager
    def _refusals(self, wanted: Wanted) -> Iterator[None]:
        """Moto's exceptions are of many kinds; those of AWS's have a message."""
        try:
            yield
        except ResourceError:
            raise
        except KeyError as error:
            raise ResourceError(
                reasons.wrong_properties(wanted.logical_id, f"#: required key [{error.args[0]}] not found")
            ) from error
        except Exception as error:
            message = getattr(error, "message", None)
            if not isinstance(message, str):
                logger.exception("Moto failed at a resource of type %s", wanted.type)
                raise ResourceError(BROKEN) from error
            raise ResourceError(reasons.handler_said(message, self._ids.uuid(), "InvalidRequest")) from error


def _is_missing(method: Any) -> bool:
    return hasattr(method, "__isabstractmethod__")


def _takes_two(method: Callable[..., Any]) -> bool:
    try:
        inspect.signature(method).bind("account", "region")
    except TypeError:
        return False
    return True
