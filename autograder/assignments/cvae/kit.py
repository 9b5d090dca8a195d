"""What is made for the students' kit: the drawn digits, and the table of hints that the public checks look up.

The table holds what the public checks observe where a mistake of the bank is made, on the inputs and weights that they
give. So the notebook says what grading says, and nothing in the kit computes what is right.
"""

import functools
import importlib.util
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from autograder.assignments.cvae import assignment
from autograder.assignments.cvae.assignment import ASSIGNMENT
from autograder.assignments.cvae.digits import write_mnist
from autograder.assignments.cvae.hints.bank import CLOSER
from autograder.assignments.cvae.hints.draws import DRAWS
from autograder.assignments.cvae.hints.loss import DIVERGENCES, RECONSTRUCTIONS, REDUCTIONS, Term
from autograder.assignments.cvae.hints.network import (
    ACTIVATIONS,
    HEAD_ACTIVATIONS,
    OUTPUT_ACTIVATIONS,
    Activation,
    hidden_activations,
)
from autograder.grading import errors, hints
from autograder.report.summary import listed

Row = tuple[list[float], list[str], str]  # what is observed, the mistakes behind it, and what to say of it


def data(train_digits: int = 6000, test_digits: int = 1000) -> dict[str, bytes]:
    """So many drawn digits, in the files that torchvision reads, by their path in the kit."""
    with tempfile.TemporaryDirectory() as folder:
        digits = write_mnist(Path(folder), train_digits, test_digits)
        return {
            f"{ASSIGNMENT.data_folder}/{path.relative_to(digits).as_posix()}": path.read_bytes()
            for path in sorted(digits.rglob("*-ubyte"))
        }


def course_data() -> dict[str, bytes]:
    """Enough for the notebook's short run: in a course, every submission holds a copy."""
    return data(2000, 200)


# The table of hints -----------------------------------------------------------------------------------------------


def table_of_hints() -> str:
    """The text of hints.json, from the bank and the constants as they are now."""
    checks = _check_tools()
    known = hints.bank(ASSIGNMENT)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # on a busy machine, more of them make such small matrices a hundred times slower
    try:
        numbers = {
            "encoder": _encoder(checks),
            "decoder": _decoder(checks),
            "sample_latent": _draws(checks),
            "forward": _forward(checks),
            "network": [_network(checks)],
            "loss_function": _loss(checks),
        }
    finally:
        torch.set_num_threads(threads)
    table = {
        "seed": assignment.SEED,
        "sizes": _sizes(),
        "interface": list(ASSIGNMENT.interface),
        **numbers,
        "parts": {name: each.part for name, each in known.items()},
        "errors": errors.patterns(ASSIGNMENT),
        "closer": CLOSER,
        "hints": {
            name: (hint.title, hint.text) for name, hint in ((name, hints.hint(ASSIGNMENT, name)) for name in known)
        },
    }
    return "{\n" + ",\n".join(f'"{name}": {_lines(value)}' for name, value in table.items()) + "\n}\n"


def _lines(value: Any, depth: int = 0) -> str:
    """JSON with a line for each row and each hint."""
    if depth < 2 and isinstance(value, dict) and value:
        inside = (f"{json.dumps(name)}: {_lines(each, depth + 1)}" for name, each in value.items())
        return "{\n" + ",\n".join(inside) + "\n}"
    if isinstance(value, list) and value and isinstance(value[0], (list, tuple)):
        return "[\n" + ",\n".join(json.dumps(each, ensure_ascii=False) for each in value) + "\n]"
    return json.dumps(value, ensure_ascii=False)


def _check_tools() -> ModuleType:
    """What the public checks are written with: the inputs and weights that they give, and what they observe."""
    path = ASSIGNMENT.root / ASSIGNMENT.kit_files["check_tools.py"]
    spec = importlib.util.spec_from_file_location("check_tools_for_the_table", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    names, drawn = vars(module), module.numbers
    names["table"] = lambda: {"sizes": _sizes()}  # which is all of the table that they need here
    names["numbers"] = functools.cache(lambda *shape: drawn(*shape).double())  # so that no rounding differs elsewhere
    return module


def _sizes() -> dict[str, int]:
    return {
        "input_dim": assignment.INPUT_DIM,
        "num_categories": assignment.NUM_CATEGORIES,
        "latent_dimensionality": assignment.LATENT_DIMENSIONALITY,
        "hidden_size": assignment.HIDDEN_SIZE,
    }


def _linear(checks: ModuleType, outputs: int, scale: float = 1.0) -> Activation:
    """A linear layer with the weights that the checks write into one of these sizes."""

    def run(x: Tensor) -> Tensor:
        return F.linear(x, scale * checks.planted((outputs, x.shape[-1])), scale * checks.planted((outputs,)))

    return run


def _stack(checks: ModuleType, activations: Iterable[str], x: Tensor) -> Tensor:
    for name in activations:
        x = _KNOWN[name](_linear(checks, assignment.HIDDEN_SIZE)(x))
    return x


_RIGHT = ("ReLU",) * 3
# Activations with a number in them, which grading fits: the usual ones.
_MORE: dict[str, Activation] = {
    **{
        f"leaky ReLU with slope {slope}": functools.partial(F.leaky_relu, negative_slope=slope)
        for slope in (0.05, 0.1, 0.2, 0.3)
    },
    **{f"ReLU cut off at {cap}": functools.partial(torch.clamp, min=0, max=cap) for cap in (1, 6, 20)},
    "Mish": F.mish,
    "Hardswish": F.hardswish,
    "SELU": F.selu,
}
_KNOWN: dict[str, Activation] = {**_MORE, **ACTIVATIONS}


def _bodies(part: str) -> Iterator[tuple[tuple[str, ...], list[str], str]]:
    """Ways to follow three linear layers by activations, the mistakes in it, and what to say of it."""
    more = ((name,) * 3 for name in _MORE)
    for names in sorted({*hidden_activations(3), *more}, key=lambda names: (names != _RIGHT, names)):
        without = [str(index + 1) for index, name in enumerate(names) if name == "none"]
        other = next((name for name in names if name not in ("ReLU", "none")), None)
        if names == _RIGHT:
            yield names, [], ""
        elif other:
            said = f"The hidden layers of your {part} are followed by {other}; the assignment asks for ReLU."
            yield names, [f"{part}-activation"], said
        else:
            last = part == "encoder" and without == ["3"]
            layers = f"linear layer{'s' * (len(without) > 1)} {listed(without)}"
            said = f"No ReLU acts on the output of {layers} of your {part}."
            yield names, ["encoder-missing-last-relu" if last else f"{part}-missing-relu"], said


def _encoder(checks: ModuleType) -> dict[str, list[Row]]:
    joined, plain = (torch.cat(each, -1) for each in (checks.given_to("encoder"), checks.images_and_classes()))
    given = checks.given_to_heads()
    mean = _linear(checks, assignment.LATENT_DIMENSIONALITY)
    logvariance = _linear(checks, assignment.LATENT_DIMENSIONALITY, -0.5)
    alone, means = list[Row](), list[Row]()
    for names, mistakes, said in _bodies("encoder"):
        alone.append((checks.at_both_scales(_stack(checks, names, joined)), mistakes, said))
        in_forward = checks.summary(mean(_stack(checks, names, plain)))
        if not means or in_forward != means[0][0]:  # images are too small for some limits to show
            means.append((in_forward, mistakes, said))
    return {
        "alone": alone,
        "means": means,
        "mean_layer": [*_heads(checks, mean(given), "mean-head-activated")],
        "logvariance_layer": [*_heads(checks, logvariance(given), "logvariance-head-activated")],
    }


def _heads(checks: ModuleType, linear: Tensor, mistake: str) -> Iterator[Row]:
    for name, activation in HEAD_ACTIVATIONS.items():
        right = name == "none"
        yield (
            checks.at_both_scales(activation(linear)),
            [] if right else [mistake],
            "" if right else f"passes through {name}",
        )


def _decoder(checks: ModuleType) -> dict[str, list[Row]]:
    joined = torch.cat(checks.given_to("decoder"), -1)
    last = _linear(checks, assignment.INPUT_DIM)
    whole = [
        (checks.at_both_scales(OUTPUT_ACTIVATIONS[tail](last(_stack(checks, names, joined)))), mistakes, said)
        for names, mistakes, said in _bodies("decoder")
        for tail in (OUTPUT_ACTIVATIONS if names == _RIGHT else ("sigmoid", "none"))
    ]
    grid = torch.linspace(-4, 4, assignment.INPUT_DIM).repeat(checks.ROWS, 1)
    named = {"sigmoid": [], "none": ["decoder-no-sigmoid"], "two sigmoids": ["decoder-sigmoid-twice"],
             "ReLU, then sigmoid": ["decoder-relu-before-sigmoid"]}  # fmt: skip
    output = []
    for tail, activation in OUTPUT_ACTIVATIONS.items():
        said = "it has no sigmoid" if tail == "none" else f"it ends in {tail}"
        output.append((checks.summary(activation(grid)), named.get(tail, ["decoder-output-activation"]), said))
    return {"whole": whole, "output": output}


def _draws(checks: ModuleType) -> list[tuple[list[list[float]], list[str], str]]:
    means, logvariances = torch.tensor(checks.MEANS), torch.tensor(checks.LOGVARIANCES)
    quantiles = torch.special.ndtri((torch.arange(4096, dtype=torch.float64) + 0.5) / 4096)
    noise = (quantiles / quantiles.std())[:, None].expand(-1, len(means))
    given = means.double().expand_as(noise), logvariances.double().expand_as(noise), noise
    right = given[0] + (0.5 * given[1]).exp() * noise
    return [
        (checks.centers_and_spreads(right), [], ""),
        *((checks.centers_and_spreads(wrong.predict(*given)), [wrong.mistake], "") for wrong in DRAWS),
    ]


def _network(checks: ModuleType) -> Row:
    """What the whole network gives with the checks' weights and their stand-in for the draw."""
    images, classes = checks.images_and_classes()
    hidden = _stack(checks, _RIGHT, torch.cat((images, classes), -1))
    means = _linear(checks, assignment.LATENT_DIMENSIONALITY)(hidden)
    logvariances = _linear(checks, assignment.LATENT_DIMENSIONALITY, -0.5)(hidden)
    latents = checks.known_draw(means, logvariances)
    decoded = _linear(checks, assignment.INPUT_DIM)(_stack(checks, _RIGHT, torch.cat((latents, classes), -1))).sigmoid()
    return checks.summary(decoded, means, logvariances), [], ""


_CHANGED: dict[str, Activation] = {
    "standard deviations": lambda v: (0.5 * v).exp(),
    "variances": torch.exp,
    "their halves": lambda v: v / 2,
}


def _cat(data: Tensor, classes: Tensor) -> Tensor:
    return torch.cat((data, classes), -1)


def _flip(data: Tensor, classes: Tensor) -> Tensor:
    return torch.cat((classes, data), -1)


def _blank(data: Tensor, classes: Tensor) -> Tensor:
    return torch.cat((data, 0 * classes), -1)


def _alone(data: Tensor, _: Tensor) -> Tensor:
    return data


def _forward(checks: ModuleType) -> list[Row]:
    """What forward gives with the checks' stand-ins for all that it calls, right and with each mistake."""
    images, classes = checks.images_and_classes()

    def call(name: str, x: Tensor) -> Tensor:
        found: Tensor = checks.layer(name, x)
        return found

    def run(
        to_encoder: Callable[[Tensor, Tensor], Tensor] = _cat,
        heads: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]] = lambda m, v: (m, v),
        draw: Callable[[Tensor, Tensor], Tensor] = checks.known_draw,
        to_decoder: Callable[[Tensor, Tensor], Tensor] = _cat,
        give: Callable[[Tensor, Tensor, Tensor, Tensor], tuple[Tensor, ...]] = lambda r, m, v, z: (r, m, v),
    ) -> list[float]:
        hidden = call("encoder", to_encoder(images, classes))
        means, logvariances = heads(call("mean_layer", hidden), call("logvariance_layer", hidden))
        latents = draw(means, logvariances)
        decoded = call("decoder", to_decoder(latents, classes))
        found: list[float] = checks.summary(*give(decoded, means, logvariances, latents))
        return found

    known = checks.known_draw
    wrong = [
        ("condition-first", "Your encoder gets [one-hot | image] instead of [image | one-hot].", run(_flip)),
        ("condition-first", "Your decoder gets [one-hot | latent] instead of [latent | one-hot].",
         run(to_decoder=_flip)),
        ("condition-first", "Your encoder and your decoder get the class first.", run(_flip, to_decoder=_flip)),
        ("mean-instead-of-sample", "Your decoder gets the means instead of a draw.", run(draw=lambda m, v: m)),
        ("logvariance-instead-of-sample", "Your decoder gets the log-variances instead of a draw.",
         run(draw=lambda m, v: v)),
        ("no-draw-in-forward", "Your decoder gets zeros instead of a draw.", run(draw=lambda m, v: 0 * m)),
        ("sample-arguments-swapped", "Your `sample_latent` gets the log-variances where it expects the means.",
         run(draw=lambda m, v: known(v, m))),
        ("latent-returned", "Your second result is the draw, not the means.", run(give=lambda r, m, v, z: (r, z, v))),
    ]  # fmt: skip
    for no_class in (_blank, _alone):
        wrong += [
            ("condition-missing", "Your encoder gets the image without its class.", run(no_class)),
            ("condition-missing", "Your decoder gets the latent without the class.", run(to_decoder=no_class)),
            ("condition-missing", "Your encoder and your decoder get no class.", run(no_class, to_decoder=no_class)),
        ]
    for swapped in (run(heads=lambda m, v: (v, m)), run(give=lambda r, m, v, z: (r, v, m))):
        said = "Your second result comes from `logvariance_layer`, and your third from `mean_layer`."
        wrong.append(("heads-swapped", said, swapped))
    twice = (lambda m, v: (m, m)), (lambda m, v: (v, v))
    for same in (*(run(heads=each) for each in twice), run(give=lambda r, m, v, z: (r, m, m))):
        wrong.append(("one-head-twice", "Your means and log-variances come from the same head.", same))
    for what, change in _CHANGED.items():
        said = f"Your `sample_latent` gets {what} where it expects log-variances."
        wrong.append(("sample-arguments-changed", said, run(draw=lambda m, v: known(m, change(v)))))  # noqa: B023
    wrong += _activated(run)
    return [(run(), [], ""), *((observed, [mistake], said) for mistake, said, observed in wrong)]


def _activated(run: Callable[..., list[float]]) -> Iterator[tuple[str, str, list[float]]]:
    """What forward gives where it passes a result through an activation, as `run` of _forward tells."""
    for name, act in HEAD_ACTIVATIONS.items():
        if name != "none":
            means, logvariances = (
                (f"{head}-head-activated", f"Your `forward` passes the output of `{layer}` through {name}.")
                for head, layer in (("mean", "mean_layer"), ("logvariance", "logvariance_layer"))
            )
            yield *means, run(heads=lambda m, v: (act(m), v))  # noqa: B023
            yield *logvariances, run(heads=lambda m, v: (m, act(v)))  # noqa: B023
            drawn = "Your `forward` draws from what `{}` gives, but returns it passed through {}."
            returned = [("result-changed", drawn.format(layer, name)) for layer in ("mean_layer", "logvariance_layer")]
            yield *returned[0], run(give=lambda r, m, v, z: (r, act(m), v))  # noqa: B023
            yield *returned[1], run(give=lambda r, m, v, z: (r, m, act(v)))  # noqa: B023
    for name, act in OUTPUT_ACTIVATIONS.items():
        if name != "none":
            said = f"Your `forward` passes the decoder's output through {name}."
            yield "reconstruction-changed", said, run(give=lambda r, m, v, z: (act(r), m, v))  # noqa: B023


def _weighted_divergences() -> Iterator[Term]:
    """Divergences with a wrong sign or weight inside."""
    for weights in product((1.0, -1.0, 2.0, 0.5), repeat=3):
        off = [name for name, weight in zip(("logvariance", "mean", "variance"), weights, strict=True) if weight != 1]
        signs = set(weights) == {1.0, -1.0}
        if signs or (len(off) == 1 and min(weights) > 0):
            yield Term(("kl-term-sign" if signs else f"kl-{off[0]}-weight",), functools.partial(_divergence, weights))


def _divergence(weights: tuple[float, ...], mu: Tensor, logvar: Tensor) -> Tensor:
    a, b, c = weights
    return 0.5 * (c * logvar.exp() + b * mu.square() - 1 - a * logvar).sum(-1)


_pixels_written_in = Term(
    ("pixels-written-in",), lambda r, x: assignment.INPUT_DIM / r.shape[-1] * RECONSTRUCTIONS[0].predict(r, x)
)


def _loss(checks: ModuleType) -> dict[str, Any]:
    example = [
        torch.tensor(each).sigmoid().reshape(1, 4)
        for each in (assignment.EXAMPLE_RECONSTRUCTION_LOGITS, assignment.EXAMPLE_ORIGINAL_LOGITS)
    ]
    latent = assignment.LATENT_DIMENSIONALITY
    inputs = [*checks.loss_inputs(assignment.INPUT_DIM), (*example, torch.ones(1, latent), torch.zeros(1, latent))]
    inputs = [tuple(each.double() for each in one) for one in inputs]

    def number(value: Tensor | float) -> float | None:
        return float(f"{float(value):.8g}") if abs(float(value)) < float("inf") else None

    def total(*arguments: Tensor) -> Tensor:
        return RECONSTRUCTIONS[0].predict(*arguments[:2]).sum() + DIVERGENCES[0].predict(*arguments[2:]).sum()

    one = tuple(each[:1] for each in inputs[2])
    rows = {
        "reconstructions": ((*RECONSTRUCTIONS, _pixels_written_in), 0),
        "divergences": ((*DIVERGENCES, *_weighted_divergences()), 2),
    }
    return {
        **{
            name: [
                (list(each.mistakes), [number(each.predict(*arguments[at : at + 2]).sum()) for arguments in inputs])
                for each in terms
            ]
            for name, (terms, at) in rows.items()
        },
        "averages": [
            (list(each.mistakes), [each.weights(len(m), x.shape[-1], m.shape[-1]) for _, x, m, _ in inputs])
            for each in REDUCTIONS
        ],
        "changes": [number(total(*one) - total(*other)) for other in checks.changes(one)],
        "extremes": [number(total(*first) - total(*second)) for first, second in checks.extremes(one)],
        "example": {
            "logits": [assignment.EXAMPLE_RECONSTRUCTION_LOGITS, assignment.EXAMPLE_ORIGINAL_LOGITS],
            "value": number(total(*inputs[-1])),
        },
    }
