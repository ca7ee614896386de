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
        plot(results),
        *(result.to_markdown() for result in results),
    ]
    return "\n\n".join(parts)


def plot(results: Sequence[Result]) -> str:
    """Every target as a bar: which part of what is allowed was used. Markdown viewers draw it (Mermaid)."""
    verdicts = [verdict for result in results for verdict in result.verdicts]
    if not verdicts:
        return "Nothing was judged."
    legend = "\n".join(f"{number}. {verdict.what}" for number, verdict in enumerate(verdicts, 1))
    used = ", ".join(f"{100 * verdict.used:.0f}" for verdict in verdicts)
    numbers = ", ".join(str(number) for number in range(1, len(verdicts) + 1))
    chart = [
        "```mermaid",
        "xychart-beta",
        '    title "per cent of what each target allows (the line is at 100)"',
        f"    x-axis [{numbers}]",
        '    y-axis "%" 0 --> 125',
        f"    bar [{used}]",
        f"    line [{', '.join(['100'] * len(verdicts))}]",
        "```",
    ]
    return "\n".join(chart) + "\n\n" + legend
