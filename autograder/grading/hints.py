"""The mistakes that have a name, and what a student reads about them: those of any code are here.

An assignment adds its own: `MISCONCEPTIONS` in its `hints/bank.py`, with `CAUSES`, patterns of errors that betray one.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from autograder.assignment import Assignment


@dataclass(frozen=True)
class Misconception:
    """A mistake that has a name: the part it belongs to, if any, and what the student should read about it."""

    name: str
    part: str | None
    text: str


@functools.cache
def bank(assignment: Assignment) -> dict[str, Misconception]:
    """Every mistake that can be named in the assignment, by name; those of any code first."""
    return CODE | assignment.piece("hints.bank").MISCONCEPTIONS


def hint(assignment: Assignment, name: str) -> str:
    """What the student should read about the mistake called `name`."""
    known = bank(assignment)[name]
    if known.part is None:  # a matter of Python, which the notebook does not teach
        return known.text
    return f"{known.text} The section “{assignment.part(known.part).section}” of the notebook explains it."


CODE = {
    name: Misconception(name, None, text)
    for name, text in {
        "syntax": "Python cannot read the file, so nothing in it could be graded: mend the line that it names, or the one above.",
        "notebook-command": "Lines that begin with % or ! are commands of the notebook, not Python: they cannot stand in a module.",
        "import-missing": "The module may import what the course environment holds, nothing more, and no file of your own beside it.",
        "exit-called": "The code ends the program itself: take out the call of exit.",
        "endless-recursion": "A function calls itself without an end.",
        "memory": "The code asks for more memory than a submission may use.",
        "definition-missing": "The notebook and the grader look for exactly this name in the module, outside of any class.",
        "definition-in-class": "It stands inside the class, where the notebook and the grader do not look: it is a function of the module, so it begins at the left margin and has no `self`. The class can call it there all the same.",
        "attribute-missing": "The constructor must set this attribute, under exactly this name: the notebook and the grader use it.",
        "not-callable": "The notebook and the grader call this with tensors. nn.Sequential calls its layers one after another; a list of layers, be it an nn.ModuleList, cannot be called, and in a plain one the parameters are not even found.",
        "attribute-wrong": "The model keeps another number than the one it was built with: each size goes into the attribute of its own name.",
        "forward-missing": "The class has no method of exactly this name, so calling the model does nothing. (Capitals and underscores count.)",
        "self-missing": "A method needs `self` as its first parameter: without it, everything that is passed moves up by one.",
        "self-superfluous": "A function outside of the class gets no `self`: the first argument lands in it, and the others move up by one.",
        "wrong-parameters": "It does not take the arguments that the notebook and the grader pass, those of the fill-in's signature in that order. (A parameter of your own needs a default.)",
        "super-init-missing": "The constructor of nn.Module must run before any layer can be kept: the first line of a constructor calls it by super().",
        "not-a-module": "A model that is trained inherits from nn.Module: without it, nothing registers the layers.",
        "name-undefined": "A name is used to which nothing has been assigned at that point: look for a misspelling, a missing line, or one that comes too late.",
        "attribute-undefined": "Something is asked of an object that it does not have: look for a misspelling, or for an object of another kind than you think.",
        "wrong-call": "A function or an operator is given what it does not take: on the line named, count the arguments and look at the kind and the size of each.",
        "no-gpu-here": "Grading has no GPU. Make each new tensor on the device that the arguments are on (device=means.device), and leave it to the notebook to move the model.",
        "nothing-outside": "Grading has no network, no keyboard and no files beside the module, and writes nothing: a module holds definitions, data and weights are loaded in the notebook.",
        "numpy-for-torch": "NumPy knows no gradients: torch has the same functions, and keeps the graph.",
        "sizes-do-not-fit": "Two tensors meet whose sizes do not fit together: print their shapes just before the line named, and compare them with what that step takes.",
        "nothing-returned": "Nothing comes back: a function without a `return` gives None.",
        "no-tensor-returned": "What comes back is no tensor: a plain number, a list or an array has left the graph, and the gradient ends there.",
        "tensor-as-number": "A whole tensor cannot become one number: .item() and float() are for scalars, and end the gradient besides.",
        "in-place": "A tensor that is still needed for the gradient is overwritten: an operation that ends in an underscore, or an augmented assignment, writes in place.",
        "inputs-modified": "The function changes the tensors that it was given: an operation that ends in an underscore, or an augmented assignment, writes in place.",
        "not-finite": "NaN or infinity appears: a logarithm of zero or of something negative, a root of something negative, a division by zero, or the exponential of something large.",
        "precision-mixed": "Numbers of single and of double precision meet: the images come in single precision, float32, which is what torch uses unless told otherwise.",
        "wrong-shape": "The result has another shape than the docstring says: print the shapes along the way, and see where the first one is not what you expect.",
        "wrong-number-of-results": "What comes back is not what the docstring says: one tensor, or several as a plain tuple, in the number and the order that stand there.",
        "lazy-layer": "A lazy layer has no weights before it has seen an input: until then nothing can be set or trained. Say the sizes.",
        "not-trainable": "No trainable parameter stands behind the result: layers must be kept as attributes (in a plain list they are not found), and must not be frozen.",
    }.items()
}
