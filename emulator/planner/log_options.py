"""From a container's logConfiguration to the log stream that its output goes to.

Of the log drivers `awslogs` alone is heeded. Options are those of the Amazon ECS developer guide ("Available awslogs
Log Driver Options"), and `mode` and `max-buffer-size`, which Docker's log drivers have in common. Nothing that a task
definition says raises an error here: `log_problem` names what is wrong, and the task does not start.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import api_models as ecs
from emulator.planner.specs import LogSpec
from emulator.state.tasks import Task

AWSLOGS = "awslogs"
MODES = ("blocking", "non-blocking")

DEFAULT_BUFFER = "10m"
"""What ECS's agent sets for mode non-blocking where the definition says nothing (seen in its sources)."""

LONGEST_MATCH = 0.1
"""Seconds that looking for the pattern in one line may take."""

DATE_DIRECTIVES = {
    "%a": "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)",
    "%A": "(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)",
    "%w": "[0-6]",
    "%d": "(?:0[1-9]|[12][0-9]|3[01])",
    "%b": "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)",
    "%B": "(?:January|February|March|April|May|June|July|August|September|October|November|December)",
    "%m": "(?:0[1-9]|1[0-2])",
    "%Y": "[0-9]{4}",
    "%y": "[0-9]{2}",
    "%H": "(?:[01][0-9]|2[0-3])",
    "%I": "(?:0[0-9]|1[0-2])",
    "%p": "[AP]M",
    "%M": "[0-5][0-9]",
    "%S": "[0-5][0-9]",
    "%L": r"\.[0-9]{3}",
    "%f": "[0-9]{6}",
    "%z": "[+-][0-9]{4}",
    "%Z": "[A-Z]{1,4}T",
    "%j": "(?:[0-2][0-9]{2}|3[0-5][0-9]|36[0-6])",
    "%%": "%",
}
"""What each directive of awslogs-datetime-format stands for (documented: Docker, Amazon CloudWatch Logs driver)."""

_SIZE = re.compile(r"(\d{1,12}(?:\.\d{1,6})?) ?([kmgt]?)(?:i?b)?", re.IGNORECASE | re.ASCII)
_FACTORS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


def log_spec(task: Task, container: ecs.ContainerDefinition) -> LogSpec | None:
    """Where a container's output goes; None for one that has not the awslogs driver.

    The stream is `prefix/container/task id` (guide). A task on Fargate has a prefix; one without it would be EC2's,
    whose stream is named after Docker's id, which nobody knows before the start: there the prefix is left out.
    """
    if not is_awslogs(container):
        return None
    options = _options(container)
    parts = (options.get("awslogs-stream-prefix"), container.name, task.id)
    return LogSpec(
        group=options.get("awslogs-group", ""),
        region=options.get("awslogs-region") or task.region,
        stream="/".join(part for part in parts if part),
        create_group=options.get("awslogs-create-group", "").lower() == "true",
        begins=beginning(options),
        buffer=_buffer(options) if options.get("mode") == "non-blocking" else None,
    )


def is_awslogs(container: ecs.ContainerDefinition) -> bool:
    """Whether a container's output goes to CloudWatch Logs."""
    logs = container.log_configuration
    return logs is not None and logs.log_driver == AWSLOGS


def log_problem(container: ecs.ContainerDefinition) -> str | None:
    """What is wrong with a container's awslogs options, in one line; None if nothing is."""
    options = _options(container)
    if (mode := options.get("mode", MODES[0])) not in MODES:
        return f"the log option mode is '{mode}', and must be one of {', '.join(MODES)}"
    if mode == "non-blocking" and _buffer(options) is None:
        return f"the log option max-buffer-size is '{options['max-buffer-size']}', and must be a size such as 10m"
    pattern = beginning(options)
    return _flaw(pattern) if pattern is not None else None


def beginning(options: Mapping[str, str]) -> str | None:
    """The pattern of the lines at which an event begins; None where each line is an event.

    The date format counts more than the pattern (guide). What is no directive in it is a pattern itself, as Docker's
    own example escapes its brackets; a directive that Docker does not know stands for nothing.
    """
    dates = options.get("awslogs-datetime-format")
    if dates:
        return re.sub("%.", lambda found: DATE_DIRECTIVES.get(found[0], ""), dates)
    return options.get("awslogs-multiline-pattern") or None


class Beginning:
    """Tells the lines at which an event begins."""

    def __init__(self, pattern: str) -> None:
        """Raises ValueError for what is no pattern.

        The pattern is anybody's, and Python's own matcher may try for hours, with all other threads waiting: so this
        one, which ends when it is told to and lets others run. Classes of characters are ASCII, as in Docker's.
        """
        import regex

        try:
            self._pattern = regex.compile(pattern, regex.ASCII)
        except (regex.error, OverflowError, RecursionError) as error:
            raise ValueError(str(error)) from error

    def is_at(self, line: str) -> bool:
        """Does an event begin with this line? Raises TimeoutError when it takes too long to tell."""
        return self._pattern.search(line, concurrent=True, timeout=LONGEST_MATCH) is not None


def _flaw(pattern: str) -> str | None:
    try:
        Beginning(pattern)
    except ValueError as error:
        return f"awslogs could not parse multiline pattern key '{pattern}': {error}"
    return None


def _options(container: ecs.ContainerDefinition) -> Mapping[str, str]:
    logs = container.log_configuration
    return (logs.options or {}) if logs else {}


def _buffer(options: Mapping[str, str]) -> int | None:
    """Bytes of the option max-buffer-size; None for what is no size."""
    found = _SIZE.fullmatch(options.get("max-buffer-size", DEFAULT_BUFFER))
    size = int(float(found[1]) * _FACTORS[found[2].lower()]) if found else 0
    return size or None
