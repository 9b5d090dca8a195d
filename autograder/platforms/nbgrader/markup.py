"""What the grader says in a cell: HTML in Markdown, in which a student's text is text, and nothing else."""

from html import escape

from autograder.report import summary

_BOX = "border: 1px solid {}; border-radius: 4px; padding: 0.8em; margin: 0.5em 0"


def block(html: str, color: str = "#ccc") -> str:
    """A piece of HTML that Markdown leaves as it is: on one line, beginning with a tag."""
    style = _BOX.format(color)
    return f'<div class="tex2jax_ignore mathjax_ignore" style="{style}">{html}</div>'.replace("\n", " ")


def text(raw: str) -> str:
    """`raw` in a `block`: nothing in it is a tag, a formula or an end of the block."""
    html = escape(raw)
    for character in "$\\`*_[]~":
        html = html.replace(character, f"&#{ord(character)};")
    return html.replace("\n", " ")


def prose(raw: str) -> str:
    """As `text`, with what stands between backticks as code."""
    pieces = ((is_code, text(piece)) for is_code, piece in summary.prose(raw))
    return "".join(f"<code>{piece}</code>" if is_code else piece for is_code, piece in pieces)
