"""Whatever comes in with a student's upload: a result or the documented error.

Each property is tried on a few examples in CI and on many more, different each time, by `make test-exhaustive`.
"""

import csv
import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable
from encodings.aliases import aliases
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.classroom import page as classroom
from autograder.classroom import sides, similarity
from autograder.classroom.entries import Entry
from autograder.classroom.repairs import stops_early
from autograder.classroom.run import Class
from autograder.classroom.similarity import Alike
from autograder.fill_in import fill_in
from autograder.grading.grade import nothing
from autograder.grading.results import Results
from autograder.report import html
from autograder.report.model import Check, Hint, Outcome, PartReport, Report
from autograder.sandbox.limits import LIMITS
from autograder.submissions.find import NothingToGrade, find_module
from autograder.submissions.layouts import Submitted, Upload, read_upload
from autograder.submissions.top import METADATA
from tests.frames import values
from tests.pages import Page

FEW, MANY = 40, 3000
budget = pytest.mark.parametrize("examples", [FEW, pytest.param(MANY, marks=pytest.mark.exhaustive)])


def for_all(strategy: st.SearchStrategy, holds: Callable[[Any], None], examples: int) -> None:
    """Try a property on so many examples: the same ones in CI, new ones each time where there are many."""

    @settings(max_examples=examples, derandomize=examples == FEW)
    @given(strategy)
    def every(example: Any) -> None:
        holds(example)

    every()


# --- uploads ----------------------------------------------------------------------------------------------------------

names = st.one_of(
    st.sampled_from(
        (
            "cs5814_vae.py", "a/cs5814_vae.py", "../cs5814_vae.py", "/etc/cs5814_vae.py", "C:\\x\\cs5814_vae.py",
            "hw3\\cs5814_vae.py", "a/b/c/cs5814_vae.py", "cs5814_vae.py/", "__MACOSX/._cs5814_vae.py", "nested.zip",
            "ada/cs5814_vae.py", "bob_1_2_cs5814_vae-1.py", "eve_LATE_1_2_hw.zip", "x+hw3+2026+y/cs5814_vae.py",
            "\x1b]0;title\x07/cs5814_vae.py", "=1+1/cs5814_vae.py", "²/cs5814_vae.py", "ada", "ada/x/../../y.py",
            "a" * 300,
        )
    ),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=12),
)  # fmt: skip
contents = st.one_of(st.just(b"x = 1\n"), st.binary(max_size=40), st.just(bytes(2 * LIMITS.source)))
kinds = st.sampled_from((0, 0, 0, 0o100644, 0o120777, 0o40755, 0o10644, 0o177777))
methods = st.sampled_from((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
members = st.lists(st.tuples(names, contents, kinds, methods), max_size=5)
damage = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=4)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def zipped(entries: list[tuple[str, bytes, int, int]], scratches: list[tuple[float, int]]) -> bytes:
    """A zip archive with these entries, some of its bytes then overwritten."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content, mode, method in entries:
            info = zipfile.ZipInfo(name)
            info.external_attr, info.compress_type = mode << 16, method
            archive.writestr(info, content)
    data = bytearray(file.getvalue())
    for where, byte in scratches:
        data[int(where * len(data))] = byte
    return bytes(data)


archives = st.binary(max_size=60) | st.builds(zipped, members, damage)


@budget
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_any_archive_holds_a_module_or_says_why_not(examples: int, tmp_path: Path) -> None:
    def holds(data: bytes) -> None:
        path = tmp_path / "upload.zip"
        path.write_bytes(data)
        try:
            name, source, *_ = find_module(path, CVAE)
        except NothingToGrade:
            return
        assert name.endswith("cs5814_vae.py")
        assert len(source) <= LIMITS.source + 1

    for_all(archives, holds, examples)


@budget
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_any_download_of_a_class_is_read_or_says_why_not(examples: int, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()

    def holds(data: bytes) -> None:
        path = tmp_path / "outside" / "class.zip"
        path.write_bytes(data)
        try:
            found = read_upload(path, CVAE).submitted
        except NothingToGrade:
            found = [Submitted("nobody", b"")]
        assert all(each.source is not None or each.reason for each in found)
        assert len({each.student for each in found}) == len(found) > 0
        assert os.listdir(tmp_path / "outside") == ["class.zip"]

    for_all(archives, holds, examples)


@budget
def test_any_metadata_is_read_or_says_why_not(examples: int, tmp_path: Path) -> None:
    for number in range(2):
        (tmp_path / f"submission_{number}").mkdir()
        (tmp_path / f"submission_{number}" / "cs5814_vae.py").write_text("x = 1\n")
    submitters = st.lists(st.dictionaries(st.sampled_from((":sid", ":email", ":name")), values, max_size=3), max_size=2)
    facts = st.dictionaries(st.sampled_from((":submitters", ":created_at")), submitters | values, max_size=2)
    exports = st.dictionaries(st.sampled_from(("submission_0", "submission_1", "..", ".", "/", "x")), facts | values)

    def holds(metadata: object) -> None:
        text = metadata if isinstance(metadata, str) else json.dumps(metadata)
        (tmp_path / METADATA).write_text(text, "utf-8", errors="replace")
        try:
            found = read_upload(tmp_path, CVAE).submitted
        except NothingToGrade:
            return
        assert sum(each.source == b"x = 1\n" for each in found) >= 2

    for_all(exports | values | st.text(), holds, examples)


# --- sources and texts ------------------------------------------------------------------------------------------------

not_text = st.sampled_from(("rot13", "hex", "base64", "bz2", "zlib", "uu", "quopri"))  # codecs that Python refuses here
cookies = not_text | st.sampled_from(sorted({*aliases, *aliases.values(), "punycode", "idna", "undefined", "klingon"}))
starts = st.sampled_from(("", "\ufeff", "\n", "\0"))
lines = st.builds("{}# coding{}{}\n".format, starts, st.sampled_from(":="), cookies)
sources = st.one_of(
    st.binary(max_size=300),
    st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.builds(
        lambda line, text: line.encode() + text,
        lines,
        st.binary(max_size=200) | st.sampled_from((CVAE.solution.read_bytes(), fill_in(CVAE).encode())),
    ),
    st.lists(st.sampled_from(("x = 1", "def f(", "'''", "<b>", "\t", "\\", "if x:", "\x1b[2J", "\u202e", "&lt;"))).map(
        lambda lines: "\n".join(lines * 20).encode()
    ),
)
TAGS = {tag for tag, _ in Page(sides.side_by_side(("a", b"x = 1\ny"), ("b", b"x = 2\n"), fill_in(CVAE))).tags}


@budget
def test_any_two_sources_can_be_compared(examples: int) -> None:
    blank = fill_in(CVAE)

    def holds(pair: tuple[bytes, bytes]) -> None:
        similarity.similar_pairs(dict(zip("ab", pair, strict=True)), blank, threshold=0.1)
        page = sides.side_by_side(("<i>", pair[0]), ("\x1b[2J", pair[1]), blank)
        page.encode()
        assert {tag for tag, _ in Page(page).tags} <= TAGS
        assert "\x1b" not in page

    for_all(st.tuples(sources, sources), holds, examples)


@budget
def test_any_sources_come_out_of_a_class(examples: int, tmp_path: Path) -> None:
    """What looks at a source where nothing confines it, and what else is made of a class."""
    said = [
        "name 'x' is not defined",
        "'M' object has no attribute 'x'",
        "module 'torch' has no attribute 'nm'",
        "f() got an unexpected keyword argument 'x'",
    ]

    def holds(handed_in: list[tuple[bytes, str, int]]) -> None:
        results = Results(tmp_path / "results", CVAE, 1)
        submitted = [Submitted(f"s{number}", source) for number, (source, *_) in enumerate(handed_in)]
        for source, message, line in handed_in:
            stopped = Check("a check", Outcome.ERROR, 0, 1, message, line=line)
            parts = [PartReport(part.name, part.points, [stopped]) for part in CVAE.parts[:1]]
            report = Report("x", hashlib.sha256(source).hexdigest(), "process", seed=1, parts=parts)
            results.keep(source, report)
            stops_early(report, source)
        whole = Class(Upload(submitted), results, tmp_path / "out")
        assert len(whole.resume()) == len(submitted)
        whole.finish()
        with (tmp_path / "out" / "grades.csv").open(encoding="utf-8", newline="") as table:
            assert [row["student"] for row in csv.DictReader(table)] == [each.student for each in submitted]

    one = st.tuples(sources, st.sampled_from(said), st.integers(1, 20))
    for_all(st.lists(one, min_size=1, max_size=3), holds, examples)


texts = st.one_of(
    st.text(max_size=80),
    st.lists(
        st.sampled_from(
            ("<script>", "</style>", "]]>", "-->", "<!--", "{{7*7}}", "{%", "`", "``` ", "'", '"', "&", "=1+1", "\t",
             "\r", "\n", "\x1b]8;;https://evil.example\x07", "\u202e", "\ud800", "javascript:", "onerror=", "x" * 50)
        )
    ).map("".join),
)  # fmt: skip


def report_with(text: str) -> Report:
    parts = [
        PartReport(
            part.name,
            part.points,
            [Check(text, outcome, 0, 1, text, [Hint(text, text, text)]) for outcome in list(Outcome)[1:]],
        )
        for part in CVAE.parts
    ]
    return Report(
        submission=text, sha256=text, isolation=text, seed=1, parts=parts, notes=[text], attention=[text], output=text
    )


@budget
def test_no_text_becomes_markup_on_any_page(examples: int) -> None:
    plain, named = report_with("plain `code`"), [Entry("plain", report_with("plain\nlines"), "p.html")]
    of_student = {tag for tag, _ in Page(html.render(plain)).tags} | {"pre"}
    of_class = {
        tag for tag, _ in Page(classroom.index([*named, Entry("x", nothing(CVAE, "y"))], Alike(), CVAE)).tags
    } | {"code"}

    def holds(text: str) -> None:
        report = report_with(text)
        for source, tags in (
            (html.render(report), of_student),
            (classroom.index([Entry(text, report, text)], Alike(), CVAE), of_class),
        ):
            source.encode()
            page = Page(source)
            assert {tag for tag, _ in page.tags} <= tags
            assert not [
                key for _, attributes in page.tags for key in attributes if key.startswith("on") or key == "style"
            ]
            assert not [link for link in page.links() if not link.startswith(("#", "./"))]
            assert "\x1b" not in source

    for_all(texts, holds, examples)
