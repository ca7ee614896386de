"""What RegisterTaskDefinition refuses about a container's logs, secrets and environment files."""

from __future__ import annotations

import re
from collections.abc import Mapping

from api_models import enums
from emulator.rules.registration import ContainerInTask
from emulator.rules.rule import broken, rule

EACH = "RegisterTaskDefinition:logs"

AWSLOGS_NEEDS = ("awslogs-region", "awslogs-group")
AWSLOGS_TAKES = frozenset(
    {
        *AWSLOGS_NEEDS,
        "awslogs-create-group",
        "awslogs-stream-prefix",
        "awslogs-datetime-format",
        "awslogs-multiline-pattern",
        "mode",
        "max-buffer-size",
    }
)
MOST_ENVIRONMENT_FILES = 10

Found = Mapping[str, object] | None

_SECRET = re.compile(r"arn:[^:]*:(?:secretsmanager|ssm):.*|[a-zA-Z0-9_.\-/]{1,2048}", re.DOTALL)


def _driver(of: ContainerInTask) -> str | None:
    logs = of.container.log_configuration
    return logs.log_driver if logs else None


@rule(
    EACH,
    refuse="ClientException",
    says="{driver} is not a valid log driver. Must be one of [{known}]",
    evidence="inferred: the form of Fargate's sentence",
)
def log_drivers_are_known(of: ContainerInTask) -> Found:
    """A log driver is one that the model lists."""
    if of.container.log_configuration is None or _driver(of) in enums.LogDriver:
        return None
    return broken(driver=_driver(of), known=",".join(enums.LogDriver))


@rule(
    EACH,
    refuse="ClientException",
    says="Log driver awslogs requires options: {missing}",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-awslogs-missing-group",
)
def awslogs_has_a_group_and_a_region(of: ContainerInTask) -> Found:
    """CloudWatch Logs is told which group, and in which region."""
    logs = of.container.log_configuration
    if logs is None or logs.log_driver != "awslogs":
        return None
    missing = [option for option in AWSLOGS_NEEDS if not (logs.options or {}).get(option)]
    return broken(missing=", ".join(missing)) if missing else None


@rule(
    EACH,
    refuse="ClientException",
    says="Log driver awslogs disallows options: {unknown}",
    evidence="inferred: recalled, not seen written",
)
def awslogs_has_its_own_options_only(of: ContainerInTask) -> Found:
    """CloudWatch Logs is told nothing that it would not heed."""
    logs = of.container.log_configuration
    if logs is None or logs.log_driver != "awslogs":
        return None
    unknown = [option for option in logs.options or {} if option not in AWSLOGS_TAKES]
    return broken(unknown=", ".join(unknown)) if unknown else None


@rule(
    EACH,
    refuse="ClientException",
    says="When awsfirelens log driver is specified in log configuration, a firelens configuration object must be "
    "configured in one of the containers.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-awsfirelens-without-router",
)
def firelens_has_a_router(of: ContainerInTask) -> Found:
    """What goes to FireLens goes to a container that routes it."""
    routed = any(container.firelens_configuration for container in of.task.containers)
    return broken() if _driver(of) == "awsfirelens" and not routed else None


@rule(
    EACH,
    refuse="ClientException",
    says="Invalid arn syntax.",
    evidence="observed 2022-07: aws/aws-cli issue 7147 (an s3:// address)",
)
def a_routers_configuration_in_s3_is_an_arn(of: ContainerInTask) -> Found:
    """A router's configuration in S3 is named by its ARN."""
    options = (of.container.firelens_configuration and of.container.firelens_configuration.options) or {}
    in_s3 = options.get("config-file-type") == "s3"
    return broken() if in_s3 and not options.get("config-file-value", "").startswith("arn:") else None


@rule(
    EACH,
    refuse="ClientException",
    says="When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.",
    evidence="observed 2019-02: fabfuel/ecs-deploy issue 87",
)
def secrets_need_an_execution_role(of: ContainerInTask) -> Found:
    """Secrets are fetched with the execution role."""
    logs = of.container.log_configuration
    secrets = of.container.secrets or (logs and logs.secret_options)
    return broken() if secrets and not of.task.request.execution_role_arn else None


@rule(
    EACH,
    refuse="ClientException",
    says="The Systems Manager parameter name specified for secret {name} is invalid. The parameter name can be up to "
    "2048 characters and include the following letters and symbols: a-zA-Z0-9_.-",
    evidence="observed 2022-04: aws/copilot-cli issue 3446 (a name with a colon: aws/containers-roadmap issue 859)",
)
def secrets_are_arns_or_names_of_parameters(of: ContainerInTask) -> Found:
    """A secret that is no ARN of a secret or a parameter is a parameter's name, which may be a path."""
    for secret in of.container.secrets or ():
        if not _SECRET.fullmatch(secret.value_from or ""):
            return broken(name=secret.name)
    return None


@rule(
    EACH,
    refuse="ClientException",
    says="The maximum number of environment files was exceeded. Specify ten or less and try again.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-environment-files-max",
)
def environment_files_are_ten_at_most(of: ContainerInTask) -> Found:
    """A container has at most ten environment files."""
    return broken() if len(of.container.environment_files or ()) > MOST_ENVIRONMENT_FILES else None


@rule(
    EACH,
    refuse="ClientException",
    says="Invalid arn syntax.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-environment-files-type",
)
def environment_files_are_arns(of: ContainerInTask) -> Found:
    """An environment file is named by its ARN."""
    arns = all((file.value or "").startswith("arn:") for file in of.container.environment_files or ())
    return None if arns else broken()
