"""A code base and the questions asked about it: the last answer is remembered as long as nothing has changed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from ramet.advisor.advise import advise
from ramet.advisor.agreement import Agreed
from ramet.advisor.facts import Facts
from ramet.advisor.read import Code, Progress, ReadOptions
from ramet.advisor.readiness.score import Answers
from ramet.advisor.report.advice import Advice
from ramet.errors import ConfigurationError


class Study:
    """What can be asked about a code base.

    Raises: ConfigurationError, if `root` is no folder.
    """

    def __init__(self, root: Path, *, progress: Progress | None = None, options: ReadOptions | None = None) -> None:
        self._root = root
        self._tell = progress or (lambda _stage, _done, _total: None)
        self._code = Code(root, progress=progress, options=options)

    @property
    def facts(self) -> Facts:
        """Everything found; read when it is first needed.

        Raises: ConfigurationError, where there is no Python module.
        """
        facts = self._code.facts
        if not facts.modules:
            why = "; ".join(f"{gap.what}: {gap.why}" for gap in facts.gaps if gap.what.startswith("Left out"))
            raise ConfigurationError(f"There is no Python module below {self._root}." + (f" {why}." if why else ""))
        return facts

    def advice(self, answers: Answers, *, agreed: Agreed | None = None, paths: Sequence[str] | None = None) -> Advice:
        """What to say of it: `ramet.advisor.advise.advise` with the same arguments.

        Raises: ConfigurationError, where there is no Python module, or a path of the cut holds none; MissingExtra.
        """
        question = msgspec.msgpack.encode((answers, agreed, paths))
        advice = self._code.answered(question, Advice)
        if advice is None:
            facts = self.facts
            self._tell("boundaries", 0, 1)
            advice = advise(facts, answers, agreed=agreed, paths=paths)
            self._code.remember(question, advice)
        return advice
