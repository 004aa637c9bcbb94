"""Which module depends on which."""

from __future__ import annotations

from pathlib import Path

from ramet.advisor.facts import Facts, Kind
from tests.unit.advisor.code_base import facts_of


def edges(facts: Facts) -> set[tuple[str, str, str, tuple[int, ...]]]:
    return {(one.source, one.target, one.kind.value, one.lines) for one in facts.edges}


def test_imports_are_found_wherever_they_are_written(tmp_path: Path) -> None:
    facts = facts_of(
        tmp_path,
        {
            "shop/__init__.py": "",
            "shop/a.py": """\
                import os
                import shop.b
                from . import c
                from .sub.d import thing
                from typing import TYPE_CHECKING
                if TYPE_CHECKING:
                    from shop.e import Type
                def late():
                    from shop import f
                """,
            "shop/b.py": "",
            "shop/c.py": "",
            "shop/e.py": "Type = 1\n",
            "shop/f.py": "",
            "shop/sub/__init__.py": "",
            "shop/sub/d.py": "thing = 1\n",
        },
    )
    assert edges(facts) == {
        ("shop/a.py", "shop/b.py", "import", (2,)),
        ("shop/a.py", "shop/c.py", "import", (3,)),
        ("shop/a.py", "shop/sub/d.py", "import", (4,)),
        ("shop/a.py", "shop/e.py", "typing", (7,)),
        ("shop/a.py", "shop/f.py", "lazy", (9,)),
    }


def test_a_name_that_a_package_passes_on_leads_to_where_it_is_defined(tmp_path: Path) -> None:
    facts = facts_of(
        tmp_path,
        {
            "orders/__init__.py": "from .logic import place\nfrom .more import *\n",
            "orders/logic.py": "def place(): ...\n",
            "orders/more.py": "def cancel(): ...\n",
            "web.py": "from orders import place, cancel\nplace()\nplace()\ncancel()\n",
        },
    )
    calls = {(one.target, one.count, one.names) for one in facts.edges if one.kind is Kind.CALL}
    assert calls == {("orders/logic.py", 2, ("place",)), ("orders/more.py", 1, ("cancel",))}


def test_imports_in_a_circle_come_to_an_end(tmp_path: Path) -> None:
    facts = facts_of(tmp_path, {"a.py": "from b import x\nx()\n", "b.py": "from a import x\nx()\n"})
    assert ("a.py", "b.py", "import", (1,)) in edges(facts)


def test_namespace_packages_and_several_roots_are_understood(tmp_path: Path) -> None:
    facts = facts_of(
        tmp_path,
        {
            "ns/pkg/one.py": "from ns.pkg.two import x\n",
            "ns/pkg/two.py": "x = 1\n",
            "src/lib/__init__.py": "",
            "src/lib/m.py": "",
            "tests/test_m.py": "import lib.m\n",
            "services/a/pyproject.toml": "",
            "services/a/app/__init__.py": "",
            "services/a/app/main.py": "from app.db import x\n",
            "services/a/app/db.py": "x = 1\n",
            "services/b/pyproject.toml": "",
            "services/b/app/__init__.py": "",
            "services/b/app/main.py": "from app import db\n",
            "services/b/app/db.py": "x = 1\n",
        },
    )
    assert {(source, target) for source, target, _, _ in edges(facts)} == {
        ("ns/pkg/one.py", "ns/pkg/two.py"),
        ("tests/test_m.py", "src/lib/m.py"),
        ("services/a/app/main.py", "services/a/app/db.py"),
        ("services/b/app/main.py", "services/b/app/db.py"),
    }
    assert {one.path: one.name for one in facts.modules}["services/b/app/db.py"] == "app.db"


def test_strings_that_name_modules_models_and_tasks_are_dependencies(tmp_path: Path) -> None:
    facts = facts_of(
        tmp_path,
        {
            "orders/models.py": "from django.db import models\nclass Order(models.Model): ...\n",
            "orders/urls.py": "",
            "orders/logic.py": "def place(): ...\n",
            "orders/tasks.py": "@app.task(name='orders.ship')\ndef ship(): ...\n",
            "site_/settings.py": "INSTALLED_APPS = ['orders']\nHANDLER = 'orders.logic.place'\n",
            "site_/urls.py": "path('x/', include('orders.urls'))\nlogging.getLogger('orders.logic')\n",
            "site_/later.py": "apps.get_model('orders', 'Order')\ncelery.send_task('orders.ship')\n",
            "orders/__init__.py": "",
            "site_/__init__.py": "",
        },
    )
    found = {(one.source, one.target, one.lines) for one in facts.edges if one.kind is Kind.STRING}
    assert found == {
        ("site_/settings.py", "orders/__init__.py", (1,)),
        ("site_/settings.py", "orders/logic.py", (2,)),
        ("site_/urls.py", "orders/urls.py", (1,)),
        ("site_/later.py", "orders/models.py", (1,)),
        ("site_/later.py", "orders/tasks.py", (2,)),
    }


def test_a_folder_called_like_a_library_is_not_that_library(tmp_path: Path) -> None:
    facts = facts_of(
        tmp_path, {"app/web.py": "import json\nimport logging\n", "scripts/json.py": "", "docs/logging.py": ""}
    )
    assert not facts.edges
