"""Files of this machine: taken where they lie, with what lies beside them and what is inside them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from rushes.documents import VideoDocument
from rushes.errors import Permanent
from rushes.model import Trust
from rushes.stages.base import Made, Result
from rushes.stages.download import DOWNLOAD

SRT = "1\n00:00:00,000 --> 00:00:02,000\nFlour and water.\n"
MARK = "[CHAPTER]\nTIMEBASE=1/1\nSTART={}\nEND={}\ntitle={}\n"
MARKS = ";FFMETADATA1\n" + MARK.format(0, 3, "Flour") + MARK.format(3, 6, "Water")


def made(result: Result, kind: str) -> list[Made]:
    return [one for one in result.made if one.kind == kind]


def document(result: Result) -> VideoDocument:
    (metadata,) = made(result, "metadata")
    return VideoDocument.read(metadata.path)


def languages(result: Result) -> list[tuple[str, str]]:
    return [(track.language, track.format) for track in document(result).captions]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The folder of somebody's own videos."""
    (tmp_path / "my videos").mkdir()
    return tmp_path / "my videos"


@pytest.fixture
def talk(home: Path, media: Any) -> Path:
    return Path(shutil.copy(media("talk.mp4"), home / "talk.mp4"))


async def test_a_file_stays_where_it_is(talk: Path, home: Path, desk: Any) -> None:
    before = (talk.read_bytes(), talk.stat().st_mtime_ns)
    result = await desk(str(talk)).run(DOWNLOAD)
    (media,) = made(result, "media")
    assert media.path == talk
    assert media.metadata["in_place"] is True
    assert (talk.read_bytes(), talk.stat().st_mtime_ns) == before
    assert [path.name for path in home.iterdir()] == ["talk.mp4"]
    assert result.engine is None


async def test_a_file_is_described_by_what_it_says_of_itself(talk: Path, desk: Any) -> None:
    video = document(await desk(str(talk)).run(DOWNLOAD))
    assert (video.title, video.path, video.url) == ("Bread at home", str(talk), None)
    assert video.duration == pytest.approx(6, abs=0.2)
    assert (video.has_audio, video.has_picture) == (True, True)


async def test_a_file_without_a_title_has_its_name_for_one(home: Path, media: Any, desk: Any) -> None:
    path = shutil.copy(media("talk.m4a"), home / "my_first talk.m4a")
    result = await desk(str(path)).run(DOWNLOAD)
    assert result.facts.title == document(result).title == "my first talk"
    assert made(result, "thumbnail") == []


async def test_a_video_gets_a_frame_for_a_thumbnail(talk: Path, desk: Any) -> None:
    from PIL import Image

    (thumbnail,) = made(await desk(str(talk)).run(DOWNLOAD), "thumbnail")
    with Image.open(thumbnail.path) as picture:
        assert picture.format == "JPEG"
        assert picture.width / picture.height == pytest.approx(16 / 9, abs=0.01)
        assert max(picture.size) <= 640


async def test_captions_beside_it_are_its_publishers(talk: Path, home: Path, desk: Any, captions: str) -> None:
    (home / "talk.vtt").write_text(captions, encoding="utf-8")
    (home / "talk.en.srt").write_text(SRT, encoding="utf-8")
    (home / "talk.pt_BR.srt").write_text(SRT, encoding="utf-8")
    (home / "talk.fr.srt").write_text("<html>no captions</html>", encoding="utf-8")
    (home / "talk two.vtt").write_text(captions, encoding="utf-8")
    (home / "talk.notes.txt").write_text("notes", encoding="utf-8")
    result = await desk(str(talk)).run(DOWNLOAD)
    assert sorted(languages(result)) == [("en", "srt"), ("pt-BR", "srt"), ("und", "vtt")]
    assert list(result.notes) == ["talk.fr.srt was left out: it is no caption file"]
    assert all(home not in one.path.parents for one in made(result, "captions"))
    assert len(list(home.iterdir())) == 7


async def test_captions_beside_it_stand_in_for_the_sound(talk: Path, home: Path, desk: Any, captions: str) -> None:
    (home / "talk.en.vtt").write_text(captions, encoding="utf-8")
    assert made(await desk(str(talk), wanted={"captions_or_audio"}).run(DOWNLOAD), "media") == []
    german = desk(str(talk), wanted={"captions_or_audio"}, options={"languages": "de"})
    assert len(made(await german.run(DOWNLOAD), "media")) == 1


async def test_captions_and_chapters_inside_it_are_taken_out(home: Path, media: Any, desk: Any, ffmpeg: Path) -> None:
    (home / "marks").write_text(MARKS, encoding="utf-8")
    (home / "words.srt").write_text(SRT, encoding="utf-8")
    inputs = ["-i", media("talk.mp4"), "-i", home / "words.srt", "-i", home / "marks"]
    maps = [
        "-map",
        "0",
        "-map",
        "1",
        "-map_metadata",
        "2",
        "-c",
        "copy",
        "-c:s",
        "mov_text",
        "-metadata:s:s:0",
        "language=eng",
    ]
    subprocess.run([ffmpeg, "-v", "error", "-nostdin", *inputs, *maps, home / "full.mp4"], check=True)
    result = await desk(str(home / "full.mp4")).run(DOWNLOAD)
    assert [(one.title, one.start, one.end) for one in document(result).chapters] == [("Flour", 0, 3), ("Water", 3, 6)]
    assert languages(result) == [("en", "vtt")]
    assert "Flour and water." in made(result, "captions")[0].path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("text.mp4", "text.mp4 is a text file, not audio or video"),
        ("half.mp4", r"half.mp4 is cut short: it states 0:00:06\.\d, and can be read up to 0:00:0[23]"),
        ("mute.mp4", "it has no sound"),
    ],
)
async def test_files_that_are_of_no_use_fail_in_words(home: Path, media: Any, desk: Any, name: str, words: str) -> None:
    content = {"text.mp4": b"This is no video.\n" * 400, "mute.mp4": media("mute.mp4").read_bytes()}
    whole = media("talk.mp4").read_bytes()
    (home / name).write_bytes(content.get(name, whole[: len(whole) // 2]))
    with pytest.raises(Permanent, match=words):
        await desk(str(home / name), wanted={"audio"}).run(DOWNLOAD)
    assert (home / name).is_file()


async def test_a_playlist_in_disguise_opens_nothing(home: Path, site: Any, desk: Any) -> None:
    listed = "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n{}\n#EXT-X-ENDLIST\n"
    (home / "talk.mp4").write_text(listed.format(f"{site.address}/secret.ts"), encoding="utf-8")
    with pytest.raises(Permanent):
        await desk(str(home / "talk.mp4")).run(DOWNLOAD)
    assert site.visits == []
    reads_files = site.put("/talk.m3u8", listed.format("file:///etc/hostname"), "application/vnd.apple.mpegurl")
    context = desk(reads_files)
    with pytest.raises(Permanent):
        await context.run(DOWNLOAD)
    assert not any(
        Path("/etc/hostname").read_bytes() in path.read_bytes() for path in context.scratch.rglob("*") if path.is_file()
    )


async def test_a_file_that_has_gone_is_permanent(home: Path, desk: Any) -> None:
    with pytest.raises(Permanent, match=r"gone\.mp4 does not exist"):
        await desk(str(home / "gone.mp4")).run(DOWNLOAD)


async def test_files_are_not_for_others(talk: Path, desk: Any) -> None:
    with pytest.raises(Permanent):
        await desk(str(talk), trust=Trust.UNTRUSTED).run(DOWNLOAD)
