"""Pure: SQL as PostgreSQL reads it: its statements one by one, without comments, and texts and names told apart.

Nothing that stands in a text, a comment or a quoted name can be taken for a keyword afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

NAME = r'(?:"\w+"|\w+)(?:\.(?:"\w+"|\w+))*'
"""A name, as `statements` leaves it."""

_TOKEN = re.compile(
    r"""(?P<comment>--[^\n]*)
    |(?P<open>/\*)
    |(?P<escaped>\b[eE]'(?:[^'\\]|''|\\.)*')
    |(?P<text>'(?:[^']|'')*')
    |(?P<dollars>(?<![\w$])\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?\$(?P=tag)\$)
    |(?P<quoted>"(?:[^"]|"")*")
    |(?P<end>;)""",
    re.DOTALL | re.VERBOSE,
)
_COMMENT = re.compile(r"/\*|\*/")
_BLOCK = re.compile(r"^DO\b", re.IGNORECASE)
_LEADING = re.compile(r"^(?:.*?\b(?:THEN|LOOP|BEGIN)\b|ELSE\b|DECLARE\b|<<\w+>>)\s*(?=\S)", re.IGNORECASE | re.DOTALL)
_END = re.compile(r"^END\b", re.IGNORECASE)
_EXECUTE = re.compile(r"^EXECUTE\b", re.IGNORECASE)
_VERB = re.compile(
    r"^\s*(?:ALTER|CREATE|DROP|UPDATE|DELETE|TRUNCATE|LOCK|REINDEX|CLUSTER|VACUUM|COMMENT|INSERT|GRANT|REVOKE|SELECT|"
    r"WITH|MERGE|REFRESH)\b",
    re.IGNORECASE,
)
_PLACE = re.compile(r"%(?:\d+\$)?[IsL]")
_CHANGING = re.compile(r"[()]|\b(?:UPDATE|DELETE|INSERT|SELECT|MERGE)\b", re.IGNORECASE)


class Sentence(NamedTuple):
    """One statement: in one line, with its texts emptied; and what stood in them."""

    sql: str
    texts: tuple[str, ...] = ()


def statements(sql: str) -> list[Sentence]:
    """The statements of a text of SQL; what a DO block does stands for the block.

    >>> [one.sql for one in statements("ALTER TABLE item -- soon\\n ADD note text DEFAULT 'a; b'; DROP TABLE a;")]
    ["ALTER TABLE item ADD note text DEFAULT ''", 'DROP TABLE a']
    >>> [one.sql for one in statements("DO $$ BEGIN IF a THEN DROP TABLE item; END IF; END $$")]
    ['DROP TABLE item']
    """
    return [inner for one in _separated(sql) for inner in _inside(one)]


def separated(sql: str) -> list[str]:
    """The statements of a text of SQL that PostgreSQL would be given one by one.

    >>> separated("SELECT 'a; b'; SELECT 1;")
    ["SELECT ''", 'SELECT 1']
    """
    return [one.sql for one in _separated(sql)]


def without_groups(sql: str) -> str:
    """A statement without what stands in parentheses.

    >>> without_groups("UPDATE a SET b = (SELECT c FROM d WHERE (e)) + 1")
    'UPDATE a SET b = () + 1'
    """
    kept, depth = [], 0
    for letter in sql:
        depth -= letter == ")"
        if depth <= 0:
            kept.append(letter)
        depth += letter == "("
    return "".join(kept)


def parts(text: str) -> list[str]:
    """What commas outside parentheses separate, such as the actions of one ALTER TABLE.

    >>> parts("ADD a numeric(4, 2), DROP b")
    ['ADD a numeric(4, 2)', 'DROP b']
    """
    found, depth, start = [], 0, 0
    for position, letter in enumerate(text):
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and depth == 0:
            found.append(text[start:position].strip())
            start = position + 1
    return [*found, text[start:].strip()]


def plain(name: str) -> str:
    """A table's name, without its schema and quotes, as two ways of writing it have in common.

    >>> plain('shop.item'), plain('"_shop"."_item"')
    ('item', 'item')
    """
    last = name.rpartition(".")[2]
    return (last[2:-1] if last.startswith('"') else last).lower()


def _separated(sql: str) -> Iterator[Sentence]:
    kept: list[str] = []
    texts: list[str] = []
    position = 0

    def whole() -> Iterator[Sentence]:
        if line := " ".join("".join(kept).split()):
            yield Sentence(line, tuple(texts))
        kept.clear()
        texts.clear()

    while match := _TOKEN.search(sql, position):
        kept.append(sql[position : match.start()])
        position = match.end()
        if match["open"]:
            position = _after_comment(sql, position)
            kept.append(" ")
        elif match["comment"]:
            kept.append(" ")
        elif match["quoted"]:
            kept.append('"_' + re.sub(r"\W", "_", match["quoted"][1:-1]) + '"')
        elif match["end"]:
            yield from whole()
        else:
            texts.append(_content(match))
            kept.append("''")
    kept.append(sql[position:])
    yield from whole()


def _after_comment(sql: str, position: int) -> int:
    """Where a comment ends that has begun before; comments of PostgreSQL hold others."""
    depth = 1
    for match in _COMMENT.finditer(sql, position):
        depth += 1 if match[0] == "/*" else -1
        if not depth:
            return match.end()
    return len(sql)


def _content(match: re.Match[str]) -> str:
    if match["dollars"]:
        around = len(match["tag"]) + 2
        return match["dollars"][around:-around]
    if match["escaped"]:
        return re.sub(r"\\(.)", r"\1", match["escaped"][2:-1]).replace("''", "'")
    return match["text"][1:-1].replace("''", "'")


def _inside(sentence: Sentence) -> Iterator[Sentence]:
    """What a block does, also by EXECUTE of a text, and what a WITH does; any other statement is itself."""
    if _BLOCK.match(sentence.sql) and sentence.texts:
        for one in _separated(sentence.texts[0]):
            if not _END.match(one.sql):
                yield from _of_block(one)
    elif sentence.sql[:5].upper() == "WITH ":
        yield from (Sentence(sql, sentence.texts) for sql in _of_with(sentence.sql))
    else:
        yield sentence


def _of_block(one: Sentence) -> Iterator[Sentence]:
    sql = one.sql
    while not _VERB.match(sql) and (match := _LEADING.match(sql)):
        sql = sql[match.end() :]
    made = " anything ".join(one.texts) if "||" in sql else "".join(one.texts[:1])
    if _EXECUTE.match(sql) and _VERB.match(made):
        yield from _separated(_PLACE.sub("anything", made))
    else:
        yield from _inside(Sentence(sql, one.texts))


def _of_with(sql: str) -> Iterator[str]:
    """The statements of a WITH: those in its parentheses, and the one that it is all for."""
    depth, begins = 0, 0
    for match in _CHANGING.finditer(sql):
        if match[0] == ")":
            depth -= 1
            if depth == 0 and begins:
                yield sql[begins : match.start()].strip()
                begins = 0
        elif match[0] == "(":
            depth += 1
        elif depth == 0:
            yield sql[match.start() :]
            return
        elif depth == 1 and not begins:
            begins = match.start()
