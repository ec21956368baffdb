"""Recognize misspelled names of schema.json and of the self-test, which would be ignored."""

import re
from collections.abc import Collection
from difflib import SequenceMatcher

from serve.model.files.listing import Entry
from serve.model.files.names import CODE_NAME, SCHEMA_NAME, SELF_TEST_NAME

WORD = re.compile(r"[^\W\d_]+")
# What people, editors and browsers add to a file's name.
ADDITIONS = {
    *("backup", "bak", "copy", "final", "gz", "model", "new", "of", "old", "orig", "original"),
    *("temp", "tmp", "txt", "xgboost"),
}
# Files that belong to schema.json, such as schema.json.md5.
CHECKSUMS = {"asc", "crc", "md", "sha", "sig"}
# What a self-test may be packed or saved as instead of a folder.
SELF_TEST_FILE = re.compile(r"[^.]+(?:\.(?:csv|json|jsonl|txt|zip|tar|tgz|gz))*", re.IGNORECASE)
REQUEST, EXPECTED = "request", "expected"
MIN_SIMILARITY = 0.85
MAX_LENGTH_DIFFERENCE = 3


def resembles_schema(entry: Entry, model: Entry) -> bool:
    """Return whether a name is nearly schema.json: shema.json, schema (1).json, my.schema.json.

    The name of the model may precede it. Names with another word, such as input_schema.json, are
    those of other files.
    """
    words = _split(entry.base_name)
    if _is_in(entry, (CODE_NAME, SELF_TEST_NAME)) or CHECKSUMS.intersection(words):
        return False
    ignored = ADDITIONS.union(_split(model.base_name)) - set(_split(SCHEMA_NAME))
    name = ".".join(dict.fromkeys(word for word in words if word not in ignored))
    return name == "schema" or _is_similar(name, SCHEMA_NAME)


def resembles_self_test(entry: Entry, *, has_self_test: bool) -> bool:
    """Return whether a file seems to be of the self-test, by nearly right names.

    In the folder self-test itself, any other file is one of these, unless there is a self-test.
    """
    if _is_in(entry, (CODE_NAME,)):
        return False
    *folders, base_name = entry.name.split("/")
    if any(folder != SELF_TEST_NAME and _is_like_self_test(folder) for folder in folders):
        return True
    if SELF_TEST_NAME in folders:
        stem = "".join(_split(base_name)[:1])
        return not has_self_test or _is_similar(stem, REQUEST) or _is_similar(stem, EXPECTED)
    is_file = SELF_TEST_FILE.fullmatch(base_name) is not None
    return is_file and _is_like_self_test(base_name.partition(".")[0])


def _is_in(entry: Entry, folders: Collection[str]) -> bool:
    return any(folder in folders for folder in entry.folder.split("/"))


def _is_like_self_test(name: str) -> bool:
    return _is_similar("".join(_split(name)), "".join(_split(SELF_TEST_NAME)))


def _is_similar(name: str, right: str) -> bool:
    if abs(len(name) - len(right)) > MAX_LENGTH_DIFFERENCE:
        return False
    return SequenceMatcher(None, name, right).ratio() >= MIN_SIMILARITY


def _split(name: str) -> list[str]:
    """Return the words of a name, in lower case and without digits."""
    return WORD.findall(name.lower())
