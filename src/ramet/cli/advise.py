"""`ramet advise`: should this code base be split, where, and when."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from ramet.cli import output
from ramet.cli.advise_summary import show
from ramet.cli.command import FOUND, Choices, command
from ramet.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ramet.advisor.agreement import Agreed
    from ramet.advisor.facts import Facts
    from ramet.advisor.finding import Finding
    from ramet.advisor.read import Progress
    from ramet.advisor.readiness.score import Answers
    from ramet.advisor.report.advice import Advice
    from ramet.advisor.study import Study

FILE = click.Path(dir_okay=False, path_type=Path)
EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)


@command(
    ("ramet advise .", "read this code base, and say whether, where and when to split it"),
    ("ramet advise . --html advice.html", "the whole report, with a map, as one file"),
    ("ramet advise . --cut shop/orders --cut shop/cart", "what that cut would mean"),
    ("ramet advise . --interview --answers answers.toml", "be asked what a repository cannot know"),
    ("ramet advise . --baseline known.json", "for pipelines: exit code 1 for new findings only"),
    ("ramet advise . --write-rules boundaries.toml", "boundaries as they are, to be enforced with --rules"),
)
@click.argument("path", type=click.Path(exists=True, file_okay=False, path_type=Path), default=".")
@click.option("--cut", "cuts", multiple=True, metavar="PATH", help="What if this were a service? May be repeated.")
@click.option("--answers", type=FILE, help="A file of answers to what a repository cannot know.")
@click.option("--interview", is_flag=True, help="Ask for those answers, and write them to --answers.")
@click.option("--html", type=FILE, metavar="FILE", help="Write the report as one HTML file.")
@click.option("--markdown", type=FILE, metavar="FILE", help="Write the report as Markdown.")
@click.option("--sarif", type=FILE, metavar="FILE", help="Write the findings as SARIF, for code review.")
@click.option("--baseline", type=EXISTING, metavar="FILE", help="Known findings: exit code 1 when there are new ones.")
@click.option("--write-baseline", type=FILE, metavar="FILE", help="Write the findings there are as a baseline.")
@click.option("--rules", type=EXISTING, metavar="FILE", help="Boundaries that were agreed on, to be checked.")
@click.option("--write-rules", type=FILE, metavar="FILE", help="Write boundaries that allow what there is today.")
@click.option("--traces", type=EXISTING, multiple=True, metavar="FILE", help="OTLP traces in JSON. May be repeated.")
@click.option("--no-history", is_flag=True, help="Do not read the git history.")
@click.option("--no-cache", is_flag=True, help="Read everything anew.")
def advise(choices: Choices, path: Path, **given: Any) -> int:
    """Read any Python code base, and say whether, where and when to split it.

    Nothing of it is imported, executed or changed. What a repository cannot know is asked, or stays unknown.
    """
    answers = _answers(given["answers"], interview=given["interview"])
    agreed = _agreed(given["rules"])
    with _without_collections():
        cuts = [_below(path, one) for one in given["cuts"]]
        with output.stages() as tell:
            study = _study(path, given, tell)
            advice = study.advice(answers, agreed=agreed, paths=cuts or None)
        written = list(_write(path, study, advice, given))
    new = _new(advice, given["baseline"])
    if choices.json:
        output.document(advice)
    else:
        show(advice, detailed=bool(given["cuts"]))
        for file in written:
            output.note(f"Written: {file}")
    if new is None:
        return 0
    if not new:
        output.note("No new findings.")
        return 0
    output.problems([f"{_where(one)}: {one.message}" for one in new])
    return FOUND


@contextmanager
def _without_collections() -> Iterator[None]:
    """Facts are trees without circles: to look for circles in millions of them costs a sixth of the time."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


def _below(path: Path, cut: str) -> str:
    """A folder or file as facts name it: relative to the root, whatever way it was given."""
    if not cut.strip():
        raise ConfigurationError("--cut names nothing; give it a folder or file below the root.")
    given = Path(cut)
    root = path.resolve()
    if given.is_absolute() and given.is_relative_to(root):
        given = given.relative_to(root)
    return str(given)


def _answers(file: Path | None, *, interview: bool) -> Answers:
    from ramet.advisor.readiness.interview import read_answers, write_answers
    from ramet.advisor.readiness.score import Answers
    from ramet.cli.advise_interview import ask

    known = read_answers(_text(file), str(file)) if file is not None and file.exists() else Answers()
    if file is not None and not file.exists() and not interview:
        raise ConfigurationError(f"There is no file {file}: write one with --interview.")
    if interview:
        known = ask(known)
        if file is not None:
            _put(file, write_answers(known).encode())
    return known


def _agreed(file: Path | None) -> Agreed | None:
    from ramet.advisor.agreement import read_boundaries

    return None if file is None else read_boundaries(_text(file), str(file))


def _study(path: Path, given: dict[str, Any], tell: Progress) -> Study:
    from ramet.advisor.read import ReadOptions
    from ramet.advisor.study import Study

    options = ReadOptions(history=not given["no_history"], traffic=given["traces"])
    if given["no_cache"]:
        options = msgspec.structs.replace(options, cache=None)
    return Study(path, progress=tell, options=options)


def _write(path: Path, study: Study, advice: Advice, given: dict[str, Any]) -> Sequence[Path]:
    """Write what was asked for; the files."""
    from ramet.advisor.advise import RULES
    from ramet.advisor.agreement import write_boundaries
    from ramet.advisor.baseline import baseline_of, encode
    from ramet.advisor.coupling.parts import folders_of
    from ramet.advisor.report.markdown import markdown

    makers = {
        "html": lambda: _html(path, study.facts, advice).encode(),
        "markdown": lambda: markdown(advice).encode(),
        "sarif": lambda: _sarif(advice.findings, RULES),
        "write_baseline": lambda: encode(baseline_of(advice.findings)),
        "write_rules": lambda: write_boundaries(folders_of(study.facts), study.facts).encode(),
    }
    wanted = {name: given[name] for name in makers if given[name] is not None}
    for name, file in wanted.items():
        _put(file, makers[name]())
    return list(wanted.values())


def _html(path: Path, facts: Facts, advice: Advice) -> str:
    from ramet.advisor.advise import RULES
    from ramet.advisor.excerpts import excerpts
    from ramet.advisor.report.html import html

    places = [place for finding in advice.findings for place in finding.places]
    return html(advice, facts, RULES, excerpts(path, places))


def _sarif(findings: Sequence[Finding], rules: Any) -> bytes:
    from importlib.metadata import version

    from ramet.advisor.report.sarif import sarif

    return sarif(findings, rules, version=version("ramet"))


def _new(advice: Advice, file: Path | None) -> Sequence[Finding] | None:
    """What the baseline does not know; None where there is no baseline."""
    from ramet.advisor.baseline import compare, decode

    if file is None:
        return None
    compared = compare(advice.findings, decode(file.read_bytes(), str(file)))
    if compared.gone:
        output.note(f"{len(compared.gone)} known findings are gone: tighten the baseline with --write-baseline {file}")
    return compared.new


def _where(finding: Finding) -> str:
    return f"{finding.places[0].path}:{finding.places[0].line}" if finding.places else finding.rule


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file} cannot be read: {error}.") from error


def _put(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be written: {error.strerror}.") from error
