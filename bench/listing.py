"""A million-line list, planned: time and peak memory."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from bench._programs import RUSHES, run, table


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--lines", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    rows = [_row(lines) for lines in arguments.parse_args().lines]
    print(table(["lines", "seconds", "lines/s", "peak memory"], rows))


def _row(lines: int) -> list[str]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        path = Path(folder) / "list.txt"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(f"https://example.org/talks/{n}?utm_source=mail\n" for n in range(lines))
        figures = run([*RUSHES, "plan", str(path), "--json"], {"RUSHES_HOME": str(Path(folder) / "home")})
    if figures.code:
        raise SystemExit(f"rushes plan ended with {figures.code}")
    rate = f"{lines / figures.seconds:,.0f}"
    return [f"{lines:,}", f"{figures.seconds:.1f}", rate, f"{figures.peak_megabytes:.0f} MB"]


if __name__ == "__main__":
    main()
