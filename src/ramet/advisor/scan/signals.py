"""Pure: evidence of how a code base is built, run and watched: names of files, their text, imported libraries."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from ramet.advisor.facts import Place, Signal
from ramet.advisor.scan.leaf import Leaf
from ramet.advisor.scan.roles import role_of
from ramet.advisor.scan.roots import Index
from ramet.advisor.scan.technologies import ENGINES, IMPORTS, LANGUAGES

MOST_OF_A_KIND = 20
MOST_TEXTS = 400  # files whose text is looked at
LARGEST = 200_000
EVERY = frozenset({"dockerfile", "project", "manage.py", "service"})  # each of these may mark a unit or a service
BY_FILE = (
    ("dockerfile", re.compile(r"(^|/)(Dockerfile|Containerfile)([._-][\w.-]+)?$|\.dockerfile$")),
    ("compose", re.compile(r"(^|/)(docker-)?compose([._-][\w.-]+)?\.ya?ml$")),
    ("helm", re.compile(r"(^|/)Chart\.ya?ml$")),
    ("ci", re.compile(
        r"(^|/)(\.gitlab-ci\.ya?ml|\.travis\.ya?ml|Jenkinsfile|azure-pipelines\.ya?ml|\.drone\.ya?ml|\.zuul\.ya?ml"
        r"|bitbucket-pipelines\.yml|appveyor\.yml|cloudbuild\.ya?ml)$"
        r"|^\.github/workflows/[^/]+\.ya?ml$|^\.circleci/config\.yml$|^\.buildkite/|(^|/)\.zuul\.d/"
    )),
    ("deploy", re.compile(
        r"(^|/)(Procfile|fly\.toml|render\.yaml|app\.yaml|serverless\.ya?ml|skaffold\.ya?ml|zappa_settings\.json"
        r"|ansible\.cfg|[\w-]+\.nomad|[\w-]+\.tf)$"
    )),
    ("openapi", re.compile(r"(^|/)(openapi|swagger)[\w.-]*\.(ya?ml|json)$", re.IGNORECASE)),
    ("asyncapi", re.compile(r"(^|/)asyncapi[\w.-]*\.(ya?ml|json)$", re.IGNORECASE)),
    ("graphql-schema", re.compile(r"\.(graphql|graphqls|gql)$")),
    ("protobuf", re.compile(r"\.proto$")),
    ("contract-tests", re.compile(r"(^|/)(pacts?|contract[_-]tests?|tests?/contracts?)/|\.pact\.json$")),
    ("lock-file", re.compile(r"(^|/)(uv\.lock|poetry\.lock|Pipfile\.lock|pdm\.lock|requirements[\w.-]*\.lock)$")),
    ("project", re.compile(r"(^|/)(pyproject\.toml|setup\.py|setup\.cfg|Pipfile)$")),
    ("manage.py", re.compile(r"(^|/)manage\.py$")),
    ("metrics", re.compile(r"(^|/)(prometheus|alertmanager|grafana)[\w.-]*\.(ya?ml|json)$")),
)  # fmt: skip
TEXTUAL = re.compile(r"\.(ya?ml)$|(^|/)(Dockerfile|Containerfile)[\w.-]*$")
BY_TEXT = (
    (
        "kubernetes",
        re.compile(r"^kind:\s*(Deployment|StatefulSet|DaemonSet|CronJob|Service|Ingress)\s*$", re.MULTILINE),
    ),
    ("health-check", re.compile(r"^[ \t]*(livenessProbe|readinessProbe|healthcheck):|^HEALTHCHECK\s", re.MULTILINE)),
    ("openapi", re.compile(r"\A(---\s*\n)?(openapi|swagger):\s*[\"']?[23]")),
    ("asyncapi", re.compile(r"\A(---\s*\n)?asyncapi:\s")),
)
REQUIREMENTS = re.compile(r"(^|/)(requirements(/[\w.-]+|[\w.-]*)\.(txt|in)|pyproject\.toml|setup\.cfg|Pipfile)$")
REQUIRED = (
    ("metrics", "prometheus[-_]client|django[-_]prometheus|statsd|newrelic|datadog"),
    ("tracing", r"opentelemetry[-_]\w+|ddtrace|elastic[-_]apm|logfire"),
    ("error-tracking", "sentry[-_]sdk|raven|rollbar|bugsnag|honeybadger"),
    ("health-check", "django[-_]health[-_]check|django[-_]watchman|healthcheck"),
)
"""What is installed, but switched on by settings or at the start of the process, and never imported."""
NOT_RUNNING = re.compile(r"(^|[/._-])(tests?|dev|docs?|lint|ci)([/._-]|$)")
DEPLOYS = re.compile(
    r"\b(kubectl (apply|set|rollout)|helm upgrade|docker push|aws ecs|gcloud run|flyctl"
    r"|environment:\s*(production|staging))|build-push-action|deploy",
    re.IGNORECASE,
)
IMAGE = re.compile(r"^[ \t]*image:\s*[\"']?(?:[\w.-]+(?::\d+)?/)*([\w.-]+)", re.MULTILINE)
TOOL = re.compile(r"exporter|commander|express|admin|backup|insight|dashboard|mongo-seed")
"""Images that watch or serve an engine, and are none."""
HEALTH = re.compile(
    r"(^|[/}])\^?(healthz?|healthcheck|health[-_]check|readyz?|livez?|liveness|readiness|ping|status)/?\$?/?$"
)
Found = tuple[str, str, int, str]  # name, path, line, detail


def find_signals(
    leaves: Mapping[str, Leaf], others: Iterable[str], read: Callable[[str], str], index: Index
) -> tuple[Signal, ...]:
    """All evidence, sorted; of what is there in masses only the first places. `read` gives the text of a file."""
    others = list(others)
    found = {
        *_files((*others, *leaves)),
        *_texts(others, read),
        *_libraries(leaves, index),
        *_routes(leaves),
        *_languages(others, leaves),
    }
    counts: dict[tuple[str, str], int] = {}
    kept = []
    for name, path, line, detail in sorted(found):
        counts[name, detail] = counts.get((name, detail), 0) + 1
        if counts[name, detail] <= MOST_OF_A_KIND or name in EVERY:
            kept.append(Signal(name=name, place=Place(path=path, line=line), detail=detail))
    return tuple(kept)


def _files(paths: Iterable[str]) -> Iterator[Found]:
    for path in paths:
        for name, pattern in BY_FILE:
            if pattern.search(path):
                yield name, path, 1, ""


def _texts(paths: list[str], read: Callable[[str], str]) -> Iterator[Found]:
    for path in [one for one in paths if TEXTUAL.search(one) and "/locale/" not in one][:MOST_TEXTS]:
        text = read(path)[:LARGEST]
        for name, pattern in BY_TEXT:
            if match := pattern.search(text):
                yield name, path, text.count("\n", 0, match.start()) + 1, ""
        if any(pattern.search(path) for name, pattern in BY_FILE if name == "ci") and (match := DEPLOYS.search(text)):
            yield "deploy", path, text.count("\n", 0, match.start()) + 1, ""
        if any(pattern.search(path) for name, pattern in BY_FILE if name == "compose"):
            yield from _images(path, text)
    for path in [one for one in paths if REQUIREMENTS.search(one) and not NOT_RUNNING.search(one)][:MOST_TEXTS]:
        text = read(path)[:LARGEST]
        for name, libraries in REQUIRED:
            if match := re.search(rf"^[ \t]*[\"']?({libraries})\b", text, re.MULTILINE):
                yield name, path, text.count("\n", 0, match.start(1)) + 1, match[1].lower()


def _images(path: str, text: str) -> Iterator[Found]:
    for match in IMAGE.finditer(text):
        image = match[1].lower()
        for part, (name, detail) in ENGINES.items():
            if part in image and not TOOL.search(image):
                yield name, path, text.count("\n", 0, match.start(1)) + 1, detail


def _libraries(leaves: Mapping[str, Leaf], index: Index) -> Iterator[Found]:
    """Libraries by their imports: the longest prefix that is known; a module of the code base is no library."""
    for path, leaf in leaves.items():
        role = role_of(path)
        for one in leaf.imports:
            for name, detail in _known(one.module, [name for name, _ in one.names]):
                if (role != "tests" or name == "contract-tests") and not index.longest(one.module, path)[0]:
                    yield name, path, one.line, detail


def _known(module: str, names: list[str]) -> Iterator[tuple[str, str]]:
    top = module.partition(".")[0]
    if top not in TOPS:
        return
    for name in [f"{module}.{one}" for one in names] or [module]:
        head = name
        while head:
            if head in IMPORTS:
                yield IMPORTS[head]
                break
            head = head.rpartition(".")[0]


TOPS = frozenset(name.partition(".")[0] for name in IMPORTS)


def _routes(leaves: Mapping[str, Leaf]) -> Iterator[Found]:
    for path, leaf in leaves.items():
        for one in leaf.webs:
            if one.serves and HEALTH.search(one.path) and role_of(path) != "tests":
                yield "health-check", path, one.line, ""


def _languages(others: Iterable[str], leaves: Mapping[str, Leaf]) -> Iterator[Found]:
    """Programming languages of services: those with at least three files that are no configuration of a tool."""
    if leaves:
        yield "language", min(leaves), 1, "python"
    places: dict[str, list[str]] = {}
    for path in others:
        if language := LANGUAGES.get(path.rpartition(".")[2]):
            places.setdefault(language, []).append(path)
    for language, paths in places.items():
        if len(paths) >= 3:
            for path in paths[:MOST_OF_A_KIND]:
                yield "language", path, 1, language
