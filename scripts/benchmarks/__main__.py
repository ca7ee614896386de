"""The command: measure what was asked for, show it, and keep it where that was asked for."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from benchmarks import calls, fifty, first_call, first_line, flat, log_lines, machine, memory, page, run_task_answers
from benchmarks.results import Result, summary


@dataclass(frozen=True, slots=True)
class Benchmark:
    """What can be measured: the function, how many rounds it takes by itself, and what it measures."""

    measure: Callable[[int], Result]
    rounds: int
    title: str


BENCHMARKS = {
    name: Benchmark(module.measure, module.ROUNDS, module.TITLE)
    for name, module in {
        "run-task-answers": run_task_answers,
        "first-line": first_line,
        "fifty": fifty,
        "first-call": first_call,
        "calls": calls,
        "flat": flat,
        "memory": memory,
        "log-lines": log_lines,
    }.items()
}

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns the exit status: 0 when all was measured, however the targets came out."""
    options = _options(arguments)
    for number in SIGNALS:
        signal.signal(number, _end_in_order)
    facts = machine.facts()
    results = [_measure(name, options.rounds) for name in options.names or BENCHMARKS]
    print(summary(results))
    command = _command(options)
    if options.json:
        options.json.write_text(json.dumps(_all(results, facts, command, options.date), indent=1) + "\n")
    if any(result.failed for result in results):
        if options.write:
            print("docs/benchmarks.md stays as it was: it holds one run of everything.", file=sys.stderr)
        return 1
    if options.write:
        page.write(results, facts, command, options.date)
    return 0


def _measure(name: str, rounds: int | None) -> Result:
    """Measure one thing and show it. What fails does not keep the others from being measured."""
    benchmark = BENCHMARKS[name]
    begin = time.monotonic()
    try:
        result = benchmark.measure(rounds or benchmark.rounds)
    except Exception as error:  # noqa: BLE001 - whatever it was, it is shown
        traceback.print_exc()
        result = Result(name, benchmark.title, failed=True, skipped=f"failed with {type(error).__name__}")
    print(f"{result.to_text()}\n\n  ({time.monotonic() - begin:.0f} s)\n", flush=True)
    return result


def _end_in_order(number: int, _frame: object) -> None:
    """End by an exception, so that every block removes what it made; a second signal must not cut that short."""
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    print("Interrupted: ending what was started …", file=sys.stderr, flush=True)
    sys.exit(128 + number)


def _command(options: argparse.Namespace) -> str:
    """The command that measures the same again."""
    rounds = ["--rounds", str(options.rounds)] if options.rounds else []
    return " ".join(["scripts/bench", *options.names, *rounds])


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    listed = "\n".join(f"  {name:18}{each.title} ({each.rounds} rounds)" for name, each in BENCHMARKS.items())
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Measure this emulator beside what it is compared with; say which targets are met.",
        epilog=f"benchmarks:\n{listed}\n\nHow each is measured: docs/benchmarks.md.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="what to measure (everything)")
    parser.add_argument("--rounds", type=_at_least_one, metavar="N", help="rounds of each instead of its own number")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was measured to this file")
    parser.add_argument("--write", action="store_true", help="renew the results in docs/benchmarks.md")
    parser.add_argument(
        "--date",
        type=lambda text: date.fromisoformat(text).isoformat(),
        default=datetime.now(UTC).date().isoformat(),
        metavar="YYYY-MM-DD",
        help="the date that the results bear (today)",
    )
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.names if name not in BENCHMARKS]:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    if options.write and options.names:
        parser.error("--write takes the results of one run of everything: leave the names out")
    return options


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1 on")
    return int(text)


def _all(results: Sequence[Result], facts: dict[str, str], command: str, day: str) -> dict[str, Any]:
    return {
        "command": command,
        "date": day,
        "machine": facts,
        "results": [result.to_json() for result in results],
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
