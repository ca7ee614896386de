"""ECR, as ECS asks it."""

from __future__ import annotations

from emulator.neighbours.clients import Clients
from emulator.neighbours.ports import Place, ServiceRefusedError


class Ecr:
    """Repositories. See emulator.neighbours.ports.Registry for every method."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def has_repository(self, place: Place, name: str) -> bool:
        """Is there a repository of this name?"""
        try:
            with self._clients.asking("ecr", place) as ecr:
                ecr.describe_repositories(repositoryNames=[name])
        except ServiceRefusedError as refusal:
            if refusal.code == "RepositoryNotFoundException":
                return False
            raise
        return True
