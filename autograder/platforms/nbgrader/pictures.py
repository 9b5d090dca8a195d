"""The pictures pasted into a notebook's text, and the links to them: each link shows one, or says why there is none.

nbconvert gives up a whole page where one link leads to no picture, or writes the name in another way than the cell.
"""

import base64
import binascii
import re
import zlib
from dataclasses import dataclass
from math import prod
from urllib.parse import unquote

from autograder.platforms.nbgrader.formulas import MAX_FORMULAS
from autograder.report.model import clean

MAX_PICTURE = 4 << 20
MAX_SIDE = 10_000  # pixels; a photo of a phone has 4,032 to 8,064
# In all pictures of a notebook, as often as they are shown: a small file can unpack to a picture that fills a browser's
# memory, and nbconvert writes a picture into the page for each link.
MAX_PIXELS, MAX_SHOWN = 64_000_000, 64 << 20
MAX_HELD = 64 << 20  # characters of all that are pasted into one submission's notebooks, which are compared first
TOO_MANY = "the notebook shows too many or too large ones"
MAX_SCANS = 30  # of a JPEG file, each as large as the picture: a browser decodes them all. Most programs write 1 to 10
MAX_STEPS = 10_000  # through a JPEG file; a camera's has a dozen segments before it

_PICTURES = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}
_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd8\xff])", re.DOTALL)  # of a segment with a length, a scan or the end
_SCAN, _END = 0xDA, 0xD9
_ESCAPED = re.compile(r"\\(?=[!-/:-@\[-`{-~])")
_LINK = re.compile(
    r"(?P<before>(?:!?\[[^\[\]]*)?\]\([ \t]*|^ {0,3}\[[^\[\]\n]+\]:[ \t]*)?"  # ![alt](, or [label]: at a line's start
    r"(?:<attachment:(?P<quoted>[^<>\n]*)>|attachment:(?P<name>(?:[^()\s\\<>]|\\[^\n]|\([^()\s]*\))*))"
    r"(?P<ends>(?=[)\s]|\Z))?(?P<after>[^()\n]*\))?",
    re.MULTILINE,
)
# All that may be a name with spaces in it, as people write one: up to the bracket that ends the link.
_SPACED = re.compile(r"(?<=\]\()[ \t]*attachment:(?P<name>(?:[^()<>\n]++|\([^()<>\n]*+\))*+)(?=\))")
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # the segments of a JPEG file that begin with its size


@dataclass
class Room:
    """How much more a notebook may show: pixels of pictures, the characters that they take on the page, and formulas.

    `held` are the characters that may still be kept until it is known which notebook is shown.
    """

    pixels: int = MAX_PIXELS
    characters: int = MAX_SHOWN
    held: int = MAX_HELD
    formulas: int = MAX_FORMULAS


def picture(mime: str, data: object) -> str:
    """The base64 text of a picture of type `mime`. ValueError says why it is none that can be shown safely."""
    text = "".join(data) if isinstance(data, list) and all(isinstance(line, str) for line in data) else data
    if mime not in _PICTURES:
        raise ValueError(f"{clean(mime.rsplit('/', 1)[-1].upper(), 20)} is not shown; PNG and JPEG are")
    if not isinstance(text, str):
        raise ValueError("it is damaged")
    if len(text) > MAX_PICTURE * 4 // 3:
        raise ValueError(f"it is larger than {MAX_PICTURE >> 20} MiB")
    try:
        content = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        content = b""
    if not content.startswith(_PICTURES[mime]):
        raise ValueError("it is damaged")
    sides = _sides(content)
    if max(sides) > MAX_SIDE:
        raise ValueError(f"it is more than {MAX_SIDE} pixels wide or high")
    if min(sides) < 1:
        raise ValueError("it is damaged")
    if mime == "image/png":
        content = _still(content)
    elif _scans(content) > MAX_SCANS:
        raise ValueError(f"it is stored in more than {MAX_SCANS} passes")
    return base64.b64encode(content).decode()


def _still(content: bytes) -> bytes:
    """A PNG file of what this one shows first, without other frames, texts and profiles (https://www.w3.org/TR/png-3/).

    ValueError if it shows nothing.
    """
    found: dict[bytes, list[bytes]] = {kind: [] for kind in (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")}
    at = len(_PICTURES["image/png"])
    while at < len(content) and not found[b"IEND"]:
        kind, size = content[at + 4 : at + 8], int.from_bytes(content[at : at + 4])
        if kind in found and (kind == b"IDAT" or not found[kind]):
            found[kind].append(content[at + 8 : at + 8 + size])
        at += 12 + size
    if not found[b"IDAT"]:
        raise ValueError("it is damaged")
    found[b"IEND"] = [b""]
    chunks = [(kind, b"".join(pieces)) for kind, pieces in found.items() if pieces]
    return _PICTURES["image/png"] + b"".join(
        len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4) for kind, data in chunks
    )


def _scans(content: bytes) -> int:
    """How often a JPEG file goes through the picture. ValueError if it has too many segments."""
    at, scans = 2, 0
    for _ in range(MAX_STEPS):
        marker = _MARKER.search(content, at)
        if marker is None or marker[1][0] == _END:
            return scans
        scans += marker[1][0] == _SCAN
        at = marker.end() + max(2, int.from_bytes(content[marker.end() : marker.end() + 2]))
    raise ValueError("it is damaged")


def _sides(content: bytes) -> tuple[int, int]:
    """How wide and high a picture is in pixels; 0 if its file does not say so where it has to."""
    if content.startswith(_PICTURES["image/png"]):
        return (int.from_bytes(content[16:20]), int.from_bytes(content[20:24])) if content[12:16] == b"IHDR" else (0, 0)
    at = 2
    for _ in range(MAX_STEPS):
        if content[at : at + 1] != b"\xff":
            break
        if content[at + 1 : at + 2] == b"\xff":  # fills
            at += 1
            continue
        if content[at + 1 : at + 2] and content[at + 1] in _FRAMES:
            return int.from_bytes(content[at + 7 : at + 9]), int.from_bytes(content[at + 5 : at + 7])
        at += 2 + max(2, int.from_bytes(content[at + 2 : at + 4]))
    return 0, 0


def pictures(attachments: object, room: Room) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """The pictures among a cell's attachments that the `room` holds, by name, and why the others are left out."""
    kept: dict[str, dict[str, str]] = {}
    left_out: dict[str, str] = {}
    for name, bundle in attachments.items() if isinstance(attachments, dict) else ():
        for mime, data in bundle.items() if isinstance(bundle, dict) else ():
            try:
                text = picture(mime, data)
                if len(text) > room.held:
                    raise ValueError(TOO_MANY)
                kept[name] = {mime: text}
                room.held -= len(text)
                break
            except ValueError as error:
                left_out[name] = str(error)
    return kept, left_out


def linked(
    source: str, kept: dict[str, dict[str, str]], left_out: dict[str, str], room: Room
) -> tuple[str, dict[str, dict[str, str]]]:
    """A cell's Markdown whose links to attachments all lead to a picture, and the pictures, under plain names.

    Programs differ in how they write a name with a space or an accent, and nbconvert knows one way. A link to a picture
    that is missing, or for which there is no `room`, becomes a text that says why.
    """
    names = {name: f"picture-{number}.{next(iter(kept[name])).split('/')[1]}" for number, name in enumerate(kept, 1)}
    plain = {_spelled(name): new for name, new in names.items()}
    why = {_spelled(name): reason for name, reason in left_out.items()}
    data = {_spelled(name): next(iter(bundle.values())) for name, bundle in kept.items()}
    pixels = {name: prod(_sides(base64.b64decode(text))) for name, text in data.items()}

    def fits(name: str) -> bool:
        """Whether there is room to show a picture, which is taken then."""
        fit = pixels[name] <= room.pixels and len(data[name]) <= room.characters
        if fit:
            room.pixels -= pixels[name]
            room.characters -= len(data[name])
        return fit

    def quoted(link: re.Match[str]) -> str:
        name = _spelled(link["name"])
        return f"<attachment:{link['name']}>" if " " in name and (name in plain or name in why) else link[0]

    def shown(link: re.Match[str]) -> str:
        name = _spelled(link["quoted"] or link["name"] or "")
        if name in plain and link["ends"] is not None:
            if (link["before"] or "").rstrip().endswith("]:"):
                return "[picture left out: it is not linked where it belongs]"
            if fits(name):
                return f"{link['before'] or ''}attachment:{plain[name]}{link['after'] or ''}"
            return f"[picture left out: {TOO_MANY}]"
        if link["before"] is None:  # no link, but a text that speaks of one
            return link[0].replace("attachment:", "attachment\N{WORD JOINER}:")
        return f"[picture left out: {why.get(name, 'it is not in the notebook')}]"

    return _LINK.sub(shown, _SPACED.sub(quoted, source)), {new: kept[name] for name, new in names.items()}


def _spelled(name: str) -> str:
    return unquote(_ESCAPED.sub("", name)).strip()
