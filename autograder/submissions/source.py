"""The text of a module, for the pages and comparisons: decoded and split into lines as Python does it."""

import re
import site
import sys
import unicodedata
from collections.abc import Iterator
from functools import cache
from importlib.machinery import PathFinder

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
# A comment, a string, a number, a name, or a sign. Each alternative takes what it can and gives nothing back, and an
# open string ends with the line or the source: the time grows with the length alone. Python's signs are ASCII: a name
# takes all else, for it may have marks and other underscores, which are none of `\w`.
STRING = (
    r"\"{3}(?:[^\"\\]|\\.|\"(?!\"\"))*+(?:\"{3})?"
    r"|'{3}(?:[^'\\]|\\.|'(?!''))*+(?:'{3})?"
    r"|\"(?:[^\"\\\n]|\\.)*+\"?"
    r"|'(?:[^'\\\n]|\\.)*+'?"
)
WORD = r"[^\s\x00-/:-@\[-^`{-\x7f]++"
NUMBER = (  # its dot leads to no attribute
    r"0[xX][0-9a-fA-F_]++|0[bB][01_]++|0[oO][0-7_]++"
    r"|(?:[0-9][0-9_]*+(?:\.[0-9_]*+)?|\.[0-9][0-9_]*+)(?:[eE][-+]?[0-9][0-9_]*+)?[jJ]?"
)
LEXEME = re.compile(rf"#[^\n]*+|{STRING}|(?P<number>{NUMBER})|(?P<word>{WORD})|\.\.\.|\S", re.DOTALL)

# What runs text as code, or leads to what does. `eval` and `compile` do so by their bare names: as attributes they are
# methods of networks and functions of PyTorch.
_BARE = {"eval", "compile"}
_RUN = {
    *(
        "exec",
        "exec_module",
        "load_module",
        "import_module",
        "run_path",
        "run_module",
        "runsource",
        "runcode",
        "runctx",
    ),
    *("builtins", "__builtins__", "f_builtins", "__import__", "__loader__", "__self__", "importlib", "zipimporter"),
    *("FunctionType", "LambdaType", "CodeType", "__code__", "__globals__", "f_globals", "__subclasses__", "meta_path"),
    *("dictConfig", "DictConfigurator", "BaseConfigurator", "CodeGen", "_exec_with_source", "_forward_from_src"),
    *("InteractiveInterpreter", "InteractiveConsole", "CompilationUnit", "fileConfig", "addsitedir", "addpackage"),
    *("Unpickler", "find_class", "dill", "cloudpickle", "shelve", "ctypes", "pythonapi", "cffi"),
    *("ForwardRef", "evaluate_forward_ref", "__annotations__", "__annotate__"),
}
# What may run what a string says, if that names what runs text as code.
_READ = {"pickle", "_pickle", "get_type_hints", "get_annotations", "singledispatch", "singledispatchmethod"}
# What runs text as code unless it is set to this.
_UNLESS = {"weights_only": "True", "allow_pickle": "False", "eval_str": "False"}
# Modules that are named so because they do it, but whose names may stand for something else.
_RUN_MODULES = {
    *("code", "codeop", "imp", "runpy", "marshal", "zipimport", "pkgutil"),
    *("bdb", "pdb", "profile", "cProfile", "trace", "timeit", "doctest", "rlcompleter", "pydoc"),
}
_WRITE = {
    *("open", "fdopen", "FileIO", "NamedTemporaryFile", "mkstemp", "write", "writelines", "write_text", "write_bytes"),
    *("pwrite", "writestr", "writepy", "savetxt", "tofile", "extractall", "unpack_archive", "copyfile", "copyfileobj"),
}
# As the name of an attribute or a parameter that is looked up.
_QUOTED = {"exec", "builtins", "__builtins__", "__import__", "__annotations__", "Unpickler", "ctypes", *_UNLESS}
_LONGEST_NAME = 128  # characters of one that is read as Python does: longer ones take quadratic time
_READABLE = (*sorted(_QUOTED), "eval(", "compile(")  # in a string that is read
# Text that nobody can read may be code that is packed, in base64 or alike: people write few words of this length, but
# for rulers, which have one sign.
_LONG_WORD = re.compile(r"[!-\[\]-~]{40,}+")
_FEWEST_SIGNS = 4  # different ones, in such a word
_MAX_PACKED = 500  # characters of such words in a module's strings
_FORMATS = {"f", "rf", "fr", "t", "rt", "tr"}  # before strings that hold code, in braces
_BINDS = re.compile(r"[ \t]*+=(?!=)")
# A string in which nobody can be wrong about what is code: in no field is a quote, a brace or a comment.
_PLAIN_FIELDS = re.compile(r"(?:[^{}]++|\{\{|\}\}|\{[^{}\"'#\\]*+\})*+")
_FIELD = re.compile(r"\{\{|\{([^{}]*+)")
_WORD = re.compile(WORD)
_FILE = re.compile(r"(?<!\w)(\w++)\.py\b")
_NO_ATTRIBUTE = re.compile(r"(?:\.|(?<!\w)[0-9][0-9_]*+)\.\Z")  # follows: the dot is a number's or an ellipsis'
# What follows the words of an import, on lines that are joined: as far as anybody writes.
_FROM = re.compile(r"(?:[ \t]|\\\n)*+(\w++)(?:[.\w \t]|\\\n){0,200}?(?<!\w)import\b")
_IMPORT = re.compile(r"(?:[^\n;#\\]|\\\n){0,400}+")
_FIRST = re.compile(r"(?:^|,)[\s\\]*+(\w++)")


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
    text = decoded(source)
    imported = [*_imports(text)]
    if runners := [*_runners(text), *(each for each in imported if each[0] in _RUN_MODULES)]:
        name, at = min(runners, key=lambda each: each[1])
        said = "can run text as code"
    elif _writes(text) and (unknown := next(_unprovided(text, imported), None)):
        name, at = unknown
        said = "writes files and imports what may be one of them"
    elif respelled := next(_respelled(text), None):
        name, at = respelled
        line = text.count("\n", 0, at) + 1
        return [
            f"spells `{name[:40]}` with other letters (line {line}): Python reads that name, a search does not find it"
        ]
    elif (packed := _packed(text)) is not None:
        line = text.count("\n", 0, packed) + 1
        return [f"holds text that nobody can read (line {line}): what runs may be more than what pages show"]
    elif len(source) > MAX_BYTES:
        return [f"is longer than {MAX_BYTES >> 10} KiB: what is after that is not shown and was not searched"]
    else:
        return []
    line = text.count("\n", 0, at) + 1
    return [f"{said} (`{name[:40]}`, line {line}): what runs may be more than the text that pages show"]


def _writes(text: str) -> bool:
    """Whether it may write files, one of which it can import then."""
    return any(as_python_reads(lexeme["word"] or "") in _WRITE for lexeme in LEXEME.finditer(text))


def _unprovided(text: str, imported: list[tuple[str, int]]) -> Iterator[tuple[str, int]]:
    """What may be imported from files that the module has written: no package provides it, or it names the file."""
    files = {*_FILE.findall(text)}
    return (each for each in imported if each[0] in files or not _is_installed(each[0]))


def _respelled(text: str) -> Iterator[tuple[str, int]]:
    """The names in plain letters that are written with others, as Linear in 𝖫inear: nobody types those by chance."""
    for lexeme in LEXEME.finditer(text):
        word = lexeme["word"] or ""
        if not word.isascii() and (name := as_python_reads(word)).isascii():
            yield name, lexeme.start()


def _packed(text: str) -> int | None:
    """Where the first string with a long word is, if such words have more characters together than `_MAX_PACKED`."""
    words = [
        (lexeme.start(), len(word))
        for lexeme in LEXEME.finditer(text)
        if lexeme[0][0] in "\"'"
        for word in _LONG_WORD.findall(lexeme[0])
        if len({*word}) >= _FEWEST_SIGNS
    ]
    return words[0][0] if sum(length for _, length in words) > _MAX_PACKED else None


@cache
def _is_installed(name: str) -> bool:
    """Whether a package of this name is there to be imported; nothing of it runs."""
    places = [*site.getsitepackages(), site.getusersitepackages()]
    return name in sys.stdlib_module_names or PathFinder.find_spec(name, places) is not None


def _runners(text: str) -> Iterator[tuple[str, int]]:
    """The names that run text as code, and where they are.

    Comments have none. In strings are none, but in the fields of `f"{…}"`, and in those that something in the text
    reads. Where fields hold quotes, braces or comments, Python's versions disagree about where they end: then a name
    counts wherever it is.
    """
    before, end = "", 0
    reads = any(as_python_reads(lexeme["word"] or "") in _READ for lexeme in LEXEME.finditer(text))
    for lexeme in LEXEME.finditer(text):
        found, start = lexeme[0], lexeme.start()
        if found[0] == "#" or found == "\\":
            continue
        word = as_python_reads(lexeme["word"] or "")
        if word in _RUN or (word in _BARE and before != "."):
            if before not in ("def", "class") and not _BINDS.match(text, lexeme.end()):
                yield word, start
        elif word in _UNLESS and not re.compile(rf"\s*+=\s*+{_UNLESS[word]}\s*+(?:[,)]|\Z)").match(text, lexeme.end()):
            yield word, start
        elif found[0] in "\"'":
            if found.strip("\"'") in _QUOTED:
                yield found.strip("\"'"), start
            if reads:
                yield from ((name.strip("("), start) for name in _READABLE if name in found)
            if start == end and before.lower() in _FORMATS:
                if not _PLAIN_FIELDS.fullmatch(found):
                    yield from _anywhere(text)
                    return
                yield from ((name, start) for name, _ in _runners("\n".join(_FIELD.findall(found))))
        before, end = found, lexeme.end()


def _anywhere(text: str) -> Iterator[tuple[str, int]]:
    """The names that run text as code, in comments and strings, too."""
    for match in _WORD.finditer(text):
        word = as_python_reads(match[0])
        before = text[max(match.start() - 100, 0) : match.start()].rstrip() if word in _BARE else "."
        if word in _RUN or (word in _BARE and (before[-1:] != "." or _NO_ATTRIBUTE.search(before))):
            yield word, match.start()


def _imports(text: str) -> Iterator[tuple[str, int]]:
    """The packages that a source imports, and where."""
    read = 0
    for lexeme in LEXEME.finditer(text):
        if lexeme["word"] == "from" and (match := _FROM.match(text, lexeme.end())):
            yield as_python_reads(match[1]), lexeme.start()
            read = match.end()
        elif lexeme["word"] == "import" and lexeme.end() > read and (match := _IMPORT.match(text, lexeme.end())):
            yield from ((as_python_reads(name), lexeme.start()) for name in _FIRST.findall(match[0]))


def as_python_reads(word: str) -> str:
    """A name as Python reads it (PEP 3131), which takes 𝚎𝚡𝚎𝚌 for exec. What is no name, or a long one, stays."""
    if word.isascii() or len(word) > _LONGEST_NAME or not word.isidentifier():
        return word
    return unicodedata.normalize("NFKC", word)


def number_as_read(word: str) -> str:
    """A number in one spelling: 64 for 0b1000000, 0.5 for 5e-1. What is no number, or a long one, stays."""
    plain = word.replace("_", "")
    if len(plain) > _LONGEST_NAME:
        return word
    for read in (lambda: int(plain, 0), lambda: float(plain), lambda: complex(plain)):
        try:
            return str(read())
        except ValueError:
            continue
    return word


def with_names_as_read(text: str) -> str:
    """A source with each name `as_python_reads` it; comments and strings stay, and so do the lines."""
    return LEXEME.sub(lambda lexeme: as_python_reads(lexeme["word"]) if lexeme["word"] else lexeme[0], text)
