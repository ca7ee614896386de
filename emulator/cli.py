"""The command `ecs-emulator`."""

from __future__ import annotations

import gc
import logging
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import click

from emulator import config

DEFAULTS = config.Config()


class Endpoint(click.ParamType[tuple[str, str]]):
    """`NAME=URL`, as a pair."""

    name = "NAME=URL"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Take it apart, or say what is wrong with it."""
        if isinstance(value, tuple):
            return value
        name, _, url = str(value).partition("=")
        parts = urlsplit(url)
        if not name or parts.scheme not in {"http", "https"} or not parts.hostname:
            self.fail(f"{value!r} is not NAME=URL, such as s3=http://127.0.0.1:9000.", param, ctx)
        if name == "ecs":
            self.fail("ECS itself is served here; name another service.", param, ctx)
        return name, url


@click.group()
@click.version_option(package_name="ecs-emulator")
def main() -> None:
    """A local Amazon ECS and Fargate."""


@main.command(context_settings={"show_default": True})
@click.option(
    "--host", default=DEFAULTS.host, envvar="ECS_EMULATOR_HOST", help="Address to listen on.", show_envvar=True
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=DEFAULTS.port,
    envvar="ECS_EMULATOR_PORT",
    help="Port to listen on; 0 takes any free one.",
    show_envvar=True,
)
@click.option(
    "--state-dir",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="ECS_EMULATOR_STATE_DIR",
    help="Folder that keeps everything over a restart.",
    show_default="$XDG_STATE_HOME/ecs-emulator/<port>",
    show_envvar=True,
)
@click.option(
    "--ephemeral",
    is_flag=True,
    envvar="ECS_EMULATOR_EPHEMERAL",
    help="Keep nothing, and remove every container at the end.",
    show_envvar=True,
)
@click.option(
    "--runtime",
    type=click.Choice(["auto", "docker", "simulated"]),
    default=DEFAULTS.runtime,
    envvar="ECS_EMULATOR_RUNTIME",
    help="What runs containers. auto: Docker when a daemon answers, else simulated.",
    show_envvar=True,
)
@click.option(
    "--pull",
    type=click.Choice(["always", "missing", "never"]),
    default=DEFAULTS.pull,
    envvar="ECS_EMULATOR_PULL",
    help="When images are asked of their registry.",
    show_envvar=True,
)
@click.option(
    "--pool",
    type=click.IntRange(0, 100),
    default=DEFAULTS.pool,
    envvar="ECS_EMULATOR_POOL",
    help="How many network namespaces to keep ready in each subnet that tasks were started in of late; 0 keeps none.",
    show_envvar=True,
)
@click.option(
    "--region",
    default=DEFAULTS.region,
    envvar="ECS_EMULATOR_REGION",
    help="Region of requests that name none.",
    show_envvar=True,
)
@click.option(
    "--neighbours",
    type=click.Choice(["embedded", "none"]),
    default=DEFAULTS.neighbours,
    envvar="ECS_EMULATOR_NEIGHBOURS",
    help="Who answers for the other AWS services: this process, or nobody.",
    show_envvar=True,
)
@click.option(
    "--neighbour",
    "endpoints",
    type=Endpoint(),
    multiple=True,
    envvar="ECS_EMULATOR_NEIGHBOUR",
    help="Have a service, by its name in signatures such as logs or s3, answered at this URL: NAME=URL (repeatable).",
    show_envvar=True,
)
@click.option(
    "--enforce-iam",
    is_flag=True,
    envvar="ECS_EMULATOR_ENFORCE_IAM",
    help="Have ECS's operations obey the IAM policies of users and roles.",
    show_envvar=True,
)
@click.option(
    "--allow-host",
    "allow_hosts",
    multiple=True,
    envvar="ECS_EMULATOR_ALLOW_HOST",
    help="Serve requests for this host name too (repeatable).",
    show_envvar=True,
)
@click.option(
    "--allow-origin",
    "allow_origins",
    multiple=True,
    envvar="ECS_EMULATOR_ALLOW_ORIGIN",
    help="Let web pages of this origin call (repeatable).",
    show_envvar=True,
)
def serve(*, port: int, state_dir: Path | None, ephemeral: bool, **options: Any) -> None:
    """Run the emulator in the foreground until it gets SIGTERM or Ctrl-C."""
    if ephemeral and state_dir is not None:
        raise click.UsageError("--ephemeral keeps nothing, --state-dir keeps everything: choose one.")
    elsewhere = {name for name, _ in options["endpoints"]} & {"iam", "sts"}
    if options["enforce_iam"] and (elsewhere or options["neighbours"] == "none"):
        raise click.UsageError("--enforce-iam asks the IAM in this process: let it answer iam and sts.")
    if not ephemeral and state_dir is None:
        state_dir = config.default_state_dir(port)
    settings = config.Config(port=port, state_dir=state_dir, docker_host=config.docker_host(), **options)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.WARNING)
    run(settings)


def run(settings: config.Config) -> None:
    """Serve until a signal ends it."""
    gc.disable()  # nothing that start-up makes is garbage
    from emulator.app import Emulator, NoRuntimeError
    from emulator.edge.server import Edge, PortInUseError, listen
    from emulator.edge.server import serve as serve_edge
    from emulator.state.folder import FolderInUseError
    from emulator.state.sqlite import StateFileError

    try:
        listener = listen(settings.host, settings.port)
    except PortInUseError as error:
        _give_up(str(error))
    except OSError as error:
        _give_up(f"Cannot listen on {settings.host}: {error.strerror or error}.")
    try:
        # What tasks are told is the port that was found.
        emulator = Emulator(replace(settings, port=listener.getsockname()[1]))
    except (NoRuntimeError, FolderInUseError, StateFileError) as error:
        _give_up(str(error))
    except OSError as error:
        _give_up(
            f"Cannot keep state in {settings.state_dir}: {error.strerror or error}. Choose --state-dir or --ephemeral."
        )

    def ready(host: str, port: int) -> None:
        shown = f"[{host}]" if ":" in host else host
        click.echo(
            f"ecs-emulator ready at http://{shown}:{port} (runtime: {emulator.driver.name}, state: {emulator.state})"
        )
        _settle_memory()

    serve_edge(Edge(emulator.parts), [listener], ready=ready)


def _settle_memory() -> None:
    """What start-up made stays for good, so the collector need not look at it again: pauses become a tenth."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    gc.enable()


def _give_up(message: str) -> NoReturn:
    click.echo(f"ecs-emulator: {message}", err=True)
    sys.exit(1)
