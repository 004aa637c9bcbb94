"""Pure: the anti-patterns of services that are looked for, why they matter and what mends them.

The names follow Taibi, Lenarduzzi, Pahl: Microservices Anti-Patterns, a Taxonomy (2020), and Newman: Monolith to
Microservices (2019). A threshold is where to begin to ask, not a law; each finding says what was measured.
"""

from __future__ import annotations

from ramet.advisor.finding import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        id="too-many-services",
        title="Too many services for the team",
        why="Every service costs operations, upgrades and attention, whether it changes or not.",
        remedy="Join services that one team owns into one deployable with modules.",
    ),
    Rule(
        id="distributed-monolith",
        title="Distributed monolith",
        why="Services that change together must be released together: the costs of both, the freedom of neither.",
        remedy="Join them, or move the shared knowledge to one side of the contract.",
    ),
    Rule(
        id="chatty-services",
        title="Chatty services",
        why="Each call costs latency and can fail; many small ones for one request multiply both.",
        remedy="Offer one coarse operation, keep a copy fed by events, or join the two.",
    ),
    Rule(
        id="shared-database",
        title="Shared database",
        why="A table that two services use is a contract nobody has written: neither can change it alone.",
        remedy="Give the table one owner; the other asks it, or keeps its own copy from its events.",
    ),
    Rule(
        id="no-operations",
        title="No operations",
        why="Without health checks, metrics, traces and a pipeline nobody sees which service fails.",
        remedy="Add what is missing before adding services.",
    ),
    Rule(
        id="technology-zoo",
        title="Technology zoo",
        why="Each technology needs people who know it, upgrades and security patches.",
        remedy="Agree on one of a kind, and an exception only with an owner.",
    ),
    Rule(
        id="pass-through-service",
        title="Pass-through service",
        why="A service that only forwards adds a hop and a failure, and decides nothing.",
        remedy="Call the service behind it, or let a gateway route.",
    ),
    Rule(
        id="cyclic-services",
        title="Cyclic services",
        why="Services in a circle cannot be started, tested or released one after the other.",
        remedy="Turn one direction into events, or join them.",
    ),
    Rule(
        id="god-service",
        title="God service",
        why="What everybody needs and nobody can change without everybody is the monolith again.",
        remedy="Split it by the reasons for which it changes.",
    ),
    Rule(
        id="nano-service",
        title="Nano-service",
        why="A service smaller than the plumbing around it costs more than it gives.",
        remedy="Make it a module of the only service that calls it.",
    ),
    Rule(
        id="merge",
        title="Better joined again",
        why="What changes together, shares tables and is called all the time is one thing.",
        remedy="Put both into one deployable; keep the boundary as a module.",
    ),
)
