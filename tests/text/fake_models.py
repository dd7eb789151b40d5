"""A server on loopback that speaks the three model providers' dialects, so that their real clients can be tested."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

INPUT_TOKENS, OUTPUT_TOKENS = 120, 30


@dataclass(frozen=True)
class Refusal:
    """An answer with an error status."""

    status: int
    body: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Words:
    """An answer in words alone, such as a model's own refusal."""

    text: str


@dataclass
class Question:
    """A request as it arrived."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def text(self) -> str:
        """Everything that was said to the model, whichever the dialect."""
        return "\n".join(strings(self.body))

    @property
    def asked(self) -> str:
        """What the user's first message says, without instructions and tool descriptions."""
        messages = self.body.get("messages") or self.body.get("contents") or []
        return "\n".join(strings([message for message in messages if message.get("role") == "user"]))

    @property
    def lines(self) -> list[int]:
        """The line numbers that the question holds."""
        return [int(number) for number in re.findall(r"^(?:Chapter from )?\[(\d+)\]", self.asked, re.MULTILINE)]

    @property
    def schema(self) -> str:
        """The fields that are asked for."""
        return json.dumps(self.body.get("tools", []))


Answer = Callable[[Question], dict[str, Any] | Refusal | Words]


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from strings(part)


class FakeModels(ThreadingHTTPServer):
    """Give answers in turn, the last one for ever."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.questions: list[Question] = []
        self.answers: list[Answer] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def url_of(self, provider: str) -> str:
        return f"{self.url}/v1" if provider == "openai" else self.url

    def answer(self, *answers: Answer | dict[str, Any] | Refusal | Words) -> None:
        self.answers = [answer if callable(answer) else _always(answer) for answer in answers]

    def reply(self, question: Question) -> dict[str, Any] | Refusal | Words:
        self.questions.append(question)
        return self.answers[min(len(self.questions), len(self.answers)) - 1](question)


def _always(value: dict[str, Any] | Refusal | Words) -> Answer:
    return lambda _question: value


class _Handler(BaseHTTPRequestHandler):
    server: FakeModels

    def log_message(self, *_: Any) -> None:
        """Keep the tests' output clean."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        made = self.server.reply(Question(self.path, dict(self.headers), body))
        if isinstance(made, Refusal):
            self._send(made.status, made.body, made.headers)
        else:
            self._send(200, _in_dialect(self.path, body, made), {})

    def _send(self, status: int, body: dict[str, Any], headers: dict[str, str]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


def _in_dialect(path: str, body: dict[str, Any], answer: dict[str, Any] | Words) -> dict[str, Any]:
    if "generateContent" in path:
        return _google(body, answer)
    if path.endswith("/messages"):
        return _anthropic(body, answer)
    return _openai(body, answer)


def _google(body: dict[str, Any], answer: dict[str, Any] | Words) -> dict[str, Any]:
    name = body["tools"][0]["functionDeclarations"][0]["name"]
    said = {"text": answer.text} if isinstance(answer, Words) else {"functionCall": {"name": name, "args": answer}}
    content = {"role": "model", "parts": [said]}
    return {
        "candidates": [{"content": content, "finishReason": "STOP"}],
        "usageMetadata": {
            "promptTokenCount": INPUT_TOKENS,
            "candidatesTokenCount": OUTPUT_TOKENS,
            "totalTokenCount": INPUT_TOKENS + OUTPUT_TOKENS,
        },
        "modelVersion": "fake",
        "responseId": "r1",
    }


def _anthropic(body: dict[str, Any], answer: dict[str, Any] | Words) -> dict[str, Any]:
    called = {"type": "tool_use", "id": "t1", "name": body["tools"][0]["name"], "input": answer}
    return {
        "id": "m1",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": [{"type": "text", "text": answer.text} if isinstance(answer, Words) else called],
        "stop_reason": "end_turn" if isinstance(answer, Words) else "tool_use",
        "stop_sequence": None,
        "usage": {"input_tokens": INPUT_TOKENS, "output_tokens": OUTPUT_TOKENS},
    }


def _openai(body: dict[str, Any], answer: dict[str, Any] | Words) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": None}
    if isinstance(answer, Words):
        message["content"] = answer.text
    else:
        function = {"name": body["tools"][0]["function"]["name"], "arguments": json.dumps(answer)}
        message["tool_calls"] = [{"id": "c1", "type": "function", "function": function}]
    return {
        "id": "x",
        "object": "chat.completion",
        "created": 1,
        "model": body["model"],
        "choices": [
            {"index": 0, "message": message, "finish_reason": "tool_calls" if "tool_calls" in message else "stop"}
        ],
        "usage": {
            "prompt_tokens": INPUT_TOKENS,
            "completion_tokens": OUTPUT_TOKENS,
            "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
        },
    }


@contextmanager
def serving() -> Iterator[FakeModels]:
    with FakeModels() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def honest(question: Question) -> dict[str, Any]:
    """What a well-behaved model answers to each of our questions, with lines that the question holds."""
    if "qa_segment" in question.schema:
        return insights()
    first, last = min(question.lines), max(question.lines)
    points = [{"line": first, "text": f"Said in line {first}."}, {"line": last, "text": f"Said in line {last}."}]
    chapters = [
        {"line": first, "title": f"From {first}", "points": ["One point."]},
        {"line": (first + last) // 2 if question.lines[1:2] else last, "title": "The middle", "points": ["Another."]},
    ]
    if chapters[1]["line"] not in question.lines:
        chapters[1]["line"] = last
    if '"gist"' in question.schema:
        return {"gist": f"Lines {first} to {last}.", "key_points": points, "chapters": chapters}
    return {
        "title": "A title",
        "overview": "What it says.",
        "key_points": points,
        "chapters": chapters,
        "topics": ["One"],
    }


def insights(**changed: Any) -> dict[str, Any]:
    return {
        "chapter_title": "A chapter",
        "introduction_context": "What it is about.",
        "what_will_build": "A thing.",
        "technologies_and_services": ["Git"],
        "how_we_did_it": ["First this.", "Then that."],
        "source_code_url": "N/A",
        "demo_url": "N/A",
        "qa_segment": [{"question": f"Question {number}?", "answer": "Yes."} for number in range(10)],
        **changed,
    }
