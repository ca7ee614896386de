"""What other services hold is there again when the emulator was killed and started anew."""

from __future__ import annotations

import logging
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import requests
from botocore.exceptions import BotoCoreError, ClientError

from emulator.app import Emulator
from emulator.config import Config
from emulator.neighbours.embedded.keeping.keeper import NOT_KEPT
from tests.emulators import ROOT, Served, client, served
from tests.neighbours.held import KINDS

Seen = dict[str, Any]


def kept(folder: Path, *options: str) -> Any:
    return served("--runtime", "simulated", "--state-dir", str(folder), *options)


def seen(emulator: Served) -> Seen:
    """What every kind of thing looks like, whatever the emulator's port."""
    return {
        name: _bare(kind.see(lambda service: client(emulator.url, service)), emulator.url)
        for name, kind in KINDS.items()
    }


def _bare(answer: Any, url: str) -> Any:
    if isinstance(answer, dict):
        return {name: _bare(value, url) for name, value in answer.items() if name != "ResponseMetadata"}
    if isinstance(answer, list | tuple):
        return [_bare(each, url) for each in answer]
    return answer.replace(url, "") if isinstance(answer, str) else answer


@pytest.fixture(scope="module")
def before_and_after(tmp_path_factory: pytest.TempPathFactory) -> tuple[Seen, Seen]:
    """What was seen before the emulator was killed, and in the process after it."""
    folder = tmp_path_factory.mktemp("state")
    with kept(folder) as first:
        for kind in KINDS.values():
            kind.make(lambda service: client(first.url, service))
        before = seen(first)
        first.kill()
    with kept(folder) as second:
        return before, seen(second)


@pytest.mark.parametrize("kind", KINDS)
def test_after_a_kill_everything_is_as_it_was(kind: str, before_and_after: tuple[Seen, Seen]) -> None:
    before, after = before_and_after
    assert after[kind] == before[kind]


def test_what_was_acknowledged_survives_a_kill_in_the_midst_of_calls(tmp_path: Path) -> None:
    acknowledged: list[str] = []
    enough = threading.Semaphore(0)

    def make(url: str, thread: int) -> None:
        queues = client(url, "sqs")
        try:
            for number in range(10_000):
                queues.create_queue(QueueName=f"{thread}-{number}")
                acknowledged.append(f"{thread}-{number}")
                enough.release()
        except (BotoCoreError, ClientError):  # it was killed
            return

    with kept(tmp_path) as first:
        threads = [threading.Thread(target=make, args=(first.url, number)) for number in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(40):
            assert enough.acquire(timeout=60)
        first.kill()
        for thread in threads:
            thread.join()
    with kept(tmp_path) as second:
        pages = client(second.url, "sqs").get_paginator("list_queues").paginate(PaginationConfig={"PageSize": 1000})
        found = {url.rpartition("/")[2] for page in pages for url in page["QueueUrls"]}
    assert found >= set(acknowledged)


def test_a_reset_forgets_what_was_kept(tmp_path: Path) -> None:
    with kept(tmp_path) as first:
        client(first.url, "sqs").create_queue(QueueName="before")
        requests.post(f"{first.url}/_emulator/reset", timeout=60).raise_for_status()
        client(first.url, "sqs").create_queue(QueueName="after")
        first.kill()
    with kept(tmp_path) as second:
        assert [url.rpartition("/")[2] for url in client(second.url, "sqs").list_queues()["QueueUrls"]] == ["after"]


def test_a_session_stands_for_its_role_after_a_kill(tmp_path: Path) -> None:
    with kept(tmp_path) as first:
        role = client(first.url, "iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        keys = client(first.url, "sts").assume_role(RoleArn=role, RoleSessionName="me")["Credentials"]
        before = client(first.url, "sts", account=keys["AccessKeyId"]).get_caller_identity()
        first.kill()
    with kept(tmp_path) as second:
        after = client(second.url, "sts", account=keys["AccessKeyId"]).get_caller_identity()
    assert (after["Arn"], after["UserId"]) == (before["Arn"], before["UserId"])


def test_a_default_subnet_that_was_deleted_stays_deleted_for_tasks(tmp_path: Path) -> None:
    with kept(tmp_path) as first:
        first.ecs.create_cluster(clusterName="default")
        first.ecs.register_task_definition(
            family="f",
            requiresCompatibilities=["FARGATE"],
            networkMode="awsvpc",
            cpu="256",
            memory="512",
            containerDefinitions=[{"name": "c", "image": "i"}],
        )
        ec2 = client(first.url, "ec2")
        subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
        ec2.delete_subnet(SubnetId=subnet)
        first.kill()
    with kept(tmp_path) as second, pytest.raises(ClientError, match=subnet):
        second.ecs.run_task(
            taskDefinition="f",
            launchType="FARGATE",
            networkConfiguration={"awsvpcConfiguration": {"subnets": [subnet]}},
        )


def test_the_file_is_its_owner_s_alone_and_opens_no_door(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    with kept(folder) as emulator:
        s3 = client(emulator.url, "s3", signature_version="s3v4")
        s3.create_bucket(Bucket="bkt")
        url = s3.generate_presigned_url("put_object", Params={"Bucket": "bkt", "Key": "k"})
        requests.put(url, data=b"x", headers={"x-amz-security-token": "sesame"}, timeout=60).raise_for_status()
        emulator.kill()
    written = b"".join(file.read_bytes() for file in folder.glob("neighbours*"))
    _, _, signature = url.partition("X-Amz-Signature=")
    assert len(signature) == 64
    assert b"PutObject" in written
    assert signature.encode() not in written
    assert b"sesame" not in written
    assert stat.S_IMODE((folder / "neighbours.sqlite3").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_nothing_is_done_again_before_somebody_asks(tmp_path: Path) -> None:
    with kept(tmp_path) as first:
        client(first.url, "sqs").create_queue(QueueName="q")
    program = (
        "import pathlib, sys; from emulator.app import Emulator; from emulator.config import Config;"
        "Emulator(Config(runtime='simulated', state_dir=pathlib.Path(sys.argv[1]))).close();"
        "print([name for name in sys.modules if name.split('.')[0] in ('moto', 'flask', 'botocore')])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert ran.stdout == "[]\n"


def test_what_does_not_survive_is_said_at_the_start_and_in_the_readme(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        Emulator(Config(runtime="simulated", state_dir=tmp_path)).close()
    assert caplog.messages == [NOT_KEPT]
    assert NOT_KEPT in (ROOT / "README.md").read_text().replace("\n", " ")


def test_an_emulator_that_keeps_nothing_does_not_speak_of_it(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        Emulator(Config(runtime="simulated")).close()
    assert caplog.messages == []
