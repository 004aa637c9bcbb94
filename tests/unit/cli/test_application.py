"""Commands on an application that does not run: they work on its declarations and its databases."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from ramet.model.document import load
from tests.unit.cli.conftest import Broken, Ramet

HANDLING = """
from ramet import Contract, Event, Saga, Struct, command, on, step, wait


class Rang(Event, key="door"):
    door: str


class Broke(Event, key="door"):
    door: str


class Bells(Contract, version="1.0.0", publishes=(Rang, Broke)):
    @command
    async def ring(self, door: str) -> None: ...


class Visit(Saga):
    class State(Struct):
        door: str

    bells: Bells

    @wait(Rang)
    async def answered(self, state: State, event: Rang) -> State:
        return state


class BellsService(Bells, sagas=(Visit,)):
    async def ring(self, door: str) -> None:
        await self.publish(Rang(door=door))
        await self.start(Visit, Visit.State(door=door), key=door)

    @on(Rang)
    async def hear(self, event: Rang) -> None: ...
"""


def test_the_model_is_a_document_that_can_be_loaded_back(ramet: Ramet, hello: Path) -> None:
    application = load(ramet("model", "--json").out)
    assert [service.name for service in application.services] == ["greetings"]


def test_the_model_is_drawn(ramet: Ramet, hello: Path) -> None:
    assert ramet("model", "--mermaid").out.startswith("flowchart LR\n")


def test_the_model_is_told_in_a_table(ramet: Ramet, hello: Path) -> None:
    out = ramet("model").out
    assert "greetings  1.0.0" in out
    assert "/api" in out


def test_who_handles_which_event_is_told_as_text_and_in_the_document(ramet: Ramet, broken: Broken) -> None:
    broken(
        {
            "ramet.toml": '[application]\nname = "x"\nservices = ["{package}"]\n',
            "{package}.py": HANDLING,
        }
    )
    out = ramet("model").out
    assert re.search(r"^bells\.Rang +bells\.hear, bells\.Visit\.answered$", out, re.MULTILINE)
    assert re.search(r"^bells\.Broke +nobody$", out, re.MULTILINE)
    (service,) = load(ramet("model", "--json").out).services
    assert [(one.event, one.method) for one in service.subscribes] == [("bells.Rang", "hear")]


def test_openapi_is_printed_for_the_only_api(ramet: Ramet, hello: Path) -> None:
    result = ramet("openapi")
    assert result.json["openapi"] == "3.1.0"
    assert ramet("openapi", "web").json == result.json


def test_openapi_is_written_into_a_folder(ramet: Ramet, hello: Path, tmp_path: Path) -> None:
    result = ramet("openapi", "--output", str(tmp_path / "a" / "b"), "--json")
    assert result.json == {"written": [str(tmp_path / "a" / "b" / "web.openapi.json")]}
    assert msgspec.json.decode((tmp_path / "a" / "b" / "web.openapi.json").read_bytes())["openapi"] == "3.1.0"


def test_an_api_that_is_not_there_is_refused_with_those_that_are(ramet: Ramet, hello: Path) -> None:
    assert ramet("openapi", "shop").err == 'error: There is no API and no contract "shop"; there are web, greetings.\n'


def test_a_call_starts_the_application_and_its_data_stays(ramet: Ramet, hello: Path) -> None:
    before = ramet("call", "greetings.times", '{"name": "Ada"}').json
    assert ramet("call", "Greetings.greet", '{"name": "Ada"}').json == {"text": "Hello, Ada!", "times": before + 1}
    assert ramet("call", "greetings.times", '{"name": "Ada"}').json == before + 1


def test_a_call_with_a_key_is_answered_once(ramet: Ramet, hello: Path) -> None:
    first = ramet("call", "greetings.greet", '{"name": "Grace"}', "--key", "one")
    assert ramet("call", "greetings.greet", '{"name": "Grace"}', "--key", "one").json == first.json


def test_a_refusal_is_told_and_its_exit_code_is_1(ramet: Ramet, hello: Path) -> None:
    result = ramet("call", "greetings.greet", '{"name": " "}')
    assert (result.code, result.out) == (1, "")
    assert "Nameless: Who is to be greeted needs a name." in result.err
    told = ramet("call", "greetings.greet", '{"name": " "}', "--json")
    assert told.code == 1
    assert told.json["refused"]["kind"] == "Nameless"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["greetings.greet", "{"], "The arguments are no JSON object"),
        (["greetings.greet", "[]"], "The arguments are no JSON object"),
        (["greetings.greet", '{"nam": 1}'], 'greet has no parameter "nam"; it takes name.'),
        (["greetings.greet", '{"name": 1}'], 'the argument "name": Expected `str`, got `int`'),
        (["greetings.greet"], 'the argument "name" is missing'),
        (["greetings.wave"], 'greetings has no method "wave"'),
        (["greeting.greet"], 'did you mean "greetings"?'),
        (["greet"], 'A method is named as "Contract.method"'),
        (["greetings.greet", "--timeout", "soon"], '"soon" is no duration'),
        (["greetings.greet", "--timeout", "0s"], "must be more than 0"),
    ],
)
def test_a_call_that_cannot_be_made_is_one_sentence(ramet: Ramet, hello: Path, words: list[str], sentence: str) -> None:
    result = ramet("call", *words)
    assert (result.code, result.out) == (2, "")
    assert result.err.count("\n") == 1
    assert sentence in result.err


def test_the_status_tells_what_waits(ramet: Ramet, hello: Path) -> None:
    ramet("call", "greetings.times", '{"name": "Ada"}')
    status = ramet("status", "--json").json
    assert (status["application"], status["running"], status["pid"]) == ("made-by-test", False, None)
    assert [service["name"] for service in status["services"]] == ["greetings"]
    assert "not running" in ramet("status").out


def test_there_are_no_sagas_and_no_dead_letters(ramet: Ramet, hello: Path) -> None:
    ramet("call", "greetings.times", '{"name": "Ada"}')
    assert ramet("sagas", "list", "--json").json == []
    assert ramet("sagas", "list").out == "There are no such sagas.\n"
    assert ramet("events", "list").out == "Every event is handled.\n"
    assert ramet("events", "list", "--json").json == {"waiting": [], "retrying": [], "dead": []}
    assert ramet("sagas", "show", "Checkout/1").code == 1
    assert ramet("sagas", "retry", "nobody").code == 1
    assert ramet("events", "replay", "nothing").code == 1
    assert ramet("events", "discard", "--consumer", "greetings.notice").out == "0 dead letters discarded.\n"


def test_a_deployment_that_is_not_there_is_refused_with_those_that_are(ramet: Ramet, hello: Path) -> None:
    result = ramet("status", "-d", "moon")
    assert (result.code, result.err) == (2, 'error: ramet.toml has no deployment "moon"; it has local.\n')


OUTSIDE = """
from ramet import Contract, External, query

class Labels(Contract, version="1.2.0"):
    @query
    async def left(self) -> int: ...

class Desk(Contract, version="1.0.0"):
    @query
    async def open(self) -> bool: ...

class DeskService(Desk):
    labels: Labels

    async def open(self):
        return await self.labels.left() > 0

EXTERNAL = External(Labels, url="http://127.0.0.1:9")
"""


def test_who_is_outside_is_in_the_model_and_in_the_plan(ramet: Ramet, broken: Broken) -> None:
    toml = '[application]\nname = "x"\nservices = ["{package}"]\n'
    broken({"ramet.toml": toml, "{package}.py": OUTSIDE})
    assert re.search(r"^outside +version +methods\nlabels +1\.2\.0 +1$", ramet("model").out, re.MULTILINE)
    assert re.search(r"^all +1 +desk +- +labels \(outside\)$", ramet("plan").out, re.MULTILINE)


def test_where_nothing_was_said_programs_are_told_nothing_and_people_so(ramet: Ramet, broken: Broken) -> None:
    toml = '[application]\nname = "x"\nservices = ["{package}"]\n[deployment.split.process.all]\nservices = "*"\n'
    broken({"ramet.toml": toml, "{package}.py": OUTSIDE})
    silent, told = ramet("logs", "--json"), ramet("logs")
    assert (silent.code, silent.out, silent.err) == (0, "", "")
    assert (told.code, told.out, told.err) == (0, "", 'The deployment "split" does not run, and has said nothing.\n')
