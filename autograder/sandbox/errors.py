"""Errors of a submission: codes with fields, and the texts written from them."""

from __future__ import annotations

import re
from typing import ClassVar

from autograder.sandbox.limits import LIMITS

MAX_NAME, MAX_TEXT = 200, 1500  # characters of a field
MAX_READ, MAX_VALUES = 100_000, 60  # characters of a text that are looked at, and that numbers in brackets may take
# Numbers in brackets, as tensors, arrays and lists are printed, to their end or where they were cut.
_VALUES = re.compile(r"\[(?:[\[\],\s]|[-+]?(?:\d[\d.]*(?:e[-+]?\d+)?|nan|inf|True|False)|\.\.\.)++")

# What is missing or wrong in the submission's answer, by code.
_UNFIT = {
    "definition-missing": "Your module does not define `{name}`.",
    "attribute-missing": "Your `{owner}` has no attribute `{name}`.",
    "attribute-none": "The attribute `{name}` of your `{owner}` is None.",
    "not-a-class": "`{name}` must be a class.",
    "not-a-module": "Your `{owner}` must be a subclass of `torch.nn.Module`.",
    "super-init-missing": "The constructor of `{owner}` must call `super().__init__()` before anything else.",
    "not-callable": "`{name}` is {kind}, so it cannot be called.",
    "method-fails": "`model.{name}()`, which the notebook calls, does not work: {detail}.",
    "too-many-results": "`{call}` returned {results}.",
    "result-count": "`{call}` returned {results}; the assignment asks for {wanted}.",
    "not-a-tensor": "{subject} is {kind}, not a tensor.",
    "tensor-subclass": "{subject} is {kind}, a subclass of Tensor, not a plain tensor.",
    "not-dense": "{subject} is a sparse, nested or quantized tensor, not a dense one.",
    "wrong-device": "{subject} is on the device `{device}`, not on the CPU.",
    "complex-numbers": "{subject} holds complex numbers, not real ones.",
    "not-real": "{subject} holds {dtype} numbers, not real ones.",
    "reshaped": "{subject} has shape {shape} after training; before, it had shape {expected_shape}.",
    "wrong-rows": "{subject} has shape {shape}; the minibatch has {rows} rows.",
    "no-numbers": "{subject} has shape {shape}: it holds no numbers.",
    "too-large": "{subject} has shape {shape}, far more numbers than the assignment asks for.",
    "unusual-shape": "{subject} has shape {shape}, nothing like what the assignment asks for.",
    "impossible-shape": "Your model has a parameter of a shape that no tensor has.",
    "too-many-parameters": "Your model has far more parameters than the assignment asks for.",
    "stand-in-arguments": (
        "{step} was stopped. The grader's `{function}`, used here for yours, cannot take what it was given: {detail}."
    ),
    "not-compiled": (
        "Python cannot compile your file: an expression in it, or a chain of `elif`, has too many parts. "
        "Split it into shorter ones."
    ),
    "gradients-off": (
        "Your module turns gradients off for all code that follows, when it is imported or in a constructor. "
        "So no backward pass is possible, and nothing can be trained."
    ),
    "inference-tensors": (
        "Your constructor makes parameters in `torch.inference_mode()`. PyTorch refuses to train such parameters."
    ),
    "unreadable-answer": "The grader could not read what your code answered.",
}
_TIMED_OUT = {
    "call-time": "{step} did not finish within {seconds:.0f} s. Is there an endless loop?",
    "total-time": "{step} was stopped: your code has used up its {seconds:.0f} s in all.",
}
_DIED = {
    "exited": "{step} ended the process: it exited with code {status}. Does your code call exit?",
    "killed": "{step} ended the process: it was killed by {signal}.",
    "cpu-time": "{step} ended the process: it used more than {seconds:.0f} s of CPU time.",
    "worker-lost": "{step} ended the process, and the grader's worker with it.",
    "channel-broken": "{step} broke the channel to the grader: {detail}",
}
_RAISED = {"raised": "{said}"}
_STEPS = {
    "outline": "Reading your module",
    "edits": "Reading your module",
    "outputs": "Reading the outputs of your notebook",
    "load": "Importing your module",
    "stand_in": "Replacing a function",
    "construct": "Building `{name}`",
    "attributes": "Reading an attribute",
    "parameters": "Listing the parameters",
    "set_parameters": "Setting the parameters",
    "as_float32": "Converting the parameters",
    "submodules": "Listing the layers",
    "stand_in_layer": "Replacing `{name}`",
    "stand_in_pass": "Replacing `forward`",
    "complete_results": "Completing the results",
    "call": "Calling `{name}`",
    "work": "Calling `{name}`",
    "train": "Training",
    "run": "Running lines of a notebook",
}
# The codes that a worker may send, with the names and types of their fields.
_SENT: dict[str, dict[str, type]] = {
    "definition-missing": {"name": str},
    "attribute-missing": {"owner": str, "name": str},
    "not-a-class": {"name": str},
    "not-a-module": {"owner": str},
    "super-init-missing": {"owner": str},
    "not-callable": {"name": str, "kind": str},
    "method-fails": {"name": str, "detail": str},
    "too-many-results": {"kind": str, "count": int},
    "not-a-tensor": {"value": str, "kind": str},
    "tensor-subclass": {"value": str, "kind": str},
    "not-dense": {"value": str},
    "wrong-device": {"value": str, "device": str},
    "complex-numbers": {"value": str},
    "not-real": {"value": str, "dtype": str},
    "not-compiled": {},
    "gradients-off": {},
    "inference-tensors": {},
    "too-large": {"value": str, "shape": str},
    "unusual-shape": {"value": str, "shape": str},
}

Field = str | int | float


def shortened(text: str) -> str:
    """The text of an error with at most a line of each tensor, array or list that it prints."""

    def first_values(found: re.Match[str]) -> str:
        values = " ".join(found[0].split())
        if len(values) <= MAX_VALUES:
            return found[0]
        kept = values[:MAX_VALUES].rpartition(" ")[0].rstrip(", ") or "["
        behind = found[0][len(found[0].rstrip(" ,\n")) :]
        return f"{kept}, …{']' * (kept.count('[') - kept.count(']'))}{behind}"

    return _VALUES.sub(first_values, text[:MAX_READ])[:MAX_TEXT]


class SubmissionError(Exception):
    """A submission failed to answer: a code, with fields. The text is for the student."""

    texts: ClassVar[dict[str, str]]

    def __init__(self, code: str, **fields: Field) -> None:
        self.code, self.fields = code, fields
        super().__init__(self.texts[code].format(**_phrases(fields)))


class Unfit(SubmissionError):
    """The submission lacks something required, or did not answer with tensors."""

    texts = _UNFIT


class TimedOut(SubmissionError):
    """The submission did not answer in time. The field `during` is the request."""

    texts = _TIMED_OUT


class Died(SubmissionError):
    """The submission's process ended, or broke the protocol and was ended. The field `during` is the request."""

    texts = _DIED


class Raised(SubmissionError):
    """The submission raised an exception.

    Attributes:
        kind: the name of the exception's class.
        text: what the exception says.
        line, statement: its place, if that is in the submission.
        own: whether a `raise` or `assert` of the submission raised it, not Python or a library.
        condition, given: of such a line, the `if` or `assert` around it and what the names in that are, in words.
        at_import: whether that was while the module was imported.
    """

    texts = _RAISED

    def __init__(
        self,
        kind: str,
        text: str,
        line: int | None = None,
        statement: str = "",
        own: bool = False,
        at_import: bool = False,
        condition: str = "",
        given: str = "",
    ) -> None:
        self.kind, self.text, self.line, self.statement, self.own = kind, text, line, statement, own
        self.at_import, self.condition, self.given = at_import, condition, given
        where = f" (line {line}: `{statement}`)" if line and statement else f" (line {line})" if line else ""
        super().__init__("raised", said=f"{self.said}{where}")

    @property
    def said(self) -> str:
        """Python's message, without the place."""
        return f"{self.kind}: {self.text}" if self.text else self.kind

    @property
    def not_written(self) -> bool:
        """Whether it is the fill-in's NotImplementedError, not one of torch."""
        return self.kind == "NotImplementedError" and self.own


def _phrases(fields: dict[str, Field]) -> dict[str, Field]:
    """The fields, and the phrases that texts need in addition."""
    said = dict(fields)
    if "during" in fields:
        said["step"] = _STEPS[str(fields["during"])].format(**fields)
    if "kind" in fields:
        said["kind"] = _with_article(str(fields["kind"]))
    match fields.get("kind"):
        case "Tensor" | "Parameter":
            said["results"] = "one tensor"
        case "tuple" | "list":
            count = "one value" if fields.get("count") == 1 else f"{fields.get('count')} values"
            types = str(fields.get("types", ""))
            named = f" ({types[:MAX_NAME]})" if set(types.split(", ")) - {"Tensor", ""} else ""
            said["results"] = f"{said['kind']} of {count}{named}"
        case _:
            said["results"] = said.get("kind", "")
    if "expected" in fields:
        said["wanted"] = "one tensor" if fields["expected"] == 1 else f"{fields['expected']} tensors"
    match str(fields.get("value", "")).partition(" "):
        case "parameter", _, name:
            said["subject"] = f"The parameter `{name}`"
        case "gradient", *_:
            said["subject"] = "A gradient"
        case "result", " ", number:
            said["subject"] = f"Value {number} that `{fields['call']}` returned"
        case _:
            said["subject"] = f"What `{fields.get('call', '')}` returned"
    return said


def _with_article(kind: str) -> str:
    if kind == "None":
        return kind
    return f"{'an' if kind[:1].lower() in 'aeiou' else 'a'} {kind}"


def received(failure: object, call: str = "") -> SubmissionError:
    """The error that a worker sent about a call of the function `call`. Nothing in `failure` is trusted."""
    fields = failure if isinstance(failure, dict) else {}
    code = fields.get("code")
    if code == "raised":
        kind, text, line, statement, own = (fields.get(key) for key in ("kind", "text", "line", "statement", "own"))
        condition, given = fields.get("condition"), fields.get("given")
        return Raised(
            kind[:MAX_NAME] if isinstance(kind, str) else "an exception",
            text[:MAX_TEXT] if isinstance(text, str) else "",
            line if type(line) is int and 0 < line <= LIMITS.source else None,
            statement[:MAX_NAME] if isinstance(statement, str) else "",
            own is True,
            condition=condition[:MAX_NAME] if isinstance(condition, str) else "",
            given=given[:MAX_NAME] if isinstance(given, str) else "",
        )
    wanted = _SENT.get(code) if isinstance(code, str) else None
    if wanted is None or not all(_fits(fields.get(name), kind) for name, kind in wanted.items()):
        return Unfit("unreadable-answer")
    assert isinstance(code, str)
    return Unfit(code, call=call, **{name: fields[name] for name in wanted})


def _fits(value: object, kind: type) -> bool:
    if type(value) is not kind:
        return False
    return len(value) <= MAX_NAME if isinstance(value, str) else 0 <= value < 1 << 63  # type: ignore[operator]
