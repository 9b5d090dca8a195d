"""The submission's network as the checks drive it: built with given sizes, its parameters drawn by the grader.

Which parameters belong to an output is read off the gradients, not off names. Pieces are asked in evaluation mode, so
that dropout and batch normalization do not hide the layers around them.
"""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from autograder.assignments.cvae.assignment import HIDDEN_SIZE, INPUT_DIM, LATENT_DIMENSIONALITY, NUM_CATEGORIES
from autograder.assignments.cvae.checks.layouts import holds_matrix, is_weight, owner_of, weight_normalized
from autograder.grading.harness import Challenge, Grading, close, fail
from autograder.sandbox.client import Reply, Step, Submission
from autograder.sandbox.errors import Raised, SubmissionError, Unfit

CLASS = "ConditionalVariationalAutoencoder"


# The pass that stands in for a forward that was judged to be wrong. No file that a submission can read has it.
PASS = (
    Step("hidden", "encoder", [["images", "conditions"]]),
    Step("means", "mean_layer", [["hidden"]]),
    Step("logvariances", "logvariance_layer", [["hidden"]]),
    Step("latents", "sample_latent", [["means"], ["logvariances"]], on="module"),
    Step("reconstructions", "decoder", [["latents", "conditions"]]),
)
RESULTS = ("reconstructions", "means", "logvariances")
BATCH = 24  # rows of a challenge
ROWS = 4096  # of the statistics that judge a draw that forward makes by itself
SIGMAS = 7.0
MOST = 1e4  # far above the numbers of a right network
GRAY = 0.5  # of the usual weights, for pixels that are neither black nor white
MARGIN = 0.8  # to the numbers of other draws
SHRINKS = tuple(0.9**power for power in range(20))
LAYERS = "encoder", "mean_layer", "logvariance_layer", "decoder"  # the attributes that hold layers
USUAL = 30.0  # at least as large as the numbers of a right encoder
AUDIBLE = 5e-3  # the least share of an output that each part of the input must make: five times the tolerance


@dataclass(frozen=True)
class Spread:
    """How the weights of a piece are drawn: the usual numbers times a factor, plus a center."""

    factor: float = 1.0
    center: float = 0.0


# The likelier first, for layers that scale, square or take the exponential of their weights before they use them.
SPREADS = (*map(Spread, (1, 4, 0.25, 16, 0.06, 64)), Spread(6, -4), Spread(8, -4), Spread(4, -4))


@dataclass(frozen=True)
class Sizes:
    """Constructor arguments."""

    input_dim: int = INPUT_DIM
    num_categories: int = NUM_CATEGORIES
    latent: int = LATENT_DIMENSIONALITY

    def __str__(self) -> str:
        return f"input_dim={self.input_dim}, num_categories={self.num_categories}, latent_dimensionality={self.latent}"

    @classmethod
    def random(cls, challenge: Challenge) -> Sizes:
        """Unusual sizes, all different, so that none can be hard-coded or mistaken for another.

        The pixels are no square number, so that a side which is worked out from them fails with every seed.
        """
        pixels = (20, 21, 22, 23, 24, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35)
        return cls(pixels[challenge.integer(0, len(pixels) - 1)], challenge.integer(3, 6), challenge.integer(7, 12))


class Model:
    """The submission's model, built with `sizes` under the handle "model", its parameters drawn by the grader.

    With `own_start`, everything stays as the constructor left it; for `mean_image`, `scale`, `shrink` and
    `spreads` see `draw_parameters`.
    `missing` are attributes that the constructor has not set, or not to what fits: layers of the grader's stand in for
    them. With `complete`, what the decoder or a head gave stands in for a None among the results of forward. `order` is
    where the three results are among those of forward. With `composed`, a pass of the grader's through the model's
    pieces stands in for forward.
    """

    def __init__(
        self,
        submission: Submission,
        challenge: Challenge,
        sizes: Sizes | None = None,
        mean_image: Tensor | None = None,
        own_start: bool = False,
        scale: float = 1.0,
        missing: Sequence[str] = (),
        complete: bool = False,
        order: Order | None = None,
        composed: bool = False,
        shrink: float = 1.0,
        spreads: Mapping[str, Spread] | None = None,
    ) -> None:
        self.submission, self.sizes = submission, sizes or Sizes()
        self.order = (order if not composed else None) or Order()
        self.handle = "model" if scale == 1 else "large"
        self.shrink, self.spreads = shrink, spreads or {}
        self.relu_before: Sequence[str] = ()  # heads before which forward has the encoder's last ReLU, by its part
        self.head_paths: Mapping[str, str] = {}  # of heads that the encoder's part found elsewhere
        self.head_widths: Mapping[str, int] = {}  # of heads that the encoder's part found to be of another width
        self.misnamed: Raised | None = None  # what building it by the arguments' names raised
        self.lazy: list[str] = []  # parameters that had no shape before the first pass
        self.parameters: dict[str, Tensor] = {}
        self._seed, self._missing, self._composed, self._complete = challenge.seed(), missing, composed, complete
        self._incomplete = self._construct(self._seed)
        self.stopped_late = self._incomplete if self._incomplete and self._has_all() else None  # by this error
        self.frozen, self.unregistered, self.aliased = submission.frozen, submission.unregistered, submission.aliased
        self._stand_in()
        self.late = self._find_late()
        shapes = self._shapes()
        self.other_types = self._find_other_types()
        self._drawn_as = shapes, self.sizes, mean_image, scale, submission.ones
        if not own_start:
            self.draw(challenge, shrink)

    def _construct(self, seed: int) -> SubmissionError | None:
        """Build the model as the notebook does, by the arguments' names; by their order if it does not know the names.

        Returns what the constructor raised half-way.
        """
        pixels, rest = self.sizes.input_dim, (self.sizes.num_categories, self.sizes.latent)
        named = dict(zip(("num_categories", "latent_dimensionality"), rest, strict=True))
        incomplete = self.submission.construct(self.handle, CLASS, pixels, seed=seed, **named)
        unknown = r"__init__\(\) got an unexpected keyword argument '(num_categories|latent_dimensionality)'"
        if not isinstance(incomplete, Raised) or incomplete.line is not None or not re.search(unknown, incomplete.text):
            return incomplete
        self.misnamed = incomplete
        return self.submission.construct(self.handle, CLASS, pixels, *rest, seed=seed)

    def _stand_in(self) -> None:
        """Put the grader's pieces where the model's own are missing."""
        for name in self._missing:
            self.submission.stand_in_layer(self.handle, name, *self._widths(name), sigmoid=name == "decoder")
        if self._composed:
            self.submission.stand_in_pass(self.handle, ("images", "conditions"), PASS, RESULTS)
        elif self._complete:
            self.submission.complete_results(self.handle, ["decoder", "mean_layer", "logvariance_layer"])

    def _has_all(self) -> bool:
        """Whether the constructor has set all layers, or all that forward needs."""
        return all(map(self.has, LAYERS)) or self._answers("", *self._blanks(1))

    def _blanks(self, rows: int) -> tuple[Tensor, Tensor]:
        """Images and conditions of zeros."""
        return torch.zeros(rows, self.sizes.input_dim), torch.zeros(rows, self.sizes.num_categories)

    def _widths(self, name: str) -> tuple[int, int]:
        """What goes into a piece of the network, and what comes out."""
        pixels, classes, latent = self.sizes.input_dim, self.sizes.num_categories, self.sizes.latent
        ends = {"encoder": (pixels + classes, HIDDEN_SIZE), "decoder": (latent + classes, pixels)}
        return ends.get(name, (HIDDEN_SIZE, latent))

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        try:
            shapes = self.submission.parameters(self.handle)
            if self.submission.lazy:
                self.lazy = self.submission.lazy
                with contextlib.suppress(SubmissionError):
                    self.submission.call("", *self._blanks(BATCH), on=self.handle, evaluate=True)
                shapes = self.submission.parameters(self.handle)
        except SubmissionError:
            self.raise_incomplete()
            raise
        return shapes

    def _find_late(self) -> dict[str, str]:
        """The layers that forward makes, so that they can be judged like others, each with what it was before."""
        found = {} if self._incomplete else self.submission.attributes(self.handle, LAYERS)
        before = {name: "None" if kind else "missing" for name, kind in found.items() if kind in (None, "NoneType")}
        if before:
            self._answers("", *self._blanks(1))
        return {name: state for name, state in before.items() if self.has(name)}

    def require_early(self, name: str) -> None:
        """Fail the check for a layer that forward makes."""
        if state := self.late.get(name):
            said = f"Your `self.{name}` is {state} when your constructor ends, and your `forward` makes it."
            fail(said, "layer-made-late")

    def _answers(self, name: str, *arguments: Tensor) -> bool:
        """Whether the model, or an attribute, can be called on these."""
        try:
            self.submission.call(name, *arguments, on=self.handle, evaluate=True)
        except SubmissionError:
            return False
        return True

    def _find_other_types(self) -> dict[str, str]:
        """The pieces that work in another type of numbers and not in float32, each with its type.

        Where forward does not convert between them, these pieces become float32, so that the rest can be judged.
        """
        types, found = self.submission.types, dict[str, str]()
        for name in LAYERS if types else ():
            blank = torch.zeros(1, self._widths(name)[0])
            for each in sorted(set(types.values())):
                if not self._answers(name, blank) and self._answers(name, blank.to(getattr(torch, each))):
                    found[name] = each
        self._converts = not found or self._answers("", *self._blanks(1))
        if not self._converts:
            self.submission.as_float32(self.handle, list(found))
        return found

    def raise_incomplete(self) -> None:
        """Raise what kept the constructor from finishing, if anything did."""
        if self._incomplete is not None:
            raise self._incomplete

    def require(self, *names: str) -> None:
        """The attributes are there; otherwise raise what kept the constructor from setting them."""
        found = self.submission.attributes(self.handle, names)
        missing = [name for name in names if found.get(name) in (None, "NoneType")]
        if missing:
            self.raise_incomplete()
            code = "attribute-missing" if found.get(missing[0]) is None else "attribute-none"
            raise Unfit(code, owner=CLASS, name=missing[0])

    def has(self, name: str) -> bool:
        """Whether the attribute is there and not None."""
        self._restore()
        return self.submission.attributes(self.handle, [name]).get(name) not in (None, "NoneType")

    def head(self, name: str, position: int, inputs: tuple[Tensor, Tensor]) -> str | None:
        """Where the layer is that gives the result of forward at this position, by its dotted name.

        The attribute `name`, a submodule of this name inside another, or what alone this result depends on. None if
        there is none of them.
        """
        if self.has(name):
            return name
        inside = [path for path in self.submodules() if path.endswith(f".{name}")]
        if inside:
            return inside[0]
        try:
            mine, other = (
                self.reached(self.forward(*inputs, 0, reach=[each], evaluate=True)) for each in (position, 3 - position)
            )
        except SubmissionError:
            return None
        owners = {owner_of(key) for key, value in mine.items() if key not in other and is_weight(value.shape)}
        owner = owners.pop() if len(owners) == 1 else ""
        kind = self.submodules().get(owner, "")
        return owner if kind not in ("", "ParameterDict", "ParameterList") else None

    def inputs(self, challenge: Challenge, rows: int = BATCH) -> tuple[Tensor, Tensor]:
        """Random images (rows, input_dim) in [0, 1] and one-hot classes (rows, K)."""
        images = challenge.uniform(0, 1, rows, self.sizes.input_dim)
        return images, challenge.one_hot(rows, self.sizes.num_categories)

    def latents(self, challenge: Challenge, rows: int = BATCH) -> Tensor:
        """Random latents (rows, latent)."""
        return challenge.normal(rows, self.sizes.latent)

    def call(
        self, name: str, *arguments: Tensor, seed: int = 0, reach: Sequence[int] = (), evaluate: bool = False
    ) -> Reply:
        """Call an attribute of the model, or a submodule by its dotted name."""
        self._restore()
        if self._converts and name in self.other_types:
            arguments = tuple(each.to(getattr(torch, self.other_types[name])) for each in arguments)
        rows = len(arguments[0])  # a piece of a network gives a row for each
        return self.submission.call(
            name, *arguments, on=self.handle, seed=seed, reach=reach, evaluate=evaluate, rows=rows
        )

    def draw(self, challenge: Challenge, shrink: float) -> None:
        """Give the model other parameters, drawn as the first ones were."""
        shapes, sizes, mean_image, scale, gains = self._drawn_as
        drawn = draw_parameters(shapes, sizes, challenge, mean_image, scale, gains, shrink, self.spreads)
        self.set(drawn)

    def set(self, parameters: dict[str, Tensor]) -> None:
        """Give the model these parameters."""
        self.parameters = parameters
        self.submission.set_parameters(self.handle, parameters)

    @contextlib.contextmanager
    def changed(self, parameters: dict[str, Tensor]) -> Iterator[None]:
        """Some other parameters, for as long as this lasts."""
        before = self.parameters
        self.set(before | parameters)
        yield
        self.set(before)

    def _restore(self) -> None:
        """Build the model again if its process has ended. Set its parameters again after that, or where it has layers
        in common with another one, which may have been set meanwhile.
        """
        lost = not self.submission.holds(self.handle)
        if lost:
            self._construct(self._seed)
            self._stand_in()
        if self.parameters and (lost or self.submission.shared):
            self.set(self.parameters)

    def piece(self, name: str, *arguments: Tensor) -> Piece | None:
        """An attribute called in evaluation mode, with the parameters that its output depends on; None if that fails.

        Several arguments count as one: the matrix of their columns.
        """
        try:
            reply = self.call(name, *arguments, reach=[0], evaluate=True)
            return Piece(name, reply.outputs[0], self.reached(reply), torch.cat(arguments, -1), arguments)
        except SubmissionError:
            return None

    def submodules(self, name: str = "") -> dict[str, str]:
        """The submodules, or those of an attribute, by dotted name, with their types: the submission's word."""
        try:
            found = self.submission.submodules(self.handle)
        except SubmissionError:
            return {}
        return {path: kind for path, kind in found.items() if not name or path == name or path.startswith(f"{name}.")}

    def reached(self, reply: Reply) -> dict[str, Tensor]:
        """The parameters that a call reached, in the order of their registration."""
        names = set(reply.reached)
        return {name: value for name, value in self.parameters.items() if name in names}

    def forward(
        self,
        images: Tensor,
        conditions: Tensor,
        seed: int | None,
        cotangents: dict[int, Tensor] | None = None,
        reach: Sequence[int] = (),
        capture: Sequence[str] = (),
        evaluate: bool = False,
        gradients: bool = False,
    ) -> Reply:
        """Call the model; Unfit unless it returns as many tensors as are known. The reply has the three in order."""
        at = self.order.positions
        self._restore()
        try:
            reply = self.submission.call(
                "",
                images,
                conditions,
                on=self.handle,
                seed=seed,
                cotangents={at[index]: each for index, each in (cotangents or {}).items()},
                reach=[at[index] for index in reach],
                results=self.order.count,
                unpack=self.order.unpack,
                capture=capture,
                evaluate=evaluate,
                gradients=gradients,
            )
            if reply.packing and len(reply.outputs) != self.order.count:  # the count is from another call
                raise reply.packing
            return replace(reply, outputs=[reply.outputs[each] for each in at])
        except Unfit as error:
            if error.code == "result-count":  # which may have been counted with more
                raise Unfit(error.code, **error.fields | {"expected": len(RESULTS)}) from None
            raise
        except Raised as error:
            if error.kind != "NotImplementedError":
                self.raise_incomplete()
            raise


def constant_heads(grading: Grading) -> list[str]:
    """The head that was found to be the same for every input, which has cost its check; none if both are."""
    found: list[str] = grading.kept.get("constant heads", [])
    return found if len(found) == 1 else []


def left_out(grading: Grading) -> dict[str, Any]:
    """What earlier checks have charged as missing or unfit, as arguments of `Model`, so that the rest can be judged."""
    return {
        "missing": [*grading.kept.get("missing heads", ()), *grading.kept.get("unfit pieces", ())],
        "complete": "None among the results" in grading.kept,
        "order": grading.kept.get("order of results"),
        **drawn_as(grading),
    }


def shrink_of(grading: Grading) -> float:
    """By what parameters are multiplied, so that the numbers of a network that would overflow stay finite."""
    shrink: float = grading.kept.get("shrink", 1.0)
    return shrink


def drawn_as(grading: Grading) -> dict[str, Any]:
    """How the parameters of each model are drawn, by what earlier checks have found, as arguments of `Model`."""
    return {"shrink": shrink_of(grading), "spreads": grading.kept.get("spreads", {})}


def find_spread(model: Model, grading: Grading, challenge: Challenge, name: str, data: Tensor, classes: Tensor) -> bool:
    """Draw the weights of a piece so that its output depends on its data and on its class; kept for later models.

    True if they are other weights than before.

    Layers that change their weights before they use them can make a piece deaf to its input, as the grader draws them.
    Then nothing shows of what is right with the piece, or with forward.
    """
    parts = (data, classes), (data.roll(1, 0), classes), (data, classes.roll(1, 1))

    def responds() -> bool:
        output, *others = (in_rows(model.call(name, concatenate(*each), evaluate=True).outputs[0]) for each in parts)
        return not any(close(each, output, AUDIBLE) for each in others)

    before = model.parameters, model.spreads
    with contextlib.suppress(SubmissionError):
        for spread in SPREADS:
            if spread != SPREADS[0]:
                model.spreads = {**before[1], name: spread}
                model.draw(challenge, model.shrink)
            if responds():
                grading.kept["spreads"] = model.spreads
                return spread != SPREADS[0]
    if model.spreads != before[1]:
        model.spreads = before[1]
        model.set(before[0])
    return False


def calm_heads(grading: Grading, encoded: Tensor) -> None:
    """Draw the weights of the heads smaller where an encoder gives large numbers, so that no draw overflows."""
    most = float(encoded.abs().max()) if encoded.numel() else 0.0
    if USUAL < most < math.inf:
        heads = dict.fromkeys(("mean_layer", "logvariance_layer"), Spread(USUAL / most))
        grading.kept["spreads"] = {**grading.kept.get("spreads", {}), **heads}


def find_shrink(model: Model, grading: Grading, name: str, *arguments: Tensor, most: float) -> float:
    """By what to multiply the parameters so that no output of a piece is above `most`; kept for later models.

    Another activation than ReLU can make a network overflow. What is wrong with it, and with forward, shows only where
    its numbers are finite. It is 1 for a piece that is never so, or that cannot be called.
    """
    before, found = model.parameters, shrink_of(grading)
    with contextlib.suppress(SubmissionError):
        for shrink in (found, *(each for each in SHRINKS if each < found)):
            try:
                outputs: list[Tensor] = []
                for number in range(6):
                    model.draw(Challenge(grading.seed, f"{name} {number}"), shrink)
                    outputs += model.call(name, *arguments, evaluate=True).outputs
            except Raised:
                continue  # perhaps an assert on such numbers
            if all(bool((each.float().abs() <= most).all()) for each in outputs if each.is_floating_point()):
                grading.kept["shrink"] = found if shrink == found else MARGIN * shrink
                break
    model.set(before)
    return shrink_of(grading)


def stood_in(given: Mapping[str, Any], where: str) -> tuple[list[str], list[str]]:
    """For a `Model` with these arguments, what to say there of its networks that are the grader's; the other pieces."""
    networks, others = _of_the_graders(given)
    return _single_layers(networks, where), others


def tell_stand_ins(given: Mapping[str, Any], grading: Grading) -> None:
    """Let the part's notes say for which pieces a `Model` with these arguments uses the grader's."""
    networks, others = _of_the_graders(given)
    grading.replaced += _single_layers(networks, grading.where)
    grading.stand_ins += others  # which one sentence names, together with functions


def _of_the_graders(given: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """The networks, and the heads and methods."""
    missing = dict.fromkeys(given.get("missing", ()))
    networks = [name for name in missing if name in ("encoder", "decoder")]
    return networks, [name for name in missing if name not in networks] + ["forward"] * bool(given.get("composed"))


def _single_layers(networks: Iterable[str], where: str) -> list[str]:
    said = "the grader used a single layer in place of your"
    return [f"{where}, {said} `{name}`, which does not pass yet." for name in networks]


@dataclass(frozen=True)
class Order:
    """Where reconstruction, means and log-variances are among the results of forward, and how many these are.

    With `unpack`, they are in another container than a tuple, or in several.
    """

    positions: tuple[int, int, int] = (0, 1, 2)
    count: int = 3
    unpack: bool = False


@dataclass
class Piece:
    """What part of a model gave for an input, and the parameters that it depends on, by name."""

    name: str
    output: Tensor
    parameters: dict[str, Tensor]
    input: Tensor  # the columns of all arguments
    arguments: tuple[Tensor, ...]

    @property
    def has_layer(self) -> bool:
        """Whether a matrix of parameters stands behind the output."""
        return any(holds_matrix(each.shape) for each in self.parameters.values())


def concatenate(data: Tensor, classes: Tensor) -> Tensor:
    """[data | one-hot classes], row by row."""
    return torch.cat((data, classes), -1)


def side_by_side(tensors: Sequence[Tensor]) -> Tensor | None:
    """The columns of all; None unless they are matrices with as many rows. What was captured can have any shape."""
    if not tensors or any(each.dim() != 2 or len(each) != len(tensors[0]) for each in tensors):
        return None
    return torch.cat(tuple(tensors), -1)


def in_shape(latents: Tensor, shape: Sequence[int]) -> Tensor:
    """The (N, D) numbers of latents in another layout: with axes of size 1 or without, transposed, or in one line.

    Other tensors come back as they are.
    """
    found, own = ([each for each in sizes if each > 1] for sizes in (latents.shape, shape))
    if found in (own, [math.prod(shape)]):
        return latents.reshape(tuple(shape))
    return latents.reshape(shape[1], shape[0]).T if found == own[::-1] else latents


def layout_in(result: Sequence[int], shape: Sequence[int]) -> Callable[[Tensor], Tensor]:
    """What lays out any rows of latents as a result of this shape does a matrix of another, whose sizes differ."""

    def lay_out(latents: Tensor) -> Tensor:
        sizes = dict(zip(shape, latents.shape, strict=True))
        if not set(shape) <= set(result):
            return latents.flatten()
        turned = [each for each in result if each in sizes] != [*shape]
        return (latents.T if turned else latents).reshape([sizes.get(each, 1) for each in result])

    return lay_out


def is_draw(latents: Tensor, means: Tensor, logvariances: Tensor) -> bool:
    """Whether (N, D) latents are draws from these means and log-variances, by center and spread of every column."""
    noise, error = (latents - means) / torch.exp(0.5 * logvariances), SIGMAS / len(latents) ** 0.5
    return bool((noise.mean(0).abs() <= error).all()) and bool(((noise.std(0) - 1).abs() <= error / 2**0.5).all())


def in_rows(output: Tensor) -> Tensor:
    """(rows, everything else): an image a row in one line, a number a row as a column."""
    return output.flatten(1) if output.dim() > 1 else output[:, None]


def draw_parameters(
    shapes: Mapping[str, Sequence[int]],
    sizes: Sizes,
    challenge: Challenge,
    mean_image: Tensor | None = None,
    scale: float = 1.0,
    gains: Collection[str] = (),
    shrink: float = 1.0,
    spreads: Mapping[str, Spread] | None = None,
) -> dict[str, Tensor]:
    """Random parameters of these shapes.

    Of a layer that holds no matrix, the weight is 1 and the bias 0, so that a normalization passes on what it gets; so
    are the `gains`, which were 1 before and can have any name.
    With another `scale`, hidden values are so many times larger, and what leaves the network is not. All that is drawn
    is multiplied by `shrink`, and the weights of a piece are spread as in `spreads`, by its name.

    Weights get the scale that keeps activations alive through ReLU layers, biases one that shows. With the (input_dim,)
    mean image of what will be trained on, any network starts calmly, one without ReLUs or of another width as well:
    the weights are smaller, the heads' much smaller, the biases zero, but for those of the pixels, which start at the
    mean image so that no step is spent on it.
    """
    gain, bias_scale = (2.0, 0.4 * shrink) if mean_image is None else (1.0, 0.0)
    with_matrix = {owner_of(name) for name, shape in shapes.items() if len(shape) == 2 or holds_matrix(shape)}
    pixel_biases = None if mean_image is None else mean_image.clamp(0.01, 0.99).logit()
    outward = (sizes.input_dim, sizes.latent)  # what layers that lead out of the hidden ones give
    parameters = {}
    for name, shape in shapes.items():
        numbers = challenge.normal(*shape)
        if name in gains and (owner_of(name) not in with_matrix or not name.endswith("bias")):
            parameters[name] = torch.ones(tuple(shape))
        elif owner_of(name) not in with_matrix and re.search(r"(^|\.)(weight|bias)$", name) and len(shape) < 2:
            slope = 0.25 if math.prod(shape) == 1 else 1.0  # one number is the slope of a PReLU
            parameters[name] = torch.full(tuple(shape), slope if name.endswith("weight") else 0.0)
        elif pixel_biases is not None and not is_weight(shape) and math.prod(shape) == sizes.input_dim:
            parameters[name] = pixel_biases.reshape(shape)
        elif holds_matrix(shape):
            inputs = fan_in(shape, sizes)
            spread = shrink * (gain / inputs) ** 0.5
            spread *= 0.1 if mean_image is not None and sizes.latent in shape else 1.0
            if inputs != HIDDEN_SIZE:
                spread *= scale
            elif any(size in shape for size in outward):
                spread /= scale
            own = (spreads or {}).get(name.partition(".")[0], SPREADS[0])
            parameters[name] = own.factor * spread * numbers + own.center
            if pixel_biases is not None and sorted(shape) == sorted((HIDDEN_SIZE + 1, sizes.input_dim)):
                rows = parameters[name] if shape[0] == HIDDEN_SIZE + 1 else parameters[name].T  # the bias among them
                rows[-1] = pixel_biases
        else:
            grows = math.prod(shape) not in outward
            parameters[name] = bias_scale * (scale if grows else 1.0) * numbers
    for name, of in weight_normalized(shapes).items():  # so that the layer's weight is the direction as it is
        parameters[name] = parameters[of].square().sum_to_size(tuple(shapes[name])).sqrt()
    return parameters


def fan_in(shape: Sequence[int], sizes: Sizes) -> int:
    """The number of inputs of a weight, whether it is stored as (out, in) or as (in, out), with its bias or without."""
    inputs = sizes.input_dim + sizes.num_categories, sizes.latent + sizes.num_categories
    return next((size for size in shape if size in inputs or size - 1 in inputs), HIDDEN_SIZE)
