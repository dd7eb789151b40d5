"""The insights template offline: quoted from the talk and its description, and honest where there is nothing."""

from __future__ import annotations

from bench.quality.corpus import Talk, transcript

from rushes.documents import Insights, Summary
from rushes.text.extractive_insights import NOTE
from rushes.text.fillers import without_fillers
from rushes.text.offline import summarize
from rushes.text.request import Request
from tests.text.conftest import spoken, video

LESSON = [
    "Hello everybody.",
    "In this video we are going to build a small service on Cloud Run with Python.",
    "A container is a package that holds a program and everything the program needs.",
    "First, clone the repository with git clone.",
    "Then open the Dockerfile and change the port to eight thousand.",
    "What does the port do in a container?",
    "The port tells the container where the service listens for requests.",
    "Now run docker build in the folder of the container.",
    "The BigQuery client and the BigQuery table come next, and they are swift.",
    "Finally, deploy the service and open its page in a browser.",
]
DESCRIPTION = "Code: https://github.com/me/service. Try it: https://service-demo.example.run.app/start (free)."


def made(*lines: str, description: str | None = None, title: str = "A lesson", language: str = "en") -> Summary:
    request = Request(spoken(*lines, language=language), video(title, description), template="insights")
    return summarize(request)


def insights(*lines: str, description: str | None = None, title: str = "A lesson") -> Insights:
    found = made(*lines, description=description, title=title).insights
    assert found
    return found


def test_addresses_come_from_the_description():
    found = insights(*LESSON, description=DESCRIPTION)

    assert found.source_code_url == "https://github.com/me/service"
    assert found.demo_url == "https://service-demo.example.run.app/start"


def test_what_nobody_names_is_not_available():
    found = insights("Bread needs time.", "Water needs none at all, as everybody knows.")

    assert (found.source_code_url, found.demo_url, found.what_will_build) == ("N/A", "N/A", "N/A")
    assert found.how_we_did_it == ()
    assert found.technologies_and_services == ()


def test_what_is_built_is_what_the_speaker_announces():
    assert insights(*LESSON).what_will_build.startswith("In this video we are going to build a small service")


def test_technologies_are_known_names_and_not_plain_words():
    found = set(insights(*LESSON).technologies_and_services)

    assert {"Cloud Run", "Python", "Docker", "BigQuery"} <= found
    assert "Swift" not in found


def test_steps_are_the_sentences_that_order_or_command():
    steps = insights(*LESSON).how_we_did_it

    assert [step.split()[0] for step in steps] == ["First,", "Then", "Now", "Finally,"]


def test_a_question_is_answered_by_what_is_said_next():
    answers = {pair.question: pair.answer for pair in insights(*LESSON).qa_segment}

    assert answers["What does the port do in a container?"].startswith("The port tells the container")


def test_a_question_that_names_nothing_is_passed_over():
    found = insights(*LESSON, "Which one was it?", "It was the one with the number of the container in it.")

    assert "Which one was it?" not in {pair.question for pair in found.qa_segment}


def test_a_definition_answers_what_a_thing_is():
    answers = {pair.question: pair.answer for pair in insights(*LESSON).qa_segment}

    assert answers["What is a container?"] == LESSON[2]


def test_every_answer_is_the_speakers_own(lecture: Talk):
    request = Request(transcript(lecture), video(), template="insights")
    said = sorted((without_fillers(sentence.text) for sentence in request.sentences), key=len, reverse=True)
    found = summarize(request).insights

    assert found
    assert 10 <= len(found.qa_segment) <= 15
    for pair in found.qa_segment:
        left = pair.answer
        for sentence in said:
            left = left.replace(sentence, "")
        assert not left.strip()


def test_limits_are_named():
    notes = made(*LESSON).notes

    assert NOTE in notes
    assert any("questions could be answered" in note for note in notes)


def test_another_language_gives_no_english_questions():
    lines = [
        "Der Teig braucht Zeit und Ruhe.",
        "Warum braucht der Teig so viel Zeit?",
        "Die Hefe arbeitet im Teig langsam.",
    ]
    found = made(*lines, language="de").insights

    assert found
    assert [pair.question for pair in found.qa_segment] == ["Warum braucht der Teig so viel Zeit?"]


def test_the_summary_itself_is_there_too():
    summary = made(*LESSON)

    assert summary.template == "insights"
    assert summary.overview
    assert summary.chapters
