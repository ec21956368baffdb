"""Checks the names and values of tags against the limits of AWS."""

import unicodedata
from collections.abc import Iterator

from deploy.config.configuration import Configuration
from deploy.config.naming import (
    OWNER_TAG,
    PREVIOUS_CONFIG_TAG,
    SERVING_CONFIG_TAG,
    TAG_NAME_SEPARATOR,
    TAG_NAMES_TAG,
    VERSION_TAG,
)

OWN_TAGS = (OWNER_TAG, PREVIOUS_CONFIG_TAG, SERVING_CONFIG_TAG, VERSION_TAG, TAG_NAMES_TAG)
MAX_TAGS = 50 - len(OWN_TAGS)  # AWS accepts 50 per resource
MAX_NAME_LENGTH, MAX_VALUE_LENGTH = 128, 256
SHOWN_CHARACTERS = 60


def check_tags(configuration: Configuration) -> Iterator[str]:
    tags = configuration.metadata.tags
    if len(tags) > MAX_TAGS:
        yield f"metadata.tags: expected at most {MAX_TAGS} tags, got {len(tags)}"
    # All names share the value of one tag, TAG_NAMES_TAG.
    names_length = len(TAG_NAME_SEPARATOR.join(tags))
    if names_length > MAX_VALUE_LENGTH:
        yield (
            f"metadata.tags: expected names with at most {MAX_VALUE_LENGTH} characters "
            f"in total, got {names_length}; shorten them"
        )
    for name, value in tags.items():
        yield from _check_tag(name, value)


def _check_tag(name: str, value: str) -> Iterator[str]:
    key = f"metadata.tags.{name[:SHOWN_CHARACTERS]}"
    if name.lower().startswith(("aws:", "xgb-endpoint:")):
        yield f"{key}: the prefix {name.partition(':')[0]}: is reserved; use another name"
    has_separator = TAG_NAME_SEPARATOR.rstrip() in name or TAG_NAME_SEPARATOR.lstrip() in name
    if not 0 < len(name) <= MAX_NAME_LENGTH or has_separator:
        yield (
            f"{key}: expected a name of 1 to {MAX_NAME_LENGTH} characters, "
            "without a plus sign next to a space"
        )
    if len(value) > MAX_VALUE_LENGTH:
        yield (
            f"{key}: expected a value of at most {MAX_VALUE_LENGTH} characters, got {len(value)}"
        )
    invalid = {character for character in name + value if not _is_tag_character(character)}
    if invalid:
        yield (
            f"{key}: expected letters, digits, spaces and _ . : / = + - @; "
            f"got {' '.join(sorted(invalid))[:SHOWN_CHARACTERS]}"
        )


def _is_tag_character(character: str) -> bool:
    return character in "_.:/=+-@" or unicodedata.category(character)[0] in "LNZ"
