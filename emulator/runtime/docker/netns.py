"""What is done inside of another process's network namespace, from outside. Linux only; needs root.

A few system calls of our own: the library that has them all takes a tenth of a second and 20 MiB to import [tried].
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import subprocess
from ipaddress import IPv4Address
from pathlib import Path

CLONE_NEWNET = 0x40000000
"""For setns(2): it is a network namespace."""
OWN = Path("/proc/thread-self/ns/net")
LOOPBACK = b"lo"
LOOPBACK_INDEX = 1
"""The loopback device is the first one that a namespace has."""
BACKLOG = 128
"""Connections that wait to be taken up, as may be while the emulator is away."""
PATIENCE = 10
"""Seconds that the firewall's tool may take."""

RTM_NEWADDR = 20
NLM_F_REQUEST, NLM_F_ACK, NLM_F_EXCL, NLM_F_CREATE = 0x1, 0x4, 0x200, 0x400
IFA_ADDRESS, IFA_LOCAL = 1, 2
RT_SCOPE_LINK = 253
NLMSGHDR = struct.Struct("=IHHII")
"""Length, type, flags, number, port (netlink(7))."""
IFADDRMSG = struct.Struct("=BBBBI")
"""Family, prefix length, flags, scope, device (rtnetlink(7))."""
RTATTR = struct.Struct("=HH4s")
"""Length, type, and an IPv4 address."""


class OtherNamespaceError(Exception):
    """The process is not the one that was meant. Says how that is known."""


def enter(pid: int, address: IPv4Address) -> None:
    """Have this thread in the network namespace of a process, for good: let it end soon.

    `address` is one that the namespace has. The number of a process means something in one namespace of processes
    only, and after the process another one may get it; the address tells whether it is the one that was meant.
    Raises OtherNamespaceError, OSError.
    """
    import ctypes

    try:
        namespace = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise OtherNamespaceError("its process is not seen from here") from None
    try:
        if os.path.samestat(os.fstat(namespace), OWN.stat()):
            raise OtherNamespaceError("its process is not seen from here")
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(namespace, CLONE_NEWNET) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    finally:
        os.close(namespace)
    if not has(address):
        raise OtherNamespaceError("its process is not seen from here")


def has(address: IPv4Address) -> bool:
    """Does this thread's network namespace have an address?"""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trying:
        try:
            trying.bind((str(address), 0))
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                return False
            raise
    return True


def add(address: IPv4Address) -> None:
    """Give this thread's network namespace an address on its loopback device. Raises OSError."""
    body = IFADDRMSG.pack(socket.AF_INET, address.max_prefixlen, 0, RT_SCOPE_LINK, LOOPBACK_INDEX)
    for kind in (IFA_LOCAL, IFA_ADDRESS):
        body += RTATTR.pack(RTATTR.size, kind, address.packed)
    flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE) as kernel:
        kernel.send(NLMSGHDR.pack(NLMSGHDR.size + len(body), RTM_NEWADDR, flags, 1, 0) + body)
        (number,) = struct.unpack_from("=i", kernel.recv(4096), NLMSGHDR.size)
    if number != 0:
        raise OSError(-number, os.strerror(-number))


def redirect(tool: str, address: IPv4Address, port: int, to: int) -> None:
    """Have connections from this thread's network namespace to a port of its own address go to another port.

    `tool`: where iptables is. Raises OSError.
    """
    coming = ("-d", f"{address}", "-p", "tcp", "--dport", f"{port}")
    # Waits for its turn (-w): with some kernels one such tool runs at a time on the whole machine.
    command = [tool, "-w", "-t", "nat", "-A", "OUTPUT", *coming, "-j", "DNAT", "--to-destination", f"{address}:{to}"]
    try:
        subprocess.run(  # noqa: S603 - nothing in it comes from a user
            command, check=True, capture_output=True, stdin=subprocess.DEVNULL, text=True, timeout=PATIENCE
        )
    except subprocess.CalledProcessError as error:
        raise OSError(errno.EIO, f"{tool} says: {error.stderr.strip()}") from error
    except subprocess.TimeoutExpired as error:
        raise OSError(errno.ETIMEDOUT, f"{tool} takes longer than {PATIENCE} seconds") from error


def listen(address: IPv4Address, port: int) -> socket.socket:
    """A socket that listens in this thread's network namespace, for connections that begin there. Raises OSError.

    Whoever shares a network with the namespace may send it a packet for any of its addresses; bound to the loopback
    device, the socket gets none from there.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, LOOPBACK)
        listener.bind((str(address), port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise OSError(error.errno, f"{address}:{port}: {error.strerror}") from error
    return listener
