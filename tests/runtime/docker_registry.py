"""An image registry for tests: one image on the loopback interface, which Docker asks without TLS. Speaks as much of
the registry protocol (OCI distribution specification) as a pull needs, to anybody or to those who know the password.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.images import busybox_layer, image_config

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
MANIFEST_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class Registry:
    """Repositories: `good` can be pulled, `foreign` is for another platform, `private` is denied, `mute` never answers;
    others are not known.
    """

    def __init__(self, architecture: str, login: tuple[str, str] | None = None) -> None:
        """`login`: the name and password without which it tells nothing."""
        self._authorization = login and f"Basic {base64.b64encode(':'.join(login).encode()).decode()}"
        layer = busybox_layer()
        packed = gzip.compress(layer, mtime=0)
        config = image_config(layer, architecture, {})
        self.manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": {
                    "mediaType": "application/vnd.docker.container.image.v1+json",
                    "size": len(config),
                    "digest": digest(config),
                },
                "layers": [
                    {
                        "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
                        "size": len(packed),
                        "digest": digest(packed),
                    }
                ],
            }
        ).encode()
        self.foreign = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST_LIST,
                "manifests": [
                    {
                        "mediaType": MANIFEST,
                        "size": len(self.manifest),
                        "digest": digest(self.manifest),
                        "platform": {"architecture": "s390x", "os": "linux"},
                    }
                ],
            }
        ).encode()
        self.blobs = {digest(each): each for each in (packed, config)}
        self.closing = threading.Event()
        registry = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                registry.answer(self)

            def do_HEAD(self) -> None:
                registry.answer(self)

            def log_message(self, *_: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()
        self.host = f"127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        path = request.path
        if self._authorization not in (None, request.headers.get("Authorization")):
            self._challenge(request)
        elif "/mute/" in path:
            self.closing.wait()
        elif path == "/v2/":
            self._send(request, 200, b"{}", "application/json")
        elif "/private/" in path:
            self._refuse(request, 401, "UNAUTHORIZED", "authentication required")
        elif "/manifests/" in path and "/good/" in path:
            self._send(request, 200, self.manifest, MANIFEST)
        elif "/manifests/" in path and "/foreign/" in path:
            self._send(request, 200, self.foreign, MANIFEST_LIST)
        elif (blob := self.blobs.get(path.rpartition("/")[2])) is not None:
            self._send(request, 200, blob, "application/octet-stream")
        else:
            self._refuse(request, 404, "MANIFEST_UNKNOWN", "manifest unknown")

    def _challenge(self, request: BaseHTTPRequestHandler) -> None:
        content = json.dumps({"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]}).encode()
        self._send(request, 401, content, "application/json", {"WWW-Authenticate": 'Basic realm="test"'})

    def _refuse(self, request: BaseHTTPRequestHandler, status: int, code: str, message: str) -> None:
        self._send(
            request, status, json.dumps({"errors": [{"code": code, "message": message}]}).encode(), "application/json"
        )

    def _send(
        self,
        request: BaseHTTPRequestHandler,
        status: int,
        content: bytes,
        media_type: str,
        more: Mapping[str, str] | None = None,
    ) -> None:
        request.send_response(status)
        for name, value in (more or {}).items():
            request.send_header(name, value)
        request.send_header("Content-Type", media_type)
        request.send_header("Content-Length", str(len(content)))
        request.send_header("Docker-Content-Digest", digest(content))
        request.end_headers()
        if request.command == "GET":
            request.wfile.write(content)
