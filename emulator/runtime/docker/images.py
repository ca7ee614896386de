"""Images: what the daemon has, and fetching what it has not."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from emulator.planner.images import read_ecr_name, split_name
from emulator.planner.specs import PullPolicy
from emulator.runtime.docker.engine import CONNECT_TIMEOUT, Engine, RefusedError
from emulator.runtime.driver import DriverUnreachableError, Login, PullFailedError, PullProblem

if TYPE_CHECKING:
    from requests import Response

SILENCE_LIMIT = 60
"""Seconds in which a pull must show some progress; also the first."""
TOTAL_LIMIT = 1800
"""Seconds that a pull may take, progress or not."""

SIGNS: tuple[tuple[PullProblem, tuple[str, ...]], ...] = (
    ("wrong-platform", ("no matching manifest", "does not match the specified platform", "no match for platform")),
    (
        "denied",
        ("pull access denied", "unauthorized", "authentication required", "no basic auth", "denied", "403 forbidden"),
    ),
    ("not-found", ("manifest unknown", "not found", "no such image", "name unknown", "does not exist")),
    (
        "unreachable",
        (
            "dial tcp",
            "no such host",
            "connection refused",
            "connection reset",
            "timeout",
            "timed out",
            "deadline exceeded",
            "request canceled",
            "network is unreachable",
            "no route to host",
            "server misbehaving",
        ),
    ),
)
"""What an engine's words mean, first match first: a platform that is missing is "not found" too, a repository that one
may not see "does not exist", and an address that nobody answers at is no missing image."""


def problem_of(words: str) -> PullProblem:
    """What kind of failure the engine's or the registry's words describe."""
    lower = words.lower()
    return next((problem for problem, signs in SIGNS if any(sign in lower for sign in signs)), "other")


def local_names(image: str) -> list[str]:
    """The names under which an image may be on the daemon: its own; an ECR image's also without the registry."""
    ecr = read_ecr_name(image)
    return [image] if ecr is None else [image, ecr.short]


def digest_of(image: str, inspected: Mapping[str, Any]) -> str:
    """The digest by which a registry knows the image (of this reference's repository first); else the image's id."""
    digests = [str(each) for each in inspected.get("RepoDigests") or [] if "@" in each]
    of_ours = [
        each for each in digests if each.partition("@")[0] in [split_name(name)[0] for name in local_names(image)]
    ]
    for each in [*of_ours, *digests]:
        return each.partition("@")[2]
    return str(inspected["Id"])


class Images:
    """The images of one daemon. Remembers what was pulled under which name, for the containers that start next."""

    def __init__(
        self, engine: Engine, *, silence_limit: float = SILENCE_LIMIT, total_limit: float = TOTAL_LIMIT
    ) -> None:
        self._engine = engine
        self._silence_limit = silence_limit
        self._total_limit = total_limit
        self._ids: dict[str, str] = {}

    def pull(self, image: str, policy: PullPolicy, login: Login | None = None) -> str:
        """As Driver.pull."""
        found = None if policy == "always" else self._find(local_names(image))
        if found is None:
            if policy == "never":
                raise PullFailedError("not-found", f"{image} is not on this machine, and the pull policy is 'never'")
            self._fetch(image, login)
            found = self._find([image])
        if found is None:
            raise PullFailedError("other", f"the engine pulled {image} and does not have it")
        self._ids[image] = str(found["Id"])
        return digest_of(image, found)

    def id_of(self, image: str) -> str:
        """What a container of this image is to be created with: the id that was pulled last, else the name itself."""
        return self._ids.get(image, image)

    def look_again(self, image: str) -> str | None:
        """The id of the image that the daemon has now under this name. Raises DriverUnreachableError."""
        try:
            found = self._find(local_names(image))
        except PullFailedError:
            return None
        if found is None:
            return None
        self._ids[image] = str(found["Id"])
        return self._ids[image]

    def _find(self, names: list[str]) -> Mapping[str, Any] | None:
        for name in names:
            try:
                return self._engine.inspect_image(name)
            except RefusedError as refusal:
                if refusal.status != 404:  # the name itself is refused
                    raise PullFailedError("other", refusal.words) from refusal
        return None

    def _fetch(self, image: str, login: Login | None) -> None:
        """Have the engine pull an image. Out of reach of ECR's registries, what is not here is nowhere."""
        try:
            self._ask_registry(image, login)
        except PullFailedError as error:
            if error.problem != "unreachable" or read_ecr_name(image) is None:
                raise
            raise PullFailedError("not-found", f"{image} is not on this machine, and {error.detail}") from error

    def _ask_registry(self, image: str, login: Login | None) -> None:
        repository, tag = split_name(image)
        try:
            with self._engine.asking() as api:
                # Not api.pull: it waits for ever. A time limit here is one of silence, from the first byte on.
                answer = api.post(
                    f"{api.base_url}/v{api.api_version}/images/create",
                    params={"fromImage": repository, "tag": tag},
                    headers=_authorization(login),
                    stream=True,
                    timeout=(CONNECT_TIMEOUT, self._silence_limit),
                )
                with answer:
                    self._follow(answer, image)
        except DriverUnreachableError as error:
            self._engine.ping(CONNECT_TIMEOUT)  # if it answers, it was the registry that did not
            detail = f"nothing was heard of {image} for {self._silence_limit:g} s ({error})"
            raise PullFailedError("unreachable", detail) from error

    def _follow(self, answer: Response, image: str) -> None:
        """Read a pull's progress to its end. Raises PullFailedError."""
        expired = threading.Event()
        timer = threading.Timer(self._total_limit, expired.set)
        timer.daemon = True
        timer.start()
        try:
            for line in answer.iter_lines():
                message = json.loads(line) if line else {}
                words = message.get("error") or (message.get("message") if not answer.ok else None)
                if words:
                    raise PullFailedError(problem_of(str(words)), str(words))
                if expired.is_set():
                    raise PullFailedError("unreachable", f"{image} was not there after {self._total_limit:g} s")
        finally:
            timer.cancel()
        if not answer.ok:
            raise PullFailedError("other", f"the engine answered with status {answer.status_code} and no words")


def _authorization(login: Login | None) -> dict[str, str]:
    """The header in which the engine takes a login for its registry."""
    if login is None:
        return {}
    content = json.dumps({"username": login.username, "password": login.password}).encode()
    return {"X-Registry-Auth": base64.urlsafe_b64encode(content).decode()}
