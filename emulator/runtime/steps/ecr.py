"""What ECR knows of an image that could not be pulled."""

from __future__ import annotations

from emulator.neighbours.ports import Place, Registry, ServiceRefusedError, ServiceUnreachableError
from emulator.planner.images import read_ecr_name
from emulator.runtime.driver import PullFailedError


class EcrDiagnosis:
    """Tells a repository that does not exist from an image that is not in it."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def at_pull_failure(self, image: str, error: PullFailedError) -> PullFailedError:
        """ECR's view of the failure; the same failure where ECR has nothing to say."""
        ecr = read_ecr_name(image)
        if ecr is None or error.problem not in ("not-found", "denied"):
            return error
        try:
            exists = self._registry.has_repository(Place(ecr.account, ecr.region), ecr.repository)
        except (ServiceRefusedError, ServiceUnreachableError):
            return error
        return PullFailedError("not-found" if exists else "denied", error.detail)
