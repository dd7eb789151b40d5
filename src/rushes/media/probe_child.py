"""The child of `probe`: opens a file with FFmpeg's libraries, under limits, and says what it found.

Run as `python -m rushes.media.probe_child`; it answers one question and ends.
"""

from __future__ import annotations

import resource
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rushes.children import Message, serve
from rushes.media.containers import open_options
from rushes.media.faults import Incomplete, MediaFault, NotMedia
from rushes.media.limits import limit

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream

MEMORY = 3 * 1024**3
"""Bytes of data the child may hold."""
ENOUGH = 0.98
"""Share of the stated duration that must be there."""
SLACK = 1.0
"""Seconds that may be missing of a short file: encoders round, and sound and picture rarely end together."""
DAMAGE = 0.05
"""Share of packets that may fail to decode: players hide a scratch, but not this much."""
STATING = frozenset({"mov", "matroska", "webm", "flac", "wav", "w64", "ogg", "avi", "asf", "flv", "mxf", "aiff", "caf"})
"""Formats whose duration is stated. In others (MP3, AAC, MPEG-TS) it is guessed from the bit rate, and proves nothing."""


@dataclass(slots=True)
class Reach:
    """How far one stream was read."""

    end: float = 0.0
    packets: int = 0
    damaged: int = 0


def main() -> None:
    """Answer `{"path", "deep", "expected"}` with `{"probe"}` or `{"fault", "message"}`."""
    _limit()
    serve(_answer)


def _limit() -> None:
    limit(resource.RLIMIT_DATA, MEMORY)
    limit(resource.RLIMIT_FSIZE, 0)
    limit(resource.RLIMIT_CORE, 0)


def _answer(message: Message, say: Callable[..., None]) -> None:
    path = Path(message["path"])
    try:
        say(probe=inspect(path, deep=message["deep"], expected=message["expected"]))
    except MediaFault as fault:
        say(fault=type(fault).__name__, message=fault.reason)


def inspect(path: Path, *, deep: bool, expected: float | None) -> dict[str, Any]:
    """What the file says of itself; with `deep` only if it is there to its end. Raises: MediaFault."""
    with _open(path) as container:
        found = _describe(container, path)
        if not any(stream["kind"] in {"video", "audio"} for stream in found["streams"]):
            raise NotMedia(f"{path.name} has neither sound nor picture")
        if deep:
            reaches = _read_through(container)
            _require_whole(container, reaches, expected, path.name)
            found["duration"] = found["duration"] or max(reach.end for reach in reaches.values())
        return found


def _open(path: Path) -> InputContainer:
    import av

    try:
        return av.open(str(path), options=open_options(), metadata_errors="replace")
    except FileNotFoundError:
        raise NotMedia(f"{path.name} does not exist") from None
    except av.error.FFmpegError as error:
        raise _why_not(path, error.strerror or str(error)) from None


def _why_not(path: Path, reason: str) -> MediaFault:
    """Put the failure to open a file into words, by what its first bytes are."""
    with path.open("rb") as file:
        head = file.read(4096)
    if not head:
        return NotMedia(f"{path.name} is empty")
    if head[4:8] in {b"ftyp", b"moov", b"mdat", b"free", b"wide"}:
        return Incomplete(
            f"{path.name} is a truncated MP4 file: its index is missing, as when a download stopped early"
        )
    if head.lstrip()[:9].lower().startswith((b"<!doctype", b"<html")):
        return NotMedia(f"{path.name} is a web page, not audio or video")
    if b"\0" not in head and _is_text(head):
        return NotMedia(f"{path.name} is a text file, not audio or video")
    return NotMedia(f"{path.name} is no audio or video that can be read here ({reason})")


def _is_text(head: bytes) -> bool:
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start > len(head) - 4  # the last character was cut
    return True


def _describe(container: InputContainer, path: Path) -> dict[str, Any]:
    return {
        "format": container.format.name,
        "duration": container.duration / 1e6 if container.duration else None,
        "size": path.stat().st_size,
        "streams": [_stream(stream) for stream in container.streams],
        "chapters": [_chapter(chapter) for chapter in container.chapters()],
        "tags": {key.lower(): value for key, value in container.metadata.items()},
    }


def _stream(stream: Stream) -> dict[str, Any]:
    from av.stream import Disposition

    codec: Any = stream.codec_context  # None for data streams; what it has differs by kind
    rate = getattr(stream, "average_rate", None)
    return {
        "kind": stream.type,
        "codec": codec.name if codec else "unknown",
        "language": _language(stream),
        "width": getattr(codec, "width", None) or None,
        "height": getattr(codec, "height", None) or None,
        "fps": round(float(rate), 3) if rate else None,
        "sample_rate": getattr(codec, "sample_rate", None) or None,
        "channels": getattr(codec, "channels", None) or None,
        "cover": bool(stream.disposition & Disposition.attached_pic),
    }


def _language(stream: Stream) -> str | None:
    language = stream.language
    return language if language and language not in {"und", "mul", "zxx"} else None


def _chapter(chapter: Any) -> dict[str, Any]:
    base = float(chapter["time_base"])
    title = chapter["metadata"].get("title", "")
    return {"title": title, "start": chapter["start"] * base, "end": chapter["end"] * base}


def _read_through(container: InputContainer) -> dict[int, Reach]:
    """Read every packet and decode the sound; of the picture, which takes far longer, the last key frame alone."""
    import av

    origin = (container.start_time or 0) / 1e6
    reaches = {stream.index: Reach() for stream in container.streams if stream.type in {"audio", "video"}}
    last_key: dict[int, Packet[Any]] = {}
    try:
        for packet in container.demux([container.streams[index] for index in reaches]):
            if packet.dts is None:
                continue
            _count(packet, reaches[packet.stream_index], origin)
            if packet.stream.type == "audio":
                _decode(packet, reaches[packet.stream_index])
            elif packet.is_keyframe:
                last_key[packet.stream_index] = packet
    except av.error.FFmpegError:
        pass  # the data ends here: how far it went is judged by the caller
    for index, packet in last_key.items():
        _decode(packet, reaches[index])
    return reaches


def _count(packet: Packet[Any], reach: Reach, origin: float) -> None:
    start = packet.pts if packet.pts is not None else packet.dts
    if start is not None and packet.time_base is not None:
        reach.end = max(reach.end, float((start + (packet.duration or 0)) * packet.time_base) - origin)
    reach.packets += 1
    reach.damaged += packet.is_corrupt


def _decode(packet: Packet[Any], reach: Reach) -> None:
    import av

    try:
        packet.decode()
    except av.error.FFmpegError:
        reach.damaged += 1


def _require_whole(container: InputContainer, reaches: dict[int, Reach], expected: float | None, name: str) -> None:
    end = max(reach.end for reach in reaches.values())
    if end <= 0:
        raise Incomplete(f"{name} holds no data that can be read")
    if STATING & set(container.format.name.split(",")):
        _require(name, end, (container.duration or 0) / 1e6)
        for index, reach in reaches.items():
            _require(name, reach.end, _stated(container.streams[index]))
    if expected:
        _require(name, end, expected)
    for index, reach in reaches.items():
        _require_sound(name, container.streams[index].type, reach)


def _require_sound(name: str, kind: str, reach: Reach) -> None:
    if kind == "audio" and reach.damaged > DAMAGE * reach.packets:
        raise Incomplete(f"{name} is damaged: {reach.damaged} of {reach.packets} pieces of its sound cannot be decoded")
    if kind == "video" and reach.damaged:
        raise Incomplete(f"{name} is damaged: its picture cannot be decoded at {_clock(reach.end)}")


def _stated(stream: Stream) -> float:
    return float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0


def _require(name: str, end: float, stated: float) -> None:
    if end < min(stated * ENOUGH, stated - SLACK):
        raise Incomplete(f"{name} is cut short: it states {_clock(stated)}, and can be read up to {_clock(end)}")


def _clock(seconds: float) -> str:
    hours, rest = divmod(round(seconds, 1), 3600)
    minutes, rest = divmod(rest, 60)
    return f"{int(hours)}:{int(minutes):02}:{rest:04.1f}"


if __name__ == "__main__":
    main()
