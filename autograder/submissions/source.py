"""The text of a module, for the pages and comparisons: decoded and split into lines as Python does it."""

import re

# A module of an assignment has some 10 KiB. What is longer is shown up to here.
MAX_BYTES = 128 * 1024

_BOM = b"\xef\xbb\xbf"
_CODING = re.compile(rb"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")  # PEP 263, as are the two lines in which it counts
_BLANK = re.compile(rb"[ \t\f]*(?:#|$)")
# Encodings that editors write. Each takes linear time, and leaves the text that is ASCII, line ends included, as it is.
_ENCODINGS = {
    **dict.fromkeys(("utf8", "utf8sig", "utf8unix", "utf8dos", "utf8mac", "ascii", "usascii"), "utf-8-sig"),
    **dict.fromkeys(("latin1", "isolatin1", "iso88591", "latin1unix", "iso88591unix"), "latin-1"),
    **{f"{system}125{number}": f"cp125{number}" for system in ("cp", "windows") for number in range(9)},
    **{f"iso8859{number}": f"iso8859-{number}" for number in (2, 5, 7, 9, 15)},
    **{each: each for each in ("gbk", "gb2312", "gb18030", "big5", "cp936", "cp949", "cp950", "cp932")},
    "euckr": "euc_kr",
    "eucjp": "euc_jp",
    "shiftjis": "shift_jis",
    "sjis": "shift_jis",
    "macroman": "mac_roman",
}
# A comment, a string, a name or a number, or a sign. Each alternative takes what it can and gives nothing back, and an
# open string ends with the line or the source: the time grows with the length alone.
LEXEME = re.compile(
    r"#[^\n]*+"
    r"|\"{3}(?:[^\"\\]|\\.|\"(?!\"\"))*+(?:\"{3})?"
    r"|'{3}(?:[^'\\]|\\.|'(?!''))*+(?:'{3})?"
    r"|\"(?:[^\"\\\n]|\\.)*+\"?"
    r"|'(?:[^'\\\n]|\\.)*+'?"
    r"|(?P<word>\w++)"
    r"|[^\w\s]",
    re.DOTALL,
)

_RUN = ("exec", "eval", "compile")
_CALLED = re.compile(r"[ \t]*+\(")


def declared(source: bytes) -> str:
    """The encoding that a source declares, as it is written there; empty if none."""
    lines = source.removeprefix(_BOM).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n", 2)[:2]
    for line in lines:
        if match := _CODING.match(line):
            return match[1].decode("ascii")
        if not _BLANK.match(line):
            break
    return ""


def is_plain(source: bytes) -> bool:
    """Whether the text that `decoded` gives is the one that runs."""
    return _codec(source) is not None


def _codec(source: bytes) -> str | None:
    return _ENCODINGS.get(re.sub(r"[-_.]", "", declared(source).lower()) or "utf8")


def decoded(source: bytes, errors: str = "replace") -> str:
    """The beginning of a source, its line ends as Python takes them. In an encoding that is rare, it is a guess."""
    text = source[:MAX_BYTES].decode(_codec(source) or "utf-8-sig", errors)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def doubts(source: bytes) -> list[str]:
    """Why the text that staff see may not be the code that runs."""
    if not is_plain(source):
        return [f"written in an unusual encoding ({declared(source)[:40]}): what runs is not the text that pages show"]
    text, before = decoded(source), ""
    for lexeme in LEXEME.finditer(text):
        if lexeme["word"] in _RUN and before not in (".", "def") and _CALLED.match(text, lexeme.end()):
            line = text.count("\n", 0, lexeme.start()) + 1
            return [f"runs text as code (`{lexeme[0]}`, line {line}): what runs is more than the text that pages show"]
        before = lexeme[0]
    return []
