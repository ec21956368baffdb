"""Build step of the Dockerfile: removes unused files, and compiles the server's imports.

Without compiled files, Python would compile every import at each start, because the container's
file system may be read-only.
"""

import importlib
import py_compile
import shutil
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = Path(sysconfig.get_path("purelib"))
STANDARD_LIBRARY = Path(sysconfig.get_path("stdlib"))
UNUSED = (
    "pip",
    "pip-*",
    "setuptools*",
    "wheel*",
    "*/**/tests",
    "*/tests",
    "**/*.pyi",
    "**/*.pyx",
    "**/*.pxd",
    "simdjson/*.cpp",
    "simdjson/*.h",
    "**/include",
    "**/*.a",
)
UNUSED_IN_STANDARD_LIBRARY = (
    "ensurepip",
    "idlelib",
    "lib2to3",
    "pydoc_data",
    "test",
    "tkinter",
    "turtledemo",
    "config-*",
)
SCRIPTS = (
    "pip*",
    "idle*",
    "pydoc*",
    "flask",
    "f2py*",
    "numpy-config",
    "gunicorn*",
    "python*-config",
)


def main() -> None:
    """Remove unused files and stale caches, then compile the server's imports."""
    for folder, patterns in (
        (PACKAGES, UNUSED),
        (STANDARD_LIBRARY, UNUSED_IN_STANDARD_LIBRARY),
        (Path(sys.prefix, "bin"), SCRIPTS),
    ):
        for pattern in patterns:
            for path in sorted(folder.glob(pattern)):
                remove(path)
    for folder in (PACKAGES, STANDARD_LIBRARY, ROOT):
        for cache in list(folder.rglob("__pycache__")):
            remove(cache)
    remove(Path(sys.prefix, "include"))
    compile_imports()


def remove(path: Path) -> None:
    """Remove a file or directory if it exists."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def compile_imports() -> None:
    """Compile every module that the server imports.

    Unchecked hashes instead of timestamps make the build reproducible.
    """
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(ROOT))
    for name in ("container.entrypoint", "gunicorn.workers.gthread", "encodings.idna", "xgboost"):
        importlib.import_module(name)
    for module in list(sys.modules.values()):
        source = getattr(module, "__file__", None)
        if source and source.endswith(".py") and source != __file__:
            py_compile.compile(
                source,
                doraise=True,
                invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
            )


if __name__ == "__main__":
    main()
