"""CODEOWNERS: the last line that matches owns a path."""

from __future__ import annotations

import pytest

from ramet.advisor.history.ownership import owners_for, owners_of

LINES = owners_of("""\
# comment
*          @org/all
*.js       @org/web   # with a comment
/docs/*    @org/docs
apps/      @org/apps
/apps/free
a/**/z     @org/deep
""")


@pytest.mark.parametrize(
    ("path", "owners"),
    [
        ("x.py", ("@org/all",)),
        ("deep/x.js", ("@org/web",)),
        ("docs/x.md", ("@org/docs",)),
        ("docs/deep/x.md", ("@org/all",)),
        ("any/apps/x.py", ("@org/apps",)),
        ("apps/free/x.py", ()),
        ("a/b/c/z", ("@org/deep",)),
    ],
)
def test_the_last_line_that_matches_owns_a_path(path: str, owners: tuple[str, ...]) -> None:
    assert owners_for(path, LINES) == owners


def test_a_pattern_that_nobody_would_write_matches_nothing() -> None:
    assert owners_for("a/" * 40 + "b", owners_of("**/" * 40 + "c @bomb")) == ()
