"""Jobs and queries over HTTP."""

from __future__ import annotations

from typing import Any

from rushes.testing.bigquery.answers import query_answer
from rushes.testing.bigquery.jobs import Job, State
from rushes.testing.bigquery.refusals import Refusal
from rushes.testing.bigquery.requests import Reply, Request
from rushes.testing.bigquery.resources import job_resource
from rushes.testing.bigquery.service import Service

_OF_REQUEST = frozenset({
    "kind", "maxResults", "timeoutMs", "dryRun", "labels", "location", "requestId", "formatOptions", "jobCreationMode",
    "jobTimeoutMs",
})  # fmt: skip
"""What jobs.query takes beside the query's own configuration."""
_PAGE = 50


def insert_job(service: Service, request: Request) -> Reply:
    return Reply(job_resource(service.insert_job(request.parts["project"], request.json())))


def get_job(service: Service, request: Request) -> Reply:
    return Reply(job_resource(_find(service, request)))


def cancel_job(service: Service, request: Request) -> Reply:
    found = _find(service, request)
    service.cancel(found)
    return Reply({"kind": "bigquery#jobCancelResponse", "job": job_resource(found)})


def delete_job(service: Service, request: Request) -> Reply:
    found = _find(service, request)
    if found.state is not State.DONE:
        raise Refusal("invalid", f"Cannot delete job {found}: it is still {found.state}")
    service.jobs.remove(found)
    return Reply()


def list_jobs(service: Service, request: Request) -> Reply:
    """The newest first."""
    asked = request.query
    states = {part.upper() for part in asked.get("stateFilter", "").split(",") if part}
    jobs = [
        job
        for job in reversed(list(service.jobs))
        if job.project == request.parts["project"] and _listed(job, asked, states)
    ]
    first = int(asked.get("pageToken") or 0)
    after = first + int(asked.get("maxResults") or _PAGE)
    said: dict[str, Any] = {"kind": "bigquery#jobList", "jobs": [_in_list(job) for job in jobs[first:after]]}
    return Reply(said | ({"nextPageToken": str(after)} if after < len(jobs) else {}))


def query(service: Service, request: Request) -> Reply:
    """jobs.query: a job and its first rows in one."""
    project, body = request.parts["project"], request.json()
    request_id = body.get("requestId")
    job = service.jobs.of_request(project, request_id) if request_id else None
    if job is None:
        job = service.insert_job(project, _configuration(body), request_id=request_id)
    return Reply({**query_answer(job, body), "kind": "bigquery#queryResponse"})


def query_results(service: Service, request: Request) -> Reply:
    return Reply(query_answer(_find(service, request), request.query))


def _find(service: Service, request: Request) -> Job:
    return service.jobs.find(request.parts["project"], request.parts["job"], request.query.get("location"))


def _configuration(body: dict[str, Any]) -> dict[str, Any]:
    """The job that a request to jobs.query stands for."""
    configuration: dict[str, Any] = {key: body[key] for key in ("dryRun", "labels", "jobTimeoutMs") if key in body}
    configuration["query"] = {key: value for key, value in body.items() if key not in _OF_REQUEST}
    return {"configuration": configuration, "jobReference": {"location": body.get("location")}}


def _listed(job: Job, asked: Any, states: set[str]) -> bool:
    created = job.created.timestamp() * 1000
    return (
        (not states or job.state.value in states)
        and created >= float(asked.get("minCreationTime") or 0)
        and created <= float(asked.get("maxCreationTime") or "inf")
    )


def _in_list(job: Job) -> dict[str, Any]:
    resource = job_resource(job)
    return resource | {"state": job.state.value, "errorResult": resource["status"].get("errorResult")}
