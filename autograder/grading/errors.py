"""What lies behind an error of a submission's own: read off the error and the source, for hints alone.

A verdict never depends on what is read here; the source is a stranger's, so that reading it may fail.
"""

import ast
import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from autograder.assignment import Assignment
from autograder.grading import hints
from autograder.sandbox.client import Raised, SubmissionError, Unfit

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


def explain(error: SubmissionError, source: bytes, assignment: Assignment) -> Cause:
    """The cause of an error that the submission with this source met with."""
    said = str(error)
    if isinstance(error, Raised) and error.kind == "NotImplementedError" and 'the required "forward"' not in error.text:
        return Cause("Not written yet: this still raises NotImplementedError.", None, error.text)
    tree = _parsed(source)
    if not isinstance(error, (Raised, Unfit)):
        line = work_at_import(source) if said.startswith("importing the module") else None
        return Cause(said, None, _WORK.format(line=line) if line else "")
    if found := re.search(r"^`(\w+)` is missing: the module|^the model has no `(\w+)`", said):
        return _missing(said, found[1], found[2], tree, assignment)
    if isinstance(error, Raised):
        if error.kind == "SyntaxError" and re.match(r"[%!]", error.code):
            return Cause(said, "notebook-command")
        called = re.match(r"(?:\w+\.)?(\w+)\(\) (?:takes|missing|got)", error.text)
        by_the_grader = error.kind == "TypeError" and error.line is None  # else a call of the submission's own is wrong
        if by_the_grader and called and (function := _defined(tree, called[1], assignment)):
            return Cause(f"{said}. It is written as `{function.text}`.", _wrong_signature(function))
        if error.kind == "TypeError" and "__init__() takes 1 positional argument but" in error.text:
            return Cause(f"{said}. The class has no method `__init__` of its own.", "wrong-parameters")
        unwritten = re.search(r'Module \[(\w+)\] is missing the required "forward"', error.text)
        if unwritten and (methods := _methods(tree, unwritten[1])):
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


def _parsed(source: bytes) -> ast.Module:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module([], [])


_WORK = (
    "Importing the module runs the loop in line {line}, each time anew: a module holds definitions, training belongs "
    'in the notebook or below `if __name__ == "__main__":`.'
)


def note_on_work(source: bytes) -> str | None:
    """What to say of a module that does more than define things when it is imported; None where it does not."""
    line = work_at_import(source)
    return None if line is None else _WORK.format(line=line)


def work_at_import(source: bytes) -> int | None:
    """The line of the first loop that runs when the module is imported, in blocks that are no definitions, too."""
    todo: list[ast.AST] = list(_parsed(source).body)
    while todo:
        node = todo.pop(0)
        if isinstance(node, (ast.For, ast.While)):
            return node.lineno
        if isinstance(node, (ast.With, ast.Try)) or (
            isinstance(node, ast.If) and "__main__" not in ast.unparse(node.test)
        ):
            todo = [*node.body, *todo]
    return None


def _missing(said: str, name: str | None, attribute: str | None, tree: ast.Module, assignment: Assignment) -> Cause:
    """A definition of the module, or an attribute of the model, that is not there: what there is instead."""
    if attribute is not None:
        stored = {
            node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
        }
        near = _nearest(attribute, stored - (set(assignment.interface) - {attribute}))
        return Cause(said + (f"; there is `self.{near}`." if near else "."), "attribute-missing")
    assert name is not None
    if name in _methods(tree):
        return Cause(f"`{name}` is missing from the module: it is defined inside a class.", "definition-in-class")
    kind = ast.ClassDef if name in _classes(assignment) else ast.FunctionDef
    others = {node.name for node in tree.body if isinstance(node, kind)} - {each.place[0] for each in assignment.parts}
    near = _nearest(name, others) or (others.pop() if len(others) == 1 else None)
    return Cause(said + (f"; it defines `{near}`." if near else "."), "definition-missing")


def _methods(tree: ast.Module, owner: str | None = None) -> set[str]:
    """The methods of the class of this name, or of all classes."""
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and owner in (None, node.name)]
    return {node.name for each in classes for node in each.body if isinstance(node, ast.FunctionDef)}


def _nearest(name: str, others: set[str]) -> str | None:
    """The name among `others` that is most like `name`, capitals and underscores aside."""
    plain = {other.lower().replace("_", ""): other for other in sorted(others)}
    found = difflib.get_close_matches(name.lower().replace("_", ""), plain, n=1, cutoff=0.55)
    return plain[found[0]] if found else None


@dataclass(frozen=True)
class _Function:
    text: str
    parameters: list[str]
    method: bool
    static: bool


def _classes(assignment: Assignment) -> set[str]:
    """The classes that the module must define."""
    return {part.place[0] for part in assignment.parts if len(part.place) == 2}


def _defined(tree: ast.Module, name: str, assignment: Assignment) -> _Function | None:
    """The function or method of this name as the source defines it, if it is one that the grader calls."""
    if name not in {part.place[-1] for part in assignment.parts}:
        return None
    for owner in ast.walk(tree):
        if not isinstance(owner, (ast.ClassDef, ast.Module)) or (
            name == "__init__" and getattr(owner, "name", "") not in _classes(assignment)
        ):
            continue
        for node in owner.body:
            if isinstance(node, ast.FunctionDef) and node.name == name:
                parameters = [each.arg for each in (*node.args.posonlyargs, *node.args.args)]
                text = f"def {name}({ast.unparse(node.args)[:150]})"
                return _Function(text, parameters, isinstance(owner, ast.ClassDef), bool(node.decorator_list))
    return None


def _wrong_signature(function: _Function) -> str:
    first = function.parameters[0] if function.parameters else ""
    if function.method and not function.static and first not in ("self", "this", "s", "cls", "_"):
        return "self-missing"
    if not function.method and first == "self":
        return "self-superfluous"
    return "wrong-parameters"
