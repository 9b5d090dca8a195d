"""A report as one page that needs nothing else: no script, no request, no font, no other file."""

import base64
import functools
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from autograder.points import shown
from autograder.report import summary
from autograder.report.model import Report, clean

_HERE = Path(__file__).parent
GAP = 5  # degrees between the arcs of two parts


def render(report: Report) -> str:
    """The page for the student: what works, the one thing to fix next, then everything else."""
    title, sentence = summary.headline(report)
    step = None if report.error else summary.next_step(report)
    every = [finding for part in report.parts for finding in summary.findings(part)]
    again = [finding for finding in every if summary.same_error(report, finding)]  # told under an earlier part
    return page(
        "page.html.j2",
        ["page.css.j2"],
        report=report,
        summary=summary,
        title=title,
        sentence=sentence,
        step=step,
        alike=[*summary.same_reason(report, step), *again] if step else [],
        obstacle=summary.obstacle(report),
        arcs=list(_arcs(report)),
    )


def page(template: str, styles: Sequence[str], folder: Path = _HERE, **values: object) -> str:
    """`template` with `values`, and with the style sheets as `css` and their hash, for the policy, as `css_hash`.

    They lie in `folder`, or else next to this file.
    """
    environment = _environment(folder)
    css = "".join(environment.get_template(style).render() for style in styles)
    # By its hash: a style that a submission smuggled in would not apply.
    css_hash = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    return environment.get_template(template).render(css=Markup(css), css_hash=css_hash, **values)


@functools.cache  # compiling the templates takes longer than filling them in
def _environment(folder: Path) -> Environment:
    environment = Environment(
        loader=FileSystemLoader([folder, _HERE]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "prose": prose,
        "clean": clean,
        "data_uri": _data_uri,
        "points": shown,
        "relative_link": _relative_link,
    }
    return environment


def _relative_link(link: str) -> str:
    """A percent-encoded `link`, relative to the page's own folder; whatever it holds, it leads to no other site."""
    return "./" + quote(link.lstrip("/"), safe="/%", errors="replace")


def prose(text: str) -> Markup:
    """Escaped text, with what stands between backticks as code."""
    return Markup("").join(
        Markup("<code>{}</code>").format(piece) if is_code else escape(piece) for is_code, piece in summary.prose(text)
    )


def _data_uri(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode()


def _arcs(report: Report) -> Iterator[tuple[float, float, float]]:
    """For each part its start, length and earned length on the ring, in degrees."""
    if not report.max_score:
        return
    start = 0.0
    for part in report.parts:
        whole = 360 * part.max_score / report.max_score
        length = max(whole - GAP, 0)
        earned = length * min(part.score / part.max_score, 1) if part.max_score else 0
        yield round(start + GAP / 2, 2), round(length, 2), round(earned, 2)
        start += whole
