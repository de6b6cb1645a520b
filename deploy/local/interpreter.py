"""Whether this Python can run Callfold, and how it was built: `python3 -I -S deploy/local/interpreter.py`.

`find-python` asks each Python on the PATH, so an old one must be able to read this file: 3.6 can.
"""

import importlib.util
import os
import platform
import shlex
import sys
import sysconfig

TESTED = ((3, 11),)
"""Versions on which the tests were run with the pinned packages."""

OPTIMIZED, PLAIN = "an optimized build", "a plain build"

_OLDEST = (3, 11)
_MODULES = ("venv", "ensurepip")
_SWITCHES = ("--enable-optimizations", "--disable-optimizations")
# Machines for which Debian's rules build with a profile.
_PROFILED_BY_DEBIAN = ("aarch64", "armv7l", "i386", "i686", "ppc64le", "s390x", "x86_64")


def is_optimized(variables: "dict[str, object]", machine: str) -> bool:
    """Tell from `sysconfig`'s variables whether an interpreter was compiled with a profile of its own runs (PGO).

    The arguments of `./configure` show it; the flags do not: they are the same with and without. Debian, Ubuntu and
    what is built by their rules use no such argument, but leave a trace: they empty a flag that `./configure` sets.
    """
    if variables.get("Py_DEBUG"):
        return False
    arguments = shlex.split(str(variables.get("CONFIG_ARGS") or ""))
    switches = [argument for argument in arguments if argument.split("=")[0] in _SWITCHES]
    if switches:
        return switches[-1] in ("--enable-optimizations", "--enable-optimizations=yes")
    emptied = variables.get("PGO_PROF_GEN_FLAG") and not variables.get("PGO_PROF_USE_FLAG")
    return bool(emptied) and machine in _PROFILED_BY_DEBIAN


def build() -> str:
    """Return how the running interpreter was built: OPTIMIZED or PLAIN."""
    return OPTIMIZED if is_optimized(sysconfig.get_config_vars(), platform.machine()) else PLAIN


def executable() -> str:
    """Return the path of the interpreter itself, also in a virtual environment."""
    return os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)


def described() -> str:
    """Return the running interpreter in one line: version, path, build."""
    hint = "" if build() == OPTIMIZED else ": an optimized one is a quarter faster (docs/deployment.md)"
    return f"Python {platform.python_version()} ({executable()}), {build()}{hint}"


def missing() -> str:
    """Return why the running interpreter cannot run Callfold, or an empty text."""
    name, version = platform.python_implementation(), platform.python_version()
    if name != "CPython" or sys.version_info < _OLDEST:
        return f"Python 3.11 or newer is required, {executable()} is {name} {version}. Name one: make PYTHON=python3.12"
    lacking = [module for module in _MODULES if importlib.util.find_spec(module) is None]
    if lacking:
        package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        return f"{executable()} lacks the module {lacking[0]}. Install it (Debian, Ubuntu: apt install {package})"
    return ""


def rank() -> int:
    """Return how good a choice the running interpreter is: a tested version first, an optimized build second."""
    return 1 + 2 * (sys.version_info[:2] in TESTED) + (build() == OPTIMIZED)


def main() -> None:
    """Print the rank and the path, or 0 and what is missing; with `--describe` what it is."""
    why = missing()
    print(described() if "--describe" in sys.argv else f"{0 if why else rank()} {why or executable()}")  # noqa: T201 - a program


if __name__ == "__main__":
    main()
