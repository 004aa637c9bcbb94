"""For users' tests: a running application, clients, virtual time, fakes."""

from ramet.clock import VirtualClock
from ramet.testing.application import RunningApplication, running
from ramet.testing.stubs import NotFaked

__all__ = ["NotFaked", "RunningApplication", "VirtualClock", "running"]
