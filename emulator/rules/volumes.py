"""What RegisterTaskDefinition refuses about volumes and mounts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import api_models as ecs
from emulator.rules.parameters import first_duplicate
from emulator.rules.registration import Registration
from emulator.rules.rule import broken, rule

REGISTRATION = "RegisterTaskDefinition:volumes"

Found = Mapping[str, object] | None

_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")


def _efs(asked: Registration) -> Iterator[ecs.EFSVolumeConfiguration]:
    return (volume.efs_volume_configuration for volume in asked.volumes if volume.efs_volume_configuration)


def _encrypted(efs: ecs.EFSVolumeConfiguration) -> bool:
    return efs.transit_encryption == "ENABLED"


@rule(
    REGISTRATION,
    refuse="ClientException",
    says="Volume.name contains invalid characters.",
    evidence="inferred: the characters are documented",
)
def volume_names_have_valid_characters(asked: Registration) -> Found:
    """A volume's name has 1 to 255 letters, digits, hyphens and underscores."""
    return None if all(_NAME.fullmatch(volume.name or "") for volume in asked.volumes) else broken()


@rule(
    REGISTRATION,
    refuse="ClientException",
    says="Volume names must be unique within a task definition",
    evidence="inferred: the form of the sentence about containers",
)
def volume_names_are_unique(asked: Registration) -> Found:
    """No two volumes have the same name."""
    return broken() if first_duplicate(volume.name for volume in asked.volumes) else None


@rule(
    REGISTRATION,
    refuse="ClientException",
    says="Only one volume configuration may be specified for volume '{name}'.",
    evidence="inferred",
)
def a_volume_is_of_one_kind(asked: Registration) -> Found:
    """A volume is of one kind. One with an empty `host` may be of any."""
    for volume in asked.volumes:
        kinds = (
            volume.host and volume.host.source_path,
            volume.docker_volume_configuration,
            volume.efs_volume_configuration,
            volume.s3files_volume_configuration,
            volume.fsx_windows_file_server_volume_configuration,
            volume.configured_at_launch,
        )
        if sum(map(bool, kinds)) > 1:
            return broken(name=volume.name)
    return None


@rule(
    REGISTRATION,
    refuse="ClientException",
    says="Unknown volume '{name}'.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-mountpoint-source-volume-missing",
)
def what_is_mounted_exists(asked: Registration) -> Found:
    """A mount point is one of a volume of the task."""
    names = {volume.name for volume in asked.volumes}
    for container in asked.containers:
        for mount in container.mount_points or ():
            if mount.source_volume not in names:
                return broken(name=mount.source_volume)
    return None


@rule(
    REGISTRATION,
    refuse="ClientException",
    says="mountPoints.containerPath should not be blank.",
    evidence="inferred: the form of `host.sourcePath should not be blank.` (2015-10, aws/amazon-ecs-cli issue 11)",
)
def a_mount_has_a_place(asked: Registration) -> Found:
    """A mount point says where in the container."""
    mounts = [mount for container in asked.containers for mount in container.mount_points or ()]
    return None if all(mount.container_path for mount in mounts) else broken()


@rule(
    REGISTRATION,
    refuse="ClientException",
    says="Invalid 'volumesFrom' setting. Unknown container: '{name}'.",
    evidence="observed 2018-07: eagletmt/hako pull 54",
)
def volumes_come_from_containers_of_the_task(asked: Registration) -> Found:
    """Volumes are taken from another container of the task."""
    for container in asked.containers:
        for source in container.volumes_from or ():
            if source.source_container not in asked.container_names or source.source_container == container.name:
                return broken(name=source.source_container)
    return None


@rule(
    REGISTRATION,
    refuse="ClientException",
    says="EFS IAM authorization requires TransitEncryption to be enabled.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-efs-iam-without-transit-encryption",
)
def efs_authorization_is_encrypted(asked: Registration) -> Found:
    """A file system that asks for a role is reached encrypted."""
    iam = any(
        efs.authorization_config and efs.authorization_config.iam == "ENABLED" and not _encrypted(efs)
        for efs in _efs(asked)
    )
    return broken() if iam else None


@rule(
    REGISTRATION,
    refuse="ClientException",
    says="TransitEncryptionPort requires that TransitEncryption is enabled.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-efs-transit-encryption-port-without-encryption",
)
def an_encryption_port_means_encryption(asked: Registration) -> Found:
    """A port for encrypted traffic is chosen only where traffic is encrypted."""
    return broken() if any(efs.transit_encryption_port and not _encrypted(efs) for efs in _efs(asked)) else None


@rule(
    REGISTRATION,
    refuse="ClientException",
    says='When using an EFS access point, the root directory must either be set to "/" or be omitted.',
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-efs-access-point-with-root-directory",
)
def an_access_point_is_the_root(asked: Registration) -> Found:
    """An access point has its own root directory."""
    chosen = any(
        efs.authorization_config and efs.authorization_config.access_point_id and (efs.root_directory or "/") != "/"
        for efs in _efs(asked)
    )
    return broken() if chosen else None
