"""The worker's loop: fill free slots with claims, run, settle, keep leases alive, stop in order.

Four tasks live side by side: the loop that claims, one task a job, the heartbeat, and the settling. Only the loop starts
jobs; a job's task ends when it hands over its outcome, and its slot is free when that is durable. The heartbeat is the
one channel by which a job learns that it was cancelled or lost; it then cancels that job's task, and the stage's children.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from rushes.model import JobId, Outcome, Verdict
from rushes.settings import Settings
from rushes.sources.base import Assignment, Standing, WorkSource
from rushes.storage import LocalStorage
from rushes.worker.bounds import Bounds, Clock
from rushes.worker.context import Progress
from rushes.worker.report import ExitReason, Report
from rushes.worker.running import Runner
from rushes.worker.services import Services
from rushes.worker.settling import Settling

HEARTBEAT_SECONDS = 1.0
POLL_SECONDS = 2.0
"""The doorbell usually rings first."""
FLUSH_SECONDS = 10.0
"""What is cancelled when the worker ends gets so long to be given back; the source may be away for good."""
UPKEEP_SECONDS = 1.0
KILLED_SECONDS = 10.0
"""From being told to stop until being killed, on platforms that give no longer: Cloud Run's."""
WRITING_SECONDS = 3.0
"""What the source gets after a grace that says that there is longer."""
MARGIN_SECONDS = 1.0
"""So long before that the source has to have ended."""
CLAIM_AT_ONCE = 500
"""Jobs in one claim at most: while they run, the next are claimed."""
_OVER = {Standing.ENDED: ExitReason.ENDED, Standing.PAUSED: ExitReason.PAUSED}
"""What ends a worker at once."""
_NOTHING = {Standing.EMPTY: ExitReason.EMPTY, Standing.LEASED: ExitReason.LEASED}
"""What ends it when it has lasted for as long as the bound says."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Running:
    assignment: Assignment
    task: asyncio.Task[None]
    progress: Progress = field(default_factory=Progress)
    give_back: bool = True
    """What a cancellation means: give the job back, or (it is somebody else's now) say nothing."""
    handed_over: bool = False
    """Its outcome is on its way to the source."""


class Worker:
    """Runs jobs of a source until a bound is reached, the source has ended, or `stop` is called."""

    def __init__(
        self,
        settings: Settings,
        source: WorkSource,
        *,
        slots: Mapping[str, int],
        bounds: Bounds | None = None,
        services: Services | None = None,
        trouble: Callable[[Exception | None], None] = lambda _error: None,
        told: Callable[[Assignment, Outcome], None] = lambda _assignment, _outcome: None,
    ) -> None:
        """`slots` says how many jobs of each kind run at once; other kinds are not claimed.

        `services` are somebody else's, who closes them; by default the worker has its own.

        `trouble` is told when the source cannot be reached, and with None when it can again; `told` hears of each outcome
        that was written and counted, and of each failure for which a job was given back.
        """
        self._settings = settings
        self._source = source
        self._slots = slots
        self._clock = Clock(bounds or Bounds(), time.monotonic)
        self._own_services = Services(settings)
        self._services = services or self._own_services
        self._runner = Runner(settings, source, LocalStorage(settings.artifacts), self._services)
        self._say = trouble
        self._told = told
        self._settling = Settling(source, self._written, self._trouble)
        self._running: dict[JobId, _Running] = {}
        self._busy: Counter[str] = Counter()
        self._kinds = deque(slots)
        self._giving_back: set[asyncio.Task[None]] = set()
        self._stop: ExitReason | None = None
        self._deadline = float("inf")
        self._killed_at: float | None = None
        """The loop's time from which on the process may be killed, where it was told to stop."""
        self._leaving: asyncio.Timeout | None = None
        self._reached = False
        """Whether the last claim could be made at all."""
        self._wake = asyncio.Event()
        self._begun = 0
        self._unready: str | None = "starting"
        self.report = Report()

    @property
    def in_flight(self) -> int:
        """How many jobs run now, or have an outcome on its way."""
        return len(self._running)

    @property
    def unready(self) -> str | None:
        """Why it takes no work now, in words that tell no secrets; None: it does."""
        return "stopping" if self._stop else self._unready

    def stop(self, reason: ExitReason = ExitReason.TERMINATED, *, grace: timedelta | None = None) -> None:
        """Claim no more; let running work go on for the grace, then give it back. Called again: give back at once."""
        wait = timedelta(0) if self._stop else (self._settings.grace if grace is None else grace)
        now = asyncio.get_running_loop().time()
        self._deadline = now + wait.total_seconds()
        self._killed_at = self._killed_at or now + max(KILLED_SECONDS, wait.total_seconds() + WRITING_SECONDS)
        self._stop = self._stop or reason
        if self._leaving and not self._leaving.expired():
            self._leaving.reschedule(self._killed_at - MARGIN_SECONDS)
        self._wake.set()

    def thawed(self) -> None:
        """The process goes on after it was stopped, perhaps on another machine."""
        self._services.thawed()

    async def run(self) -> Report:
        """Work until the end. Everything that has an outcome is durable when this returns.

        The exception: told to stop while the source cannot be reached, it ends without.
        """
        async with self._at_source(), contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(self._own_services.close)
            background = [
                asyncio.create_task(work, name=name)
                for name, work in (
                    ("settling", self._settling.run()),
                    ("heartbeat", self._heartbeat()),
                    ("upkeep", self._upkeep()),
                    ("ear", self._listen()),
                )
            ]
            for task in background:
                stack.push_async_callback(_end, task)
            try:
                self._unready = None
                self.report.exit_reason = await self._loop(background)
                self._unready = "stopping"
                await asyncio.gather(self._source.end_claims(), self._finish(background))
            finally:
                await self._end_running(settling=background[0])
        self.report.runtime = self._clock.elapsed
        return self.report

    @contextlib.asynccontextmanager
    async def _at_source(self) -> AsyncIterator[None]:
        """The source, entered. Told to stop, the worker does not wait for it until the process is killed."""
        stack = contextlib.AsyncExitStack()
        await stack.enter_async_context(self._source)
        try:
            yield
        finally:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(self._killed_at and self._killed_at - MARGIN_SECONDS) as self._leaving:
                    await stack.aclose()
            self._leaving = None

    async def _loop(self, background: list[asyncio.Task[None]]) -> ExitReason:
        clock = self._clock
        while True:
            _raise_from(background)
            if self._running:
                clock.saw_work()
            if reason := self._stop or clock.reached(self._begun):
                return reason
            self._wake.clear()
            claimed = await self._claim()
            if claimed >= CLAIM_AT_ONCE or (claimed and clock.jobs_left(self._begun)):
                continue
            if not claimed and not self._running and self._reached and (ended := await self._standing()):
                return ended
            await self._wait(clock.seconds_left() + 0.001)

    async def _claim(self) -> int:
        """Fill free slots. Returns how many jobs that began; within a bound of jobs one claim does, for it counts anew."""
        claimed = 0
        for free in self._offers(self._clock.jobs_left(self._begun)):
            claimed += await self._take(free)
            if claimed and self._clock.jobs_left(self._begun) is not None:
                break
        return claimed

    async def _take(self, free: Mapping[str, int]) -> int:
        try:
            assignments = await self._source.claim(free)
        except Exception as error:
            if not self._source.is_outage(error):
                raise
            self._reached = False
            self._trouble(error)
            self._clock.saw_work()  # for all that can be seen
            return 0
        self._reached = True
        self._trouble(None)
        for assignment in assignments:
            self._begin(assignment)
        return len(assignments)

    def _offers(self, most: int | None) -> Iterator[dict[str, int]]:
        """Free slots by kind, in portions of what one claim may take. Each time another kind comes first: none starves."""
        limit = CLAIM_AT_ONCE if most is None else min(most, CLAIM_AT_ONCE)
        self._kinds.rotate(-1)
        portion: dict[str, int] = {}
        for kind in tuple(self._kinds):
            count = min(self._slots[kind] - self._busy[kind], limit)
            if count <= 0:
                continue
            if portion and sum(portion.values()) + count > limit:
                yield portion
                portion = {}
            portion[kind] = count
        if portion:
            yield portion

    async def _standing(self) -> ExitReason | None:
        standing = Standing.WORK_LEFT
        with self._through_outages():
            standing = await self._source.standing()
        if standing in _NOTHING:
            self._clock.found_nothing(_NOTHING[standing])
        return _OVER.get(standing)

    def _begin(self, assignment: Assignment) -> None:
        job = assignment.job.id
        if earlier := self._running.get(job):
            # An earlier run of ours lost its lease and has not ended yet: this one would run beside it.
            log.warning("job %s came back while it still runs here; giving it back when that has ended", job)
            task = asyncio.create_task(self._give_back_after(earlier.task, assignment), name=f"give back {job}")
            self._giving_back.add(task)
            task.add_done_callback(self._giving_back.discard)
            return
        self._begun += 1
        self._busy[_slot(assignment)] += 1
        progress = Progress()
        task = asyncio.create_task(self._work(assignment, progress))
        self._running[job] = _Running(assignment, task, progress)

    async def _give_back_after(self, earlier: asyncio.Task[None], assignment: Assignment) -> None:
        """At once would be to claim it again at once."""
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait([earlier])
        self._settling.put(Outcome(assignment.lease))

    async def _work(self, assignment: Assignment, progress: Progress) -> None:
        try:
            outcome = await self._runner.run(assignment, progress)
        except asyncio.CancelledError:
            if not self._running[assignment.job.id].give_back:
                self._free(assignment)
                return
            outcome = Outcome(assignment.lease)
        # Nothing is awaited from here on: a cancellation cannot lose what is made.
        self._hand_over(outcome)

    def _hand_over(self, outcome: Outcome) -> None:
        self._running[outcome.lease.job_id].handed_over = True
        self._settling.put(outcome)

    def _written(self, outcome: Outcome, counted: bool) -> None:  # noqa: FBT001  (the shape of `Written`)
        """An outcome is durable: count it, and free its slot if it had one."""
        given_back = self._count(outcome, counted=counted)
        running = self._running.get(outcome.lease.job_id)
        if running is None or running.assignment.lease is not outcome.lease:
            return  # given back because an earlier run of the job went on here
        self._begun -= given_back
        self._free(running.assignment)
        if not counted:
            return
        if not given_back:
            kind = running.assignment.job.kind
            self.report.by_kind[kind] = self.report.by_kind.get(kind, 0) + 1
        if outcome.produced or outcome.failure:
            self._told(running.assignment, outcome)

    def _free(self, assignment: Assignment) -> None:
        del self._running[assignment.job.id]
        self._busy[_slot(assignment)] -= 1
        self._clock.saw_work()
        self._wake.set()

    def _count(self, outcome: Outcome, *, counted: bool) -> bool:
        """Count an outcome in the report. Returns whether it gave its job back."""
        report, failure = self.report, outcome.failure
        given_back = outcome.produced is None and (failure is None or failure.environment)
        if not counted:
            report.stale += 1
        elif given_back:
            report.released += 1
        else:
            report.processed += 1
            report.completed += outcome.produced is not None
            report.failed += failure is not None
            report.reused += bool(outcome.produced and outcome.produced.reused)
        return given_back

    async def _heartbeat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            running = list(self._running.values())
            beats = [(one.assignment.lease, one.progress.fraction, one.progress.note) for one in running]
            verdicts: Sequence[Verdict] = ()
            with self._through_outages():
                verdicts = await self._source.extend(beats) if beats else ()
            for one, verdict in zip(running, verdicts, strict=False):
                if verdict is not Verdict.GO_ON and not one.task.done():
                    one.give_back = False
                    one.task.cancel()

    async def _upkeep(self) -> None:
        while True:
            more_in: float | None = None
            with self._through_outages():
                more_in = await self._source.tick()
            await asyncio.sleep(UPKEEP_SECONDS if more_in is None else min(max(0.01, more_in), UPKEEP_SECONDS))

    async def _listen(self) -> None:
        while True:
            await self._source.wait(60)
            self._wake.set()

    async def _finish(self, background: list[asyncio.Task[None]]) -> None:
        """Let running work end: within the grace if told to stop, otherwise however long it takes."""
        loop = asyncio.get_running_loop()
        while self._running and loop.time() < self._deadline:
            _raise_from(background)
            self._wake.clear()
            await self._wait(self._deadline - loop.time())

    async def _end_running(self, *, settling: asyncio.Task[None]) -> None:
        """Cancel what still runs, and give it back."""
        tasks = [*(running.task for running in self._running.values()), *self._giving_back]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for running in self._running.values():
            if not running.handed_over:  # cancelled before it began
                self._hand_over(Outcome(running.assignment.lease))
        loop = asyncio.get_running_loop()
        deadline = loop.time() + FLUSH_SECONDS
        while not (self._settling.idle or settling.done()) and loop.time() < deadline:
            self._wake.clear()
            await self._wait(deadline - loop.time())

    async def _wait(self, seconds: float) -> None:
        """Wait until something happens, but no longer than a poll takes.

        (`asyncio.wait_for` would now and then swallow a cancellation: Python issue 86296, mended in 3.12.)
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(POLL_SECONDS, max(0.0, seconds))):
                await self._wake.wait()

    def _trouble(self, error: Exception | None) -> None:
        if self._unready != "stopping":
            self._unready = "its source cannot be reached" if error else None
        self._say(error)

    @contextlib.contextmanager
    def _through_outages(self) -> Iterator[None]:
        """Pass over an error that says that the source cannot be reached now."""
        try:
            yield
        except Exception as error:
            if not self._source.is_outage(error):
                raise
            self._trouble(error)


def _slot(assignment: Assignment) -> str:
    return assignment.slot or assignment.job.kind


def _raise_from(background: list[asyncio.Task[None]]) -> None:
    """A background task that ended has failed: they run until they are cancelled."""
    for task in background:
        if task.done():
            task.result()


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
