"""`./dev bench quality`: one table of word error rates, chapter boundaries and key sentences, with baselines."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
from pathlib import Path

from bench.quality import chapters_and_summaries, wer
from bench.quality.rows import table


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench quality", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--no-speech", action="store_true", help="leave out word error rates, which take a minute")
    parser.add_argument("--clips", type=Path, metavar="DIR", help="measure these too: NAME.wav with NAME.txt beside it")
    arguments = parser.parse_args()
    heard, missing = ([], []) if arguments.no_speech else asyncio.run(wer.rows(arguments.clips))
    rows = [*heard, *chapters_and_summaries.rows()]
    if arguments.json:
        print(json.dumps({"rows": [dataclasses.asdict(row) for row in rows], "not_measured": missing}, indent=1))
        return
    print(table(rows))
    for reason in missing:
        print(f"Not measured: {reason}")


if __name__ == "__main__":
    main()
