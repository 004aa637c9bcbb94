"""Policies keep their bounds whatever happens."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from ramet.transport.policy.balance import UNKNOWN_SECONDS, Load, Shares
from ramet.transport.policy.breaker import Breaker, Breaking, State
from ramet.transport.policy.bulkhead import Bulkhead, Gate
from ramet.transport.policy.outliers import Ejection, Standing
from ramet.transport.policy.retries import Budget

CHANCE = st.floats(0, 1, exclude_max=True)
PAUSE = st.floats(0, 20)


@given(st.lists(st.booleans(), max_size=300))
def test_further_attempts_never_exceed_what_was_saved_and_earned(events: list[bool]) -> None:
    budget, calls, spent = Budget(0.2, 5.0), 0, 0
    for is_call in events:
        if is_call:
            budget.earn()
            calls += 1
        else:
            spent += budget.spend()
    assert spent <= 5 + 0.2 * calls + 1e-9


@given(st.lists(st.tuples(PAUSE, st.sampled_from(["ok", "bad", "gone"])), max_size=200))
def test_a_breaker_lets_one_trial_through_and_never_stays_shut(steps: list[tuple[float, str]]) -> None:
    now, breaker = 0.0, Breaker(Breaking(), 0.0)
    for pause, end in steps:
        now += pause
        if not breaker.allows(now):
            continue
        breaker.begin()
        if breaker.state is State.HALF_OPEN:
            assert not breaker.allows(now)
        if end == "ok":
            breaker.succeeded()
        elif end == "bad":
            breaker.failed(now)
        else:
            breaker.abandoned(now)
        assert breaker.state is not State.HALF_OPEN
    assert breaker.allows(now + Breaking().longest_seconds)


@given(st.lists(st.tuples(st.integers(0, 4), PAUSE), max_size=300))
def test_never_more_than_half_of_the_replicas_are_ejected(failures: list[tuple[int, float]]) -> None:
    now, standings = 0.0, [Standing(Ejection(failures=1)) for _ in range(5)]
    for which, pause in failures:
        now += pause
        ejected = sum(one.is_ejected(now) for one in standings)
        standings[which].failed(now, ejected=ejected, replicas=5)
        assert sum(one.is_ejected(now) for one in standings) <= 2


@given(st.lists(st.floats(0.01, 10), min_size=2, max_size=8), CHANCE)
def test_two_different_members_are_drawn(weights: list[float], chance: float) -> None:
    first, second = Shares(weights).draw_two(chance)
    assert first != second
    assert {first, second} <= set(range(len(weights)))


@given(st.integers(2, 9))
def test_equals_are_drawn_as_often_as_each_other_in_either_place(count: int) -> None:
    turns = count * (count - 1)
    drawn = [Shares([1.0] * count).draw_two((turn + 0.5) / turns) for turn in range(turns)]
    assert len(set(drawn)) == turns


def test_members_of_different_weights_are_drawn_by_them_in_both_places() -> None:
    chance, shares = random.Random(7), Shares([1.0, 2.0, 1.0])
    drawn = [shares.draw_two(chance.random()) for _ in range(10_000)]
    assert abs(sum(first == 1 for first, _ in drawn) / len(drawn) - 0.5) < 0.03
    # as the second: after one of the others half of the time, and after one of those that drew itself
    assert abs(sum(pair == (0, 1) for pair in drawn) / sum(pair[0] == 0 for pair in drawn) - 0.75) < 0.03


@given(st.lists(st.tuples(st.floats(0, 10), PAUSE), min_size=1, max_size=50))
def test_latency_stays_between_what_was_observed(observed: list[tuple[float, float]]) -> None:
    now, load = 0.0, Load(5.0)
    for seconds, pause in observed:
        now += pause
        load.observe(seconds, now)
        assert seconds - 1e-9 <= load.latency_seconds <= max(one for one, _ in observed) + 1e-9
        assert load.expected_seconds(now + 1) <= load.expected_seconds(now)
    assert load.expected_seconds(now + 1000) <= UNKNOWN_SECONDS


@given(st.lists(st.tuples(st.sampled_from(["enter", "leave"]), st.floats(0, 0.2)), max_size=300))
def test_a_gate_never_has_more_inside_or_in_line_than_it_may_and_loses_nobody(steps: list[tuple[str, float]]) -> None:
    now, count = 0.0, 0
    gate: Gate[int] = Gate(Bulkhead(concurrency=3, queue=4))
    lined, served, refused = set[int](), set[int](), set[int]()
    for step, pause in steps:
        now += pause
        if step == "leave" and gate.running:
            following, dropped = gate.pass_on(now, 0.05)
            refused.update(dropped)
            served.update([] if following is None else [following])
        elif step == "enter" and not gate.is_full:
            gate.enter()
        elif step == "enter":
            count += 1
            refused.update(gate.expired(now))
            if gate.line_up(now, now + 1, count):
                lined.add(count)
        assert gate.running <= 3
        assert len(gate.queue) <= 4
        assert len(gate.queue) == len(lined - served - refused)
        assert not served & refused
