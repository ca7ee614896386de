"""The subnets and security groups that a request names, as EC2 knows them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import api_models as ecs
from emulator.errors import ApiError
from emulator.neighbours import ports
from emulator.neighbours.ports import Network, Place, ServiceRefusedError, ServiceUnreachableError
from emulator.operations.operation import Caller, Look
from emulator.rules.launch import (
    MOST_SECURITY_GROUPS,
    MOST_SUBNETS,
    NetworkFacts,
    can_be_security_groups,
    can_be_subnets,
)
from emulator.state.networks import DefaultNetwork, Subnet, Vpc
from emulator.state.store import Transaction


@dataclass(frozen=True, slots=True)
class FoundNetwork:
    """What EC2 said, before the transaction, of the subnets and security groups that a request names."""

    zones: Mapping[str, str] = field(default_factory=dict)
    """The availability zone of each subnet that there is, by the subnet's id, in the order of the request."""
    security_groups: tuple[str, ...] = ()
    """Those that a task gets: the ones that were named, else the default group of the VPC."""
    facts: NetworkFacts | None = None
    """What rules look at; None when EC2 was not asked or did not say."""
    learnt: tuple[ports.Subnet, ...] = ()
    """The subnets that nobody knew but EC2."""
    refusal: ApiError | None = None
    """Why EC2 did not say."""

    def keep(self, state: Transaction, caller: Caller) -> None:
        """Keep what was learnt, so that whoever attaches interfaces has nobody to ask."""
        for found in self.learnt:
            subnet = Subnet(
                account=caller.account,
                region=caller.region,
                id=found.id,
                vpc=found.vpc,
                cidr=found.cidr,
                availability_zone=found.availability_zone,
            )
            vpc = Vpc(account=caller.account, region=caller.region, id=found.vpc, cidrs=found.vpc_cidrs)
            if state.subnets.get(subnet.key) != subnet:
                state.subnets.put(subnet)
            if state.vpcs.get(vpc.key) != vpc:
                state.vpcs.put(vpc)


def find_network(look: Look[Any]) -> FoundNetwork:
    """Ask EC2 about the subnets and security groups that a request names, where we do not know them ourselves.

    Nobody is asked about what is malformed, or about too many: the rules refuse these by themselves.
    """
    given: ecs.NetworkConfiguration | None = look.request.network_configuration
    named = given.awsvpc_configuration if given else None
    subnets = can_be_subnets((named and named.subnets) or ())
    groups = can_be_security_groups((named and named.security_groups) or ())
    if named is None or len(subnets) > MOST_SUBNETS or len(groups) > MOST_SECURITY_GROUPS:
        return FoundNetwork()
    place, ec2 = Place(look.caller.account, look.caller.region), look.neighbours.network
    asked = _Asked(ec2, place, ec2.default(place))
    try:
        with _saying("subnet", named.subnets or ()):
            zones, vpcs, learnt = asked.subnets(subnets)
        with _saying("security group", named.security_groups or ()):
            found = asked.security_groups(groups)
            given_groups = tuple(groups) or asked.default_groups(set(vpcs.values()))
    except ApiError as refusal:
        return FoundNetwork(refusal=refusal)
    return FoundNetwork(zones, given_groups, NetworkFacts(vpcs, found), tuple(learnt))


@dataclass(frozen=True, slots=True)
class _Asked:
    """EC2, and what of it is known without asking."""

    ec2: Network
    place: Place
    own: DefaultNetwork | None

    def subnets(self, ids: Sequence[str]) -> tuple[dict[str, str], dict[str, str], list[ports.Subnet]]:
        """Zones and VPCs of those that there are, by their ids; and those that had to be asked for."""
        own = self.own
        known = {id_: (own.subnets[id_], own.vpc) for id_ in ids if id_ in own.subnets} if own else {}
        unknown = [id_ for id_ in ids if id_ not in known]
        learnt = self.ec2.subnets(self.place, unknown) if unknown else []
        known |= {found.id: (found.availability_zone, found.vpc) for found in learnt}
        zones = {id_: known[id_][0] for id_ in ids if id_ in known}
        return zones, {id_: known[id_][1] for id_ in zones}, learnt

    def security_groups(self, ids: Sequence[str]) -> dict[str, str]:
        """The VPCs of those that there are, by their ids."""
        known = {self.own.security_group: self.own.vpc} if self.own else {}
        unknown = [id_ for id_ in ids if id_ not in known]
        asked = self.ec2.security_groups(self.place, unknown) if unknown else []
        known |= {found.id: found.vpc for found in asked}
        return {id_: known[id_] for id_ in ids if id_ in known}

    def default_groups(self, vpcs: set[str]) -> tuple[str, ...]:
        """The default group of the VPC, if there is one: of several, no task will be in any."""
        if len(vpcs) != 1:
            return ()
        (vpc,) = vpcs
        if self.own is not None and vpc == self.own.vpc:
            return (self.own.security_group,)
        found = self.ec2.default_security_group(self.place, vpc)
        return (found,) if found else ()


@contextmanager
def _saying(what: str, ids: Sequence[str]) -> Iterator[None]:
    """Say to the caller what EC2 said of these subnets or groups. Raises ApiError."""
    try:
        yield
    except ServiceRefusedError as refusal:
        # observed 2020-08: … Request limit exceeded. (ErrorCode: RequestLimitExceeded)
        said = f"Error retrieving {what} information for [{', '.join(ids)}]: {refusal.message}"
        raise ApiError("InvalidParameterException", f"{said} (ErrorCode: {refusal.code})") from refusal
    except ServiceUnreachableError as problem:
        said = f"Nobody can say whether {what} {', '.join(ids)} exists: {problem}."
        raise ApiError("ServerException", said, status=500) from problem
