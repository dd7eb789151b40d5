"""What the source is made of, each by itself: verdicts, messages, names, results, patience."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rushes.errors import ErrorClass, SettingsError, UsageError
from rushes.model import Failure, ItemStatus, JobId, JobStatus, Lease, Outcome, Plan, Produced, Trust, WorkerId
from rushes.requests import Request
from rushes.settings import Settings
from rushes.sources.pubsub.client import SubscriptionFacts
from rushes.sources.pubsub.desk import Desk
from rushes.sources.pubsub.held import Held
from rushes.sources.pubsub.message import Malformed, Message, read
from rushes.sources.pubsub.names import Names
from rushes.sources.pubsub.pulling import Patience
from rushes.sources.pubsub.telling import VALUE_BYTES, dead_letter, folder_of, result_message, told
from rushes.sources.pubsub.verdicts import Fate, Verdict, verdict_on
from rushes.sources.results import ItemResult
from rushes.sources.whole_items import Numbering, WholeItem
from rushes.stages import registry
from rushes.stages.base import Options, Stage
from rushes.stages.strangers import Pipelines
from tests.docs.pages import first_column, section

LEASE = Lease(JobId(1), 1, WorkerId(1))
COUNTED = SubscriptionFacts(max_attempts=5, dead_letter_topic="projects/p/topics/dead")
RESTING = SubscriptionFacts(max_attempts=5, dead_letter_topic="projects/p/topics/dead", backs_off=True)
UNCOUNTED = SubscriptionFacts()


def failed(kind: ErrorClass, **facts: object) -> Outcome:
    return Outcome(LEASE, failure=Failure(kind, "why", **facts))  # type: ignore[arg-type]  # as each case has it


TRANSIENT, LIMITED = failed(ErrorClass.TRANSIENT), failed(ErrorClass.RATE_LIMITED, retry_after=timedelta(seconds=90))
BACK, DEAD = Fate.GIVEN_BACK, Fate.DEAD_LETTER


@pytest.mark.parametrize(
    ("outcome", "facts", "delivery", "attempts", "expected"),
    [
        (Outcome(LEASE, produced=Produced()), COUNTED, 1, 1, Verdict(Fate.ACKNOWLEDGED, JobStatus.COMPLETED)),
        (Outcome(LEASE), COUNTED, 1, 1, Verdict(BACK, JobStatus.QUEUED)),
        (failed(ErrorClass.NEEDS_INPUT, environment=True), COUNTED, 1, 1, Verdict(BACK, JobStatus.QUEUED)),
        (failed(ErrorClass.NEEDS_INPUT), COUNTED, 1, 1, Verdict(DEAD, JobStatus.FAILED)),
        (failed(ErrorClass.PERMANENT), UNCOUNTED, 0, 1, Verdict(DEAD, JobStatus.FAILED)),
        (TRANSIENT, COUNTED, 1, 1, Verdict(BACK, JobStatus.RETRYING, timedelta(seconds=1))),
        (TRANSIENT, COUNTED, 4, 9, Verdict(BACK, JobStatus.RETRYING, timedelta(seconds=8))),
        (TRANSIENT, COUNTED, 5, 1, Verdict(BACK, JobStatus.FAILED)),
        (TRANSIENT, RESTING, 2, 1, Verdict(BACK, JobStatus.RETRYING)),
        (LIMITED, RESTING, 5, 1, Verdict(Fate.KEPT, JobStatus.QUEUED, timedelta(seconds=90))),
        (TRANSIENT, UNCOUNTED, 0, 2, Verdict(BACK, JobStatus.RETRYING, timedelta(seconds=2))),
        (TRANSIENT, UNCOUNTED, 0, 3, Verdict(DEAD, JobStatus.FAILED)),
        (LIMITED, UNCOUNTED, 0, 3, Verdict(Fate.KEPT, JobStatus.QUEUED, timedelta(seconds=90))),
        # It counts, but how far cannot be seen.
        (TRANSIENT, UNCOUNTED, 9, 1, Verdict(BACK, JobStatus.RETRYING, timedelta(seconds=256))),
    ],
)
def test_verdicts(outcome: Outcome, facts: SubscriptionFacts, delivery: int, attempts: int, expected: Verdict):
    found = verdict_on(outcome, facts, delivery=delivery, attempts=attempts, most=3, chance=0)
    assert found == expected


def asked(**fields: object) -> bytes:
    return json.dumps({"request_id": str(uuid4()), **fields}).encode()


def test_what_a_message_is_about_is_told_without_secrets():
    message = read(asked(url="https://user:word@example.org/a?token=abc&x=1"))
    assert message.about == "https://***@example.org/a?token=***&x=1"
    assert len(read(asked(text="word " * 1000)).about) == 200


@pytest.mark.parametrize(
    ("fields", "payload"),
    [
        ({"url": "https://example.org/a"}, {}),
        ({"text": "words"}, {"text": "words"}),
        (
            {"query": "why?", "audience": "cooks", "interest": "salt", "style": "dark", "modalities": ["text", "audio"]},
            {
                "query": "why?", "audience": "cooks", "interest": "salt", "style": "dark",
                "modalities": ["text", "audio"],
            },
        ),
        (
            {"student_id": 7, "student_query": "why?", "grade_level": "10th grade"},
            {"query": "why?", "audience": "10th grade", "modalities": ["video"]},
        ),
    ],
)  # fmt: skip
def test_what_generate_is_asked(fields: dict[str, object], payload: dict[str, object]):
    assert read(asked(**fields)).payload == payload


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"student_query": "why?", "student_id": "", "grade_level": 0}, "student_id and grade_level missing"),
        ({"query": "why?", "requested_modalities": ["images"]}, "'text', 'audio'"),
        ({"url": "ftp://example.org/a"}, "only http and https"),
        ({"url": "dQw4w9WgXcQ"}, "only http and https"),
        ({"url": ""}, "found none"),
        ({"url": "https://example.org/", "priority": True}, "priority"),
        ({"url": "https://example.org/", "options": {"play": 3}}, "options.play"),
        ({"url": "https://example.org/", "correlation_id": "x" * 201}, "correlation_id"),
        ({"query": "why?", "modalities": []}, "modalities"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_message_is_said(fields: dict[str, object], reason: str):
    with pytest.raises(Malformed, match=reason) as caught:
        read(asked(**fields))
    assert caught.value.request_id is not None
    assert len(str(caught.value)) <= 500


@given(st.binary(max_size=200) | st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: (
    st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["request_id", "url", "text", "query", "options", "priority", "pipeline"]) | st.text(), inner,
        max_size=5,
    )
)).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_any_data_is_a_message_or_malformed(data: bytes):
    with contextlib.suppress(Malformed):
        read(data)


def test_every_field_of_a_message_is_documented():
    known = first_column(section("docs/how-to/pubsub.md", "## The message"))
    assert set(Message.model_fields) <= known


def test_a_name_may_be_short_or_full():
    short = Settings.load(
        pubsub_project="p1", pubsub_subscription="sub-1", pubsub_results="out", pubsub_dead_letters="dead"
    )
    assert Names.of(short) == Names(
        "projects/p1/subscriptions/sub-1", "projects/p1/topics/dead", "projects/p1/topics/out"
    )
    full = Settings.load(pubsub_subscription="projects/p2/subscriptions/sub-1")
    assert Names.of(full) == Names("projects/p2/subscriptions/sub-1")


def test_the_seed_s_variables_name_its_subscription(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GCP_PROJECT_ID", "school-1")
    monkeypatch.setenv("ENVIRONMENT", "staging")
    assert Names.of(Settings.load()).subscription == "projects/school-1/subscriptions/content-worker-sub-staging"
    monkeypatch.setenv("PUBSUB_SUBSCRIPTION", "content-generation-worker-sub")
    assert Names.of(Settings.load()).subscription == "projects/school-1/subscriptions/content-generation-worker-sub"


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, "RUSHES_PUBSUB_SUBSCRIPTION"),
        ({"pubsub_subscription": "sub-1"}, "RUSHES_PUBSUB_PROJECT"),
        ({"pubsub_environment": "a b", "pubsub_project": "p1"}, "ENVIRONMENT"),
    ],
)
def test_what_is_lacking_is_named(given: dict[str, str], named: str):
    with pytest.raises(SettingsError, match=named):
        Names.of(Settings.load(**given))


def request(**facts: object) -> Request:
    return Request(uuid4(), "77", "req_1", Plan("play", ()), **facts)  # type: ignore[arg-type]  # as each case has it


def held(message_id: str = "77", *, key: str = "", data: bytes = b"", **attributes: str) -> Held:
    return Held(message_id, f"ack-{message_id}", data, attributes, key, 1, request(), None)


def test_a_result_too_large_for_a_message_is_told_without_its_documents():
    result = told(
        request(),
        ItemResult(ItemStatus.COMPLETED, text="in short", documents={"transcript": {"text": "x" * 9_000_000}}),
    )
    message = result_message(result)
    data = json.loads(message.data)
    assert (data["text"], data["documents"]) == ("in short", {})
    assert "too large" in data["notes"][0]
    huge = told(request(), ItemResult(ItemStatus.COMPLETED, text="x" * 9_000_000))
    assert json.loads(result_message(huge).data)["text"] is None


def test_a_dead_letter_keeps_within_pubsub_s_limits():
    many = {f"k{n}": "v" for n in range(100)}
    failure = Failure(ErrorClass.PERMANENT, "ü" * 2000, remedy=None)
    letter = dead_letter(held(data=b"x" * 10_000_000, **many), failure, "projects/p/subscriptions/s")
    attributes = dict(letter.attributes)
    assert len(attributes) == 100
    assert len(attributes["rushes_error"].encode()) <= VALUE_BYTES
    assert attributes["rushes_cut"] == "10000000"
    assert len(letter.data) < 10_000_000


def test_a_message_without_an_id_has_a_folder_that_leads_nowhere_else():
    assert folder_of(Request(None, "../../7")) == "pubsub/message-______7"


def test_pulls_end_when_a_worker_would_end_that_found_nothing():
    desk = Desk(ordered=False)
    patience = Patience(timedelta(seconds=30), timedelta(seconds=5))
    start = desk.idle_since
    assert patience.seconds(desk, start) == 2.5
    assert patience.seconds(desk, start + 2.6) == pytest.approx(2.35)
    assert patience.last_moment(desk, start + 4.9) == 0  # it has not looked twice
    desk.found_nothing()
    desk.found_nothing()
    assert patience.last_moment(desk, start + 3) == 0
    assert patience.last_moment(desk, start + 4.9) == pytest.approx(0.3)
    assert patience.last_moment(desk, start + 5.3) == 0
    assert Patience(timedelta(seconds=30), None).seconds(desk, start) == 30
    assert Patience(timedelta(seconds=30), timedelta(seconds=600)).seconds(desk, start) == 30


def test_a_desk_has_room_for_what_free_slots_can_begin():
    desk = Desk(ordered=True)
    desk.claim(4)
    assert desk.room == 4
    assert [desk.add(held("1", key="a")), desk.add(held("2", key="a")), desk.add(held("3"))] == [True, False, True]
    assert desk.room == 2
    for n in range(4, 8):
        desk.add(held(str(n), key="a"))
    assert desk.room == 0  # enough wait for others of their key
    first = desk.get("1")
    assert first
    assert [each.message_id for each in desk.gone(first)] == ["2", "4", "5", "6", "7"]
    assert desk.room == 3


def test_a_suspect_runs_by_itself():
    desk, numbering = Desk(ordered=False), Numbering(Trust.UNTRUSTED)
    assignments = [numbering.assignment(WholeItem("pubsub/1", Plan("play", ()), None)) for _ in range(3)]
    killer, innocent, other = (replace(held(str(n)), assignment=each) for n, each in enumerate(assignments))
    killer.suspect = innocent.suspect = True
    killer.crashes, innocent.crashes = 3, 2
    desk.claim(4)
    for each in (killer, innocent, other):
        desk.add(each)
    assert desk.room == 0  # what comes now is better done by others
    assert not desk.isolate(killer)
    assert not desk.isolate(innocent)
    desk.make_ready(other)
    assert desk.claim(4) == [other]
    assert desk.next_suspect() == []
    desk.done(other)
    for suspect in (innocent, killer):
        assert desk.next_suspect() == [suspect]
        assert desk.isolate(suspect)
        assert desk.solo is suspect
        desk.make_ready(suspect)
        assert desk.claim(4) == [suspect]
        assert desk.next_suspect() == []
        desk.done(suspect)
    assert desk.solo is None
    assert desk.room == 3


def test_messages_of_one_request_wait_for_the_first():
    desk, asked = Desk(ordered=True), request()
    one, two, three = (replace(held(name), request=asked) for name in "123")
    for each in (one, two, three):
        desk.add(each)
    assert [desk.begin(each) for each in (one, two, three)] == [True, False, False]
    assert desk.done(one) == [two]
    assert desk.begin(two)
    assert desk.gone(two) == [three]
    assert list(desk) == []


def test_a_desk_is_empty_after_two_pulls_that_found_nothing():
    desk, seen = Desk(ordered=False), []

    def then(*steps: Callable[[], object]) -> None:
        for step in steps:
            step()
        seen.append(desk.empty)

    one = held("1")
    then(desk.found_nothing)
    then(desk.found_nothing)
    then(lambda: desk.in_trouble("pull", OSError("away")), desk.found_nothing, desk.found_nothing)
    then(lambda: desk.out_of_trouble("pull"))
    then(lambda: desk.add(one))
    then(lambda: desk.done(one))  # what was found before it says nothing of now
    assert seen == [False, True, False, True, False, False]


class Louder(Options):
    loud: int = 1
    key: str | None = None


@pytest.fixture
def pipelines(quiet: Settings) -> Pipelines:
    registry.register(Stage("loud", run=None, options=Louder, private_options=frozenset({"key"})))  # type: ignore[arg-type]  # never run
    return Pipelines(quiet, ["loud.loud=5", "play.x=1"][:1])


def test_options_of_the_worker_hold_where_there_is_such_a_stage(pipelines: Pipelines):
    assert pipelines.resolve("loud", {}).steps[0].options == {"loud": 5}
    assert pipelines.resolve("loud", {"loud": {"loud": 7}}).steps[0].options == {
        "loud": 5
    }  # its own come with the item
    assert pipelines.resolve("play", {}).steps[0].options == {}


def test_a_stranger_sets_no_option_that_names_credentials(pipelines: Pipelines):
    with pytest.raises(UsageError, match=r"loud\.key cannot be set"):
        pipelines.resolve("loud", {"loud": {"key": "env:SECRET"}})
    with pytest.raises(UsageError, match="no stage"):
        pipelines.resolve("play", {"loud": {"loud": 7}})


def test_a_worker_s_option_that_is_wrong_is_found_at_the_start(quiet: Settings):
    with pytest.raises(UsageError, match=r"no option 'play\.tempo'"):
        Pipelines(quiet, ["play.tempo=7"])
