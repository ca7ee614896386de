"""What the documents promise is there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import requests

from tests.emulators import InProcess, served
from tests.operations.helpers import WEB, run

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def part(name: str, document: str = README) -> str:
    return document.split(f"<!-- {name} -->")[1].split(f"<!-- end of {name} -->", maxsplit=1)[0]


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\b(?:scripts|docs)/[\w./-]*\w", README))))
def test_what_the_readme_names_exists(path: str) -> None:
    assert (ROOT / path).exists()


def test_the_table_of_operations_is_current() -> None:
    script = ROOT / "scripts" / "update-tables"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_option_of_serve_can_be_set_by_its_variable() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "emulator", "serve", "--help"], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout
    flags = set(re.findall(r"--([a-z-]+)", shown)) - {"help"}
    variables = set(re.findall(r"ECS_EMULATOR_([A-Z_]+)", shown))
    assert variables == {flag.upper().replace("-", "_") for flag in flags}


def test_the_pages_of_the_emulator_itself_have_the_documented_shape(emulator: InProcess) -> None:
    control = (ROOT / "docs" / "control.md").read_text()
    emulator.ecs.create_cluster()
    emulator.ecs.register_task_definition(**WEB)
    task = run(emulator.ecs)
    for page, path in (("health", "health"), ("story", f"story/{task['taskArn']}")):
        schema = json.loads(part(page, control).split("```json")[1].split("```")[0])
        jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.validate(requests.get(f"{emulator.url}/_emulator/{path}", timeout=10).json(), schema)


@pytest.mark.docker
def test_the_readmes_session_runs_as_pasted(tmp_path: Path) -> None:
    with served("--state-dir", str(tmp_path), "--runtime", "docker") as emulator:
        session = part("session").split("```sh\n")[1].split("```")[0]
        assert "http://127.0.0.1:4566" in session
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-e", "-c", session.replace("http://127.0.0.1:4566", emulator.url)],
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
            env={**os.environ, "PATH": path, "AWS_PAGER": ""},
        )
    assert done.returncode == 0, done.stderr
    assert "hello from fargate\n" in done.stdout
    last = json.loads(done.stdout[done.stdout.index('{\n    "stopCode"') : done.stdout.rindex("}") + 1])
    assert last == {"stopCode": "UserInitiated", "reason": "that was it", "containers": [["web", 0], ["neighbour", 7]]}
    assert done.stdout.splitlines()[-1].endswith("DEPROVISIONING -> STOPPED")
