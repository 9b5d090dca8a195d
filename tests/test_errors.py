"""What a student reads about an error names the cause that the source shows."""

import pytest

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.grading.errors import explain, note_on_work
from autograder.sandbox.client import Raised, SubmissionError, TimedOut, Unfit

MISSING = "`{}` is missing: the module does not define it"
NO_FORWARD = 'Module [{}] is missing the required "forward" function'


def called(function: str, said: str) -> Raised:
    return Raised("TypeError", f"{function}() {said}", None, "")


@pytest.mark.parametrize(
    ("error", "source", "misconception", "named"),
    [
        (Unfit(MISSING.format("sample_latent")), "def SampleLatent(m, v): ...", "definition-missing", "`SampleLatent`"),
        (
            Unfit(MISSING.format("sample_latent")),
            "def reparametrize(m, v): ...",
            "definition-missing",
            "`reparametrize`",
        ),
        (
            Unfit(MISSING.format("ConditionalVariationalAutoencoder")),
            "class ConditionalVAE: ...",
            "definition-missing",
            "`ConditionalVAE`",
        ),
        (
            Unfit(MISSING.format("loss_function")),
            "class CVAE:\n    def loss_function(self): ...",
            "definition-in-class",
            "inside a class",
        ),
        (
            Unfit("the model has no `encoder`: the constructor must set it"),
            "class C:\n    def __init__(self):\n        self.Encoder = 1",
            "attribute-missing",
            "`self.Encoder`",
        ),
        (
            called("sample_latent", "missing 1 required positional argument: 'logvariances'"),
            "def sample_latent(self, means, logvariances): ...",
            "self-superfluous",
            "(self, means, logvariances)",
        ),
        (
            called("ConditionalVariationalAutoencoder.forward", "takes 2 positional arguments but 3 were given"),
            "class ConditionalVariationalAutoencoder:\n    def forward(data_input, condition): ...",
            "self-missing",
            "(data_input, condition)",
        ),
        (
            called("ConditionalVariationalAutoencoder.__init__", "missing 1 required positional argument: 'depth'"),
            "class ConditionalVariationalAutoencoder:\n    def __init__(self, a, b, c, depth): ...",
            "wrong-parameters",
            "depth",
        ),
        (called("sample_latent", "missing 1 required positional argument: 'v'"), "def (", "wrong-call", ""),
        (
            Raised("SyntaxError", "invalid syntax", 1, "%matplotlib inline"),
            "%matplotlib inline",
            "notebook-command",
            "",
        ),
        (Raised("NameError", "name 'std' is not defined", 3, "std"), "", "name-undefined", "std"),
        (Raised("ZeroDivisionError", "division by zero", 3, "1 / 0"), "", None, "division by zero"),
        (Raised("EOFError", "EOF when reading a line", 3, "input()"), "", "nothing-outside", "reading a line"),
        (Raised("RuntimeError", "Dataset not found.", 3, "MNIST('data')"), "", "nothing-outside", "Dataset"),
        (Raised("AssertionError", "Torch not compiled with CUDA enabled", 3, "x.cuda()"), "", "no-gpu-here", "CUDA"),
        (Raised("RuntimeError", "No CUDA GPUs are available", 3, "x.cuda()"), "", "no-gpu-here", "CUDA"),
        (Raised("ValueError", "too many values", 3, "a, b = x.to('cuda')"), "", "wrong-call", "too many values"),
        (
            Raised("NotImplementedError", NO_FORWARD.format("ModuleList"), None, ""),
            "class ConditionalVariationalAutoencoder:\n    def forward(self, x, c): ...",
            "not-callable",
            "ModuleList",
        ),
        (
            Raised("NotImplementedError", NO_FORWARD.format("CVAE"), None, ""),
            "class Block:\n    def forward(self, x): ...\nclass CVAE:\n    def Forward(self, x, c): ...",
            "forward-missing",
            "`Forward`",
        ),
        (Raised("TypeError", "x", None, ""), "(" * 5000, "wrong-call", ""),
        (Unfit("x"), "\0", None, ""),
    ],
)
def test_names_the_cause(error: SubmissionError, source: str, misconception: str | None, named: str) -> None:
    cause = explain(error, source.encode(), CVAE)
    assert cause.misconception == misconception
    assert named in cause.message


def test_a_call_that_the_submission_itself_gets_wrong_is_not_laid_to_its_signature() -> None:
    error = Raised("TypeError", "sample_latent() missing 1 required positional argument: 'v'", 9, "sample_latent(m)")
    assert explain(error, b"def sample_latent(m, v): ...", CVAE).misconception == "wrong-call"


def test_an_import_that_takes_too_long_is_told_where_it_loops() -> None:
    error = TimedOut("importing the module did not finish within 30 s (an endless loop?)")
    assert "line 2" in explain(error, b"x = 1\nwhile x:\n    pass\n", CVAE).text(CVAE)


@pytest.mark.parametrize(
    ("source", "noted"),
    [
        ("for epoch in range(3):\n    train()\n", True),
        ("with open('log') as log:\n    for line in log: ...\n", True),
        ("if __name__ == '__main__':\n    for epoch in range(3): ...\n", False),
        ("def train():\n    for epoch in range(3): ...\n", False),
        ("print('hello')\n", False),
    ],
)
def test_loops_at_import_are_noted(source: str, noted: bool) -> None:
    assert (note_on_work(source.encode()) is not None) == noted
