"""The example processor with Gemini: a real process, a real client, and a model on loopback."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from .conftest import EXAMPLES, Serve, Service, clean_environment, problem
from .local_gemini import CHAPTER, KEY, TOKEN, LocalGemini, Mood

FOLDER = EXAMPLES / "url_processor"
VIDEO = "https://www.youtube.com/watch?v=dQw4w9WgXcQ"
MODEL = "gemini-test"


@pytest.fixture(scope="module")
def processor(serve: Serve, gemini: LocalGemini, python: str) -> Service:
    return serve(
        "url_processor", python, GOOGLE_GEMINI_BASE_URL=gemini.url, GEMINI_API_KEY=KEY, GEMINI_MODEL=MODEL,
        GEMINI_TIMEOUT_SECONDS="2", GOOGLE_CLOUD_PROJECT="films",
    )  # fmt: skip


@pytest.fixture(scope="module")
def on_vertex(serve: Serve, gemini: LocalGemini, python: str) -> Service:
    host = gemini.url.removeprefix("http://")
    return serve(
        "url_processor", python, GOOGLE_GENAI_USE_VERTEXAI="true", GOOGLE_CLOUD_PROJECT="films",
        GOOGLE_CLOUD_LOCATION="us-central1", GOOGLE_VERTEX_BASE_URL=gemini.url, GEMINI_MODEL=MODEL,
        GCE_METADATA_HOST=host, GCE_METADATA_IP=host,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def _good_mood(gemini: LocalGemini) -> None:
    gemini.mood = Mood()
    gemini.visits.clear()


def test_an_address_becomes_a_chapter_of_eight_fields(processor: Service):
    answer = processor.ask(VIDEO)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == CHAPTER


def test_the_video_is_attached_and_the_answer_s_schema_goes_with_it(processor: Service, gemini: LocalGemini):
    processor.ask("https://youtu.be/dQw4w9WgXcQ?si=tracker")
    (visit,) = gemini.visits
    assert visit.path.endswith(f"/models/{MODEL}:generateContent")
    assert visit.attached == [{"fileUri": VIDEO, "mimeType": "video/mp4"}]
    assert visit.said == (FOLDER / "prompt.md").read_text()
    asked = visit.body["generationConfig"]
    assert asked["responseMimeType"] == "application/json"
    schema = asked.get("responseSchema") or asked["responseJsonSchema"]
    assert set(schema["properties"]) == set(CHAPTER)


@pytest.mark.parametrize(
    ("address", "attached"),
    [
        ("https://m.youtube.com/shorts/dQw4w9WgXcQ", {"fileUri": VIDEO, "mimeType": "video/mp4"}),
        ("https://www.youtube.com/live/dQw4w9WgXcQ?feature=share", {"fileUri": VIDEO, "mimeType": "video/mp4"}),
        ("https://a.example/talk.MP4?sig=x", {"fileUri": "https://a.example/talk.MP4?sig=x", "mimeType": "video/mp4"}),
        ("http://example.org/talk.webm", {"fileUri": "http://example.org/talk.webm", "mimeType": "video/webm"}),
        ("https://example.org/podcast.mp3", {"fileUri": "https://example.org/podcast.mp3", "mimeType": "audio/mpeg"}),
    ],
)  # fmt: skip
def test_videos_and_media_files_are_attached(
    processor: Service, gemini: LocalGemini, address: str, attached: dict[str, str]
):
    assert processor.ask(address).status_code == 200
    assert gemini.visits[0].attached == [attached]


@pytest.mark.parametrize(
    "address",
    [
        "https://example.org/", "https://example.org/talk", "https://www.youtube.com/@channel", "https://youtu.be/",
        "https://www.youtube.com/watch?v=short", "https://notyoutube.com/watch?v=dQw4w9WgXcQ", "ftp://example.org/a.mp4",
        "file:///etc/passwd.mp4", "/etc/passwd.mp4", "https:///talk.mp4", "https://[talk.mp4", "gs://films/talk.mp4",
    ],
)  # fmt: skip
def test_what_cannot_be_attached_is_refused_and_never_asked_about(
    processor: Service, gemini: LocalGemini, address: str
):
    answer = processor.ask(address)
    assert answer.status_code == 422
    assert answer.text.startswith("the model cannot be shown this address: ")
    assert gemini.visits == []


@pytest.mark.parametrize("name", [None, "", "  ", 7, ["https://example.org/a.mp4"]])
def test_without_an_address_the_request_is_wrong(processor: Service, gemini: LocalGemini, name: Any):
    assert processor.ask(name).status_code == 400
    assert gemini.visits == []


def test_other_requests_are_answered_as_they_should_be(processor: Service):
    assert processor.http.post(processor.url, content=b"no JSON").status_code == 400
    assert processor.http.post(processor.url, content=b"x" * 200_000).status_code == 413
    refused = processor.http.put(processor.url, json={"name": VIDEO})
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, POST")
    assert processor.http.get(processor.url).json() == {"status": "ok", "model": MODEL}


BLOCKED = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {}}
RETRY_INFO = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "33.2s"}


@pytest.mark.parametrize(
    ("mood", "status", "said"),
    [
        (Mood(body=BLOCKED), 422, "the model refuses this video: PROHIBITED_CONTENT"),
        (Mood(finish="SAFETY", text=""), 422, "the model refuses to write about this video: SAFETY"),
        (Mood(finish="RECITATION", text="{"), 422, "RECITATION"),
        (Mood("", 400, problem(400, "INVALID_ARGUMENT", "cannot fetch")), 422, "the model answered 400: cannot fetch"),
        (Mood("", 401, problem(401, "UNAUTHENTICATED", "who are you")), 500, "who are you"),
        (Mood("", 403, problem(403, "PERMISSION_DENIED", "not you")), 500, "not you"),
        (Mood("", 404, problem(404, "NOT_FOUND", "no such model")), 500, "no such model"),
        (Mood("", 400, problem(400, "INVALID_ARGUMENT", "bad key", reason="API_KEY_INVALID")), 500, "bad key"),
        (Mood("", 500, problem(500, "INTERNAL", "oops")), 503, "the model answered 500: oops"),
        (Mood("", 503, problem(503, "UNAVAILABLE", "overloaded")), 503, "overloaded"),
        (Mood("", 504, {}), 503, "the model answered 504"),
        (Mood(hangs=True), 503, "the model cannot be reached: ReadTimeout"),
        (Mood(text="no JSON"), 502, "the model's answer breaks its schema"),
        (Mood(text=""), 502, "the model's answer breaks its schema"),
        (Mood(text=json.dumps(CHAPTER | {"qa_segment": []})), 502, "qa_segment"),
        (Mood(text=json.dumps(CHAPTER | {"chapter_title": " "})), 502, "chapter_title"),
        (Mood(text=json.dumps(CHAPTER | {"demo_url": "javascript:alert(1)"})), 502, "demo_url"),
        (Mood(finish="MAX_TOKENS"), 502, "it ended with MAX_TOKENS"),
        (Mood(body={"candidates": []}), 502, "it ended with nothing"),
    ],
)
def test_what_goes_wrong_is_told_by_its_status(
    processor: Service, gemini: LocalGemini, mood: Mood, status: int, said: str
):
    gemini.mood = mood
    answer = processor.ask(VIDEO)
    assert answer.status_code == status
    assert said in answer.text
    assert len(answer.text.splitlines()) == 1
    assert len(gemini.visits) == 1, "it is the caller who tries again"


@pytest.mark.parametrize(
    ("mood", "seconds"),
    [
        (Mood("", 429, problem(429, "RESOURCE_EXHAUSTED", "quota"), headers={"Retry-After": "17"}), "17"),
        (Mood("", 429, problem(429, "RESOURCE_EXHAUSTED", "quota", **RETRY_INFO)), "34"),
        (Mood("", 429, problem(429, "RESOURCE_EXHAUSTED", "quota")), None),
    ],
)
def test_a_busy_model_s_rest_is_passed_on(processor: Service, gemini: LocalGemini, mood: Mood, seconds: str | None):
    gemini.mood = mood
    answer = processor.ask(VIDEO)
    assert answer.status_code == 429
    assert answer.headers.get("retry-after") == seconds


def test_a_model_that_is_not_there_is_worth_another_try(serve: Serve, python: str):
    nowhere = serve("url_processor", python, GOOGLE_GEMINI_BASE_URL="http://127.0.0.1:9", GEMINI_API_KEY=KEY)
    answer = nowhere.ask(VIDEO)
    assert (answer.status_code, answer.text) == (503, "the model cannot be reached: ConnectError\n")


def test_vertex_ai_is_asked_with_the_service_account_s_token(on_vertex: Service, gemini: LocalGemini):
    assert on_vertex.ask("gs://films/talk.mp4").json() == CHAPTER
    (visit,) = gemini.visits
    assert visit.path.endswith(
        f"/projects/films/locations/us-central1/publishers/google/models/{MODEL}:generateContent"
    )
    assert visit.headers["authorization" if "authorization" in visit.headers else "Authorization"] == f"Bearer {TOKEN}"
    assert visit.attached == [{"fileUri": "gs://films/talk.mp4", "mimeType": "video/mp4"}]


def test_a_request_is_one_line_of_the_log_with_its_id(processor: Service):
    trace = "0af7651916cd43dd8448eb211c80319c"
    answer = processor.ask(VIDEO, **{"Idempotency-Key": '"row-42"', "X-Cloud-Trace-Context": f"{trace}/1;o=1"})
    assert answer.headers["x-request-id"] == "row-42"
    entry = json.loads(next(line for line in processor.logged().splitlines() if "row-42" in line))
    assert (entry["severity"], entry["status"]) == ("INFO", 200)
    assert entry["logging.googleapis.com/labels"] == {"request_id": "row-42"}
    assert entry["logging.googleapis.com/trace"] == f"projects/films/traces/{trace}"
    assert (entry["input_tokens"], entry["output_tokens"]) == (500, 100)
    assert entry["address"] == VIDEO


def test_no_secret_is_logged_or_answered(processor: Service, gemini: LocalGemini):
    address = "https://me:hunter2@example.org/talk.mp4?X-Goog-Signature=hunter3#hunter3"
    answers = [processor.ask(address)]
    gemini.mood = Mood("", 403, problem(403, "PERMISSION_DENIED", "not you"))
    answers += [processor.ask(address), processor.ask("https://me:hunter2@example.org/page?hunter3")]
    said = processor.logged() + "".join(answer.text for answer in answers)
    assert [secret for secret in ("hunter2", "hunter3", KEY) if secret in said] == []
    assert "https://example.org/talk.mp4" in said


def test_without_a_key_it_does_not_start(python: str):
    ended = subprocess.run(
        [python, "-m", "functions_framework", "--source", str(FOLDER / "main.py"), "--target", "process_url"],
        env=clean_environment() | {"NO_GCE_CHECK": "true"}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert ended.returncode == 1
    assert "Set GEMINI_API_KEY; or GOOGLE_GENAI_USE_VERTEXAI=true" in ended.stderr


def test_the_pins_name_no_place_and_have_hashes():
    pins = (FOLDER / "requirements.txt").read_text()
    assert "://" not in pins
    assert not any(line.startswith("-") for line in pins.splitlines())
    blocks = pins.replace("\\\n", " ").splitlines()
    assert all("==" in block and "--hash=sha256:" in block for block in blocks)
    wanted = set((FOLDER / "requirements.in").read_text().split())
    assert wanted <= {block.split("==")[0] for block in blocks}


def test_the_pins_are_what_is_new():
    """What is pinned is what the requirements mean, not an older release that a constraint led to."""
    pinned = dict(
        line.split(" ")[0].split("==")
        for line in (FOLDER / "requirements.txt").read_text().splitlines()
        if "==" in line
    )
    assert int(pinned["google-genai"].split(".")[0]) >= 3
