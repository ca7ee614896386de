"""What was measured, and how it is judged and shown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Literal

Unit = Literal["ms", "calls/s", "MiB"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing that was measured again and again."""

    what: str
    unit: Unit
    samples: Sequence[float]

    @property
    def p50(self) -> float:
        """The median."""
        return median(self.samples)

    @property
    def p99(self) -> float:
        """The smallest sample that 99 of 100 do not exceed; with fewer than a hundred samples the greatest."""
        return sorted(self.samples)[math.ceil(0.99 * len(self.samples)) - 1]

    def cells(self) -> list[str]:
        """A line of the table. A high percentile says something of times only."""
        return [
            self.what,
            str(len(self.samples)),
            f"{_short(self.p50)} {self.unit}",
            f"{_short(self.p99)} {self.unit}" if self.unit == "ms" else "",
        ]

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        return {
            "what": self.what,
            "unit": self.unit,
            "n": len(self.samples),
            "p50": self.p50,
            "p99": self.p99,
            "samples": [round(sample, 4) for sample in self.samples],
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a target says, and what came out. A ratio has no unit."""

    what: str
    value: float
    target: float
    at_least: bool = False
    unit: Literal["x", "ms", "MiB"] = "x"

    @property
    def met(self) -> bool:
        """Is the target met?"""
        return self.value >= self.target if self.at_least else self.value <= self.target

    @property
    def used(self) -> float:
        """Which part of what the target allows was used: 1 when it is just met."""
        return self.target / self.value if self.at_least else self.value / self.target

    def cells(self) -> list[str]:
        """A line of the table."""
        bound = "at least" if self.at_least else "at most"
        return [
            self.what,
            f"{_short(self.value)} {self.unit}",
            f"{bound} {self.target:g} {self.unit}",
            "met" if self.met else "NOT MET",
        ]

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        return {
            "what": self.what,
            "value": self.value,
            "unit": self.unit,
            "target": self.target,
            "at_least": self.at_least,
            "met": self.met,
        }


@dataclass(slots=True)
class Result:
    """What one benchmark found. `skipped` says why it found nothing."""

    name: str
    title: str
    figures: list[Figure] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    skipped: str | None = None
    failed: bool = False

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        return {
            "name": self.name,
            "title": self.title,
            "skipped": self.skipped,
            "figures": [figure.to_json() for figure in self.figures],
            "targets": [verdict.to_json() for verdict in self.verdicts],
            "notes": self.notes,
        }

    def to_text(self) -> str:
        """For a terminal."""
        lines = [f"{self.name}: {self.title}"]
        if self.skipped:
            lines.append(f"  skipped: {self.skipped}")
        for rows in self._tables():
            lines += ["", *(f"  {line}" for line in _aligned(rows))]
        lines += ["", *(f"  {note}" for note in self.notes)] if self.notes else []
        return "\n".join(lines)

    def to_markdown(self) -> str:
        """For the page."""
        parts = [f"### {self.name}", f"{self.title}."]
        if self.skipped:
            parts.append(f"Skipped: {self.skipped}.")
        parts += ["\n".join(_markdown(rows)) for rows in self._tables()]
        parts += self.notes
        return "\n\n".join(parts)

    def _tables(self) -> list[list[list[str]]]:
        tables = []
        if self.figures:
            tables.append([["measured", "n", "p50", "p99"], *(figure.cells() for figure in self.figures)])
        if self.verdicts:
            tables.append([["judged", "found", "target", ""], *(verdict.cells() for verdict in self.verdicts)])
        return tables


def ratio(what: str, of: Figure, to: Figure, target: float, *, at_least: bool = False) -> Verdict:
    """The ratio of two medians that were measured in turns, against its target."""
    return Verdict(what, of.p50 / to.p50, target, at_least)


def summary(results: Sequence[Result]) -> str:
    """How many targets are met, which are not, and what was not measured."""
    verdicts = [verdict for result in results for verdict in result.verdicts]
    parts = [f"{sum(verdict.met for verdict in verdicts)} of {len(verdicts)} targets met"]
    if missed := [verdict.what for verdict in verdicts if not verdict.met]:
        parts.append(f"not met: {'; '.join(missed)}")
    if absent := [result.name for result in results if result.skipped]:
        parts.append(f"not measured: {', '.join(absent)}")
    return f"{'. '.join(parts)}."


def _short(number: float) -> str:
    """Three digits that count, and no exponent."""
    if number == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(number))))
    return f"{number:,.{digits}f}"


def _aligned(rows: Sequence[Sequence[str]]) -> Iterable[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        first, *others = (
            cell.ljust(width) if not at else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "   ".join([first, *others]).rstrip()


def _markdown(rows: Sequence[Sequence[str]]) -> Iterable[str]:
    head, *body = rows
    yield f"| {' | '.join(head)} |"
    yield f"| --- |{' ---: |' * (len(head) - 1)}"
    for row in body:
        yield f"| {' | '.join(row)} |"
