"""docs/benchmarks.md: its text is written by hand, what stands between its two markers by `scripts/bench --write`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.results import Result, summary
from benchmarks.servers import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- results -->", "<!-- end of results -->"


def write(results: Sequence[Result], facts: Mapping[str, str], command: str, date: str, page: Path = PAGE) -> None:
    """Put these results in the place of the former ones."""
    before = page.read_text()
    head, rest = before.split(BEGIN)
    tail = rest.split(END)[1]
    page.write_text(f"{head}{BEGIN}\n\n{content(results, facts, command, date)}\n\n{END}{tail}")


def content(results: Sequence[Result], facts: Mapping[str, str], command: str, date: str) -> str:
    """The results as Markdown."""
    parts = [
        f"`{command}`, {date}: {summary(results)}",
        "\n".join(["| machine | |", "| --- | --- |", *(f"| {name} | {fact} |" for name, fact in facts.items())]),
        *(result.to_markdown() for result in results),
    ]
    return "\n\n".join(parts)
