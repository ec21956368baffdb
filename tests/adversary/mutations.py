"""Mutations: damage a payload as buggy clients do."""

import re
from collections.abc import Callable
from dataclasses import replace
from random import Random

from tests.adversary.payloads import Payload

MEDIA_TYPES = (
    "text/csv",
    "text/csv; header=present",
    "text/csv; header=absent",
    "text/csv; delimiter=semicolon",
    "text/csv; delimiter=space",
    "application/json",
    "application/jsonlines",
    "text/libsvm",
    "application/x-recordio-protobuf",
    "application/x-npy",
    "application/octet-stream",
    "text/plain",
)
GARBAGE = (
    b"NULL", b"NA", b"\\N", b"None", b"inf", b"-inf", b"Infinity", b"NaN", b"nan", b"true", b"True",
    b"1_000", b"1,5", b"1e999", b"3.5e38", b"0x10", "١".encode(), b"\xff", b"\x00", b'"', b'""',
    b"'", b" ", b"\t", b"\n", b"\n\n", b"\r\n", b"\r", b"#", b":", b"qid:1", b"[", b"]", b"{", b"}",
    b"[]", b"{}", b"null", b"-", b"--1", b"1-", b".", b"e5", b"+", b"\xef\xbb\xbf",
    "\u00a0".encode(), "\u2028".encode(), b"9" * 400, b",", b";", b",,", b"\\", b"\\u0031", b"\x1c",
)  # fmt: skip
LINES = (b"\n", b"\n1,2\n", b"\n[1]\n", b"\n{}\n", b"\n1 0:1\n", b"\n \n", b"\n,\n")
DELIMITERS = (b",", b";", b"\t", b"|", b" ", b":", b"\n", b", ")
WORD = re.compile(rb"[^,;|:\s\[\]{}\"]+")
KEY = re.compile(rb'"((?:[^"\\]|\\.)*)"\s*:')


def mutate(payload: Payload, random: Random) -> Payload:
    """Return the payload with one to three mutations; its records are no longer known."""
    body, names = payload.body, []
    content_type = payload.content_type
    for _ in range(random.choice((1, 1, 1, 1, 2, 3))):
        if random.random() < 0.08:
            content_type = random.choice(MEDIA_TYPES)
            names.append("other media type")
            continue
        name = random.choice(list(MUTATIONS))
        body = MUTATIONS[name](body, random)
        names.append(name)
    mutation = " + ".join(names)
    return replace(payload, body=body, content_type=content_type, features=None, mutation=mutation)


def _delete_word(body: bytes, random: Random) -> bytes:
    return _replace_word(body, random, b"")


def _insert_garbage(body: bytes, random: Random) -> bytes:
    position = random.randrange(len(body) + 1)
    return body[:position] + random.choice(GARBAGE) + body[position:]


def _replace_with_garbage(body: bytes, random: Random) -> bytes:
    return _replace_word(body, random, random.choice(GARBAGE))


def _copy_word(body: bytes, random: Random) -> bytes:
    words = WORD.findall(body[:4096])
    return _replace_word(body, random, random.choice(words)) if words else body


def _quote_word(body: bytes, random: Random) -> bytes:
    words = WORD.findall(body[:4096])
    return _replace_word(body, random, b'"' + random.choice(words) + b'"') if words else body


def _add_point(body: bytes, random: Random) -> bytes:
    words = [word for word in WORD.findall(body[:4096]) if word.isdigit()]
    if not words:
        return body
    word = random.choice(words)
    return body.replace(word, word + random.choice((b".0", b".", b"e0", b"L", b"f")), 1)


def _replace_word(body: bytes, random: Random, replacement: bytes) -> bytes:
    words = list(WORD.finditer(body[:4096]))
    if not words:
        return body
    word = random.choice(words)
    return body[: word.start()] + replacement + body[word.end() :]


def _add_line(body: bytes, random: Random) -> bytes:
    line = random.choice(LINES)
    ends = [0, *(match.end() for match in re.finditer(rb"\n", body)), len(body)]
    position = random.choice(ends)
    return body[:position] + line + body[position:]


def _repeat_line(body: bytes, random: Random) -> bytes:
    lines = body.split(b"\n")
    lines.insert(random.randrange(len(lines) + 1), random.choice(lines))
    return b"\n".join(lines)


def _drop_line(body: bytes, random: Random) -> bytes:
    lines = body.split(b"\n")
    del lines[random.randrange(len(lines))]
    return b"\n".join(lines)


def _swap_delimiter(body: bytes, random: Random) -> bytes:
    old, new = random.sample(DELIMITERS, 2)
    return body.replace(old, new, random.choice((-1, 1)))


def _truncate(body: bytes, random: Random) -> bytes:
    return body[: random.randrange(len(body) + 1)]


def _cut_start(body: bytes, random: Random) -> bytes:
    return body[random.randrange(min(64, len(body)) + 1) :]


def _flip_bit(body: bytes, random: Random) -> bytes:
    if not body:
        return body
    changed = bytearray(body)
    changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def _set_byte(body: bytes, random: Random) -> bytes:
    if not body:
        return body
    changed = bytearray(body)
    changed[random.randrange(min(len(changed), 200))] = random.randrange(256)
    return bytes(changed)


def _duplicate_key(body: bytes, random: Random) -> bytes:
    keys = list(KEY.finditer(body[:4096]))
    if not keys:
        return body
    key = random.choice(keys)
    value = random.choice((b"1,", b"null,", b"[],", b"[[1]],", b'"x",'))
    return body[: key.start()] + key[0] + value + body[key.start() :]


def _rename_key(body: bytes, random: Random) -> bytes:
    keys = list(KEY.finditer(body[:4096]))
    if not keys:
        return body
    key = random.choice(keys)
    other = random.choice([*keys, None])
    renamed = b'"other":' if other is None else other[0]
    return body[: key.start()] + renamed + body[key.end() :]


def _double(body: bytes, _random: Random) -> bytes:
    return body + body


def _wrap(body: bytes, random: Random) -> bytes:
    before, after = random.choice(
        ((b"[", b"]"), (b'{"instances":', b"}"), (b'"', b'"'), (b" ", b" "), (b'{"data":', b"}"))
    )
    return before + body + after


MUTATIONS: dict[str, Callable[[bytes, Random], bytes]] = {
    "delete a word": _delete_word,
    "insert garbage": _insert_garbage,
    "replace a word with garbage": _replace_with_garbage,
    "copy a word over another": _copy_word,
    "quote a word": _quote_word,
    "write an integer otherwise": _add_point,
    "add a line": _add_line,
    "repeat a line": _repeat_line,
    "drop a line": _drop_line,
    "swap the delimiter": _swap_delimiter,
    "truncate": _truncate,
    "cut the start": _cut_start,
    "flip a bit": _flip_bit,
    "set a byte": _set_byte,
    "duplicate a key": _duplicate_key,
    "rename a key": _rename_key,
    "send twice": _double,
    "wrap": _wrap,
}
