"""Pure: from the bytes of a file to its syntax tree, whatever Python it was written for."""

from __future__ import annotations

import ast
import codecs
import re
import warnings

DECLARED = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
GENERIC = re.compile(r"^([ \t]*(?:async[ \t]+)?(?:def|class)[ \t]+\w+)\[[^\n]*?\](?=[(:])", re.MULTILINE)
ALIAS = re.compile(r"^([ \t]*)type[ \t]+(\w+)(?:\[[^\n=]*\])?[ \t]*=", re.MULTILINE)
PRINT = re.compile(r"^([ \t]*)print[ \t]++(?![=(.,)\]])([^\n;]++)$", re.MULTILINE)
BARE_PRINT = re.compile(r"^([ \t]*)print[ \t]*$", re.MULTILINE)
EXCEPT = re.compile(r"^([ \t]*except[ \t]+)([\w.]+|\([^()\n]*\))[ \t]*,[ \t]*(\w+)[ \t]*:", re.MULTILINE)
EXCEPT_MANY = re.compile(r"^([ \t]*except[ \t]+)([\w.]+(?:[ \t]*,[ \t]*[\w.]+)+)[ \t]*:", re.MULTILINE)
OCTAL = re.compile(r"(?<![\w.])0(\d+)\b(?!\.)")
LONG = re.compile(r"\b(\d+|0[xX][0-9a-fA-F]+)[lL]\b")
RAISE = re.compile(r"^([ \t]*raise[ \t]+)([\w.]+),[ \t]*([^\n]+)$", re.MULTILINE)
UNICODE = re.compile(r"\bur(?=['\"])")


def text_of(data: bytes) -> str:
    """The text, by its byte order mark, its declared encoding, UTF-8 or, in the end, Latin-1, which reads anything."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace")
    data = data.removeprefix(codecs.BOM_UTF8)
    declared = next(
        (m[1].decode("ascii", "replace") for line in data.split(b"\n", 2)[:2] if (m := DECLARED.match(line))), ""
    )
    for encoding in filter(None, (declared, "utf-8")):
        try:
            text = data.decode(encoding)
        except (LookupError, ValueError):
            continue
        if isinstance(text, str):  # "rot13" and "hex" are codecs too
            return text
    return data.decode("latin-1")


def tree_of(text: str) -> ast.Module:
    """The tree; syntax that this Python does not know is first tried as it is, then rewritten line by line.

    Raises: SyntaxError, where neither helps; also for null bytes and for what is nested too deeply.
    """
    try:
        return parse(text)
    except SyntaxError:
        for rewrite in (newer, older):
            changed = rewrite(text)
            if changed != text:
                try:
                    return parse(changed)
                except SyntaxError:
                    continue
        raise


def parse(text: str) -> ast.Module:
    """`ast.parse`, with one kind of error for everything it cannot read."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        raise SyntaxError(str(error) or type(error).__name__) from None


def newer(text: str) -> str:
    """Type parameters, `type` statements and `except A, B:` as Python 3.11 can read them, on the same lines."""
    text = GENERIC.sub(r"\1", text)
    text = ALIAS.sub(r"\1\2 =", text)
    return EXCEPT_MANY.sub(r"\1(\2):", text)


def older(text: str) -> str:
    """The commonest syntax of Python 2 as Python 3, on the same lines; good enough to find names."""
    text = EXCEPT.sub(r"\1\2 as \3:", text)
    text = BARE_PRINT.sub(r"\1print()", text)
    text = PRINT.sub(_printed, text.replace("print >>", "print 0 >>"))
    text = RAISE.sub(r"\1\2(\3)", text)
    text = LONG.sub(r"\1", UNICODE.sub("r", text))
    return OCTAL.sub(r"0o\1", text).replace("<>", "!=")


def _printed(found: re.Match[str]) -> str:
    what = found[2].rstrip(" \t").removesuffix(",").rstrip(" \t")
    return found[0] if not what or what.endswith((",", "\\")) else f"{found[1]}print({what})"
