"""Say what is wrong with a piece of the submission's network: each function here fails a check, or lets it pass."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from itertools import pairwise
from typing import NoReturn

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from autograder.assignments.cvae.assignment import HIDDEN_SIZE
from autograder.assignments.cvae.checks.layouts import holds_matrix, is_weight, owner_of, shapes_of, weight_normalized
from autograder.assignments.cvae.checks.network import BATCH, Model, Piece, in_rows
from autograder.assignments.cvae.checks.recognition import end_differs_by_mode, identity, mixes_rows, rescaled
from autograder.assignments.cvae.checks.stacks import Match
from autograder.assignments.cvae.hints.network import ACTIVATIONS, INPUT_CHANGES
from autograder.grading.harness import Grading, close, fail
from autograder.report.summary import listed
from autograder.sandbox.errors import SubmissionError

DEPTHS = {"encoder": 3, "decoder": 4}  # linear layers
MUCH = 4.0  # of what goes into a normalization, which makes no difference to what comes out
CHANGED = "Your {part} changes the numbers that it gets before its first layer:"
ORDINALS = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth"}


def said_of_place(place: int) -> str:
    """Which layer it is, counted from 1, for a message."""
    return ORDINALS.get(place, f"{place}th")


def first_few(names: Sequence[str]) -> str:
    """Some names of parameters, for a message."""
    return ", ".join(names[:4]) + " and others" * (len(names) > 4)


def describe_layers(model: Model, match: Match, piece: Piece | None, part: str, depth: int, grading: Grading) -> None:
    """Fail the check if the stack has another depth or another width than the assignment's, or no biases."""
    if not match.layers:
        describe_unexplained(model, piece, part)
    require_gradients(model, match, piece, part, grading)
    require_trained(model, list(piece.parameters) if piece else [], part, grading)
    if match.twice:
        fail(
            f"Your {part} uses its {said_of_place(match.twice)} linear layer twice; the assignment "
            f"asks for {depth} different layers.",
            f"{part}-layer-twice",
        )
    if match.of_class and piece is not None:
        require_together(model, piece, part)
        sizes = [f"{taken}→{given}" for given, taken in linear_layers(model, piece).values()]
        count = match.depth + sum(is_weight(piece.parameters[name].shape) for name in match.of_class)
        shown = f" ({', '.join(sizes)})" if len(sizes) == count else ""
        alone = f"{count - match.depth} take{'s' * (count - match.depth == 1)} the class alone"
        fail(
            f"Your {part} has {count} linear layers{shown}, of which {alone}; the assignment asks for {depth}.",
            f"{part}-depth",
        )
    if match.depth != depth and match.hidden is None:
        found = f"{match.depth} weight matrices act on the output of your {part}"
        fail(f"{found}; the assignment asks for {depth} layers.", f"{part}-other")
    if match.depth != depth:
        registered = sum(key.startswith(f"{part}.") and is_weight(each.shape) for key, each in model.parameters.items())
        acting = f", of which {match.depth} act on its output" if registered == depth > match.depth else ""
        count = depth if acting else match.depth
        fail(
            f"Your {part} has {count} linear layer{'s' * (count != 1)}{acting}; the assignment asks for {depth}.",
            f"{part}-depth",
        )
    widths = [len(bias) for _, bias in match.layers[: depth if part == "encoder" else depth - 1]]
    if {*widths} != {HIDDEN_SIZE}:
        found = f"width {widths[0]}" if len({*widths}) == 1 else f"widths {listed(widths)}"
        fail(f"The hidden layers of your {part} have {found}; the assignment asks for {HIDDEN_SIZE}.", f"{part}-width")
    if match.hidden is not None:
        require_biases(match, part, f"A linear layer of your {part}", grading)


def charge(grading: Grading, said: str, mistake: str, common: str) -> None:
    """Fail the check by a fault of layers, unless an earlier check has failed by the same one.

    What all layers of a piece have in common, as `common` calls it, is one mistake if other pieces have it too. It is
    empty where only some layers of this piece have the fault.
    """
    charged: set[str] = grading.kept.setdefault("common to all layers", set())
    if common in charged:
        grading.replaced.append(f"{said} An earlier check has counted this mistake, so it costs nothing here.")
        return
    charged.update(filter(None, [common]))
    fail(said, mistake)


def common_to(model: Model, fault: str, names: Collection[str], of: Collection[str]) -> str:
    """A name for a fault that these parameters of a piece have, if all its weights have it or all else; else empty."""
    weights = {name for name in of if holds_matrix(model.parameters[name].shape)}
    kinds = {"weights": weights, "others": set(of) - weights}
    whole = [kind for kind, each in kinds.items() if each and each <= set(names)]
    return f"{fault} {' and '.join(whole)}" if whole else ""


def require_gradients(model: Model, match: Match, piece: Piece | None, part: str, grading: Grading) -> None:
    """Fail the check if parameters with which the stack works get no gradient."""
    if match.cut and piece is not None:
        called = f"Your {part}" if part in DEPTHS else f"`{piece.name}`"
        said = f"{called} works with {first_few(match.cut)}, but no gradient comes back there."
        grading.kept.setdefault("cut parameters", set()).update(match.cut)
        common = common_to(model, "cut", match.cut, {*match.cut, *piece.parameters})
        charge(grading, said, "layers-detached", common)


def require_biases(match: Match, part: str, called: str, grading: Grading) -> None:
    """Fail the check if a linear layer of the stack has no bias that is trained."""
    without = [not bias.any() for _, bias in match.layers]
    if any(without):
        mistake = "decoder-bias" if part == "decoder" else "encoder-bias"
        charge(grading, f"{called} has no trainable bias.", mistake, "no bias" * all(without))


def require_trained(model: Model, names: Sequence[str], part: str, grading: Grading) -> None:
    """Fail the check if parameters of these names are frozen, not found by PyTorch, or also other layers'."""
    of = f" of your {part}" if part in DEPTHS else ""  # a head is in the names
    if frozen := [name for name in names if name in model.frozen]:
        several = len(frozen) > 1
        said = f"{first_few(frozen)}{of} {'are' if several else 'is'} frozen: training does not change"
        common = common_to(model, "frozen", frozen, names)
        charge(grading, f"{said} {'them' if several else 'it'}.", "layers-frozen", common)
    if hidden := [name for name in names if name in model.unregistered]:
        in_functions = all("()" in name for name in hidden)
        what = f"the layers that a function keeps for your {part}" if in_functions else f"{first_few(hidden)}{of}"
        said = f"PyTorch does not find {what}, so training does not change them."
        charge(grading, said, "not-trainable", common_to(model, "not found", hidden, names))
    for pair in model.aliased:
        inside = [name in names for name in pair]
        # Of two pieces, the one that is made last is charged, or the decoder.
        if {"decoder": any(inside), "head": inside[0]}.get(part, all(inside)):
            mistake = {"decoder": "decoder-not-apart", "head": "heads-shared"}.get(part) if not all(inside) else None
            said = " and ".join(f"`{name}`" for name in pair)
            fail(f"{said} share their numbers in memory, so training changes both at once.", mistake)
    if shared := [name for name in names if name in model.submission.shared]:
        said = f"Two models that were built one after the other have {first_few(shared)} in common."
        charge(grading, said, "layers-kept", common_to(model, "kept", shared, names))


def require_float32(model: Model, name: str, grading: Grading) -> None:
    """Fail the check if a piece works in another type of numbers than float32, and not in that."""
    if kind := model.other_types.get(name):
        by_default = (each for each in ("dtype", "tensor_type") if model.submission.outline.uses(f"set_default_{each}"))
        used = "".join(f" Your file uses `torch.set_default_{each}`." for each in by_default)
        said = f"The layers of your `{name}` are {kind}, and the tensors of the notebook are float32.{used}"
        charge(grading, said, "layers-of-another-type", f"of {kind}")


def describe_activations(model: Model, match: Match, piece: Piece | None, part: str) -> None:
    """Fail the check if anything but a ReLU follows the hidden layers, however many there are."""
    fault = fault_of_modes(model, piece, part) if piece is not None else None
    if piece is not None and fault and not (part == "decoder" and acts_at_the_end_alone(model, piece)):
        fail(*fault)
    if match.classes_again:
        layers = f"layer{'s' * (len(match.classes_again) > 1)} {listed(match.classes_again)}"
        fail(f"In your {part}, the class goes again into linear {layers}.", f"{part}-class-again")
    if match.hidden is None:
        describe_unexplained(model, piece, part, match.depth)
    if match.weights:
        said = f"The layers of your {part} do not use their weights as they are, but {match.weights}."
        fail(said, f"{part}-normalisation")
    if not match.hidden:
        fail(f"Your {part} has no hidden layer that a ReLU could follow.", f"{part}-depth")
    if match.skips:
        fail(f"In your {part}, the input of a layer is added to its output.", f"{part}-skip")
    if set(match.hidden) == {"ReLU"}:
        if match.relu_first and part == "decoder":  # the numbers that an encoder gets are never below 0
            fail(f"{CHANGED.format(part=part)} they pass through ReLU.", f"{part}-rescales")
        if match.last_changed and piece is not None:
            said = f"Your {part} changes the numbers between its last ReLU and its last linear layer"
            fail(f"{said_of_layers(model, piece) or said}.", f"{part}-normalisation")
        if weight_normalized(shapes_of(model.parameters)).keys() & (piece.parameters.keys() if piece else set()):
            fail(f"The weights of the layers in your {part} are normalized.", f"{part}-normalisation")
        return
    if set(match.hidden) <= {"ReLU", "none"}:
        fail_without_relu(match.hidden, match.relu_first, part)
    fail(said_of_activation(model, match, part), f"{part}-activation")


def fail_without_relu(hidden: Sequence[str], relu_first: bool, part: str) -> NoReturn:
    """Fail the check for hidden layers of which some have no ReLU after them."""
    without = [index + 1 for index, name in enumerate(hidden) if name == "none"]
    last = without == [len(hidden)]
    layers = f"linear layer{'s' * (len(without) > 1)} {listed(without)}"
    said = f"No ReLU acts on the output of {layers} of your {part}."
    mistake = "encoder-missing-last-relu" if last and part == "encoder" else f"{part}-missing-relu"
    if relu_first and last:
        each = listed([index + 1 for index in range(len(hidden))])
        turned = f"In your {part}, a ReLU comes before each of linear layers {each} instead of after it."
        fail(f"{turned} {said}", mistake)
    if relu_first and part == "decoder":
        fail(f"{said} {CHANGED.format(part=part)} they pass through ReLU.", mistake, f"{part}-rescales")
    fail(said, mistake)


def said_of_activation(model: Model, match: Match, part: str) -> str:
    """Which activation follows the hidden layers of a piece, in words, and whether it has parameters."""
    other = next(name for name in match.hidden or () if name not in ("ReLU", "none"))
    followed = f"The hidden layers of your {part} are followed by"
    if not match.learned:
        return f"{followed} {other}; the assignment asks for ReLU."
    kinds = [model.submodules().get(owner_of(name), "") for name in match.learned]
    called = next((f"{kind}, " for kind in kinds if kind and hasattr(nn, kind)), "")
    names, asked = first_few(match.learned), "the assignment asks for ReLU, which has none"
    return (
        f"{followed} {called}an activation with parameters that training changes ({names}). "
        f"Where the grader sets these to {match.set_to:g}, it is {other}; {asked}."
    )


def describe_modes(model: Model, piece: Piece, part: str, called: str = "") -> None:
    """Fail the check if the piece computes something else in training mode, in which the notebook uses it."""
    if fault := fault_of_modes(model, piece, part, called):
        fail(*fault)


def fault_of_modes(model: Model, piece: Piece, part: str, called: str = "") -> tuple[str, str | None] | None:
    """What is said where the piece computes something else in training mode, and the mistake; None where it does not.

    A part is "encoder", "decoder" or "head", as mistakes are named after it.
    """
    called = called or f"Your {part}"
    if not piece.parameters:
        return None  # nothing is trained, which the other checks of the piece say
    try:
        first, second = (model.call(piece.name, *piece.arguments, seed=seed).outputs[0] for seed in (1, 2))
        quiet = model.call(piece.name, *piece.arguments, evaluate=True).outputs[0]
    except SubmissionError:
        return None
    named = named_layers(model, piece.name)
    if not all(bool(each.isfinite().all()) for each in (first, second, quiet, piece.output)):
        return f"The output of {called.replace('Your', 'your')} holds NaN or infinite numbers.", "not-finite"
    if not close(first, second):
        made = not has_last_layer(model, piece) and not named
        mistake = "layers-made-in-forward" if made else f"{part}-normalisation"
        return f"{called} gives different outputs for the same input{named}.", mistake
    if not close(first, piece.output):
        said = f"{called} gives other outputs in training mode than in evaluation mode{named}."
        return said, f"{part}-normalisation"
    if not close(quiet, piece.output):
        return f"{called} gives other outputs under `torch.no_grad()`, with which the notebook draws its digits.", None
    return None


def acts_at_the_end_alone(model: Model, decoder: Piece) -> bool:
    """Whether what acts in training mode only, as dropout does, follows the last linear layer, and none of it before.

    The check of the output judges what ends the decoder.
    """
    kinds = [*model.submodules("decoder").values()]
    last = max((at for at, kind in enumerate(kinds) if kind == "Linear"), default=0)
    before = any(re.search("Dropout|BatchNorm", kind) for kind in kinds[:last])
    return not before and end_differs_by_mode(model, decoder)


def has_last_layer(model: Model, piece: Piece) -> bool:
    """Whether a matrix among the piece's own parameters gives as many numbers as the piece does."""
    outputs = in_rows(piece.output).shape[-1]
    own = [each for name, each in model.parameters.items() if name.startswith(f"{piece.name}.")]
    return any(is_weight(each.shape) and outputs in each.shape for each in own or piece.parameters.values())


def describe_unexplained(model: Model, piece: Piece | None, part: str, depth: int = 0) -> NoReturn:
    """Fail the check for a piece that is no known stack, with what can be said all the same.

    `depth` is the number of layers that its matrices make in a row, if they do: where it is right, another check has
    said so.
    """
    named = named_layers(model, part)
    registered = any(name.startswith(f"{part}.") for name in model.parameters)
    if not registered and not (piece and piece.parameters):
        fail(f"The output of your {part} depends on no layer that training can change.", "not-trainable")
    if named:
        kinds = {kind for kind in model.submodules(part).values() if kind not in _EXPECTED}
        activation = all(hasattr(nn.modules.activation, kind) for kind in kinds)
        fail(
            f"Something other than linear layers and ReLU acts in your {part}{named}.",
            f"{part}-{'activation' if activation else 'normalisation'}",
        )
    if piece is not None and (law := law_of_rows(model, piece)):
        fail(f"Each row that your {part} gives {law}.", f"{part}-normalisation")
    ends = model.sizes.input_dim if part == "decoder" else 0  # which another check judges
    if piece is not None and (said := said_of_normalization(model, piece, lambda width: width != ends)):
        fail(f"Your {part} {said}.", f"{part}-normalisation")
    if piece is not None and not has_last_layer(model, piece):
        describe_modes(model, piece, part)
    if piece is not None and (said := said_of_layers(model, piece)):
        fail(f"{said}.", f"{part}-normalisation")
    if piece is not None and (changed := input_changed(model, piece)):
        fail(f"{CHANGED.format(part=part)} {changed}.", f"{part}-rescales")
    if piece is not None:
        require_together(model, piece, part)
    if more := others_than_layers(piece):
        what = f"Something other than linear layers and ReLU acts in your {part}"
        fail(f"{what}: its output depends on {first_few(more)}.", f"{part}-normalisation")
    sizes = sizes_that_do_not_fit(model, piece)
    if sizes and len(sizes) != DEPTHS[part] != depth:
        asked = f"the assignment asks for {DEPTHS[part]}"
        fail(f"Your {part} has {len(sizes)} linear layers ({', '.join(sizes)}); {asked}.", f"{part}-depth")
    fail(
        f"Your {part} does not act like linear layers with one activation after each."
        + (f" In the order of your constructor, the layers are {', '.join(sizes)}." if sizes else ""),
        f"{part}-other",
    )


def others_than_layers(piece: Piece | None) -> list[str]:
    """The parameters of a piece that no layer holds, where each layer that has a matrix has a bias with it."""
    names: dict[bool, list[str]] = {True: [], False: []}
    for name, each in piece.parameters.items() if piece else ():
        names[holds_matrix(each.shape)].append(name)
    layers, others = (sorted({*map(owner_of, names[kind])}) for kind in (True, False))
    return [name for name in names[False] if owner_of(name) not in layers] if {*layers} <= {*others} else []


def law_of_rows(model: Model, piece: Piece) -> str:
    """What holds of each row of a piece's output where something rescales it, in words; empty where nothing does.

    It must hold for smaller numbers as well, which are not as likely to be cut off.
    """
    with model.changed({name: 0.3 * each for name, each in piece.parameters.items()}):
        again = model.piece(piece.name, *piece.arguments)
    law = _law_of(in_rows(piece.output))
    return law if again is not None and _law_of(in_rows(again.output)) == law else ""


def _law_of(output: Tensor) -> str:
    one = torch.ones(len(output))
    if output.dim() != 2 or output.shape[-1] < 3:
        return ""
    if close(output.norm(dim=1), one):
        return "has length 1"
    if close(output.sum(1), one):
        return "sums to 1"
    if close(output.std(1, correction=0), one, 1e-2) and float(output.mean(1).abs().max()) < 1e-2:
        return "has mean 0 and standard deviation 1"
    if bool(((output == 0) | (output == 1)).all()):
        return "holds zeros and ones alone"
    largest = (output == output.amax(1, keepdim=True)).sum(1)  # many where a sigmoid rounds to 1
    if close(output.amin(1), 0 * one) and close(output.amax(1), one) and int(largest.max()) == 1:
        return "goes from exactly 0 to exactly 1"
    return ""


def said_of_normalization(model: Model, piece: Piece, chosen: Callable[[int], bool]) -> str:
    """What a piece does that normalizes what its linear layers of some widths give, in words; empty if it does not.

    Through a normalization, nothing changes where all that goes in is several times as large, or larger by one number,
    nor for the opposite, where numbers that a bound had cut off would change.
    """
    changes = {f"makes {{}} {MUCH:g} times as large": (MUCH, 0.0), f"adds {MUCH:g} to each of {{}}": (1.0, MUCH)}
    found: dict[str, list[str]] = {}
    mixed = mixes_rows(model, piece)
    for name, weight in piece.parameters.items():
        layer, bias = owner_of(name), piece.parameters.get(f"{owner_of(name)}.bias")
        if not name.endswith(".weight") or weight.dim() != 2 or bias is None or not chosen(len(bias)):
            continue

        def stays(factor: Tensor, shift: Tensor, of: str = layer, w: Tensor = weight, b: Tensor = bias) -> bool:
            with model.changed({f"{of}.weight": factor[:, None] * w, f"{of}.bias": factor * b + shift}):
                shown = model.piece(piece.name, *piece.arguments)
            return shown is not None and close(shown.output, piece.output)

        ones, rising = torch.ones(len(bias)), torch.linspace(0.5, 1.5, len(bias))
        in_use = not stays(ones, torch.zeros(len(bias)), w=weight.flip(0))
        for said, (factor, shift) in changes.items():
            if in_use and stays(factor * ones, shift * ones) and stays(ones / factor, -shift * ones):
                of_units = stays(factor ** (2 * rising - 1), shift * rising)
                if mixed or not of_units:  # else it is a step, whose result no size changes
                    found.setdefault(said, []).append(f"`self.{in_python(layer)}`")
                break
    for said, names in found.items():
        over = "over the minibatch" if mixed else "over each row"
        what = f"what {listed(names)} give{'s' * (len(names) == 1)}"
        return f"normalizes {what} {over}: its output stays the same where the grader {said.format('these numbers')}"
    return ""


def said_of_layers(model: Model, piece: Piece) -> str:
    """What the layers of a piece do to their input before they use it, in words; empty if it is not known.

    Each is called by itself, and so are submodules without parameters.
    """
    found: dict[str, list[str]] = {}
    widths = {owner_of(name): each.shape[1] for name, each in piece.parameters.items() if is_weight(each.shape)}
    inside = (path for path, kind in model.submodules(piece.name).items() if kind not in _EXPECTED)
    for path in dict.fromkeys((*widths, *inside)):
        if said := _done_to_input(model, path, widths.get(path, HIDDEN_SIZE)):
            found.setdefault(said, []).append(f"`self.{in_python(path)}`")
    if found:
        return ". ".join(f"Inside {listed(paths)}, the input is {said}" for said, paths in found.items())
    return said_of_mixing(model, piece, f"your {piece.name}")


def said_of_mixing(model: Model, piece: Piece, called: str) -> str:
    """What to say of a piece whose rows depend on each other; empty if they do not."""
    return f"For one row, {called} gives other numbers among other rows of a minibatch" * mixes_rows(model, piece)


def _done_to_input(model: Model, path: str, width: int) -> str:
    """What a submodule does to its input before its matrix acts, if it has one; empty if nothing known."""
    own = {name: each for name, each in model.parameters.items() if owner_of(name) == path}
    weights = [each.reshape(each.shape[:2]) for each in own.values() if is_weight(each.shape)]
    biases = [each for each in own.values() if each.dim() == 1]
    rows = torch.randn(BATCH, width, generator=torch.Generator().manual_seed(0)) + 0.5
    shown = model.piece(path, rows) if len(weights) <= 1 and len(biases) <= 1 else None
    if shown is None or (own and not weights):
        return ""

    def run(x: Tensor) -> Tensor:
        return F.linear(x, weights[0], biases[0] if biases else None) if weights else x

    if (weights and weights[0].shape[1] != width) or close(shown.output, run(rows)):
        return ""
    asked_for = () if weights else ("passed through ReLU", "passed through a sigmoid")  # by a module for the activation
    found = (said for said, change in INPUT_CHANGES.items() if close(shown.output, run(change(rows))))
    return next((said for said in found if said not in asked_for), "")


def input_changed(model: Model, piece: Piece) -> str:
    """What a piece multiplies its data by and adds to them before its first layer, in words; empty if it does not.

    With layers that pass on some of the numbers as they are, its output shows them.
    """
    names = [name for name, each in piece.parameters.items() if is_weight(each.shape)]
    shapes = [tuple(piece.parameters[name].shape) for name in names]
    width, data = piece.input.shape[-1], model.sizes.input_dim if piece.name == "encoder" else model.sizes.latent
    if (
        any(len(each) != 2 for each in shapes)
        or not shapes
        or width < data
        or shapes[0][1] != width
        or any(given != taken for (given, _), (_, taken) in pairwise(shapes))
    ):
        return ""
    chosen = torch.linspace(0, data - 1, min(data, *(given for given, _ in shapes))).long()
    passing = {name: torch.zeros_like(piece.parameters[name]) for name in names}
    for at, name in enumerate(names):
        passing[name][range(len(chosen)), chosen if at == 0 else range(len(chosen))] = 1.0
    above = 10.0  # so that no ReLU cuts anything off
    small = piece.input / piece.input.abs().max()

    def show(more: str = "") -> Tensor | None:
        """The numbers that pass through, with 1 added to the bias of the layer `more`."""
        shifts = {owner_of(names[0]): above}
        if piece.name == "decoder":
            shifts[owner_of(names[-1])] = -above
        biases = {
            name: torch.full_like(each, shifts.get(owner_of(name), 0.0) + (owner_of(name) == more))
            for name, each in piece.parameters.items()
            if not is_weight(each.shape)
        }
        with model.changed(passing | biases):
            shown = model.piece(piece.name, *small.split([each.shape[-1] for each in piece.arguments], -1))
        output = in_rows(shown.output) if shown is not None else torch.empty(0, 0)
        return output[:, : len(chosen)] if output.shape[-1] >= len(chosen) else None

    output, plain = show(), small[:, chosen]
    if output is None:
        return ""
    for read in (lambda given: given - above, identity, torch.logit):
        found = read(output)
        changed = rescaled(found, plain) if torch.isfinite(found).all() else None
        misfit = (found - changed.of(identity)(plain)).abs().max() if changed else torch.inf
        if changed and float(misfit) < 0.01 * float(found.std()):
            raised = [show(owner_of(name)) for name in names]  # by layers that do nothing more to their numbers
            rise = [float((read(each) - found).mean()) for each in raised if each is not None]
            return changed.said if all(abs(each - 1) < 0.01 for each in rise) else ""
    passed = output.logit() if piece.name == "decoder" else output - above
    fits = [name for name, function in ACTIVATIONS.items() if name != "none" and close(passed, function(plain))]
    return f"they pass through {fits[0]}" if fits and float(plain.min()) < 0 else ""


def require_together(model: Model, piece: Piece, part: str) -> None:
    """Fail the check for a piece whose layers take its data and its class apart, and do not act like a single one."""
    if apart := input_apart(model, piece):
        data = "image" if part == "encoder" else "latent"
        fail(f"Your {part} has no linear layer that takes [{data} | one-hot]: {apart}.", f"{part}-input-apart")


def input_apart(model: Model, piece: Piece) -> str:
    """Which layers of a piece take its data and its class apart, in words; empty if they act like a single one.

    They do where what they give is only added: then what one bias gains another one may lose.
    """
    classes = model.sizes.num_categories
    shapes, data = linear_layers(model, piece), piece.input.shape[-1] - classes
    of_data, of_class = ([name for name, (_, taken) in shapes.items() if taken == each] for each in (data, classes))
    if not of_data or not of_class or any(taken == data + classes for _, taken in shapes.values()):
        return ""
    one, other = (piece.parameters.get(f"{names[0]}.bias", torch.empty(0)) for names in (of_data, of_class))
    if one.numel() and one.shape == other.shape:
        with model.changed({f"{of_data[0]}.bias": one + 1, f"{of_class[0]}.bias": other - 1}):
            again = model.piece(piece.name, *piece.arguments)
        if again is not None and close(again.output, piece.output):
            return ""
    shown = [
        listed([f"`self.{in_python(name)}` ({shapes[name][1]}→{shapes[name][0]})" for name in names])
        for names in (of_data, of_class)
    ]
    takes = ["takes" if len(names) == 1 else "take" for names in (of_data, of_class)]
    what = "image" if piece.name == "encoder" else "latent"
    said = f"{shown[0]} {takes[0]} the {what} alone, and {shown[1]} {takes[1]} the class alone"
    return f"{said}. More than a sum joins what these layers give"


def linear_layers(model: Model, piece: Piece) -> dict[str, tuple[int, int]]:
    """How many numbers each `nn.Linear` behind a piece gives and takes, by its name."""
    linear = {path for path, kind in model.submodules().items() if kind == "Linear"}
    matrices = {owner_of(key): each.shape for key, each in piece.parameters.items() if each.dim() == 2}
    return {name: (given, taken) for name, (given, taken) in matrices.items() if name in linear}


def sizes_that_do_not_fit(model: Model, piece: Piece | None) -> list[str]:
    """What each linear layer behind a piece takes and gives, if two in a row do not fit together; else nothing."""
    shapes = list(linear_layers(model, piece).values()) if piece else []
    if all(given == taken for (given, _), (_, taken) in pairwise(shapes)):
        return []
    return [f"{taken}→{given}" for given, taken in shapes]


def in_python(path: str) -> str:
    """How Python says a submodule's dotted name: `encoder[1]` for `encoder.1`."""
    return re.sub(r"\.(\d+)", r"[\1]", path)


_EXPECTED = {"Linear", "ReLU", "Sequential", "Sigmoid", "ModuleList", "ModuleDict", "Identity", "Flatten", "Unflatten"}


def named_layers(model: Model, part: str) -> str:
    """What of the kinds that torch has stands among a piece's layers and is not asked for, for a message."""
    found: dict[str, list[str]] = {}
    for path, kind in model.submodules(part).items():
        if kind not in _EXPECTED and (hasattr(nn, kind) or hasattr(nn.utils.parametrizations, kind)):
            found.setdefault(kind.lstrip("_"), []).append(f"`self.{in_python(path)}`")
    shown = [f"{kind} ({first_few(paths)})" for kind, paths in found.items()]
    return f": it holds {', '.join(shown[:3])}" if shown else ""
