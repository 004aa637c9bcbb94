"""Pure: where an application runs, as frozen values."""

from __future__ import annotations

from ramet.model.application import Value


class Deployment(Value):
    """One way to run the application.

    `data` is the folder of the embedded databases; `listen` the address of the public APIs; `durability` is "full"
    (an answer is given when its data is on the disk), "normal" (the last moments may be lost when the machine loses
    power, not when the process is killed) or "off" (for tests). In `strict` mode calls inside the process are encoded
    and decoded as if they travelled.
    """

    name: str = "local"
    data: str = ".ramet/local"
    listen: str = "127.0.0.1:8000"
    durability: str = "full"
    strict: bool = False
    cors_origins: tuple[str, ...] = ()
