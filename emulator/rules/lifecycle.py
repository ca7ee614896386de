"""What RegisterTaskDefinition refuses about a container's health checks, restarts and dependencies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import api_models as ecs
from emulator.rules.registration import ContainerInTask
from emulator.rules.rule import broken, rule

EACH = "RegisterTaskDefinition:lifecycle"

HEALTH_CHECK_BOUNDS = {"interval": (5, 300), "timeout": (2, 60), "retries": (1, 10), "startPeriod": (0, 300)}
"""Least and most, in seconds but for the retries."""

RESTART_ATTEMPT_PERIOD = range(60, 1800 + 1)

Found = Mapping[str, object] | None


def _health_check(of: ContainerInTask) -> Iterator[tuple[str, int]]:
    check = of.container.health_check
    if check is None:
        return
    given = {
        "interval": check.interval,
        "timeout": check.timeout,
        "retries": check.retries,
        "startPeriod": check.start_period,
    }
    yield from ((field, value) for field, value in given.items() if value is not None)


def _dependencies(of: ContainerInTask) -> Iterator[tuple[str | None, ecs.ContainerDefinition]]:
    by_name = {container.name: container for container in of.task.containers}
    for dependency in of.container.depends_on or ():
        if dependency.container_name in by_name:
            yield dependency.condition, by_name[dependency.container_name]


@rule(
    EACH,
    refuse="ClientException",
    says="Health check {field} must be less than or equal to the maximum allowed value {most} for container '{name}'",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-healthcheck-interval-range",
)
def health_check_settings_are_not_too_big(of: ContainerInTask) -> Found:
    """Each setting of a health check has a maximum."""
    for field, value in _health_check(of):
        if value > HEALTH_CHECK_BOUNDS[field][1]:
            return broken(field=field, most=HEALTH_CHECK_BOUNDS[field][1], name=of.name)
    return None


@rule(
    EACH,
    refuse="ClientException",
    says="Health check {field} must be greater than or equal to the minimum allowed value {least} for container "
    "'{name}'",
    evidence="inferred: the form of the sentence about the maximum",
)
def health_check_settings_are_not_too_small(of: ContainerInTask) -> Found:
    """Each setting of a health check has a minimum."""
    for field, value in _health_check(of):
        if value < HEALTH_CHECK_BOUNDS[field][0]:
            return broken(field=field, least=HEALTH_CHECK_BOUNDS[field][0], name=of.name)
    return None


@rule(
    EACH,
    refuse="ClientException",
    says="The 'restartAttemptPeriod' setting for container '{name}' must be between 60 and 1800.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-restart-policy-attempt-period-range",
)
def a_restart_waits_a_minute_to_half_an_hour(of: ContainerInTask) -> Found:
    """A container must have run for 60 to 1800 seconds to be restarted."""
    policy = of.container.restart_policy
    if policy is None or policy.restart_attempt_period is None:
        return None
    return None if policy.restart_attempt_period in RESTART_ATTEMPT_PERIOD else broken(name=of.name)


@rule(
    EACH,
    refuse="ClientException",
    says="Cannot depend on container + '{name}' because it does not exist",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-dependson-container-missing (the + is AWS's)",
)
def dependencies_exist(of: ContainerInTask) -> Found:
    """A container depends on containers of its task."""
    for dependency in of.container.depends_on or ():
        if dependency.container_name not in of.task.container_names:
            return broken(name=dependency.container_name)
    return None


@rule(
    EACH,
    refuse="ClientException",
    says="A dependency container with HEALTHY condition must have health check configured",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-dependson-healthy-without-healthcheck",
)
def what_should_be_healthy_is_checked(of: ContainerInTask) -> Found:
    """Only a container with a health check can be waited for to be healthy."""
    unchecked = any(condition == "HEALTHY" and not other.health_check for condition, other in _dependencies(of))
    return broken() if unchecked else None


@rule(
    EACH,
    refuse="ClientException",
    says="A dependency container with SUCCESS or COMPLETE condition cannot be an essential container",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-dependson-complete-on-essential",
)
def what_should_end_is_not_essential(of: ContainerInTask) -> Found:
    """A container whose end is waited for must not end the task."""
    essential = any(
        condition in {"SUCCESS", "COMPLETE"} and other.essential is not False for condition, other in _dependencies(of)
    )
    return broken() if essential else None
