"""The server's sockets: requests in, replies out, and what faults make of them."""

from __future__ import annotations

import gzip
import json
import socket
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from rushes.testing.bigquery.faults import Faults
from rushes.testing.bigquery.refusals import Refusal, broken
from rushes.testing.bigquery.requests import Reply, Request

HOST = "127.0.0.1"
KEPT = 64 << 10
"""Bytes of a request's body that are kept in the list of requests; longer ones, such as uploads, are left out of it."""
Answer = Callable[[Request], Reply]


class HttpServer(ThreadingHTTPServer):
    """A thread for each connection. It listens on loopback alone."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, port: int, answer: Answer, faults: Faults) -> None:
        """Raises: OSError (the port is taken). Port 0 takes any that is free."""
        super().__init__((HOST, port), _Handler)
        self.answer = answer
        self.faults = faults
        self.requests: list[Request] = []

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: HttpServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body go out together

    def _serve(self) -> None:
        request = self._read()
        self.server.requests.append(replace(request, body=b"") if len(request.body) > KEPT else request)
        happening = self.server.faults.take("request", request.text)
        time.sleep(sum(fault.seconds for fault in happening))
        failing = next((fault for fault in happening if not fault.seconds), None)
        if failing is not None and failing.cut and not failing.after:
            self._cut()
            return
        if failing is not None and failing.refusal and not failing.after:
            self._send(_refused(failing.refusal))
            return
        reply = self._answer(request)
        if failing is None:
            self._send(reply)
        elif failing.refusal is not None:
            self._send(_refused(failing.refusal))
        else:
            self._send(reply, cut=True)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815  (the names are the base class's)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the name is the base class's)
        """Say nothing: the server keeps its own list of requests."""

    def _read(self) -> Request:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Request(self.command, parts.path, dict(parse_qsl(parts.query)), headers, body)

    def _answer(self, request: Request) -> Reply:
        try:
            return self.server.answer(request)
        except Refusal as refusal:
            return _refused(refusal)
        except Exception as error:  # noqa: BLE001  (the client is told, whatever happened)
            return _refused(broken(error))

    def _send(self, reply: Reply, *, cut: bool = False) -> None:
        body = b"" if reply.body is None else json.dumps(reply.body).encode()
        self.send_response(reply.status)
        self.send_header("Content-Type", "application/json; charset=UTF-8")
        self.send_header("Content-Length", str(len(body)))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        self.wfile.flush()
        if cut:
            self._cut()

    def _cut(self) -> None:
        """Reset the connection, so that the client sees an error and no end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()


def _refused(refusal: Refusal) -> Reply:
    return Reply(refusal.as_answer(), refusal.code)
