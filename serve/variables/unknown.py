"""Find environment variables that are not settings, and suggest the settings they resemble."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches

from serve.errors import BadSetting
from serve.variables.other_images import is_of_other_program

OWN_PREFIX = "SERVE_"
SAGEMAKER_PREFIX = "SAGEMAKER_"
PREFIXES = (OWN_PREFIX, SAGEMAKER_PREFIX, "SM_", "")
# The minimum similarity of a suggestion, from 0 to 1. SAGEMAKER_ variables that are less similar
# to a setting belong to other programs.
OWN_SIMILARITY = 0.8
SAGEMAKER_SIMILARITY = 0.9
# Earlier names of settings, too different from the current ones to be found by similarity.
RENAMED = {"SERVE_DOOR": "SERVE_FRONTEND"}


def reject_unknown_variables(env: Mapping[str, str], known: Collection[str]) -> None:
    """Raise BadSetting, with all their names, if there are unknown SERVE_ variables."""
    unknown = [
        name
        for name, value in env.items()
        if name.startswith(OWN_PREFIX) and name not in known
        if not is_of_other_program(name, value)
    ]
    if unknown:
        raise BadSetting("; ".join(_describe(name, known) for name in sorted(unknown)))


def suggest_variables(env: Mapping[str, str], known: Collection[str]) -> dict[str, str]:
    """Map each unknown variable to the known one that it resembles, if any.

    The name has another prefix or case than that one, or begins with SERVE_ or SAGEMAKER_.
    """
    suggestions = {
        name: _suggest(name, known)
        for name, value in env.items()
        if name not in known and not is_of_other_program(name, value)
    }
    return {name: suggestion for name, suggestion in suggestions.items() if suggestion}


def _describe(name: str, known: Collection[str]) -> str:
    suggestion = _suggest(name, known)
    if suggestion:
        return f"unknown variable {name}: did you mean {suggestion}?"
    own_variables = sorted(variable for variable in known if variable.startswith(OWN_PREFIX))
    return f"unknown variable {name}: expected one of {', '.join(own_variables)}"


def _suggest(name: str, known: Collection[str]) -> str | None:
    if name in RENAMED:
        return RENAMED[name]
    name = name.upper().replace("-", "_")
    if suggestion := _find_other_prefix(name, known):
        return suggestion
    if name.startswith(OWN_PREFIX):
        similarity = OWN_SIMILARITY
    elif name.startswith(SAGEMAKER_PREFIX):
        similarity = SAGEMAKER_SIMILARITY
    else:
        return None
    matches = get_close_matches(name, known, 1, similarity)
    return matches[0] if matches else None


def _find_other_prefix(name: str, known: Collection[str]) -> str | None:
    """Return the known variable whose name has another prefix, or the same one, if any."""
    if name in known:
        return name
    for prefix in filter(name.startswith, PREFIXES[:-1]):
        candidates = (other + name.removeprefix(prefix) for other in PREFIXES)
        return next((candidate for candidate in candidates if candidate in known), None)
    return None
