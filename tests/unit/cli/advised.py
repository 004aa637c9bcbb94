"""A small shop as a repository, for the tests of `ramet advise`."""

from __future__ import annotations

from pathlib import Path

from tests.unit.advisor.code_base import Repository

PARTS = ("orders", "stock", "pages")


def files() -> dict[str, str]:
    """Three Django applications of four modules; orders writes the table of stock."""
    found = {"shop/__init__.py": "", "Dockerfile": "FROM python:3.12\n", ".github/workflows/ci.yml": "on: push\n"}
    for part in PARTS:
        model = part.capitalize()
        found |= {
            f"shop/{part}/__init__.py": "",
            f"shop/{part}/models.py": f"""
                from django.db import models

                class {model}(models.Model):
                    name = models.CharField(max_length=10)
                """,
            f"shop/{part}/views.py": f"""
                from shop.{part}.models import {model}
                from shop.{part}.rules import allowed

                def show(request):
                    return [one for one in {model}.objects.all() if allowed(one)]
                """,
            f"shop/{part}/rules.py": f"def allowed({part}):\n    return bool({part}.name)\n",
        }
    return found | {
        "shop/orders/checkout.py": """
            from django.db import transaction
            from shop.orders.models import Orders
            from shop.stock.models import Stock

            @transaction.atomic
            def place(name):
                Stock.objects.filter(name=name).update(name="taken")
                return Orders.objects.create(name=name)
            """
    }


def shop(root: Path) -> Path:
    """The shop with a history: four people, a machine, a release."""
    repository = Repository(root)
    repository.commit("Begin", files())
    for number in range(12):
        part = PARTS[number % 3]
        who = ("Ann Lee <ann@example.org>", "Bob Ray <bob@example.org>")[number % 2]
        text = f"def allowed({part}):\n    return len({part}.name) > {number}\n"
        repository.commit(f"Rule {number} of {part}", {f"shop/{part}/rules.py": text}, author=who)
        repository.commit(f"Bump {number}", {"requirements.txt": f"django=={number}\n"}, author="renovate[bot] <r@x.y>")
    repository.git("tag", "v1.0.0")
    return root
