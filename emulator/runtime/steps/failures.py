"""What Fargate says of what a task needs and cannot have: its `stoppedReason`.

Sentences were observed in public reports of stopped tasks unless marked otherwise; since 2024 one about a service that
does not answer names the service and no number of tries.
"""

from __future__ import annotations

from http.client import responses

from emulator.neighbours.ports import ServiceRefusedError, ServiceUnreachableError
from emulator.planner.images import full_reference
from emulator.runtime.driver import PullFailedError, PullProblem
from emulator.runtime.steps.steps import StepFailedError

SECRETS = "ResourceInitializationError: unable to pull secrets or registry auth: "
RETRIEVAL = f"{SECRETS}execution resource retrieval failed: "
FILES = "ResourceInitializationError: failed to download env files: "
TRIED_ONCE = "service call has been retried 1 time(s): "
NO_ROLE = "unable to find execution role credentials"
"""The words of ECS's agent for a task without an execution role; that Fargate's say the same is inferred."""


def secret_failure(words: str) -> StepFailedError:
    """Of a secret of Secrets Manager."""
    return StepFailedError(f"{RETRIEVAL}unable to retrieve secret from asm: {TRIED_ONCE}{words}")


def secret_refused(secret: str, error: ServiceRefusedError) -> StepFailedError:
    """Of a secret that is not there."""
    return secret_failure(f"failed to fetch secret {secret} from secrets manager: {_answer(error)}")


def secrets_unreachable(error: ServiceUnreachableError) -> StepFailedError:
    """Of Secrets Manager."""
    return StepFailedError(
        f"{SECRETS}unable to retrieve secret from asm: There is a connection issue between the task and AWS Secrets "
        f"Manager. Check your task network configuration. {_advice(error, 'secretsmanager')}"
    )


def parameters_failure(words: str) -> StepFailedError:
    """Of parameters of Parameter Store."""
    return StepFailedError(f"{RETRIEVAL}unable to retrieve secrets from ssm: {TRIED_ONCE}{words}")


def parameters_refused(error: ServiceRefusedError) -> StepFailedError:
    """Of parameters that may not be had."""
    return parameters_failure(_answer(error))


def parameters_unreachable(error: ServiceUnreachableError) -> StepFailedError:
    """Of Parameter Store."""
    return StepFailedError(
        f"{SECRETS}unable to retrieve secrets from ssm: The task cannot pull secrets from AWS Systems Manager. There "
        "is a connection issue between the task and AWS Systems Manager Parameter Store. Check your task network "
        f"configuration. {_advice(error, 'ssm')}"
    )


def login_failure(words: str) -> StepFailedError:
    """Of the name and password for a private registry."""
    return StepFailedError(f"{RETRIEVAL}unable to get registry auth from asm: {TRIED_ONCE}{words}")


def login_refused(secret: str, error: ServiceRefusedError) -> StepFailedError:
    """Of a registry's secret that is not there."""
    return login_failure(f"asm fetching secret from the service for {secret}: {_answer(error)}")


def login_unreachable(error: ServiceUnreachableError) -> StepFailedError:
    """Of Secrets Manager, as far as a registry's secret was asked for (inferred from the one for other secrets)."""
    return StepFailedError(
        f"{SECRETS}unable to get registry auth from asm: There is a connection issue between the task and AWS Secrets "
        f"Manager. Check your task network configuration. {_advice(error, 'secretsmanager')}"
    )


def file_failure(words: str) -> StepFailedError:
    """Of an environment file (inferred for words of ECS's agent)."""
    return StepFailedError(f"{FILES}{words}")


def file_refused(error: ServiceRefusedError) -> StepFailedError:
    """Of an environment file that is not there.

    The platform asks for its head, an answer without a body, so that the status is all that it can tell (observed for
    403, where some reports end in a full stop).
    """
    phrase = responses.get(error.status, "Unknown")
    return file_failure(
        f"{TRIED_ONCE}operation error S3: HeadObject, https response error StatusCode: {error.status}, "
        f"api error {phrase.replace(' ', '')}: {phrase}"
    )


def files_unreachable(error: ServiceUnreachableError) -> StepFailedError:
    """Of S3 (inferred from the one for secrets)."""
    return file_failure(
        "There is a connection issue between the task and Amazon S3. Check your task network configuration. "
        f"{_advice(error, 's3')}"
    )


TRIES: dict[PullProblem, int] = {"not-found": 7, "denied": 1, "wrong-platform": 7, "unreachable": 5, "other": 1}
"""How often Fargate says that it tried."""


def pull_failure(image: str, error: PullFailedError) -> str:
    """Of an image."""
    tail = {
        "not-found": f"failed to resolve ref {full_reference(image)}: not found",
        "denied": (
            f"failed to resolve ref {full_reference(image)}: pull access denied, repository does not exist or may "
            "require authorization: server message: insufficient_scope: authorization failed"
        ),
        "wrong-platform": "image Manifest does not contain descriptor matching platform 'linux/amd64'",
    }.get(error.problem, f"failed to resolve ref {full_reference(image)}: {error.detail}")
    times = TRIES[error.problem]
    return f"CannotPullContainerError: pull image manifest has been retried {times} time(s): {tail}"


def _answer(error: ServiceRefusedError) -> str:
    return f"{error.code}: {error.message}"


def _advice(error: ServiceUnreachableError, service: str) -> str:
    """What was seen, and what to do about it here, where the network of a task is never to blame."""
    advice = f"Name an endpoint that answers with --neighbour {service}=URL, or leave it to the emulator itself."
    return f"{str(error).rstrip('.')}. {advice}"
