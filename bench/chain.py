"""The whole chain (probe, speech, summary, results, database) over bare faster-whisper on the same file, and its memory."""

from __future__ import annotations

import argparse
import asyncio
import functools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from bench._programs import RUSHES, Run, family, proportional_megabytes, run, table
from rushes.media.narration import Narrator

CORPUS = Path(__file__).parent / "quality" / "corpus"
SAMPLE_SECONDS = 0.25


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--minutes", type=float, default=7)
    arguments.add_argument("--times", type=int, default=3)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        talk = asyncio.run(_talk(Path(folder), given.minutes))
        home = {"RUSHES_HOME": str(Path(folder) / "home")}
        cluster = _cluster(home)  # made before anything is measured
        bare, chain, memory = [], [], []
        for number in range(given.times):
            bare.append(run([sys.executable, "-m", "bench._bare_whisper", str(talk)]))
            one, peak = _chain(talk, Path(folder) / f"out-{number}", home, cluster)
            chain.append(one)
            memory.append(peak)
    ratios = [one.seconds / other.seconds for one, other in zip(chain, bare, strict=True)]
    rows = [
        ["bare faster-whisper", *_figures(bare), f"{max(one.peak_megabytes for one in bare):.0f} MB"],
        ["rushes run", *_figures(chain), f"{max(memory):.0f} MB"],
        ["ratio", f"{statistics.median(ratios):.2f}", f"{min(ratios):.2f} to {max(ratios):.2f}", ""],
    ]
    print(table([f"{given.minutes:g} minutes of speech", "median", "range", "peak memory, all processes"], rows))


def _figures(runs: list[Run]) -> tuple[str, str]:
    seconds = [one.seconds for one in runs]
    if any(one.code for one in runs):
        raise SystemExit("a run failed; try its command by hand")
    return f"{statistics.median(seconds):.1f} s", f"{min(seconds):.1f} to {max(seconds):.1f} s"


async def _talk(folder: Path, minutes: float) -> Path:
    """Our own texts, narrated until they fill the time."""
    path = folder / "talk.wav"
    words = " ".join(text.read_text(encoding="utf-8") for text in sorted(CORPUS.glob("*.txt"))).split()
    needed = round(minutes * 168)  # words a minute of this voice
    async with await Narrator.start() as voice:
        await voice.narrate([" ".join(words[:needed])], path)
    return path


def _cluster(home: dict[str, str]) -> str:
    """The data folder of the embedded server."""
    status = subprocess.check_output([*RUSHES, "db", "status", "--json"], env={**os.environ, **home})
    return str(json.loads(status)["data_folder"])


def _chain(talk: Path, out: Path, home: dict[str, str], cluster: str) -> tuple[Run, float]:
    """Run the chain, sampling the memory of everything that it started."""
    command = [*RUSHES, "run", str(talk), "--fresh", "--json", "--out", str(out)]
    samples: list[float] = []
    began = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--set", "transcribe.language=en"], env={**os.environ, **home}, stdout=subprocess.DEVNULL
    )
    ended = threading.Event()
    sampler = threading.Thread(target=functools.partial(_sample, process.pid, cluster, samples, ended))
    sampler.start()
    code = process.wait()
    seconds = time.perf_counter() - began
    ended.set()
    sampler.join()
    return Run(seconds, 0, code), max(samples)


def _sample(root: int, cluster: str, samples: list[float], ended: threading.Event) -> None:
    while not ended.wait(SAMPLE_SECONDS):
        servers = [one for found in _servers(cluster) for one in family(found)]
        samples.append(proportional_megabytes([*family(root), *servers]))


def _servers(cluster: str) -> list[int]:
    """The embedded server and its keeper, which have left the family: what names the cluster's folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_text(errors="replace")
        except OSError:
            continue
        if cluster in command:
            found.append(int(path.parent.name))
    return found


if __name__ == "__main__":
    main()
