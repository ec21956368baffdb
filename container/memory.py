"""Return memory that loading the model used to the system, before workers share the rest."""

import ctypes


def release_free_memory() -> None:
    """Return what malloc keeps for reuse to the system; only glibc has the function.

    Loading a model needs several times the memory that the model keeps.
    """
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except AttributeError:
        return
    trim(0)
