"""The folder that a class is written to: the names in it, what an earlier run wrote there, and what it did not."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from itertools import chain, count
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from autograder.output import NotWritable

_WRITTEN = ("index.html", "grades.csv", "class.json", "pairs/1.html")


def file_names(texts: Mapping[str, str]) -> dict[str, str]:
    """For each student's text a name that is safe for a file, and that no other has, even where case is ignored.

    A text that is safe as it is keeps its name: nobody else's file is called by it.
    """
    plain = {student: _plain(text) for student, text in texts.items()}
    kept = {each.casefold() for each in plain.values()}
    names: dict[str, str] = {}
    taken: set[str] = set()
    for student in sorted(texts, key=lambda each: plain[each] != texts[each]):
        name = plain[student]
        if name.casefold() in taken:
            numbered = (f"{name}-{number}" for number in count(2))
            name = next(each for each in numbered if each.casefold() not in taken | kept)
        names[student] = name
        taken.add(name.casefold())
    return names


def _plain(text: str) -> str:
    plain = re.sub(r"[^\w.@+-]", "_", unicodedata.normalize("NFC", text)).lstrip(".-")
    return plain[:100].encode()[:180].decode(errors="ignore") or "student"  # a file's name has 255 bytes at most


def last_run(folder: Path) -> dict[str, Any] | None:
    """The class.json that the last run wrote to `folder`; None if there is none that can be read."""
    try:
        found = json.loads((folder / "class.json").read_text("utf-8"))
        return found if isinstance(found["students"], list) and isinstance(found["schema"], int) else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def pages_of(folder: Path) -> set[Path]:
    """The files for one student, or for two, that the last run lists: nothing else in `folder` is known to be its."""
    found = last_run(folder) or {}
    try:
        pages = [Path(unquote(str(row["page"]))) for row in found.get("students", ())]
        links = [pair["page"] for group in found.get("groups", ()) for pair in group["pairs"]]
    except (KeyError, TypeError, AttributeError):
        return set()
    reports = {folder / "reports" / f"{page.stem}.json" for page in pages}
    pairs = {folder / "pairs" / Path(str(link)).name for link in links if link}
    return {folder / "students" / page.name for page in pages} | reports | pairs


def require_own(folder: Path, names: Iterable[str]) -> None:
    """NotWritable if a run would replace files in `folder` that no run wrote; `names` are those of the students' files.

    An earlier run, finished or not, has left its class.json or a report there.
    """
    if last_run(folder) or any(map(_is_report, (folder / "reports").glob("*.json"))):
        return
    files = [(f"reports/{name}.json", f"students/{name}.html") for name in names]
    there = [name for name in (*_WRITTEN, *chain.from_iterable(files)) if (folder / name).exists()]
    if there:
        more = f" and {len(there) - 1} more" if len(there) > 1 else ""
        raise NotWritable(
            f"{folder} has files that this command did not write, and would replace: {there[0]}{more}. "
            "Choose another folder"
        )


def _is_report(path: Path) -> bool:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(found, dict) and {"schema", "submission", "sha256", "parts"} <= found.keys()
