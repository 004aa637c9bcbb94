"""Senders: what carries a message to its recipient. Which one serves a channel is a setting."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from pathlib import Path

import msgspec

from ramet import Settings
from shop.notifications.contract import Channel, Sent

OUTBOX = "shop.notifications.senders:Outbox"


class NotificationsSettings(Settings):
    """A sender is named as `package.module:Class`; `outbox` is the folder that the default one writes into."""

    email: str = OUTBOX
    sms: str = OUTBOX
    push: str = OUTBOX
    outbox: str = ".ramet/outbox"


class Sender(ABC):
    """After a crash it may be given a message again: it recognises it by its `id`, and sends it once."""

    def __init__(self, settings: NotificationsSettings) -> None:
        self.settings = settings

    @abstractmethod
    async def send(self, message: Sent) -> None: ...


class Outbox(Sender):
    """Writes each message into a file of its own."""

    async def send(self, message: Sent) -> None:
        folder = Path(self.settings.outbox, message.channel)
        folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - a small file; a thread would take longer
        (folder / f"{message.id}.json").write_bytes(msgspec.json.encode(message))


def sender(channel: Channel, settings: NotificationsSettings) -> Sender:
    module, _, name = str(getattr(settings, channel)).partition(":")
    kind: type[Sender] = getattr(importlib.import_module(module), name)
    return kind(settings)
