"""What Fargate offers, and what it refuses in a task definition."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from emulator.rules.registration import Registration
from emulator.rules.rule import broken, first_refusal, rule

REGISTRATION = "RegisterTaskDefinition:fargate"

SIZES: dict[int, tuple[int, ...]] = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4096 + 1, 1024)),
    1024: tuple(range(2048, 8192 + 1, 1024)),
    2048: tuple(range(4096, 16384 + 1, 1024)),
    4096: tuple(range(8192, 30720 + 1, 1024)),
    8192: tuple(range(16384, 61440 + 1, 4096)),
    16384: tuple(range(32768, 122880 + 1, 8192)),
    32768: (61440, 122880, 249856),
}
"""CPU units of a task to the MiB that go with them, on Linux."""

WINDOWS_SIZES = {cpu: SIZES[cpu] for cpu in (1024, 2048, 4096)}

LOG_DRIVERS = ("awslogs", "splunk", "awsfirelens")
SYSTEMS = ("LINUX", *(f"WINDOWS_SERVER_{year}_{kind}" for year in (2019, 2022, 2025) for kind in ("CORE", "FULL")))
MOST_SECONDS = 120
"""Of a container's start and stop timeouts."""

Found = Mapping[str, object] | None

ECR_IMAGE = re.compile(r"[0-9]{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/.+")


def size_exists(cpu: int, memory: int, *, windows: bool = False) -> bool:
    """Whether Fargate sells a task of this size."""
    return memory in (WINDOWS_SIZES if windows else SIZES).get(cpu, ())


def fargate_accepts(asked: Registration) -> bool:
    """Whether the definition would run on Fargate, asked for or not."""
    return first_refusal(REGISTRATION, asked) is None


@rule(
    REGISTRATION,
    refuse="ClientException",
    says="Fargate only supports network mode 'awsvpc'.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-fargate-network-mode",
)
def fargate_has_awsvpc_only(asked: Registration) -> Found:
    """A task on Fargate has an interface of its own."""
    return None if asked.network_mode == "awsvpc" else broken()


@rule(
    REGISTRATION,
    refuse="ClientException",
    says="Fargate requires that 'cpu' be defined at the task level.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-fargate-task-cpu-memory",
)
def fargate_needs_cpu(asked: Registration) -> Found:
    """The task says how much CPU it needs."""
    return broken() if asked.cpu is None else None


@rule(
    REGISTRATION,
    refuse="ClientException",
    says="Fargate requires that 'memory' be defined at the task level.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-fargate-task-cpu-memory",
)
def fargate_needs_memory(asked: Registration) -> Found:
    """The task says how much memory it needs."""
    return broken() if asked.memory is None else None


@rule(
    REGISTRATION,
    refuse="ClientException",
    says="No Fargate configuration exists for given values: {cpu} CPU, {memory} memory. See the Amazon ECS "
    "documentation for the valid values.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-fargate-windows-cpu-under-1vcpu",
)
def fargate_offers_this_cpu_and_memory(asked: Registration) -> Found:
    """Fargate sells fixed pairs of CPU and memory."""
    if size_exists(asked.cpu or 0, asked.memory or 0, windows=asked.windows):
        return None
    return broken(cpu=asked.cpu, memory=asked.memory)


@rule(
    REGISTRATION,
    refuse="ClientException",
    says="Fargate does not support the operating system family {system}.",
    evidence="inferred: documented without its sentence",
)
def fargate_has_this_system(asked: Registration) -> Found:
    """Fargate has Linux and the later Windows Servers."""
    return None if asked.system in SYSTEMS else broken(system=asked.system)


@rule(
    REGISTRATION,
    refuse="ClientException",
    says="Unsupported field 'inferenceAccelerators'.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-fargate-inference-accelerator",
)
def inference_accelerators_are_gone(asked: Registration) -> Found:
    """Inference accelerators are no more. (AWS refuses them on EC2 too, where older definitions still have them.)"""
    return broken() if asked.request.inference_accelerators else None


@rule(
    REGISTRATION,
    refuse="ClientException",
    says="Tasks using the Fargate launch type do not support pidMode 'host'. The supported value for pidMode is "
    "'task'.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-fargate-pid-mode-host",
)
def fargate_shows_no_processes_of_the_host(asked: Registration) -> Found:
    """A task on Fargate does not see the host's processes."""
    return broken() if asked.request.pid_mode == "host" else None


@rule(
    REGISTRATION,
    refuse="ClientException",
    says="Fargate compatible task definitions do not support {field}",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-fargate-devices, and others for most of the fields",
)
def fargate_supports_what_is_given(asked: Registration) -> Found:
    """Fargate lacks what would need the host."""
    for field, value in _unsupported(asked):
        if value:
            return broken(field=field)
    return None


def _unsupported(asked: Registration) -> Iterator[tuple[str, object]]:
    yield "ipcMode", asked.request.ipc_mode
    yield "constraints", asked.request.placement_constraints
    for volume in asked.volumes:
        yield "sourcePath", volume.host and volume.host.source_path
        yield "dockerVolumeConfiguration", volume.docker_volume_configuration
        yield "fsxWindowsFileServerVolumeConfiguration", volume.fsx_windows_file_server_volume_configuration
    for container in asked.containers:
        yield "dockerSecurityOptions", container.docker_security_options
        if (linux := container.linux_parameters) is not None:
            yield "devices", linux.devices
            yield "maxSwap", linux.max_swap is not None
            yield "sharedMemorySize", linux.shared_memory_size is not None
            yield "swappiness", linux.swappiness is not None


@rule(
    REGISTRATION,
    refuse="ClientException",
    says="Fargate requires that the 'privileged' setting be 'false' at the container level.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-fargate-privileged (with typographic quotes)",
)
def fargate_gives_no_privileges(asked: Registration) -> Found:
    """A container on Fargate is not privileged."""
    return broken() if any(container.privileged for container in asked.containers) else None


@rule(
    REGISTRATION,
    refuse="ClientException",
    says="Tasks using the Fargate launch type do not support GPU resource requirements.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-fargate-gpu-resource",
)
def fargate_has_no_gpus(asked: Registration) -> Found:
    """Fargate has no GPUs."""
    needs = (need.type for container in asked.containers for need in container.resource_requirements or ())
    return broken() if "GPU" in needs else None


@rule(
    REGISTRATION,
    refuse="ClientException",
    says="{capability} is not allowed on Fargate.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-fargate-capabilities-add",
)
def fargate_adds_one_capability(asked: Registration) -> Found:
    """SYS_PTRACE is the one capability that can be added."""
    for container in asked.containers:
        capabilities = container.linux_parameters and container.linux_parameters.capabilities
        for capability in (capabilities and capabilities.add) or ():
            if capability != "SYS_PTRACE":
                return broken(capability=capability)
    return None


@rule(
    REGISTRATION,
    refuse="ClientException",
    says="{driver} is not a valid log driver. Must be one of [awslogs,splunk,awsfirelens]",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-fargate-log-driver-unsupported",
)
def fargate_has_three_log_drivers(asked: Registration) -> Found:
    """Fargate has some of the log drivers."""
    for driver, _ in _logs(asked):
        if driver not in LOG_DRIVERS:
            return broken(driver=driver)
    return None


def _logs(asked: Registration) -> Iterator[tuple[str | None, Mapping[str, str]]]:
    for container in asked.containers:
        if container.log_configuration:
            yield container.log_configuration.log_driver, container.log_configuration.options or {}


@rule(
    REGISTRATION,
    refuse="ClientException",
    says="Fargate requires task definition to have execution role ARN to support log driver awslogs.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-fargate-execution-role-missing-awslogs",
)
def awslogs_on_fargate_needs_an_execution_role(asked: Registration) -> Found:
    """Fargate writes to CloudWatch Logs with the execution role."""
    awslogs = any(driver == "awslogs" for driver, _ in _logs(asked))
    return broken() if awslogs and not asked.request.execution_role_arn else None


@rule(
    REGISTRATION,
    refuse="ClientException",
    says="Fargate requires log configuration options to include awslogs-stream-prefix to support log driver awslogs.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-awslogs-fargate-missing-stream-prefix",
)
def awslogs_on_fargate_has_a_stream_prefix(asked: Registration) -> Found:
    """A log stream of Fargate's begins with a given word."""
    missing = any(driver == "awslogs" and not options.get("awslogs-stream-prefix") for driver, options in _logs(asked))
    return broken() if missing else None


@rule(
    REGISTRATION,
    refuse="ClientException",
    says="Fargate requires task definition to have execution role ARN to support ECR images.",
    evidence="observed 2018-01: hashicorp/terraform-provider-aws issue 3051",
)
def ecr_on_fargate_needs_an_execution_role(asked: Registration) -> Found:
    """Fargate pulls from ECR with the execution role; the public gallery is for all."""
    from_ecr = any(ECR_IMAGE.fullmatch(container.image or "") for container in asked.containers)
    return broken() if from_ecr and not asked.request.execution_role_arn else None


@rule(
    REGISTRATION,
    refuse="ClientException",
    says="Tasks using the Fargate launch type must have a container {moment} timeout of less than 120 seconds.",
    evidence="inferred: the bound is documented, the sentence is known from hearsay (120 itself is accepted)",
)
def fargate_waits_two_minutes_at_most(asked: Registration) -> Found:
    """A container on Fargate has two minutes to start, and to stop."""
    for container in asked.containers:
        for moment, seconds in (("stop", container.stop_timeout), ("start", container.start_timeout)):
            if (seconds or 0) > MOST_SECONDS:
                return broken(moment=moment)
    return None
