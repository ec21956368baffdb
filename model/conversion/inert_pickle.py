"""Read a pickle or a joblib file without running any code of it.

Unpickling imports the modules that a pickle names, and calls their functions. Here only numbers,
texts, containers and NumPy arrays are built. Every other object becomes an Inert, which knows the
name of its class and its state. This makes the versions of scikit-learn and XGBoost that wrote the
file irrelevant.
"""

import collections
import functools
import io
import pickle
from collections.abc import Callable
from typing import Any, Self

import numpy as np

# A pickler in Python, because joblib puts an array's bytes between the opcodes of its pickles.
PythonUnpickler: Any = getattr(pickle, "_Unpickler")  # noqa: B009 - private, like joblib's own use
# The joblib of scikit-learn before 0.23 is a copy inside scikit-learn.
JOBLIB_ARRAYS = {
    ("joblib.numpy_pickle", "NumpyArrayWrapper"),
    ("sklearn.externals.joblib.numpy_pickle", "NumpyArrayWrapper"),
}


class Inert:
    """An object that was not built, because that would run code.

    Attributes:
        module, name: where the pickle finds the class, or the function that returns the object.
        arguments: what the pickle calls it with.
        state: what the pickle restores the object from; None if nothing.

    """

    module = ""
    name = ""
    arguments: tuple[Any, ...] = ()
    state: Any = None

    def __new__(cls, *arguments: Any, **_options: Any) -> Self:
        inert = super().__new__(cls)
        inert.arguments = arguments
        return inert

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def __setitem__(self, key: Any, value: Any) -> None:
        """Ignore an item of a subclass of dict."""

    def append(self, item: Any) -> None:
        """Ignore an item of a subclass of list."""

    def extend(self, items: Any) -> None:
        """Ignore the items of a subclass of list."""

    def add(self, item: Any) -> None:
        """Ignore an item of a subclass of set."""

    @property
    def attributes(self) -> dict[str, Any]:
        """The attributes in the state; objects with __slots__ have two dicts of them."""
        parts = self.state if isinstance(self.state, tuple) else (self.state,)
        return {
            name: value for part in parts if isinstance(part, dict) for name, value in part.items()
        }


def read_pickle(content: bytes) -> Any:
    """Return the object in a pickle or in an uncompressed joblib file.

    Raises EOFError or UnpicklingError for a truncated file, and like pickle.load almost any other
    exception for a damaged one.
    """
    return InertUnpickler(io.BytesIO(content)).load()


class InertUnpickler(PythonUnpickler):
    """Build an Inert for every class and function except the KNOWN ones."""

    dispatch = PythonUnpickler.dispatch.copy()

    def __init__(self, file: io.BytesIO) -> None:
        # Python 2 pickles the names of attributes, and NumPy's data, as one byte a character.
        super().__init__(file, encoding="latin1")
        self._bytes = file

    def find_class(self, module: str, name: str) -> Any:
        return KNOWN.get((module, name)) or _build_class(module, name)

    def load_build(self) -> None:
        """Restore an object's state; joblib's description of an array becomes the array."""
        super().load_build()
        built = self.stack[-1]
        if isinstance(built, Inert) and (built.module, built.name) in JOBLIB_ARRAYS:
            self.stack[-1] = _read_joblib_array(self._bytes, built.attributes)

    dispatch[pickle.BUILD[0]] = load_build


@functools.cache
def _build_class(module: str, name: str) -> type[Inert]:
    return type(name, (Inert,), {"module": module, "name": name})


def _read_joblib_array(file: io.BytesIO, description: dict[str, Any]) -> Any:
    """Return the array that follows its description in the file.

    Source: NumpyArrayWrapper in joblib, which aligns arrays since 1.1.
    """
    dtype, shape = description["dtype"], description["shape"]
    if dtype.hasobject:
        return InertUnpickler(file).load()
    if description.get("numpy_array_alignment_bytes"):
        padding = file.read(1)[0]
        file.read(padding)
    size = dtype.itemsize * int(np.prod(shape, dtype=np.int64))
    content = file.read(size)
    if len(content) < size:
        raise EOFError
    return _array_from_buffer(content, dtype, shape, description["order"])


def _array_from_buffer(buffer: Any, dtype: Any, shape: Any, order: Any) -> Any:
    """Build an array as protocol 5 stores it."""
    return np.frombuffer(buffer, dtype=dtype).reshape(shape, order=order)


def _encode(text: str, encoding: str) -> bytes:
    """Build bytes as the protocols 0 to 2 store them."""
    return text.encode(encoding)


def _reconstruct(cls: Any, _base: Any, state: Any) -> Any:
    """Build an object as the protocols 0 and 1 store it."""
    return cls.__new__(cls) if state is None else cls.__new__(cls, state)


def _list_known() -> dict[tuple[str, str], Callable[..., Any]]:
    """Return the classes and functions that build values and do nothing else.

    Python 2 and NumPy 1 have other names for some modules.
    """
    builtins = [object, bytearray, bytes, str, bool, int, float, complex]
    builtins += [list, tuple, dict, set, frozenset, slice, range]
    known: dict[tuple[str, str], Callable[..., Any]] = {
        ("_codecs", "encode"): _encode,
        ("collections", "OrderedDict"): collections.OrderedDict,
        ("numpy", "dtype"): np.dtype,
        ("numpy", "ndarray"): np.ndarray,
    }
    for module in ("builtins", "__builtin__"):
        known |= {(module, builtin.__name__): builtin for builtin in builtins}
    for module in ("copyreg", "copy_reg"):
        known[module, "_reconstructor"] = _reconstruct
    # NumPy's own two functions are private, so they are taken from where pickling finds them.
    reconstruct_array: Any = np.zeros(0).__reduce__()[0]
    reconstruct_scalar: Any = np.float64(0).__reduce__()[0]
    for core in ("numpy.core", "numpy._core"):
        known[f"{core}.multiarray", "_reconstruct"] = reconstruct_array
        known[f"{core}.multiarray", "scalar"] = reconstruct_scalar
        known[f"{core}.numeric", "_frombuffer"] = _array_from_buffer
    return known


KNOWN = _list_known()
