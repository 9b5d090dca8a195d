"""The names of uploaded files, as platforms, browsers and people write them."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2")
# Formats that students hand in and that are not opened.
UNREAD = {
    ".7z": "7-Zip",
    ".rar": "RAR",
    ".tar.xz": "xz",
    ".txz": "xz",
    ".xz": "xz",
    ".tar.zst": "Zstandard",
    ".zst": "Zstandard",
    ".gz": "gzip",
    ".bz2": "bzip2",
    ".lzma": "LZMA",
    ".dmg": "disk image",
    ".iso": "disk image",
}
# What programs leave of a download that has not ended, and what archives are called that were split into several.
_PARTIAL = re.compile(
    r"(?P<whole>.+)\."
    r"(?:(?:cr|op|fdm)?download|part|partial|filepart|aria2|z\d\d|(?P<of_archives>tmp|\d{3}))",
    re.IGNORECASE,
)
NAME_LIMIT = 100  # characters that fit on a page and in a file's name
LONGEST = 255  # characters of a name on any file system; a name in an archive can have 65,535

_JUNK = re.compile(
    r"__MACOSX|__pycache__|\..*|~\$.*|Thumbs\.db|desktop\.ini|Icon\r|\$Recycle\.Bin"
    r"|System Volume Information|lost\+found|@eaDir|#recycle|#snapshot|@Recycle|@Recently-Snapshot",
    re.IGNORECASE,
)
# What teachers gave back, which Moodle packs next to what students handed in; it names the plugin of the feedback.
_FEEDBACK = re.compile(r"(?:(?!_assignsubmission_).)+?_\d+_assignfeedback_[a-z]+(?:_.*)?", re.DOTALL)
_MAX_COPIES = 8  # of copies: each adds an ending to the name
# What operating systems, browsers, JupyterLab and platforms add to the name of a file that already exists. No separator
# is read from twice: a name may be nothing else.
_COPY = re.compile(
    r"(?:(?<![ _])[ _]*+\(\d++\)"
    r"|-\d++"
    r"|(?<=\S) \d{1,2}"
    r"|(?<![ _])[ _]*+(?:[-–][ _]*+)?+(?:copy|kopie|copie|copia|cópia|kopia|копия|コピー|副本)"
    r"(?:[ _]*+(?:\d++|\(\d++\)))?)$"
)
_ANY_COPY = re.compile(_COPY.pattern, re.IGNORECASE)
# What they add behind the suffix: Windows, Safari, wget and browsers.
_ENDING = re.compile(r"(?:\.txt|\.download|\.\d{1,2}| ?\(\d{1,2}\)|\.)$")
_COPY_OF = re.compile(r"^(?:copy of|kopie von|copie de|copia de|cópia de)[ _]+")


def is_junk(name: str) -> bool:
    """Whether a system or a program made this file or folder: hidden files, thumbnails, macOS metadata."""
    return _JUNK.fullmatch(name) is not None


def is_feedback(name: str) -> bool:
    """Whether Moodle gave this name to feedback on what a student handed in."""
    return "_assignfeedback_" in name and _FEEDBACK.fullmatch(name) is not None


def suffix(name: str) -> str:
    """The suffix in lower case; two, such as `.tar.gz`, for a packed tar archive."""
    pieces = name.lower().rsplit(".", 2)
    if len(pieces) == 3 and pieces[1] == "tar" and pieces[2] in ("gz", "bz2", "xz", "zst"):
        return f".tar.{pieces[2]}"
    return f".{pieces[-1]}" if len(pieces) > 1 and pieces[-1] else ""


def stem(name: str) -> str:
    """The name without its `suffix`."""
    return name[: len(name) - len(suffix(name))] or name


def is_partial(name: str) -> bool:
    """Whether this is a part of a download that may hold a class, such as `hw3.zip.crdownload` or `hw3.z01`."""
    partial = _PARTIAL.fullmatch(name) if len(name) <= LONGEST else None
    if partial is None:
        return False
    packed = suffix(partial["whole"]) in (*ARCHIVES, *UNREAD)
    return packed or (suffix(partial["whole"]) == "" and not partial["of_archives"])


def alike(name: str, module: str) -> bool:
    """Whether `name` is that of `module`, except for case, separators, a copy's number and endings such as `.txt`.

    Only what systems add on their own is ignored: `my_module.py` is another name.
    """
    if len(name) > LONGEST:
        return False
    name, wanted = _form(name), _form(module)
    name = _COPY_OF.sub("", _ENDING.sub("", name))
    base, dot, end = name.rpartition(".")
    wanted_base, _, wanted_end = wanted.rpartition(".")
    if not dot or end.strip() != wanted_end:
        return False
    wanted_base = _joined(wanted_base)
    if not _joined(base).startswith(wanted_base):
        return False
    for _ in range(_MAX_COPIES):
        if _joined(base) == wanted_base:
            break
        base = _COPY.sub("", base)
    return _joined(base) == wanted_base


def without_copy(name: str) -> str:
    """A name without what is added where one like it exists: `hw3` for `hw3 (1)`, `hw3 - Copy` and `hw3 2`."""
    if len(name) > LONGEST:
        return name
    return re.sub(r"(?<=\S) \d{1,2}$", "", _ANY_COPY.sub("", name))


def _form(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold().strip()


def _joined(base: str) -> str:
    return re.sub(r"[-_ .]+", "_", base.strip())


# What the escapes of `shown` and of a report look like after their first character, and the end of a name that was cut.
_LIKE_ESCAPE = re.compile(r"\\|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}")
_LIKE_CODE_POINT = re.compile(r"U\+[0-9A-F]{4,6}»")
_LIKE_CUT = re.compile(rf".{{{NAME_LIMIT - 10}}}… [0-9a-f]{{8}}", re.DOTALL)


def shown(name: str) -> str:
    """`name` for people to read, with invisible characters escaped; different names stay different.

    So are backticks, which begin and end a name in what is said of it.
    """
    text = name[: NAME_LIMIT + 1]
    if not (text.isascii() and text.isprintable()) or "`" in text or "\\" in text:  # as few are
        text = "".join(_told(letter, text[at + 1 : at + 10]) for at, letter in enumerate(text))
    if len(text) > NAME_LIMIT or _LIKE_CUT.fullmatch(text):
        digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        return f"{text[: NAME_LIMIT - 10]}… {digest}"
    return text


def _told(letter: str, rest: str) -> str:
    """One letter of a name. A backslash is doubled where it would look like the first of an escape."""
    if letter == "\\":
        doubled = _LIKE_ESCAPE.match(rest) or (rest and not _visible(rest[0], rest[1:]))
        return "\\\\" if doubled else "\\"
    return letter if _visible(letter, rest) else _escaped(letter)


def _visible(letter: str, rest: str) -> bool:
    """Whether a letter of a name, before `rest`, is itself in what is shown."""
    if letter in "`«":
        return letter == "«" and not _LIKE_CODE_POINT.match(rest)
    joins = letter in "\u200c\u200d"  # which Persian, Hindi and emoji need
    return joins or unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Cn", "Zl", "Zp")


def _escaped(letter: str) -> str:
    byte = ord(letter) - 0xDC00  # of a file's name that is not UTF-8
    if 0x80 <= byte <= 0xFF:
        return f"\\x{byte:02x}"
    return f"\\u{ord(letter):04x}" if ord(letter) < 0x10000 else f"\\U{ord(letter):08x}"


@dataclass(frozen=True)
class PlatformName:
    """What the name that a platform gave a file says.

    Attributes:
        student: unique for each student of this platform's download.
        name: the person's, as the platform writes it.
        file: the file's name as the student gave it.
        keys: ids of the student by their kinds, see `roster.KEYS`.
        late: whether the platform marks the submission as late; None if it marks nothing.
        attempt: the time of the attempt; empty if the name does not say.
        version: grows with each upload of a file, on platforms that number them.
        assignment: what it was handed in for; empty if the name does not say.
        other: what the name says if it is read in the other way, where there are two.
    """

    student: str
    name: str
    file: str
    keys: Mapping[str, str] = field(default_factory=dict)
    late: bool | None = None
    attempt: str = ""
    version: int | None = None
    assignment: str = ""
    other: PlatformName | None = None


def platform_name(name: str) -> PlatformName | None:
    """What the `name` of a file or folder from one of the `_PLATFORMS` says, or None."""
    return platform_names([name]).get(name)


def platform_names(names: Collection[str], folders: Collection[str] = ()) -> dict[str, PlatformName]:
    """What the names at the top of one download say, of which some are `folders`; those of no platform are left out.

    One platform gives all names of a download: the one that reads most of them. Where several do, it is the one whose
    part of the names ends first, since what follows is the student's own name for a file. What it cannot read was put
    there by somebody, and is read by the next.
    """
    readings = []
    for pattern, read in _PLATFORMS:
        matches = {name: match for name in names if len(name) < 4 * LONGEST and (match := pattern.fullmatch(name))}
        said = {name: read(match) for name, match in matches.items()}
        wrong = _like_canvas(said, folders)
        readings.append({name: (each, _end(matches[name])) for name, each in said.items() if name not in wrong})
    found: dict[str, PlatformName] = {}
    while any(readings):
        best = max(readings, key=lambda each: (len(each), -sum(end for _, end in each.values())))
        found |= {name: said for name, (said, _) in best.items()}
        readings = [{name: each for name, each in some.items() if name not in found} for some in readings]
    return found


def _end(match: re.Match[str]) -> int:
    """Where the student's own name for a file begins."""
    return match.start("file") if match.groupdict().get("file") else match.end()


def _like_canvas(files: Mapping[str, PlatformName], folders: Collection[str]) -> set[str]:
    """Those of the names in one place that only look like Canvas', such as `hw_3_3_ada.py` and `hw_3_3_bob.py`.

    On Canvas, which counts the files of all courses, no two files have the same number, unless somebody has unpacked
    or copied one. It gives names to files alone: several folders for what would be one student are somebody's.
    """
    files = {name: said for name, said in files.items() if said.version is not None}
    owner = {name: said.keys.get("canvas", said.student) for name, said in files.items()}
    called: dict[tuple[str, int | None], list[PlatformName]] = {}
    for name, said in files.items():
        called.setdefault((owner[name], said.version), []).append(said)
    if len(files) > 1 == len({*owner.values()}):
        given = {
            said.file for name, said in files.items() if name in folders or suffix(said.file) in (".py", *ARCHIVES)
        }
        counted = len(given) == len(files) and all((said.version or 0) < 100 for said in files.values())
        if counted or all(name in folders for name in files):
            return {*files}  # one for each person, which somebody numbered from 1
    wrong = {
        who
        for (who, _), several in called.items()
        if len({said.name for said in several}) > 1 or not _copies({said.file for said in several})
    }
    return {name for name in files if owner[name] in wrong}


_SIDE = (".py", ".txt", ".bak", ".orig", *ARCHIVES, *UNREAD)


def _copies(files: set[str]) -> bool:
    """Whether these are one file and what was unpacked from it or copied next to it: `hw3.zip`, `hw3`, `hw3 (1)`."""
    bases = {_without_suffixes(_form(file)) for file in files}
    original = min(bases, key=len)
    return all(_copied(base, original) for base in bases)


def _copied(base: str, original: str) -> bool:
    for _ in range(_MAX_COPIES):
        if base == original or len(base) > LONGEST:
            break
        base = _without_suffixes(without_copy(re.sub(r"(?<=[^ ]) *\([^()]{1,40}\)$", "", base)))
    return base == original


def _without_suffixes(name: str) -> str:
    for _ in range(_MAX_COPIES):
        name = stem(name) if suffix(name) in _SIDE else name
    return name


def _anonymous(match: re.Match[str]) -> PlatformName:
    return _of_canvas(match, f"anon_{match['id']}", f"anon_{match['id']}", {}, "LATE_" in match["before"])


def _canvas(match: re.Match[str]) -> PlatformName:
    """The first two numbers between underscores are the ids, of the student and of the file.

    Canvas leaves no number between underscores in a name, but the name of a group may end in one: `team_1_105_903_`
    is the group `team_1` and its member 105, unless the student is 1 and the file is called `903_…`.
    """
    first = _by_number(match)
    if not match["late"] and (second := _CANVAS_GROUP.fullmatch(match.string)):
        group = _by_number(second)
        if int(match["id"]) < 100 <= int(second["id"]):
            return replace(group, other=first)
        return replace(first, other=group)
    return first


def _by_number(match: re.Match[str]) -> PlatformName:
    student = f"{match['name']}_{match['id']}"
    return _of_canvas(match, student, match["name"], {"canvas": match["id"]}, bool(match.groupdict().get("late")))


def _quiz(match: re.Match[str]) -> PlatformName:
    """A file that answers a question of a quiz: `lovelace_ada123_question_4567_8901_hw3.py`, of the user 123."""
    student, name = f"{match['name']}{match['id']}", match["name"].strip("_").replace("_", " ")
    return _of_canvas(match, student, name or student, {"canvas": match["id"]}, False)


def _of_canvas(match: re.Match[str], student: str, name: str, keys: dict[str, str], late: bool) -> PlatformName:
    """Canvas adds `-1` to the name of a resubmitted file, and numbers all files in the order of upload.

    What a system adds to the name of a copy comes after that: `hw3-1 (1).py`.
    """
    file = match["file"]
    if not match["number"]:
        return PlatformName(student, name, file, keys, late)
    again = re.fullmatch(r"(.+)-\d{1,4}( \d{1,2}| ?\(\d+\))?", stem(file), re.DOTALL)
    file = again[1] + (again[2] or "") + file[len(stem(file)) :] if again else file
    return PlatformName(student, name, file, keys, late, version=int(match["number"]))


def _moodle(match: re.Match[str]) -> PlatformName:
    keys = {"identifier": f"Participant {match['id']}"}
    return PlatformName(f"{match['name']}_{match['id']}", match["name"], match["file"] or "", keys)


def _autolab(match: re.Match[str]) -> PlatformName:
    email = match["student"]
    return PlatformName(email, email, match["file"], {"email": email}, version=int(match["version"]))


def _blackboard(match: re.Match[str]) -> PlatformName:
    day, time = match["time"][:10], match["time"][11:].replace("-", ":")
    title, _, login = match["student"].rpartition("_")
    login = match["student"] if "_" in title else login  # both may hold underscores
    return PlatformName(
        match["student"], match["student"], match["file"] or "", {"login": login}, attempt=f"{day} {time}"
    )


def _brightspace(match: re.Match[str]) -> PlatformName:
    """Of the date, `Nov 30, 2026 1005 AM` or `30 November 2026 10:05`, Brightspace leaves out what Windows forbids.

    It writes dates in the language of who downloads: of months in others than English, the order is not known.
    Before the name may stand the id that the institution gives: `N0123456 - Jane Doe`.
    """
    day, month = re.findall(r"\d+", match["day"])[0], re.findall(r"[^\W\d]+", match["day"])[-1]
    number = next((number for number, name in enumerate(_MONTHS, 1) if month.lower().startswith(name)), None)
    hour, minute, noon = int(match["hour"]), match["minute"], (match["noon"] or "").upper()
    hour = hour % 12 + 12 * (noon == "PM") if noon else hour
    attempt = f"{match['year']}-{number:02}-{int(day):02} {hour:02}:{minute}" if number else match["time"]
    given, separator, name = match["name"].partition(" - ")
    keys = {"id": given} if separator and re.fullmatch(r"(?=\D*\d)\S+", given) else {}
    name = name if keys else match["name"]
    return PlatformName(f"{name}_{match['id']}", name, match["file"] or "", keys, attempt=attempt)


def _exchange(match: re.Match[str]) -> PlatformName:
    student = match["student"]
    return PlatformName(student, student, "", {"id": student}, attempt=match["time"], assignment=match["assignment"])


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# What Blackboard writes in English and in other languages.
ATTEMPT = "attempt|poging|versuch|tentative|tentativa|tentativo|intento|forsøk|försök|forsøg|yritys|próba|deneme"
_WORD = r"[^\x00-,./:-@\[-^`{-\x7f]"  # what Canvas leaves in a name: letters, numbers, underscores; once hyphens too
_BY_CANVAS = r"(?:(?P<number>\d+)_|(?=(?:text|link)\.html\Z))(?P<file>.+)"
_CANVAS_GROUP = re.compile(rf"(?P<name>{_WORD}*?_\d+)_(?P<id>\d+)_{_BY_CANVAS}", re.DOTALL)


def _platform(
    read: Callable[[re.Match[str]], PlatformName], *pattern: str
) -> tuple[re.Pattern[str], Callable[[re.Match[str]], PlatformName]]:
    """A platform's names. What is the platform's own ends as early in a name as the pattern allows."""
    return re.compile("".join(pattern), re.DOTALL | re.IGNORECASE if read is _brightspace else re.DOTALL), read


_PLATFORMS = (
    _platform(
        _exchange,  # student+assignment+time+random
        r"(?P<student>.+?)\+(?P<assignment>[^+]+)\+",
        r"(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? \+?[^+]+)(?:\+.*)?",
    ),
    _platform(_moodle, r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)(?:_(?P<file>.*))?"),
    _platform(
        _blackboard,
        rf"(?P<student>.+?)_(?:{ATTEMPT})_",
        r"(?P<time>\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d)(?:_(?P<file>.+)|\.txt)",
    ),
    _platform(_autolab, r"(?P<student>[^\s@/]+@[^\s@/_]+)_(?P<version>\d{1,9})_(?P<file>.+)"),
    _platform(
        _brightspace,
        r"(?P<id>\d+)-\d+ - (?P<name>.+?) ?- "
        r"(?P<time>(?P<day>[^\W\d]+\.? \d{1,2}|\d{1,2}\.? (?:de )?[^\W\d]+\.?),?(?: de)? (?P<year>\d{4}),? "
        r"(?P<hour>\d{1,2})[ :.h]?(?P<minute>\d\d)(?: (?P<noon>[AP]M))?)(?: - (?P<file>.+))?",
    ),
    _platform(_quiz, rf"(?P<name>[-\w]*?)(?P<id>\d+)_question_\d+_{_BY_CANVAS}"),
    _platform(_canvas, rf"(?P<name>{_WORD}*?)_(?P<late>LATE_)?(?P<id>\d+)_{_BY_CANVAS}"),
    _platform(_anonymous, rf"(?P<before>(?:LATE_)?anon_(?:LATE_)?(?P<id>[A-Za-z0-9]+)_(?:LATE_)?){_BY_CANVAS}"),
)


def path_of(steps: tuple[str, ...]) -> str:
    """The path for people to read."""
    return shown("/".join(steps))
