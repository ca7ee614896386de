"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import re
from importlib.metadata import version
from pathlib import Path

from benchmarks import daemon


def facts() -> dict[str, str]:
    """By name, in the order in which they are shown."""
    return {
        "cores": str(len(os.sched_getaffinity(0))),
        "processor": _processor(),
        "memory": f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB",
        "kernel": _kernel(),
        "Docker": daemon.version(),
        "Python": platform.python_version(),
        "ecs-emulator": version("ecs-emulator"),
        "moto": version("moto"),
        "load before": f"{os.getloadavg()[0]:.1f}",
    }


def _kernel() -> str:
    """Its version, without what a distribution or a machine's maker adds."""
    found = re.match(r"\d+(\.\d+)*", platform.release())
    return f"{platform.system()} {found.group() if found else platform.release()}"


def _processor() -> str:
    """As the kernel names it; else its instruction set."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
