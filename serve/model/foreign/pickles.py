"""Recognize a pickle, and the classes in it, by its opcodes; nothing is ever unpickled."""

import pickletools
import re
from collections.abc import Iterator

PROTOCOL = re.compile(rb"\x80[\x02-\x05]")
# Protocols 0 and 1 start with a class, or with the mark of a container.
FIRST_OPCODES = b"c(}]"
MAX_OPCODES = 20_000
# Modules whose functions only rebuild an object; they say nothing about what it is.
REBUILDING_MODULES = re.compile(r"(copy_?reg|builtins|__builtin__|_codecs|collections|numpy)\b")


def is_pickle(head: bytes) -> bool:
    """Return whether the first bytes of a file are those of a pickle."""
    if PROTOCOL.match(head):
        return True
    return head[:1] in FIRST_OPCODES and bool(list_classes(head))


def is_container(content: bytes) -> bool:
    """Return whether a pickle is that of a dict, a list or a tuple, not of a single object."""
    try:
        for opcode, _, _ in pickletools.genops(content[:64]):
            if opcode.name not in ("PROTO", "FRAME"):
                return opcode.name in ("EMPTY_DICT", "EMPTY_LIST", "MARK")
    except ValueError:
        pass
    return False


def list_classes(content: bytes) -> list[str]:
    """Return the classes and functions that a pickle refers to, in order, without duplicates.

    The content may be truncated. Classes that only rebuild arrays and containers are left out.
    """
    classes: dict[str, None] = {}
    try:
        for module, name in _iterate_globals(content):
            if not REBUILDING_MODULES.match(module):
                classes[f"{module}.{name}"] = None
    except (ValueError, IndexError, KeyError, UnicodeDecodeError, OverflowError, MemoryError):
        pass  # the end of truncated content, or no pickle after all
    return list(classes)


def _iterate_globals(content: bytes) -> Iterator[tuple[str, str]]:
    """Yield the module and the name of each class or function that the opcodes refer to."""
    strings: list[str] = []
    memo: list[object] = []
    last: object = None
    for count, (opcode, argument, _) in enumerate(pickletools.genops(content)):
        if count > MAX_OPCODES:
            return
        if opcode.name in ("GLOBAL", "INST"):
            module, _, name = str(argument).partition(" ")
            yield module, name
        elif opcode.name == "STACK_GLOBAL" and len(strings) > 1:
            yield strings[-2], strings[-1]
        elif opcode.name == "MEMOIZE":
            memo.append(last)
            continue
        last = argument
        if opcode.name in ("BINGET", "LONG_BINGET") and int(argument or 0) < len(memo):
            last = memo[int(argument or 0)]
        if isinstance(last, str):
            strings.append(last)
