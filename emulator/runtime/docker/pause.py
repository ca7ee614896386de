"""The pause image: one program that waits for ever, made here and given to the daemon, so that none must be pulled.

The program is PID 1 of its namespace and has no signal handler, so that SIGTERM does nothing: end it by forced removal.
"""

from __future__ import annotations

import hashlib
import io
import json
import struct
import tarfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from emulator.runtime.docker.engine import Engine, RefusedError
from emulator.runtime.driver import PrepareFailedError

IMAGE = "ecs-emulator/pause:1"
"""A change of the program or of the image's configuration takes the next number."""

PROGRAM_PATH = "pause"
LOAD_ADDRESS = 0x400000
PAGE_SIZE = 0x10000
"""64 KiB, the largest page of any arm64 kernel; a multiple of x86-64's 4 KiB."""

EHDR = struct.Struct("<4s5B7x2H I 3Q I 6H")
PHDR = struct.Struct("<2I 6Q")


@dataclass(frozen=True, slots=True)
class Machine:
    """An instruction set: its number in ELF headers, and the program in it."""

    elf_number: int
    code: bytes


MACHINES: Mapping[str, Machine] = {
    "amd64": Machine(
        elf_number=62,  # EM_X86_64
        code=bytes.fromhex(
            "b8 22 00 00 00"  # wait: mov eax, 34    the number of pause(2), which returns after a handled signal only
            "0f 05"  #              syscall
            "eb f7"  #              jmp wait         9 bytes back
        ),
    ),
    "arm64": Machine(
        elf_number=183,  # EM_AARCH64
        code=struct.pack(
            "<8I",
            0xD2800000,  # wait: mov x0, #0        arm64 has no pause(2): ppoll(2) of nothing, without a time limit
            0xD2800001,  #       mov x1, #0
            0xD2800002,  #       mov x2, #0
            0xD2800003,  #       mov x3, #0
            0xD2800004,  #       mov x4, #0
            0xD2800928,  #       mov x8, #73       the number of ppoll
            0xD4000001,  #       svc #0
            0x17FFFFF9,  #       b wait            7 instructions back
        ),
    ),
}
"""By Go's names for architectures, which are the daemon's."""


def program(architecture: str) -> bytes:
    """The static ELF file for an architecture. Raises PrepareFailedError for one that is not known here."""
    machine = MACHINES.get(architecture)
    if machine is None:
        raise PrepareFailedError(
            f"no pause program for the daemon's architecture {architecture!r}; known are {', '.join(sorted(MACHINES))}"
        )
    size = EHDR.size + PHDR.size + len(machine.code)
    header = EHDR.pack(
        b"\x7fELF",
        2,  # 64 bits
        1,  # little-endian
        1,  # version of the identification
        0,  # System V ABI, which Linux uses
        0,  # version of the ABI
        2,  # an executable at a fixed address
        machine.elf_number,
        1,  # version of the file
        LOAD_ADDRESS + EHDR.size + PHDR.size,  # entry: the code follows the headers
        EHDR.size,  # where the program header is
        0,  # no sections
        0,  # no flags
        EHDR.size,
        PHDR.size,
        1,  # one program header
        0,
        0,
        0,
    )
    segment = PHDR.pack(
        1,  # to be loaded
        5,  # readable and executable
        0,  # from the file's beginning, headers and all
        LOAD_ADDRESS,
        LOAD_ADDRESS,
        size,  # in the file
        size,  # in memory
        PAGE_SIZE,
    )
    return header + segment + machine.code


def image_archive(architecture: str) -> bytes:
    """What `docker save` would write of the image.

    It is loaded rather than imported: equal bytes give an equal image id, so that two emulators may do it at once and
    no nameless image is left. Raises PrepareFailedError.
    """
    layer = _tar({PROGRAM_PATH: program(architecture)})
    config = json.dumps(
        {
            "architecture": architecture,
            "os": "linux",
            "created": "1970-01-01T00:00:00Z",
            "config": {"Entrypoint": [f"/{PROGRAM_PATH}"]},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
            "history": [{"created": "1970-01-01T00:00:00Z", "created_by": "ecs-emulator"}],
        }
    ).encode()
    config_name = f"{hashlib.sha256(config).hexdigest()}.json"
    manifest = json.dumps([{"Config": config_name, "RepoTags": [IMAGE], "Layers": ["layer.tar"]}]).encode()
    return _tar({"layer.tar": layer, config_name: config, "manifest.json": manifest})


class PauseImage:
    """The pause image on one daemon."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()

    def make(self) -> None:
        """Give the image to the daemon if it has it not. Raises DriverUnreachableError, PrepareFailedError."""
        with self._lock:  # fifty first tasks make it once
            if self._is_there():
                return
            try:
                with self._engine.asking() as api:
                    answers = list(cast("Any", api).load_image(image_archive(str(api.version()["Arch"]))))
            except RefusedError as refusal:
                raise PrepareFailedError(f"the daemon does not take the pause image: {refusal.words}") from refusal
            for answer in answers:
                if "error" in answer:
                    raise PrepareFailedError(f"the daemon does not take the pause image: {answer['error']}")

    def _is_there(self) -> bool:
        try:
            self._engine.inspect_image(IMAGE)
        except RefusedError:
            return False
        return True


def _tar(files: Mapping[str, bytes]) -> bytes:
    """An archive of these files: root's, executable, dated 1970, so that equal files give equal bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.mode, entry.size = 0o755, len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
