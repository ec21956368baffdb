"""Runs a Python program as on a kernel without IPv6: the kernel itself rejects AF_INET6.

Usage: without_ipv6.py PROGRAM [ARGUMENT...]
Source: Linux's documentation of seccomp filters.
"""

import ctypes
import os
import platform
import socket
import struct
import sys

SOCKET_CALLS = {"x86_64": 41, "aarch64": 198}
SET_NO_NEW_PRIVILEGES, SET_SECCOMP, FILTER_MODE = 38, 22, 2
ALLOW, RETURN_ERROR, NOT_SUPPORTED = 0x7FFF0000, 0x00050000, 97
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
CALL_OFFSET, FIRST_ARGUMENT_OFFSET = 0, 16


class Filter(ctypes.Structure):
    """The kernel's struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def main() -> None:
    """Install the filter, which the program inherits, and run the program."""
    instructions = (
        (LOAD, 0, 0, CALL_OFFSET),
        (JUMP_IF_EQUAL, 0, 3, SOCKET_CALLS[platform.machine()]),
        (LOAD, 0, 0, FIRST_ARGUMENT_OFFSET),
        (JUMP_IF_EQUAL, 0, 1, socket.AF_INET6),
        (RETURN, 0, 0, RETURN_ERROR | NOT_SUPPORTED),
        (RETURN, 0, 0, ALLOW),
    )
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in instructions)
    buffer = ctypes.create_string_buffer(code, len(code))
    filter_ = Filter(len(instructions), ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0) or libc.prctl(
        SET_SECCOMP, FILTER_MODE, ctypes.byref(filter_), 0, 0
    ):
        sys.exit(f"cannot install the filter: {os.strerror(ctypes.get_errno())}")
    os.execv(sys.executable, [sys.executable, *sys.argv[1:]])  # noqa: S606  # no shell is needed


if __name__ == "__main__":
    main()
