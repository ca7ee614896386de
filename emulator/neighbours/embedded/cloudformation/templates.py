"""A template: from its text to what it declares, and what is wrong with it. Nothing here knows a service."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import yaml

from emulator.neighbours.ports import ServiceRefusedError

Template = dict[str, Any]

LONGEST_BODY = 51_200
"""Characters of a template in a request (documented: AWS CloudFormation quotas)."""
LONGEST_FILE = 1 << 20
"""Bytes of a template in S3 (documented: AWS CloudFormation quotas)."""
DEEPEST = 100
"""How far values may lie within each other; deeper ones would only exhaust the reader (inferred)."""
MOST_RESOURCES = 500
"""(documented: AWS CloudFormation quotas)"""

PSEUDO_PARAMETERS = frozenset(
    {
        "AWS::AccountId",
        "AWS::NoValue",
        "AWS::NotificationARNs",
        "AWS::Partition",
        "AWS::Region",
        "AWS::StackId",
        "AWS::StackName",
        "AWS::URLSuffix",
    }
)

IAM_NAMES = {
    "AWS::IAM::AccessKey": "",
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Policy": "",
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::User": "UserName",
    "AWS::IAM::UserToGroupAddition": "",
}
"""Types that need the caller's consent, and the property that names them (documented: acknowledging IAM resources)."""

_VARIABLE = re.compile(r"\$\{(?!!)\s*([A-Za-z0-9:.]+)\s*\}")


def invalid(message: str) -> ServiceRefusedError:
    """CloudFormation's refusal of a request."""
    return ServiceRefusedError("", "ValidationError", message)


def parse(text: str) -> Template:
    """Read a template, in JSON or YAML. Raises ServiceRefusedError with AWS's sentence."""
    try:
        found = _json(text) if text.lstrip().startswith("{") else _yaml(text)
    except RecursionError:
        raise _too_deep() from None
    if not isinstance(found, dict):
        raise invalid("Template format error: unsupported structure.")
    _check_depth(found)
    template: Template = _with_one_spelling(found)
    return template


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        where = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        raise invalid(f"Template format error: JSON not well-formed.{where}") from None


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML as CloudFormation reads it: short forms of functions; dates are text, and so are all keys."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002
        """As the base does, without looking what a key may mean (`On`)."""
        found = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key is no text", key.start_mark)
            found[str(key.value)] = self.construct_object(value, deep=deep)
        return found


def _short_form(loader: Any, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        return {name: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    return {name: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _short_form)


def _yaml(text: str) -> Any:
    try:
        _check_events(yaml.parse(text, Loader=_Loader))
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - it is a SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise invalid(f"Template format error: YAML not well-formed.{where}") from None
    except ValueError:  # a number or key that YAML has and Python has not
        raise invalid("Template format error: YAML not well-formed.") from None


def _check_events(events: Iterator[yaml.Event]) -> None:
    """Refuse what would have the reader run out of memory before it is asked to read it."""
    depth = 0
    for event in events:
        if isinstance(event, yaml.AliasEvent):
            raise invalid("Template error: YAML aliases are not allowed in CloudFormation templates")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                raise _too_deep()
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _check_depth(template: Template) -> None:
    layer: list[Any] = [template]
    for _ in range(DEEPEST):
        layer = [inner for value in layer for inner in _inside(value)]
        if not layer:
            return
    raise _too_deep()


def _inside(value: Any) -> Collection[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _too_deep() -> ServiceRefusedError:
    return invalid(f"Template format error: values lie more than {DEEPEST} levels within each other.")


def _with_one_spelling(value: Any) -> Any:
    """GetAtt as a pair, whichever of its forms was written."""
    if isinstance(value, list):
        return [_with_one_spelling(each) for each in value]
    if not isinstance(value, dict):
        return value
    if list(value) == ["Fn::GetAtt"]:
        return {"Fn::GetAtt": _pair(value["Fn::GetAtt"])}
    return {key: _with_one_spelling(each) for key, each in value.items()}


def _pair(argument: Any) -> list[Any]:
    parts = argument.split(".") if isinstance(argument, str) else argument
    if not isinstance(parts, list) or len(parts) < 2 or not isinstance(parts[0], str):
        raise invalid("Template error: every Fn::GetAtt object requires two non-empty parameters")
    return [parts[0], ".".join(parts[1:]) if all(isinstance(part, str) for part in parts) else parts[1]]


def check_form(template: Template, known: Callable[[str], bool]) -> None:
    """Refuse a template that is no template, or that has a type that is not `known`."""
    if template.get("Transform"):
        names = template["Transform"] if isinstance(template["Transform"], list) else [template["Transform"]]
        message = f"Transforms are not implemented in this emulator: [{', '.join(map(str, names))}]."
        raise ServiceRefusedError("", "NotImplementedException", message, 501)
    for section in ("Parameters", "Mappings", "Conditions", "Outputs"):
        _check_section(template, section)
    resources = template.get("Resources")
    if not isinstance(resources, dict) or not resources:
        raise invalid("Template format error: At least one Resources member must be defined.")
    if len(resources) > MOST_RESOURCES:
        raise invalid(
            f"Template format error: Number of resources, {len(resources)}, is greater than maximum allowed, "
            f"{MOST_RESOURCES}"
        )
    for name, resource in resources.items():
        _check_resource(name, resource)
    strange = sorted({each["Type"] for each in resources.values() if not known(each["Type"])})
    if strange:
        raise invalid(f"Template format error: Unrecognized resource types: [{', '.join(strange)}]")


def _check_section(template: Template, section: str) -> None:
    members = template.setdefault(section, {})
    if members is None:
        raise invalid(f"[/{section}] 'null' values are not allowed in templates")
    if not isinstance(members, dict):
        raise invalid(f"Template format error: {section} section must be an object.")
    if section == "Conditions":
        return
    for name, member in members.items():
        if not isinstance(member, dict):
            raise invalid(f"Template format error: Every {section} member must be an object. [/{section}/{name}]")
        if not isinstance(member.get("Export", {}), dict):
            raise invalid(f"Template format error: [/{section}/{name}/Export] must be an object.")


def _check_resource(name: str, resource: Any) -> None:
    if not (name.isascii() and name.isalnum()):
        raise invalid(f"Template format error: Resource name {name} is non alphanumeric.")
    if not isinstance(resource, dict) or not isinstance(resource.get("Type"), str):
        raise invalid(f"Template format error: [/Resources/{name}] Every Resources object must contain a Type member.")
    depends = resource.get("DependsOn", [])
    if not isinstance(depends, str) and not (
        isinstance(depends, list) and all(isinstance(each, str) for each in depends)
    ):
        raise invalid(f"Template format error: [/Resources/{name}/DependsOn] must be a name or a list of names.")
    if resource.get("Properties") is None:
        resource["Properties"] = {}
    if not isinstance(resource["Properties"], dict):
        raise invalid(f"Template format error: [/Resources/{name}/Properties] must be an object.")


def capabilities_needed(template: Template) -> list[str]:
    """The consent that a template needs."""
    members = [each for each in template["Resources"].values() if each["Type"] in IAM_NAMES]
    named = any(IAM_NAMES[each["Type"]] in each["Properties"] for each in members)
    return (["CAPABILITY_NAMED_IAM"] if named else ["CAPABILITY_IAM"]) if members else []


def check_capabilities(template: Template, given: Collection[str]) -> None:
    """Refuse a template whose need of consent was not met."""
    wanted = capabilities_needed(template)
    if wanted and not {*wanted, "CAPABILITY_NAMED_IAM"} & set(given):
        message = f"Requires capabilities : [{', '.join(wanted)}]"
        raise ServiceRefusedError("", "InsufficientCapabilitiesException", message)


def references(value: Any) -> Iterator[str]:
    """The names that a value refers to: of resources, parameters and pseudo parameters."""
    if isinstance(value, list):
        for each in value:
            yield from references(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _references_of(key, each)


def _references_of(key: str, value: Any) -> Iterator[str]:
    if key == "Ref" and isinstance(value, str):
        yield value
    elif key == "Fn::GetAtt" and isinstance(value, list):
        yield value[0]
        yield from references(value[1])
    elif key == "Fn::Sub":
        yield from _references_of_sub(value)
    else:
        yield from references(value)


def _references_of_sub(value: Any) -> Iterator[str]:
    variables, own = _parts_of_sub(value)
    yield from (variable.split(".")[0] for variable in variables)
    yield from references(own)


def _parts_of_sub(value: Any) -> tuple[list[str], Any]:
    """The variables that a text has from elsewhere, and the values that it brings along for the others."""
    text, own = (value[0], value[1]) if isinstance(value, list) and len(value) == 2 else (value, {})
    if not isinstance(text, str) or not isinstance(own, dict):
        return [], own
    return [variable for variable in _VARIABLE.findall(text) if variable not in own], own


def attributes(value: Any) -> Iterator[tuple[str, Any]]:
    """The attributes of resources that a value has: the resource, and which."""
    if isinstance(value, list):
        for each in value:
            yield from attributes(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key == "Fn::GetAtt" and isinstance(each, list):
                yield each[0], each[1]
            elif key == "Fn::Sub":
                variables, own = _parts_of_sub(each)
                yield from ((name, rest) for name, dot, rest in (each.partition(".") for each in variables) if dot)
                yield from attributes(own)
            else:
                yield from attributes(each)


def needs(resources: Mapping[str, Any]) -> dict[str, set[str]]:
    """For each resource, those that have to be there before it.

    Raises ServiceRefusedError where they need each other in a circle.
    """
    found = {
        name: {each for each in _needed_by(resource) if each in resources and each != name}
        for name, resource in resources.items()
    }
    done: set[str] = set()
    while len(done) < len(found):
        ready = {name for name, wanted in found.items() if name not in done and wanted <= done}
        if not ready:
            circle = sorted(set(found) - done)
            raise invalid(f"Circular dependency between resources: [{', '.join(circle)}]")
        done |= ready
    return found


def _needed_by(resource: Mapping[str, Any]) -> Iterator[str]:
    declared = resource.get("DependsOn", [])
    yield from [declared] if isinstance(declared, str) else declared
    yield from references(resource["Properties"])


def check_references(section: str, values: Mapping[str, Any], known: Collection[str]) -> None:
    """Refuse references to what is not there. `section`: Resources or Outputs."""
    missing = {name for value in values.values() for name in references(value)}
    if section == "Resources":
        for resource in values.values():
            depends = resource.get("DependsOn", [])
            missing |= {depends} if isinstance(depends, str) else set(depends)
    missing = {name for name in missing if name not in known and name not in PSEUDO_PARAMETERS}
    if missing:
        raise invalid(
            f"Template format error: Unresolved resource dependencies [{', '.join(sorted(missing))}] "
            f"in the {section} block of the template"
        )
