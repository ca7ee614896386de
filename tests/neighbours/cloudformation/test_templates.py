"""What is read out of the text of a template, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emulator.neighbours.embedded.cloudformation.targets import Identity, Target, target
from emulator.neighbours.embedded.cloudformation.templates import check_capabilities, parse
from emulator.neighbours.ports import Place, ServiceRefusedError
from tests.neighbours.cloudformation.scripted import Scripted

HERE = Identity("arn:stack/s/1", "s", Place("123456789012", "eu-west-1"))


def read(template: Any, **parameters: str) -> Target:
    """A template for a stack in which type T is known."""
    types = {"T": Scripted()}
    text = template if isinstance(template, str) else json.dumps(template)
    return target(text, parameters, HERE, types.get, lambda names: {"/size": "7"} if "/size" in names else {})


def complaint(template: Any, **parameters: str) -> str:
    with pytest.raises(ServiceRefusedError) as refused:
        read(template, **parameters)
    assert refused.value.code == "ValidationError"
    return refused.value.message


def one(properties: Any = None, **more: Any) -> dict[str, Any]:
    return {"Resources": {"A": {"Type": "T", "Properties": properties or {}, **more}}}


def test_yaml_s_short_forms_are_the_long_ones() -> None:
    found = parse(
        """
        Resources:
          A:
            Type: T
            Properties:
              Date: 2012-10-17
              Ref: !Ref B
              Att: !GetAtt B.Outputs.C
              Long: {"Fn::GetAtt": "B.Arn"}
              Sub: !Sub ["${X}", {X: !Ref B}]
              If: !If [C, !Ref D, !Join ["-", [a, b]]]
              On: yes
              Map: {123456789012: x, true: y}
        """
    )
    assert found["Resources"]["A"]["Properties"] == {
        "Date": "2012-10-17",
        "Ref": {"Ref": "B"},
        "Att": {"Fn::GetAtt": ["B", "Outputs.C"]},
        "Long": {"Fn::GetAtt": ["B", "Arn"]},
        "Sub": {"Fn::Sub": ["${X}", {"X": {"Ref": "B"}}]},
        "If": {"Fn::If": ["C", {"Ref": "D"}, {"Fn::Join": ["-", ["a", "b"]]}]},
        "On": True,
        "Map": {"123456789012": "x", "true": "y"},
    }


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("just text", "Template format error: unsupported structure."),
        ("{", "Template format error: JSON not well-formed. (line 1, column 2)"),
        ('{"a": 1} b', "Template format error: JSON not well-formed. (line 1, column 10)"),
        ("a:\n b\n  c: d", "Template format error: YAML not well-formed. (line 3, column 4)"),
        (
            "a: &x [1]\nb: [*x, *x]",
            "Template error: YAML aliases are not allowed in CloudFormation templates",
        ),
        ("a: !!python/object/apply:os.getcwd []", "Template format error: YAML not well-formed. (line 1, column 4)"),
        ("[" * 101 + "]" * 101, "Template format error: values lie more than 100 levels within each other."),
        ("a: {[1]: 2}", "Template format error: YAML not well-formed. (line 1, column 5)"),
        ('{"a":' * 10_000, "Template format error: values lie more than 100 levels within each other."),
        ('{"a":' * 101 + "1" + "}" * 101, "Template format error: values lie more than 100 levels within each other."),
    ],
)
def test_text_that_is_no_template_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(ServiceRefusedError) as refused:
        parse(text)
    assert refused.value.message == sentence


def test_brackets_without_an_end_are_refused() -> None:
    with pytest.raises(ServiceRefusedError) as refused:
        parse("[" * 10_000)
    # Some releases of libyaml notice by themselves that this is too deep.
    assert refused.value.message.startswith("Template format error: ")


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        ({"Resources": {}}, "Template format error: At least one Resources member must be defined."),
        ({"Outputs": None, **one()}, "[/Outputs] 'null' values are not allowed in templates"),
        ({"Resources": {"A-B": {"Type": "T"}}}, "Template format error: Resource name A-B is non alphanumeric."),
        (
            {"Resources": {"A": {"Properties": {}}}},
            "Template format error: [/Resources/A] Every Resources object must contain a Type member.",
        ),
        ({"Resources": {"A": {"Type": "U"}}}, "Template format error: Unrecognized resource types: [U]"),
        (
            one({"X": {"Ref": "B"}, "Y": {"Fn::Sub": "${C.Arn} ${!D}"}}),
            "Template format error: Unresolved resource dependencies [B, C] in the Resources block of the template",
        ),
        (
            one(DependsOn=["B"]),
            "Template format error: Unresolved resource dependencies [B] in the Resources block of the template",
        ),
        (
            {**one(), "Outputs": {"O": {"Value": {"Ref": "B"}}}},
            "Template format error: Unresolved resource dependencies [B] in the Outputs block of the template",
        ),
        (
            one({"X": {"Fn::GetAtt": ["A", "Nothing"]}}),
            "Template error: resource A does not support attribute type Nothing in Fn::GetAtt",
        ),
        (
            {"Resources": {"A": {"Type": "T"}}, "Outputs": {"O": {"Value": {"Fn::Sub": "${A.Arn} ${A.No.Thing}"}}}},
            "Template error: resource A does not support attribute type No.Thing in Fn::GetAtt",
        ),
        ({**one(), "Outputs": {"O": {"Export": "x"}}}, "Template format error: [/Outputs/O/Export] must be an object."),
        (
            {
                "Resources": {
                    "A": {"Type": "T", "DependsOn": "B"},
                    "B": {"Type": "T", "Properties": {"X": {"Ref": "A"}}},
                }
            },
            "Circular dependency between resources: [A, B]",
        ),
        (
            one(Condition="C"),
            "Template format error: Unresolved condition dependency C in the Resources block of the template",
        ),
        (
            {**one({"X": {"Ref": "B"}}), "Conditions": {"No": {"Fn::Equals": [1, 2]}}}
            | {"Resources": {"A": one({"X": {"Ref": "B"}})["Resources"]["A"], "B": {"Type": "T", "Condition": "No"}}},
            "Template format error: Unresolved resource dependencies [B] in the Resources block of the template",
        ),
        (
            {**one(), "Conditions": {"C": {"Condition": "D"}, "D": {"Condition": "C"}}},
            "Template format error: Circular dependency between conditions: [C, D]",
        ),
        (one(DependsOn={"a": 1}), "Template format error: [/Resources/A/DependsOn] must be a name or a list of names."),
    ],
)
def test_a_template_that_cannot_be_one_is_refused(template: Any, sentence: str) -> None:
    assert complaint(template) == sentence


def test_conditions_choose_resources_and_values() -> None:
    found = read(
        {
            "Parameters": {"Stage": {"Type": "String"}},
            "Conditions": {
                "Live": {"Fn::Equals": [{"Ref": "Stage"}, "live"]},
                "Not": {"Fn::Not": [{"Condition": "Live"}]},
                "Either": {"Fn::Or": [{"Condition": "Live"}, {"Condition": "Not"}]},
                "Both": {"Fn::And": [{"Condition": "Live"}, {"Condition": "Not"}]},
            },
            "Resources": {
                "A": {"Type": "T", "Properties": {"X": {"Fn::If": ["Live", {"Ref": "B"}, {"Ref": "C"}]}}},
                "B": {"Type": "T", "Condition": "Live"},
                "C": {"Type": "T", "Condition": "Not"},
                "D": {"Type": "T", "Condition": "Either"},
                "E": {"Type": "T", "Condition": "Both"},
            },
        },
        Stage="test",
    )
    assert list(found.resources) == ["A", "C", "D"]
    assert found.needs == {"A": {"C"}, "C": set(), "D": set()}


@pytest.mark.parametrize(
    ("declared", "given", "sentence"),
    [
        ({}, {"X": "1"}, "Parameters: [X] do not exist in the template"),
        ({"X": {"Type": "String"}}, {}, "Parameters: [X] must have values"),
        ({"X": {"Type": "Number"}}, {"X": "much"}, "Parameter 'X' must be a number"),
        (
            {"X": {"Type": "Number", "AllowedValues": [1, 2]}},
            {"X": "3"},
            "Parameter 'X' must be one of AllowedValues",
        ),
        (
            {"X": {"Type": "String", "AllowedPattern": "[a-z]+"}},
            {"X": "abC"},
            "Parameter X failed to satisfy constraint: Parameter X must match pattern [a-z]+",
        ),
        (
            {"X": {"Type": "String", "AllowedPattern": "(a|aa)+$", "ConstraintDescription": "only a"}},
            {"X": "a" * 4000 + "b"},
            "Parameter X failed to satisfy constraint: only a",
        ),
        ({"X": {"Type": "String", "MinLength": 2}}, {"X": "a"}, "Parameter 'X' must contain at least 2 characters"),
        ({"X": {"Type": "Number", "MaxValue": 5}}, {"X": "6"}, "Parameter 'X' must be a number not greater than 5"),
        (
            {"X": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/none"}},
            {},
            "Unable to fetch parameters [/none] from parameter store for this account.",
        ),
    ],
)
def test_parameters_that_do_not_fit_are_refused(declared: Any, given: dict[str, str], sentence: str) -> None:
    assert complaint({**one(), "Parameters": declared}, **given) == sentence


def test_parameters_are_text_lists_or_what_parameter_store_has() -> None:
    found = read(
        {
            **one(),
            "Parameters": {
                "Default": {"Type": "Number", "Default": 5},
                "List": {"Type": "CommaDelimitedList", "Default": "a, b"},
                "Subnets": {"Type": "List<AWS::EC2::Subnet::Id>"},
                "Stored": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/size"},
            },
        },
        Subnets="subnet-1,subnet-2",
    )
    assert {name: found.values[name] for name in ("Default", "List", "Subnets", "Stored", "AWS::Region")} == {
        "Default": "5",
        "List": ["a", "b"],
        "Subnets": ["subnet-1", "subnet-2"],
        "Stored": "7",
        "AWS::Region": "eu-west-1",
    }


@pytest.mark.parametrize(
    ("properties", "given", "wanted"),
    [
        ({}, [], "CAPABILITY_IAM"),
        ({"RoleName": "r"}, ["CAPABILITY_IAM"], "CAPABILITY_NAMED_IAM"),
        ({}, ["CAPABILITY_NAMED_IAM"], None),
        ({"RoleName": "r"}, ["CAPABILITY_NAMED_IAM"], None),
    ],
)
def test_resources_of_iam_need_consent(properties: Any, given: list[str], wanted: str | None) -> None:
    template = {"Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": properties}}}
    if wanted is None:
        check_capabilities(template, given)
        return
    with pytest.raises(ServiceRefusedError, match=rf"Requires capabilities : \[{wanted}\]"):
        check_capabilities(template, given)


def test_conditions_that_double_each_other_are_decided_once() -> None:
    doubled = {f"C{n}": {"Fn::Or": [{"Condition": f"C{n - 1}"}] * 2} for n in range(1, 400)}
    found = read({**one(Condition="C399"), "Conditions": {"C0": {"Fn::Equals": [1, 2]}, **doubled}})
    assert found.resources == {}
