"""Pure: messages, tasks and signals that are sent or received, in the words of the usual systems."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ramet.advisor.scan.leaf import Note
from ramet.advisor.scan.names import Chain, Scopes, argument, dotted, keyword, template, text

TASKS = frozenset({"task", "shared_task"})
OTHER_TASKS = ("oslo", "prefect", "invoke", "fabric", "airflow", "locust", "luigi", "dagster")
DELAYS = frozenset({"delay", "apply_async", "delay_on_commit", "apply_async_on_commit"})
SIGNALS = frozenset({"send", "send_robust", "asend", "connect"})
KAFKA_SENDS = frozenset({"send", "send_and_wait", "produce"})
SYSTEMS = {
    "kafka": "kafka",
    "aiokafka": "kafka",
    "confluent_kafka": "kafka",
    "nats": "nats",
    "pika": "rabbitmq",
    "aio_pika": "rabbitmq",
}


def systems(modules: set[str]) -> frozenset[str]:
    """The message systems whose libraries a file imports."""
    return frozenset(SYSTEMS[top] for name in modules if (top := name.partition(".")[0]) in SYSTEMS)


def task_of(decorator: ast.expr, function: str, scopes: Scopes) -> Note | None:
    """A function that is a Celery task; its name is given, or the dotted name of the function."""
    call = decorator if isinstance(decorator, ast.Call) else None
    target = call.func if call else decorator
    if dotted(target).rpartition(".")[2] not in TASKS or scopes.resolve(target).startswith(OTHER_TASKS):
        return None
    name = text(keyword(call, "name")) if call else ""
    return Note(name or f":{function}", decorator.lineno, sends=False, system="celery", resolve=not name)


def received(decorator: ast.expr, scopes: Scopes) -> Iterator[Note]:
    """`@receiver(signal)` of Django."""
    if not (
        isinstance(decorator, ast.Call) and dotted(decorator.func).rpartition(".")[2] == "receiver" and decorator.args
    ):
        return
    first = decorator.args[0]
    for one in first.elts if isinstance(first, ast.List | ast.Tuple) else [first]:
        if name := scopes.resolve(one):
            yield Note(name, decorator.lineno, sends=False, system="django-signal", resolve=True)


def messages(call: ast.Call, link: Chain, scopes: Scopes, imported: frozenset[str]) -> Iterator[Note]:
    """What a call sends or subscribes to."""
    if not link.names:
        return
    last, line = link.names[-1], call.lineno
    if last == "send_task" and (name := text(argument(call, 0, "name"))):
        yield Note(name, line, sends=True, system="celery", resolve=False)
    elif last in DELAYS:
        meaning = scopes.resolve(call.func.value) if isinstance(call.func, ast.Attribute) else ""
        if meaning:
            yield Note(meaning, line, sends=True, system="celery", resolve=True)
    elif last in SIGNALS and (meaning := _signal(call, scopes)):
        yield Note(meaning, line, sends=last != "connect", system="django-signal", resolve=True)
    elif imported:
        yield from _brokers(call, last, line, imported)


def _signal(call: ast.Call, scopes: Scopes) -> str:
    """The signal's name; kept where the file that defines it says that it is one."""
    return scopes.resolve(call.func.value) if isinstance(call.func, ast.Attribute) else ""


def _brokers(call: ast.Call, last: str, line: int, imported: frozenset[str]) -> Iterator[Note]:
    first = (
        template(call.args[0]) if call.args else template(keyword(call, "topic")) or template(keyword(call, "subject"))
    )
    if "kafka" in imported and last in KAFKA_SENDS and first:
        yield Note(first, line, sends=True, system="kafka", resolve=False)
    elif "kafka" in imported and last == "subscribe" and call.args and isinstance(call.args[0], ast.List | ast.Tuple):
        for one in call.args[0].elts:
            yield Note(template(one), line, sends=False, system="kafka", resolve=False)
    elif "nats" in imported and last in {"publish", "request", "subscribe", "pull_subscribe"} and first:
        yield Note(first, line, sends=last in {"publish", "request"}, system="nats", resolve=False)
    elif "rabbitmq" in imported and last == "basic_publish" and (key := template(keyword(call, "routing_key"))):
        yield Note(key, line, sends=True, system="rabbitmq", resolve=False)
    elif "rabbitmq" in imported and last == "basic_consume" and (queue := template(keyword(call, "queue")) or first):
        yield Note(queue, line, sends=False, system="rabbitmq", resolve=False)


def consumers(call: ast.Call, name: str) -> Iterator[Note]:
    """`KafkaConsumer("orders", …)`: the topics it reads."""
    if name.endswith(("KafkaConsumer", "AIOKafkaConsumer")):
        for one in call.args:
            if topic := template(one):
                yield Note(topic, call.lineno, sends=False, system="kafka", resolve=False)
