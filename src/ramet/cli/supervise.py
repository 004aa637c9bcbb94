"""`ramet up` of a deployment of several processes: the supervisor in the foreground, with everybody's log."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

import msgspec

from ramet.cli import output
from ramet.cli.application import declared, run
from ramet.cli.command import BAD_INPUT, Choices
from ramet.cli.engines import engines_of, tell_to_end, with_engines
from ramet.cli.provisioning import check_entrance
from ramet.errors import DeclarationError, RametError
from ramet.interruption import INTERRUPTED
from ramet.tasks import unless_stopped

if TYPE_CHECKING:
    from ramet.contract.declared import Declared
    from ramet.model.topology import Deployment
    from ramet.runtime.configuration import Configuration
    from ramet.runtime.planning import Placement
    from ramet.runtime.supervisor.supervisor import Setup, Supervisor
    from ramet.runtime.watching import Sources

NAMES = ("cyan", "green", "yellow", "bold")


def planned(found: Configuration, deployment: Deployment, application: Declared) -> Placement:
    """What will run where. Raises: DeclarationError with every mistake."""
    from ramet.runtime.planning import place

    placement, problems = place(deployment, application, found.place)
    if problems:
        raise DeclarationError(problems)
    return placement


def supervise(
    choices: Choices, found: Configuration, deployment: Deployment, *, engines: bool, sources: Sources | None
) -> int:
    """Run it until it is interrupted or stopped; the exit code."""
    from ramet.contract.describe import describe
    from ramet.identity.grants import grants, working_late
    from ramet.runtime.configuration import settings_that_do_not_fit
    from ramet.runtime.sole import Sole
    from ramet.runtime.supervisor.patience import Patience
    from ramet.runtime.supervisor.supervisor import Setup, zygote_of

    application = declared(found)
    placement = planned(found, deployment, application)
    if problems := sorted(set(settings_that_do_not_fit(found, application, deployment.name, os.environ))):
        raise DeclarationError(problems)
    model = describe(application)
    setup = Setup(
        application=found.application.name,
        folder=found.folder,
        deployment=deployment,
        placement=placement,
        show=show,
        grants=grants(model, placement.hosts),
        written={one.name: found.place_of_address(deployment, one.name) for one in placement.groups},
        late=working_late(model, placement.hosts),
        zygote=zygote_of(deployment),
        patience=Patience(start=max(Patience().start, deployment.startup_seconds)),
    )
    with ExitStack() as stack:
        stack.enter_context(Sole(found.folder / deployment.data, deployment))
        if engines:
            setup = stack.enter_context(with_engines(setup, application))
        storage = setup.storage or deployment.storage
        run(check_entrance(found, msgspec.structs.replace(deployment, storage=storage), application))
        apis = frozenset(api.name for api in application.apis)
        return run(_Foreground(choices, setup, sources, apis).run())


class _Foreground:
    """The supervisor as a command: signals, changed files, what is said."""

    def __init__(self, choices: Choices, setup: Setup, sources: Sources | None, apis: frozenset[str]) -> None:
        self._choices = choices
        self._apis = apis
        self._setup = setup
        self._sources = sources
        self._interrupted = False

    async def run(self) -> int:
        """Until it ends."""
        from ramet.runtime.supervisor.supervisor import Supervisor

        supervisor = Supervisor(self._setup)
        self._on_signals(supervisor)
        await supervisor.start()
        is_hopeless = await self._is_hopeless(supervisor)
        if self._sources is not None:
            if is_hopeless:
                output.note(output.paint("Waiting for the next save.", "dim", sys.stderr))
            supervisor.tasks.spawn(self._follow(supervisor, self._sources))
        elif is_hopeless:
            supervisor.end()
        await supervisor.stopping.wait()
        output.note("Stopping, once what is in flight is finished.")
        await supervisor.stop()
        return BAD_INPUT if is_hopeless and self._sources is None else 0

    async def _is_hopeless(self, supervisor: Supervisor) -> bool:
        """Say that it is ready, or who is given up: whether that is a whole group. A stop does not wait for that."""
        given_up = await unless_stopped(supervisor.stopping, supervisor.decided())
        if given_up is None:
            return False
        for member in given_up:
            output.complain(f"{member.name} {member.error}.")
        is_hopeless = any(keeper.is_hopeless for keeper in supervisor.keepers.values())
        if not is_hopeless:
            self._announce(supervisor)
        return is_hopeless

    def _on_signals(self, supervisor: Supervisor) -> None:
        """The first asks to stop; the second ends every process, which the databases survive."""

        def stop() -> None:
            if self._interrupted:
                supervisor.kill()
                tell_to_end(engines_of(self._setup))
                os._exit(INTERRUPTED)
            self._interrupted = True
            supervisor.end()

        loop = asyncio.get_running_loop()
        for one in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(one, stop)

    def _announce(self, supervisor: Supervisor) -> None:
        from ramet.runtime.replacing import age_seconds

        seconds, setup = age_seconds(), self._setup
        addresses = supervisor.addresses()
        groups = {name: keeper.ready for name, keeper in supervisor.keepers.items()}
        if self._choices.json:
            ready = {
                "application": setup.application,
                "deployment": setup.deployment.name,
                "pid": os.getpid(),
                "url": next((url for name in groups if (url := supervisor.url(name))), ""),
                "addresses": [msgspec.to_builtins(one) for one in addresses],
                "groups": groups,
                "data": str(supervisor.folders.data),
                "seconds": seconds,
            }
            output.line({"ready": ready})
            return
        needed = f" in {seconds:.2f} s" if seconds is not None else ""
        name = f"{output.paint(setup.application, 'bold')} · {setup.deployment.name}"
        counts = ", ".join(f"{count} of {name}" if count > 1 else name for name, count in groups.items())
        output.say(f"{name} · {output.paint('ready', 'green')}{needed}: {counts}")
        documented = [("docs", f"{one.url}/docs") for one in addresses if one.name in self._apis]
        output.addresses([*((one.name, one.url) for one in addresses), *documented])

    async def _follow(self, supervisor: Supervisor, sources: Sources) -> None:
        """Exchange every replica when the code has changed; where the new code does not start, the old stays."""
        from ramet.runtime.watching import Sources

        while True:
            await sources.changed(supervisor.tasks.spawn)
            output.note("The code changed: exchanging the replicas.")
            sources = Sources(self._setup.folder)
            for keeper in supervisor.keepers.values():
                try:
                    await keeper.restart()
                except RametError as error:
                    output.complain(str(error))
                    break


def show(who: str, text: str) -> None:
    """A replica's line on the terminal, with its name in its group's colour."""
    group = who.partition("/")[0]
    colour = NAMES[sum(group.encode()) % len(NAMES)]
    output.note(f"{output.paint(who.ljust(10), colour, sys.stderr)} {text}")
