"""A small image made from this machine's static busybox, for tests and for trying things out; no registry is asked.

The same busybox gives the same bytes and so the same image id: making it again, or twice at once, changes nothing.
"""

import hashlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import docker

DEFAULT_NAME = "local/busybox:1"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
FOLDERS = {"bin": 0o755, "etc": 0o755, "root": 0o700, "tmp": 0o1777, "usr": 0o755, "usr/bin": 0o755}
FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
}


class NoStaticBusyboxError(Exception):
    def __init__(self) -> None:
        super().__init__("no static busybox on this machine; on Debian and Ubuntu: apt-get install busybox-static")


def static_busybox() -> str:
    """Where it is. A dynamic one would not start in an image that has no libraries."""
    path = shutil.which("busybox", path="/usr/local/bin:/usr/bin:/bin")
    if path and "=>" not in subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout:
        return path
    raise NoStaticBusyboxError


def archive_entry(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    """An entry of root's, dated 1970 as tarfile does: the same bytes each time."""
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = kind, mode
    return entry


def add_file(tar: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644) -> None:
    entry = archive_entry(name, tarfile.REGTYPE, mode)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))


def _add_link(tar: tarfile.TarFile, name: str, target: str) -> None:
    entry = archive_entry(name, tarfile.SYMTYPE, 0o777)
    entry.linkname = target
    tar.addfile(entry)


@cache
def busybox_layer() -> bytes:
    """The image's only layer, a tar: busybox, a link for each of its tools, /tmp, root and nobody."""
    path = static_busybox()
    tools = subprocess.run([path, "--list"], capture_output=True, text=True, check=True).stdout.split()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for folder, mode in FOLDERS.items():
            tar.addfile(archive_entry(folder, tarfile.DIRTYPE, mode))
        for name, text in FILES.items():
            add_file(tar, name, text.encode())
        add_file(tar, "bin/busybox", Path(path).read_bytes(), 0o755)
        for tool in sorted(set(tools) - {"busybox"}):
            _add_link(tar, f"bin/{tool}", "busybox")
        _add_link(tar, "usr/bin/env", "/bin/busybox")
    return buffer.getvalue()


def image_config(layer: bytes, architecture: str, given: Mapping[str, object]) -> bytes:
    """The image's configuration; `given` adds to what its containers do by default (StopSignal and so on)."""
    return json.dumps(
        {
            "architecture": architecture,
            "os": "linux",
            "created": "1970-01-01T00:00:00Z",
            "config": {"Env": [f"PATH={PATH}"], "Cmd": ["sh"], **given},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
            "history": [{"created": "1970-01-01T00:00:00Z", "comment": "from the static busybox of this machine"}],
        }
    ).encode()


def image_archive(layer: bytes, name: str, config: bytes) -> bytes:
    """What `docker save` would have written. Unlike `docker import`, loading it gives no new id each time."""
    config_name = f"{hashlib.sha256(config).hexdigest()}.json"
    manifest = [{"Config": config_name, "RepoTags": [name], "Layers": ["layer.tar"]}]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        add_file(tar, "layer.tar", layer)
        add_file(tar, config_name, config)
        add_file(tar, "manifest.json", json.dumps(manifest).encode())
    return buffer.getvalue()


def import_busybox(client: docker.APIClient, name: str = DEFAULT_NAME, **given: object) -> str:
    """Make the image under this name and return the name, with `:latest` added where it has no tag."""
    if ":" not in name.rpartition("/")[2]:
        name += ":latest"
    layer = busybox_layer()
    config = image_config(layer, client.version()["Arch"], given)
    for message in client.load_image(image_archive(layer, name, config)):
        if "error" in message:
            raise docker.errors.ImageLoadError(message["error"])
    return name


def main(arguments: list[str]) -> int:
    if len(arguments) > 1 or any(argument.startswith("-") for argument in arguments):
        sys.stderr.write(f"usage: scripts/busybox-image [NAME[:TAG]]  (by default {DEFAULT_NAME})\n")
        return 2
    try:
        name = import_busybox(docker.from_env().api, *arguments)
    except (docker.errors.DockerException, NoStaticBusyboxError) as error:
        sys.stderr.write(f"scripts/busybox-image: {error}\n")
        return 1
    sys.stdout.write(f"{name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
