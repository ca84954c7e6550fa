"""The state machine of `RedisRateLimit`: who decides about a key, Redis or this process alone.

Pure: `shared` talks to Redis, and calls a method here for each transition.
"""

from enum import Enum, auto

from .rate import Rate
from .redis_script import ScriptReply, ScriptRequest, SendReport
from .reservations import BOOKING_ACTIONS, NO_NUMBER, Action, Operation, ReservationQueue, Send


class State(Enum):
    """Who decides about one key in one process.

    ASKING ──── Redis fails, or has lost its memory ───▶ LOCAL
      ▲                                                 │   ▲
      │                                  Redis accepts  │   │ Redis fails
      │                                       a report  ▼   │
      └──────────── all processes have reported ──── REPORTING
    """

    ASKING = auto()
    """Redis decides each operation."""
    LOCAL = auto()
    """Redis does not know what this process sends. The process decides alone, within its share."""
    REPORTING = auto()
    """Redis knows what this process sent, but perhaps not what the others sent.

    So the process still decides alone.
    """


class SharedKey:
    """One key in one process: its state, and what the process needs in order to decide alone."""

    def __init__(self, queue: ReservationQueue) -> None:
        self.state = State.ASKING
        # Decides in LOCAL and REPORTING. In ASKING, it only records what this process sends.
        self.queue = queue
        # The memory of Redis that the last reply came from.
        self._memory_id = ""
        # When REPORTING ends, or ended last.
        self._local_until: float | None = None
        # By the last decision of Redis: when the next request of any process could be sent, and
        # when the last one was sent.
        self._free_at = 0.0
        self._last_send_at = 0.0

    # Transitions

    def remember_decision(self, now: float, operation: Operation, reply: ScriptReply) -> None:
        """Stay in ASKING: Redis decided. What it said is needed if it fails later."""
        self._memory_id = reply.memory_id
        self.queue.state = reply.state
        self.queue.process_count = reply.process_count
        self._free_at = now + reply.free_in
        self._last_send_at = now - reply.last_send_age
        if operation.action not in BOOKING_ACTIONS or reply.number == NO_NUMBER:
            return
        if reply.wait == 0.0:
            # The caller sends now.
            self.queue.record_send(Send(now, reply.number))

    def leave_redis(self, now: float, operation: Operation) -> None:
        """ASKING to LOCAL: Redis failed, or has lost its memory."""
        if self.state is not State.ASKING:
            # Another thread was faster.
            return
        self.state = State.LOCAL
        # Only callers that wait book anew. So Redis had no place for this one: all were used, by
        # this process or by others.
        if operation.action is Action.REBOOK:
            self._assume_sends_of_others(now)

    def start_reporting(self, now: float, reply: ScriptReply) -> None:
        """LOCAL to REPORTING, or stay there: Redis knows what this process sent.

        It may not know yet what the other processes sent. So this one continues to decide alone
        until every process has had the time to report.
        """
        self.state = State.REPORTING
        self._memory_id = reply.memory_id
        self._local_until = now + reply.local_for

    def stop_reporting(self) -> None:
        """REPORTING to LOCAL, or stay there: Redis got no report. The next one repeats it."""
        self.state = State.LOCAL

    def return_to_redis(self, now: float) -> None:
        """REPORTING to ASKING, once every process has had the time to report."""
        if self.state is not State.REPORTING or self._local_until is None:
            return
        if now >= self._local_until:
            self.state = State.ASKING

    # Requests to Redis

    def request(
        self,
        operation: Operation,
        configured: Rate,
        process: str,
        now: float,
        *,
        decided_locally: bool,
    ) -> ScriptRequest:
        """Return what the script is called with.

        Args:
            operation: the operation for Redis to decide, or to know of.
            configured: the rate that the user configured.
            process: the name of this process in Redis.
            now: the time.
            decided_locally: whether this process has carried out the operation already. The state
                does not say that: another thread may have changed it meanwhile.
        """
        memory_id = ""
        # Otherwise it does not matter whether Redis has lost its memory: an idle key expires there.
        if self.queue.has_recent_send(now):
            memory_id = self._memory_id
        sends = list[SendReport]()
        if self._must_report(now):
            sends = self._reports(now)
        return ScriptRequest(operation, configured, process, decided_locally, memory_id, sends)

    def _reports(self, now: float) -> list[SendReport]:
        return [
            SendReport(send.number, now - send.counted_at)
            for send in self.queue.recent_sends(now)
            # The others are assumed: their processes report them.
            if send.number != NO_NUMBER
        ]

    def _must_report(self, now: float) -> bool:
        """Return whether this process has decided alone within the last window.

        Still true at the start of ASKING: another thread may have sent a request while the last
        report was under way.
        """
        if self.state is not State.ASKING:
            return True
        if self._local_until is None:
            return False
        return now - self._local_until < self.queue.state.rate.stretched_seconds

    def _assume_sends_of_others(self, now: float) -> None:
        """Count the unused part of this process's share as sent by other processes."""
        # Until the next request was possible, nobody sent one after the last that Redis knew of.
        # From then on, others may have sent one at any time.
        counted_at = self._last_send_at if now < self._free_at else now
        unused = self.queue.share() - len(self.queue.recent_sends(now))
        for _ in range(unused):
            self.queue.record_send(Send(counted_at, NO_NUMBER))
