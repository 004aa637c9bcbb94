"""A cable that loses packets: the shop in a network namespace, where this machine lets one be made."""

from __future__ import annotations

import os
import subprocess
from typing import Self

LOSE = ("blackhole",)
DELAY = ("tbf", "rate", "2mbit", "burst", "16kb", "latency", "40ms")
"""What comes too fast queues, which delays it, and what finds the queue full is lost."""


def _run(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


class Link:
    """Two cables into a namespace: one for the engines, on which packets are lost, and one for the customers."""

    def __init__(self) -> None:
        number = os.getpid() % 16_384
        self.name = f"ramet{number}"
        network = f"10.213.{number // 64}.{number % 64 * 4}".rpartition(".")
        self._addresses = [f"{network[0].replace('213', str(213 + cable))}.{{}}" for cable in (0, 1)]
        self._first = int(network[2])
        self.engines = self._at(0, 1)
        """Where the engines are reached from inside."""
        self.shop = self._at(1, 2)
        """Where the shop is reached from outside."""

    def _at(self, cable: int, end: int) -> str:
        return self._addresses[cable].format(self._first + end)

    @property
    def inside(self) -> tuple[str, ...]:
        """What begins a command that runs in the namespace."""
        return ("ip", "netns", "exec", self.name)

    @classmethod
    def made(cls) -> Self | None:
        """One that is up; None where namespaces cannot be made."""
        link = cls()
        if _run("ip", "netns", "add", link.name) and link._lay() and link.lose() and link.heal():
            return link
        link.remove()
        return None

    def _lay(self) -> bool:
        inside = self.inside
        done = [_run(*inside, "ip", "link", "set", "lo", "up")]
        for cable in (0, 1):
            here, there = f"{self.name}{'ab'[cable]}", f"{self.name}{'cd'[cable]}"
            done += [
                _run("ip", "link", "add", here, "type", "veth", "peer", "name", there, "netns", self.name),
                _run("ip", "addr", "add", f"{self._at(cable, 1)}/30", "dev", here),
                _run(*inside, "ip", "addr", "add", f"{self._at(cable, 2)}/30", "dev", there),
                _run("ip", "link", "set", here, "up"),
                _run(*inside, "ip", "link", "set", there, "up"),
            ]
        return all(done)

    def lose(self) -> bool:
        """Every packet to and from the engines is lost, and nobody is told."""
        return self._shape("replace", LOSE)

    def delay(self) -> bool:
        """Packets to and from the engines come late, and some never."""
        return self._shape("replace", DELAY)

    def heal(self) -> bool:
        """All is well."""
        return self._shape("del", ())

    def _shape(self, what: str, how: tuple[str, ...]) -> bool:
        here = _run("tc", "qdisc", what, "dev", f"{self.name}a", "root", *how)
        there = _run(*self.inside, "tc", "qdisc", what, "dev", f"{self.name}c", "root", *how)
        return here and there

    def remove(self) -> None:
        """The namespace, and its cables with it."""
        _run("ip", "netns", "del", self.name)
        for end in "ab":
            _run("ip", "link", "del", f"{self.name}{end}")
