"""Calls a second on eight connections, beside moto's server with the same requests from the same generator."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count, repeat
from typing import Any

from benchmarks import servers, tasks
from benchmarks.results import Figure, Result, ratio
from benchmarks.servers import Server
from benchmarks.wire import Connection, ecs_request, load

TITLE = "Calls a second on 8 connections; the emulator commits every write to disk, moto keeps its state in memory"
ROUNDS = 5
SECONDS = 1.0
WARM_UP = 0.3
FAMILY = "calls"
TASKS = 10
CLUSTERS = 5_000

Requests = Callable[[], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of call: its requests, and how many times moto's rate it should reach."""

    name: str
    target: float
    requests: Callable[[str], Requests]
    """Given the ARN of a task."""


def measure(rounds: int) -> Result:
    """Measure: one kind of call after the other, the servers in turns. Reads come first, before writes add records."""
    result = Result("calls", TITLE)
    with servers.keeping_emulator("simulated") as ours, servers.moto() as moto:
        sides = {"ecs-emulator": (ours, _prepare(ours)), "moto_server": (moto, _prepare(moto, _network_of_moto(moto)))}
        for kind in KINDS:
            rates: dict[str, list[float]] = {name: [] for name in sides}
            requests = {name: kind.requests(task)() for name, (_, task) in sides.items()}
            for name, (server, _) in sides.items():
                load(server.port, requests[name], seconds=WARM_UP)
            for _ in range(rounds):
                for name, (server, _) in sides.items():
                    rates[name].append(load(server.port, requests[name], seconds=SECONDS))
            of, to = (Figure(f"{kind.name}, {name}", "calls/s", found) for name, found in rates.items())
            result.figures += [of, to]
            result.verdicts.append(ratio(f"{kind.name}, to moto_server", of, to, kind.target, at_least=True))
    return result


def _prepare(server: Server, network: Mapping[str, Any] = tasks.NETWORK) -> str:
    """A few tasks of one task definition; gives the ARN of one."""
    server.first_answer()
    connection = Connection(server.port)
    connection.ask("CreateCluster", clusterName="default")
    connection.ask("RegisterTaskDefinition", **tasks.two_containers(FAMILY))
    made = [tasks.run_one(connection, FAMILY, network) for _ in range(TASKS)]
    if network is tasks.NETWORK:  # moto's tasks run at once, and go on to the next status whenever one looks at them
        for task in made:
            tasks.wait_until(connection, task, "RUNNING")
    listed = connection.ask("ListTasks")["taskArns"]
    if len(listed) != TASKS:
        raise tasks.TaskFailedError(f"{len(listed)} tasks are listed instead of {TASKS}")
    connection.close()
    return made[0]


def _network_of_moto(moto: Server) -> dict[str, Any]:
    """moto runs tasks only in subnets and with security groups that its EC2 has; it has some from the start."""
    moto.first_answer()
    client = moto.client("ec2")
    subnets = [subnet["SubnetId"] for subnet in client.describe_subnets()["Subnets"]]
    groups = [group["GroupId"] for group in client.describe_security_groups()["SecurityGroups"]]
    client.close()
    return {"subnets": subnets, "securityGroups": groups[:1]}


def _same(operation: str, **members: object) -> Requests:
    """One request over and over."""
    request = ecs_request(operation, **members)
    return lambda: repeat(request)


def _new_clusters() -> Iterator[bytes]:
    """A cluster more with each request; and a new account whenever one has half of what an account may have."""
    request = ecs_request("CreateCluster", clusterName="cluster-########")
    request = request.replace(b"Credential=test/", b"Credential=@@@@@@@@@@@@/")
    for number in count():
        account, cluster = divmod(number, CLUSTERS)
        yield request.replace(b"@" * 12, b"%012d" % (account + 1)).replace(b"#" * 8, b"%08d" % cluster)


KINDS = (
    Kind("DescribeTasks of one", 8, lambda task: _same("DescribeTasks", tasks=[task])),
    Kind("DescribeTaskDefinition", 8, lambda _: _same("DescribeTaskDefinition", taskDefinition=FAMILY)),
    Kind("ListTasks of ten", 8, lambda _: _same("ListTasks")),
    Kind("RegisterTaskDefinition", 4, lambda _: _same("RegisterTaskDefinition", **tasks.two_containers("registered"))),
    Kind("CreateCluster", 4, lambda _: _new_clusters),
)
