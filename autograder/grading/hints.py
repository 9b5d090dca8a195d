"""The mistakes that have a name, and what a student reads about them: those of any code are here.

An assignment adds its own in its `hints/bank.py`: `MISCONCEPTIONS`; `CAUSES`, patterns of errors that betray one;
`CLOSER`, what a mistake of these here is called there where its statement has a pattern; and `UNLOCATED`, names of mistakes
that leave open where they come from.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from autograder.assignment import Assignment
from autograder.report.model import Check, Hint, Outcome
from autograder.report.summary import listed
from autograder.sandbox.outline import Outline


@dataclass(frozen=True)
class Misconception:
    """A mistake that has a name.

    Attributes:
        part: that it belongs to, if any.
        title, text: what the student should read about it; see `autograder.report.model.Hint`.
        also: other parts, whose own mistake it is where one of their checks finds it.
    """

    name: str
    part: str | None
    title: str
    text: str
    also: tuple[str, ...] = ()

    def part_where(self, found_in: Sequence[str]) -> str | None:
        """The part that it belongs to where the checks of these parts found it."""
        return next((part for part in found_in if part in (self.part, *self.also)), self.part)


Claim = Callable[[Outline], bool]


def uses(pattern: str) -> Claim:
    """The claim that the source uses a name that the pattern describes."""
    return lambda outline: outline.uses(pattern)


@functools.cache
def bank(assignment: Assignment) -> dict[str, Misconception]:
    """Every mistake that can be named in the assignment, by name; those of any code first."""
    return CODE | {each.name: each for each in assignment.piece("hints.bank").MISCONCEPTIONS}


def holds(assignment: Assignment, name: str, outline: Outline) -> bool:
    """Whether what the mistake's text says of the source is so. One that says nothing of it rests on other numbers."""
    claim = (CLAIMS | getattr(assignment.piece("hints.bank"), "CLAIMS", {})).get(name)
    return claim is None or claim(outline)


def hint(assignment: Assignment, name: str, found_in: str = "") -> Hint:
    """What the student should read about the mistake called `name`, and which section of the notebook teaches it.

    That is the section of the part that the mistake belongs to, where a check of the part `found_in` found it.
    """
    known = bank(assignment)[name]
    part = known.part_where([found_in]) if found_in or not known.also else None
    if part is None:  # a matter of Python, which the notebook does not teach, or of a part that is not known
        return Hint(name, known.title, known.text)
    return Hint(name, known.title, f"{known.text} Read “{assignment.part(part).section}” in the notebook.")


def unlocated(assignment: Assignment, check: Check) -> bool:
    """Whether a check got a wrong answer, and no hint says where in the code it comes from."""
    known: frozenset[str] = getattr(assignment.piece("hints.bank"), "UNLOCATED", frozenset())
    return check.outcome is Outcome.FAILED and known.issuperset(check.misconceptions)


def after(parts: Sequence[str]) -> Hint:
    """What to say of a check that may have failed for no other reason than these parts."""
    names = listed(f"`{name}`" for name in parts)
    return Hint(
        "",
        f"Fix {names} first",
        "This check builds on that code, and may pass once the code is right.",
    )


_ROWS = (
    ("syntax", "Python cannot read your file",
     "A syntax error stops Python before it runs any line of your file. Read its message above: it often names what is missing. If a bracket “was never closed”, the line shown opens it, and its partner is missing in that line or below. Anything else that is missing is often noticed one line late, so look at the line above, too. Count the brackets and quotes: does each one close?"),
    ("indentation", "The indentation of a line does not fit",
     "Python reads which lines belong together from the spaces before them. Those of the line shown do not fit the lines above it, so nothing in your file could run. A line after a colon starts further to the right, and all lines of one block start alike. Make spaces and tabs visible: in VS Code, choose “View”, “Appearance”, “Render Whitespace”. Compare the line shown with the lines around it. Which of them starts at another place, or with a tab?"),
    ("invalid-character", "A character in your code is not Python",
     "Python cannot read the character that its message above names, so nothing in your file could run. Such a character may look like one of your keyboard: a long minus sign, a curly quote or a special space. Text that is copied from a formula, a PDF or a chat often brings it along. Go to the line shown, delete the character and type what you mean. What else did you copy from the same place?"),
    ("encoding", "Your file is not saved as UTF-8",
     "Python cannot turn the bytes of your file into text, so nothing in it could run. It expects UTF-8, unless one of the first two lines names another encoding. PowerShell's `>` and some editors save UTF-16, or an old encoding of Windows. In VS Code, click the encoding in the status bar, choose “Save with Encoding”, then “UTF-8”. Do the public checks read the file now?"),
    ("null-byte", "A null byte is in your file",
     "Python cannot read a file that has a null byte: a byte 0, which stands for no character. Most editors show it as NUL, as a box or not at all. A copy or a sync that was cut off can leave such bytes. Go to the line named above and delete what is not code. Is the rest of your work still there, below that line?"),
    ("another-format", "Your file is not a Python file",
     "The kind of file that you handed in is named above, and Python cannot read it. A name that ends in `.py` does not turn it into Python, so nothing in it could run. Write your code into the file that you were given, with an editor for code, and save it as plain text. Which file did you edit, and is it the one that you handed in?"),
    ("notebook-command", "Your module contains a notebook command",
     "Lines that start with % or ! are commands of the notebook, such as %matplotlib. Python cannot read them in a `.py` file, so nothing in your file could run. What does the command do for you, and in which cell of the notebook can it do that?"),
    ("merge-conflict", "Git left its marks in your file",
     "Lines of <, = or > are what Git writes where two versions of a file differ. Python cannot read them, so nothing in your file could run. Between them are both versions of the same lines. Search your file for <<<<<<<, ======= and >>>>>>>. Which of the two versions do you want to keep?"),
    ("import-missing", "An import did not work",
     "Your module imports something that is not there. Grading has the packages of the course environment, and no other file of yours. Is the name spelled right? Some packages exist only on one platform, such as `google.colab`. Does your code need this import? If not, take it out, and the calls that use it. If it is your own file, which of its functions does the module use?"),
    ("exit-called", "Your code ends the program",
     "Your code ended Python itself, which is what `exit()`, `quit()` and `sys.exit()` do. argparse does it too when it does not like the command line. A module that others import must not do that. Which line is it, and what would be lost without it?"),
    ("endless-recursion", "A function calls itself without end",
     "Python stopped your code because its calls were nested too deeply. Usually a function calls itself, directly or through another one, and nothing ends the chain. Print a word at the top of each function and run it once: which words repeat? What should end the chain?"),
    ("memory", "Your code ran out of memory",
     "Your code asked for more memory than grading allows. Often one tensor is far larger than intended: shapes (N, 1) and (1, M) broadcast to (N, M). Print the shapes just before the line shown. Which of them is not what you expect?"),
    ("definition-missing", "A function or class is missing",
     "The notebook and the grader look for this name in your module, and it is not there. The name must be exactly the same, capitals and underscores included, and start at the left margin. Look at the file that you were given: what does it define, and which of its names does yours lack?"),
    ("definition-in-class", "This function belongs outside the class",
     "The function is inside a class, where the notebook and the grader do not look. It is a function of the module: it starts at the left margin and has no `self`. Your class can still call it by its name alone. Where is it in the file that you were given?"),
    ("attribute-missing", "Your model lacks an attribute",
     "The notebook and the grader read the attribute that is named above, and your model has none of that name. An attribute of another name does not count. A variable without `self.` does not either: it is lost when the constructor ends. Build a model in the notebook and print it. Which names do you see? Which line of your constructor should set the missing one?"),
    ("attribute-none", "An attribute is None",
     "This attribute is None when your constructor ends, and the notebook and the grader use it as a layer. Look for the line that should build the layer. Does it assign to another name, or to a variable without `self.`? Does a later line set the attribute to None again? Build a model in the notebook and print the attribute."),
    ("not-callable", "An object is called that is no function or layer",
     "The error above is about an object that the notebook, the grader or your own code calls like a function. A list or dictionary of layers cannot be called, not even an `nn.ModuleList` or `nn.ModuleDict`. It keeps layers, but does not say in which order to apply them. `nn.Sequential` can be called. Parentheses call, and square brackets take an element: is each of them meant? Which name holds that object, and what did you assign to it?"),
    ("attribute-wrong", "An attribute holds the wrong number",
     "One of your model's attributes does not hold the number that it should. Other code reads the sizes of your model from these attributes. Build a model with three different sizes in the notebook and print its attributes. Which line of your constructor sets this one?"),
    ("forward-missing", "Your class has no method `forward`",
     "Calling a model runs its method `forward`. Capitals and underscores count, and the method must be indented under the class. Which of your methods should run when the model is called, and what is its name?"),
    ("method-outside-class", "A method is not part of its class",
     "The line named above defines the method, and its indentation says that it does not belong to the class. Calling a model runs a method of its class. What belongs to a class is indented as far as its `def __init__` line is, no less and no more. Compare the indentation of the two `def` lines: what does Python take yours for?"),
    ("self-missing", "A method lacks its first parameter",
     "Python passes the object itself as first argument to every method. Your method has no parameter `self` for it, so every other argument lands one place too late. Compare its `def` line with those of the other methods in your class: which parameter comes first there?"),
    ("self-superfluous", "A function outside a class has no `self`",
     "This function is outside the class, so Python passes it no object. With `self` as the first parameter, the first argument lands in it, and the others move up by one. Compare the `def` line with the file that you were given: which parameters does the function have there?"),
    ("wrong-parameters", "Your parameters are not those of the fill-in",
     "The notebook and the grader pass the arguments by the names, or in the order, of the file that you were given. Your code does not accept them. Compare the two `def` lines, one parameter at a time. Which one is missing, extra or in another place? A parameter that you add needs a default value."),
    ("super-init-missing", "`nn.Module` was not set up before its layers",
     "Your constructor sets attributes before `nn.Module` is ready to register them. `nn.Module` has a constructor too, and it must run before anything else. How does the constructor of a module begin in PyTorch's documentation, or in the file that you were given?"),
    ("not-a-module", "Your class does not inherit from `nn.Module`",
     "Your class is a plain Python class, so nothing registers its layers. `nn.Module` finds the parameters for the training, and runs `forward` when the model is called. Compare the `class` line with the file that you were given: what is in the parentheses there?"),
    ("method-replaced", "A method of `nn.Module` does not work in your class",
     "The notebook calls the method named above, and `nn.Module` comes with it. Where your class has a method or an attribute of that name, yours is called instead. PyTorch also calls some methods itself, such as `children` and `named_parameters`. Search your class for these names. What does the method of PyTorch accept, and what does it return? Which other name would suit yours?"),
    ("hash-lost", "Your model has no hash",
     "PyTorch collects modules in sets, and a set takes only objects that have a hash. A class with `__eq__` and without `__hash__` has none, and `@dataclass` adds `__eq__` to your class. So `parameters()` stops, and no optimizer can be made. Call `hash(model)` in the notebook. Compare the beginning of your class with the file that you were given: what is different, and do you need it?"),
    ("name-undefined", "A name is used that Python does not know",
     "At the line shown, nothing has been assigned to this name yet. It may be misspelled, lack an import, or be assigned further down or in another function. In a method, attributes of the model are reached through `self`. Search your file for the name: where does it get its value, and has that line run by then?"),
    ("attribute-undefined", "An object does not have what you ask it for",
     "The line shown uses an attribute or a method that the object does not have. The name may be misspelled, or the object may be of another type than you think. Print its `type()` just before that line: is it what you expect?"),
    ("not-in-library", "A library has nothing by this name",
     "Look at what the line shown takes from a library. Capitals count: most layers and other classes have some, and most functions have none. The name may also belong to another module, or to another version of the library. In the notebook, type the module's name with a dot behind it and press Tab. Which of the names in the list did you mean?"),
    ("layer-not-applied", "A layer is used where a tensor belongs",
     "PyTorch applies a layer in two steps. `nn.ReLU()` makes one, and the layer gives a tensor when it is called with one. `nn.ReLU(x)` does not apply it to `x`. The error above names a layer that is used like a tensor, or that got a tensor when it was made. Find it in the line shown, or where a variable of that line gets its value. Is it made first, and called after that?"),
    ("no-layer-there", "Something that is no layer is among layers",
     "`nn.Sequential` and the other containers take layers, which are objects. `nn.ReLU` is a class, and `nn.ReLU()` makes a layer of it. A function such as `torch.relu` is no layer, and a Python list is none either. The error above names what you passed. Which layer did you mean, and how is it made?"),
    ("assertion", "Your own `assert` or `raise` stops your code",
     "The line shown stops your code on purpose, because of a condition that you wrote. All arguments in grading are allowed. Their values and sizes differ from those in the notebook, down to a minibatch of one. The docstrings say which arguments your functions must take. Does your condition ask for more than that? If not, print what it looks at: which earlier line makes a value that it does not accept?"),
    ("unpacking", "A value has more or fewer parts than names",
     "The line shown takes a value apart, and gives each part a name. Python needs as many parts as there are names on the left. A shape has one part for each dimension of the tensor: a minibatch of flat images has two. Print the value, or its shape, just before that line. How many parts does it have?"),
    ("joined-along", "Tensors are joined along the wrong dimension",
     "`torch.cat` puts tensors one after another along one dimension, the first unless `dim` says otherwise. In all other dimensions their sizes must agree, and the error above names one where they do not. Print both shapes just before the line shown. In which dimension may they differ, and along which should they be joined?"),
    ("wrong-call", "A call got something that it does not accept",
     "A function or an operator got arguments that it cannot use. If the error above names a line, look at each call in it. How many arguments does it get, and in which order? Which type and shape do they have? Print them just before that line, and compare with the documentation."),
    ("value-outside-support", "A distribution got a value that it cannot have",
     "You ask a torch distribution for the probability of a value that it never gives. Some accept whole numbers only, such as 0 and 1. Gray pixels lie between them. Print a few of the values that you pass, and look up the distribution named above: which values does it accept? What else computes the term that you want?"),
    ("no-gpu-here", "Your code needs a GPU, and grading has none",
     "The notebook moves the model and the data to a GPU if there is one, so your module should not choose a device. Make each new tensor on the device of your function's arguments. Search your module for `cuda`, `mps`, `device` and calls such as `.to(0)`, also above the line shown. Which call picks the device?"),
    ("no-such-device", "No device has that number or name",
     "PyTorch calls devices by a name, such as `cpu` or `cuda`, or by the number of a GPU. The number cannot be negative, and other names, such as `gpu`, mean nothing to it. `get_device()` gives -1 for a tensor on the CPU. Grading has no GPU, and many laptops have none. Print the device that your code asks for, just before the line shown. Where does it come from? Which attribute of a tensor says where the tensor is?"),
    ("nothing-outside", "Your module needs a file, the network or a keyboard",
     "Grading has no network, no keyboard and no other files, and your code asked for one of them. A module should hold definitions only; the notebook loads data and weights. Which line reads, writes, downloads or asks for something, and does your solution need it?"),
    ("numpy-for-torch", "NumPy cannot follow gradients",
     "Your code turns a tensor into a NumPy array while PyTorch records gradients. NumPy does not record anything, so no gradient would get past this point. PyTorch has most functions of NumPy, often by the same name. Which one do you use on the line shown?"),
    ("sizes-do-not-fit", "Two sizes do not fit together",
     "Print the shape of each tensor just before the step that stops. Which sizes does that step need, and which earlier step made the one that does not fit? If your code works with some inputs, one of its sizes does not follow the inputs. Search for the numbers in the message above, in your functions and outside of them. Where does each of them come from?"),
    ("row-length", "Rows have a length that a layer does not take",
     "A linear layer takes rows of one length, which is set where the layer is made. The message above says how long your rows are and how long they should be. Print the shape of the tensor that goes in, just before the line shown. Which numbers should a row hold, and which of them are missing or too many? If the row is right, which size does the layer get in your constructor?"),
    ("nothing-returned", "You give back None instead of a tensor",
     "A check got None where your code should give a tensor. A function without `return` gives None, and so does `return None`. A variable that was set to None stays None until it gets a value. Look at the end of the function named above: what does it give back, on every path through it? Its docstring says what it should."),
    ("no-tensor-returned", "Your code does not return a tensor",
     "Gradients pass through tensors only, so training could not get past this point. Methods such as `.item()`, `.tolist()` and `.numpy()` leave the tensor behind. Follow the value back from the `return` line: at which step does it stop being a tensor?"),
    ("tensor-as-number", "A whole tensor cannot become one number",
     "Your code turns a tensor with several elements into one Python number. That works for a single element only, and no gradient gets past it. `float()`, `.item()` and the functions of `math` do that. Print the shape just before the line shown: did you mean to sum or average first?"),
    ("tensor-as-condition", "A whole tensor is neither true nor false",
     "`if`, `while`, `and`, `or` and `not` need one value that is true or false, and your tensor has several. Options such as `reduction` need one, too. A layer or a loss of `torch.nn` gets its options when it is made, and its tensors when it is called. What in the line shown gets a tensor there? Print its shape. Do you mean one of its elements, any of them, or all?"),
    ("no-such-element", "Nothing is at that index or key",
     "The line shown takes an element out of a list, a tensor or a dictionary, by its number or its key. There is none. Counting begins at 0, so the last of ten elements has number 9. Print the shape, the length or the keys just before that line, and the number or key that you use. Which of them is not what you expect?"),
    ("in-place", "A tensor is overwritten that is still needed",
     "Your code changes a tensor in place, and its old values are needed for the gradient. Operations whose name ends in an underscore work in place, and so do `+=` and `*=`. Look for them in the code of this part. Which tensor does one of them change, and what else uses that tensor?"),
    ("inputs-modified", "An argument is changed in place",
     "The caller still needs the old values, and backpropagation may need them too. Operations whose name ends in an underscore work in place, and so do `+=` and `*=`. Print the argument after each line of the function: which line changes it?"),
    ("not-finite", "NaN or infinity appears",
     "At least one number is NaN or infinite, and training cannot recover from that. It comes from the logarithm or the root of a negative number, the logarithm of zero, or a division by zero. The exponential of something large also overflows. Print the smallest and largest value after each step: where does it appear first?"),
    ("precision-mixed", "Two tensors have different number types",
     "An operation needs tensors of one type, and yours got two. PyTorch makes float32 unless told otherwise, and the tensors that your code gets are float32. NumPy makes float64, and whole numbers become int64. Print the `dtype` of each tensor that takes part, and of your parameters: which one is different, and where was it made?"),
    ("wrong-shape", "A result has the wrong shape",
     "Run your code on a minibatch of two in the notebook, and print the shape after each step. Which is the first one that you do not expect? A sum or an index can drop a dimension, and a call that draws or stacks can add one. A layer can have another size than you think."),
    ("wrong-number-of-results", "You return something other than the docstring says",
     'The caller expects the tensors that the docstring lists, in that order and separated by commas. Your code gives back something else. Compare your `return` line with the part of the docstring under "Returns": what is missing, extra, or packed in another way?'),
    ("collection-returned", "You return a tuple, list or dictionary, not a tensor",
     'The docstring asks for one tensor. Your code gives back a tuple, a list or a dictionary, and the caller cannot use that as a tensor. Values that are separated by commas after `return` become a tuple, too. Compare your `return` line with the part of the docstring under "Returns". Which value does it describe? Is the rest extra, or should the pieces be joined?'),
    ("result-unused", "A line computes something that nothing uses",
     "The line named above computes a result and drops it. A function of PyTorch gives a new tensor, and leaves its argument as it is, unless its name ends in an underscore. So the result must get a name, go into another call or follow `return`. A formula also ends where its line ends, unless a bracket is open. Which later line needs this result, and what does it use instead?"),
    ("trailing-comma", "A comma ends a line and makes a tuple",
     "In Python, a comma after a value makes a tuple, also without parentheses. The message above names each line that ends with such a comma. The name on its left then holds a tuple of one element, not a tensor, a layer or a number. Print `type()` of that name after the line: is it what you expect?"),
    ("lazy-layer", "A lazy layer has no weights yet",
     "A lazy layer finds out its input size when it is first called. Until then it has no weights that could be set or trained. When your model is built, all sizes are known. Which size would the layer find out, and from which arguments of the constructor does it follow?"),
    ("not-trainable", "Training cannot change these layers",
     "Training changes a layer only if PyTorch finds it, it is not frozen, and a gradient reaches it. PyTorch finds only the layers and `nn.Parameter`s that are attributes of an `nn.Module`. It does not look into a plain list or dictionary, a function, or an object of another class. It looks into `nn.ModuleList` and `nn.ModuleDict`. A plain tensor is no parameter, even if it requires a gradient. A property that makes a new layer at each use never trains. Print `requires_grad` for all of `model.named_parameters()`. Is a name missing, or a value False? If neither, look for `detach()` and `no_grad()`."),
)  # fmt: skip
_name = operator.attrgetter("name")
# What texts say of the source: a hint whose claim does not hold of a submission is not shown.
CLAIMS: dict[str, Claim] = {
    "exit-called": uses(r"_?exit|quit|abort|SystemExit|argparse|ArgumentParser|parse_args"),
    "hash-lost": lambda outline: outline.uses("dataclass|__hash__") or "__eq__" in {*map(_name, outline.definitions)},
    "numpy-for-torch": uses("numpy|__array__"),
    "lazy-layer": uses(r"Lazy\w+|Uninitialized\w+"),
    "trailing-comma": lambda outline: bool(outline.tuples),
    "result-unused": lambda outline: bool(outline.unused),
    "in-place": uses(r"\+=|\[\]=|[a-z]\w*[a-z0-9]_|out"),
    "tensor-as-number": uses("float|int|bool|item|math|range|round|format|numpy"),
}
CODE = {name: Misconception(name, None, title, text) for name, title, text in _ROWS}
