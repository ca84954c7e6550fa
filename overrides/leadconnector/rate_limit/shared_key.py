"""The state machine of `RedisRateLimit`: who decides about a rate-limit key, Redis or this process.

Does no I/O and reads no clock: `shared` talks to Redis, and calls a method here for each event.
"""

import math
from enum import Enum, auto

from .._runtime.observed_limits import NO_OBSERVATIONS, Observations
from .rate import Rate
from .redis_script import ReportedRequest, ScriptReply, ScriptRequest
from .reservations import (
    BOOKING_ACTIONS,
    NO_NUMBER,
    Action,
    Operation,
    PermittedRequest,
    ReservationQueue,
)


class State(Enum):
    """Who decides about one rate-limit key in one process.

                redis_lost             report_accepted
        ASKING ────────────▶ LOCAL ─────────────────────▶ REPORTING
          ▲                        ◀─────────────────────     │
          │                             report_failed         │
          └───────────────────────────────────────────────────┘
                          end_reporting_period

    A report contains all recent requests of this process, also those that Redis permitted and may
    have forgotten. The reporting period is a time limit: it is long enough for each active process
    to report, but nobody checks that all did.

    A report can be under way when the period ends. Redis may have permitted the same requests to
    other processes meanwhile. So the reply says that the period is over, and Redis decides.

    Threads overlap. So the result of a report can arrive after another thread has returned to
    ASKING. No guard prevents that: the result then leads from ASKING to REPORTING or LOCAL. The
    process decides alone again, within its share and counting what it sent. It returns to ASKING
    as usual: after REPORTING with the next operation, unless Redis has begun another period.
    """

    ASKING = auto()
    """Redis decides each operation."""
    LOCAL = auto()
    """This process decides, within its share. Redis does not know what the process sends."""
    REPORTING = auto()
    """This process decides, within its share, and reports each request to Redis.

    Redis may not know yet what other processes sent. So its decisions could exceed the limit.
    """


class SharedKey:
    """One rate-limit key in one process: its state, and the data with which the process decides.

    The caller has acquired the rate limit's lock before each method, but not while it uses Redis.
    """

    def __init__(self, queue: ReservationQueue) -> None:
        self.state = State.ASKING
        # Decides in LOCAL and REPORTING. In ASKING, it only records; see `redis_decided`.
        self.queue = queue
        # Identifies one lifetime of the key's data in Redis: the one of the last reply.
        self._memory_id = ""
        # When the reporting period ends, or ended last.
        self._local_until = -math.inf
        # By the last decision of Redis: the earliest send time of any process, and when a request
        # of any process was last permitted.
        self._free_at = -math.inf
        self._last_permitted_at = -math.inf

    # Events

    def redis_decided(self, now: float, operation: Operation, reply: ScriptReply) -> None:
        """No transition: record what the process needs if Redis fails later.

        The same if another thread has lost Redis meanwhile: the request is sent and must count.

        These are the key's state and the permitted requests of this process. Not recorded are:

        - pauses: the API may reject one more request, and its response states the pause again;
        - releases and late responses: the process counts a request too many, or slightly early;
        - waiting reservations: their callers rebook, and keep their positions by their numbers;
        - probes of an exhausted day: the process waits a window before it sends another one.

        Args:
            now: the time before Redis was asked.
            operation: the operation that Redis carried out.
            reply: its reply.
        """
        self._memory_id = reply.memory_id
        self.queue.state = reply.state
        self.queue.set_day_end(now, reply.day_ends_in)
        self.queue.process_count = reply.process_count
        self._free_at = now + reply.free_in
        self._last_permitted_at = now - reply.last_permitted_age
        if operation.action not in BOOKING_ACTIONS or reply.number == NO_NUMBER:
            return
        if reply.wait == 0.0:
            # The caller sends now.
            self.queue.record_request(PermittedRequest(now, reply.number))

    def redis_lost(self, now: float, operation: Operation) -> None:
        """ASKING to LOCAL: Redis failed during an operation, or has lost its memory."""
        if self.state is not State.ASKING:
            # Another thread was faster.
            return
        self.state = State.LOCAL
        # A caller rebooks because Redis had made it wait: the limit was used up, by this process
        # or by others. A permitted reservation that is used too late is rebooked, too. For that
        # one, the assumption is only too cautious. Any other first operation shows nothing about
        # the others, so the process then uses its whole share.
        if operation.action is Action.REBOOK:
            self._assume_requests_of_others(now)

    def report_accepted(self, now: float, reply: ScriptReply) -> None:
        """LOCAL to REPORTING, or stay there: Redis knows what this process sent.

        Args:
            now: the time of the decision that was reported.
            reply: the reply. It states how much of the reporting period remains.
        """
        self.state = State.REPORTING
        # Not the reply's state and process count: Redis learns them while the processes report.
        self._memory_id = reply.memory_id
        self._local_until = now + reply.local_for

    def report_late(self) -> None:
        """REPORTING to ASKING: the reporting period was over when the report arrived."""
        self.state = State.ASKING

    def report_failed(self) -> None:
        """REPORTING to LOCAL, or stay there: Redis got no report. The next one repeats it."""
        self.state = State.LOCAL

    def end_reporting_period(self, now: float) -> None:
        """REPORTING to ASKING, if the reporting period is over."""
        if self.state is State.REPORTING and now >= self._local_until:
            self.state = State.ASKING

    # Requests to Redis

    def script_request(
        self,
        operation: Operation,
        configured_rate: Rate,
        process_name: str,
        now: float,
        observations: Observations = NO_OBSERVATIONS,
        *,
        decided_locally: bool,
    ) -> ScriptRequest:
        """Return what the script is called with.

        Args:
            operation: the operation for Redis to decide, or to know of.
            configured_rate: the rate that the user configured.
            process_name: the name of this process in Redis.
            now: the time.
            observations: what to share with the other processes.
            decided_locally: whether this process has carried out the operation already. The state
                does not say that: another thread may have changed it meanwhile.
        """
        memory_id = ""
        # Otherwise it does not matter whether Redis has lost its memory: an idle key expires there.
        if self.queue.has_recent_request(now):
            memory_id = self._memory_id
        reported_requests = list[ReportedRequest]()
        if self._must_report(now):
            reported_requests = self._reported_requests(now)
        return ScriptRequest(
            operation,
            configured_rate,
            process_name,
            decided_locally,
            decided_locally and self.state is not State.LOCAL,
            memory_id,
            reported_requests,
            observations,
        )

    def _reported_requests(self, now: float) -> list[ReportedRequest]:
        """Return all recent requests of this process.

        Redis may know some of them. It ignores those: a repeated report changes nothing. It can add
        back one that was released, or that waits again: then it counts a request too many.
        """
        return [
            ReportedRequest(request.number, now - request.counted_at)
            for request in self.queue.recent_requests(now)
            # The others are assumed: their processes report them.
            if request.number != NO_NUMBER
        ]

    def _must_report(self, now: float) -> bool:
        """Return whether this process has decided alone within the last window.

        Still true at the start of ASKING: another thread may have permitted a request while the
        last report was under way.
        """
        if self.state is not State.ASKING:
            return True
        return now - self._local_until < self.queue.state.rate.stretched_seconds

    def _assume_requests_of_others(self, now: float) -> None:
        """Count the unused part of this process's share as used by other processes.

        Without this, each process would send its whole share at once, although the limit was used
        up when Redis was last asked.
        """
        # Since `_free_at`, the others may have sent at any time, at the latest now.
        counted_at = now
        if now < self._free_at:
            # Nobody could send since the last permitted request. So theirs are at least that old.
            counted_at = self._last_permitted_at
        unused = self.queue.local_limit() - len(self.queue.recent_requests(now))
        for _ in range(unused):
            self.queue.record_request(PermittedRequest(counted_at, NO_NUMBER))
