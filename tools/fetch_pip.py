"""Installs pip into an environment that came without it, from PyPI's own wheel."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

INDEX = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple").rstrip("/")


def wheel() -> dict[str, Any]:
    """The newest wheel of pip that the index lists."""
    asked = Request(f"{INDEX}/pip/", headers={"Accept": "application/vnd.pypi.simple.v1+json"})
    with urlopen(asked) as answer:
        files = json.load(answer)["files"]
    return [file for file in files if file["filename"].endswith("-py3-none-any.whl") and not file.get("yanked")][-1]


def main() -> None:
    file = wheel()
    with urlopen(str(file["url"])) as answer:
        content = answer.read()
    if hashlib.sha256(content).hexdigest() != file["hashes"]["sha256"]:
        sys.exit(f"{file['url']} does not have the checksum that {INDEX} gives for it; try again.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, str(file["filename"]))
        path.write_bytes(content)
        subprocess.run([sys.executable, f"{path}/pip", "install", "--quiet", "--no-index", str(path)], check=True)


if __name__ == "__main__":
    main()
