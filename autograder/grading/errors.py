"""What lies behind an error of a submission's own: read off the error and the source, for hints alone.

A verdict never depends on what is read here; of a source that cannot be read within the limits, nothing is known.
"""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from autograder.assignment import Assignment
from autograder.grading import hints
from autograder.sandbox.client import Raised, SubmissionError, Unfit
from autograder.sandbox.outline import Definition, Outline

# What Python, torch and the worker say, and the name of the mistake behind it; the first that is found counts.
_USUAL_CAUSES = [
    (r"^(SyntaxError|IndentationError|TabError)", "syntax"),
    (r"^(ModuleNotFoundError|ImportError)", "import-missing"),
    (r"^SystemExit", "exit-called"),
    (r"^RecursionError", "endless-recursion"),
    (r"^MemoryError|can't allocate memory", "memory"),
    (r"before Module\.__init__\(\) call|must call super\(\)\.__init__", "super-init-missing"),
    (r"must be a torch\.nn\.Module", "not-a-module"),
    (r'which cannot be called|is missing the required "forward"', "not-callable"),  # nn.ModuleList has no forward
    (r"^(NameError|UnboundLocalError)", "name-undefined"),
    (r"NVIDIA driver|No CUDA GPUs|not compiled with CUDA|not linked with support for mps", "no-gpu-here"),
    (r"^(EOFError|FileNotFoundError|PermissionError|OSError|URLError|gaierror|Connection\w*Error)|urlopen error"
     r"|Dataset not found", "nothing-outside"),
    (r"call numpy\(\) on Tensor", "numpy-for-torch"),
    (r"in-place operation|in-place on|requires grad is being used in an in-place", "in-place"),
    (r"shapes cannot be multiplied|size of tensor a|Sizes of tensors must match|same number of dimensions|same size"
     r"|must match the size|Dimension out of range|is invalid for input of size|shape mismatch", "sizes-do-not-fit"),
    (r"must have the same dtype|expected (?:scalar type|m1 and m2)|Found dtype", "precision-mixed"),
    (r"converted to Scalar|only one element tensors|only integer tensors of a single element", "tensor-as-number"),
    (r"is an UninitializedParameter", "lazy-layer"),
    (r"(it|value \d) is None where a tensor", "nothing-returned"),
    (r"`forward` returned the wrong thing: it is an? ", "wrong-number-of-results"),
    (r"(it|value \d) is an? \S+ where a tensor", "no-tensor-returned"),
    (r"must return three tensors|it returned an? \S+ of \d+ values", "wrong-number-of-results"),
    (r"^AttributeError", "attribute-undefined"),
    (r"^(TypeError|ValueError|IndexError|KeyError|RuntimeError)", "wrong-call"),
]  # fmt: skip


@dataclass(frozen=True)
class Cause:
    """What a student reads about an error: the message, and the mistake behind it where it is known."""

    message: str
    misconception: str | None = None
    hint: str = ""

    def text(self, assignment: Assignment) -> str:
        """What the student should read beside the message."""
        named = hints.hint(assignment, self.misconception) if self.misconception else ""
        return "\n".join(filter(None, (named, self.hint)))


def explain(error: SubmissionError, outline: Outline, assignment: Assignment) -> Cause:
    """The cause of an error that the submission with this outline met with."""
    said = str(error)
    if isinstance(error, Raised) and error.kind == "NotImplementedError" and 'the required "forward"' not in error.text:
        return Cause("Not written yet: this still raises NotImplementedError.", None, error.text)
    if not isinstance(error, (Raised, Unfit)):
        line = outline.loop_at_import if said.startswith("importing the module") else None
        return Cause(said, None, _WORK.format(line=line) if line else "")
    if found := re.search(r"^`(\w+)` is missing: the module|^the model has no `(\w+)`", said):
        return _missing(said, found[1], found[2], outline, assignment)
    if isinstance(error, Raised):
        if error.kind == "SyntaxError" and re.match(r"[%!]", error.code):
            return Cause(said, "notebook-command")
        called = re.match(r"(?:\w+\.)?(\w+)\(\) (?:takes|missing|got)", error.text)
        by_the_grader = error.kind == "TypeError" and error.line is None  # else a call of the submission's own is wrong
        if by_the_grader and called and (function := _called(outline, called[1], assignment)):
            return Cause(f"{said}. It is written as `{function.signature}`.", _wrong_signature(function))
        if error.kind == "TypeError" and "__init__() takes 1 positional argument but" in error.text:
            return Cause(f"{said}. The class has no method `__init__` of its own.", "wrong-parameters")
        unwritten = re.search(r'Module \[(\w+)\] is missing the required "forward"', error.text)
        if unwritten and (methods := {each.name for each in outline.functions(unwritten[1])}):
            near = _nearest("forward", methods)
            return Cause(
                f"The class {unwritten[1]} has no method `forward`" + (f"; it has `{near}`." if near else "."),
                "forward-missing",
            )
    causes = (name for pattern, name in (*_causes(assignment), *_USUAL_CAUSES) if re.search(pattern, said))
    return Cause(said, next(causes, None))


def _causes(assignment: Assignment) -> Iterable[tuple[str, str]]:
    """The assignment's own patterns."""
    return getattr(assignment.piece("hints.bank"), "CAUSES", ())


_WORK = (
    "Importing the module runs the loop in line {line}, each time anew: a module holds definitions, training belongs "
    'in the notebook or below `if __name__ == "__main__":`.'
)


def note_on_work(outline: Outline) -> str | None:
    """What to say of a module that does more than define things when it is imported; None where it does not."""
    line = outline.loop_at_import
    return None if line is None else _WORK.format(line=line)


def _missing(said: str, name: str | None, attribute: str | None, outline: Outline, assignment: Assignment) -> Cause:
    """A definition of the module, or an attribute of the model, that is not there: what there is instead."""
    if attribute is not None:
        near = _nearest(attribute, set(outline.stored) - (set(assignment.interface) - {attribute}))
        return Cause(said + (f"; there is `self.{near}`." if near else "."), "attribute-missing")
    assert name is not None
    if name in {each.name for each in outline.methods()}:
        return Cause(f"`{name}` is missing from the module: it is defined inside a class.", "definition-in-class")
    kind = "class" if name in _classes(assignment) else "function"
    own = {each.name for each in outline.definitions if len(each.place) == 1 and each.kind == kind}
    others = own - {each.place[0] for each in assignment.parts}
    near = _nearest(name, others) or (others.pop() if len(others) == 1 else None)
    return Cause(said + (f"; it defines `{near}`." if near else "."), "definition-missing")


def _nearest(name: str, others: set[str]) -> str | None:
    """The name among `others` that is most like `name`, capitals and underscores aside."""
    plain = {other.lower().replace("_", ""): other for other in sorted(others)}
    found = difflib.get_close_matches(name.lower().replace("_", ""), plain, n=1, cutoff=0.55)
    return plain[found[0]] if found else None


def _classes(assignment: Assignment) -> set[str]:
    """The classes that the module must define."""
    return {part.place[0] for part in assignment.parts if len(part.place) == 2}


def _called(outline: Outline, name: str, assignment: Assignment) -> Definition | None:
    """The function or method of this name as the source defines it, if it is one that the grader calls."""
    found = (outline.find(part.place) for part in assignment.parts if part.place and part.place[-1] == name)
    return next((each for each in found if each and each.kind == "function"), None)


def _wrong_signature(function: Definition) -> str:
    first, is_method = next(iter(function.parameters), ""), len(function.place) > 1
    if is_method and not function.decorated and first not in ("self", "this", "s", "cls", "_"):
        return "self-missing"
    if not is_method and first == "self":
        return "self-superfluous"
    return "wrong-parameters"
