"""Evidence of how a code base is built, run and watched."""

from __future__ import annotations

from pathlib import Path

from ramet.advisor.facts import Facts
from tests.unit.advisor.code_base import facts_of


def signals(facts: Facts) -> set[tuple[str, str, int, str]]:
    return {(one.name, one.place.path, one.place.line, one.detail) for one in facts.signals if one.name != "language"}


def test_files_and_their_text_are_evidence(tmp_path: Path) -> None:
    facts = facts_of(
        tmp_path,
        {
            "orders/Dockerfile": "FROM python\nHEALTHCHECK CMD true\n",
            "compose.yaml": "services:\n  db:\n    image: docker.io/library/postgres:16\n",
            ".github/workflows/ci.yml": "jobs:\n  x:\n    steps:\n      - run: kubectl apply -f .\n",
            "k8s/web.yaml": "kind: Deployment\nspec:\n  livenessProbe: {}\n",
            "api.yaml": "openapi: 3.1.0\n",
            "pacts/web.json": "{}",
            "pyproject.toml": "",
            "uv.lock": "",
        },
    )
    assert signals(facts) == {
        ("dockerfile", "orders/Dockerfile", 1, ""),
        ("health-check", "orders/Dockerfile", 2, ""),
        ("compose", "compose.yaml", 1, ""),
        ("database", "compose.yaml", 3, "postgresql"),
        ("ci", ".github/workflows/ci.yml", 1, ""),
        ("deploy", ".github/workflows/ci.yml", 4, ""),
        ("kubernetes", "k8s/web.yaml", 1, ""),
        ("health-check", "k8s/web.yaml", 3, ""),
        ("openapi", "api.yaml", 1, ""),
        ("contract-tests", "pacts/web.json", 1, ""),
        ("project", "pyproject.toml", 1, ""),
        ("lock-file", "uv.lock", 1, ""),
    }


def test_what_is_required_and_never_imported_is_evidence_too(tmp_path: Path) -> None:
    files = {
        "requirements.txt": "django==5\n    # via sentry-sdk\nsentry-sdk==2.45.0\nprometheus-clientele\n",
        "pyproject.toml": '[project]\ndependencies = [\n  "opentelemetry-sdk>=1",\n]\n',
        "requirements/test.txt": "statsd\n",
        "a.py": "x = 1\n",
    }
    assert signals(facts_of(tmp_path, files)) == {
        ("error-tracking", "requirements.txt", 3, "sentry-sdk"),
        ("tracing", "pyproject.toml", 3, "opentelemetry-sdk"),
        ("project", "pyproject.toml", 1, ""),
    }


def test_imported_libraries_are_evidence_but_not_those_of_tests_or_own_modules(tmp_path: Path) -> None:
    facts = facts_of(
        tmp_path,
        {
            "a.py": "import tenacity\nimport prometheus_client\nfrom aiohttp import web\nimport psycopg2.extras\n",
            "flipper/__init__.py": "",
            "b.py": "import flipper\n",
            "tests/test_a.py": "import sentry_sdk\nimport schemathesis\n",
        },
    )
    assert signals(facts) == {
        ("resilience", "a.py", 1, "tenacity"),
        ("metrics", "a.py", 2, "prometheus_client"),
        ("web-framework", "a.py", 3, "aiohttp"),
        ("database", "a.py", 4, "postgresql"),
        ("contract-tests", "tests/test_a.py", 2, "schemathesis"),
    }


def test_a_language_needs_more_than_a_stray_file(tmp_path: Path) -> None:
    facts = facts_of(tmp_path, {"a.py": "", "x.go": "", "1.ts": "", "2.ts": "", "3.ts": ""})
    assert {one.detail for one in facts.signals if one.name == "language"} == {"python", "typescript"}


def test_texts_made_to_take_for_ever_do_not(tmp_path: Path) -> None:
    blank = "\n" * 200_000
    files = {"k.yaml": blank, "compose.yaml": blank, "requirements.txt": blank, "Dockerfile": blank}
    slow = {"a.py": "print x" + " " * 900_000 + ";\n!!", "b.py": "from a import (\n" * 60_000}
    assert len(facts_of(tmp_path, {**files, **slow}).modules) == 2
