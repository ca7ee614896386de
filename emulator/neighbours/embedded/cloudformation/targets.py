"""What a stack is to become: a template together with the values of its parameters. Pure but for what it is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from emulator.neighbours.embedded.cloudformation import conditions, parameters, templates
from emulator.neighbours.embedded.cloudformation.intrinsics import Scope
from emulator.neighbours.embedded.cloudformation.reasons import no_attribute
from emulator.neighbours.embedded.cloudformation.resource_types import ResourceType
from emulator.neighbours.embedded.cloudformation.templates import Template, invalid
from emulator.neighbours.ports import Place

Find = Callable[[str], ResourceType | None]
"""Who makes resources of a type; None for a type that nobody knows."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Which stack, and where."""

    stack_id: str
    name: str
    place: Place
    notification_arns: tuple[str, ...] = ()

    def values(self) -> dict[str, Any]:
        """The pseudo parameters."""
        region = self.place.region
        china = region.startswith("cn-")
        government = "aws-us-gov" if region.startswith("us-gov-") else "aws"
        return {
            "AWS::AccountId": self.place.account,
            "AWS::NotificationARNs": list(self.notification_arns),
            "AWS::Partition": "aws-cn" if china else government,
            "AWS::Region": region,
            "AWS::StackId": self.stack_id,
            "AWS::StackName": self.name,
            "AWS::URLSuffix": "amazonaws.com.cn" if china else "amazonaws.com",
        }


@dataclass(frozen=True, slots=True)
class Target:
    """A template and its values.

    `parameters`: texts. `values`: what Ref gives for parameters and pseudo parameters. `resources` and `outputs`: those
    whose conditions hold, with every Fn::If decided. `needs`: for each resource, those that have to be there before it.
    """

    text: str
    template: Template
    parameters: Mapping[str, str]
    values: Mapping[str, Any]
    resources: Mapping[str, Any]
    outputs: Mapping[str, Any]
    needs: Mapping[str, set[str]]


def target(text: str, given: Mapping[str, str], identity: Identity, find: Find, fetch: parameters.Fetch) -> Target:
    """Read a template for a stack. Raises ServiceRefusedError for what is wrong with it or with the parameters."""
    template = templates.parse(text)
    templates.check_form(template, lambda type_: find(type_) is not None)
    declared = template["Parameters"]
    texts = parameters.texts(declared, given)
    values = {**identity.values(), **parameters.values(declared, texts, fetch)}
    holding = conditions.hold(template["Conditions"], _of_values(values, template["Mappings"]))
    resources = conditions.remaining(template["Resources"], holding)
    outputs = conditions.remaining(template["Outputs"], holding)
    known = {*values, *resources}
    templates.check_references("Resources", resources, known)
    templates.check_references("Outputs", outputs, known)
    _check_attributes([*resources.values(), *outputs.values()], resources, find)
    return Target(text, template, texts, values, resources, outputs, templates.needs(resources))


def _of_values(values: Mapping[str, Any], mappings: Mapping[str, Any]) -> Scope:
    """For conditions, which are decided before there is any resource."""

    def nothing(*_: Any) -> Any:
        raise invalid(
            "Template validation error: Template error: conditions may refer to parameters and other conditions only"
        )

    return Scope(values, mappings, reference=nothing, attribute=nothing, imported=nothing, zones=nothing)


def _check_attributes(values: list[Any], resources: Mapping[str, Any], find: Find) -> None:
    for name, attribute in templates.attributes(values):
        if name not in resources:
            raise invalid(f"Template error: instance of Fn::GetAtt references undefined resource {name}")
        type_ = find(resources[name]["Type"])
        if isinstance(attribute, str) and type_ is not None and not type_.has_attribute(attribute):
            raise invalid(no_attribute(name, attribute))
