"""Uploads: load jobs that bring their data, in one request or in pieces.

https://cloud.google.com/bigquery/docs/reference/api-uploads
"""

from __future__ import annotations

import email
import json
import uuid
from email.message import Message
from typing import Any

from rushes.testing.bigquery.refusals import Refusal
from rushes.testing.bigquery.requests import Reply, Request
from rushes.testing.bigquery.resources import job_resource
from rushes.testing.bigquery.service import Service, Upload

RESUME = 308
"""The service's way to ask for more; no redirect."""


def begin(service: Service, request: Request) -> Reply:
    """A whole upload, or the begin of one in pieces."""
    kind = request.query.get("uploadType")
    if kind == "multipart":
        body, data = _parts(request)
        return Reply(job_resource(service.insert_job(request.parts["project"], body, data)))
    if kind != "resumable":
        raise Refusal("invalid", f"Invalid upload type: {kind}")
    upload_id = uuid.uuid4().hex
    service.uploads[upload_id] = Upload(request.json())
    place = f"http://{request.headers['host']}{request.path}?uploadType=resumable&upload_id={upload_id}"
    return Reply(headers={"Location": place})


def receive(service: Service, request: Request) -> Reply:
    """A piece of an upload; with the last one the job begins."""
    upload = service.uploads.get(request.query.get("upload_id", ""))
    if upload is None:
        raise Refusal("notFound", "Not found: upload")
    if upload.job is not None:
        return Reply(job_resource(upload.job))
    span, _, total = request.headers.get("content-range", "bytes */*").removeprefix("bytes ").partition("/")
    first = span.partition("-")[0]
    if first.isdigit() and int(first) <= len(upload.data):
        # A piece that came before comes again where its answer was lost.
        upload.data[int(first) :] = request.body
    if not total.isdigit() or len(upload.data) < int(total):
        have = {"Range": f"bytes=0-{len(upload.data) - 1}"} if upload.data else {}
        return Reply(status=RESUME, headers=have)
    upload.job = service.insert_job(request.parts["project"], upload.body, bytes(upload.data))
    upload.data.clear()
    return Reply(job_resource(upload.job))


def _parts(request: Request) -> tuple[Any, bytes]:
    """The job and its data, of a request in two parts."""
    head = b"Content-Type: " + request.headers.get("content-type", "").encode() + b"\r\n\r\n"
    parts = email.message_from_bytes(head + request.body).get_payload()
    if not isinstance(parts, list) or len(parts) != 2:  # noqa: PLR2004
        raise Refusal("invalid", "Media upload request must have two parts")
    job, data = (part.get_payload(decode=True) for part in parts if isinstance(part, Message))
    assert isinstance(job, bytes)
    assert isinstance(data, bytes)
    return json.loads(job), data
