"""The parts of the driver that need no daemon."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
import tarfile
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import pytest

from emulator.planner.environment import Environment
from emulator.planner.specs import LogSpec, Subnet, Ulimit
from emulator.runtime.docker import cgroups, containers, labels, namespaces, observe, pause
from emulator.runtime.docker.cgroups import Bounds, TaskCgroups, TaskLimits
from emulator.runtime.docker.engine import Engine, RefusedError
from emulator.runtime.docker.labels import Owner
from emulator.runtime.docker.networks import first_free, routed, why_not
from emulator.runtime.driver import Exit, Found, PrepareFailedError, Started, StartFailedError
from emulator.state.networks import private_dns_name
from tests.runtime.docker_world import make_container, make_task

OWNER = Owner("emulator-1")
PARENT = Bounds("/ecs/0", 2)
ALONE = Bounds(None, 2)
CREATED, STARTED, ENDED = "0001-01-01T00:00:00Z", "2026-01-02T03:04:05.123456789Z", "2026-01-02T03:04:06.9Z"


def test_importing_the_driver_does_not_import_docker() -> None:
    script = "import sys, emulator.runtime.docker; sys.exit('docker' in sys.modules or 'requests' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


class TestPause:
    @pytest.mark.parametrize(("architecture", "machine"), [("amd64", 62), ("arm64", 183)])
    def test_program_is_a_static_executable(self, architecture: str, machine: int) -> None:
        program = pause.program(architecture)
        assert len(program) < 1024
        assert program[:7] == b"\x7fELF\x02\x01\x01"
        kind, its_machine, version, entry, segments, _, _, header_size = struct.unpack_from("<HHIQQQIH", program, 16)
        assert (kind, its_machine, version, segments, header_size) == (2, machine, 1, 64, 64)
        segment_size, count = struct.unpack_from("<HH", program, 54)
        assert (segment_size, count) == (56, 1)
        segment = struct.unpack_from("<IIQQQQQQ", program, 64)
        assert segment[:3] == (1, 5, 0)  # loaded, readable and executable, from the beginning
        address, _, file_size, memory_size, alignment = segment[3:]
        assert file_size == memory_size == len(program)
        assert address % alignment == 0
        assert program[entry - address :] == pause.MACHINES[architecture].code

    def test_the_image_is_the_same_each_time(self) -> None:
        assert pause.image_archive("amd64") == pause.image_archive("amd64")
        with tarfile.open(fileobj=io.BytesIO(pause.image_archive("arm64"))) as tar:
            (manifest,) = json.load(tar.extractfile("manifest.json") or io.BytesIO())
            config = json.load(tar.extractfile(manifest["Config"]) or io.BytesIO())
        assert manifest["RepoTags"] == [pause.IMAGE]
        assert (config["architecture"], config["config"]["Entrypoint"]) == ("arm64", ["/pause"])

    def test_an_unknown_architecture_is_named(self) -> None:
        with pytest.raises(PrepareFailedError, match="no pause program for the daemon's architecture 's390x'"):
            pause.program("s390x")


class TestContainers:
    def body(self, bounds: Bounds = PARENT, **given: Any) -> dict[str, Any]:
        task = given.pop("task", None) or make_task()
        return containers.create_body(
            make_container(task, **given), namespace_id="pause-id", image="sha256:1", owner=OWNER, bounds=bounds
        )

    def test_what_is_not_given_is_the_images(self) -> None:
        body = self.body()
        assert not {"Entrypoint", "Cmd", "User", "WorkingDir", "Hostname", "ExposedPorts"} & set(body)
        assert body["Image"] == "sha256:1"
        assert body["Healthcheck"] == {"Test": ["NONE"]}
        host = body["HostConfig"]
        assert host["NetworkMode"] == "container:pause-id"
        assert host["CgroupParent"] == "/ecs/0"
        assert host["CpuShares"] == 2
        assert host["LogConfig"] == {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}}
        assert not {"Memory", "MemoryReservation", "NanoCpus"} & set(host)

    def test_the_log_of_a_container_whose_output_is_read_has_larger_files(self) -> None:
        log = LogSpec(group="g", region="us-east-1", stream="s")
        larger = {"max-size": "50m", "max-file": "2"}
        assert self.body(log=log)["HostConfig"]["LogConfig"] == {"Type": "json-file", "Config": larger}
        mode = {"mode": "non-blocking", "max-buffer-size": "4096"}
        found = self.body(log=replace(log, buffer=4096))["HostConfig"]["LogConfig"]
        assert found == {"Type": "json-file", "Config": {**larger, **mode}}

    def test_what_is_given_is_translated(self) -> None:
        body = self.body(
            command=("a",),
            entry_point=("b", "c"),
            environment=Environment(definition={"K": "v=w"}),
            user="1:2",
            working_directory="/w",
            readonly_root_filesystem=True,
            init_process=True,
            interactive=True,
            pseudo_terminal=True,
            cpu=300_000,
            memory=64,
            memory_reservation=2,
            ulimits=(Ulimit("nofile", 10, 20),),
            capabilities_add=("SYS_PTRACE",),
            capabilities_drop=("NET_RAW",),
            system_controls={"net.core.somaxconn": "9"},
        )
        assert (body["Cmd"], body["Entrypoint"], body["Env"]) == (["a"], ["b", "c"], ["K=v=w"])
        assert (body["User"], body["WorkingDir"], body["OpenStdin"], body["Tty"]) == ("1:2", "/w", True, True)
        host = body["HostConfig"]
        assert (host["ReadonlyRootfs"], host["Init"], host["CpuShares"]) == (True, True, 262_144)
        assert (host["Memory"], host["MemoryReservation"]) == (64 * 2**20, 6 * 2**20)
        assert (host["CapAdd"], host["CapDrop"]) == (["SYS_PTRACE"], ["NET_RAW"])
        assert host["Sysctls"] == {"net.core.somaxconn": "9"}
        assert containers.with_open_files(body) is body
        assert host["Ulimits"] == [{"Name": "nofile", "Soft": 10, "Hard": 20}]

    @pytest.mark.parametrize(
        ("variables", "words"),
        [
            ({"A": "hu\0sh"}, "environment variable value can't contain null(\\x00): 'A'"),
            ({"A\0": "hush"}, "environment variable value can't contain null(\\x00): 'A\\x00'"),
            ({"": "hush"}, "invalid environment variable: its name is empty"),
        ],
    )
    def test_what_no_variable_can_be_is_refused_without_its_value(self, variables: dict[str, str], words: str) -> None:
        with pytest.raises(StartFailedError) as refusal:
            self.body(environment=Environment(secrets=variables))
        assert str(refusal.value) == words

    def test_open_files_are_fargates_if_not_given(self) -> None:
        body = self.body(ulimits=(Ulimit("core", 0, 0),))
        raised = containers.with_open_files(body)["HostConfig"]["Ulimits"]
        assert raised == [{"Name": "core", "Soft": 0, "Hard": 0}, {"Name": "nofile", "Soft": 65535, "Hard": 65535}]
        assert len(body["HostConfig"]["Ulimits"]) == 1

    @pytest.mark.parametrize(
        ("own", "of_task", "expected"), [(None, 512, 512), (64, 512, 64), (64, 32, 32), (2, None, 6)]
    )
    def test_without_a_parent_the_tasks_limits_are_the_containers(
        self, own: int | None, of_task: int | None, expected: int
    ) -> None:
        host = self.body(ALONE, task=make_task(memory=of_task, cpu=256), memory=own)["HostConfig"]
        assert host["Memory"] == expected * 2**20
        assert host["NanoCpus"] == 250_000_000
        assert "CgroupParent" not in host

    def test_no_more_cores_are_asked_for_than_there_are(self) -> None:
        assert self.body(ALONE, task=make_task(cpu=4096))["HostConfig"]["NanoCpus"] == 2_000_000_000

    def test_our_labels_win(self) -> None:
        task = make_task()
        labels = {
            "team": "blue",
            "com.amazonaws.ecs.cluster": "mine",
            "ecs-emulator.instance": "theirs",
            "ecs-emulator.lock": "/x",
        }
        assert self.body(task=task, labels=labels)["Labels"] == {
            "team": "blue",
            "com.amazonaws.ecs.task-arn": task.arn,
            "com.amazonaws.ecs.container-name": "app",
            "com.amazonaws.ecs.task-definition-family": "web",
            "com.amazonaws.ecs.task-definition-version": "3",
            "com.amazonaws.ecs.cluster": task.cluster_arn,
            "ecs-emulator.instance": "emulator-1",
            "ecs-emulator.role": "container",
        }

    def test_a_name_is_the_same_each_time_and_one_containers_own(self) -> None:
        task = make_task(family="web_2")
        name = containers.name_of(make_container(task, name="my_app-1"))
        assert name == containers.name_of(make_container(task, name="my_app-1"))
        assert name.startswith("ecs-web_2-3-myapp-1-")
        assert len(name.rpartition("-")[2]) == 20
        assert containers.name_of(make_container(task, name="myapp-1")) != name
        assert containers.name_of(make_container(make_task(family="web_2"), name="my_app-1")) != name


class TestNamespaces:
    def test_a_body_fixes_address_name_and_owner(self) -> None:
        task = make_task()
        subnet = Subnet("subnet-1", IPv4Network("10.0.16.0/20"), IPv4Network("10.0.0.0/16"))
        place = namespaces.Place.of(task, subnet)
        owner = Owner("emulator-1", Path("/run/lock"), "here")
        body = namespaces.create_body(place, IPv4Address("10.0.16.5"), "network-id", owner, task.arn)
        assert body["Hostname"] == "ip-10-0-16-5.ec2.internal"
        assert body["HostConfig"]["NetworkMode"] == "network-id"
        assert body["NetworkingConfig"]["EndpointsConfig"] == {
            "network-id": {"IPAMConfig": {"IPv4Address": "10.0.16.5"}, "MacAddress": "02:42:0a:00:10:05"}
        }
        assert body["Labels"] == {
            "ecs-emulator.instance": "emulator-1",
            "ecs-emulator.role": "namespace",
            "ecs-emulator.lock": "/run/lock",
            "ecs-emulator.host": "here",
            "com.amazonaws.ecs.task-arn": task.arn,
            "ecs-emulator.vpc": "10.0.0.0/16",
            "ecs-emulator.address": "10.0.16.5",
        }
        spare = namespaces.create_body(place, IPv4Address("10.0.16.5"), "network-id", owner)
        assert set(body["Labels"]) - set(spare["Labels"]) == {"com.amazonaws.ecs.task-arn"}
        assert {**body, "Labels": None} == {**spare, "Labels": None}

    @pytest.mark.parametrize(
        ("arn", "name"),
        [
            ("arn:aws:ecs:us-east-1:000000000000:task/a_b-c/0f", "ecs-0f-pause.aws.us-east-1.000000000000.a_b-c"),
            ("arn:aws-cn:ecs:cn-north-1:123456789012:task/a/0f", "ecs-0f-pause.aws-cn.cn-north-1.123456789012.a"),
            ("arn:aws:ecs:us-east-1:000000000000:task/0f", "ecs-0f-pause.aws.us-east-1.000000000000"),
        ],
    )
    def test_a_namespaces_name_tells_its_task(self, arn: str, name: str) -> None:
        assert labels.namespace_name(arn) == name
        assert labels.task_of({"ecs-emulator.role": "namespace"}, name) == arn
        assert labels.task_of({"ecs-emulator.role": "namespace"}, f"/{name}") == arn
        assert labels.task_of({"ecs-emulator.role": "container"}, name) is None

    def test_a_spare_ones_name_tells_none(self) -> None:
        name = namespaces.spare_name(IPv4Address("10.0.16.5"), OWNER)
        assert name == "ecs-spare-10-0-16-5-emulator-1"
        assert labels.task_of({"ecs-emulator.role": "namespace"}, name) is None

    def test_a_label_tells_more_than_a_name(self) -> None:
        carried = {"ecs-emulator.role": "namespace", "com.amazonaws.ecs.task-arn": "mine"}
        assert labels.task_of(carried, labels.namespace_name(make_task().arn)) == "mine"

    def test_names_of_other_regions_name_the_region(self) -> None:
        name = private_dns_name("10.0.0.5", "eu-west-1")
        assert name == "ip-10-0-0-5.eu-west-1.compute.internal"

    def test_refusals_are_told_apart(self) -> None:
        assert namespaces.is_address_taken(RefusedError(403, "Address already in use"))
        assert namespaces.is_network_gone(RefusedError(404, "network 0123 not found"))
        assert RefusedError(404, "No such image: a:1").no_such_image
        assert not namespaces.is_network_gone(RefusedError(404, "No such image: a:1"))
        assert RefusedError(409, 'Conflict. The container name "/a" is already in use by container "b".').name_taken


ROUTES = """Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
br-0123456789ab\t00001FAC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
tun0\t0000140A\t00000000\t0001\t0\t0\t0\t0000FCFF\t0\t0\t0
tun1\t00000000\t010200C0\t0003\t0\t0\t0\t00000080\t0\t0\t0
tun1\t00000080\t010200C0\t0003\t0\t0\t0\t00000080\t0\t0\t0
"""


class TestNetworks:
    def test_routes_are_read(self) -> None:
        assert list(routed(ROUTES)) == [
            ("eth0", IPv4Network("192.0.2.0/24")),
            ("br-0123456789ab", IPv4Network("172.31.0.0/16")),
            ("tun0", IPv4Network("10.20.0.0/14")),
        ]

    @pytest.mark.parametrize(
        ("candidates", "free"),
        [
            (["172.31.0.0/16"], "172.31.0.0/16"),  # is a VPC already
            (["172.31.0.0/20", "172.16.0.0/16"], "172.16.0.0/16"),  # a part of one
            (["10.21.0.0/16", "10.24.0.0/16"], "10.24.0.0/16"),  # routed elsewhere
            (["172.17.0.0/16", "172.18.0.0/16"], "172.18.0.0/16"),  # Docker's own
            (["192.0.0.0/16", "172.17.5.0/24"], None),
        ],
    )
    def test_the_first_that_collides_with_nothing(self, candidates: list[str], free: str | None) -> None:
        networks: list[dict[str, Any]] = [
            {"Id": "f" * 64, "Labels": {}, "IPAM": {"Config": [{"Subnet": "172.17.0.0/16"}]}},
            {"Id": "e" * 64, "Labels": None, "IPAM": {"Config": [{"Subnet": "fd00::/64"}]}},
            {"Id": "d" * 64, "Labels": None, "IPAM": {"Config": None}},
            {
                "Id": "0123456789abcdef",
                "Labels": {"ecs-emulator.vpc": "172.31.0.0/16"},
                "IPAM": {"Config": [{"Subnet": "172.31.0.0/16"}]},
            },
        ]
        found = first_free([IPv4Network(each) for each in candidates], networks, ROUTES)
        assert found == (None if free is None else IPv4Network(free))

    @pytest.mark.parametrize("cidr", ["10.0.0.0/16", "172.31.0.0/16", "192.168.7.0/24", "100.64.0.0/16"])
    def test_a_vpc_may_have_what_this_machine_does_not_use(self, cidr: str) -> None:
        assert why_not(IPv4Network(cidr), ROUTES) is None

    @pytest.mark.parametrize("cidr", ["10.21.0.0/16", "10.20.0.0/16", "10.16.0.0/12"])
    def test_a_vpc_may_not_have_what_this_machine_reaches_elsewhere(self, cidr: str) -> None:
        why = why_not(IPv4Network(cidr), ROUTES)
        assert why == "it overlaps with 10.20.0.0/14, which this machine reaches by tun0; use a VPC of another range"

    @pytest.mark.parametrize("cidr", ["8.8.8.0/24", "127.0.0.0/16", "169.254.0.0/16", "192.0.0.0/16", "224.0.0.0/16"])
    def test_a_vpc_may_not_have_what_is_others(self, cidr: str) -> None:
        assert str(why_not(IPv4Network(cidr), ROUTES)).startswith("only private ranges are had by networks here")

    def test_a_machine_without_a_routing_table_has_no_routes(self) -> None:
        assert first_free([IPv4Network("10.0.0.0/16")], [], "") == IPv4Network("10.0.0.0/16")


def inspected(started: str = STARTED, finished: str = CREATED, **given: Any) -> dict[str, Any]:
    state = {"Running": False, "ExitCode": 0, "OOMKilled": False, "StartedAt": started, "FinishedAt": finished}
    labels = {"com.amazonaws.ecs.task-arn": "arn", "com.amazonaws.ecs.container-name": "app"}
    labels |= {"ecs-emulator.role": "container"}
    return {"Id": "id", "Name": "/name", "State": state | given, "Config": {"Labels": labels}}


class TestObserve:
    def test_times_are_whole_milliseconds(self) -> None:
        assert observe.moment(STARTED) == 1767323045.123
        assert observe.moment("2026-01-02T05:04:05.1+02:00") == 1767323045.1
        assert observe.moment(CREATED) is None

    def test_a_failed_start_is_no_exit(self) -> None:
        failed = inspected(started=CREATED, ExitCode=127)
        assert observe.started_of(failed) is None
        assert observe.exit_of(failed) is None
        assert observe.found_in([failed]) == [Found("arn", namespace_alive=False, containers={})]

    def test_an_exit_tells_code_memory_and_time(self) -> None:
        ended = inspected(finished=ENDED, ExitCode=137, OOMKilled=True)
        assert observe.exit_of(ended) == Exit(137, out_of_memory=True, at=1767323046.9)
        assert observe.exit_of(inspected(Running=True)) is None

    def test_nothing_ends_before_it_started(self) -> None:
        ended = observe.exit_of(inspected(finished="2026-01-02T03:04:05.1Z"))
        assert ended is not None
        assert ended.at == 1767323045.123

    def test_what_is_found_is_sorted_by_task(self) -> None:
        alive = inspected(Running=True)
        alive["Config"]["Labels"] |= {"ecs-emulator.role": "namespace"}
        (found,) = observe.found_in([inspected(Running=True), alive])
        assert found == Found("arn", namespace_alive=True, containers={"app": (Started("id", 1767323045.123), None)})

    def test_a_namespace_is_found_by_its_name_alone(self) -> None:
        task = make_task()
        spare = inspected(Running=True)
        spare["Config"]["Labels"] = {"ecs-emulator.role": "namespace"}
        assert observe.found_in([spare]) == []
        taken = {**spare, "Name": f"/{labels.namespace_name(task.arn)}"}
        assert observe.found_in([spare, taken]) == [Found(task.arn, namespace_alive=True, containers={})]

    def test_an_event_alone_tells_the_code(self) -> None:
        event = {"timeNano": 1767323045123456789, "Actor": {"Attributes": {"exitCode": "3"}}}
        assert observe.exit_in(event) == Exit(3, out_of_memory=False, at=1767323045.123)
        assert observe.exit_in({"timeNano": 10**18, "Actor": {"Attributes": {}}}).code is None


MOUNTS = """31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:7 - cgroup cgroup rw,memory
36 31 0:33 /docker/0123 /sys/fs/cgroup/devices ro - cgroup cgroup rw,devices
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
"""


class TestCgroups:
    def test_hierarchies_are_found_where_they_are_mounted(self) -> None:
        assert cgroups.hierarchies(MOUNTS) == {
            "cpu": Path("/sys/fs/cgroup/cpu,cpuacct"),
            "cpuacct": Path("/sys/fs/cgroup/cpu,cpuacct"),
            "memory": Path("/sys/fs/cgroup/memory"),
            "name=systemd": Path("/sys/fs/cgroup/systemd"),
            "/sys/fs/cgroup/unified": Path("/sys/fs/cgroup/unified"),
        }

    def test_a_tasks_cgroup_is_in_every_hierarchy(self, tmp_path: Path) -> None:
        groups = TaskCgroups({"cpu": tmp_path / "cpu", "memory": tmp_path / "memory", "devices": tmp_path / "devices"})
        for _ in range(2):
            groups.make("0123", cpu=256, memory=512)
        files = {str(file.relative_to(tmp_path)): file.read_text() for file in tmp_path.rglob("*") if file.is_file()}
        assert files == {
            "cpu/ecs/0123/cpu.cfs_period_us": "100000",
            "cpu/ecs/0123/cpu.cfs_quota_us": "25000",
            "memory/ecs/0123/memory.limit_in_bytes": "536870912",
        }
        for file in files:
            (tmp_path / file).unlink()  # in a real cgroup they go with their folder
        groups.make("4567", cpu=None, memory=None)
        groups.remove("0123")
        groups.remove("0123")
        assert sorted(str(each.relative_to(tmp_path)) for each in tmp_path.rglob("4567")) == [
            "cpu/ecs/4567",
            "devices/ecs/4567",
            "memory/ecs/4567",
        ]
        groups.remove("4567")
        assert list(tmp_path.rglob("ecs")) == []

    @pytest.mark.parametrize(
        "info",
        [
            {"Name": "another-machine", "CgroupVersion": "1", "CgroupDriver": "cgroupfs"},
            {"CgroupVersion": "2", "CgroupDriver": "systemd"},
        ],
    )
    def test_out_of_reach_each_container_is_limited(self, info: dict[str, str]) -> None:
        limits = TaskLimits(Engine("unix:///nowhere"))
        limits.decide({"NCPU": 4, **info})
        assert limits.way == "per container"
        limits.make("0123", cpu=256, memory=512)
        assert limits.bounds("0123") == Bounds(None, 4)
        limits.remove("0123")

    def test_a_daemon_elsewhere_is_out_of_reach(self) -> None:
        limits = TaskLimits(Engine("tcp://192.0.2.1:2375"))
        limits.decide({"NCPU": 4, "CgroupVersion": "1", "CgroupDriver": "cgroupfs"})
        assert limits.way == "per container"
