"""Load the extension module of kernel/, if it was built, and choose its variant."""

from functools import cache
from importlib.machinery import ExtensionFileLoader, ModuleSpec
from importlib.util import module_from_spec
from pathlib import Path
from typing import Any

from serve.errors import BadSetting
from serve.model.kernel.unsupported import Unsupported
from serve.text import listed

FILE = Path(__file__).resolve().parents[3] / "kernel" / "build" / "_forest.abi3.so"
VARIABLE = "SERVE_KERNEL"
AUTO, OFF = "auto", "off"
# The instruction sets that the kernel is compiled for, from the fastest.
VARIANTS = ("avx512", "avx2", "base")


def load_extension() -> Any:
    """Return the module, see kernel/module.c; raises Unsupported if it is not there."""
    return _load(FILE)


@cache
def _load(file: Path) -> Any:
    loader = ExtensionFileLoader("_forest", str(file))
    try:
        module = module_from_spec(ModuleSpec("_forest", loader, origin=str(file)))
        loader.exec_module(module)
    except ImportError as error:
        raise Unsupported("the kernel was not built for this machine") from error
    return module


def choose_variant(setting: str) -> str:
    """Return the fastest variant that the processor supports, or the one that the setting names.

    Raises Unsupported if the kernel is off or was not built, and BadSetting if the setting names a
    variant that does not exist here.
    """
    if setting == OFF:
        raise Unsupported(f"{VARIABLE} is {OFF}")
    try:
        extension = load_extension()
    except Unsupported as error:
        if setting == AUTO:
            raise
        raise BadSetting(f"{VARIABLE}={setting}: {error}") from error
    supported = [variant for variant in VARIANTS if extension.supports(variant)]
    if setting == AUTO:
        return supported[0]
    if setting not in supported:
        raise BadSetting(f"{VARIABLE}={setting}: this processor supports only {listed(supported)}")
    return setting
