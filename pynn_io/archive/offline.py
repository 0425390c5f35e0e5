"""Runs a command without a network: ``python offline.py COMMAND ...``, by Python's standard library alone.

On Linux the command gets a network namespace of its own, which holds nothing but a loopback interface: whatever it
tries to reach, it cannot, and it needs no rights for that. It has to be asked for before a process has threads, which
is why this is a program. Where a system does not allow it, as within some containers, the command runs all the same;
the variable `NETWORK` tells it which of the two it is.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import sys
from contextlib import suppress

NETWORK = "PYNN_IO_NETWORK"
CUT_OFF, OPEN = "cut off", "proxies that point nowhere"
_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000  # of Linux's sched.h
_SET_FLAGS, _UP = 0x8914, 0x1  # SIOCSIFFLAGS, IFF_UP


def cut_off() -> bool:
    """Leave the network, as far as the system allows it; whether it did."""
    if not sys.platform.startswith("linux"):
        return False
    user, group = os.getuid(), os.getgid()
    if ctypes.CDLL(None, use_errno=True).unshare(_NEW_USER | _NEW_NETWORK) != 0:
        return False
    # The process stays who it is: its files are its own, and programs that refuse to run as root do not.
    with suppress(OSError):  # a system may forbid this part alone: the network is gone all the same
        for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(text)
        _raise_loopback()
    return True


def _raise_loopback() -> None:
    """Programs that talk to themselves go on doing so."""
    from fcntl import ioctl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        ioctl(any_socket, _SET_FLAGS, struct.pack("16sH14x", b"lo", _UP))


def main(command: list[str]) -> None:
    """Become the command."""
    os.environ[NETWORK] = CUT_OFF if cut_off() else OPEN
    os.execv(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
