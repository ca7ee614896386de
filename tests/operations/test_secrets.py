"""Tasks whose containers have secrets."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from emulator.app import Emulator
from emulator.clock import ManualClock
from emulator.config import Config
from emulator.edge.server import Edge, running
from tests.builders import NOW
from tests.emulators import InProcess
from tests.operations.fetching import FROM_ASM, FROM_SSM, ROLE, Account, files, secrets
from tests.operations.helpers import WEB, describe, run

MISSING = "arn:aws:secretsmanager:us-east-1:000000000000:secret:nope-AbCdEf"


@pytest.fixture
def account(emulator: InProcess) -> Account:
    return Account(emulator)


def test_a_variable_has_a_whole_secret(account: Account) -> None:
    assert account.variables(secrets(A=account.secret("db", '{"user": "me"}'))) == {"A": '{"user": "me"}'}


def test_a_variable_has_a_member_of_a_secret(account: Account) -> None:
    arn = account.secret("db", '{"user": "me", "port": 5432}')
    assert account.variables(secrets(A=f"{arn}:user::", B=f"{arn}:port::")) == {"A": "me", "B": "5432"}


def test_a_variable_has_another_version_of_a_secret(account: Account) -> None:
    arn = account.secret("db", '{"user": "old"}')
    manager = account.client("secretsmanager")
    version = manager.put_secret_value(SecretId=arn, SecretString="new", VersionStages=["mine", "AWSCURRENT"])[
        "VersionId"
    ]
    given = secrets(A=f"{arn}:user:AWSPREVIOUS:", B=f"{arn}:::{version}", C=f"{arn}::mine:", D=arn)
    assert account.variables(given) == {"A": "old", "B": "new", "C": "new", "D": "new"}


def test_a_variable_has_a_parameter_by_name_or_arn(account: Account) -> None:
    account.parameter("/team/user", "me")
    account.parameter("plain", "you")
    arn = "arn:aws:ssm:us-east-1:000000000000:parameter"
    given = secrets(A="/team/user", B="plain", C=f"{arn}/team/user", D=f"{arn}/plain")
    assert account.variables(given) == {"A": "me", "B": "you", "C": "me", "D": "you"}


def test_secrets_and_parameters_of_another_region_are_named_by_their_arns(account: Account) -> None:
    account.parameter("/team/user", "there", region="eu-west-1")
    secret = account.secret("db", "far", region="eu-west-1")
    given = secrets(A="arn:aws:ssm:eu-west-1:000000000000:parameter/team/user", B=secret)
    assert account.variables(given) == {"A": "there", "B": "far"}


def test_more_parameters_than_one_call_can_have_are_all_there(account: Account) -> None:
    names = {f"V{number}": f"/p/{number}" for number in range(23)}
    for name in names.values():
        account.parameter(name, f"value of {name}")
    assert account.variables(secrets(**names)) == {name: f"value of {path}" for name, path in names.items()}


def test_a_secret_counts_more_than_a_variable_that_run_task_gives(account: Account) -> None:
    account.parameter("a", "secret")
    override = {"name": "web", "environment": [{"name": "A", "value": "plain"}, {"name": "B", "value": "plain"}]}
    found = account.variables(secrets(A="a"), overrides={"containerOverrides": [override]})
    assert found == {"A": "secret", "B": "plain"}


def test_options_of_a_log_driver_come_from_secrets_too(account: Account) -> None:
    account.parameter("token", "hush")
    logs = {"logDriver": "splunk", "secretOptions": [{"name": "splunk-token", "valueFrom": "token"}]}
    account.define({"logConfiguration": logs})
    spec = account.spec(account.run())
    assert spec.log_secrets == {"splunk-token": "hush"}
    assert "hush" not in spec.environment.merged().values()


def test_each_container_has_its_own_secrets(account: Account) -> None:
    account.parameter("a", "1")
    account.parameter("b", "2")
    account.define({"name": "web", **secrets(A="a")}, {"name": "side", **secrets(A="b")}, {"name": "none"})
    task = account.run()
    variables = [account.spec(task, name).environment.merged().get("A") for name in ("web", "side", "none")]
    assert variables == ["1", "2", None]


def test_a_task_gets_what_is_there_when_it_starts(account: Account) -> None:
    arn = account.secret("db", "old")
    account.define(secrets(A=arn))
    first = account.run()
    account.client("secretsmanager").put_secret_value(SecretId=arn, SecretString="new")
    second = account.run()
    assert [account.spec(task).environment.secrets["A"] for task in (first, second)] == ["old", "new"]


def test_a_secret_that_does_not_exist(account: Account) -> None:
    assert account.reason(secrets(A=MISSING)) == (
        f"{FROM_ASM}failed to fetch secret {MISSING} from secrets manager: ResourceNotFoundException: "
        "Secrets Manager can't find the specified secret."
    )


def test_a_version_that_cannot_be_one(account: Account) -> None:
    arn = account.secret("db", "text")
    assert account.reason(secrets(A=f"{arn}:::1")).startswith(
        f"{FROM_ASM}failed to fetch secret {arn} from secrets manager: InvalidParameter: "
    )


def test_a_secret_that_has_no_such_member(account: Account) -> None:
    arn = account.secret("db", '{"user": "me"}')
    assert account.reason(secrets(A=f"{arn}:password::")) == (
        f"{FROM_ASM}retrieved secret from Secrets Manager did not contain json key password"
    )


def test_a_secret_that_is_no_object(account: Account) -> None:
    arn = account.secret("db", '["hush"]')
    assert account.reason(secrets(A=f"{arn}:user::")) == (
        f"{FROM_ASM}json: cannot unmarshal array into Go value of type map[string]interface {{}}"
    )


def test_a_reference_with_some_of_its_parts_missing(account: Account) -> None:
    assert account.reason(secrets(A=f"{MISSING}:user")) == (
        f"{FROM_ASM}trying to retrieve secret with value {MISSING}:user resulted in error: an invalid ARN format for "
        "the AWS Secrets Manager secret was specified. Specify a valid ARN and try again."
    )


def test_parameters_that_do_not_exist_are_all_named(account: Account) -> None:
    account.parameter("/team/there", "me")
    given = secrets(
        A="/team/there", B="/team/nope", C="arn:aws:ssm:us-east-1:000000000000:parameter/team/neither", D="/plain"
    )
    assert account.reason(given) == f"{FROM_SSM}invalid ssm parameters: /team/nope,/team/neither,/plain"


def test_secrets_are_asked_for_before_parameters(account: Account) -> None:
    assert "from asm" in account.reason(secrets(A="nope", B=MISSING))


def test_nothing_is_left_of_a_stopped_task(account: Account) -> None:
    account.parameter("a", "hush")
    account.define({**secrets(A="a"), **files(account.file("a.env", "B=hush"))})
    task = account.run()
    assert set(_kept_for(account.emulator.app)) == {task["taskArn"]}
    account.ecs.stop_task(task=task["taskArn"])
    account.emulator.advance(60)
    assert describe(account.ecs, task)["lastStatus"] == "STOPPED"
    assert _kept_for(account.emulator.app) == []


def test_nothing_is_left_after_a_reset(account: Account) -> None:
    account.parameter("a", "hush")
    account.define(secrets(A="a"))
    account.run()
    account.emulator.app.reset()
    assert _kept_for(account.emulator.app) == []


def _kept_for(app: Emulator) -> list[str]:
    """The tasks for which any step keeps something."""
    steps = app.runtime._hands.steps
    objects: list[Any] = [getattr(step, "__self__", None) for step in steps.at_after_release]
    return [arn for each in objects if hasattr(each, "_kept") for arn in each._kept._by_task]


@contextmanager
def emulating(**config: Any) -> Iterator[InProcess]:
    """An emulator that is set up in another way than most tests want it."""
    clock = ManualClock(NOW)
    app = Emulator(Config(runtime="simulated", **config), clock=clock)
    with running(Edge(app.parts)) as url:
        yield InProcess(url, app, clock)


@pytest.mark.parametrize(
    ("config", "seen"),
    [
        ({"neighbours": "none"}, "no ssm is served: the emulator was started with --neighbours none. Name an endpoint"),
        (
            {"endpoints": (("ssm", "http://127.0.0.1:1"),)},
            'Could not connect to the endpoint URL: "http://127.0.0.1:1/"',
        ),
    ],
)
def test_where_nobody_answers_a_task_says_so_and_what_to_do(config: dict[str, Any], seen: str) -> None:
    with emulating(**config) as emulator:
        emulator.ecs.create_cluster()
        emulator.ecs.register_task_definition(
            **{
                **WEB,
                "executionRoleArn": ROLE,
                "containerDefinitions": [{"name": "web", "image": "web:1", **secrets(A="a")}],
            }
        )
        task = run(emulator.ecs)
        emulator.advance()
        reason = describe(emulator.ecs, task)["stoppedReason"]
    assert reason.startswith(
        "ResourceInitializationError: unable to pull secrets or registry auth: unable to retrieve secrets from ssm: "
        "The task cannot pull secrets from AWS Systems Manager. There is a connection issue between the task and "
        "AWS Systems Manager Parameter Store. Check your task network configuration. "
    )
    assert seen in reason
    assert "--neighbour ssm=URL" in reason


def test_no_secret_is_written_down_or_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Of a task that runs with secrets, and of one that cannot start for them."""
    with emulating(state_dir=tmp_path) as emulator:
        app, url = emulator.app, emulator.url
        account = Account(emulator)
        arn = account.secret("db", '{"user": "hush-1", "login": ["hush-2"]}')
        account.parameter("a", "hush-3")
        logs = {"logDriver": "splunk", "secretOptions": [{"name": "splunk-token", "valueFrom": "a"}]}
        account.define(
            {
                **secrets(A=f"{arn}:user::", B="a", C=arn),
                **files(account.file("web.env", "D=hush-4")),
                "logConfiguration": logs,
                "repositoryCredentials": {"credentialsParameter": account.secret("registry", LOGIN)},
            }
        )
        caplog.clear()
        with caplog.at_level(logging.DEBUG):
            runs = account.run()
            assert account.spec(runs).environment.secrets["A"] == "hush-1"
            fails = [account.reason(given) for given in (secrets(A=f"{arn}:nope::"), secrets(A=f"{arn}:user:nope:"))]
            story = requests.get(f"{url}/_emulator/story/{runs['taskArn']}", timeout=10).text
            state = repr(vars(app)) + repr(vars(app.runtime)) + repr(app.runtime._hands) + repr(vars(app.driver))
        shown = account.ecs.describe_tasks(tasks=[runs["taskArn"]])
    ours = [path for path in tmp_path.iterdir() if not path.name.startswith("neighbours")]  # the manager's own keeps it
    stored = "".join(path.read_text("latin-1") for path in ours)
    assert runs["taskArn"] in stored
    assert runs["taskArn"] in state
    for told in (stored, story, state, str(shown), *fails, *(record.getMessage() for record in caplog.records)):
        assert "hush" not in told


LOGIN = '{"username": "me", "password": "hush-5"}'
