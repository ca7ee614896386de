"""An image with Python, boto3 and, if wanted, the AWS CLI, made of what this test runs with; no registry is asked.

Its label has a digest of what it is made of, so that it is made once for as long as that stays the same.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import io
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import docker

from tests.images import add_file, archive_entry, busybox_layer, image_archive, image_config

NAME = "local/python-aws:1"
CLI_NAME = "local/aws-cli:1"
LABEL = "ecs-emulator-test.made-of"
RECIPE = b"1"
"""Changes with what this module makes of the same files."""

PYTHON = "opt/python/bin/python"
LIBRARY = f"opt/python/lib/python{sys.version_info.major}.{sys.version_info.minor}"
AWS = b"#!/opt/python/bin/python\nimport sys\nfrom awscli.clidriver import main\nsys.exit(main())\n"

SERVICES = "ec2|ecr|ecs|elbv2|events|iam|logs|s3|secretsmanager|servicediscovery|sqs|ssm|sts"
"""Whose models are in the image; those of all services are ten times as large."""
LEFT_OUT = re.compile(
    r"(^|.*/)(__pycache__|tests?|idlelib|tkinter|turtledemo|lib2to3|ensurepip|pydoc_data|site-packages|config-[^/]*)/.*"
    r"|lib-dynload/(_test|_ctypes_test|_tkinter|_curses|_dbm|_gdbm|nis|readline|xxlimited).*"
    r"|awscli/(examples|topics)/.*"
    rf"|(awscli/)?botocore/data/(?!({SERVICES})/)[^/]+/.*"
    r"|\.\./.*"
)
"""Paths below the standard library and below the packages."""

ELF = b"\x7fELF"
Files = Mapping[str, bytes]
"""Content by path."""


def import_python(client: docker.APIClient, *, cli: bool = False) -> str:
    """Make the image if it is not there, and return its name. With `cli` it has the command `aws`."""
    name = CLI_NAME if cli else NAME
    sources = {PYTHON: Path(sys.executable).resolve()}
    sources |= {f"{LIBRARY}/{inside}": path for inside, path in _modules("awscli" if cli else "boto3")}
    digest = _digest(sources)
    former = _former(client, name)
    if former is not None and former[1] == digest:
        return name
    files = {path: source.read_bytes() for path, source in sources.items()}
    files |= {path: source.read_bytes() for path, source in _shared_libraries(sources.values())}
    files |= _compiled(files)
    layer = _layer({**files, **_command()} if cli else files)
    given = {"Env": ["PATH=/opt/python/bin:/bin:/usr/bin"], "Labels": {LABEL: digest}}
    config = image_config(layer, client.version()["Arch"], given)
    for message in client.load_image(image_archive(layer, name, config)):
        if "error" in message:
            raise docker.errors.ImageLoadError(message["error"])
    if former is not None:
        with suppress(docker.errors.APIError):  # somebody runs it, or has removed it
            client.remove_image(former[0])
    return name


def _former(client: docker.APIClient, name: str) -> tuple[str, str | None] | None:
    """The id of the image that has the name, and what that was made of."""
    try:
        found: dict[str, Any] = client.inspect_image(name)
    except docker.errors.ImageNotFound:
        return None
    return found["Id"], (found["Config"]["Labels"] or {}).get(LABEL)


def _digest(sources: Mapping[str, Path]) -> str:
    """What these files are, by their sizes and dates: to read them all takes seconds."""
    digest = hashlib.sha256(RECIPE)
    for path, source in sorted(sources.items()):
        found = source.stat()
        digest.update(f"{path} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _modules(package: str) -> Iterator[tuple[str, Path]]:
    """The standard library, and a package with all that it needs."""
    for inside, path in (*_standard_library(), *_packages(package)):
        if not LEFT_OUT.fullmatch(inside.removeprefix("site-packages/")) and path.is_file():
            yield inside, path


def _standard_library() -> Iterator[tuple[str, Path]]:
    root = Path(os.__file__).parent
    for path in root.rglob("*"):
        inside = path.relative_to(root)
        if inside.parts[0] != "site-packages":
            yield inside.as_posix(), path


def _packages(package: str) -> Iterator[tuple[str, Path]]:
    known, wanted = set(), [package]
    while wanted:
        name = wanted.pop()
        if name not in known:
            known.add(name)
            requirements = [each for each in importlib.metadata.requires(name) or () if "extra ==" not in each]
            wanted += [re.split(r"[^A-Za-z0-9._-]", each)[0] for each in requirements]
            for file in importlib.metadata.files(name) or ():
                yield f"site-packages/{file}", Path(str(file.locate()))


def _shared_libraries(files: Iterable[Path]) -> Iterator[tuple[str, Path]]:
    """The loader where programs look for it, and all others beside C's own, where it finds them without being told."""
    binaries = [path for path in files if path.suffix != ".py" and path.read_bytes().startswith(ELF)]
    listed = subprocess.run(["ldd", *map(str, binaries)], capture_output=True, text=True, check=True).stdout
    libraries = {Path(path) for path in re.findall(r"=> (/\S+)", listed)}
    (folder,) = {path.parent for path in libraries if path.name.startswith("libc.so.")}
    for path in libraries:
        yield f"{folder / path.name}".lstrip("/"), path
    for loader in set(re.findall(r"^\s*(/\S+)", listed, re.MULTILINE)) - {f"{each}:" for each in binaries}:
        yield loader.lstrip("/"), Path(loader)


def _compiled(files: Files) -> Files:
    """The bytecode of all modules, good whatever the date of their sources is."""
    with tempfile.TemporaryDirectory() as folder:
        for path, content in files.items():
            if path.endswith(".py"):
                source = Path(folder, path)
                source.parent.mkdir(parents=True, exist_ok=True)
                source.write_bytes(content)
        compiling = [sys.executable, "-m", "compileall", "-qq", "-j0", "--invalidation-mode", "unchecked-hash"]
        subprocess.run([*compiling, "-s", folder, "-p", "/", folder], check=True, env={"PYTHONHASHSEED": "0"})
        return {str(path.relative_to(folder)): path.read_bytes() for path in Path(folder).rglob("*.pyc")}


def _command() -> Files:
    """The command `aws`, and the names of the services whose models are left out: some it wants to have seen."""
    data = Path(str(importlib.metadata.distribution("awscli").locate_file("awscli/botocore/data")))
    names = {path.parent.relative_to(data) for path in data.glob("*/*/service-2.json*")}
    others = [name for name in names if not re.fullmatch(SERVICES, name.parts[0])]
    return {
        "opt/python/bin/aws": AWS,
        **{f"{LIBRARY}/site-packages/awscli/botocore/data/{name}/service-2.json": b"{}" for name in others},
    }


def _layer(files: Files) -> bytes:
    """One layer: what is in the busybox image, and these files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        with tarfile.open(fileobj=io.BytesIO(busybox_layer())) as busybox:
            for member in busybox:
                tar.addfile(member, busybox.extractfile(member) if member.isfile() else None)
        folders = {str(parent) for path in files for parent in Path(path).parents} - {".", "bin", "usr", "usr/bin"}
        for folder in sorted(folders):
            tar.addfile(archive_entry(folder, tarfile.DIRTYPE, 0o755))
        for path, content in sorted(files.items()):
            add_file(tar, path, content, 0o755 if content.startswith((ELF, b"#!/opt")) else 0o644)
    return buffer.getvalue()


if __name__ == "__main__":
    sys.stdout.write(f"{import_python(docker.APIClient(), cli='--cli' in sys.argv)}\n")
