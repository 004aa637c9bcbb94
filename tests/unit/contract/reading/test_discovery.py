"""What an application consists of, and what cannot be imported."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ramet import Application, Contract, Mounted
from ramet.contract.problems import Problem
from ramet.contract.reading.application import examine, read
from ramet.errors import DeclarationError
from tests.fresh import fresh

SERVICE = """
from ramet import Contract

class {name}(Contract, version="1.0.0"): ...
class {name}Service({name}): ...
"""
Make = Callable[[dict[str, str]], Path]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Write files into a folder that can be imported from."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules)

    def write(files: dict[str, str]) -> Path:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path

    with fresh("shop"):
        yield write
        for name in set(sys.modules) - before:
            del sys.modules[name]


def listing(*names: str, text: str = "") -> Application:
    """An application whose list of services is in ramet.toml."""
    Path("ramet.toml").write_text(text, encoding="utf-8")
    return Application("a", services=names, place=(str(Path("ramet.toml").resolve()), 1))


def problems(*names: str, text: str = "") -> list[str]:
    return [str(problem) for problem in examine(listing(*names, text=text))[1]]


def test_everything_in_a_package_is_found_but_tests_and_migrations(make: Make) -> None:
    make({
        "first/__init__.py": "",
        "first/service.py": SERVICE.format(name="One"),
        "first/deep/__init__.py": SERVICE.format(name="Two"),
        "first/deep/more.py": "from first.service import OneService\nimport ramet\nW = ramet.Mounted(name='w', app=0)",
        "first/tests/__init__.py": SERVICE.format(name="Three"),
        "first/migrations/__init__.py": "raise RuntimeError('not to be imported')",
        "first/__main__.py": "raise RuntimeError('not to be imported')",
    })  # fmt: skip  # files
    declared = read(listing("first"))
    assert [service.cls.__name__ for service in declared.services] == ["TwoService", "OneService"]
    assert [mounted.name for mounted in declared.mounted] == ["w"]


def test_what_is_listed_twice_is_there_once(make: Make) -> None:
    make({"first/__init__.py": SERVICE.format(name="One")})
    declared = read(listing("first", "first"))
    assert len(declared.services) == 1


def test_a_syntax_error_has_its_line(make: Make) -> None:
    make({"broken/__init__.py": "", "broken/service.py": "\n\nclass Orders(\n", "broken/other.py": "x = 1 +\n"})
    assert problems("broken") == [
        "broken/other.py:1: broken.other cannot be read: invalid syntax. Mend the syntax.",
        "broken/service.py:3: broken.service cannot be read: '(' was never closed. Mend the syntax.",
    ]


def test_an_error_of_an_import_has_the_innermost_line_of_the_application(make: Make) -> None:
    make({
        "shop/__init__.py": "from shop import rates\n",
        "shop/rates.py": "import json\n\n\ndef parse():\n    return json.loads('{')\n\n\nRATES = parse()\n",
    })  # fmt: skip  # files
    (problem,) = problems("shop")
    assert problem.startswith("shop/rates.py:5: shop cannot be imported: JSONDecodeError: Expecting property name")


def test_a_declaration_that_python_refuses_has_its_line(make: Make) -> None:
    make({"odd.py": "from ramet import Contract\n\n\nclass Odd(Contract, colour='red'): ...\n"})
    (problem,) = problems("odd")
    assert problem.startswith("odd.py:4: odd cannot be imported: TypeError: ")
    assert "colour" in problem or "keyword arguments" in problem


def test_a_module_that_is_not_there_has_its_line_in_the_list(make: Make) -> None:
    make({"first/__init__.py": SERVICE.format(name="One")})
    text = '[application]\nname = "a"\nservices = [\n    "first",\n    "frist.orders",\n    "first.orders",\n]\n'
    remedy = "Mend the name in the list of services, or run from the folder that contains the package."
    assert problems("first", "frist.orders", "first.orders", text=text) == [
        f'ramet.toml:5: There is no module "frist.orders": "frist" cannot be found. {remedy}',
        f'ramet.toml:6: There is no module "first.orders": "first.orders" cannot be found. {remedy}',
    ]


@pytest.mark.parametrize("name", ["", "../first", ".first"])
def test_what_is_no_name_of_a_module_has_its_line_in_the_list(make: Make, name: str) -> None:
    make({"first/__init__.py": SERVICE.format(name="One")})
    text = f'[application]\nname = "a"\nservices = [\n    "first",\n    "{name}",\n]\n'
    (problem,) = problems("first", name, text=text)
    assert problem.startswith(f'ramet.toml:5: "{name}" is no name of a module.')


def test_an_empty_module_has_its_line_in_the_list(make: Make) -> None:
    make({"empty.py": "X = 1\n"})
    (problem,) = problems("empty", text='services = [\n    "empty",\n]')
    assert problem.startswith("ramet.toml:2: empty has no service, no Api and no Mounted application in it.")


class Stock(Contract, version="1.0.0"): ...


class StockService(Stock): ...


def examined(application: Application) -> list[Problem]:
    return list(examine(application)[1])


def test_a_contract_in_the_list_of_services_is_found_on_its_line() -> None:
    (problem,) = examined(
        Application(
            "a",
            services=[
                StockService,
                Stock,
            ],
        )
    )
    assert problem.message == "Stock is a contract, not a service."
    assert problem.remedy == "List the class that implements it: `class StockService(Stock)`."
    assert Path(__file__).read_text(encoding="utf-8").splitlines()[problem.line - 1].strip() == "Stock,"


@pytest.mark.parametrize("part", [5, None, int, object(), Contract, Application("b", services=[])])
def test_what_is_no_part_is_said(part: object) -> None:
    (problem,) = examined(Application("a", services=[part]))  # type: ignore[list-item]  # the mistake
    assert "is not a part of an application" in problem.message or "is a contract" in problem.message


def test_one_part_needs_no_list() -> None:
    assert len(read(Application("a", services=StockService)).services) == 1
    assert read(Application("a", services=Mounted(name="w", app="a:b"))).mounted[0].name == "w"


def test_reading_raises_with_every_mistake() -> None:
    with pytest.raises(DeclarationError) as caught:
        read(Application("a", services=[Stock, "no_such_module_here"]))
    assert len(caught.value.problems) == 2
    assert str(caught.value).count("\n") == 1
