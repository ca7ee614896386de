"""The folder that an emulator keeps its state in, and the lock by which it is the only one there."""

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path
from typing import IO


class FolderInUseError(Exception):
    """Another emulator holds the lock. Says which process."""


class Lock:
    """An exclusive lock on a file for as long as this process lives, however it ends."""

    def __init__(self, path: Path) -> None:
        """Take the lock, making the file and its folder. Raises FolderInUseError, OSError."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = path
        self._file: IO[str] = path.open("a+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.seek(0)
            holder = self._file.read().strip() or "an unknown process"
            self._file.close()
            raise FolderInUseError(
                f"{path.parent} is in use by {holder}: stop that emulator, or choose another folder with --state-dir."
            ) from None
        self._file.truncate(0)
        self._file.write(f"process {os.getpid()}")
        self._file.flush()

    def release(self, *, remove: bool = False) -> None:
        """Let go. With `remove` the file goes too."""
        if remove:
            self.path.unlink(missing_ok=True)
        self._file.close()


def state_file(folder: Path) -> Path:
    """The database of a state folder."""
    return folder / "state.sqlite3"


def neighbours_file(folder: Path) -> Path:
    """The file of a state folder that keeps what other services hold."""
    return folder / "neighbours.sqlite3"


def folder_lock(folder: Path) -> Lock:
    """Be the only emulator in a state folder. Raises FolderInUseError, OSError."""
    return Lock(folder / "lock")


def ephemeral_lock(instance: str) -> Lock:
    """Mark an emulator that keeps nothing as alive: whoever finds its containers and the lock free may remove them."""
    return Lock(Path(tempfile.gettempdir()) / f"ecs-emulator-{os.getuid()}" / f"{instance}.lock")
