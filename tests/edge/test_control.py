"""/_emulator: health, reset, and the story of a task."""

import pytest

from emulator.edge.parts import Control
from tests.edge.clients import call, serving

ARN = "arn:aws:ecs:us-east-1:123456789012:task/default/0123456789abcdef0123456789abcdef"
STORY = [{"at": 1700000000.123, "text": "PENDING"}, {"at": 1700000001.0, "text": "RUNNING ☺"}]


class Owner:
    """Whoever owns the edge, as the control pages see it."""

    def __init__(self):
        self.resets = 0
        self.asked = []

    def reset(self):
        self.resets += 1

    def story(self, task):
        self.asked.append(task)
        if task == "broken":
            raise KeyError("inner-workings")
        return STORY if task in {ARN, "0123456789abcdef0123456789abcdef"} else None

    def control(self):
        return Control(health=lambda: {"status": "ok", "runtime": "simulated"}, reset=self.reset, story=self.story)


@pytest.fixture(scope="module")
def owner():
    return Owner()


@pytest.fixture(scope="module")
def url(owner):
    with serving(control=owner.control()) as url:
        yield url


def get(url, path, method="GET", **headers):
    return call(url, None, b"", method, path, **headers)


def test_health(url):
    answer = get(url, "/_emulator/health")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.json == {"status": "ok", "runtime": "simulated"}


def test_reset(url, owner):
    before = owner.resets
    assert get(url, "/_emulator/reset", "POST").json == {"status": "reset"}
    assert owner.resets == before + 1


def test_a_story_by_id(url):
    assert get(url, "/_emulator/story/0123456789abcdef0123456789abcdef").json == STORY


@pytest.mark.parametrize("task", [ARN, ARN.replace("/", "%2F"), ARN.replace(":", "%3A")])
def test_a_story_by_arn(url, task):
    assert get(url, f"/_emulator/story/{task}").json == STORY


def test_a_story_as_text(url):
    answer = get(url, f"/_emulator/story/{ARN}", Accept="text/plain")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.body.decode() == "2023-11-14T22:13:20.123Z  PENDING\n2023-11-14T22:13:21.000Z  RUNNING ☺\n"


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/plain;q=0.5, application/json", "text/html"])
def test_a_story_as_json_for_who_does_not_prefer_text(url, accept):
    assert get(url, f"/_emulator/story/{ARN}", Accept=accept).json == STORY


def test_an_unknown_task(url):
    answer = get(url, "/_emulator/story/nobody")
    assert (answer.status, answer.json["error"]) == (404, "TaskNotFound")
    assert "nobody" in answer.json["message"]


@pytest.mark.parametrize("path", ["/_emulator", "/_emulator/", "/_emulator/nothing", "/_emulator/story/"])
def test_an_unknown_page_names_those_that_exist(url, path):
    answer = get(url, path)
    assert (answer.status, answer.json["error"]) == (404, "NotFound")
    assert "GET /_emulator/health" in answer.json["message"]


def test_what_only_begins_like_a_control_page_is_none(url):
    answer = get(url, "/_emulatory")  # which may be the name of a public bucket
    assert (answer.status, answer.json["__type"]) == (501, "NotImplementedException")


@pytest.mark.parametrize(("method", "path", "allowed"), [("GET", "reset", "POST"), ("POST", "health", "GET")])
def test_a_wrong_method(url, method, path, allowed):
    answer = get(url, f"/_emulator/{path}", method)
    assert (answer.status, answer.json["error"]) == (405, "MethodNotAllowed")
    assert allowed in answer.headers["Allow"]


def test_a_defect_shows_no_inner_workings_and_is_logged(url, caplog):
    answer = get(url, "/_emulator/story/broken")
    assert (answer.status, answer.json["error"]) == (500, "ServerError")
    assert b"inner-workings" not in answer.body
    assert "KeyError" in caplog.text
