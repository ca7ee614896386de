"""Mistakes in a body, in AWS's style."""

import pytest

from emulator.edge import ecs_json
from emulator.errors import ApiError


def complaint(body, operation="RegisterTaskDefinition"):
    with pytest.raises(ApiError) as caught:
        ecs_json.parse(operation, body)
    assert (caught.value.code, caught.value.status) == ("SerializationException", 400)
    return caught.value.message


def in_container(json):
    return b'{"containerDefinitions":[{"name":"a"},{%s}]}' % json.encode()


@pytest.mark.parametrize(
    ("json", "token"),
    [
        ("1", "NUMBER_VALUE can not be converted to a String"),
        ("1.5", "NUMBER_VALUE can not be converted to a String"),
        ("true", "TRUE_VALUE can not be converted to a String"),
        ("false", "FALSE_VALUE can not be converted to a String"),
        ("{}", "START_OBJECT token found where String expected"),
        ("[]", "START_ARRAY token found where String expected"),
    ],
)
def test_every_kind_of_value_where_a_string_belongs(json, token):
    assert complaint(b'{"family":%s}' % json.encode()) == f"family: {token}"


@pytest.mark.parametrize(
    ("json", "sentence"),
    [
        ('"cpu":"1"', "cpu: STRING_VALUE can not be converted to an Integer"),
        ('"cpu":1.5', "cpu: NUMBER_VALUE can not be converted to an Integer"),
        ('"cpu":[]', "cpu: START_ARRAY token found where Integer expected"),
        ('"essential":"true"', "essential: STRING_VALUE can not be converted to a Boolean"),
        ('"essential":1', "essential: NUMBER_VALUE can not be converted to a Boolean"),
        ('"command":"ls"', "command: STRING_VALUE token found where List expected"),
        ('"command":[null]', "command[0]: NULL_VALUE can not be converted to a String"),
        ('"dockerLabels":[]', "dockerLabels: START_ARRAY token found where Map expected"),
        ('"dockerLabels":{"a":1}', "dockerLabels.a: NUMBER_VALUE can not be converted to a String"),
        ('"linuxParameters":"x"', "linuxParameters: STRING_VALUE token found where Structure expected"),
    ],
)
def test_every_kind_of_member_names_its_path_and_both_types(json, sentence):
    assert complaint(in_container(json)) == f"containerDefinitions[1].{sentence}"


@pytest.mark.parametrize("number", [2**31, -(2**31) - 1, 10**30])
def test_a_number_beyond_an_integer(number):
    sentence = "containerDefinitions[1].cpu: NUMBER_VALUE is out of range for an Integer."
    assert complaint(in_container(f'"cpu":{number}')) == sentence


def test_a_number_of_ten_thousand_digits():
    assert complaint(in_container(f'"cpu":{"9" * 10_000}')).startswith("The body is not JSON: ")


def test_a_number_that_is_none():
    body = b'{"cluster":"a","service":"b","taskSet":"c","scale":{"value":NaN}}'
    assert complaint(body, "UpdateTaskSet").startswith("scale.value: ")


@pytest.mark.parametrize("body", [b"[]", b"[1]"])
def test_a_list_instead_of_the_body(body):
    assert complaint(body) == "START_ARRAY token found where Structure expected"


@pytest.mark.parametrize("body", [b"{", b"x", b"{'a':1}", b'{"a":1,}', b"\xff", b'{"a":"\xff"}', b'{"a":"\\ud800"}'])
def test_a_body_that_is_not_json(body):
    assert complaint(body).startswith("The body is not JSON: ")


@pytest.mark.parametrize(
    "body", [b'{"family":["hunter2"]}', b'{"containerDefinitions":"hunter2"}', b'{"family":"hunter2', b"hunter2"]
)
def test_values_are_not_repeated(body):
    assert "hunter2" not in complaint(body)


def test_a_long_path_is_cut():
    assert len(complaint(in_container(f'"dockerLabels":{{"{"k" * 5000}":1}}'))) < 300


def test_null_is_an_absent_member():
    assert ecs_json.parse("CreateCluster", b'{"clusterName":null}') == ecs_json.parse("CreateCluster", b"")


def test_python_s_names_are_unknown_members():
    assert ecs_json.parse("CreateCluster", b'{"cluster_name":"a"}') == ecs_json.parse("CreateCluster", b"")


def test_an_error_without_a_sentence_has_no_message():
    assert ecs_json.error_body("A", "", {}) == b'{"__type":"A"}'


def test_an_error_of_a_lone_surrogate_is_json_all_the_same():
    assert ecs_json.error_body("A", "\ud800", {}) == b'{"__type":"A","message":"\\ud800"}'
