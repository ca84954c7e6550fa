"""Calls that wait for the rate limit: each wakes only when it can move forward, in order."""

from __future__ import annotations

import asyncio
import gc
import itertools
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from leadconnector import (
    APITimeoutError,
    AsyncLeadConnector,
    ClientClosedError,
    DailyRateLimitError,
    LeadConnector,
    RateLimit,
)
from leadconnector._runtime.waiting import (
    FALLBACK_SECONDS,
    HIGHEST_POLLS_PER_SECOND,
    WaitingCall,
    WaitingCalls,
)
from leadconnector.rate_limit.rate import STRETCH
from leadconnector.rate_limit.reservations import Action, Decision, Operation

from tests.support.calling import CONVERSATION_ID, LOCATION_ID, SUCCESS_BODY, TOKEN, with_settings
from tests.support.virtual_time import VirtualTimeLoop, run_in_virtual_time, virtual_loop

SECONDS = 10.0
WINDOW = SECONDS * STRETCH
PATIENCE = 30.0
"""Seconds. A bound for what takes much less time, so that no test hangs."""


class CountingRateLimit(RateLimit):
    """A rate limit that counts its operations."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.operations = Counter[Action]()

    def _perform(self, operation: Operation) -> Decision:
        self.operations[operation.action] += 1
        return super()._perform(operation)


class CountingSharedRateLimit(CountingRateLimit):
    """Lets as many calls ask at the same time as `RedisRateLimit` does."""

    _active_calls = 16


RATE_LIMITS = [CountingRateLimit, CountingSharedRateLimit]


@dataclass
class Run:
    """Calls in virtual time, with one rate limit and one client."""

    rate_limit: CountingRateLimit
    client: AsyncLeadConnector
    loop: VirtualTimeLoop
    sent: list[tuple[str, float]] = field(default_factory=list[tuple[str, float]])
    """Conversation and virtual time of each request."""
    tasks: list[asyncio.Task[Any]] = field(default_factory=list[asyncio.Task[Any]])

    def start(
        self, count: int, location: str = LOCATION_ID, client: AsyncLeadConnector | None = None
    ) -> list[asyncio.Task[Any]]:
        """Start calls. They are numbered through all calls of the run."""
        tasks = [
            asyncio.ensure_future(
                (client or self.client).conversations.update_conversation(
                    f"conversation-{len(self.tasks) + number}", location_id=location, starred=True
                )
            )
            for number in range(count)
        ]
        self.tasks += tasks
        return tasks

    async def outcomes(self) -> list[Any]:
        """Wait for all calls. Returns the results and the exceptions."""
        return await asyncio.gather(*self.tasks, return_exceptions=True)

    async def settle(self) -> None:
        """Let all tasks run until they wait. No time passes."""
        for _ in range(20):
            await asyncio.sleep(0)


Respond = Callable[[httpx.Request], httpx.Response]


def succeed(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json=SUCCESS_BODY)


def succeed_but(number: int, response: httpx.Response) -> Respond:
    """Return one response to the request of a number, counted from 1, and else a success."""
    numbers = itertools.count(1)

    def respond(request: httpx.Request) -> httpx.Response:
        if next(numbers) == number:
            return response
        return succeed(request)

    return respond


def assert_served_in_order(sent: list[tuple[str, float]], numbers: Iterable[int]) -> None:
    """Verify the order of the requests. Those of one moment may overtake each other."""
    in_order = sorted(sent, key=lambda entry: (round(entry[1], 3), int(entry[0].split("-")[1])))
    assert [name for name, _ in in_order] == [f"conversation-{number}" for number in numbers]


def new_client(
    run_sent: list[tuple[str, float]],
    loop: VirtualTimeLoop,
    rate_limit: RateLimit,
    respond: Respond,
    **options: Any,
) -> AsyncLeadConnector:
    async def handle(request: httpx.Request) -> httpx.Response:
        run_sent.append((request.url.path.rsplit("/", 1)[-1], loop.time()))
        return respond(request)

    client = AsyncLeadConnector(
        token=TOKEN, transport=httpx.MockTransport(handle), rate_limit=rate_limit, **options
    )
    with_settings(client, clock=loop.time)
    return client


def in_virtual_time(
    scenario: Callable[[Run], Coroutine[Any, Any, None]],
    limit: int = 5,
    seconds: float = SECONDS,
    *,
    kind: type[CountingRateLimit] = CountingRateLimit,
    respond: Respond = succeed,
    **options: Any,
) -> Run:
    """Run a scenario, and close its client."""

    async def run() -> Run:
        loop = virtual_loop()
        rate_limit = kind(limit, seconds, clock=loop.time)
        sent = list[tuple[str, float]]()
        client = new_client(sent, loop, rate_limit, respond, **options)
        state = Run(rate_limit, client, loop, sent)
        await scenario(state)
        await client.close()
        return state

    return run_in_virtual_time(run())


@pytest.mark.parametrize("kind", RATE_LIMITS)
@pytest.mark.parametrize("count", [200, 1000])
def test_each_waiting_call_asks_a_fixed_number_of_times_however_many_wait(
    kind: type[CountingRateLimit], count: int
) -> None:
    async def scenario(run: Run) -> None:
        run.start(count)
        await run.outcomes()

    run = in_virtual_time(scenario, limit=10, kind=kind)

    seconds = run.sent[-1][1] - run.sent[0][1]
    asked = run.rate_limit.operations[Action.REBOOK]
    # The first call also asks once a second, whoever it is.
    assert asked <= 4 * count + seconds * 1.3
    assert run.rate_limit.operations[Action.UPDATE] == 0
    assert_served_in_order(run.sent, range(count))
    expected = [1000.0 + index // 10 * WINDOW for index in range(count)]
    assert [sent_at for _, sent_at in run.sent] == pytest.approx(expected, abs=0.001)


@pytest.mark.parametrize("kind", RATE_LIMITS)
def test_calls_of_many_locations_ask_a_bounded_number_of_times_a_second(
    kind: type[CountingRateLimit],
) -> None:
    async def scenario(run: Run) -> None:
        for location in range(500):
            run.start(3, f"location-{location}")
        await run.settle()
        run.rate_limit.operations.clear()
        await asyncio.sleep(100.0)

    run = in_virtual_time(scenario, limit=1, seconds=10_000.0, kind=kind)

    # A third more, since each one's interval is 75 % to 125 % of the usual one.
    assert run.rate_limit.operations.total() <= 100 * HIGHEST_POLLS_PER_SECOND * 4 / 3


@given(
    st.lists(st.integers(1, 20), min_size=1, max_size=400),
    st.floats(0, 10_000),
    st.sampled_from([1, 16]),
    st.floats(0, 1),
)
def test_the_questions_of_a_second_are_bounded_for_any_lines(
    lengths: list[int], wait: float, active_count: int, jitter: float
) -> None:
    waiting_calls = WaitingCalls(active_count, lambda: jitter)
    numbers = iter(range(1, 10_000))
    lines = [
        [waiting_calls.join(str(index), next(numbers), RecordingSignal()) for _ in range(length)]
        for index, length in enumerate(lengths)
    ]
    before_their_time = 0.0
    for line in lines:
        for waiting_call in line:
            seconds = waiting_calls.seconds_to_sleep(waiting_call, wait)
            assert seconds <= wait + 1.25 * FALLBACK_SECONDS
            if seconds < wait:
                before_their_time += 1 / seconds
    assert before_their_time <= max(HIGHEST_POLLS_PER_SECOND * 4 / 3, len(lines))


@pytest.mark.parametrize("kind", RATE_LIMITS)
def test_a_pause_wakes_few_of_those_who_wait_behind_it(kind: type[CountingRateLimit]) -> None:
    respond = succeed_but(10, httpx.Response(429, headers={"Retry-After": "60"}))

    async def scenario(run: Run) -> None:
        run.start(300)
        await asyncio.sleep(WINDOW + 0.01)
        run.rate_limit.operations.clear()
        # The pause has begun.
        await asyncio.sleep(59.0)
        during_pause = run.rate_limit.operations.total()
        # Once a second, and those whose time would have come in the pause.
        assert during_pause <= 1.3 * 60 + 5 * 6 * 2 + 20
        run.rate_limit.operations.clear()
        await asyncio.sleep(2.0)
        assert run.rate_limit.operations.total() <= 5 * 4 + 20 * 2
        await run.outcomes()

    run = in_virtual_time(scenario, respond=respond, kind=kind, retries=0)

    assert run.sent[9][1] == pytest.approx(1000.0 + WINDOW, abs=0.001)
    assert run.sent[10][1] == pytest.approx(1060.0 + WINDOW, abs=0.001)
    assert_served_in_order(run.sent, range(300))


def test_a_request_that_was_never_sent_gives_its_place_to_the_next_call_at_once() -> None:
    failures = iter([httpx.ConnectError("refused")])

    def respond(request: httpx.Request) -> httpx.Response:
        failure = next(failures, None)
        if failure is not None:
            raise failure
        return succeed(request)

    async def scenario(run: Run) -> None:
        run.start(2)
        await run.outcomes()

    run = in_virtual_time(scenario, limit=1, respond=respond, retries=0)

    assert [sent_at for _, sent_at in run.sent] == [1000.0, 1000.0]


@pytest.mark.parametrize("kind", RATE_LIMITS)
def test_cancelled_calls_give_their_places_to_those_behind(kind: type[CountingRateLimit]) -> None:
    async def scenario(run: Run) -> None:
        tasks = run.start(400)
        await run.settle()
        run.rate_limit.operations.clear()
        for task in tasks[5:395]:
            task.cancel()
        await run.settle()
        assert run.rate_limit.operations[Action.RELEASE] == 390
        assert run.rate_limit.operations[Action.REBOOK] <= 390 + 40
        await run.outcomes()

    run = in_virtual_time(scenario, kind=kind)

    assert_served_in_order(run.sent, (*range(5), *range(395, 400)))
    assert run.sent[-1][1] == pytest.approx(1000.0 + WINDOW, abs=0.001)


def test_closing_a_client_ends_its_waiting_calls_now_and_a_few_at_a_time() -> None:
    async def scenario(run: Run) -> None:
        other_client = new_client(run.sent, run.loop, run.rate_limit, succeed)
        ended_in_pass = Counter[int]()

        def count(task: asyncio.Task[Any]) -> None:
            ended_in_pass[run.loop.passes] += 1

        run.start(5)
        await run.settle()
        other_tasks = list[asyncio.Task[Any]]()
        tasks = list[asyncio.Task[Any]]()
        for _ in range(100):
            other_tasks += run.start(1, client=other_client)
            tasks += run.start(5)
        await run.settle()
        for task in tasks:
            task.add_done_callback(count)
        await run.client.close()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {ClientClosedError}
        assert run.loop.time() == 1000.0
        assert max(ended_in_pass.values()) <= 16
        await asyncio.gather(*other_tasks)
        await other_client.close()

    run = in_virtual_time(scenario)

    # The others moved forward.
    assert run.sent[-1][1] == pytest.approx(1000.0 + 20 * WINDOW, abs=0.001)


def test_a_waiting_call_raises_at_its_deadline_if_a_pause_comes() -> None:
    respond = succeed_but(10, httpx.Response(429, headers={"Retry-After": "30"}))

    async def scenario(run: Run) -> None:
        run.start(15)
        outcomes = await run.outcomes()
        assert [type(outcome) for outcome in outcomes[-5:]] == [APITimeoutError] * 5
        assert run.loop.time() <= 1000.0 + 25.001

    in_virtual_time(scenario, respond=respond, deadline=25.0, retries=0)


@pytest.mark.parametrize("kind", RATE_LIMITS)
def test_calls_that_wait_when_the_day_is_used_up_raise_and_send_nothing(
    kind: type[CountingRateLimit],
) -> None:
    headers = {"X-RateLimit-Daily-Remaining": "0", "X-RateLimit-Daily-Reset": "3600000"}
    respond = succeed_but(10, httpx.Response(200, json=SUCCESS_BODY, headers=headers))

    async def scenario(run: Run) -> None:
        run.start(200)
        outcomes = await run.outcomes()
        assert {type(outcome) for outcome in outcomes[10:]} == {DailyRateLimitError}
        assert {outcome.retry_after for outcome in outcomes[10:]} == {3600.0}
        assert run.loop.time() == pytest.approx(1000.0 + WINDOW, abs=0.001)

    run = in_virtual_time(scenario, respond=respond, kind=kind)

    assert len(run.sent) == 10


def wait_in_another_loop(rate_limit: RateLimit) -> tuple[asyncio.AbstractEventLoop, Any]:
    """Return an event loop that was stopped while a call in it waited, and the call."""
    loop = asyncio.new_event_loop()
    client = AsyncLeadConnector(
        token=TOKEN, transport=httpx.MockTransport(succeed), rate_limit=rate_limit
    )

    async def start() -> asyncio.Task[Any]:
        task = asyncio.ensure_future(
            client.conversations.update_conversation(
                CONVERSATION_ID, location_id=LOCATION_ID, starred=True
            )
        )
        for _ in range(20):
            await asyncio.sleep(0)
        return task

    return loop, loop.run_until_complete(start())


@pytest.mark.parametrize("is_closed", [False, True])
def test_a_call_in_an_event_loop_that_no_longer_runs_delays_others_briefly(
    is_closed: bool,
) -> None:
    async def scenario(run: Run) -> None:
        run.start(1)
        await run.outcomes()
        with ThreadPoolExecutor(1) as threads:
            loop, task = threads.submit(wait_in_another_loop, run.rate_limit).result(PATIENCE)
        if is_closed:
            loop.close()
            # Such a task never ends, and asyncio would report it.
            task._log_destroy_pending = False
        run.start(3)
        await run.outcomes()
        if not is_closed:
            task.cancel()
            with ThreadPoolExecutor(1) as threads:
                threads.submit(finish, loop, task).result(PATIENCE)

    def finish(loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any]) -> None:
        loop.run_until_complete(asyncio.wait([task]))
        loop.close()

    run = in_virtual_time(scenario, limit=1)

    # The lost call could have been sent after one window, and its place expires after that.
    assert run.sent[1][1] <= 1000.0 + 2 * WINDOW + 3.0
    gaps = [later[1] - first[1] for first, later in zip(run.sent, run.sent[1:], strict=False)]
    assert min(gaps) >= SECONDS
    assert max(gaps[1:]) <= WINDOW + 2.0
    gc.collect()


def test_a_call_whose_coroutine_is_closed_delays_others_briefly() -> None:
    async def scenario(run: Run) -> None:
        run.start(1)
        await run.outcomes()
        abandoned: Any = run.client.conversations.update_conversation(
            CONVERSATION_ID, location_id=LOCATION_ID, starred=True
        )
        abandoned.send(None)
        run.start(1)
        await run.settle()
        abandoned.close()
        await run.outcomes()

    run = in_virtual_time(scenario, limit=1)

    assert run.sent[1][1] <= 1000.0 + 2 * WINDOW + 2.0


class TestThreads:
    def test_closing_the_client_ends_the_waiting_calls(self) -> None:
        rate_limit = CountingRateLimit(1, 86_400.0, clock=lambda: 0.0)
        rate_limit.reserve(LOCATION_ID)
        client = LeadConnector(
            token=TOKEN, transport=httpx.MockTransport(succeed), rate_limit=rate_limit
        )
        with ThreadPoolExecutor(20) as threads:
            calls = [threads.submit(call_blocking, client) for _ in range(20)]
            wait_until(lambda: rate_limit.operations[Action.RESERVE] == 21)
            client.close()
            failures = [call.exception(PATIENCE) for call in calls]
        assert {type(failure) for failure in failures} == {ClientClosedError}
        assert rate_limit.operations[Action.RELEASE] == 20

    def test_a_released_reservation_wakes_the_next_call(self) -> None:
        rate_limit = CountingRateLimit(1, 86_400.0, clock=lambda: 0.0)
        reservation = rate_limit.reserve(LOCATION_ID)
        with (
            LeadConnector(
                token=TOKEN, transport=httpx.MockTransport(succeed), rate_limit=rate_limit
            ) as client,
            ThreadPoolExecutor(1) as threads,
        ):
            call = threads.submit(call_blocking, client)
            wait_until(lambda: rate_limit.operations[Action.RESERVE] == 2)
            rate_limit.release(reservation)
            assert call.result(PATIENCE).success

    def test_threads_and_an_event_loop_wake_each_other(self) -> None:
        rate_limit = CountingRateLimit(1, 86_400.0, clock=lambda: 0.0)
        reservation = rate_limit.reserve(LOCATION_ID)
        transport = httpx.MockTransport(succeed)

        async def call_awaiting() -> Any:
            async with AsyncLeadConnector(
                token=TOKEN, transport=transport, rate_limit=rate_limit
            ) as client:
                return await client.conversations.update_conversation(
                    CONVERSATION_ID, location_id=LOCATION_ID, starred=True
                )

        with ThreadPoolExecutor(1) as threads:
            call = threads.submit(asyncio.run, call_awaiting())
            wait_until(lambda: rate_limit.operations[Action.RESERVE] == 2)
            rate_limit.release(reservation)
            assert call.result(PATIENCE).success


def call_blocking(client: LeadConnector) -> Any:
    return client.conversations.update_conversation(
        CONVERSATION_ID, location_id=LOCATION_ID, starred=True
    )


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for other threads."""
    pause = threading.Event()
    for _ in range(int(PATIENCE / 0.005)):
        if condition():
            return
        pause.wait(0.005)
    raise AssertionError("the condition did not become true")


class RecordingSignal:
    """A signal that counts how often it was set."""

    def __init__(self) -> None:
        self.count = 0

    def set(self) -> bool:
        self.count += 1
        return True

    async def wait(self, seconds: float) -> None:
        raise NotImplementedError


class TestLine:
    @given(
        st.lists(
            st.one_of(
                st.tuples(st.just("join"), st.integers(1, 1000)),
                st.tuples(st.just("leave"), st.integers(0, 50)),
            ),
            max_size=80,
        ),
        st.sampled_from([1, 3]),
    )
    def test_a_call_that_becomes_active_or_first_is_woken(
        self, steps: list[tuple[str, int]], active_count: int
    ) -> None:
        waiting_calls = WaitingCalls(active_count)
        line = list[WaitingCall]()
        for action, value in steps:
            if action == "join":
                line.append(waiting_calls.join("key", value, RecordingSignal()))
                # Stable: calls with one number stay in the order in which they joined.
                line.sort(key=lambda waiting_call: waiting_call.number)
            elif value < len(line):
                active = line[:active_count]
                counts = {waiting_call: count_of(waiting_call) for waiting_call in line}
                waiting_calls.leave(line.pop(value))
                woken_calls = {call for call in line if count_of(call) > counts[call]}
                assert woken_calls >= set(line[:active_count]) - set(active)
                assert woken_calls >= set(line[:1]) - set(active[:1])
                assert len(woken_calls) <= 2
        for waiting_call in line:
            waiting_calls.leave(waiting_call)
            waiting_calls.leave(waiting_call)
        assert waiting_calls._queues().by_key == {}

    def test_a_call_that_is_gone_is_passed_over(self) -> None:
        waiting_calls = WaitingCalls(1)
        first, second = (waiting_calls.join("key", number, RecordingSignal()) for number in (1, 2))
        first.is_gone = True
        waiting_calls.wake_first("key")
        assert (count_of(first), count_of(second)) == (0, 1)
        second.is_gone = True
        waiting_calls.wake_first("key")
        assert waiting_calls._queues().by_key == {}


def count_of(waiting_call: WaitingCall) -> int:
    assert isinstance(waiting_call.signal, RecordingSignal)
    return waiting_call.signal.count
