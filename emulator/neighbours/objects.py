"""S3, as ECS asks it."""

from __future__ import annotations

from emulator.neighbours.clients import Clients
from emulator.neighbours.ports import Place


class S3:
    """Objects. See emulator.neighbours.ports.Objects for every method."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def read(self, place: Place, bucket: str, key: str) -> bytes:
        """An object's content."""
        with self._clients.asking("s3", place) as s3:
            content: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            return content
