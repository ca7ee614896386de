"""Who may know whom. The drawing is in docs/architecture.md; here it is enforced."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LEAVES = {"clock", "ids", "errors"}

MAY_IMPORT = {
    "api_models": set(),
    "errors": set(),
    "clock": set(),
    "ids": set(),
    "state": {"api_models"} | LEAVES,
    "rules": {"api_models", "state"} | LEAVES,
    "policies": {"api_models", "state", "errors"},
    "planner": {"api_models", "state"} | LEAVES,
    "config": {"planner"},
    "operations": {"api_models", "state", "rules", "policies", "neighbours"} | LEAVES,
    "runtime": {"api_models", "state", "planner", "neighbours"} | LEAVES,
    "edge": {"api_models", "operations"} | LEAVES,
    "neighbours": {"state"} | LEAVES,
    "app": {"api_models", "state", "operations", "runtime", "edge", "neighbours", "config"} | LEAVES,
    "cli": {"app", "config", "state", "edge"} | LEAVES,
    "__main__": {"cli"},
}
"""What each part may import, beside itself and libraries."""

REASONS = {
    ("rules", "operations"): "a rule is given its facts, it does not fetch them",
    ("policies", "operations"): "policies are judged by what they are given; who calls brings it",
    ("planner", "runtime"): "the planner decides, it does not know who does it",
    ("operations", "runtime"): "an operation changes the state; what follows is the planner's business",
    ("state", "operations"): "the state does not know who changes it",
    ("neighbours", "operations"): "the other services do not know what a call of ECS does",
    ("edge", "neighbours"): "the edge is given its way to other services by app.py",
    ("edge", "runtime"): "the edge is given what it needs by app.py",
}


def sources() -> list[Path]:
    return [*sorted((ROOT / "emulator").rglob("*.py")), *sorted((ROOT / "api_models").glob("*.py"))]


def part_of(module: str) -> str | None:
    """The part of the drawing that a module belongs to."""
    names = module.split(".")
    if names[0] == "api_models":
        return "api_models"
    return names[1] if names[0] == "emulator" and len(names) > 1 else None


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            yield from (f"{node.module}.{name.name}" for name in node.names)


@pytest.mark.parametrize("path", sources(), ids=module_name)
def test_imports_follow_the_drawing(path: Path) -> None:
    part = part_of(module_name(path))
    if part in (None, "__init__"):
        return
    for imported in imports_of(path):
        other = part_of(imported)
        if other in (None, part):
            continue
        reason = REASONS.get((str(part), str(other)), "see docs/architecture.md")
        assert other in MAY_IMPORT[str(part)], f"{module_name(path)} must not import {imported}: {reason}"


def test_no_module_imports_itself_by_way_of_others() -> None:
    files = {module_name(path).removesuffix(".__init__"): path for path in sources()}
    graph = {
        name: {found for imported in imports_of(path) if (found := known(imported, files)) and found != name}
        for name, path in files.items()
        if not name.startswith("api_models")
    }
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join((*trail, name))
        if name not in done:
            for found in sorted(graph.get(name, ())):
                visit(found, (*trail, name))
            done.add(name)

    for name in sorted(graph):
        visit(name, ())


def known(imported: str, files: dict[str, Path]) -> str | None:
    return next((name for name in (imported, imported.rpartition(".")[0]) if name in files), None)


CLOCKS = {"time.time", "time.monotonic", "time.sleep", "datetime.now", "datetime.utcnow"}
CHANCE = {"random", "secrets", "uuid"}


@pytest.mark.parametrize(
    "path", [path for path in sources() if path.name not in ("clock.py", "ids.py")], ids=module_name
)
def test_time_and_chance_come_in(path: Path) -> None:
    for imported in imports_of(path):
        assert imported.split(".")[0] not in CHANCE, f"{path}: chance comes in through emulator.ids"
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            name = f"{node.value.id}.{node.attr}"
            assert name not in CLOCKS, f"{path}:{node.lineno}: time comes in through emulator.clock"


@pytest.mark.parametrize("path", [path for path in sources() if path.name == "__init__.py"], ids=module_name)
def test_every_package_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text())), f"{path} has no docstring"


def test_every_module_of_rules_is_imported_by_the_emulator() -> None:
    program = "import sys, emulator.app; print(*(name for name in sys.modules if name.startswith('emulator.rules.')))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    written = {module_name(path) for path in (ROOT / "emulator" / "rules").glob("[!_]*.py")}
    assert written - set(done.stdout.split()) == set(), "a rule that nobody imports refuses nothing"


@pytest.mark.parametrize("path", sources(), ids=module_name)
def test_moto_is_known_in_one_folder(path: Path) -> None:
    if "embedded" not in path.parts:
        assert not [name for name in imports_of(path) if name.split(".")[0] == "moto"], (
            "moto changes from one to another"
        )


def test_only_config_reads_the_environment() -> None:
    for path in sources():
        if path.name != "config.py":
            text = path.read_text()
            assert "os.environ" not in text, f"{path}: the environment is read by emulator.config"
            assert "getenv" not in text, f"{path}: the environment is read by emulator.config"
