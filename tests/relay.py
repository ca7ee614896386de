"""A stand-in for a daemon that goes away and comes back: it passes bytes on to the real one, until it is cut."""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path

REAL = "/var/run/docker.sock"


class Relay:
    def __init__(self, path: Path) -> None:
        self.url = f"unix://{path}"
        self._path = path
        self._lock = threading.Lock()
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self._frozen = threading.Event()
        self._thawed = threading.Event()
        self._thawed.set()
        self.restore()

    def restore(self) -> None:
        """Listen, and pass on."""
        self._path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self._path))
        listener.listen(64)
        with self._lock:
            self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def cut(self) -> None:
        """Hang up on everybody, and answer nobody any more."""
        with self._lock:
            listener, self._listener = self._listener, None
            ends, self._open = self._open, set()
        self._path.unlink(missing_ok=True)
        for end in (*ends, *([listener] if listener else [])):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self.thaw()

    def freeze(self) -> None:
        """Take what is sent and pass nothing on, as a daemon that hangs."""
        self._thawed.clear()

    def thaw(self) -> None:
        self._thawed.set()

    def _accept(self, listener: socket.socket) -> None:
        with listener:
            while True:
                try:
                    near, _ = listener.accept()
                except OSError:
                    return
                far = socket.socket(socket.AF_UNIX)
                far.connect(REAL)
                with self._lock:
                    self._open |= {near, far}
                halves = [
                    threading.Thread(target=self._pass_on, args=pair, daemon=True)
                    for pair in ((near, far), (far, near))
                ]
                for half in halves:
                    half.start()
                threading.Thread(target=self._close_after, args=(halves, near, far), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while some := source.recv(65536):
                self._thawed.wait()
                target.sendall(some)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def _close_after(self, halves: list[threading.Thread], *ends: socket.socket) -> None:
        for half in halves:
            half.join()
        with self._lock:
            self._open -= set(ends)
        for end in ends:
            end.close()
