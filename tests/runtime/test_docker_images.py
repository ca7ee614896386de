"""Getting images: what the daemon has, what a registry has, and what goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import docker
import pytest

from emulator.planner.images import split_name
from emulator.planner.specs import PullPolicy
from emulator.runtime.docker import DockerDriver
from emulator.runtime.docker.engine import Engine, RefusedError
from emulator.runtime.docker.images import Images, digest_of, local_names, problem_of
from emulator.runtime.driver import Login, PullFailedError
from tests.runtime.docker_registry import Registry, digest
from tests.runtime.docker_world import SUBNET, MakeDriver, Recorder, image_name, make_container, make_task

pytest_plugins = ["tests.runtime.docker_fixtures"]
daemon = pytest.mark.docker

ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("manifest for nginx:nope not found: manifest unknown: manifest unknown", "not-found"),
        ("No such image: x:1", "not-found"),
        (
            "pull access denied for x, repository does not exist or may require 'docker login': denied: requested a",
            "denied",
        ),
        ('Head "https://r.io/v2/x/manifests/1": unauthorized: authentication required', "denied"),
        ("no matching manifest for linux/arm64/v8 in the manifest list entries", "wrong-platform"),
        ("no match for platform in manifest: not found", "wrong-platform"),
        (
            "image with reference x was found but does not match the specified platform: wanted linux/arm64",
            "wrong-platform",
        ),
        ('Get "https://registry-1.docker.io/v2/": dial tcp: lookup r.io on 10.0.0.2:53: no such host', "unreachable"),
        ('Get "http://127.0.0.1:5999/v2/": dial tcp 127.0.0.1:5999: connect: connection refused', "unreachable"),
        ('Get "https://r.io/v2/": net/http: request canceled while waiting for connection', "unreachable"),
        ('Get "https://r.io/v2/": net/http: TLS handshake timeout', "unreachable"),
        ("toomanyrequests: You have reached your pull rate limit", "other"),
        ("invalid reference format: repository name must be lowercase", "other"),
    ],
)
def test_words_are_sorted_into_problems(words: str, problem: str) -> None:
    assert problem_of(words) == problem


@pytest.mark.parametrize(
    ("image", "parts"),
    [
        ("busybox", ("busybox", "latest")),
        ("busybox:1", ("busybox", "1")),
        ("127.0.0.1:5000/a/b", ("127.0.0.1:5000/a/b", "latest")),
        ("127.0.0.1:5000/a/b:c", ("127.0.0.1:5000/a/b", "c")),
        ("r.io/a@sha256:00", ("r.io/a", "sha256:00")),
        ("r.io/a:1@sha256:00", ("r.io/a", "sha256:00")),
    ],
)
def test_a_name_has_a_repository_and_a_tag_or_digest(image: str, parts: tuple[str, str]) -> None:
    assert split_name(image) == parts


def test_an_ecr_image_may_be_here_without_its_registry() -> None:
    assert local_names(f"{ECR}/team/app:7") == [f"{ECR}/team/app:7", "team/app:7"]
    assert local_names("public.ecr.aws/nginx:1") == ["public.ecr.aws/nginx:1"]


def test_the_digest_is_the_repositorys_own() -> None:
    inspected: dict[str, Any] = {"Id": "sha256:id", "RepoDigests": ["a@sha256:1", "b@sha256:2"]}
    assert digest_of("b:latest", inspected) == "sha256:2"
    assert digest_of(f"{ECR}/b:latest", inspected) == "sha256:2"
    assert digest_of("c", inspected) == "sha256:1"
    assert digest_of("c", {"Id": "sha256:id", "RepoDigests": None}) == "sha256:id"


class Empty(Engine):
    """A daemon without images."""

    def inspect_image(self, image: str) -> dict[str, Any]:
        raise RefusedError(404, f"No such image: {image}")


class Offline(Images):
    """What has no way to any registry."""

    def _ask_registry(self, image: str, login: Login | None) -> None:
        raise PullFailedError("unreachable", "dial tcp: lookup: no such host")


@pytest.mark.parametrize(("image", "problem"), [(f"{ECR}/app:1", "not-found"), ("r.io/app:1", "unreachable")])
def test_an_ecr_image_whose_registry_is_out_of_reach_is_not_there(image: str, problem: str) -> None:
    with pytest.raises(PullFailedError) as failure:
        Offline(Empty(None)).pull(image, "missing")
    assert failure.value.problem == problem
    assert "no such host" in failure.value.detail


@pytest.fixture
def registry(api: docker.APIClient) -> Iterator[Registry]:
    registry = Registry(api.version()["Arch"])
    yield registry
    registry.close()
    with suppress(docker.errors.ImageNotFound):
        api.remove_image(f"{registry.host}/good/app:1", force=True)


@daemon
def test_an_image_that_is_here_is_not_asked_for(driver: DockerDriver, api: docker.APIClient) -> None:
    expected = api.images(name=image_name())[0]["Id"]
    assert driver.pull(image_name(), "missing") == expected
    assert driver.pull(image_name(), "never") == expected
    assert driver.pull(image_name(), "missing") == expected


@daemon
def test_an_ecr_image_runs_from_its_local_name(
    watched: DockerDriver, recorder: Recorder, api: docker.APIClient
) -> None:
    expected = api.images(name=image_name())[0]["Id"]
    ecr_name, task = f"{ECR}/{image_name()}", make_task()
    assert watched.pull(ecr_name, "missing") == expected
    namespace = watched.prepare(task, SUBNET)
    watched.start(make_container(task, "true", image=ecr_name), namespace)
    assert recorder.exit_of(task).code == 0


@daemon
def test_an_ecr_image_runs_though_an_earlier_process_pulled_it(
    make_driver: MakeDriver, image: str, api: docker.APIClient
) -> None:
    driver, task = make_driver(), make_task()
    namespace = driver.prepare(task, SUBNET)
    started = driver.start(make_container(task, "true", image=f"{ECR}/{image}"), namespace)
    assert api.wait(started.runtime_id)["StatusCode"] == 0


@daemon
def test_an_image_is_pulled_and_runs(watched: DockerDriver, recorder: Recorder, registry: Registry) -> None:
    image, task = f"{registry.host}/good/app:1", make_task()
    expected = digest(registry.manifest)
    with pytest.raises(PullFailedError) as never:
        watched.pull(image, "never")
    assert never.value.problem == "not-found"
    assert watched.pull(image, "missing") == expected
    assert watched.pull(image, "always") == expected
    namespace = watched.prepare(task, SUBNET)
    watched.start(make_container(task, "true", image=image), namespace)
    assert recorder.exit_of(task).code == 0
    watched.remove(task.arn)

    registry.close()
    assert watched.pull(image, "missing") == expected
    with pytest.raises(PullFailedError) as always:
        watched.pull(image, "always")
    assert always.value.problem == "unreachable"


@daemon
@pytest.mark.parametrize(
    ("repository", "problem", "words"),
    [
        ("unknown", "not-found", "manifest unknown"),
        ("private", "denied", ""),
        ("foreign", "wrong-platform", "no matching manifest for linux/"),
        ("BAD", "other", "invalid reference format"),
    ],
)
def test_a_registry_says_no(
    driver: DockerDriver, registry: Registry, repository: str, problem: str, words: str
) -> None:
    policies: tuple[PullPolicy, ...] = ("missing", "always")
    for policy in policies:
        with pytest.raises(PullFailedError) as failure:
            driver.pull(f"{registry.host}/{repository}/app:1", policy)
        assert failure.value.problem == problem
        assert words in failure.value.detail


@daemon
@pytest.mark.parametrize("policy", ["missing", "always"])
def test_a_private_registry_wants_the_right_login(
    driver: DockerDriver, api: docker.APIClient, policy: PullPolicy
) -> None:
    registry = Registry(api.version()["Arch"], login=("me@example.org", "hush:ü?>"))
    image = f"{registry.host}/good/app:1"
    try:
        for login in (None, Login("me@example.org", "wrong"), Login("", "")):
            with pytest.raises(PullFailedError) as failure:
                driver.pull(image, policy, login)
            assert failure.value.problem == "denied"
            assert "wrong" not in str(failure.value)
        assert driver.pull(image, policy, Login("me@example.org", "hush:ü?>")) == digest(registry.manifest)
    finally:
        registry.close()
        with suppress(docker.errors.ImageNotFound):
            api.remove_image(image, force=True)


@daemon
def test_a_host_without_a_registry_is_unreachable(driver: DockerDriver) -> None:
    with pytest.raises(PullFailedError) as failure:
        driver.pull("registry.invalid/app:1", "missing")
    assert failure.value.problem == "unreachable"


@daemon
def test_a_registry_that_says_nothing_is_given_up(registry: Registry) -> None:
    engine = Engine(None)
    images = Images(engine, silence_limit=0.5)
    with pytest.raises(PullFailedError, match=r"nothing was heard of .* for 0\.5 s") as failure:
        images.pull(f"{registry.host}/mute/app:1", "missing")
    assert failure.value.problem == "unreachable"
    engine.close()
