"""Pure: what a deployment may say about its calls and its public APIs, as frozen values; None is the default."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from ramet.model.application import Value

Seconds = Annotated[float, Meta(gt=0, le=86_400)]
Share = Annotated[float, Meta(ge=0, le=1)]
Quantile = Annotated[float, Meta(gt=0, lt=1)]
Count = Annotated[int, Meta(ge=1, le=1_000_000)]


class Policy(Value):
    """How calls are treated: those of a deployment, of a contract, or of one method.

    A call may take `deadline_seconds`. It is tried `attempts` times in all, with a pause that begins with
    `backoff_seconds`. A breaker opens when `breaker_failures` have failed, and they are `breaker_share` of all, within
    `breaker_window_seconds`; for `breaker_open_seconds` at first. With `hedging` a query is sent twice when it takes
    longer than `hedging_quantile` of those before. A process answers `concurrency` calls at a time, and lets `queue`
    wait.
    """

    deadline_seconds: Seconds | None = None
    attempts: Annotated[int, Meta(ge=1, le=100)] | None = None
    backoff_seconds: Seconds | None = None
    breaker_failures: Count | None = None
    breaker_share: Share | None = None
    breaker_window_seconds: Seconds | None = None
    breaker_open_seconds: Seconds | None = None
    hedging: bool | None = None
    hedging_quantile: Quantile | None = None
    concurrency: Count | None = None
    queue: Annotated[int, Meta(ge=0, le=1_000_000)] | None = None


class Budgets(Value):
    """What all calls to a process group share: further attempts are at most `retry_share` of the calls in the long run,
    and `retry_saved` at once after a quiet time; queries that are sent twice at most `hedging_share` of them.
    """

    retry_share: Share | None = None
    retry_saved: Annotated[float, Meta(ge=0, le=1_000_000)] | None = None
    hedging_share: Share | None = None


class Http(Value):
    """For all routes that do not say otherwise: how long a request may take, and how many bytes its body may have.

    A stream without news sends something every `keep_alive_seconds`; `docs` shows the documentation.
    """

    deadline_seconds: Seconds | None = None
    max_body_bytes: Annotated[int, Meta(ge=0, le=2**40)] | None = None
    keep_alive_seconds: Seconds | None = None
    docs: bool | None = None
