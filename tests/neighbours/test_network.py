"""The network of an account: EC2 and ECS agree on it, with EC2 in this process and at an endpoint."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network
from typing import Any

import pytest

from emulator.state.networks import default_network
from tests.builders import ACCOUNT, REGION, SUBNET, SUBNETS
from tests.emulators import ROOT, InProcess, Served, served
from tests.neighbours.test_front import refusal
from tests.operations.helpers import WEB, describe, refused, run

NAMES = default_network(ACCOUNT, REGION)


@pytest.fixture(scope="module")
def other() -> Iterator[Served]:
    """Another emulator, whose EC2 may be ours."""
    with served("--ephemeral", "--runtime", "simulated") as running:
        yield running


@pytest.fixture(params=["embedded", "endpoint"])
def account(request: pytest.FixtureRequest, other: Served) -> Iterator[InProcess]:
    """An account with a cluster and the definition `web`."""
    endpoints = (("ec2", other.url),) if request.param == "endpoint" else ()
    with InProcess.started(endpoints=endpoints) as emulator:
        yield ready(emulator)


@pytest.fixture
def emulator(emulator: InProcess) -> InProcess:
    """The same with EC2 in this process."""
    return ready(emulator)


def ready(emulator: InProcess) -> InProcess:
    emulator.ecs.create_cluster()
    emulator.ecs.register_task_definition(**WEB)
    return emulator


def awsvpc(*subnets: str, **more: Any) -> dict[str, Any]:
    return {"awsvpcConfiguration": {"subnets": list(subnets), **more}}


def made(ec2: Any, vpc_range: str, *ranges: str) -> tuple[str, list[str]]:
    """A VPC of this range and subnets in it: their ids."""
    vpc = ec2.create_vpc(CidrBlock=vpc_range)["Vpc"]["VpcId"]
    return vpc, [ec2.create_subnet(VpcId=vpc, CidrBlock=each)["Subnet"]["SubnetId"] for each in ranges]


def details(ecs: Any, task: dict[str, Any]) -> dict[str, str]:
    """What DescribeTasks shows of a task's interface."""
    return {pair["name"]: pair["value"] for pair in describe(ecs, task)["attachments"][0]["details"]}


def interface_of(ec2: Any, ecs: Any, task: dict[str, Any]) -> dict[str, Any]:
    """What EC2 shows of it."""
    id_ = details(ecs, task)["networkInterfaceId"]
    (found,) = ec2.describe_network_interfaces(NetworkInterfaceIds=[id_])["NetworkInterfaces"]
    shown: dict[str, Any] = found
    return shown


def descriptions(ec2: Any, subnet: str) -> list[str]:
    filters = [{"Name": "subnet-id", "Values": [subnet]}]
    return [each["Description"] for each in ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"]]


def free(ec2: Any, subnet: str) -> int:
    count: int = ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["AvailableIpAddressCount"]
    return count


# What is the same wherever EC2 is.


def test_an_account_begins_with_a_network_that_every_tool_finds(account: InProcess) -> None:
    ec2 = account.client("ec2")
    (vpc,) = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    assert (vpc["VpcId"], vpc["CidrBlock"]) == (NAMES.vpc, "10.200.0.0/16")
    filters = [{"Name": "default-for-az", "Values": ["true"]}]
    subnets = ec2.describe_subnets(Filters=filters)["Subnets"]
    assert {each["SubnetId"]: (each["AvailabilityZone"], each["CidrBlock"], each["VpcId"]) for each in subnets} == {
        SUBNETS[0]: ("us-east-1a", "10.200.0.0/20", NAMES.vpc),
        SUBNETS[1]: ("us-east-1b", "10.200.16.0/20", NAMES.vpc),
        SUBNETS[2]: ("us-east-1c", "10.200.32.0/20", NAMES.vpc),
    }
    filters = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
    (group,) = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
    assert (group["GroupId"], group["GroupName"]) == (NAMES.security_group, "default")
    (table,) = ec2.describe_route_tables(Filters=filters)["RouteTables"]
    (gateway,) = ec2.describe_internet_gateways()["InternetGateways"]
    assert gateway["Attachments"] == [{"State": "available", "VpcId": NAMES.vpc}]
    ways = {route["DestinationCidrBlock"]: route["GatewayId"] for route in table["Routes"]}
    assert ways == {"10.200.0.0/16": "local", "0.0.0.0/0": gateway["InternetGatewayId"]}


def test_a_task_is_in_the_subnet_that_was_made_for_it(account: InProcess) -> None:
    ec2, ecs = account.client("ec2"), account.ecs
    vpc, (one, two) = made(ec2, "10.0.0.0/16", "10.0.1.0/24", "10.0.2.0/24")
    group = ec2.create_security_group(GroupName="web", Description="web", VpcId=vpc)["GroupId"]
    room = free(ec2, two)
    task = run(ecs, networkConfiguration=awsvpc(two, securityGroups=[group]))
    zones = {each["SubnetId"]: each["AvailabilityZone"] for each in ec2.describe_subnets()["Subnets"]}
    assert task["availabilityZone"] == zones[two]
    account.advance()
    seen = details(ecs, task)
    assert IPv4Address(seen["privateIPv4Address"]) in IPv4Network("10.0.2.0/24")
    shown = interface_of(ec2, ecs, task)
    attachment = describe(ecs, task)["attachments"][0]["id"]
    assert shown["Description"] == f"arn:aws:ecs:us-east-1:000000000000:attachment/{attachment}"
    assert (shown["SubnetId"], shown["VpcId"]) == (two, vpc)
    assert shown["PrivateIpAddress"] == seen["privateIPv4Address"]
    assert [each["GroupId"] for each in shown["Groups"]] == [group]
    assert (free(ec2, one), free(ec2, two)) == (room, room - 1)


def test_without_a_security_group_it_is_in_the_default_one_of_its_vpc(account: InProcess) -> None:
    ec2, ecs = account.client("ec2"), account.ecs
    vpc, (subnet,) = made(ec2, "10.0.0.0/16", "10.0.3.0/24")
    tasks = [run(ecs, networkConfiguration=awsvpc(each)) for each in (subnet, SUBNET)]
    account.advance()
    filters = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": ["default"]}]
    theirs = ec2.describe_security_groups(Filters=filters)["SecurityGroups"][0]["GroupId"]
    groups = [interface_of(ec2, ecs, task)["Groups"] for task in tasks]
    assert [each["GroupId"] for (each,) in groups] == [theirs, NAMES.security_group]


def test_an_interface_goes_with_its_task(account: InProcess) -> None:
    ec2, ecs = account.client("ec2"), account.ecs
    _, (subnet,) = made(ec2, "10.0.0.0/16", "10.0.4.0/24")
    room = free(ec2, subnet)
    staying, leaving = [run(ecs, networkConfiguration=awsvpc(subnet)) for _ in range(2)]
    account.advance()
    assert (len(descriptions(ec2, subnet)), free(ec2, subnet)) == (2, room - 2)
    ecs.stop_task(task=leaving["taskArn"])
    account.advance()
    assert descriptions(ec2, subnet) == [interface_of(ec2, ecs, staying)["Description"]]
    assert free(ec2, subnet) == room - 1
    ecs.stop_task(task=staying["taskArn"])
    account.advance()
    assert (descriptions(ec2, subnet), free(ec2, subnet)) == ([], room)


def test_an_interface_has_the_tags_that_aws_manages_if_they_are_wanted(account: InProcess) -> None:
    ec2, ecs = account.client("ec2"), account.ecs
    mine = [{"key": "team", "value": "a"}]
    tasks = [run(ecs, enableECSManagedTags=managed, tags=mine) for managed in (True, False)]
    account.advance()
    tags = [interface_of(ec2, ecs, task)["TagSet"] for task in tasks]
    assert tags == [[{"Key": "aws:ecs:clusterName", "Value": "default"}], []]
    for task in tasks:
        ecs.stop_task(task=task["taskArn"])
    account.advance()


def test_what_ec2_does_not_have_is_refused(account: InProcess) -> None:
    ec2, ecs = account.client("ec2"), account.ecs
    vpc, (subnet,) = made(ec2, "10.0.0.0/16", "10.0.5.0/24")
    group = ec2.create_security_group(GroupName="web", Description="web", VpcId=vpc)["GroupId"]
    none, nobody = "subnet-00000000", "sg-00000000"
    unknown = "InvalidParameterException"
    said = f"Error retrieving subnet information for [{subnet}, {none}]: The subnet ID '{none}' does not exist"
    with refused(unknown, f"{said} (ErrorCode: InvalidSubnetID.NotFound)"):
        run(ecs, networkConfiguration=awsvpc(subnet, none))
    said = f"Error retrieving security group information for [{nobody}]: The security group '{nobody}' does not exist"
    with refused(unknown, f"{said} (ErrorCode: InvalidGroup.NotFound)"):
        run(ecs, networkConfiguration=awsvpc(SUBNET, securityGroups=[nobody]))
    with refused(unknown, f"Security group {group} does not appear to belong to the same VPC as the input subnets."):
        run(ecs, networkConfiguration=awsvpc(SUBNET, securityGroups=[group]))
    with refused(unknown, "subnets must all be in the same VPC."):
        run(ecs, networkConfiguration=awsvpc(SUBNET, subnet))
    assert ecs.list_tasks()["taskArns"] == []


def test_a_subnet_of_a_range_that_was_added_to_its_vpc_is_as_good(account: InProcess) -> None:
    ec2, ecs = account.client("ec2"), account.ecs
    vpc, _ = made(ec2, "10.0.0.0/16")
    ec2.associate_vpc_cidr_block(VpcId=vpc, CidrBlock="10.1.0.0/16")
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.1.7.0/24")["Subnet"]["SubnetId"]
    task = run(ecs, networkConfiguration=awsvpc(subnet))
    account.advance()
    assert details(ecs, task)["privateIPv4Address"].startswith("10.1.7.")


def test_a_subnet_that_is_full_stops_the_next_task(account: InProcess) -> None:
    ec2, ecs = account.client("ec2"), account.ecs
    _, (subnet,) = made(ec2, "10.0.0.0/16", "10.0.6.0/28")
    tasks = [run(ecs, networkConfiguration=awsvpc(subnet)) for _ in range(12)]
    account.advance()
    shown = [describe(ecs, task) for task in tasks]
    reasons = [task["stoppedReason"] for task in shown if task["lastStatus"] == "STOPPED"]
    refused_by_ec2 = f"Unexpected EC2 error while attempting to Create Network Interface in subnet '{subnet}': "
    assert reasons == [refused_by_ec2 + "InsufficientFreeAddressesInSubnet"]
    assert free(ec2, subnet) == 0


# EC2 in this process.


def test_nobody_has_a_network_who_never_asked(emulator: InProcess) -> None:
    emulator.client("ec2").describe_vpcs()
    assert [vpc.id for vpc in emulator.app._store.state.vpcs] == [NAMES.vpc]


def test_an_interface_is_ecs_s_own(emulator: InProcess) -> None:
    ec2, ecs = emulator.client("ec2"), emulator.ecs
    task = run(ecs, networkConfiguration=awsvpc(SUBNET, assignPublicIp="ENABLED"))
    emulator.advance()
    shown, seen = interface_of(ec2, ecs, task), details(ecs, task)
    assert (shown["Status"], shown["InterfaceType"], shown["RequesterManaged"]) == ("in-use", "interface", True)
    assert (shown["MacAddress"], shown["PrivateDnsName"]) == (seen["macAddress"], seen["privateDnsName"])
    attachment = shown["Attachment"]
    assert (attachment["Status"], attachment["DeviceIndex"]) == ("attached", 1)
    assert attachment["AttachTime"] == describe(ecs, task)["connectivityAt"]
    assert "InstanceId" not in attachment
    eni = shown["NetworkInterfaceId"]
    message = f"Network interface '{eni}' is currently in use."
    assert refusal(ec2.delete_network_interface, NetworkInterfaceId=eni) == ("InvalidParameterValue", message)
    strange = ("AuthFailure", "You do not have permission to access the specified resource.")
    assert refusal(ec2.detach_network_interface, AttachmentId=attachment["AttachmentId"]) == strange
    assert refusal(ec2.modify_network_interface_attribute, NetworkInterfaceId=eni, Groups=[]) == strange
    assert interface_of(ec2, ecs, task) == shown


def test_a_public_address_is_shown_if_it_was_asked_for(emulator: InProcess) -> None:
    ec2, ecs = emulator.client("ec2"), emulator.ecs
    public, private = [
        run(ecs, networkConfiguration=awsvpc(SUBNET, assignPublicIp=wanted)) for wanted in ("ENABLED", "DISABLED")
    ]
    emulator.advance()
    association = interface_of(ec2, ecs, public)["Association"]
    address = association["PublicIp"]
    assert IPv4Address(address) in IPv4Network("198.18.0.0/15")
    assert association["PublicDnsName"] == f"ec2-{address.replace('.', '-')}.compute-1.amazonaws.com"
    assert "Association" not in interface_of(ec2, ecs, private)
    filters = [{"Name": "association.public-ip", "Values": [address]}]
    (found,) = ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"]
    assert found["NetworkInterfaceId"] == details(ecs, public)["networkInterfaceId"]


FILTERS = {
    "attachment.status": "attached",
    "description": "arn:aws:ecs:us-east-1:000000000000:attachment/*",
    "group-id": NAMES.security_group,
    "group-name": "default",
    "interface-type": "interface",
    "private-ip-address": "10.200.*",
    "requester-managed": "true",
    "status": "in-use",
    "tag:aws:ecs:clusterName": "default",
    "vpc-id": NAMES.vpc,
}


def test_an_interface_is_found_by_what_it_is(emulator: InProcess) -> None:
    run(emulator.ecs, enableECSManagedTags=True)
    emulator.advance()
    ec2 = emulator.client("ec2")

    def found(value: str | None) -> list[str]:
        filters = {name: [{"Name": name, "Values": [value or mine]}] for name, mine in FILTERS.items()}
        return [
            name for name, one in filters.items() if ec2.describe_network_interfaces(Filters=one)["NetworkInterfaces"]
        ]

    assert found(None) == list(FILTERS)
    assert found("nothing") == []


def test_all_is_the_same_after_a_reset_but_the_tasks(emulator: InProcess) -> None:
    ec2 = emulator.client("ec2")

    def looked() -> list[Any]:
        found = [ec2.describe_vpcs()["Vpcs"], ec2.describe_subnets()["Subnets"], ec2.describe_route_tables()]
        found += [ec2.describe_security_groups()["SecurityGroups"], ec2.describe_network_acls()["NetworkAcls"]]
        return [*found[:2], found[2]["RouteTables"], *found[3:]]

    before = looked()
    run(emulator.ecs)
    emulator.advance()
    assert len(ec2.describe_network_interfaces()["NetworkInterfaces"]) == 1
    emulator.app.reset()
    assert looked() == before
    assert ec2.describe_network_interfaces()["NetworkInterfaces"] == []
    ready(emulator)
    run(emulator.ecs)
    emulator.advance()
    assert len(ec2.describe_network_interfaces()["NetworkInterfaces"]) == 1


def test_accounts_and_regions_have_networks_of_their_own(emulator: InProcess) -> None:
    places = [("111122223333", "eu-west-1"), ("111122223333", "ap-northeast-1"), ("444455556666", "eu-west-1")]
    ranges = set()
    for account, region in places:
        ec2 = emulator.client("ec2", account=account, region=region)
        (vpc,) = ec2.describe_vpcs()["Vpcs"]
        assert vpc["VpcId"] == default_network(account, region).vpc
        zones = {each["AvailabilityZone"] for each in ec2.describe_subnets()["Subnets"]}
        letters = "acd" if region == "ap-northeast-1" else "abc"
        assert zones == {region + letter for letter in letters}
        known = {each["ZoneName"] for each in ec2.describe_availability_zones()["AvailabilityZones"]}
        assert zones <= known
        ranges.add(vpc["CidrBlock"])
    assert len(ranges) == 3


@pytest.mark.parametrize("region", ["us-west-1", "cn-north-1", "xx-nowhere-1"])
def test_a_region_has_three_zones_at_least(emulator: InProcess, region: str) -> None:
    ec2 = emulator.client("ec2", region=region)
    zones = [each["AvailabilityZone"] for each in ec2.describe_subnets()["Subnets"]]
    assert zones == [f"{region}{letter}" for letter in "abc"]
    known = [each["ZoneName"] for each in ec2.describe_availability_zones()["AvailabilityZones"]]
    assert known == zones


def test_the_first_subnet_of_a_zone_is_no_default_one_in_a_users_vpc(emulator: InProcess) -> None:
    ec2 = emulator.client("ec2")
    vpc, _ = made(ec2, "10.0.0.0/16")
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24", AvailabilityZone="us-east-1f")["Subnet"]
    assert (subnet["DefaultForAz"], subnet["MapPublicIpOnLaunch"]) == (False, False)


def test_a_default_subnet_that_was_deleted_is_unknown(emulator: InProcess) -> None:
    ec2 = emulator.client("ec2")
    ec2.delete_subnet(SubnetId=SUBNETS[1])
    assert run(emulator.ecs)["lastStatus"] == "PROVISIONING"
    with pytest.raises(emulator.ecs.exceptions.InvalidParameterException, match=f"The subnet ID '{SUBNETS[1]}'"):
        run(emulator.ecs, networkConfiguration=awsvpc(*SUBNETS))


def test_a_default_vpc_that_was_deleted_can_be_had_again(emulator: InProcess) -> None:
    ec2 = emulator.client("ec2")
    there = "A Default VPC already exists for this account in this region."
    assert refusal(ec2.create_default_vpc) == ("DefaultVpcAlreadyExists", there)
    for subnet in SUBNETS:
        ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_vpc(VpcId=NAMES.vpc)
    assert ec2.create_default_vpc()["Vpc"]["VpcId"] == NAMES.vpc
    assert run(emulator.ecs)["lastStatus"] == "PROVISIONING"


def test_a_service_that_looks_into_ec2_finds_the_same_network() -> None:
    code = f"""
from tests.emulators import InProcess
with InProcess.started() as emulator:
    made = emulator.client("elbv2").create_load_balancer(Name="web", Subnets={SUBNETS!r})
    print(made["LoadBalancers"][0]["VpcId"])
"""
    assert python(code) == NAMES.vpc


def test_ec2_is_not_loaded_for_tasks_in_the_default_network() -> None:
    code = """
import sys
from tests.emulators import InProcess
from tests.operations.helpers import WEB, run
with InProcess.started() as emulator:
    emulator.ecs.create_cluster()
    emulator.ecs.register_task_definition(**WEB)
    run(emulator.ecs)
    emulator.advance()
    print(sorted(name for name in sys.modules if name.partition(".")[0] == "moto"))
"""
    assert python(code) == "[]"


def python(code: str) -> str:
    """What a fresh process prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


# EC2 elsewhere, and nowhere.


def test_the_default_network_is_the_endpoints(other: Served) -> None:
    with InProcess.started(endpoints=(("ec2", other.url),)) as emulator:
        somebody = "777788889999"
        subnet = list(default_network(somebody, REGION).subnets)[1]
        ecs = emulator.client("ecs", account=somebody)
        ecs.create_cluster()
        ecs.register_task_definition(**WEB)
        assert run(ecs, networkConfiguration=awsvpc(subnet))["lastStatus"] == "PROVISIONING"
        emulator.client("ec2", account=somebody).delete_subnet(SubnetId=subnet)
        with pytest.raises(ecs.exceptions.InvalidParameterException, match=f"The subnet ID '{subnet}' does not exist"):
            run(ecs, networkConfiguration=awsvpc(subnet))


def test_nothing_is_run_while_the_endpoint_does_not_answer() -> None:
    with InProcess.started(endpoints=(("ec2", "http://127.0.0.1:9"),)) as emulator:
        ready(emulator)
        with pytest.raises(emulator.ecs.exceptions.ServerException, match="ec2 does not answer"):
            run(emulator.ecs)
        assert emulator.ecs.list_tasks()["taskArns"] == []


def test_without_other_services_there_is_the_default_network_and_nothing_else() -> None:
    with InProcess.started(neighbours="none") as emulator:
        ready(emulator)
        task = run(emulator.ecs, networkConfiguration=awsvpc(*SUBNETS, securityGroups=[NAMES.security_group]))
        emulator.advance()
        assert describe(emulator.ecs, task)["lastStatus"] == "RUNNING"
        with pytest.raises(emulator.ecs.exceptions.InvalidParameterException, match="does not exist"):
            run(emulator.ecs, networkConfiguration=awsvpc("subnet-0a1b2c3d"))
