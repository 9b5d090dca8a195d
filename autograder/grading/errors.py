"""What lies behind an error of a submission's own: read off its code, or what Python and torch say, and the source.

A verdict never depends on what is read here; of a source that cannot be read within the limits, nothing is known.
"""

import difflib
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field

from autograder.assignment import Assignment, Part
from autograder.grading import hints
from autograder.report.model import Hint, Outcome
from autograder.report.summary import listed
from autograder.sandbox.errors import Raised, SubmissionError, TimedOut, Unfit
from autograder.sandbox.outline import Definition, Outline
from autograder.sandbox.protocol import NEWER_TYPING

# The mistakes behind the codes of `Unfit`, where they are known.
_MISTAKES = {
    "definition-missing": "definition-missing",
    "attribute-missing": "attribute-missing",
    "attribute-none": "attribute-none",
    "not-a-module": "not-a-module",
    "super-init-missing": "super-init-missing",
    "not-callable": "not-callable",
    "too-many-results": "wrong-number-of-results",
    "result-count": "wrong-number-of-results",
    "not-a-tensor": "no-tensor-returned",
    "wrong-rows": "wrong-shape",
    "no-numbers": "wrong-shape",
}
# What is said where Python gets no text out of the file's bytes, or meets a character that no code has.
_UNREAD = (
    (
        r"saved as UTF-|'(?!unicodeescape)[\w-]+' codec can't decode|unknown encoding|encoding problem"
        r"|not a text encoding|codec failed",
        "encoding",
    ),
    (r"null byte", "null-byte"),
    (r"the file is .*, not Python$", "another-format"),
    (r"invalid (?:non-printable )?character", "invalid-character"),
)
# What is asked of tensors, and of no layer.
_OF_TENSORS = "view|reshape|shape|size|dim|flatten|exp|log|pow|mul|add|sum|mean|detach|unsqueeze|squeeze|clamp"
# Names of torch's layers, as its messages say them.
_LAYER = (
    r"(?:Linear|Sequential|Identity|Flatten|Embedding|Softplus|Softsign|Softmax|Mish|Tanh|Module(?:List|Dict)"
    r"|\w*(?:ReLU|ELU|SiLU|[Ss]wish|[Ss]igmoid|Dropout|Norm)(?:\dd)?)"
)
_NO_HASH = r"unhashable type: '(?!(?:list|dict|set|slice|bytearray)')"  # which Python's own types never get
# What Python and torch say, and the name of the mistake behind it; the first that is found counts.
_USUAL_CAUSES = (
    *((f"^SyntaxError: .*(?:{pattern})", name) for pattern, name in _UNREAD),
    (r"^SyntaxError", "syntax"),
    (r"^(IndentationError|TabError)", "indentation"),
    (r"^(ModuleNotFoundError|ImportError)", "import-missing"),
    (r"^SystemExit", "exit-called"),
    (r"^RecursionError", "endless-recursion"),
    (r"^MemoryError|can't allocate memory", "memory"),
    (r"before Module\.__init__\(\) call", "super-init-missing"),
    (r'is missing the required "forward"', "not-callable"),  # nn.ModuleList has no forward
    (_NO_HASH, "hash-lost"),
    (r"^(NameError|UnboundLocalError)", "name-undefined"),
    (r"NVIDIA driver|No CUDA GPUs|Torch not compiled with|not linked with support for|\bCUDA error"
     r"|arguments from the '(?!\w*CPU|Meta)\w+' backend", "no-gpu-here"),
    (r"^RuntimeError: .*\b[Dd]evice (?:string|index)\b", "no-such-device"),
    (r"^(EOFError|FileNotFoundError|PermissionError|OSError|URLError|gaierror|Connection\w*Error)|urlopen error"
     r"|Dataset not found", "nothing-outside"),
    (r"call numpy\(\) on Tensor", "numpy-for-torch"),
    (r"in-?place operation|in-place on|requires grad is being used in an in-place", "in-place"),
    (r"must match except in dimension 0", "joined-along"),
    (r"mat1 and mat2 shapes cannot be multiplied", "row-length"),
    (r"shapes cannot be multiplied|size of tensor a|Sizes of tensors must match|same number of dimensions|same size"
     r"|must match the size|Dimension out of range|is invalid for input of size|shape mismatch", "sizes-do-not-fit"),
    (r"must have the same dtype|expected (?:scalar type|m1 and m2)|Found dtype", "precision-mixed"),
    (r"to be within the support", "value-outside-support"),
    (r"converted to Scalar|only one element tensors|only integer tensors of a single element", "tensor-as-number"),
    (r"Boolean value of Tensor with more than one value", "tensor-as-condition"),
    (r"^KeyError|^IndexError: .*out of (?:range|bounds)", "no-such-element"),
    (r"object is not callable", "not-callable"),
    (r"is an UninitializedParameter", "lazy-layer"),
    (r"is not a Module subclass", "no-layer-there"),
    (rf"^TypeError: (?:{_LAYER}\.__init__\(\) takes 1 positional argument but"
     rf"|.*must be (?:Tensor|tuple of Tensors), not {_LAYER}\b|expected Tensor .*but got {_LAYER}\b"
     rf"|unsupported operand type.*'{_LAYER}'|.*- got \([^()]*\b{_LAYER}\b)"
     rf"|^AttributeError: '{_LAYER}' object has no attribute '(?:{_OF_TENSORS})'", "layer-not-applied"),
    (r"^AttributeError: module '[\w.]+' has no attribute", "not-in-library"),
    (r"^AttributeError", "attribute-undefined"),
    (r"^AssertionError", "assertion"),
    (r"values to unpack", "unpacking"),
    (r"^(TypeError|ValueError|IndexError|KeyError|RuntimeError)", "wrong-call"),
)  # fmt: skip


_PYTHON = ".".join(map(str, sys.version_info[:2]))
# Syntax errors that no other Python takes for anything else.
_IN_EVERY_PYTHON = re.compile(
    r"was never closed|^expected ':'|indent|does not match opening|cannot assign to|triple-quoted|Missing par"
)


@dataclass(frozen=True)
class Cause:
    """What a student reads about an error: the message, and the mistakes behind it, where they are known."""

    message: str
    misconceptions: list[str] = field(default_factory=list)
    outcome: Outcome = Outcome.ERROR

    def hints(self, assignment: Assignment) -> list[Hint]:
        """What the student should read next to the message."""
        return [hints.hint(assignment, name) for name in self.misconceptions]


def explain(error: SubmissionError, outline: Outline, assignment: Assignment) -> Cause:
    """The cause of an error that the submission with this outline met with."""
    match error:
        case Raised(not_written=True):
            return _of_stub(error, outline, assignment)
        case Raised():
            return _of_exception(error, outline, assignment)
        case Unfit():
            message, mistake = _of_unfit(error, outline, assignment)
            return Cause(message, [mistake] if mistake else [], Outcome.FAILED)
        case _:
            line = outline.loop_at_import if error.fields.get("during") == "load" else None
            message = f"{error} {_WORK.format(line=line)}" if line else str(error)
            return Cause(message, outcome=Outcome.TIMEOUT if isinstance(error, TimedOut) else Outcome.ERROR)


def _of_stub(error: Raised, outline: Outline, assignment: Assignment) -> Cause:
    """What to say of a `raise` of the fill-in that is left, and of code of the student's that may be in its place."""
    said, mistakes = _in_place_of_stub(error.line, outline, assignment)
    message = f"Not written yet: line {error.line} still raises NotImplementedError. {error.text}".strip()
    return Cause(f"{message} {said}".strip(), mistakes, Outcome.NOT_WRITTEN)


def _in_place_of_stub(line: int | None, outline: Outline, assignment: Assignment) -> tuple[str, list[str]]:
    """Where there is code in place of the `raise` in this line, in words, and what mistake that is; empty for none."""
    before, after = next(((before, after) for at, before, after in outline.stubs if at == line), (0, 0))
    if after:
        return f"Your code below it, from line {after}, never runs. If that is all of it, delete line {line}.", []
    stub = outline.around(line)
    if stub is None:
        return "", []
    if before and not stub.name.startswith("__"):
        return f"It comes after your code: if that is all of it, line {line} must be a `return` of your result.", []
    same_name = [each for each in outline.definitions if each.name == stub.name and each.line != stub.line]
    if again := next((each for each in same_name if each.place == stub.place), None):
        return f"Your file defines `{stub.name}` in line {again.line} too. Python uses the last definition only.", []
    if same_name and len(stub.place) == 1:
        said = f"Line {same_name[0].line} defines another `{stub.name}`, inside `{same_name[0].place[0]}`."
        return said, ["definition-in-class"]
    if same_name:
        return f"Line {same_name[0].line} defines another `{stub.name}`, outside of `{stub.place[0]}`.", []
    siblings = {each.name for each in outline.definitions if each.place[:-1] == stub.place[:-1]}
    others = siblings - {name for part in assignment.parts for name in part.place} - {stub.name}
    near = _nearest(stub.name, others, 0.8)
    return (f"There is `{near}` in your file: is that a misspelling of `{stub.name}`?" if near else ""), []


def _of_exception(error: Raised, outline: Outline, assignment: Assignment) -> Cause:
    if error.kind == "SyntaxError" and error.statement.startswith(("%", "!")):
        return Cause(str(error), ["notebook-command"])
    if error.kind == "SyntaxError" and re.match(r"(<{7}|={7}|>{7})( |$)", error.statement):
        return Cause(str(error), ["merge-conflict"])
    unread = [name for pattern, name in _UNREAD if re.search(pattern, error.text)]
    if error.kind == "SyntaxError" and unread:
        return Cause(f"{error}.", unread[:1])
    if error.kind == "SyntaxError" and _IN_EVERY_PYTHON.search(error.text):
        return Cause(str(error), ["syntax"])
    if error.kind == "SyntaxError":  # what is right in a newer Python looks like a mistake in this one
        said = f"{error}. Grading uses Python {_PYTHON}. Syntax that needs a newer Python does not work."
        return Cause(said, ["syntax"])
    called = re.match(r"(?:\w+\.)*?(?:(\w+)\.)?(\w+)\(\) (?:takes|missing|got)", error.text)
    by_the_grader = error.kind == "TypeError" and error.line is None  # else a call of the submission's own is wrong
    if by_the_grader and called and (function := _called(outline, called[1], called[2], assignment)):
        said = f"{error}. Your code has `{function.signature}`{', below a decorator' if function.decorated else ''}."
        return Cause(said, [_wrong_signature(function)])
    built = re.search(r"(\w+)\.__init__\(\) takes 1 positional argument but", error.text)
    if error.kind == "TypeError" and built and built[1] in _classes(assignment):
        return Cause(f"{error}. Your class does not define `__init__`.", ["wrong-parameters"])
    unwritten = re.search(r'Module \[(\w+)\] is missing the required "forward"', error.text)
    if unwritten and (methods := {each.name for each in outline.functions(unwritten[1])}):
        return Cause(*_without_forward(unwritten[1], methods, outline))
    found = (name for pattern, name in patterns(assignment) if re.search(pattern, error.said))
    names = [closer(name, error.statement, assignment) for name in found if hints.holds(assignment, name, outline)][:1]
    if (error.own or re.match(r"raise\b", error.statement)) and error.kind != "SystemExit":
        return _of_own_check(error, names, outline)
    if names == ["assertion"] and not re.match(r"assert\b", error.statement):  # a library's, which says why
        names = []
    if names == ["assertion"] and re.search(r"\b(cuda|mps)\b", error.statement):
        names = ["no-gpu-here"]
    unknown = re.search(r"^(?:'(\w+)' object has no attribute|name) '(\w+)'", error.text)
    if unknown and (lost := _lost(unknown[2], outline, unknown[1])):
        return Cause(f"{error}; {lost}", names)
    lacking = re.search(r"^'\w+' object has no attribute '(\w+)'", error.text)
    if lacking and error.kind == "AttributeError" and (outside := outline.find((lacking[1],))):
        return Cause(f"{error}. Line {outside.line} defines `{outside.name}`, outside of any class.", names)
    an_import = re.match(r"(?:import|from) +(\w+)", error.statement)
    if an_import and names == ["import-missing"] and an_import[1] in sys.stdlib_module_names:
        return Cause(f"{error}. Grading uses Python {_PYTHON}, which has no such name.", names)
    if an_import or not (error.at_import and outline.runs_at_import(error.line)):
        lengths = re.search(r"mat1 and mat2 shapes cannot be multiplied \(\d+x(\d+) and (\d+)x", error.text)
        said = f". Each row has {lengths[1]} numbers, and {lengths[2]} are needed." if lengths else ""
        return Cause(f"{error}{said}", names)
    tries_out = not {each.name for each in outline.definitions}.isdisjoint(re.findall(r"\w+", error.statement))
    said = f"{error}. {_TRIED.format(line=error.line)}"
    return Cause(said, [] if tries_out and names == ["wrong-call"] else names)  # to move the call is enough


def _lost(name: str, outline: Outline, owner: str | None) -> str:
    """Where the constructor of a class, or of any, sets a local variable of this name, in words; empty if none does."""
    lines = (line for each, other, line in outline.variables if other == name and owner in (None, each))
    line = next(lines, None)
    return f"line {line} makes a local variable `{name}`, without `self.`, which is lost." if line else ""


def _of_own_check(error: Raised, names: list[str], outline: Outline) -> Cause:
    """What to say of a `raise` or an `assert` of the student's, whose message says why: on which arguments it stops."""
    said = str(error)
    if error.at_import and outline.runs_at_import(error.line):
        return Cause(f"{said}. {_TRIED.format(line=error.line)}")
    if not error.condition:
        return Cause(said)
    if not error.condition.startswith("assert"):
        said += f", under `{error.condition}`"
    said += f". There, {error.given}." if error.given else ""
    return Cause(said, ["no-gpu-here" if re.search(r"\b(?:cuda|mps)\b", error.condition) else "assertion"])


def _without_forward(owner: str, methods: set[str], outline: Outline) -> tuple[str, list[str]]:
    said = f"The class `{owner}` has no method `forward`"
    for each in reversed(outline.definitions):
        within = each.place[1:-1] if each.place[0] == owner else ()
        if each.name == "forward" and (within or len(each.place) == 1):
            place = f"inside `{within[-1]}`" if within else "outside of it"
            return f"{said}; line {each.line} defines `forward` {place}.", ["method-outside-class"]
    near = _nearest("forward", methods)
    return said + (f"; it has `{near}`." if near else "."), ["forward-missing"]


def about_comma(message: str, outline: Outline) -> str | None:
    """What to say of a message about a tuple where a comma at the end of a line makes one; None of any other."""
    if not outline.tuples or not re.search(r"\btuple\b(?! of (?!one\b))|multiply sequence", message):
        return None
    lines = [str(line) for line in outline.tuples[:5]]
    return f"{f'Line {lines[0]} ends' if len(lines) == 1 else f'Lines {listed(lines)} end'} with a comma."


def about_unused(part: Part, outline: Outline) -> str | None:
    """What to say of results that the code of a part computes and does not use; None where there are none."""
    place = outline.place_of(part.place, part.name)
    makers = set(outline.made_by(place[0], part.attributes or (part.name,))) if len(place) > 1 else set()
    own = [
        (line, text)
        for line, text in outline.unused
        if (around := outline.around(line)) and (around.place[: len(place)] == place or makers & {*around.place})
    ]
    return " ".join(f"Nothing uses the result of `{text}` in line {line}." for line, text in own[:3]) or None


def patterns(assignment: Assignment) -> list[tuple[str, str]]:
    """What Python and torch say, and the name of the mistake behind it: the first that is found counts."""
    return [*_causes(assignment), *_USUAL_CAUSES]


def closer(name: str, statement: str, assignment: Assignment) -> str:
    """The name of a mistake, or of the one that the assignment has for it where it happens in such a statement."""
    found = getattr(assignment.piece("hints.bank"), "CLOSER", ())
    return next((other for usual, pattern, other in found if usual == name and re.search(pattern, statement)), name)


def _of_unfit(error: Unfit, outline: Outline, assignment: Assignment) -> tuple[str, str | None]:
    """The message, and the mistake."""
    message, name, owner = str(error).removesuffix("."), str(error.fields.get("name")), str(error.fields.get("owner"))
    match error.code:
        case "definition-missing" if name in {each.name for each in outline.methods()}:
            return f"{message}; it is defined inside a class.", "definition-in-class"
        case "definition-missing":
            kind = "class" if name in _classes(assignment) else "function"
            own = {each.name for each in outline.definitions if len(each.place) == 1 and each.kind == kind}
            others = own - {part.place[0] for part in assignment.parts}
            near = _nearest(name, others) or (others.pop() if len(others) == 1 else None)
            return f"{message}; it defines `{near}`." if near else f"{message}.", "definition-missing"
        case "attribute-missing" | "attribute-none" if finds := outline.find(
            (str(error.fields["owner"]), "__getattr__")
        ):
            return f"{message}. Line {finds.line} defines `__getattr__`, through which PyTorch finds its layers.", None
        case "attribute-missing" if lost := _lost(name, outline, owner):
            return f"{message}; {lost}", "attribute-missing"
        case "attribute-missing":
            near = _nearest(name, outline.stored_in(owner) - set(assignment.interface))
            return f"{message}; there is `self.{near}`." if near else f"{message}.", "attribute-missing"
        case "method-fails":
            return str(error), "hash-lost" if re.search(_NO_HASH, str(error)) else "method-replaced"
        case "not-a-tensor" | "result-count" if error.fields["kind"] == "None":
            return str(error), "nothing-returned"
        case "result-count" | "too-many-results" if _collection_for_one(error):
            return str(error), "collection-returned"
        case code:
            return str(error), _MISTAKES.get(code)


def _collection_for_one(error: Unfit) -> bool:
    return error.fields.get("expected") == 1 and error.fields.get("kind") in ("tuple", "list", "dict")


def _causes(assignment: Assignment) -> Iterable[tuple[str, str]]:
    """The assignment's own patterns."""
    return getattr(assignment.piece("hints.bank"), "CAUSES", ())


_WORK = (
    "Importing your module runs the loop in line {line}, every time. A module holds only definitions: delete this "
    "loop, or the call that runs it, or move it to the notebook."
)

_TRIED = (
    "Line {line} runs when your file is imported. Code that only tries out your functions belongs in the notebook, or "
    'under `if __name__ == "__main__"`.'
)


def note_on_work(outline: Outline) -> str | None:
    """What to say of a module that does more than define things when it is imported; None where it does not."""
    line = outline.loop_at_import
    return None if line is None else _WORK.format(line=line)


def note_on_notebook(line: int | None) -> str | None:
    """What to say of a module whose line needs a notebook; None where there is no such line."""
    if line is None:
        return None
    return (
        f"Line {line} works in a notebook only, so grading passes over such lines. Outside of a notebook, Python stops "
        "there. Move the line to the notebook, or delete it. No points are taken for this."
    )


def note_on_newer(names: dict[str, int]) -> str | None:
    """What to say of names that only newer Pythons have in `typing`, each with its line; None where there are none."""
    if not names:
        return None
    name, line = next(iter(names.items()))
    since = NEWER_TYPING[name]
    return (
        f"Line {line} takes `{name}` from `typing`, which has it since Python {since}. Grading uses Python {_PYTHON}, "
        f"and provides it for your module. On any other Python before {since}, your module would stop there. No points "
        "are taken for this."
    )


def _nearest(name: str, others: set[str], likeness: float = 0.55) -> str | None:
    """The name among `others` that is most like `name`, capitals and underscores aside, and at least so much."""
    plain = {other.lower().replace("_", ""): other for other in sorted(others)}
    found = difflib.get_close_matches(name.lower().replace("_", ""), plain, n=1, cutoff=likeness)
    return plain[found[0]] if found else None


def _classes(assignment: Assignment) -> set[str]:
    """The classes that the module must define."""
    return {part.place[0] for part in assignment.parts if len(part.place) == 2}


def _called(outline: Outline, owner: str | None, name: str, assignment: Assignment) -> Definition | None:
    """The function or method of this name as the source defines it, if it is one that the grader calls.

    `owner` is what a message says before the name: the class, for a method.
    """
    places = [part.place for part in assignment.parts if part.place and part.place[-1] == name]
    found = (outline.find(place) for place in places if owner is None or place[-2:-1] in ((), (owner,)))
    return next((each for each in found if each and each.kind == "function"), None)


def _wrong_signature(function: Definition) -> str:
    first, is_method = next(iter(function.parameters), ""), len(function.place) > 1
    if is_method and not function.decorated and first not in ("self", "this", "s", "cls", "_"):
        return "self-missing"
    if not is_method and first == "self":
        return "self-superfluous"
    return "wrong-parameters"
