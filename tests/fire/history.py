"""A checker of histories: what the database recorded of every change, what every run noted, and what workers reported.

It knows nothing of the queue's code. PostgreSQL writes down each change of a job by a trigger of the test's own, stages
write down each start and each outcome with the lease they ran under, and workers that lived to their end print a report.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

ENDED = ("completed", "failed", "cancelled")
RECORD = """
    create schema fire;
    create table fire.changes (
        number bigint generated always as identity, job bigint, was text, status text, old_token int, token int,
        old_worker bigint, worker bigint, counted boolean
    );
    create function fire.record() returns trigger language plpgsql as $$ begin
        insert into fire.changes (job, was, status, old_token, token, old_worker, worker, counted) values (
            new.id, old.status, new.status, old.token, new.token, old.worker_id, new.worker_id, new.attempts >= old.attempts
        );
        return new;
    end $$;
    create trigger fire after update on rushes.jobs for each row
        when ((old.status, old.token, old.worker_id) is distinct from (new.status, new.token, new.worker_id))
        execute function fire.record();
"""
READ = "select job, was, status, old_token, token, old_worker, worker, counted from fire.changes order by number"

Lease = tuple[int, int, int]
"""Job, token, worker."""


@dataclass(frozen=True)
class Change:
    """A job went from one status to another."""

    job: int
    was: str
    status: str
    old_token: int
    token: int
    old_worker: int | None
    worker: int | None
    counted: bool = True
    """Whether its attempt stays counted."""

    @property
    def claimed(self) -> Lease | None:
        """The lease that it gave out."""
        return (self.job, self.token, self.worker) if self.status == "processing" and self.worker is not None else None

    @property
    def ended(self) -> Lease | None:
        """The lease that it took back."""
        return (self.job, self.old_token, self.old_worker) if self.was == "processing" and self.old_worker else None

    @property
    def settled(self) -> Lease | None:
        """The same, if it was by an outcome: what is given back waits again, or is set apart uncounted."""
        return self.ended if self.counted and self.status != "queued" else None


@dataclass(frozen=True)
class Run:
    """What a stage noted: `start`, `success` or `failure`."""

    event: str
    lease: Lease
    claimed: float
    """When, by the database's clock."""


@dataclass(frozen=True)
class History:
    accepted: Mapping[int, str]
    """Each job that `enqueue` answered for, and how it is to end."""
    rows: Mapping[int, str]
    changes: Sequence[Change]
    runs: Sequence[Run]
    reports: Mapping[int, Mapping[str, int]]
    """Of the workers that lived to their end."""
    hard_stop: float = 0.0
    """When the server was stopped without a checkpoint: claims of the moments before may be forgotten."""


@dataclass
class Finding:
    """A rule, how often it was put to the test, and where it was broken."""

    rule: str
    checked: int
    broken: list[str] = field(default_factory=list)


def check(history: History) -> list[Finding]:
    return [rule(history) for rule in (_lost, _fate, _ends_once, _one_lease, _run_once, _settled_by_its_run, _refused)]


def _lost(history: History) -> Finding:
    left = [f"job {job} is {history.rows.get(job, 'gone')}" for job in history.accepted]
    return Finding("none lost", len(left), [one for one in left if one.rpartition(" ")[2] not in ENDED])


def _fate(history: History) -> Finding:
    wrong = [
        f"job {job} is {history.rows[job]}, not {fate}"
        for job, fate in history.accepted.items()
        if history.rows.get(job, fate) != fate
    ]
    return Finding("each ended as it had to", len(history.accepted), wrong)


def _ends_once(history: History) -> Finding:
    ends = Counter(change.job for change in history.changes if change.status in ENDED)
    broken = [f"job {job} ended {count} times" for job, count in ends.items() if count != 1]
    broken += [
        f"job {change.job} went on as {change.status} after its end"
        for change in history.changes
        if change.was in ENDED
    ]
    return Finding("none settled twice", len(ends), broken)


def _one_lease(history: History) -> Finding:
    finding = Finding("one valid lease at a time", sum(change.claimed is not None for change in history.changes))
    holder: dict[int, Lease | None] = defaultdict(lambda: None)
    tokens: dict[int, int] = defaultdict(int)
    for change in history.changes:
        held, holder[change.job] = holder[change.job], change.claimed
        if change.ended != held:
            finding.broken.append(f"job {change.job}: {held} was held, {change.ended} was taken back")
        if change.claimed and change.token <= tokens[change.job]:
            finding.broken.append(f"job {change.job}: the token {change.token} was given out again")
        tokens[change.job] = max(tokens[change.job], change.token)
    return finding


def _run_once(history: History) -> Finding:
    claims = {change.claimed for change in history.changes}
    starts = [run for run in history.runs if run.event == "start"]
    # A claim that the server forgot is given out again under the same token, maybe to the same worker.
    times = Counter((run.lease, run.claimed) for run in starts)
    broken = [f"{lease} ran {count} times" for (lease, _), count in times.items() if count > 1]
    broken += [
        f"{run.lease} ran without a lease"
        for run in starts
        if run.lease not in claims and run.claimed > history.hard_stop
    ]
    return Finding("each run under a lease of its own", len(starts), broken)


def _settled_by_its_run(history: History) -> Finding:
    finished = {(run.lease, run.event == "success") for run in history.runs if run.event != "start"}
    settled = [change for change in history.changes if change.settled]
    broken = [
        f"job {change.job} is {change.status}, but {change.settled} never came to that"
        for change in settled
        if (change.settled, change.status == "completed") not in finished
    ]
    return Finding("each outcome by the run under that lease", len(settled), broken)


def _refused(history: History) -> Finding:
    """A worker says of every outcome either that it counted or that it was stale.

    An outcome may have counted although its worker was told that it was stale: the connection broke between the commit and
    the answer. One that came to nothing without a word is a run that was cancelled when its lease was found to be lost.
    """
    finding = Finding("every stale outcome refused and counted", 0)
    applied = {change.settled for change in history.changes}
    for worker, report in history.reports.items():
        outcomes = [run.lease for run in history.runs if run.lease[2] == worker and run.event != "start"]
        refused = sum(lease not in applied for lease in outcomes)
        finding.checked += refused
        finding.broken += list(_miscounted(worker, report, len(outcomes), refused))
    return finding


def _miscounted(worker: int, report: Mapping[str, int], outcomes: int, refused: int) -> Iterator[str]:
    told = report["processed"] + report["stale"]
    if told > outcomes:
        yield f"worker {worker} tells of {told} outcomes and had {outcomes}"
    if told < outcomes - refused:
        yield f"worker {worker} tells of {told} outcomes, and {outcomes - refused} of its outcomes counted"
    if report["processed"] > outcomes - refused:
        yield f"worker {worker} counts {report['processed']} as settled, and {outcomes - refused} were"


def table(findings: Sequence[Finding]) -> str:
    lines = [f"{'rule':42}{'checked':>9}{'broken':>8}"]
    lines += [f"{one.rule:42}{one.checked:9}{len(one.broken):8}" for one in findings]
    return "\n".join(lines + [f"  {what}" for one in findings for what in one.broken[:5]])
