"""Which modules are listed as nearly the same, which are not, and the page that shows two side by side."""

import ast
import json
import re
import time
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.classroom.others import Answers, known_modules
from autograder.classroom.sides import side_by_side
from autograder.classroom.similarity import MIN_TOKENS, Pair, alike_answers, alike_modules, similar_pairs
from autograder.fill_in import fill_in
from autograder.submissions.copied import same_code
from autograder.submissions.layouts import read_upload
from tests.pages import Page, opened, overflow
from tests.submissions.correct import CORRECT, encoded
from tests.submissions.heavy import HEAVY

BLANK = fill_in(CVAE)

# The five gaps of the fill-in, as students fill them without a comment. The pieces of a column are independent.
SAMPLES = (
    """
    std = torch.exp(0.5 * logvariances)
    eps = torch.randn_like(std)
    return means + eps * std
""",
    """
    sigma = torch.exp(logvariances / 2)
    epsilon = torch.randn_like(means)
    z = means + sigma * epsilon
    return z
""",
    """
    std = (0.5 * logvariances).exp()
    noise = torch.randn(means.shape, device=means.device)
    latents = means + std * noise
    return latents
""",
)
LOSSES = (
    """
    bce = F.binary_cross_entropy(reconstructions, originals, reduction="sum")
    kld = -0.5 * torch.sum(1 + logvariances - means.pow(2) - logvariances.exp())
    return (bce + kld) / originals.size(0)
""",
    """
    batch_size = originals.shape[0]
    recon_loss = F.binary_cross_entropy(reconstructions, originals, reduction="sum") / batch_size
    kl_loss = -0.5 * torch.sum(1 + logvariances - means**2 - torch.exp(logvariances)) / batch_size
    return recon_loss + kl_loss
""",
    """
    n = means.shape[0]
    x, x_hat = originals.view(n, -1), reconstructions.view(n, -1)
    reconstruction = F.binary_cross_entropy(x_hat, x, reduction="none").sum(dim=1)
    kl = -0.5 * (1 + logvariances - means.pow(2) - logvariances.exp()).sum(dim=1)
    return (reconstruction + kl).mean()
""",
)
NETWORKS = tuple(
    (
        f"""
        self.encoder = nn.Sequential(
            nn.Linear({image} + {classes}, {hidden}),
            nn.ReLU(),
            nn.Linear({hidden}, {hidden}),
            nn.ReLU(),
            nn.Linear({hidden}, {hidden}),
            nn.ReLU(),
        )
        self.mean_layer = nn.Linear({hidden}, {latent})
        self.logvariance_layer = nn.Linear({hidden}, {latent})
""",
        f"""
        self.decoder = nn.Sequential(
            nn.Linear({latent} + {classes}, {hidden}),
            nn.ReLU(),
            nn.Linear({hidden}, {hidden}),
            nn.ReLU(),
            nn.Linear({hidden}, {hidden}),
            nn.ReLU(),
            nn.Linear({hidden}, {image}),
            nn.Sigmoid(),
        )
""",
    )
    for image, classes, latent, hidden in (
        ("input_dim", "num_categories", "latent_dimensionality", "self.hidden_size"),
        ("self.input_dim", "self.num_categories", "self.latent_dimensionality", "self.hidden_size"),
        ("input_dim", "num_categories", "latent_dimensionality", "64"),
    )
)
PASSES = (
    """
        x = torch.cat([data_input, condition], dim=1)
        h = self.encoder(x)
        mean_params = self.mean_layer(h)
        logvariance_params = self.logvariance_layer(h)
        z = sample_latent(mean_params, logvariance_params)
        data_recon = self.decoder(torch.cat([z, condition], dim=1))
        return data_recon, mean_params, logvariance_params
""",
    """
        encoder_input = torch.cat((data_input, condition), dim=-1)
        encoded = self.encoder(encoder_input)
        mean_params = self.mean_layer(encoded)
        logvariance_params = self.logvariance_layer(encoded)
        latent = sample_latent(mean_params, logvariance_params)
        decoder_input = torch.cat((latent, condition), dim=-1)
        data_recon = self.decoder(decoder_input)
        return data_recon, mean_params, logvariance_params
""",
    """
        hidden = self.encoder(torch.cat([data_input, condition], 1))
        mu, logvar = self.mean_layer(hidden), self.logvariance_layer(hidden)
        return self.decoder(torch.cat([sample_latent(mu, logvar), condition], 1)), mu, logvar
""",
)
GAP = re.compile(r"^ *raise NotImplementedError\(.*\n", re.MULTILINE)


def student(sample: int, loss: int, network: int, forward: int) -> str:
    """The fill-in with these pieces in its gaps."""
    pieces = iter([SAMPLES[sample], LOSSES[loss], *NETWORKS[network], PASSES[forward]])
    return GAP.sub(lambda _: next(pieces).lstrip("\n"), BLANK)


def commented(source: str) -> str:
    """The module with comments of its own, as who explains the work to themselves writes them."""
    return (
        source.replace(
            "    return means", "    # so this is the trick, randomness goes in from the side!!\n    return means"
        )
        .replace("    return (bce", "    # divide by how many images, took me an hour to see\n    return (bce")
        .replace("        z = sample", "        # now roll the dice once per image\n        z = sample")
    )


def pairs_of(*sources: str | bytes, **options: float) -> list[Pair]:
    named = {f"s{number}": each.encode() if isinstance(each, str) else each for number, each in enumerate(sources)}
    return similar_pairs(named, BLANK, **options)


ORIGINAL = commented(student(0, 0, 0, 0))


# What is found


def test_a_copy_is_identical_whatever_its_white_space() -> None:
    moved = ORIGINAL.replace("    ", "\t").replace("\n", "\r\n") + "\r\n\r\n"
    assert pairs_of(ORIGINAL, moved) == [Pair("s0", "s1", 1.0, True)]


def test_a_copy_with_a_few_lines_changed_is_found() -> None:
    changed = ORIGINAL.replace("torch.exp(0.5 * logvariances)", "torch.sqrt(logvariances.exp())") + "\nprint('ok')\n"
    (pair,) = pairs_of(ORIGINAL, changed)
    assert 0.95 < pair.similarity < 1
    assert (pair.identical, pair.renamed) == (False, False)


def test_a_copy_with_the_variables_renamed_ranks_high() -> None:
    names = r"\b(std|eps|bce|kld|x|h|z|mean_params|logvariance_params|data_recon)\b"
    lines = ORIGINAL.splitlines()
    renamed = "\n".join(line if line in BLANK.splitlines() else re.sub(names, r"my_\1", line) for line in lines)
    changed = ORIGINAL.replace("torch.exp(0.5 * logvariances)", "torch.sqrt(logvariances.exp())") + "\nprint('ok')\n"
    pairs = pairs_of(ORIGINAL, renamed, changed)
    assert (pairs[0].first, pairs[0].second, pairs[0].renamed, pairs[0].identical) == ("s0", "s1", True, False)
    assert pairs[0].similarity > 0.99


NAMES = ("std", "eps", "bce", "kld", "x", "h", "z", "mean_params", "logvariance_params", "data_recon")


@given(
    st.dictionaries(st.sampled_from(NAMES), st.from_regex(r"[a-z]{1,8}_", fullmatch=True)),
    st.dictionaries(st.integers(0, 150), st.text("abcde ,.()'#", max_size=60), max_size=60),
    st.permutations(range(3)),
    st.booleans(),
)
def test_names_comments_and_the_order_hide_no_copy(
    names: dict[str, str], comments: dict[int, str], order: list[int], first: bool
) -> None:
    lines = []
    for number, line in enumerate(ORIGINAL.splitlines()):
        if line not in BLANK.splitlines():
            line = re.sub(r"(?<![\w.])\w+\b", lambda name: names.get(name[0], name[0]), line)
            if first:
                line = re.sub(r"^( +)#.*", r"\1# other words", line)
        if number in comments and line.endswith((")", ":")):
            line += f"  # {comments[number]}"
        lines.append(line)
    start, *definitions = re.split(r"(?m)^(?=def |class )", "\n".join(lines) + "\n")
    assert len(definitions) == 3
    (pair,) = pairs_of(ORIGINAL, start + "".join(definitions[place] for place in order))
    assert pair.similarity > 0.98


# One statement in forms with the same syntax tree, but for a string that nothing uses.
FORMS = (
    "{0}{1} = {2}",
    "{0}{1} = {2};",
    "{0}{1} = ({2})",
    "{0}{1} = (({2}))",
    "{0}({1}) = {2}",
    "{0}{1} = \\\n{2}",
    "{0}{1} \\\n\\\n   ={2} ;",
    "{0}{1} = (\n{2}\n)",
    "{0}'now comes the next step'\n{0}{1} = {2}",
    '{0}"in other words:"; {1} = {2}',
)


@given(st.lists(st.sampled_from(FORMS), min_size=60, max_size=60), st.booleans())
def test_no_form_of_one_syntax_tree_hides_a_copy(forms: list[str], quotes: bool) -> None:
    source, each = CORRECT["other-names"], iter(forms)

    def formed(line: re.Match[str]) -> str:
        return line[0] if line[3].count("(") > line[3].count(")") else next(each).format(*line.groups())

    copy = re.sub(r"(?m)^( +)([\w., ]+) = ([^#\n]*[\w)])$", formed, source)
    copy = copy.replace('"sum"', "'sum'") if quotes else copy
    uncommented = re.sub(r"(?m)^ +'now.*\n|\"in other[^;]*; ", "", copy)
    assert ast.dump(ast.parse(uncommented)) == ast.dump(ast.parse(source))
    (pair,) = pairs_of(source, copy)
    assert pair.similarity > 0.99


@given(st.data())
@settings(max_examples=20, deadline=None)
def test_no_spelling_of_names_hides_a_copy(data: st.DataObject) -> None:
    """Python reads 𝖫inear as Linear: PEP 3131."""

    def spelled(name: re.Match[str]) -> str:
        letter = ord(name[2]) - ord("a")
        return name[1] + chr(data.draw(st.sampled_from([0x1D5BA, 0x1D41A, 0x1D68A, 0xFF41])) + letter) + name[3]

    source = CORRECT["other-names"]
    copy = re.sub(r"(?m)(?<=\.)(\w*?)([a-z])(\w*)(?=[^\n\"']*$)", spelled, source)
    assert copy != source
    assert ast.dump(ast.parse(copy)) == ast.dump(ast.parse(source))
    (pair,) = pairs_of(source, copy)
    assert pair.identical
    assert same_code(copy.encode(), source.encode())


@given(st.data())
@settings(max_examples=20, deadline=None)
def test_no_spelling_of_numbers_hides_a_copy(data: st.DataObject) -> None:
    """Nor does it if the variables are renamed too."""

    def spelled(number: re.Match[str]) -> str:
        value = ast.literal_eval(number[0])
        forms = [number[0], f"{value:#x}", f"{value:#b}"] if isinstance(value, int) else [f"{value * 10}e-1"]
        return data.draw(st.sampled_from([each for each in forms if ast.literal_eval(each) == value] or [number[0]]))

    source = CORRECT["other-names"]
    copy = re.sub(r"(?m)(?<![\w.])\d+(?:\.\d+)?(?![\w.])(?=[^\n\"'#]*$)", spelled, source)
    assert ast.dump(ast.parse(copy)) == ast.dump(ast.parse(source))
    (pair,) = pairs_of(source, copy)
    assert pair.identical
    assert same_code(copy.encode(), source.encode())


def test_helpers_in_another_order_hide_no_copy() -> None:
    helpers = [f"def helper_{number}(a, b):\n    return a{' + b * 2' * number}\n\n\n" for number in range(1, 9)]
    (pair,) = pairs_of(ORIGINAL + "".join(helpers), "".join(reversed(helpers)) + ORIGINAL)
    assert pair.similarity > 0.98


def test_comments_alone_make_no_copy() -> None:
    said = "\n".join(f"# this is comment {number} of many that I wrote" for number in range(20))
    assert (
        pairs_of(f"{said}\nx = 1 + 2\n", f"{said.replace('many', 'few').replace('wrote', 'am fond of')}\ny = 1 + 2\n")
        == []
    )


def test_pairs_are_ranked() -> None:
    nearly = ORIGINAL + "\nextra = 'a few words of its own'\n"
    pairs = pairs_of(ORIGINAL, nearly, ORIGINAL)
    assert [(pair.first, pair.second) for pair in pairs] == [("s0", "s2"), ("s0", "s1")]


@pytest.mark.parametrize(
    "damaged", [ORIGINAL + "\n(((", ORIGINAL + "\n  x = '", ORIGINAL + "\x00", "\ufeff# coding: nonsense\n" + ORIGINAL]
)
def test_a_copy_that_is_no_python_is_found(damaged: str) -> None:
    (pair,) = pairs_of(ORIGINAL, damaged)
    assert pair.similarity > 0.97


# What is not


def test_modules_of_independent_pieces_are_not_listed() -> None:
    independent = [student(number, number, number, number) for number in range(3)]
    assert pairs_of(*independent) == []


def test_sharing_one_piece_of_four_by_chance_is_not_listed() -> None:
    for pieces in product(range(3), repeat=4):
        other = [(piece + 1) % 3 for piece in pieces]
        for shared in range(4):
            kin = [*other[:shared], pieces[shared], *other[shared + 1 :]]
            assert pairs_of(student(*pieces), student(*kin)) == []


def test_styles_of_their_own_are_not_listed() -> None:
    names = ("plain", "other-names", "type-hints", "functional-parameters", "sub-modules", "dataclass-configuration")
    assert pairs_of(student(0, 0, 0, 0), *(encoded(CORRECT[name]) for name in names)) == []


def test_what_the_hand_out_provides_counts_for_nobody() -> None:
    assert pairs_of(BLANK, BLANK, BLANK + "\n\n# nothing yet\n") == []


def test_modules_with_almost_no_code_are_listed_only_if_equal() -> None:
    short = "\n".join(f"value_{number} = {number}" for number in range(MIN_TOKENS // 3))
    assert pairs_of(short, short.replace("12", "21")) == []
    assert len(pairs_of(short + "\nlast = 1", (short + "\nlast = 1").replace("12", "21"))) == 1


@pytest.mark.parametrize("sources", [[], [b""], [b"", b""], [b"\x00\xff" * 5000] * 2, [b"(" * 5000, b"\n" * 5000]])
def test_any_bytes_are_taken(sources: list[bytes]) -> None:
    assert all(pair.identical for pair in pairs_of(*sources))


def test_five_hundred_modules_take_seconds() -> None:
    modules = {
        f"s{number}": f"{student(*pieces)}\n# {number} {number * 7}\n".encode()
        for number, pieces in enumerate((list(product(range(3), repeat=4)) * 7)[:500])
    }
    started = time.process_time()
    groups = alike_modules(modules, BLANK).groups
    assert sorted(member for group in groups for member in group.members) == sorted(modules)
    assert time.process_time() - started < 15


# Groups


KNOWN = {"the solution": CVAE.solution.read_bytes()}
EXAMPLES = {path.parent.name: path.read_bytes() for path in (CVAE.root / "examples").glob(f"*/{CVAE.module}")}


def groups_of(*sources: str, **options: Any) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    named = {f"s{number}": each.encode() for number, each in enumerate(sources)}
    return [(group.members, group.outside) for group in alike_modules(named, BLANK, **options).groups]


def test_equal_modules_are_one_group() -> None:
    plain = student(1, 1, 1, 1)
    assert groups_of(plain, ORIGINAL, plain, plain) == [(("s0", "s2", "s3"), ())]


def test_samples_that_differ_by_a_mistake_are_no_copies() -> None:
    assert len(EXAMPLES) >= 8
    assert len(alike_modules(EXAMPLES, BLANK).groups[0].members) > 4
    assert alike_modules(EXAMPLES, BLANK, KNOWN).groups == []


def test_a_copy_with_words_of_its_own_is_found_among_idioms() -> None:
    changed = ORIGINAL.replace("torch.exp(0.5 * logvariances)", "torch.sqrt(logvariances.exp())") + "\nprint('ok')\n"
    known = KNOWN | {"an example": student(0, 0, 0, 0).encode()}
    assert groups_of(ORIGINAL, student(1, 1, 1, 1), changed, known=known) == [(("s0", "s2"), ())]


def test_who_has_a_module_that_everybody_may_know_is_told() -> None:
    known = KNOWN | {"an example": student(1, 1, 1, 1).encode()}
    assert groups_of(student(1, 1, 1, 1), ORIGINAL, known=known) == [(("s0",), ("an example",))]


def test_copies_of_an_earlier_term_are_found() -> None:
    earlier = {"2025/ada": ORIGINAL.encode(), "2025/bob": ORIGINAL.encode()}
    assert groups_of(ORIGINAL + "\n", student(1, 1, 1, 1), earlier=earlier) == [(("s0",), ("2025/ada", "2025/bob"))]
    assert groups_of(student(1, 1, 1, 1), earlier=earlier) == []


def test_what_was_left_out_for_want_of_time_is_said() -> None:
    sources = {f"s{number}": student(number % 3, 0, 0, 0).encode() for number in range(6)}
    assert alike_modules(sources, BLANK, seconds=-1).not_compared == [
        "6 modules were not compared with all others, for want of time"
    ]


def test_long_modules_that_are_alike_take_the_time_that_is_given() -> None:
    words = [f"x = w{number}" for number in range(900)]
    sources = {f"s{number}": "\n".join([*words, f"u = {number}"]).encode() for number in range(60)}
    started = time.process_time()
    alike_modules(sources, BLANK, KNOWN, seconds=1)
    assert time.process_time() - started < 8  # the tokens are counted before


@given(st.lists(st.sampled_from("abcd"), min_size=2, max_size=12))
def test_everyone_is_in_one_group_at_most(whose: list[str]) -> None:
    modules = {"a": ORIGINAL, "b": ORIGINAL + "\nextra = 1\n", "c": student(1, 1, 1, 1), "d": student(2, 2, 2, 2)}
    groups = groups_of(*(modules[each] for each in whose))
    members = [member for group, _ in groups for member in group]
    assert len(members) == len(set(members))
    for kind in ("ab", "c", "d"):
        alike = {f"s{place}" for place, each in enumerate(whose) if each in kind}
        assert (tuple(sorted(alike)) in [group for group, _ in groups]) == (len(alike) > 1)


# Answers

ANSWER = (
    "Digits that look alike lie next to each other: a four turns into a nine as its top closes, and in the "
    "row of sevens the stroke through the stem comes and goes. With a conditional model the class is given, so what is "
    "left for the latent is slant, width and how hard somebody pressed the pen on that day in the census bureau."
)


def test_equal_answers_are_found_and_others_are_not() -> None:
    other = " ".join(reversed(ANSWER.split()))
    texts = {"ada": ANSWER, "bob": ANSWER.replace("pen", "pencil").upper(), "eve": other, "may": "Too short."}
    (group,) = alike_answers(texts)
    assert (group.members, group.what) == (("ada", "bob"), "answers")
    assert alike_answers({"ada": "Too short.", "bob": "Too short."}) == []


def test_answers_are_what_the_student_wrote(tmp_path: Path) -> None:
    released = json.loads((CVAE.root / CVAE.notebook).read_text("utf-8"))
    for name, data in {
        "ada": released | {"cells": [*released["cells"], {"cell_type": "markdown", "source": ["My ", "answer."]}]},
        "bob": released,
        "eve": {"cells": [[[]]]},
    }.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / CVAE.module).write_bytes(b"x = 1\n")
        (tmp_path / name / "cvae.ipynb").write_text(json.dumps(data))
    for name, many in {"max": b"[" * 100_000, "zoe": b'{"cells":[' + b"{}," * 2_000_000 + b"{}]}"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "cvae.ipynb").write_bytes(many)
    answers = Answers(CVAE)
    read_upload(tmp_path, CVAE, visit=answers)
    assert answers.texts == {"ada": "My answer."}


def test_large_outputs_hide_no_answer(tmp_path: Path) -> None:
    output = {"output_type": "display_data", "metadata": {}, "data": {"application/json": [1] * 1_100_000}}
    cells = [
        {"cell_type": "markdown", "source": "My answer."},
        {"cell_type": "code", "source": "", "outputs": [output]},
    ]
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / CVAE.module).write_bytes(b"x = 1\n")
    (tmp_path / "ada" / "cvae.ipynb").write_text(json.dumps({"cells": cells}))
    answers = Answers(CVAE)
    read_upload(tmp_path, CVAE, visit=answers)
    assert answers.texts == {"ada": "My answer."}


def test_examples_in_the_class_itself_are_no_known_modules() -> None:
    assert set(known_modules(CVAE, Path("/nowhere"))) == {"the solution", *(f"examples/{name}" for name in EXAMPLES)}
    assert set(known_modules(CVAE, CVAE.root / "examples")) == {"the solution"}


# Side by side


def test_side_by_side_says_first_what_it_does_not_prove() -> None:
    page = Page(side_by_side(("Ann", ORIGINAL.encode()), ("Ben", ORIGINAL.encode()), BLANK))
    assert page.text.index("What this does not prove") < page.text.index("def sample_latent")
    for reason in ("short", "handout", "idioms", "Study groups", "decides nothing"):
        assert reason in page.text


def test_side_by_side_marks_the_handout_and_what_differs() -> None:
    other = ORIGINAL.replace("eps * std", "noise * std")
    source = side_by_side(("Ann", ORIGINAL.encode()), ("Ben", other.encode()), BLANK)
    assert "<mark>eps</mark>" in source
    assert "<mark>noise</mark>" in source
    page = Page(source)
    assert page.of_class("given") > 2 * 60
    assert page.of_class("own") == 2
    assert page.of_class("same") > 2 * 20


def test_side_by_side_holds_no_tag_or_control_character() -> None:
    hostile = "<script>alert(1)</script></td>\x1b[31m\u202e{{ 7 * 7 }}\x00+\x01 <mark>\n"
    source = side_by_side(("<img src=x>\u202e", hostile.encode()), ("=cmd()", b"\xff" + hostile.encode()), BLANK)
    page = Page(source)
    assert not {"script", "img"} & {tag for tag, _ in page.tags}
    assert "{{ 7 * 7 }}" in page.text
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", source)
    assert "default-src 'none'" in source


def test_side_by_side_is_quick_and_bounded_whatever_the_sources() -> None:
    slow = [("x" * 7 + " y" * number + "\n").encode() * 40 for number in range(400)]
    started = time.process_time()
    source = side_by_side(("a", b"".join(slow)), ("b", b"".join(reversed(slow))), BLANK)
    assert time.process_time() - started < 20
    assert "Long lines and long files are cut." in source


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
def test_side_by_side_fits_the_screen_and_its_own_policy(width: int, browser: Any, tmp_path: Path) -> None:
    long = ORIGINAL + "\n" + "x" * 5000
    source = side_by_side(("Ann " * 40, ORIGINAL.encode()), ("B" * 200, long.encode()), BLANK)
    with opened(browser, source, tmp_path, width) as (page, complaints):
        assert overflow(page) <= 0
    assert complaints == []


# --- sources that were made to cost time ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", HEAVY)
def test_a_heavy_source_is_compared_in_no_time(name: str) -> None:
    sources = {"a": HEAVY[name], "b": HEAVY[name], "c": ORIGINAL.encode()}
    started = time.process_time()
    similar_pairs(sources, BLANK)
    side_by_side(("a", HEAVY[name]), ("b", ORIGINAL.encode()), BLANK)
    assert time.process_time() - started < 3.0


def test_time_grows_with_the_length_alone() -> None:
    def seconds(length: int) -> float:
        started = time.process_time()
        for unit in (b"'''\"", b"f'{", b"\\", b"a.", b"#", b"# coding:", b"'\n", "a\u0301".encode()):
            alike_modules({"a": unit * (length // len(unit))}, BLANK)
        return time.process_time() - started

    assert seconds(120_000) < 8 * seconds(30_000) + 0.1


def test_what_is_too_long_to_be_compared_is_said() -> None:
    padded = ORIGINAL.encode() + b"x = [" + b"1, " * 5000 + b"]\n"
    sources = {"a": ORIGINAL.encode(), "b": padded, "c": ORIGINAL.encode() + b" " * (1 << 18)}
    assert alike_modules(sources, BLANK).too_long == ["b", "c"]
    assert not similar_pairs(sources, BLANK)


# Whole modules


pieces = st.one_of(
    st.sampled_from((BLANK.encode(), b"import torch\n", b"exec(bytes.fromhex('00'))\n", b"x = 1\n" * 2000)),
    st.binary(max_size=40),
    st.binary(min_size=1, max_size=4).map(lambda unit: unit * 40_000),
)


@given(st.lists(st.tuples(st.lists(pieces, max_size=2).map(b"".join), st.integers(1, 3)), max_size=4))
def test_equal_modules_are_in_one_group(copies: list[tuple[bytes, int]]) -> None:
    """All of them, except those that hold nothing that the handout does not."""
    sources = [source for source, times in copies for _ in range(times)]
    named = {f"s{number}": source for number, source in enumerate(sources)}
    groups = [set(group.members) for group in alike_modules(named, BLANK).groups]
    handout = {"", *(" ".join(line.split()) for line in BLANK.split("\n"))}
    for source in set(sources):
        equal = {student for student, each in named.items() if each == source}
        lines = source.decode("utf-8-sig", "replace").replace("\r", "\n").split("\n")
        if len(equal) > 1 and not handout.issuperset(" ".join(line.split()) for line in lines):
            assert any(equal <= group for group in groups)


def test_equal_modules_without_code_to_compare_are_identical() -> None:
    packed = "exec(bytes.fromhex('6f6b').decode())\n"
    earlier = {"2025/ada": packed.encode()}
    (group,) = alike_modules({"a": packed.encode(), "b": packed.encode() + b"\r\n"}, BLANK, earlier=earlier).groups
    assert (group.members, group.outside, group.identical) == (("a", "b"), ("2025/ada",), True)


def test_what_is_too_short_to_be_compared_is_said() -> None:
    sources = {"a": ORIGINAL.encode(), "b": BLANK.encode(), "c": b"exec(bytes.fromhex('6f6b'))\n", "d": b""}
    assert alike_modules(sources, BLANK).too_short == ["c"]
