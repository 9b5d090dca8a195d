"""Of a submitted notebook, the text is kept, and nothing else is believed."""

import base64
import io
import json
import random
import re
import time
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import quote

import nbformat
import pytest
from bs4 import BeautifulSoup
from hypothesis import example, given, settings
from hypothesis import strategies as st
from nbconvert.exporters import HTMLExporter
from nbconvert.filters import markdown_mistune
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from pygments.lexer import Lexer
from pygments.lexers import get_all_lexers
from pygments.lexers.special import TextLexer
from traitlets.config import Config

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.platforms.nbgrader import formulas
from autograder.platforms.nbgrader.answers import SubmittedNotebooks
from autograder.platforms.nbgrader.colors import LANGUAGE, LinearPython
from autograder.platforms.nbgrader.course import _configure_pages
from autograder.platforms.nbgrader.overview import FeedbackPage
from autograder.platforms.nbgrader.pictures import MAX_PIXELS, MAX_SHOWN, Room, picture
from autograder.platforms.nbgrader.submitted import (
    MAX_ALL_CODE,
    MAX_ALL_TEXT,
    MAX_CODE,
    MAX_TEXT,
    harmless,
    module_in,
    text_of,
    with_pictures,
)
from autograder.submissions.find import NothingToGrade

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def test_only_text_claims_and_pasted_pictures_are_kept() -> None:
    code = new_code_cell("x = 1", metadata={"nbgrader": {"grade_id": "encoder"}, "tags": ["<b>"]})
    code.outputs = [NotebookNode(output_type="stream", name="stdout", text="20")]
    text = new_markdown_cell("![](attachment:a.png)", metadata={"nbgrader": {"grade_id": {"not": "a name"}}})
    text.attachments = {
        "a.png": {"image/png": PIXEL},
        "b.svg": {"image/svg+xml": "<svg/>"},
        "c.png": {"image/png": "<"},
    }
    kept = text_of(new_notebook(cells=[code, text], metadata={"widgets": {"state": 1}}), room := Room())
    for cell in kept.cells:
        with_pictures(cell, room)
    assert kept.metadata == {"language_info": {"name": "python", "pygments_lexer": LANGUAGE}}
    assert kept.cells[0].outputs == []
    assert kept.cells[0].metadata == {"nbgrader": {"grade_id": "encoder"}}
    assert kept.cells[1].metadata == {}
    assert kept.cells[1].attachments == {"picture-1.png": {"image/png": PIXEL}}


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        "a <img src=x onerror=alert(1)> b",
        "<svg/onload=alert(1)>",
        "<!-- --><iframe src='javascript:alert(1)'></iframe>",
        "[click](javascript:alert(1))",
        "[click](  JaVaScRiPt:alert(1))",
        "[click](java&#115;cript:alert(1))",
        "[click](javascript&colon;alert(1))",
        "[click](javascript\\:alert(1))",
        "[click](<\tjavascript\t:alert(1)>)",
        "[click][1]\n\n[1]: javascript:alert(1)",
        "![x](data:text/html,alert)",
        '![x](x"onerror="alert(1))',
        "<javascript:alert(1)>",
        "```\n</code></pre><script>alert(1)</script>\n```",
        "$\\text{<script>alert(1)</script>}$",
        "$$<img src=x onerror=alert(1)>$$",
    ],
)
def test_no_script_of_a_students_reaches_a_page(attack: str) -> None:
    page, _ = HTMLExporter(template_name="basic").from_notebook_node(
        new_notebook(cells=[new_markdown_cell(harmless(attack))])
    )
    for sign in ("<script>alert", "<img src=x", "<svg", "<iframe", 'href="javascript:'):
        assert sign not in page.lower()
    assert not [
        name for tag in BeautifulSoup(page, "html.parser").find_all(True) for name in tag.attrs if name[:2] == "on"
    ]
    for address in re.findall(r'(?:href|src)="([^"]*)"', page):
        scheme = re.match(r"\s*([a-zA-Z][a-zA-Z0-9+.-]*):", address)
        assert scheme is None or scheme[1] in ("http", "https")


LINK = st.sampled_from([
    *(r"\href{%s}{x}", r"\href {%s}{x}", "\\href\n{%s}{x}", r"\text{$\href{%s}{x}$}", r"\\href{%s}{x}", "[x](<%s>)"),
    *(r"\def\x{\href}\x{%s}{x}", r"\let\x=\href \x{%s}{x}", r"\newcommand{\x}[1]{\href{#1}{x}}\x{%s}", "[x]: <%s>"),
])  # fmt: skip
SPACES = st.sampled_from(["", " ", "\t", "\n", "\N{NO-BREAK SPACE}", "\\"])
SCHEMES = st.sampled_from(["javascript", "JavaScript", "vbscript", "data", "DATA", "file", "java\nscript"])


@given(LINK, SPACES, SCHEMES, SPACES, st.sampled_from(["$%s$", "$$\n%s\n$$", "\\(%s\\)", "\\\\(%s\\\\)", "%s"]))
def test_no_formula_links_to_a_script(link: str, before: str, scheme: str, after: str, math: str) -> None:
    page, _ = HTMLExporter(template_name="basic").from_notebook_node(
        new_notebook(cells=[new_markdown_cell(harmless(math % (link % f"{before}{scheme}:{after}alert(1)")))])
    )
    assert "\\href" not in page
    assert not re.search(r"(?i)(?:script|data)\\?:\s*alert", page)


@pytest.mark.parametrize("name", ["style", "class", "cssId", "data", "require", "unicode", "mmlToken", "bbox", "url"])
def test_no_formula_writes_html_or_loads_code(name: str) -> None:
    for text in (rf"$\{name}{{a}}{{b}}$", rf"\\{name}[a]{{b}}", rf"\def\x{{\{name}}}"):
        assert rf"\{name}" not in harmless(text)
    for text in (rf"$\text{{{name}}}$", name):
        assert harmless(text) == text


@pytest.mark.parametrize(
    "formula",
    [
        *(r"\def\q#1{#1#1#1}", r"\gdef\q{xx}", r"\global\def\q{x}", r"\let\q=\pmb", r"\newcommand{\Q}[1]{#1#1}"),
        *(r"\newcommand\Q{\P\P}", r"\renewcommand{\mathbb}{\mathbb{E}}", r"\DeclareMathOperator{\Q}{\P\P}"),
        *(
            r"\newenvironment{q}{x}{y}",
            r"\Newextarrow{\Q}{5,5}{0}",
            r"\pmb{\pmb{x}}",
            r"\sideset{}{}{x}",
            r"\skew{1}{a}{b}",
        ),
    ],
)
def test_what_a_formula_draws_grows_with_its_text(formula: str) -> None:
    name = re.match(r"\\[a-zA-Z]+", formula)
    assert name
    for text in (f"${formula}$", f"$x{formula}$", f"\\\\({formula}\\\\)"):
        assert name[0] not in harmless(text)


@given(rows=st.integers(0, 300), columns=st.integers(0, 300), end=st.sampled_from([r"\\", r"\cr", r"\newline"]))
def test_no_table_in_a_formula_is_filled_without_end(rows: int, columns: int, end: str) -> None:
    text = harmless(rf"$$\begin{{matrix}}{'&' * columns}{f'x{end} ' * rows}\end{{matrix}}$$")
    assert rows * text.count("&") <= 2 * len(text) + 1000  # MathJax fills every row
    table = f"$${f'{end} '.join([' & '.join(['x'] * 10)] * max(rows, 1))}$$"
    assert harmless(table) == table


SHAPE = st.sampled_from([
    *("![x]({})", "[x]({})", "![x](<{}>)", '![x]({} "title")', "![x][r]\n\n[r]: {}\n", "![r]\n\n> [r]:\n> {}\n"),
    *("[r][]\n\n- [R]: <{}>", "[![x]({})]({})", "![a ![b]({})]({})", "![x`](attachment:a.png)`]({})"),
    *("![x$](attachment:a.png)$]({})", "![[x]]({})", "![x\\](attachment:a.png)]({})"),
    *("![x](attachment:a.png y)\n\n[x]: {}", "![<https://a](attachment:a.png)>]({})", "<{}>"),
    *("|a|\n|-|\n|![x]({})|", "# ![x]({})", "t\n: ![x]({})", "[a\nb]: {}\n\n![a b]", "1) [r]:{}\n\n![x][r]"),
    *("[x](\n{}\n)", "<img src='{}'>", "<a href={}>x</a>", "<video poster='{}'>", "<base href='{}'>"),
    *("<iframe src={}>", "<form action={}>", "<svg><image href='{}'/></svg>", "<img srcset='{} 2x'>"),
    *("<p style='background: url({})'>", "<link href={}>", "x {} y"),
])  # fmt: skip
TARGET = st.sampled_from([
    *("/logout", "//evil.example", "\\/logout", "https:\\\\evil.example", "https:/logout", "http:logout"),
    *("&#47;logout", "?x", ".", "data:image/png;base64,AA", "data:text/html,x", "javascript:x", "ftp://x"),
    *("\\\\evil.example", "../../logout", "x.png", "https://evil.example/x.png", "HTTP://evil.example"),
    *("mailto:a@b.edu", "#x", "attachment:a.png", "attachment:/logout", ""),
])  # fmt: skip
LOADS = {"src", "href", "srcset", "poster", "action", "formaction", "data", "style", "background", "xlink:href", "ping"}


@given(pieces=st.lists(st.tuples(SHAPE, TARGET, TARGET) | st.text("![]()<>`$\\:\n r/\"'&;#-", max_size=8), max_size=4))
@settings(deadline=None, max_examples=150)
def test_a_page_loads_nothing_and_leads_to_the_web(pieces: list[tuple[str, str, str] | str]) -> None:
    """The browser asks for a picture with the TA's cookie: `![](/logout)` ended the session at each look."""
    source = "".join(each if isinstance(each, str) else each[0].format(*each[1:]) for each in pieces)
    cell = NotebookNode(cell_type="markdown", source=source, metadata={}, attachments={"a.png": {"image/png": PIXEL}})
    for tag in BeautifulSoup(page_of(cell), "html.parser").find_all(True):
        allowed = {"img": rf"data:image/png;base64,{re.escape(PIXEL)}", "a": "(?i)(https?://|mailto:|#|attachment:).*"}
        for name, value in tag.attrs.items():
            assert name not in LOADS or re.fullmatch(allowed.get(tag.name, "text-align:\\w+"), str(value)), f"{tag}"
        assert tag.name not in ("script", "style", "iframe", "svg", "form", "base", "object", "embed", "link", "meta")


@pytest.mark.parametrize(
    "link",
    ["[PyTorch](https://pytorch.org/docs 'docs')", "[PyTorch][1]\n\n[1]: https://pytorch.org/docs", "<https://pytorch.org/docs>",
     "see https://pytorch.org/docs", "[PyTorch](<https://pytorch.org/docs>)", "[PyTorch]\n\n[pytorch]: <https://pytorch.org/docs>"],
)  # fmt: skip
def test_a_link_to_the_web_stays_one(link: str) -> None:
    assert 'href="https://pytorch.org/docs"' in page_of(NotebookNode(cell_type="markdown", source=link, metadata={}))


def test_a_picture_of_the_web_becomes_a_link() -> None:
    page = page_of(NotebookNode(cell_type="markdown", source="![a plot](https://a.edu/plot.png)", metadata={}))
    assert '<a href="https://a.edu/plot.png">a plot</a>' in page


@pytest.mark.browser
@pytest.mark.parametrize("exporter", [HTMLExporter, FeedbackPage])
@pytest.mark.parametrize("kind", ["text_cell_render", "input_area", "output_area"])
def test_a_cell_is_painted_nowhere_else(exporter: type[HTMLExporter], kind: str, browser: Any, tmp_path: Path) -> None:
    r"""A formula such as `\\smash{\\raise 30em{\\rule{60em}{40em}}}` painted over the points above it."""
    code = new_code_cell("x = 1", outputs=[new_output("stream", text="1")])
    cells = [new_markdown_cell("The first"), code, new_markdown_cell("mine"), new_markdown_cell("The last")]
    configuration = Config()
    _configure_pages(configuration)
    about: dict[str, Any] = {"nbgrader": {"notebook": "cvae", "score": 1, "max_score": 2, "late_penalty": 0}}
    about |= {"index": 0, "total": 1}
    html, _ = exporter(config=configuration).from_notebook_node(new_notebook(cells=cells), about)
    (tmp_path / "page.html").write_text(html)
    page = browser.new_page()
    page.route(re.compile("https?://"), lambda route: route.abort())
    page.goto(f"file://{tmp_path}/page.html")
    reached = page.evaluate(
        """(kind) => {
            const cell = [...document.getElementsByClassName(kind)].at(-2) ?? document.querySelector(`.${kind}`);
            cell.innerHTML += "<i style='position: fixed; inset: -999px; z-index: 9999; background: red'></i>"
                + "<i style='position: absolute; inset: -999px; z-index: 9999; background: red'></i>"
                + "<i style='display: inline-block; margin: -999px; width: 9999px; height: 9999px'></i>";
            const own = cell.getBoundingClientRect(), reached = [];
            for (let y = 1; y < innerHeight; y += 3)
                for (let x = 1; x < innerWidth; x += 50)
                    if ((y < own.top - 1 || y > own.bottom + 1 || x < own.left || x > own.right)
                        && cell.contains(document.elementFromPoint(x, y))) reached.push([x, y]);
            return reached;
        }""",
        kind,
    )
    page.close()
    assert reached == []


STARTS = [
    "# {}",
    "###### {}",
    "   ## {}",
    "{}\n===",
    "> # {}",
    "- # {}",
    "# `{}`",
    "# [{}](#{})",
    "# **{}** ",
    "[^{}]: x",
]


@pytest.mark.parametrize("exporter", [HTMLExporter, FeedbackPage])
def test_no_text_of_a_students_takes_an_id(exporter: type[HTMLExporter]) -> None:
    """Formgrader's scripts take the first element with a cell's id: a heading `visualization` lost its points."""
    about = {"grade": True, "solution": True, "task": False, "points": 3, "score": 1, "comment": "Fine"}
    graded = new_markdown_cell("mine", metadata={"nbgrader": about | {"grade_id": "visualization"}})
    ids = ids_of(exporter, [graded])
    names = {*ids, "encoder", "visualization", "visualization-comment", "comment-visualization", "top"}
    graded.source = harmless("\n\n".join(start.replace("{}", name) for start in STARTS for name in sorted(names)))
    assert ids_of(exporter, [new_markdown_cell(graded.source), graded]) == ids


def ids_of(exporter: type[HTMLExporter], cells: list[NotebookNode]) -> list[str]:
    """All ids of a page with these cells, in the order in which they stand there."""
    _configure_pages(configuration := Config())
    about: dict[str, Any] = {"nbgrader": {"notebook": "cvae", "score": 1, "max_score": 2, "late_penalty": 0}}
    html, _ = exporter(config=configuration).from_notebook_node(
        new_notebook(cells=cells), about | {"index": 0, "total": 1}
    )
    return [str(tag["id"]) for tag in BeautifulSoup(html, "html.parser").find_all(id=True)]


HONEST = [
    *(r"\mathcal{N}(\mu, \operatorname{diag}(\sigma^2))", r"\hat{x}_i \in [0, 1]", r"\nabla_{\phi} \mathcal{L}"),
    *(r"z = \mu + \sigma \odot \epsilon, \quad \epsilon \sim p", r"\sqrt{\frac{1}{N} \sum_{n=1}^N x_n^2} \propto 1"),
    *(r"2x^2 - 1 \leq \log p(x)", r"\left\{ x \,\middle|\, x \ge 0 \right\}", r"\int q \log \frac{q}{p} \, dz"),
    *(r"\begin{cases} 1 & x > 0 \\ 0 & \text{else} \end{cases}", r"\overset{!}{=} \arg\min_\theta \|x\|_2^2"),
    *(r"\begin{align*} a &= b \\[4pt] c &= d \end{align*}", r"{\rm KL}(q \Vert p) \to 0^+", r"\bar{x} \pm 1.96\,s"),
    *(r"\begin{pmatrix}a & b\\c & d\end{pmatrix}^{-1}", r"x\\[0.5em]y", r"\mathbb{E}_{z \sim q}\Bigl[\log p\Bigr]"),
    r"\DeclareMathOperator{\KL}{KL} \KL(q \| p)",
]


@pytest.mark.parametrize("formula", HONEST)
def test_an_answers_formulas_are_typeset(formula: str) -> None:
    for text in (f"So ${formula}$ holds.", f"$$\n{formula}\n$$", f"- \\\\[{formula}\\\\]"):
        assert harmless(text) == text


def test_all_formulas_of_the_notebook_are_typeset() -> None:
    cells = [cell for cell in nbformat.read(CVAE.root / CVAE.notebook, 4).cells if cell.cell_type == "markdown"]
    room = Room()
    for cell in cells:
        assert formulas.tamed(cell.source) == cell.source
        with_pictures(cell, room)
    assert room.formulas > Room.formulas / 2  # for what a student writes


NESTS = [
    *("x^{%s}", "x_{%s}", r"\sqrt{%s}", r"\frac{1}{%s}", r"\left(%s\right)", r"\text{$%s$}", "{%s}", r"\hat{%s}"),
    *(r"\begin{matrix}%s\end{matrix}", r"\overset{%s}{x}", r"\underbrace{%s}_{}", r"\{x^{%s\}}"),
    r"\\left(%s\\right)",
]
MATH = st.sampled_from([
    *("$%s$", "$$\n%s\n$$", r"\$%s\$", r"\\(%s\\)", r"\\[%s\\]", r"\begin{align}%s\end{align}", "`$`%s$"),
])  # fmt: skip


@given(st.lists(st.sampled_from(NESTS), min_size=31, max_size=120), MATH)
def test_no_formula_is_nested_without_end(nests: list[str], math: str) -> None:
    inner = "x"
    for each in nests:
        inner = each.replace("%s", inner)
    text = harmless(math.replace("%s", inner))
    assert "as text" in text
    assert not re.search(r"\$|\\[(\[]|\\begin", text)


LENGTHS = [
    *(
        r"\rule{0pt}{%s}",
        r"\hspace{%s}",
        r"\kern%s",
        r"\mkern %s",
        r"\raise%s{x}",
        r"\hskip %s",
        r"\Rule{0em}{%s}{0em}",
    ),
    *(r"\Space{0em}{%s}{0em}", r"\above%s", r"\genfrac(){%s}{1}{a}{b}", r"\mspace{%s}", r"\mskip%s", r"x\\[%s]"),
    r"x\\ [ %s ]",
]


SIZES = ["999em", "100pt", "9.9 em", "4em", "-8.5in", "99 c m", ".99pc", "9,5em"]


@given(st.sampled_from(LENGTHS), st.sampled_from(SIZES), MATH)
def test_no_formula_holds_a_length(command: str, size: str, math: str) -> None:
    text = harmless(math.replace("%s", command.replace("%s", size)))
    assert not re.search(r"\\(?:rule|hspace|m?kern|raise|[hm]skip|Rule|Space|above|genfrac|mspace)", text)
    assert not re.search(r"\\\s*\[\s*" + re.escape(size), text)


@given(st.integers(0, 2000), st.integers(0, 1000))
def test_delimiters_grow_no_faster_than_a_text(rows: int, bars: int) -> None:
    table = r"\begin{matrix}" + r"\\" * rows + r"\end{matrix}"
    text = rf"$\left|{table}" + r"\middle|" * bars + r"\right|$"
    assert (rows + 1) * (bars + 2) <= 2 * len(text) + 1000 or "as text" in harmless(text)


MARKS = ["x^2 ", "$", "$$", "\n\n", "`", "*", r"\\(", r"\\)", r"\begin{align}", r"\end{align}", "so "]


@given(st.lists(st.sampled_from(MARKS)))
@example(["*$", "x^2 ", "*", "$ so ", "$"])
@example([r"\begin{align}", "x^2 ", r"\end{align}"])
def test_formulas_are_no_longer_than_is_counted(pieces: list[str]) -> None:
    text = "".join(pieces)
    page = BeautifulSoup(page_of(NotebookNode(cell_type="markdown", source=text, metadata={})), "html.parser")
    for code in page(["code", "pre"]):
        code.extract()
    begins = r"(?s)\$\$(.+?)\$\$|\$(.+?)\$|\\\((.+?)\\\)|\\begin\{align\}(.+?)\\end\{align\}"
    found = [found[0] for each in page(string=True) for found in re.finditer(begins, each)]
    assert formulas.length(text) >= sum(map(len, found))


def test_formulas_beyond_the_bound_are_shown_as_text() -> None:
    room, cells = Room(), [new_markdown_cell(f"so ${'x+' * 2500}$") for _ in range(4)]
    for cell in cells:
        with_pictures(cell, room)
    assert ["$" in cell.source for cell in cells] == [True, True, False, False]
    assert formulas.TOO_LONG in cells[2].source


def test_ordinary_formulas_stay_as_they_are() -> None:
    text = (
        r"$$\newcommand{\E}{\mathbb{E}} \log p_\theta(x \mid z) \ge \E_{q_\phi}\left[\color{red}{\log p}\right]"
        r" - D_{\mathrm{KL}}\left(q \,\Vert\, p\right) \tag{1}$$ The data: $\{x_i\}$"
    )
    assert harmless(text).replace("data\N{WORD JOINER}:", "data:") == text


def test_ordinary_markdown_stays_as_it_is() -> None:
    text = (
        "# Title: a\n\n> quoted, $a < b$ and `x <= y`: [so](https://example.edu)\n\na|b\n:--|--:\n![](attachment:a.png)"
    )
    assert harmless(text) == text


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b"[]",
        b'{"cells": 1, "nbformat": 4, "nbformat_minor": 5, "metadata": {}}',
        b'{"cells": [{"cell_type": "code", "source": {"a": 1}, "metadata": {}}], "nbformat": 4, "nbformat_minor": 5}',
        b'{"nbformat": 3, "worksheets": "none"}',
        b"[" * 100_000,
        b'{"nbformat": 4, "metadata": ' + b'{"a":' * 900 + b"1" + b"}" * 900 + b', "cells": []}',
    ],
)
def test_a_file_that_is_no_notebook_is_an_empty_one(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "cvae.ipynb"
    path.write_bytes(content)
    text, _ = SubmittedNotebooks().from_filename(str(path))
    assert all(cell["cell_type"] == "markdown" for cell in json.loads(text)["cells"])


def test_pictures_are_pictures() -> None:
    assert picture("image/png", PIXEL) == PIXEL
    assert picture("image/png", "\n".join((PIXEL[:10], PIXEL[10:]))) == PIXEL
    huge = png_of(10**6, 10**6)
    assert picture("image/png", [PIXEL[:10], PIXEL[10:]]) == PIXEL, "a text may be in lines"
    fills = base64.b64encode(b"\xff\xd8" + b"\xff" * 20_000 + b"\xc0\x00\x11\x08\x00\x01\x00\x01").decode()
    with pytest.raises(ValueError, match="damaged"):
        picture("image/jpeg", fills)
    damaged: list[object] = ["", "<script>", PIXEL + "<", None, ["x"], [1], {}]
    for data in damaged:
        with pytest.raises(ValueError, match="damaged"):
            picture("image/png", data)
    with pytest.raises(ValueError, match="10000 pixels"):
        picture("image/png", huge)
    with pytest.raises(ValueError, match="SVG"):
        picture("image/svg+xml", PIXEL)


def test_a_link_is_no_module(tmp_path: Path) -> None:
    (tmp_path / "elsewhere.py").write_text("secret = 1")
    (tmp_path / "zoe").mkdir()
    (tmp_path / "zoe" / "cs5814_vae.py").symlink_to(tmp_path / "elsewhere.py")
    with pytest.raises(NothingToGrade, match="symbolic link, which is never followed"):
        module_in(tmp_path / "zoe", CVAE)


NAMES = ("a.png", "my pic.png", "\u00e9 (1).png", "b.gif", "lost", "picture-1.png", "100%.png")
LINKS = (
    "![x]({})", "[x]({})", "![x](<{}>)", '![x]({} "a (title)")', "![[x]]({})", "[![x]({})](http://a.edu)", "`{}`",
    "![x][r]\n\n[r]: {}\n", "{} is a name", "![x](<{} y>)", "![x]({}(", "<{}>", "![x]({}<b)", "\n> ```\n> {}\n",
)  # fmt: skip
BUNDLES = st.sampled_from([{"image/png": PIXEL}, {"image/gif": "R0lG"}, {"image/png": "<"}, {}, 5])
ADDRESSES = st.sampled_from([*NAMES, *map(quote, NAMES)])
PIECES = st.tuples(st.sampled_from(LINKS), ADDRESSES) | st.text("a![]()<>:\\ `\n\t&%", max_size=9)


@given(
    pieces=st.lists(PIECES, max_size=6),
    attachments=st.dictionaries(st.sampled_from(NAMES), BUNDLES, max_size=4),
)
@settings(deadline=None)
def test_every_picture_is_there(pieces: list[tuple[str, str] | str], attachments: dict[str, object]) -> None:
    """nbconvert refuses a page with a link to an attachment that is not there."""
    source = " ".join(each if isinstance(each, str) else each[0].format(f"attachment:{each[1]}") for each in pieces)
    cell = NotebookNode(cell_type="markdown", source=source, metadata={}, attachments=attachments)
    page = page_of(cell)
    assert not re.search(r'src="attachment:', page)


@pytest.mark.parametrize(
    ("name", "written"),
    [("my pic.png", "my%20pic.png"), ("my pic.png", "<>"), ("Screen Shot.png", "Screen Shot.png"),
     ("my pic (1).png", "my pic (1).png"), ("\u00e9.png", "\u00e9.png"), ("a_b.png", r"a\_b.png"),
     ("a (1).png", "a%20%281%29.png")],
)  # fmt: skip
def test_a_picture_is_shown_under_any_name(name: str, written: str) -> None:
    link = f"![x](<attachment:{name}>)" if written == "<>" else f"![x](attachment:{written})"
    cell = NotebookNode(
        cell_type="markdown", source=link, metadata={}, attachments={name: {"image/png": PIXEL}, "b": {"image/gif": ""}}
    )
    assert f"data:image/png;base64,{PIXEL}" in page_of(cell)


@pytest.mark.parametrize(
    ("attachments", "why"),
    [({"x": {"image/gif": "R0lG"}}, "GIF is not shown; PNG and JPEG are"), ({}, "it is not in the notebook"),
     ({"x": {"image/png": "A" * (6 << 20)}}, "it is larger than 4 MiB"), ({"x": {"image/png": "<"}}, "it is damaged")],
)  # fmt: skip
def test_a_picture_that_is_left_out_is_told(attachments: dict[str, object], why: str) -> None:
    cell = NotebookNode(cell_type="markdown", source="See ![x](attachment:x).", metadata={}, attachments=attachments)
    assert f"See [picture left out: {why}]." in page_of(cell)


def png_of(width: int, height: int, size: int = 9000) -> str:
    start = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + width.to_bytes(4) + height.to_bytes(4)
    return base64.b64encode(start + bytes(9) + size.to_bytes(4) + b"IDAT" + bytes(size + 4)).decode()


def jpeg_of(width: int, height: int, before: bytes = b"\xff\xe0\x00\x04ab", frame: int = 0xC2) -> str:
    start = b"\xff\xd8" + before + bytes((0xFF, frame)) + b"\x00\x11\x08" + height.to_bytes(2) + width.to_bytes(2)
    return base64.b64encode(start + bytes(9000)).decode()


@pytest.mark.parametrize(
    "before", [b"", b"\xff\xe1\xff\xff" + b"\xff\xc0\x00\x11\x08\0\1\0\1".ljust(65533), b"\xff\xff\xff"]
)
def test_a_jpeg_is_as_large_as_its_frame_says(before: bytes) -> None:
    before += b"\xff\xc4\x00\x05abc"
    assert picture("image/jpeg", jpeg_of(4032, 3024, before)) == jpeg_of(4032, 3024, before)
    with pytest.raises(ValueError, match="10000 pixels"):
        picture("image/jpeg", jpeg_of(1, 65_500, before))
    for unlike in (jpeg_of(0, 9), jpeg_of(9, 9, before=b"x"), jpeg_of(9, 9, frame=0xDA)):
        with pytest.raises(ValueError, match="damaged"):
            picture("image/jpeg", unlike)


def test_a_pasted_picture_is_one_picture() -> None:
    file = io.BytesIO()
    frames = [Image.new("P", (4, 3), shade) for shade in range(9)]
    about = PngInfo()
    about.add_text("a", "b" * 1000, zip=True)
    frames[0].save(file, "PNG", save_all=True, append_images=frames[1:], pnginfo=about, transparency=0)
    kept = base64.b64decode(picture("image/png", base64.b64encode(file.getvalue()).decode()))
    assert not re.search(b"acTL|fcTL|fdAT|zTXt", kept)
    with Image.open(io.BytesIO(file.getvalue())) as before, Image.open(io.BytesIO(kept)) as after:
        assert after.convert("RGBA").tobytes() == before.convert("RGBA").tobytes()


@given(mode=st.sampled_from(["1", "L", "LA", "P", "RGB", "RGBA", "I;16"]), size=st.tuples(*[st.integers(1, 300)] * 2))
def test_no_picture_loses_a_pixel(mode: str, size: tuple[int, int]) -> None:
    file = io.BytesIO()
    empty = Image.new(mode, size).tobytes()
    Image.frombytes(mode, size, random.Random(1).randbytes(len(empty))).save(file, "PNG")
    kept = base64.b64decode(picture("image/png", base64.b64encode(file.getvalue()).decode()))
    with Image.open(io.BytesIO(file.getvalue())) as before, Image.open(io.BytesIO(kept)) as after:
        assert (after.mode, after.tobytes()) == (before.mode, before.tobytes())


def test_a_jpeg_is_decoded_in_bounded_passes() -> None:
    file = io.BytesIO()
    Image.new("RGB", (40, 30)).save(file, "JPEG", progressive=True)
    content = file.getvalue()
    text = base64.b64encode(content).decode()
    assert picture("image/jpeg", text) == text
    last = content[content.rindex(b"\xff\xda") : -2]
    with pytest.raises(ValueError, match="30 passes"):
        picture("image/jpeg", base64.b64encode(content[:-2] + last * 30 + content[-2:]).decode())
    for more in (content[:2] + b"\xff\xe1\2\2" + b"\xff\xda" * 256 + content[2:], content + b"\xff\xda" * 256):
        assert picture("image/jpeg", base64.b64encode(more).decode())  # neither in what is skipped nor after the end


@pytest.mark.parametrize("links", ["![x](attachment:a) ", "![x][r] \n\n[r]: attachment:a\n\n", "[r]: attachment:a\n"])
def test_pictures_take_bounded_room_on_the_page(links: str) -> None:
    photo, large = jpeg_of(4032, 3024), png_of(10, 10, 3 << 20)
    for mime, data in (("image/jpeg", photo), ("image/png", large)):
        text = links * 40 + "[R] " * 40
        cell = NotebookNode(cell_type="markdown", source=text, metadata={}, attachments={"a": {mime: data}})
        page = page_of(cell, cell)
        assert page.count(photo) * 4032 * 3024 <= MAX_PIXELS
        assert len(page) <= MAX_SHOWN + 100_000
        assert "[picture left out: " in page


def test_a_picture_with_a_spaced_name_says_what_it_is() -> None:
    link = "See ![x](attachment:Screen Shot.gif)."
    bundle = {"Screen Shot.gif": {"image/gif": "R0lG"}}
    cell = NotebookNode(cell_type="markdown", source=link, metadata={}, attachments=bundle)
    assert "See [picture left out: GIF is not shown; PNG and JPEG are]." in page_of(cell)


def page_of(*cells: NotebookNode) -> str:
    """The cells as nbconvert shows them."""
    notebook = new_notebook()
    notebook.cells = list(cells)
    kept = text_of(notebook, room := Room())
    for cell in kept.cells:
        with_pictures(cell, room)
    page: str = HTMLExporter(template_name="basic").from_notebook_node(kept)[0]
    return page


@given(
    lengths=st.lists(st.tuples(st.sampled_from(["code", "markdown"]), st.integers(0, 2 * MAX_CODE)), max_size=40),
    letter=st.sampled_from(["a", "\t", "\u200b", "\n"]),
)
@settings(deadline=None, max_examples=30)
def test_the_text_of_a_notebook_is_bounded(lengths: list[tuple[str, int]], letter: str) -> None:
    notebook = new_notebook()
    notebook.cells = [NotebookNode(cell_type=kind, source=letter * many, metadata={}) for kind, many in lengths]
    kept = text_of(notebook, Room())
    for kind, most, all_most in (("markdown", MAX_TEXT, MAX_ALL_TEXT), ("code", MAX_CODE, MAX_ALL_CODE)):
        texts = [
            re.sub(r"\n[^\n]*The grader left out.*", "", cell.source) for cell in kept.cells if cell.cell_type == kind
        ]
        assert all(len(text) <= most + 1 for text in texts)
        assert sum(map(len, texts)) <= all_most + len(texts)
    for (kind, many), cell in zip(lengths, kept.cells, strict=True):
        if many > (MAX_CODE if kind == "code" else MAX_TEXT):
            assert "The grader left out the rest of this cell" in cell.source
    if letter == "a" and sum(many for _, many in lengths) <= MAX_TEXT:
        assert [len(cell.source) for cell in kept.cells] == [many for _, many in lengths]


FENCE = st.sampled_from([
    *("```{0}\n{1}\n```", "~~~ {0}\n{1}\n~~~", "> ```{0}\n> {1}\n", "- ````  {0}\n  {1}\n", "~~~{0}`\n{1}"),
    *("~~~{0} ~x\n{1}", "1. > ~~~{0}\n   > {1}\n", ": ```{0} title=1\n{1}", "x\n\n```\\{0}\n{1}\n```"),
    *("%%{0}\n{1}", "!{0} {1}"),
])  # fmt: skip
ALIAS = st.sampled_from([alias for _, aliases, _, _ in get_all_lexers() for alias in aliases] + ["mermaid", "BASH"])


@given(fence=FENCE, language=ALIAS, kind=st.sampled_from(["markdown", "code"]))
@settings(deadline=None)
def test_no_lexer_but_ours_sees_a_students_text(fence: str, language: str, kind: str) -> None:
    """Bash's takes twice as long for each two characters of `$'\\0\\0`: no bound on a text bounds that."""
    used: set[str] = set()

    def recorded(name: str, **options: object) -> Lexer:
        used.add(name)
        return TextLexer()

    with (
        patch("pygments.lexers.get_lexer_by_name", recorded),
        patch.object(markdown_mistune, "get_lexer_by_name", recorded),
    ):
        page = page_of(NotebookNode(cell_type=kind, source=fence.format(language, "$'\\0\\0"), metadata={}))
    assert used <= {LANGUAGE, "text"}
    assert kind == "code" or "mermaid" not in page.replace("%%mermaid", "").replace("!mermaid", "")


@pytest.mark.parametrize("language", ["python", "Python", "py", "ipython3", "bash", "", "{python}"])
def test_a_block_of_python_is_in_color(language: str) -> None:
    page = page_of(NotebookNode(cell_type="markdown", source=f"> ```{language}\n> x = 1\n> ```\n", metadata={}))
    assert ('class="n"' in page) == (language in ("python", "Python", "py", "ipython3"))
    assert "x" in page


@pytest.mark.parametrize("language", ["python", "ipython3", "IPython"])
@pytest.mark.parametrize("blank", [" ", "\t", ">  "])
def test_blank_lines_are_shown_in_seconds(language: str, blank: str) -> None:
    began = time.process_time()
    lines = f"{blank}\n" * (MAX_TEXT // (len(blank) + 1) - 9)
    quoted = "> " if blank.startswith(">") else ""
    text = NotebookNode(cell_type="markdown", source=f"{quoted}```{language}\n{lines}{quoted}```\n", metadata={})
    code = NotebookNode(cell_type="code", source="x = 1\n" + (blank.lstrip(">") + "\n") * 30_000, metadata={})
    page_of(*[text] * 4, code)
    assert time.process_time() - began < 20


PIECES = st.sampled_from(
    ["%", "0", "match", "_", "{a[", "\n", " ", "\\", "'", '"', "b", ".", "#", "def ", '"' * 3, "é"]
)


@given(st.lists(PIECES | st.text(max_size=2), min_size=1, max_size=4), st.text(max_size=3))
@settings(deadline=None, max_examples=150)
def test_code_is_colored_in_linear_time(pieces: list[str], first: str) -> None:
    text = first + "".join(pieces) * 4000
    began = time.process_time()
    found = list(LinearPython().get_tokens_unprocessed(text))
    assert time.process_time() - began < 1 + 2e-5 * len(text)
    assert "".join(piece for _, _, piece in found) == text


@pytest.mark.parametrize("code", [f's = "%{"0" * 99_000}!"', f"match{' ' * 99_000}x", '"{a[\n' * 19_000])
def test_no_code_holds_the_page(code: str) -> None:
    began = time.process_time()
    assert f"hl-{LANGUAGE}" in page_of(NotebookNode(cell_type="code", source=code, metadata={}))
    assert time.process_time() - began < 10


@pytest.mark.slow
@pytest.mark.parametrize("piece", ["\\\\[", "[", "![", "\\begin{a}", "![a][", "\\\\( $a "])
def test_the_worst_text_is_shown_in_seconds(piece: str) -> None:
    began = time.process_time()
    page_of(*(NotebookNode(cell_type="markdown", source=piece * MAX_TEXT, metadata={}) for _ in range(500)))
    assert time.process_time() - began < 20
