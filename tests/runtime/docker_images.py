"""An image for the driver's tests, made from this machine's static busybox; no registry is asked.

Loading equal bytes gives an equal image id: each test process has a name of its own for one and the same image.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import docker

BUSYBOX = Path("/bin/busybox")
FOLDERS = {"bin": 0o755, "etc": 0o755, "tmp": 0o1777}
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def image_name(kind: str = "busybox") -> str:
    return f"ecs-emulator-test/{kind}-{os.getpid()}:1"


def busybox_layer() -> bytes:
    tools = subprocess.run([BUSYBOX, "--list"], capture_output=True, text=True, check=True).stdout.split()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for folder, mode in FOLDERS.items():
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            tar.addfile(entry)
        program = BUSYBOX.read_bytes()
        entry = tarfile.TarInfo("bin/busybox")
        entry.mode, entry.size = 0o755, len(program)
        tar.addfile(entry, io.BytesIO(program))
        for tool in sorted(set(tools) - {"busybox"}):
            entry = tarfile.TarInfo(f"bin/{tool}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(entry)
    return buffer.getvalue()


def image_config(layer: bytes, architecture: str, config: Mapping[str, object]) -> bytes:
    return json.dumps(
        {
            "architecture": architecture,
            "os": "linux",
            "created": "1970-01-01T00:00:00Z",
            "config": {"Env": [PATH], "Cmd": ["sh"], **config},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
            "history": [{"created": "1970-01-01T00:00:00Z", "comment": "static busybox"}],
        }
    ).encode()


def make_image(api: docker.APIClient, name: str, **config: object) -> None:
    """Load the busybox image under a name; `config` as in the image's configuration (StopSignal and so on)."""
    layer = busybox_layer()
    described = image_config(layer, api.version()["Arch"], config)
    files = {
        "layer.tar": layer,
        "config.json": described,
        "manifest.json": json.dumps([{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]).encode(),
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    for answer in cast("Any", api).load_image(buffer.getvalue()):
        assert "error" not in answer, answer
