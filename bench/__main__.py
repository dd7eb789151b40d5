"""`./dev bench` lists the benchmarks, `./dev bench NAME …` runs one: a module or package of this folder of that name."""

from __future__ import annotations

import difflib
import importlib.util
import pkgutil
import runpy
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def names() -> list[str]:
    found = (module.name for module in pkgutil.iter_modules([str(FOLDER)]))
    return sorted(name for name in found if not name.startswith("_"))


def summary(name: str) -> str:
    """The first line of a benchmark's docstring, read without running it."""
    spec = importlib.util.find_spec(f"bench.{name}")
    entry = Path(spec.origin) if spec and spec.origin else FOLDER / name / "__init__.py"
    first = entry.read_text(encoding="utf-8").lstrip().split("\n", 1)[0]
    return first.strip('"').strip()


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0] in {"-h", "--help"}:
        for name in names():
            print(f"{name:<16}{summary(name)}")
        return 0
    name = arguments[0]
    if name not in names():
        near = difflib.get_close_matches(name, names(), 1)
        hint = f" Did you mean {near[0]}?" if near else ""
        print(f"There is no benchmark {name!r}.{hint} ./dev bench lists them.", file=sys.stderr)
        return 2
    sys.argv = [f"bench {name}", *arguments[1:]]
    runpy.run_module(f"bench.{name}", run_name="__main__", alter_sys=False)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
