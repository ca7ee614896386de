"""What we change in the models of moto's EC2. To be imported after them: they take most of a second."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Network
from typing import Any, NoReturn

from moto.ec2 import models
from moto.ec2.exceptions import DefaultVpcAlreadyExists, EC2ClientError
from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend, Zone
from moto.ec2.models.elastic_network_interfaces import NetworkInterface, NetworkInterfaceBackend
from moto.ec2.models.subnets import SubnetBackend

from emulator.neighbours import ports
from emulator.neighbours.embedded.chance import drawn_from
from emulator.neighbours.embedded.models import NOBODY
from emulator.neighbours.ports import DefaultVpc, Place
from emulator.state.networks import Subnet as SubnetRecord
from emulator.state.networks import default_network, derived_id, private_dns_name, public_dns_name

MOTO: Any = models
"""By its types, moto's models cannot be instantiated."""

FARGATE = "501673713797"
"""The account of AWS's whose instances tasks run on (observed 2018-11 of us-east-1: a test in a public repository)."""


def change(default_vpc: DefaultVpc) -> None:
    """Have accounts begin with our network, and the interfaces of tasks be ECS's own."""
    backend: Any = models.EC2Backend  # its own methods stand before those of its bases, which are moto's
    backend.create_default_vpc = lambda self: _create_default_vpc(self, default_vpc)
    backend.create_subnet = _create_subnet
    backend.delete_network_interface = _delete_network_interface
    backend.detach_network_interface = _detach_network_interface
    backend.modify_network_interface_attribute = _modify_network_interface_attribute


# The network that an account begins with.


def _create_default_vpc(backend: Any, default_vpc: DefaultVpc) -> Any:
    """As AWS makes it (documented: VPC user guide, "Default VPCs"), with ids of ours and a range that is free here."""
    if backend.get_default_vpc() is not None:
        raise DefaultVpcAlreadyExists
    account, region = backend.account_id, backend.region_name
    network = default_network(account, region)
    cidr = "10.200.0.0/16" if account == NOBODY else default_vpc(Place(account, region)).cidrs[0]
    with drawn_from("ec2", account, region):
        vpc = MOTO.vpcs.VPC(backend, network.vpc, cidr, is_default=True)
        backend.vpcs[vpc.id] = vpc
        _add_acl(backend, vpc, network.network_acl)
        _add_default_group(backend, vpc, network.security_group)
        _add_way_out(backend, vpc, network.route_table, network.internet_gateway)
        for subnet in network.subnets_of(IPv4Network(cidr)):
            _add_default_subnet(backend, subnet)
    return vpc


def _add_acl(backend: Any, vpc: Any, id_: str) -> None:
    backend.network_acls[id_] = MOTO.network_acls.NetworkAcl(backend, id_, vpc.id, default=True)
    backend.add_default_entries(id_)


def _add_default_group(backend: Any, vpc: Any, id_: str) -> None:
    groups, description = MOTO.security_groups, "default VPC security group"
    group = groups.SecurityGroup(backend, id_, "default", description, vpc_id=vpc.id, is_default=True)
    members = {"GroupId": id_, "UserId": backend.account_id}
    group.add_ingress_rule(groups.SecurityGroupRule(backend, "-1", id_, None, None, None, members, is_egress=False))
    backend.groups[vpc.id][id_] = group


def _add_way_out(backend: Any, vpc: Any, route_table: str, internet_gateway: str) -> None:
    backend.route_tables[route_table] = MOTO.route_tables.RouteTable(backend, route_table, vpc.id, main=True)
    backend.create_route(route_table, vpc.cidr_block, local=True)
    gateway = MOTO.internet_gateways.InternetGateway(backend)
    gateway.id, gateway.vpc = internet_gateway, vpc
    backend.internet_gateways[gateway.id] = gateway
    backend.create_route(route_table, "0.0.0.0/0", gateway_id=gateway.id)


def _add_default_subnet(backend: Any, subnet: SubnetRecord) -> None:
    zone = _zone(subnet.region, subnet.availability_zone)
    backend.subnets[zone.name][subnet.id] = MOTO.subnets.Subnet(
        backend,
        subnet.id,
        subnet.vpc,
        subnet.cidr,
        None,
        zone,
        default_for_az=True,
        map_public_ip_on_launch=True,
    )
    backend.associate_default_network_acl_with_subnet(subnet.id, subnet.vpc)


def _zone(region: str, name: str) -> Zone:
    """A zone; moto has fewer of some regions, and none of those that it does not know."""
    zones = RegionsAndZonesBackend.zones.setdefault(region, [])
    found = next((zone for zone in zones if zone.name == name), None)
    if found is None:
        found = Zone(name=name, region_name=region, zone_id=f"{region.replace('-', '')}-az{len(zones) + 1}")
        zones.append(found)
    return found


def _create_subnet(backend: Any, vpc_id: str, *arguments: Any, **named: Any) -> Any:
    """Moto takes the first subnet of a zone for its default one, whatever VPC it is in."""
    subnet = SubnetBackend.create_subnet(backend, vpc_id, *arguments, **named)
    if not backend.vpcs[vpc_id].is_default:
        subnet.default_for_az = subnet.map_public_ip_on_launch = False
    return subnet


# The interfaces of tasks.


@dataclass(frozen=True, slots=True)
class _SubnetOfTask:
    """What moto looks at of an interface's subnet. EC2 may have lost the subnet: the task has its interface still."""

    id: str
    vpc_id: str
    availability_zone: str


class TaskInterface(NetworkInterface):
    """A task's interface: made and managed by ECS, and attached to an instance that is not the user's.

    (Observed 2019-02: the answer of DescribeNetworkInterfaces in a public repository.)
    """

    def __init__(self, backend: Any, shown: ports.NetworkInterface) -> None:  # the base makes an id and an address
        self.ec2_backend = backend
        self.id = shown.id
        self.private_ip_address = shown.address
        self.private_dns_name = private_dns_name(shown.address, backend.region_name)
        self.mac_address = shown.mac_address
        self.description = shown.description
        self.subnet = _SubnetOfTask(shown.subnet, shown.vpc, shown.availability_zone)
        self.public_ip = shown.public_address
        self.public_ip_auto_assign = shown.public_address is not None
        self.attachment_id = derived_id("eni-attach", shown.id)
        self.attach_time = datetime.fromtimestamp(shown.attached_at, UTC)
        self.device_index = 1
        self.delete_on_termination = False
        self.instance = None
        self.ipv6_addresses: list[str] = []
        self.source_dest_check = True
        self.status = "in-use"
        self.interface_type = "interface"
        self.requester_managed = True
        self.requester_id = FARGATE
        self._groups = shown.security_groups
        self.private_ip_addresses = [self._primary()]

    def _primary(self) -> dict[str, Any]:
        primary = {
            "Primary": True,
            "PrivateIpAddress": self.private_ip_address,
            "PrivateDnsName": self.private_dns_name,
        }
        return {**primary, "Association": self.association} if self.public_ip else primary

    @property
    def attachment(self) -> Any:
        """Whose instance it is attached to: which instance, nobody is told."""
        return {
            "AttachTime": self.attach_time,
            "AttachmentId": self.attachment_id,
            "DeleteOnTermination": False,
            "DeviceIndex": 1,
            "NetworkCardIndex": 0,
            "InstanceOwnerId": FARGATE,
            "Status": "attached",
        }

    @property
    def association(self) -> Any:
        """The public address, if there is one."""
        if self.public_ip is None:
            return {}
        name = public_dns_name(self.public_ip, self.ec2_backend.region_name)
        return {"IpOwnerId": "amazon", "PublicDnsName": name, "PublicIp": self.public_ip}

    @property
    def group_set(self) -> Any:
        """The security groups that there still are."""
        found = (self.ec2_backend.get_security_group_from_id(id_) for id_ in self._groups)
        return [group for group in found if group is not None]

    def get_tags(self) -> list[dict[str, str]]:
        """Its tags, without a look at those of everything else."""
        return [{"key": key, "value": value} for key, value in self.ec2_backend.tags.get(self.id, {}).items()]

    def get_filter_value(self, filter_name: str, method_name: str | None = None) -> Any:
        """What a filter of DescribeNetworkInterfaces compares."""
        own = {
            "group-id": list(self._groups),
            "group-name": [group.name for group in self.group_set],
            "requester-managed": "true",
            "source-dest-check": "true",
            "attachment.status": "attached",
            "attachment.instance-owner-id": FARGATE,
            "association.public-ip": self.public_ip,
        }
        return own[filter_name] if filter_name in own else super().get_filter_value(filter_name, method_name)


def show(backend: Any, interface: ports.NetworkInterface) -> None:
    """Have a task's interface be there."""
    make: Any = TaskInterface
    backend.enis[interface.id] = make(backend, interface)
    if interface.tags:
        backend.tags[interface.id].update(interface.tags)


def hide(backend: Any, id_: str) -> None:
    """Have an interface be gone, with its tags."""
    backend.enis.pop(id_, None)
    backend.tags.pop(id_, None)


def _delete_network_interface(backend: Any, eni_id: str) -> None:
    if isinstance(backend.enis.get(eni_id), TaskInterface):
        # observed 2021-03: aws/amazon-vpc-cni-k8s issue 1399
        raise EC2ClientError("InvalidParameterValue", f"Network interface '{eni_id}' is currently in use.")
    NetworkInterfaceBackend.delete_network_interface(backend, eni_id)


def _detach_network_interface(backend: Any, attachment_id: str) -> None:
    if any(isinstance(eni, TaskInterface) and eni.attachment_id == attachment_id for eni in backend.enis.values()):
        _not_yours()
    NetworkInterfaceBackend.detach_network_interface(backend, attachment_id)


def _modify_network_interface_attribute(backend: Any, eni_id: str, *arguments: Any, **named: Any) -> None:
    if isinstance(backend.enis.get(eni_id), TaskInterface):
        _not_yours()
    NetworkInterfaceBackend.modify_network_interface_attribute(backend, eni_id, *arguments, **named)


def _not_yours() -> NoReturn:
    """(Observed 2020-01 of a service's interface: aws/aws-k8s-tester issue 70; 2019-01 of ECS's, without the sentence:
    cloud-custodian/cloud-custodian issue 3406.)
    """
    raise EC2ClientError("AuthFailure", "You do not have permission to access the specified resource.")
