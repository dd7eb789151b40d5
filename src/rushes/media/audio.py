"""Sound for speech recognition: decoded as it is needed, and cut into windows of speech.

A file is never held whole, so ten hours take as much memory as ten minutes. Windows end in pauses: a recogniser hears
thirty seconds at a time, and loses words at a cut through speech.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rushes.media.containers import open_options
from rushes.media.faults import NoSound, NotMedia

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Samples = NDArray[np.float32]

Span = tuple[float, float]
"""Start and end in seconds."""
RATE = 16_000
"""Samples a second: what Whisper hears."""
BLOCK = 120.0
"""Seconds that are decoded and searched for speech at once."""
LONGEST = 29.5
"""Seconds of a window, just under what the model hears at once."""
SOON = 24.0
"""From this length on, a window that would get too long ends in its longest pause."""
PAUSE = 2.0
"""Seconds of silence that end a window wherever they are."""
BEFORE = 0.8
"""Seconds before speech that are heard with it: after music, the detector is late for the first word."""
AFTER = 0.4
HOLE = 0.5
"""Seconds that may be missing in a stream before silence is put in, so that later times stay right."""
LARGEST_HOLE = 3600.0
"""A larger jump of the clock is a fault of the clock."""


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of sound and the windows of speech in it, which are seconds from the block's own start."""

    start: float
    samples: Samples
    windows: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Sound:
    """A file's sound, to be read once."""

    duration: float | None
    """Seconds, as stated."""
    blocks: Iterator[Block]


def open_sound(path: Path) -> Sound:
    """Open a file's first audio stream. Raises: NotMedia, NoSound."""
    import av

    try:
        container = av.open(str(path), options=open_options(), metadata_errors="replace")
    except (av.error.FFmpegError, OSError) as error:
        raise NotMedia(f"{path.name} is no audio or video that can be read here ({error.strerror})") from None
    if not container.streams.audio:
        container.close()
        raise NoSound(f"{path.name} has no sound")
    duration = container.duration / 1e6 if container.duration else None
    return Sound(duration, _cut(_decode(container)))


def _decode(container: Any) -> Iterator[Samples]:
    """Mono samples at `RATE`, in pieces. What cannot be decoded is passed over, as players do."""
    import av

    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
    origin = (container.start_time or 0) / 1e6
    written = 0
    with container:
        for frame in _frames(container):
            hole = frame.time - origin - written / RATE if frame.time is not None else 0.0
            if HOLE < hole < LARGEST_HOLE:
                for silence in _silence(int(hole * RATE)):
                    written += silence.size
                    yield silence
            frame.pts = None  # the resampler would refuse a clock that jumps
            for sound in resampler.resample(frame):
                samples = _flat(sound)
                written += samples.size
                yield samples
        for sound in resampler.resample(None):
            yield _flat(sound)


def _silence(count: int) -> Iterator[Samples]:
    import numpy as np

    portion = int(BLOCK * RATE)
    for done in range(0, count, portion):
        yield np.zeros(min(portion, count - done), dtype=np.float32)


def _flat(frame: Any) -> Samples:
    import numpy as np

    return np.asarray(frame.to_ndarray(), dtype=np.float32).reshape(-1)


def _frames(container: Any) -> Iterator[Any]:
    import av

    packets = container.demux(audio=0)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.error.FFmpegError):
            return
        try:
            yield from packet.decode()
        except av.error.InvalidDataError:
            continue


def _cut(pieces: Iterator[Samples]) -> Iterator[Block]:
    """Blocks of about `BLOCK` seconds. The last window of each may go on in the next, and is left to it."""
    import numpy as np

    waiting: list[Samples] = []
    start, length = 0.0, 0
    for piece in pieces:
        waiting.append(piece)
        length += piece.size
        if length >= BLOCK * RATE:
            samples = np.concatenate(waiting)
            windows = speech_windows(samples)
            settled, rest = _settle(windows, samples.size / RATE)
            yield Block(start, samples, settled)
            waiting = [samples[int(rest * RATE) :].copy()]
            start, length = start + int(rest * RATE) / RATE, waiting[0].size
    samples = np.concatenate(waiting) if waiting else np.zeros(0, dtype=np.float32)
    yield Block(start, samples, speech_windows(samples) if samples.size else ())


def _settle(windows: tuple[Span, ...], length: float) -> tuple[tuple[Span, ...], float]:
    """The windows that are sure to end where they do, and from when on the rest is to be heard again."""
    if not windows or windows[-1][1] < length - PAUSE:
        return windows, length - 1.0  # the beginning of a word may be in the last second
    return windows[:-1], windows[-1][0]


def speech_windows(samples: Samples) -> tuple[Span, ...]:
    """Stretches with speech, at most `LONGEST` seconds each, by Silero VAD."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    options = VadOptions(min_silence_duration_ms=160, speech_pad_ms=0, max_speech_duration_s=LONGEST - BEFORE - AFTER)
    found = get_speech_timestamps(samples, options)
    parts = [(part["start"] / RATE, part["end"] / RATE) for part in found]
    return tuple(_widened(list(_joined(parts)), samples.size / RATE))


def _joined(parts: Sequence[Span]) -> Iterator[Span]:
    """Join neighbouring parts while they fit in a window. One that is full ends in its longest pause after `SOON`."""
    first = 0
    while first < len(parts):
        last = first
        while _goes_on(parts, last) and parts[last + 1][1] - parts[first][0] <= LONGEST - BEFORE - AFTER:
            last += 1
        if _goes_on(parts, last):
            ends = [end for end in range(first, last + 1) if parts[end][1] - parts[first][0] >= SOON] or [last]
            last = max(ends, key=lambda end: parts[end + 1][0] - parts[end][1])
        yield parts[first][0], parts[last][1]
        first = last + 1


def _goes_on(parts: Sequence[Span], index: int) -> bool:
    return index + 1 < len(parts) and parts[index + 1][0] - parts[index][1] < PAUSE


def _widened(windows: Sequence[Span], length: float) -> Iterator[Span]:
    """Speech begins softly and fades: each window takes some of the silence around it, its half at most."""
    for index, (start, end) in enumerate(windows):
        before = start - windows[index - 1][1] if index else 2 * start
        after = windows[index + 1][0] - end if index + 1 < len(windows) else 2 * (length - end)
        yield start - min(BEFORE, before / 2), end + min(AFTER, after / 2)
