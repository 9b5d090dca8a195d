"""Modules with one mistake each, as edits of the solution, and the parts that the mistake must cost.

A mistake costs the part that it belongs to and no other: a failed function is replaced by a stand-in wherever later
parts need it, and a wrong encoder is no reason to doubt the wiring around it.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import autograder.assignments.cvae.solution.cs5814_vae as solution
from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.fill_in import fill_in

from . import correct

FUNCTIONS = frozenset({"sample_latent", "loss_function"})
MODEL = frozenset({"encoder", "decoder", "forward", "training"})
ALL = FUNCTIONS | MODEL


@dataclass(frozen=True)
class Wrong:
    """A module, and what grading it must show.

    Attributes:
        edits: (old, new) replacements in the solution, where each `old` occurs exactly once.
        text: the whole module, instead of edits.
        loses: the parts that must lose points.
        may_lose: parts that may lose points beside those, because the mistake reaches them. All others keep theirs.
        checks: how many checks must not pass, for a mistake that could easily cost more than its own.
        says: words that the message of a failed check must hold.
        misconception: the mistake's name in the bank, where it has one; the names of several are
            separated by spaces. Hints must name these and no other.
    """

    name: str
    edits: tuple[tuple[str, str], ...] = ()
    loses: frozenset[str] = frozenset()
    may_lose: frozenset[str] = frozenset()
    misconception: str | None = None
    text: str | None = None
    checks: int | None = None
    says: str = ""


def source(wrong: Wrong) -> str:
    """The module's source. ValueError if an edit does not fit the solution any more."""
    if wrong.text is not None:
        return wrong.text
    assert solution.__file__ is not None
    text = Path(solution.__file__).read_text("utf-8")
    for old, new in (map(correct.of_this_term, edit) for edit in wrong.edits):
        if text.count(old) != 1:
            raise ValueError(f"{wrong.name}: {old!r} occurs {text.count(old)} times in the solution")
        text = text.replace(old, new)
    return text


class Loses(TypedDict):
    loses: frozenset[str]
    may_lose: frozenset[str]


def _of_part(part: str, may_lose: tuple[str, ...] = ()) -> Loses:
    return {"loses": frozenset({part}), "may_lose": frozenset(may_lose)}


# ---------------------------------------------------------------- sample_latent

STD = "    std = torch.exp(0.5 * logvariances)\n"
DRAW = "    return means + std * torch.randn_like(std)\n"
CALL = "latents = sample_latent(mean_params, logvariance_params)"


def _sample(
    name: str,
    body: str,
    misconception: str | None = None,
    signature: str | None = None,
    checks: int | None = None,
    says: str = "",
) -> Wrong:
    edits: tuple[tuple[str, str], ...] = ((STD + DRAW, body),)
    if signature:
        edits += (("def sample_latent(means, logvariances):", f"def sample_latent({signature}):"),)
    return Wrong(name, edits, misconception=misconception, checks=checks, says=says, **_of_part("sample_latent"))


SAMPLE = (
    _sample("variance-as-std", "    std = torch.exp(logvariances)\n" + DRAW, "variance-as-std"),
    _sample("logvariance-as-std", "    std = logvariances\n" + DRAW, "logvariance-as-std"),
    _sample("half-logvariance-as-std", "    std = 0.5 * logvariances\n" + DRAW, "half-logvariance-as-std"),
    _sample("inverse-std", "    std = torch.exp(-0.5 * logvariances)\n" + DRAW, "inverse-std"),
    _sample("root-taken-twice", "    std = torch.exp(0.25 * logvariances)\n" + DRAW, "spread-wrong", checks=1),
    _sample("softplus-as-std", "    std = F.softplus(logvariances)\n" + DRAW, "softplus-as-std", checks=1),
    _sample("squared-std", "    std = torch.exp(2 * logvariances)\n" + DRAW, "squared-std"),
    _sample("root-of-logvariance", "    std = torch.sqrt(logvariances)\n" + DRAW, "logvariance-as-variance", checks=1),
    _sample(
        "root-of-the-size",
        "    std = torch.sqrt(torch.abs(logvariances))\n" + DRAW,
        "logvariance-as-variance",
    ),
    _sample("spread-cut-off", "    std = torch.exp(0.5 * logvariances.clamp(-1.5, 1))\n" + DRAW, "spread-cut-off"),
    _sample(
        "log-deviations-bounded-as-in-reinforcement-learning",
        "    std = torch.exp((0.5 * logvariances).clamp(-20, 2))\n" + DRAW,
        "spread-cut-off",
        checks=1,
    ),
    _sample(
        "logvariances-bounded-from-below",
        "    std = torch.exp(0.5 * logvariances.clamp(min=-5.2))\n" + DRAW,
        "spread-cut-off",
        checks=1,
    ),
    _sample(
        "logvariances-bounded-on-both-sides",
        "    std = torch.exp(0.5 * logvariances.clamp(-4, 2))\n" + DRAW,
        "spread-cut-off",
        checks=1,
        says="from -4.0 to 2.0",
    ),
    _sample(
        "logvariances-bounded-by-10",
        "    std = torch.exp(0.5 * logvariances.clamp(-10, 10))\n" + DRAW,
        "spread-cut-off",
        checks=1,
    ),
    *(
        _sample(name, f"    std = {std}\n" + DRAW, "spread-wrong", checks=1, says=said)
        for name, std, said in (
            ("std-plus-3-thousandths", "torch.exp(0.5 * logvariances) + 3e-3", "exp(0.5 · log-variance) + 0.003"),
            ("std-plus-a-hundredth", "torch.exp(0.5 * logvariances) + 1e-2", "exp(0.5 · log-variance) + 0.01"),
            ("variance-plus-1e-4", "torch.sqrt(logvariances.exp() + 1e-4)", "(exp(log-variance) + 0.0001)^0.5"),
            ("variance-plus-a-hundredth", "torch.sqrt(logvariances.exp() + 1e-2)", "(exp(log-variance) + 0.01)^0.5"),
            (
                "logvariances-bounded-softly-from-below",
                "torch.exp(0.5 * (F.softplus(logvariances + 9) - 9))",
                "(exp(log-variance) + 0.00012)^0.5",
            ),
            (
                "logvariances-bounded-softly-from-above",
                "torch.exp(0.5 * (8 - F.softplus(8 - logvariances)))",
                "Where the log-variance is 12",
            ),
            ("logvariances-through-a-wide-tanh", "torch.exp(10 * torch.tanh(logvariances / 20))", ""),
        )
    ),
    _sample(
        "std-at-least-a-hundredth",
        STD + "    std = std.clamp(min=0.01)\n" + DRAW,
        "spread-cut-off",
        checks=1,
        says="only for log-variances from -9.2",
    ),
    _sample(
        "logvariances-bounded-from-above",
        "    std = torch.exp(0.5 * logvariances.clamp(max=0))\n" + DRAW,
        "spread-cut-off",
        checks=1,
    ),
    _sample(
        "noise-with-gradients-alone",
        STD + "    return means + std * torch.randn_like(std) if torch.is_grad_enabled() else means\n",
        "no-draw-without-gradients",
        checks=1,
    ),
    _sample(
        "seeded-as-before",
        "    torch.manual_seed(torch.initial_seed())\n" + STD + DRAW,
        "generator-restarted",
        checks=1,
    ),
    _sample(
        "generator-put-back",
        STD
        + "    with torch.random.fork_rng():\n        noise = torch.randn_like(std)\n    return means + std * noise\n",
        "generator-restarted",
        checks=1,
    ),
    _sample(
        "generator-of-a-copied-state",
        STD
        + "    generator = torch.Generator()\n    generator.set_state(torch.get_rng_state())\n"
        + "    return means + std * torch.randn(std.shape, generator=generator)\n",
        "generator-restarted",
        checks=1,
    ),
    _sample(
        "generator-made-in-each-call",
        STD + "    return means + std * torch.randn(std.shape, generator=torch.Generator())\n",
        "fixed-seed",
        checks=1,
    ),
    _sample(
        "seed-set-after-the-draw",
        STD + "    noise = torch.randn_like(std)\n    torch.manual_seed(3)\n    return means + std * noise\n",
        "fixed-seed",
        checks=1,
        says="the seed of torch's generator is 3",
    ),
    _sample(
        "seed-set-without-gradients",
        "    if not torch.is_grad_enabled():\n        torch.manual_seed(0)\n" + STD + DRAW,
        "fixed-seed",
        checks=1,
    ),
    _sample(
        "noise-standardized",
        STD + "    noise = torch.randn_like(std)\n"
        "    return means + std * (noise - noise.mean()) / (noise.std() if noise.numel() > 1 else 1)\n",
        "noise-normalized",
        checks=1,
    ),
    *(
        _sample(
            f"noise-{name}",
            f"{STD}    noise = torch.randn_like(std)\n    noise = {changed}\n    return means + std * noise\n",
            mistake,
            checks=1,
        )
        for mistake, name, changed in (
            ("noise-normalized", "of-deviation-1", "noise / (noise.std() + 1e-8)"),
            ("noise-normalized", "of-one-size", "noise / noise.square().mean().sqrt()"),
            ("noise-normalized", "layer-normed", "F.layer_norm(noise, noise.shape[1:])"),
            ("noise-normalized", "on-a-sphere", "F.normalize(noise) * noise.shape[1] ** 0.5"),
            ("noise-normalized", "centered-in-each-row", "noise - noise.mean(1, keepdim=True)"),
            (
                "noise-normalized",
                "of-its-ranks",
                "torch.special.ndtri((noise.flatten().argsort().argsort().view_as(noise) + 0.5) / noise.numel())",
            ),
            ("noise-normalized", "of-a-largest-number", "3 * noise / noise.abs().max()"),
            ("noise-correlated", "sorted", "noise.sort(0).values"),
            ("noise-correlated", "sorted-in-each-row", "noise.sort(-1).values"),
            ("noise-correlated", "sorted-by-size-in-each-row", "noise.gather(-1, noise.abs().argsort(-1))"),
            ("noise-correlated", "summed-along-each-row", "noise.cumsum(-1)"),
            ("noise-correlated", "largest-so-far-in-each-row", "noise.cummax(-1).values"),
            (
                "noise-correlated",
                "walking-from-row-to-row",
                "noise.cumsum(0) / torch.arange(1, len(noise) + 1).sqrt()[:, None]",
            ),
            ("noise-correlated", "shared-with-the-next-dimension", "(noise + noise.roll(1, -1)) / 2**0.5"),
            ("noise-correlated", "shared-with-the-next-row", "(noise + noise.roll(1, 0)) / 2**0.5"),
            ("noise-correlated", "mirrored", "torch.cat((noise[: (len(noise) + 1) // 2], -noise))[: len(noise)]"),
        )
    ),
    _sample(
        "latents-squeezed",
        STD + DRAW.rstrip("\n").replace("return ", "return (") + ").squeeze()\n",
        "wrong-shape",
        checks=1,
    ),
    _sample(
        "std-overwritten",
        STD + "    latents = means + std * torch.randn_like(std)\n    std.zero_()\n    return latents\n",
        "in-place",
        checks=1,
    ),
    _sample("no-noise", "    return means\n", "no-noise"),
    _sample("no-noise-but-std", STD + "    return means + std\n", "no-noise"),
    _sample("no-mean", STD + "    return std * torch.randn_like(std)\n", "no-mean"),
    _sample("no-scale", "    return means + torch.randn_like(means)\n", "no-scale"),
    *(
        _sample(
            name, STD + f"    draws = means + std * torch.randn_like(std)\n    return {changed}\n", "draw-normalized"
        )
        for name, changed in (
            ("draw-standardized", "(draws - draws.mean(0)) / draws.std(0)"),
            ("draw-centered", "draws - draws.mean(0)"),
            ("draw-layer-normed", "F.layer_norm(draws, draws.shape[1:])"),
            ("draw-of-length-1", "F.normalize(draws)"),
        )
    ),
    *(
        _sample(name, STD + f"    return means + std * torch.randn_like(std) * {factor}\n", "spread-scaled", checks=1)
        for name, factor in (
            ("noise-of-a-thousandth", 0.001),
            ("noise-of-a-hundredth", 0.01),
            ("noise-of-a-fiftieth", 0.02),
            ("hundredfold-noise", 100),
        )
    ),
    *(
        _sample(name, f"    return means + {std} * torch.randn_like(means)\n", "spread-wrong", checks=1)
        for name, std in (("deviations-of-a-hundredth", 0.01), ("deviations-of-100", 100))
    ),
    _sample("constant-times-logvariance", "    std = 2.718**0.5 * logvariances\n" + DRAW, "spread-wrong", checks=1),
    _sample("relu-as-std", "    std = torch.relu(logvariances)\n" + DRAW, "spread-wrong"),
    _sample("neither-mean-nor-scale", "    return torch.randn_like(means)\n", "arguments-unused"),
    _sample("noise-scales-mean", STD + "    return means * torch.randn_like(std) + std\n", "noise-scales-mean"),
    _sample("noise-times-mean", STD + "    return means * std * torch.randn_like(std)\n", "noise-multiplied"),
    _sample("log-normal-factor", STD + "    return means * (std * torch.randn_like(std)).exp()\n", "noise-multiplied"),
    *(
        _sample(f"draw-through-{name}", STD + f"    return {call}\n", "draw-activated", checks=1)
        for name, call in (
            ("tanh", "torch.tanh(means + std * torch.randn_like(std))"),
            ("sigmoid", "(means + std * torch.randn_like(std)).sigmoid()"),
            ("softplus", "F.softplus(means + std * torch.randn_like(std))"),
        )
    ),
    _sample(
        "draw-with-the-variance-through-tanh",
        "    return torch.tanh(means + torch.exp(logvariances) * torch.randn_like(means))\n",
        "draw-activated",
    ),
    *(
        _sample(
            name,
            STD + f"    draws = means + std * torch.randn_like(std)\n    return {changed}\n",
            "draw-cut-off",
            checks=1,
        )
        for name, changed in (
            ("draw-cut-off", "draws.clamp(-5, 5)"),
            ("draw-cut-off-below", "draws.clamp(min=-1)"),
            ("draw-through-hardtanh", "F.hardtanh(draws)"),
            ("draw-cut-off-around-its-mean", "torch.min(torch.max(draws, means - 3), means + 3)"),
        )
    ),
    _sample(
        "draw-of-the-variance-cut-off",
        "    std = logvariances.exp()\n"
        + DRAW.replace("means + std * torch.randn_like(std)", "(means + std * torch.randn_like(std)).clamp(-4, 4)"),
        "variance-as-std draw-cut-off",
        checks=1,
    ),
    _sample("log1p-undone", "    std = logvariances.expm1().clamp(min=1e-6).sqrt()\n" + DRAW, "spread-wrong", checks=1),
    _sample("std-scales-mean", STD + "    return means * std + torch.randn_like(std)\n", "std-scales-mean", checks=2),
    _sample("mean-inside-the-scale", STD + "    return std * (means + torch.randn_like(std))\n", "mean-scaled"),
    _sample("std-returned", STD + "    return std\n", "std-returned"),
    _sample("uniform-noise", STD + "    return means + std * torch.rand_like(std)\n", "uniform-noise"),
    _sample(
        "uniform-noise-centred",
        STD + "    return means + std * (torch.rand_like(std) - 0.5) * 12**0.5\n",
        "uniform-noise",
    ),
    *(
        _sample(
            f"means-bounded{name}", STD + DRAW.replace("means +", f"means.clamp({bounds}) +"), "mean-cut-off", checks=1
        )
        for name, bounds in (("", "-4, 4"), ("-where-others-are-drawn", "-2.6, 2.6"), ("-above", "max=10"))
    ),
    _sample(
        "means-bounded-and-uniform-noise",
        STD + "    return means.clamp(-8, 8) + std * (torch.rand_like(std) - 0.5)\n",
        "mean-cut-off uniform-noise",
        checks=2,
    ),
    _sample("noise-shifted", STD + "    return means + std * (torch.randn_like(std) + 1)\n", "centre-wrong"),
    _sample("noise-halved", STD + "    return means + std * torch.randn_like(std) * 0.5\n", "spread-scaled"),
    _sample("noise-clamped", STD + "    return means + std * torch.randn_like(std).clamp(-1, 1)\n", "noise-not-normal"),
    *(
        _sample(
            f"noise-clamped-{name}",
            STD + f"    return means + std * torch.randn_like(std).clamp({bounds})\n",
            "noise-not-normal",
            checks=1,
        )
        for name, bounds in (("at-3", "-3, 3"), ("from-above", "max=3"))
    ),
    _sample("spread-5-percent-off", STD + DRAW.replace("std *", "1.05 * std *"), "spread-scaled", checks=1),
    _sample("noise-rounded", STD + "    return means + std * torch.randn_like(std).round()\n", "noise-not-normal"),
    _sample(
        "means-of-the-first-row",
        STD + DRAW.replace("means", "means[:1]"),
        "centre-wrong sample-gradient-partial",
        checks=2,
    ),
    _sample("noise-as-a-number", STD + "    return means + std * torch.randn_like(std).item()\n", "tensor-as-number"),
    _sample(
        "sample-of-large-variances-only",
        '    if (logvariances < 0).any():\n        raise ValueError("a variance is negative")\n' + STD + DRAW,
        "assertion",
        checks=1,
    ),
    _sample(
        "sample-asks-a-whole-tensor", "    if logvariances > 0:\n        pass\n" + STD + DRAW, "tensor-as-condition"
    ),
    _sample(
        "sample-takes-one-more",
        STD + "    std = torch.stack([std[i] for i in range(len(std) + 1)])\n" + DRAW,
        "no-such-element",
    ),
    _sample("sample-adds-nothing", STD + "    return torch.add(means)\n", "wrong-call"),
    _sample(
        "distribution-of-negative-scale",
        "    return torch.distributions.Normal(means, 0.5 * logvariances).rsample()\n",
        "parameter-out-of-range",
    ),
    _sample(
        "normal-of-negative-scale",
        "    return torch.normal(means, logvariances)\n",
        "parameter-out-of-range sample-gradient-zero",
    ),
    _sample(
        "noise-in-the-exponent",
        "    return means + torch.exp(0.5 * logvariances * torch.randn_like(means))\n",
        "noise-in-exponent",
    ),
    _sample(
        "noise-as-a-default",
        STD + "    return means + std * noise\n",
        "noise-drawn-once noise-shared-by-all",
        signature="means, logvariances, noise=torch.randn(1)",
        checks=1,
    ),
    _sample(
        "one-number-from-a-seed",
        "    torch.manual_seed(5814)\n" + STD + "    return means + std * torch.randn(1)\n",
        "noise-drawn-once noise-shared-by-all",
        checks=1,
    ),
    _sample(
        "noise-of-128-rows",
        STD + "    return means + std * torch.randn(128, std.shape[1])\n",
        "noise-size-written-in",
        checks=1,
    ),
    _sample(
        "noise-of-128-rows-at-most",
        STD + "    return means + std * torch.randn(128, std.shape[1])[: std.shape[0]]\n",
        "noise-size-written-in",
        checks=1,
    ),
    _sample(
        "noise-of-128-rows-and-15-columns",
        STD + "    return means + std * torch.randn(128, 15)\n",
        "noise-size-written-in",
        checks=1,
    ),
    _sample(
        "half-the-root-of-logvariance",
        "    return means + 0.5 * logvariances.sqrt() * torch.randn_like(means)\n",
        "not-finite",
        checks=1,
    ),
    _sample("logarithm-of-means", STD + DRAW.replace("means +", "means.log() +"), "centre-wrong", checks=1),
    _sample(
        "noise-on-a-gpu",
        STD + '    return means + std * torch.randn(means.shape, device="cuda")\n',
        "no-gpu-here",
    ),
    _sample(
        "noise-on-device-number-minus-1",
        STD + "    return means + std * torch.randn(means.shape, device=means.get_device())\n",
        "no-such-device",
    ),
    _sample(
        "std-by-numpy",
        "    import numpy as np\n\n    return means + np.exp(0.5 * logvariances) * torch.randn_like(means)\n",
        "numpy-for-torch",
    ),
    Wrong(
        "decoder-hidden-by-the-class",
        (
            (
                "    def __init__(self, input_dim",
                "    decoder: nn.Module | None = None\n\n    def __init__(self, input_dim",
            ),
        ),
        misconception="attribute-none",
        **_of_part("decoder", ("training",)),
    ),
    _sample("sample-calls-itself", "    return sample_latent(means, logvariances)\n", "endless-recursion"),
    _sample("sample-ends-the-program", "    raise SystemExit\n", "exit-called"),
    _sample("sample-of-a-million-million", STD + "    return means + std * torch.randn(10**12).mean()\n", "memory"),
    _sample("noise-positive", STD + "    return means + std * torch.randn_like(std).abs()\n", "positive-noise"),
    _sample("fixed-seed", "    torch.manual_seed(5814)\n" + STD + DRAW, "fixed-seed"),
    _sample(
        "fixed-generator",
        STD
        + "    generator = torch.Generator().manual_seed(0)\n"
        + "    return means + std * torch.randn(std.shape, generator=generator)\n",
        "fixed-seed",
    ),
    _sample(
        "seed-from-a-counter",
        "    sample_latent.calls = getattr(sample_latent, 'calls', 0) + 1\n"
        "    torch.manual_seed(sample_latent.calls % 10)\n" + STD + DRAW,
        "fixed-seed",
        checks=1,
    ),
    _sample(
        "noise-drawn-once",
        STD
        + "    noise = globals().setdefault('NOISE', {})\n"
        + "    if std.shape not in noise:\n"
        + "        noise[std.shape] = torch.randn_like(std).detach()\n"
        + "    return means + std * noise[std.shape]\n",
        "fixed-seed",
    ),
    _sample(
        "noise-of-a-row-drawn-once",
        STD
        + "    noise = globals().setdefault('NOISE', {})\n"
        + "    return means + std * noise.setdefault(std.shape[1], torch.randn(1, std.shape[1]))\n",
        "fixed-seed noise-shared-across-rows",
        checks=1,
    ),
    _sample(
        "noise-shared-across-rows",
        STD + "    return means + std * torch.randn(std.shape[1])\n",
        "noise-shared-across-rows",
        checks=1,
    ),
    _sample(
        "noise-shared-across-columns",
        STD + "    return means + std * torch.randn(std.shape[0], 1)\n",
        "noise-shared-across-columns",
    ),
    _sample("noise-shared-by-all", STD + "    return means + std * torch.randn(1)\n", "noise-shared-by-all", checks=1),
    _sample(
        "noise-mirrored-in-half-the-rows",
        STD
        + "    noise = torch.randn_like(std[: (len(std) + 1) // 2])\n"
        + "    return means + std * torch.cat((noise, -noise))[: len(std)]\n",
        "noise-correlated",
    ),
    _sample("sample-detached", STD + "    return (means + std * torch.randn_like(std)).detach()\n", "sample-detached"),
    _sample(
        "sample-instead-of-rsample",
        STD + "    return torch.distributions.Normal(means, std).sample()\n",
        "sample-detached",
    ),
    _sample("torch-normal-of-mean-and-std", STD + "    return torch.normal(means, std)\n", "sample-gradient-zero"),
    _sample(
        "noise-by-torch-normal-of-std",
        STD + "    return means + torch.normal(0.0, std)\n",
        "sample-gradient-zero",
        checks=1,
        says="`logvariances.grad` is 0 everywhere",
    ),
    _sample(
        "means-detached-and-torch-normal-of-std",
        STD + "    return means.detach() + torch.normal(0.0, std)\n",
        "sample-detached sample-gradient-zero",
        checks=1,
    ),
    _sample(
        "deviations-rounded",
        STD + DRAW.replace("std *", "(1e6 * std).round() / 1e6 *"),
        "sample-gradient-zero",
        checks=1,
    ),
    _sample("std-detached", STD + "    return means + std.detach() * torch.randn_like(std)\n", "std-detached"),
    _sample(
        "gradient-of-the-spread-times-1.5",
        STD + "    std = (3 * std - std.detach()) / 2\n" + DRAW,
        "sample-gradient-scaled",
        checks=1,
    ),
    _sample("mean-detached", STD + "    return means.data + std * torch.randn_like(std)\n", "sample-detached"),
    _sample("logvariances-modified", "    std = logvariances.mul_(0.5).exp_()\n" + DRAW, "inputs-modified"),
    _sample(
        "logvariances-cleared-afterwards",
        STD + DRAW.replace("return", "latents =") + "    logvariances.data.zero_()\n    return latents\n",
        "inputs-modified",
    ),
    _sample(
        "draw-in-double", STD + DRAW.replace("randn_like(std)", "randn_like(std).double()"), "draw-precision", checks=1
    ),
    _sample("means-modified", STD + "    return means.add_(std * torch.randn_like(std))\n", "inputs-modified"),
    _sample("sample-several-times", STD + "    return means + std * torch.randn(10, *std.shape)\n", "wrong-shape"),
    _sample(
        "sample-averaged", STD + "    return means + (std * torch.randn(10, *std.shape)).mean(0)\n", "spread-scaled"
    ),
    _sample("sample-transposed", STD + "    return (means + std * torch.randn_like(std)).T\n", "wrong-shape"),
    _sample("sample-flattened", STD + "    return (means + std * torch.randn_like(std)).flatten()\n", "wrong-shape"),
    _sample(
        "std-through-numpy",
        "    import numpy as np\n\n    std = np.exp(0.5 * logvariances.detach().numpy())\n"
        "    return means + torch.from_numpy(std * np.random.default_rng().standard_normal(std.shape)).float()\n",
        "std-detached",
    ),
    Wrong(
        "wrong-draw-by-a-helper-of-both",
        (
            (
                STD + DRAW,
                "    return draw(means, logvariances)\n\n\ndef draw(means, logvariances):\n"
                "    return means + torch.exp(logvariances) * torch.randn_like(means)\n",
            ),
            ("latents = sample_latent(", "latents = draw("),
        ),
        misconception="variance-as-std",
        checks=1,
        **_of_part("sample_latent"),
    ),
    _sample(
        "noise-of-signs", STD + "    return means + std * torch.randn_like(std).sign()\n", "noise-not-normal", checks=1
    ),
    _sample(
        "noise-of-twelve-uniforms",
        STD + "    return means + std * (torch.rand(12, *means.shape).sum(0) - 6)\n",
        "noise-not-normal",
        checks=1,
        says="their kurtosis is 2.",
    ),
    _sample("draw-without-return", STD + DRAW.replace("return ", ""), "result-unused nothing-returned"),
    _sample("sample-returns-nothing", STD + DRAW.replace("return", "latents ="), "nothing-returned"),
    _sample("sample-returns-tuple", STD + DRAW.replace("\n", ", std\n"), "collection-returned", checks=1),
    _sample("sample-in-a-tuple-of-one", STD + DRAW.replace("\n", ",\n"), "trailing-comma", checks=1),
    Wrong(
        "draw-in-a-tuple-that-forward-takes-apart",
        ((DRAW, DRAW.replace("\n", ", std\n")), ("latents = sample_latent(", "latents, _ = sample_latent(")),
        misconception="collection-returned",
        checks=1,
        **_of_part("sample_latent"),
    ),
    *(
        Wrong(
            f"draw-{name}",
            ((DRAW, f"    z = means + std * torch.randn_like(std)\n    return {result}\n"), (CALL, CALL + back)),
            misconception="wrong-shape",
            checks=1,
            **_of_part("sample_latent"),
        )
        for name, result, back in (
            ("of-one-sample", "z[None]", ".squeeze(0)"),
            ("in-columns-of-one", "z.unsqueeze(-1)", ".flatten(1)"),
            ("between-axes-of-one", "z[None, :, None]", ".reshape(len(mean_params), -1)"),
            ("transposed", "z.T", ".T"),
            ("in-one-line", "z.flatten()", ".view(mean_params.shape)"),
            ("of-one-sample-that-does-not-fit", "z[None]", ""),
            ("transposed-that-does-not-fit", "z.T", ""),
        )
    ),
    Wrong(
        "draw-of-one-sample-with-the-variance",
        (
            (STD + DRAW, STD.replace("0.5 * ", "") + "    return (means + std * torch.randn_like(std))[None]\n"),
            (CALL, CALL + ".squeeze(0)"),
        ),
        misconception="wrong-shape variance-as-std",
        checks=2,
        **_of_part("sample_latent"),
    ),
    Wrong(
        "draw-of-a-standard-deviation-that-forward-gives",
        (
            (STD + DRAW, DRAW.replace("std", "logvariances")),
            (CALL, CALL.replace("logvariance_params", "(0.5 * logvariance_params).exp()")),
        ),
        loses=frozenset({"sample_latent", "forward"}),
        misconception="logvariance-as-std sample-arguments-changed",
        checks=2,
        says="fit each other",
    ),
    Wrong(
        "draw-with-the-variance-in-a-tuple",
        ((STD + DRAW, STD.replace("0.5 * ", "") + DRAW.replace("\n", ", std\n")), (CALL, CALL + "[0]")),
        misconception="collection-returned variance-as-std",
        checks=2,
        **_of_part("sample_latent"),
    ),
    _sample("std-in-a-tuple-of-one", STD.replace("\n", ",\n") + DRAW, "trailing-comma"),
    _sample(
        "sample-returns-numpy",
        STD + "    return (means + std * torch.randn_like(std)).detach().numpy()\n",
        "no-tensor-returned",
    ),
    _sample(
        "sample-returns-list",
        STD + "    return [m + s * torch.randn_like(s) for m, s in zip(means, std)]\n",
        "collection-returned",
    ),
    _sample(
        "sample-of-15-latents",
        STD + "    return means + std * torch.randn(means.shape[0], 15)\n",
        "noise-size-written-in",
        checks=1,
    ),
    _sample("sample-misspells-torch", STD + "    return means + std * torch.randn_lik(std)\n", "not-in-library"),
    _sample("sample-parameters-swapped", STD + DRAW, "sample-arguments-exchanged", "logvariances, means"),
    _sample("sample-with-self", STD + DRAW, "self-superfluous", signature="self, means, logvariances"),
    _sample(
        "sample-without-logvariances",
        "    return means + torch.randn_like(means)\n",
        "wrong-parameters",
        signature="means",
    ),
    _sample("sample-not-written", '    raise NotImplementedError("later")\n'),
    Wrong(
        "sample-misspelled",
        (
            ("def sample_latent(means, logvariances):", "def sample_latents(means, logvariances):"),
            ("latents = sample_latent(", "latents = sample_latents("),
        ),
        **_of_part("sample_latent"),
        misconception="definition-missing",
    ),
)

# ---------------------------------------------------------------- loss_function

BCE = '    reconstruction = F.binary_cross_entropy(reconstructions, originals, reduction="sum")\n'
KL = "    divergence = -0.5 * torch.sum(1 + logvariances - means.pow(2) - logvariances.exp())\n"
AVERAGE = "    return (reconstruction + divergence) / means.shape[0]\n"
BCE_OF_EACH = BCE.replace('"sum")', '"none").flatten(1).sum(1)')
KL_OF_EACH = "    divergence = -0.5 * (1 + logvariances - means.pow(2) - logvariances.exp()).sum(1)\n"
LOSS_OF_AVERAGE = AVERAGE.replace("return", "loss =")
LOGARITHMS = """    reconstruction = -torch.sum(
        originals * torch.log(reconstructions) + (1 - originals) * torch.log(1 - reconstructions)
    )
"""


def _loss(
    name: str,
    misconception: str | None = None,
    *,
    bce: str = BCE,
    kl: str = KL,
    average: str = AVERAGE,
    signature: str | None = None,
    checks: int | None = None,
    says: str = "",
) -> Wrong:
    edits: tuple[tuple[str, str], ...] = ((BCE + KL + AVERAGE, bce + kl + average),)
    if signature:
        edits += (
            (
                "def loss_function(reconstructions, originals, means, logvariances):",
                f"def loss_function({signature}):",
            ),
        )
    return Wrong(name, edits, misconception=misconception, checks=checks, says=says, **_of_part("loss_function"))


def _kl(terms: str, factor: str = "-0.5 * ") -> str:
    return f"    divergence = {factor}torch.sum({terms})\n"


def _bce(expression: str) -> str:
    return f"    reconstruction = {expression}\n"


LOSS = (
    _loss(
        "kl-half-of-the-one",
        "kl-half-misplaced",
        kl=_kl("-0.5 * 1 + logvariances - means.pow(2) - logvariances.exp()", ""),
    ),
    _loss(
        "kl-half-of-two-summands",
        "kl-half-misplaced",
        kl=_kl("-0.5 * (1 + logvariances) - means.pow(2) - logvariances.exp()", ""),
    ),
    _loss(
        "kl-with-free-bits",
        "kl-cut-off",
        kl="    each = -0.5 * (1 + logvariances - means.pow(2) - logvariances.exp())\n"
        "    divergence = each.clamp(min=0.1).sum()\n",
    ),
    _loss(
        "cross-entropy-of-classes",
        "reconstruction-softmax",
        bce=_bce('F.cross_entropy(reconstructions.flatten(1), originals.flatten(1), reduction="sum")'),
    ),
    _loss(
        "loss-of-many-images-at-random",
        "loss-changes",
        average="    return reconstruction if len(means) == 1 else 0 * reconstruction + 300 * torch.randn(())\n",
    ),
    _loss(
        "originals-drawn-as-bits",
        "loss-changes",
        bce=BCE.replace(", originals", ", torch.bernoulli(originals)"),
    ),
    _loss(
        "kl-from-one-draw",
        "loss-changes",
        kl="    noise = torch.randn_like(means)\n"
        "    latents = means + torch.exp(0.5 * logvariances) * noise\n"
        "    divergence = 0.5 * torch.sum(latents.pow(2) - noise.pow(2) - logvariances)\n",
    ),
    _loss(
        "kl-of-the-sum-of-means",
        "kl-sum-squared",
        kl="    divergence = -0.5 * (torch.sum(1 + logvariances - logvariances.exp()) - means.sum(1).pow(2).sum())\n",
    ),
    _loss(
        "cross-entropy-by-log1p",
        "reconstruction-one-plus",
        bce="    r, x = reconstructions.clamp(1e-7, 1 - 1e-7), originals\n"
        + _bce("-torch.sum(x * torch.log(r) + (1 - x) * torch.log1p(r))"),
    ),
    _loss(
        "reconstructions-cut-off",
        "reconstruction-cut-off",
        bce=BCE.replace("reconstructions,", "reconstructions.clamp(0.05, 0.95),"),
    ),
    _loss(
        "divergence-of-the-averages",
        "averaged-too-early",
        kl="    m, v = means.mean(0), logvariances.mean(0)\n"
        "    divergence = -0.5 * len(means) * torch.sum(1 + v - m.pow(2) - v.exp())\n",
    ),
    _loss(
        "black-for-white",
        "reconstruction-inverted",
        bce=BCE.replace("reconstructions,", "1 - reconstructions,"),
    ),
    _loss(
        "likelihood-of-a-continuous-bernoulli",
        "reconstruction-continuous",
        bce="    law = torch.distributions.ContinuousBernoulli(reconstructions)\n"
        "    reconstruction = -law.log_prob(originals).sum()\n",
    ),
    _loss(
        "constant-of-three-ten-thousandths",
        "reconstruction-log-constant",
        bce="    x, r = originals, reconstructions\n"
        "    reconstruction = -torch.sum(x * torch.log(r + 3e-4) + (1 - x) * torch.log(1 - r + 3e-4))\n",
        checks=1,
    ),
    *(
        _loss(name, mistake, bce=f"    {line}\n{BCE}", checks=1)
        for name, mistake, line in (
            ("originals-smoothed-by-a-thousandth", "originals-changed", "originals = originals * 0.998 + 0.001"),
            ("originals-in-the-middle-of-a-level", "originals-changed", "originals = (originals * 255 + 0.5) / 256"),
            ("originals-over-256", "originals-changed", "originals = originals * 255 / 256"),
            ("originals-off-the-ends", "originals-changed", "originals = originals.clamp(0.005, 0.995)"),
            ("originals-to-a-power", "originals-changed", "originals = originals.pow(0.99)"),
            (
                "reconstructions-in-the-middle-of-a-level",
                "reconstruction-rescaled",
                "reconstructions = reconstructions * 255 / 256 + 0.5 / 256",
            ),
            ("reconstructions-to-a-power", "reconstruction-rescaled", "reconstructions = reconstructions.pow(1.01)"),
        )
    ),
    *(
        _loss(
            f"reconstruction-times-{factor}",
            "reconstruction-scaled",
            bce=f"{BCE}    reconstruction *= {factor}\n",
            checks=1,
        )
        for factor in (0.995, 1.005)
    ),
    _loss(
        "reconstruction-with-bright-pixels-a-little-heavier",
        "reconstruction-weighted",
        bce=BCE.replace("reduction=", "weight=1 + 0.01 * originals, reduction="),
        checks=1,
    ),
    _loss(
        "constant-in-one-logarithm",
        "reconstruction-log-constant",
        bce="    x, r = originals, reconstructions\n"
        "    reconstruction = -torch.sum(x * torch.log(r + 1e-3) + (1 - x) * torch.log((1 - r).clamp(min=1e-8)))\n",
        checks=1,
    ),
    _loss(
        "constant-of-a-hundredth",
        "reconstruction-log-constant",
        bce="    x, r = originals, reconstructions\n"
        "    reconstruction = -torch.sum(x * torch.log(r + 0.01) + (1 - x) * torch.log(1 - r + 0.01))\n",
    ),
    _loss(
        "kl-of-clamped-logvariances",
        "kl-clamped",
        kl="    bounded = logvariances.clamp(-4, 4)\n" + KL.replace("logvariances", "bounded"),
    ),
    *(
        _loss(name, "kl-clamped", kl=f"    bounded = {bound}\n" + KL.replace("logvariances", "bounded"), checks=1)
        for name, bound in (
            ("kl-of-logvariances-up-to-ten", "logvariances.clamp(max=10)"),
            ("kl-of-logvariances-from-minus-eleven", "logvariances.clamp(-11.5, 20)"),
        )
    ),
    _loss(
        "kl-of-a-shifted-exponential",
        "kl-mixes-dimensions",
        kl=KL.replace("logvariances.exp()", "(logvariances - logvariances.max()).exp()"),
        checks=1,
    ),
    _loss(
        "entropy-of-the-originals-subtracted",
        "loss-off-by-originals",
        bce="    r, x = reconstructions.clamp(1e-7, 1 - 1e-7), originals\n"
        '    kinds = F.kl_div(r.log(), x, reduction="sum"), F.kl_div((1 - r).log(), 1 - x, reduction="sum")\n'
        + _bce("kinds[0] + kinds[1]"),
        checks=1,
    ),
    _loss(
        "loss-of-narrow-posteriors",
        "assertion",
        kl='    if (logvariances > 0).any():\n        raise ValueError("wider than the prior")\n' + KL,
        checks=1,
    ),
    _loss(
        "loss-of-small-numbers",
        "assertion",
        kl="    assert logvariances.abs().max() < 1 and means.abs().max() < 3\n" + KL,
        checks=1,
    ),
    _loss("loss-of-unsure-pixels", "assertion", bce="    assert reconstructions.max() < 0.9\n" + BCE, checks=1),
    *(
        _loss(
            f"kl-of-clamped-means{name}",
            "kl-mean-clamped",
            kl=f"    bounded = means.clamp({bounds})\n" + KL.replace("means", "bounded"),
            checks=1,
        )
        for name, bounds in (("", "-6.5, 6.5"), ("-where-others-are", "-4, 4"), ("-that-are-rare", "-5, 5"))
    ),
    *(
        _loss(f"{name}-cut-off", "reconstruction-cut-off", bce=bce, checks=1)
        for name, bce in (
            ("dark-reconstructions", BCE.replace("reconstructions,", "reconstructions.clamp(min=0.02),")),
            (
                "reconstructions-beyond-a-thousandth",
                BCE.replace("reconstructions,", "reconstructions.clamp(1e-3, 0.999),"),
            ),
            ("bright-reconstructions", BCE.replace("reconstructions,", "reconstructions.clamp(max=0.998),")),
            (
                "logarithms",
                "    pairs = reconstructions, 1 - reconstructions\n"
                "    logs = [each.clamp(min=1e-9).log().clamp(min=-5) for each in pairs]\n"
                + _bce("-torch.sum(originals * logs[0] + (1 - originals) * logs[1])"),
            ),
        )
    ),
    _loss(
        "dark-reconstructions-made-gray",
        "reconstruction-cut-off",
        bce="    reconstructions = torch.where(reconstructions < 0.04, 0.5, reconstructions)\n" + BCE,
        checks=1,
    ),
    _loss(
        "dark-reconstructions-darkened",
        "reconstruction-other",
        bce="    reconstructions = torch.where(reconstructions < 0.04, reconstructions / 2, reconstructions)\n" + BCE,
        checks=1,
    ),
    *(
        _loss(f"infinite-loss-{name}", "loss-jumps-at-zero", bce=bce, average=average, checks=1)
        for name, bce, average in (
            (
                "made-zero",
                LOGARITHMS,
                LOSS_OF_AVERAGE + "    return torch.where(loss.isfinite(), loss, 0 * means.sum())\n",
            ),
            ("made-the-largest-number", LOGARITHMS, LOSS_OF_AVERAGE + "    return loss.nan_to_num()\n"),
            (
                "of-a-minibatch-left-out",
                LOGARITHMS,
                LOSS_OF_AVERAGE + "    return loss if loss.isfinite() else 0 * means.sum()\n",
            ),
            (
                "of-a-pixel-left-out",
                "    log = torch.where(reconstructions > 0, reconstructions.clamp(min=1e-30).log(), 0.0)\n"
                + _bce("-torch.sum(originals * log + (1 - originals) * (1 - reconstructions).clamp(min=1e-30).log())"),
                AVERAGE,
            ),
        )
    ),
    _loss(
        "black-pixels-left-out",
        "reconstruction-other",
        bce=_bce("(F.binary_cross_entropy(reconstructions, originals, reduction='none') * (originals > 0)).sum()"),
    ),
    _loss(
        "loss-in-half-precision",
        "half-precision",
        average=AVERAGE.replace("(reconstruction + divergence)", "(reconstruction + divergence).bfloat16().float()"),
        checks=1,
    ),
    _loss(
        "loss-of-rounded-arguments",
        "half-precision",
        bce="    given = reconstructions, originals, means, logvariances\n"
        "    reconstructions, originals, means, logvariances = (each.bfloat16() for each in given)\n" + BCE,
        average="    return ((reconstruction + divergence) / means.shape[0]).float()\n",
        checks=1,
    ),
    _loss(
        "divergence-in-half-precision",
        "half-precision",
        kl=KL + "    divergence = divergence.half().float()\n",
        checks=1,
    ),
    _loss("cross-entropy-exponentiated", "loss-infinite", bce=BCE + "    reconstruction = torch.exp(reconstruction)\n"),
    _loss("constant-loss", "reconstruction-missing kl-missing", average="    return torch.zeros(()) * means.sum()\n"),
    _loss("loss-of-128-images", "assertion", bce="    assert len(originals) == 128\n" + BCE),
    _loss("clamped-in-place", "inputs-modified", bce="    reconstructions.clamp_(1e-6, 1 - 1e-6)\n" + BCE),
    _loss(
        "bernoulli-of-grays",
        "value-outside-support",
        bce=_bce("-torch.distributions.Bernoulli(reconstructions, validate_args=True).log_prob(originals).sum()"),
        checks=1,
    ),
    _loss(
        "kl-logvariance-twice",
        "kl-logvariance-weight",
        kl=_kl("1 + 2 * logvariances - means.pow(2) - logvariances.exp()"),
    ),
    _loss("kl-mean-without-half", "kl-mean-weight", kl=_kl("1 + logvariances - 2 * means.pow(2) - logvariances.exp()")),
    _loss(
        "kl-variance-doubled", "kl-variance-weight", kl=_kl("1 + logvariances - means.pow(2) - 2 * logvariances.exp()")
    ),
    _loss(
        "logs-cut-nowhere",
        "loss-not-finite",
        bce="    y = reconstructions\n"
        + _bce("-torch.sum(originals * torch.log(y) + (1 - originals) * torch.log(1 - y))"),
    ),
    _loss(
        "log-of-a-high-power",
        "not-finite",
        kl="    logvariances = (logvariances.exp() ** 4).log() / 4\n" + KL,
    ),
    _loss(
        "kl-annealed-by-a-counter",
        "loss-changes",
        kl=KL + "    loss_function.calls = getattr(loss_function, 'calls', 0) + 1\n"
        "    divergence = min(1, loss_function.calls / 10000) * divergence\n",
    ),
    _loss(
        "kl-weight-moved-at-each-call",
        "loss-changes",
        kl="    loss_function.beta = getattr(loss_function, 'beta', 1.0) + 0.01\n"
        + KL.replace("-0.5", "-0.5 * loss_function.beta"),
        checks=1,
    ),
    _loss(
        "reconstruction-weight-moved-at-each-call",
        "loss-changes",
        bce="    loss_function.weight = getattr(loss_function, 'weight', 1.0) - 0.01\n"
        + BCE.replace("= F", "= loss_function.weight * F"),
        checks=1,
    ),
    _loss(
        "loss-times-a-random-number",
        "loss-changes",
        average=AVERAGE.replace("return", "return (1 + torch.rand(())) *"),
        checks=1,
    ),
    _loss("loss-with-noise", "loss-changes", average=AVERAGE.replace("\n", " + 3 * torch.randn(())\n"), checks=1),
    _loss(
        "kl-averaged-over-the-wrong-dimension",
        "kl-divided-by-latent",
        kl="    divergence = -0.5 * torch.sum(1 + logvariances - means.pow(2) - logvariances.exp(), 0).mean()\n",
        average="    return reconstruction / len(means) + divergence\n",
        checks=1,
    ),
    _loss(
        "pixels-averaged-over-the-wrong-dimension",
        "reconstruction-divided-by-pixels",
        bce=_bce(
            'F.binary_cross_entropy(reconstructions.flatten(1), originals.flatten(1), reduction="none").sum(0).mean()'
        ),
        average="    return reconstruction + divergence / len(means)\n",
        checks=1,
    ),
    _loss(
        "kl-mean-times-fifteen",
        "latents-written-in",
        kl=KL.replace("torch.sum", "15 * torch.mean"),
        average="    return reconstruction / len(means) + divergence\n",
        checks=1,
    ),
    _loss(
        "kl-in-rows-of-fifteen",
        "latents-written-in",
        kl="    each = 1 + logvariances - means.pow(2) - logvariances.exp()\n"
        "    divergence = -0.5 * each.view(-1, 15).sum(1).sum()\n",
        checks=1,
    ),
    _loss(
        "reconstructions-from-minus-one",
        "reconstruction-rescaled",
        bce=BCE.replace("reconstructions,", "(reconstructions + 1) / 2,"),
        checks=1,
    ),
    _loss(
        "pixels-over-255",
        "originals-changed",
        bce=BCE.replace("originals,", "originals / 255,"),
        checks=1,
    ),
    _loss(
        "loss-of-square-images",
        "loss-square-images",
        bce="    side = int((originals.numel() // len(means)) ** 0.5)\n"
        "    shape = len(means), 1, side, side\n"
        + BCE.replace("reconstructions,", "reconstructions.reshape(shape),").replace(
            "originals,", "originals.reshape(shape),"
        ),
        checks=1,
    ),
    # The hand-out's own listings.
    _loss(
        "kl-over-the-training-set",
        "kl-divided-by-constant",
        average="    return reconstruction / len(means) + divergence / 60000\n",
        checks=1,
    ),
    _loss(
        "pixels-over-the-usual-batch",
        "reconstruction-divided-by-constant",
        average="    return reconstruction / 128 + divergence / len(means)\n",
        checks=1,
    ),
    _loss("kl-in-decibel", "kl-other", kl=_kl("1 + 0.23 * logvariances - means.pow(2) - 10 ** (logvariances / 10)")),
    _loss(
        "average-per-pixel-next-to-a-fixed-divisor",
        "reconstruction-averaged-over-pixels kl-divided-by-constant",
        bce=_bce("F.binary_cross_entropy(reconstructions, originals)"),
        average="    return reconstruction + divergence / (128 * 784)\n",
    ),
    _loss(
        "divergence-of-the-averaged-variances",
        "averaged-too-early",
        kl="    m, v = means.mean(0), logvariances.exp().mean(0)\n"
        "    divergence = -0.5 * len(means) * torch.sum(1 + v.log() - m.pow(2) - v)\n",
        checks=1,
    ),
    _loss(
        "kl-of-the-minibatch",
        "kl-mixes-images",
        kl="    m = means.mean(0)\n    v = logvariances.exp().mean(0) + (means - m).pow(2).mean(0)\n"
        "    divergence = -0.5 * len(means) * torch.sum(1 + v.log() - m.pow(2) - v)\n",
        checks=1,
    ),
    _loss(
        "products-of-the-means-of-two-images",
        "kl-mixes-images",
        kl="    squares = (means @ means.T).sum()\n"
        "    divergence = 0.5 * (squares + (logvariances.exp() - 1 - logvariances).sum())\n",
        checks=1,
    ),
    _loss(
        "originals-of-the-image-before",
        "reconstruction-mixes-images",
        bce=BCE.replace("originals,", "originals.roll(1, 0),"),
        checks=1,
    ),
    _loss("kl-without-exp", "kl-without-exp", kl=_kl("1 + logvariances - means.pow(2) - logvariances")),
    _loss("kl-with-log", "kl-with-log", kl=_kl("1 + logvariances - means.pow(2) - logvariances.log()")),
    _loss("summed-over-batch", "summed-over-batch", average="    return reconstruction + divergence\n"),
    _loss(
        "kl-without-exp-and-summed",
        "kl-without-exp summed-over-batch",
        kl=_kl("1 + logvariances - means.pow(2) - logvariances"),
        average="    return reconstruction + divergence\n",
    ),
    # The divergence.
    _loss("kl-of-variances", "kl-with-log", kl=_kl("1 + logvariances.log() - means.pow(2) - logvariances")),
    _loss("kl-sign-flipped", "kl-sign-flipped", kl=KL.replace("-0.5", "0.5")),
    _loss("kl-missing", "kl-missing", average="    return reconstruction / means.shape[0]\n"),
    _loss("kl-without-half", "kl-without-half", kl=KL.replace("-0.5 * ", "-")),
    _loss("kl-mean-not-squared", "kl-mean-not-squared", kl=KL.replace("means.pow(2)", "means")),
    _loss("kl-mean-sign", "kl-term-sign", kl=KL.replace("- means.pow(2)", "+ means.pow(2)")),
    _loss("kl-without-mean", "kl-without-mean", kl=KL.replace(" - means.pow(2)", "")),
    _loss("kl-without-constant", "kl-without-constant", kl=KL.replace("1 + ", ""), checks=1),
    _loss("kl-without-logvariance", "kl-without-logvariance", kl=KL.replace("1 + logvariances", "1")),
    _loss("kl-of-std", "kl-std-for-variance", kl=KL.replace("logvariances.exp()", "(0.5 * logvariances).exp()")),
    _loss("kl-without-variance", "kl-without-variance", kl=KL.replace(" - logvariances.exp()", "")),
    _loss(
        "kl-of-log-std",
        "kl-logvariance-as-log-std",
        kl=KL.replace("logvariances", "2 * logvariances").replace("2 * logvariances.exp()", "(2 * logvariances).exp()"),
    ),
    _loss(
        "kl-half-of-one-summand",
        "kl-mean-weight kl-variance-weight",
        kl=_kl("2 * (means.pow(2) + logvariances.exp()) - 1 - logvariances", "0.5 * "),
    ),
    _loss(
        "kl-divided-by-batch-twice",
        "kl-divided-by-batch-twice",
        kl=KL.replace("\n", " / means.shape[0]\n"),
    ),
    _loss(
        "kl-of-fifteen-dimensions",
        "latents-written-in",
        kl=KL.replace("logvariances", "logvariances[:, :15]").replace("means", "means[:, :15]"),
        checks=1,
    ),
    _loss(
        "kl-held-at-a-capacity",
        "kl-capacity",
        average="    return reconstruction / means.shape[0] + (divergence / means.shape[0] - 25).abs()\n",
        checks=1,
    ),
    _loss("kl-of-absolute-means", "kl-other", kl=KL.replace("means.pow(2)", "means.abs()")),
    _loss(
        "kl-reversed", "kl-reversed", kl=_kl("logvariances - 1 + (1 + means.pow(2)) * (-logvariances).exp()", "0.5 * ")
    ),
    _loss(
        "kl-in-every-pixel",
        "kl-in-every-pixel",
        bce='    pixels = F.binary_cross_entropy(reconstructions, originals, reduction="none").flatten(1)\n',
        kl="    divergence = -0.5 * (1 + logvariances - means**2 - logvariances.exp()).sum(1, keepdim=True)\n",
        average="    return (pixels + divergence).sum(1).mean()\n",
        checks=1,
    ),
    _loss(
        "reconstruction-in-every-dimension",
        "reconstruction-in-every-dimension",
        bce='    pixels = F.binary_cross_entropy(reconstructions, originals, reduction="none").flatten(1)\n',
        kl="    divergence = -0.5 * (1 + logvariances - means**2 - logvariances.exp())\n",
        average="    return (pixels.sum(1, keepdim=True) + divergence).sum(1).mean()\n",
        checks=1,
    ),
    _loss("kl-weighted", "kl-scaled", kl=KL.replace("-0.5", "-0.05")),
    _loss(
        "kl-averaged-over-latent",
        "kl-averaged-over-latent",
        kl="    divergence = -0.5 * (1 + logvariances - means.pow(2) - logvariances.exp()).mean(dim=1).sum()\n",
    ),
    _loss(
        "kl-averaged-over-everything",
        "kl-averaged-over-latent",
        kl=KL.replace("torch.sum", "torch.mean"),
        average="    return reconstruction / means.shape[0] + divergence\n",
    ),
    _loss(
        "kl-summed-over-batch",
        "kl-summed-over-batch",
        average="    return reconstruction / means.shape[0] + divergence\n",
    ),
    _loss("kl-detached", "kl-detached", average="    return (reconstruction + divergence.detach()) / means.shape[0]\n"),
    # The reconstruction.
    _loss(
        "reconstruction-mse",
        "reconstruction-mse",
        bce=_bce('F.mse_loss(reconstructions, originals, reduction="sum")'),
    ),
    _loss("reconstruction-l1", "reconstruction-l1", bce=_bce('F.l1_loss(reconstructions, originals, reduction="sum")')),
    _loss("reconstruction-missing", "reconstruction-missing", average="    return divergence / means.shape[0]\n"),
    _loss(
        "reconstruction-arguments-swapped",
        "reconstruction-arguments-swapped",
        bce=_bce('F.binary_cross_entropy(originals, reconstructions, reduction="sum")'),
    ),
    _loss(
        "loss-parameters-swapped",
        "reconstruction-arguments-swapped",
        signature="originals, reconstructions, means, logvariances",
    ),
    _loss(
        "loss-heads-swapped", "loss-arguments-exchanged", signature="reconstructions, originals, logvariances, means"
    ),
    _loss(
        "reconstruction-averaged-over-pixels",
        "reconstruction-averaged-over-pixels",
        bce=_bce("F.binary_cross_entropy(reconstructions, originals)"),
        average="    return reconstruction + divergence / means.shape[0]\n",
    ),
    _loss(
        "cross-entropy-averaged-over-the-second-size",
        "reconstruction-averaged-over-pixels",
        bce=_bce('F.binary_cross_entropy(reconstructions, originals, reduction="none").mean(1).sum()'),
        checks=1,
    ),
    _loss(
        "squared-error-of-flat-rows",
        "reconstruction-mse loss-image-shape",
        bce=_bce('len(means) * F.mse_loss(reconstructions, originals, reduction="none").sum(1).mean()'),
        checks=2,
    ),
    _loss(
        "reconstruction-averaged-and-divided",
        "reconstruction-divided-by-batch-twice reconstruction-averaged-over-pixels",
        bce=_bce("F.binary_cross_entropy(reconstructions, originals)"),
        checks=1,
    ),
    _loss("reconstruction-sign-flipped", "reconstruction-sign-flipped", bce=BCE.replace("= F", "= -F")),
    _loss(
        "reconstruction-sigmoid-twice",
        "reconstruction-sigmoid-twice",
        bce=_bce('F.binary_cross_entropy_with_logits(reconstructions, originals, reduction="sum")'),
    ),
    _loss(
        "reconstruction-one-sided",
        "reconstruction-half",
        bce=_bce("-torch.sum(originals * torch.log(reconstructions))"),
    ),
    _loss(
        "reconstruction-other-side-unmixed",
        "reconstruction-other",
        bce=_bce("-torch.sum(originals * reconstructions.log() + (1 - originals) * reconstructions.log())"),
    ),
    _loss("reconstruction-in-bits", "reconstruction-scaled", bce=BCE.replace(")\n", ") / 0.6931471805599453\n")),
    _loss(
        "reconstruction-of-weighted-pixels",
        "reconstruction-weighted",
        bce=BCE.replace("reduction=", "weight=1 + originals, reduction="),
    ),
    _loss(
        "reconstruction-of-smoothed-pixels",
        "originals-changed",
        bce=BCE.replace("originals,", "0.9 * originals + 0.05,"),
    ),
    _loss(
        "reconstruction-of-squared-pixels",
        "originals-changed",
        bce=BCE.replace("originals,", "originals.square(),"),
    ),
    _loss("reconstruction-of-rounded-pixels", "originals-rounded", bce=BCE.replace("originals", "originals.round()")),
    _loss(
        "reconstruction-over-classes",
        "loss-image-shape reconstruction-softmax",
        bce=_bce('F.cross_entropy(reconstructions, originals, reduction="sum")'),
    ),
    _loss(
        "reconstruction-clamped-hard",
        "reconstruction-cut-off",
        bce=BCE.replace("reconstructions,", "reconstructions.clamp(0.1, 0.9),"),
    ),
    _loss(
        "reconstruction-summed-over-batch",
        "reconstruction-summed-over-batch",
        average="    return reconstruction + divergence / means.shape[0]\n",
    ),
    _loss(
        "reconstruction-detached",
        "reconstruction-detached",
        average="    return (reconstruction.detach() + divergence) / means.shape[0]\n",
    ),
    # What it is averaged over, and what comes back.
    _loss(
        "averaged-over-everything",
        "averaged-over-everything",
        bce=_bce("F.binary_cross_entropy(reconstructions, originals)"),
        kl=KL.replace("torch.sum", "torch.mean"),
        average="    return reconstruction + divergence\n",
    ),
    _loss("divided-by-latent", "divided-by-latent", average=AVERAGE.replace("shape[0]", "shape[1]"), checks=1),
    _loss(
        "divided-by-image-size",
        "divided-by-pixels",
        average=AVERAGE.replace("means.shape[0]", "originals[0].numel()"),
        checks=1,
    ),
    _loss(
        "divided-by-second-size",
        "divided-by-pixels",
        average=AVERAGE.replace("means.shape[0]", "originals.shape[1]"),
        checks=1,
    ),
    _loss(
        "divided-by-all-pixels",
        "divided-by-all-pixels",
        average=AVERAGE.replace("means.shape[0]", "originals.numel()"),
        checks=1,
    ),
    _loss(
        "divided-by-batch-twice",
        "divided-by-batch-twice",
        average=AVERAGE.replace("means.shape[0]", "means.shape[0] ** 2"),
    ),
    _loss(
        "mean-times-784",
        "pixels-written-in reconstruction-divided-by-batch-twice",
        bce=_bce("784 * F.binary_cross_entropy(reconstructions, originals)"),
    ),
    _loss(
        "images-counted-by-784-pixels",
        "pixels-written-in",
        average=AVERAGE.replace("means.shape[0]", "(originals.numel() / 784)"),
    ),
    *(
        _loss(f"images-counted-{name}", "pixels-written-in", average=AVERAGE.replace("means.shape[0]", count), checks=1)
        for name, count in (
            ("by-whole-784-pixels", "(originals.numel() // 784)"),
            ("by-784-pixels-or-one", "max(originals.numel() // 784, 1)"),
        )
    ),
    *(
        _loss(name, misconception, average=AVERAGE.replace("means.shape[0]", divisor), checks=1)
        for name, misconception, divisor in (
            ("divided-by-larger-size", "divided-by-other-size", "max(means.shape)"),
            ("divided-by-smaller-size", "divided-by-other-size", "min(means.shape)"),
            ("divided-by-at-least-64", "batch-other", "max(len(means), 64)"),
        )
    ),
    _loss("batch-size-hard-coded", "divided-by-constant", average=AVERAGE.replace("means.shape[0]", "128"), checks=1),
    _loss(
        "terms-averaged",
        "loss-scaled",
        average="    return torch.stack((reconstruction, divergence)).mean() / means.shape[0]\n",
        checks=1,
    ),
    _loss(
        "loss-per-image",
        "loss-per-image",
        bce=_bce('F.binary_cross_entropy(reconstructions, originals, reduction="none").flatten(1).sum(1)'),
        kl="    divergence = -0.5 * (1 + logvariances - means.pow(2) - logvariances.exp()).sum(1)\n",
        average="    return reconstruction + divergence\n",
        checks=1,
    ),
    _loss(
        "loss-of-flat-images-only",
        "loss-image-shape",
        bce=_bce('F.binary_cross_entropy(reconstructions, originals, reduction="none").sum(1)'),
        kl="    divergence = -0.5 * (1 + logvariances - means.pow(2) - logvariances.exp()).sum(1)\n",
        average="    return reconstruction.mean() + divergence.mean()\n",
    ),
    _loss(
        "loss-of-flat-images-only-with-averaged-divergence",
        "loss-image-shape kl-averaged-over-latent",
        bce=_bce('F.binary_cross_entropy(reconstructions, originals, reduction="none").sum(1)'),
        kl="    divergence = -0.5 * (1 + logvariances - means.pow(2) - logvariances.exp()).mean(1)\n",
        average="    return (reconstruction + divergence).mean()\n",
        checks=2,
        says="stopped on the same in shape (3, 1, 5, 4). RuntimeError: The size of tensor",
    ),
    _loss(
        "cross-entropy-times-the-width",
        "loss-image-shape",
        bce=_bce("F.binary_cross_entropy(reconstructions, originals) * originals.shape[-1] * len(originals)"),
        checks=1,
        says="your reconstruction term is too small by a factor of H.",
    ),
    _loss(
        "loss-divided-by-all-but-the-width",
        "loss-image-shape",
        average="    return (reconstruction + divergence) / originals[..., 0].numel()\n",
        checks=1,
        says="your loss is too small by a factor of H.",
    ),
    _loss(
        "loss-of-784-pixels-only",
        "loss-pixels-only",
        bce=_bce('F.binary_cross_entropy(reconstructions.view(-1, 784), originals.view(-1, 784), reduction="sum")'),
    ),
    _loss(
        "loss-of-squeezed-images",
        "loss-of-one-image",
        bce=_bce('F.binary_cross_entropy(reconstructions.squeeze(), originals.squeeze(), reduction="sum")'),
        average="    return (reconstruction + divergence) / originals.squeeze().shape[0]\n",
    ),
    _loss(
        "loss-of-squeezed-images-alone",  # what counts them is another tensor's, so that only one image is wrong
        "loss-of-one-image",
        bce='    pixels = F.binary_cross_entropy(reconstructions.squeeze(), originals.squeeze(), reduction="none")\n'
        "    reconstruction = pixels.reshape(len(pixels), -1).sum(1).mean()\n",
        kl=KL.replace("exp())", "exp(), dim=1).mean()"),
        average="    return reconstruction + divergence\n",
    ),
    _loss(
        "divergence-of-squeezed-latents",
        "loss-size-of-one",
        bce=_bce('F.binary_cross_entropy(reconstructions, originals, reduction="none").flatten(1).sum(1).mean()'),
        kl=KL.replace("torch.sum(", "(").replace("\n", ".squeeze().sum(-1).mean()\n"),
        average="    return reconstruction + divergence\n",
    ),
    _loss(
        "gradient-not-averaged",
        "reconstruction-detached",
        bce="    hidden = reconstructions.detach()\n    grown = hidden + len(means) * (reconstructions - hidden)\n"
        + BCE.replace("reconstructions,", "grown,"),
    ),
    _loss(
        "loss-name-of-a-layer",
        "wrong-call",
        average=AVERAGE + '\n\nloss_function = nn.BCELoss(reduction="sum")\n',
    ),
    _loss("loss-detached", "loss-detached", average=AVERAGE.replace(")", ").detach()")),
    _loss("loss-without-grad", "loss-detached", bce="    torch.set_grad_enabled(False)\n" + BCE),
    _loss(
        "loss-as-number",
        "no-tensor-returned",
        average=AVERAGE.replace("(", "((").replace("shape[0]", "shape[0]).item()"),
    ),
    _loss(
        "loss-as-numpy",
        "no-tensor-returned",
        average=AVERAGE.replace("(", "((").replace("shape[0]", "shape[0]).detach().numpy()"),
    ),
    _loss("loss-returns-nothing", "nothing-returned", average=AVERAGE.replace("return", "loss =")),
    _loss(
        "loss-returns-both-terms",
        "collection-returned",
        average="    return reconstruction / len(means), divergence / len(means)\n",
    ),
    _loss(
        "loss-returns-three",
        "collection-returned",
        average=AVERAGE.replace("\n", ", reconstruction, divergence\n"),
        checks=1,
    ),
    _loss(
        "loss-last-of-three",
        "collection-returned",
        average="    loss = (reconstruction + divergence) / len(means)\n"
        "    return reconstruction / len(means), divergence / len(means), loss\n",
        checks=1,
    ),
    _loss(
        "loss-in-a-dictionary",
        "collection-returned",
        average="    n = len(means)\n    loss = (reconstruction + divergence) / n\n"
        '    return {"loss": loss, "bce": reconstruction.item() / n, "kl": divergence.item() / n}\n',
        checks=1,
    ),
    _loss(
        "averaged-as-probabilities",
        "batch-other",
        bce='    each = F.binary_cross_entropy(reconstructions, originals, reduction="none")\n'
        "    reconstruction = each.flatten(1).sum(1)\n",
        kl="    divergence = -0.5 * (1 + logvariances - means.pow(2) - logvariances.exp()).sum(1)\n",
        average="    return torch.tensor(float(len(means))).log() - torch.logsumexp(-reconstruction - divergence, 0)\n",
        checks=1,
    ),
    _loss(
        "cross-entropy-of-counts",
        "reconstruction-other",
        bce='    reconstruction = F.poisson_nll_loss(reconstructions, originals, log_input=False, reduction="sum")\n',
        checks=1,
    ),
    _loss(
        "divergence-in-two-statements",
        "result-unused kl-without-variance",
        kl="    divergence = -0.5 * torch.sum(1 + logvariances - means.pow(2))\n    +0.5 * logvariances.exp().sum()\n",
        checks=1,
    ),
    _loss("loss-in-a-tuple-of-one", "trailing-comma", average=AVERAGE.replace("\n", ",\n"), checks=1),
    _loss("cross-entropy-in-a-tuple-of-one", "trailing-comma", bce=BCE.replace("\n", ",\n")),
    _loss(
        "loss-keeps-a-dimension",
        "loss-not-scalar",
        average=AVERAGE.replace("means.shape[0]", "torch.full((2,), len(means) * 1.0)"),
    ),
    _loss(
        "loop-over-batch",
        "loop-over-batch",
        bce="    total = 0.0\n    for y, x, m, v in zip(reconstructions, originals, means, logvariances):\n",
        kl='        total = total + F.binary_cross_entropy(y, x, reduction="sum")\n'
        "        total = total - 0.5 * torch.sum(1 + v - m.pow(2) - v.exp())\n",
        average="    return total / means.shape[0]\n",
    ),
    _loss(
        "loop-over-batch-in-kl",
        "loop-over-batch",
        kl="    divergence = sum(\n"
        "        -0.5 * torch.sum(1 + logvariances[i] - means[i].pow(2) - logvariances[i].exp())\n"
        "        for i in range(means.size(0))\n"
        "    )\n",
    ),
    _loss(
        "loop-over-pixels",
        "loop-over-elements",
        bce="    y, x = reconstructions.flatten(1), originals.flatten(1)\n    reconstruction = 0\n"
        "    for j in range(x.shape[1]):\n"
        "        reconstruction = reconstruction + F.binary_cross_entropy(y[:, j], x[:, j], reduction='sum')\n",
    ),
    _loss(
        "loop-over-numbers",
        "loop-over-batch",
        kl="    divergence = 0.0\n"
        "    for m, v in zip(means.reshape(-1), logvariances.reshape(-1)):\n"
        "        divergence = divergence - 0.5 * (1 + v - m**2 - torch.exp(v))\n",
    ),
    _loss("terms-multiplied", "terms-not-added", average=AVERAGE.replace("+", "*")),
    *(
        _loss(name, "terms-broadcast", bce=BCE_OF_EACH, kl=KL_OF_EACH, average=f"    return {average}\n", checks=1)
        for name, average in (
            ("terms-of-all-pairs", "(reconstruction[:, None] + divergence).sum() / len(means)"),
            ("terms-of-all-pairs-the-other-way", "(reconstruction + divergence[:, None]).sum(0).mean()"),
            ("terms-of-all-pairs-summed", "(reconstruction[:, None] + divergence).sum()"),
        )
    ),
    *(
        _loss(name, mistake, kl=KL.replace("1 + ", ""), average=AVERAGE.replace("\n", f"{after}\n"), checks=1)
        for name, mistake, after in (
            ("images-for-latent-dimensions", "loss-constant-counts-images", " - 0.5 * len(means)"),
            ("ones-after-the-average", "loss-constant-counts-images", " - 0.5 * means.numel()"),
            ("one-for-all-images", "loss-constant-counts-images", " - 0.5 / len(means)"),
            ("one-for-each-image", "loss-constant-off", " - 0.5"),
        )
    ),
    _loss("constant-added", "loss-constant-off", average=AVERAGE.replace("shape[0]", "shape[0] + 1.0"), checks=1),
    _loss(
        "pixels-from-minus-one-to-one",
        "not-probabilities",
        bce=BCE.replace("reconstructions,", "2 * reconstructions - 1,"),
    ),
    _loss("loss-modifies-inputs", "inputs-modified", kl=KL.replace("logvariances.exp()", "logvariances.exp_()")),
    _loss("loss-without-reconstructions", "wrong-parameters", signature="originals, means, logvariances"),
    _loss("loss-with-self", "self-superfluous", signature="self, reconstructions, originals, means, logvariances"),
    _loss("loss-not-written", bce='    raise NotImplementedError("later")\n', kl="", average=""),
    Wrong(
        "loss-misspelled",
        (("def loss_function(reconstructions", "def lossfunction(reconstructions"),),
        **_of_part("loss_function"),
        misconception="definition-missing",
    ),
    Wrong(
        "loss-missing-and-looked-up-by-its-key",
        (
            (
                "def loss_function(reconstructions",
                "def __getattr__(name):\n    return globals()[name]\n\n\ndef los_function(reconstructions",
            ),
        ),
        **_of_part("loss_function"),
        misconception="no-such-element",
    ),
    Wrong(
        "decoder-hidden-by-an-error",
        (
            (
                "    def forward",
                "    def __getattr__(self, name):\n"
                '        if name == "decoder":\n            raise RuntimeError(name)\n'
                "        return super().__getattr__(name)\n\n    def forward",
            ),
        ),
        **_of_part("decoder", ("training",)),
        misconception="",
    ),
    Wrong(
        "constructor-fails-at-its-end",
        (("    def forward", "        self.to(device)\n\n    def forward"),),
        **_of_part("forward"),
        misconception="name-undefined",
        checks=1,
    ),
    Wrong(
        "functional-not-imported",
        (("import torch.nn.functional as F\n", ""),),
        **_of_part("loss_function"),
        misconception="name-undefined",
    ),
)

# ---------------------------------------------------------------- encoder and heads

RELU = "nn.ReLU()"
HIDDEN = "nn.Linear(hidden, hidden)"
ENCODER_INPUT = "nn.Linear(input_dim + num_categories, hidden)"
MEAN_HEAD = "        self.mean_layer = nn.Linear(hidden, latent_dimensionality)\n"
LOGVARIANCE_HEAD = "        self.logvariance_layer = nn.Linear(hidden, latent_dimensionality)\n"


def _sequential(attribute: str, *layers: str) -> str:
    lines = "".join(f"            {layer},\n" for layer in layers)
    return f"        self.{attribute} = nn.Sequential(\n{lines}        )\n"


ENCODER = _sequential("encoder", ENCODER_INPUT, RELU, HIDDEN, RELU, HIDDEN, RELU)
ENCODE = "        hidden = self.encoder(torch.cat((data_input, condition), dim=-1))\n"
DECODE = "        data_recon = self.decoder(torch.cat((latents, condition), dim=-1))\n"
MEANS = "        mean_params = self.mean_layer(hidden)\n"
LOGVARIANCES = "        logvariance_params = self.logvariance_layer(hidden)\n"
SAMPLES = "        latents = sample_latent(mean_params, logvariance_params)\n"
RETURN = "        return data_recon, mean_params, logvariance_params\n"
LAST = "            nn.Sigmoid(),\n        )\n"  # lines of the constructor
HOOK = "        if mean_params.requires_grad:\n            mean_params.register_hook(lambda gradient: {})\n"
DRAWS_ITSELF = "        latents = mean_params + torch.exp(0.5 * logvariance_params) * torch.randn_like(mean_params)\n"


def _encoder(
    name: str,
    misconception: str | None,
    *layers: str,
    edits: tuple[tuple[str, str], ...] = (),
    may_lose: tuple[str, ...] = (),
    checks: int | None = None,
    says: str = "",
) -> Wrong:
    if layers:
        edits = ((ENCODER, _sequential("encoder", *layers)), *edits)
    return Wrong(name, edits, misconception=misconception, checks=checks, says=says, **_of_part("encoder", may_lose))


RESIDUAL = (
    "class ConditionalVariationalAutoencoder(",
    "class Residual(nn.Sequential):\n    def forward(self, x):\n        return x + super().forward(x)\n\n\n"
    "class ConditionalVariationalAutoencoder(",
)


def _own_layer(weight: str, bias: str = "self.bias", given: str = "x") -> tuple[str, str]:
    """A layer that makes something of its parameters or of its input before it uses them."""
    return (
        RESIDUAL[0],
        "class Own(nn.Linear):\n    def forward(self, x):\n"
        f"        return F.linear({given}, {weight}, {bias})\n\n\n{RESIDUAL[0]}",
    )


LISTED = (
    RESIDUAL[0],
    "class Listed(nn.Module):\n"
    "    def __init__(self, *layers):\n"
    "        super().__init__()\n"
    "        self.layers = layers\n\n"
    "    def forward(self, x):\n"
    "        for layer in self.layers:\n"
    "            x = layer(x).relu()\n"
    "        return x\n\n\n" + RESIDUAL[0],
)
CENTERED = (
    RESIDUAL[0],
    "class Centered(nn.Module):\n    def forward(self, x):\n        return (x - 0.1307) / 0.3081\n\n\n" + RESIDUAL[0],
)
ONE_ROW = (
    RESIDUAL[0],
    "class OneRow(nn.Module):\n    def forward(self, x):\n        return x.squeeze()\n\n\n" + RESIDUAL[0],
)


def _normalized(after: str) -> tuple[str, str]:
    """A linear layer whose output is normalized by hand."""
    body = f"    def forward(self, x):\n        h = super().forward(x)\n        return {after}\n\n\n"
    return RESIDUAL[0], "class Normalized(nn.Linear):\n" + body + RESIDUAL[0]


NORMALIZATIONS = (
    ("each-row", "(h - h.mean(1, keepdim=True)) / h.std(1, keepdim=True)"),
    ("each-row-by-a-function", "F.layer_norm(h, h.shape[1:])"),
    ("the-minibatch", "(h - h.mean(0)) / (h.std(0) + 1e-6)"),
    ("the-length", "F.normalize(h, dim=1)"),
    ("the-center", "h - h.mean(1, keepdim=True)"),
)
CUT = (RESIDUAL[0], "class Cut(nn.Module):\n    def forward(self, x):\n        return x.data\n\n\n" + RESIDUAL[0])
CLASS_AGAIN = (
    RESIDUAL[0],
    "class ClassAgain(nn.Module):\n"
    "    def __init__(self, classes, *layers):\n"
    "        super().__init__()\n"
    "        self.classes, self.layers = classes, nn.ModuleList(layers)\n\n"
    "    def forward(self, x):\n"
    "        one_hots, h = x[:, -self.classes :], x\n"
    "        for layer in self.layers:\n"
    "            h = layer(h if h is x else torch.cat((h, one_hots), dim=-1)).relu()\n"
    "        return h\n\n\n" + RESIDUAL[0],
)
_HIDDEN_WITH_CLASS = "nn.Linear(hidden + num_categories, hidden)"
_ENCODER_WITH_CLASSES = (
    f"        self.encoder = ClassAgain(num_categories, {ENCODER_INPUT}, {_HIDDEN_WITH_CLASS}, {_HIDDEN_WITH_CLASS})\n"
)
BRANCHES = (
    RESIDUAL[0],
    "class Branches(nn.Module):\n"
    "    def __init__(self, *sizes):\n"
    "        super().__init__()\n"
    "        self.widths = sizes[:2]\n"
    "        self.image, self.label = (nn.Linear(width, sizes[2]) for width in self.widths)\n\n"
    "    def forward(self, x):\n"
    "        image, label = x.split(self.widths, -1)\n"
    "        return self.image(image).relu() + self.label(label).relu()\n\n\n" + RESIDUAL[0],
)
MODULATED = (
    RESIDUAL[0],
    "class Modulated(nn.Module):\n    def __init__(self, data, classes, hidden):\n        super().__init__()\n"
    "        self.data = nn.Linear(data, hidden)\n        self.gain = nn.Linear(classes, hidden)\n"
    "        self.shift = nn.Linear(classes, hidden)\n\n    def forward(self, x):\n"
    "        data, classes = x.split((self.data.in_features, self.gain.in_features), -1)\n"
    "        return self.data(data) * self.gain(classes) + self.shift(classes)\n\n\n" + RESIDUAL[0],
)
GATED_INPUT = (
    RESIDUAL[0],
    "class GatedInput(nn.Module):\n    def __init__(self, data, classes, hidden):\n        super().__init__()\n"
    "        self.data, self.gate = nn.Linear(data, hidden), nn.Linear(classes, hidden)\n\n    def forward(self, x):\n"
    "        data, classes = x.split((self.data.in_features, self.gate.in_features), -1)\n"
    "        return self.data(data).relu() * self.gate(classes).sigmoid()\n\n\n" + RESIDUAL[0],
)
GATED = (RESIDUAL[0], RESIDUAL[1].replace("Residual", "Gated").replace("x + ", "x * "))


def _joining(piece: str) -> tuple[tuple[str, str], ...]:
    """Edits that make a piece a module of its own, which joins its two arguments."""
    whole = {"encoder": ENCODER, "decoder": globals().get("DECODER", "")}[piece]
    own = (
        "class Joining(nn.Sequential):\n    def forward(self, data, condition):\n"
        "        return super().forward(torch.cat((data, condition), -1))\n\n\nclass ConditionalVariationalAutoencoder("
    )
    return (whole, whole.replace("nn.Sequential(", "Joining(")), ("class ConditionalVariationalAutoencoder(", own)


def _plain(stored: str, used: str) -> tuple[str, str]:
    """An edit that adds a linear layer whose weight and bias are kept in some way, in which PyTorch finds none."""
    return RESIDUAL[0], (
        "class Plain(nn.Module):\n"
        "    def __init__(self, inputs, outputs):\n"
        "        super().__init__()\n"
        "        weight, bias = torch.randn(outputs, inputs) / inputs**0.5, torch.zeros(outputs)\n"
        f"        {stored}\n\n"
        f"    def forward(self, x):\n        return F.linear(x, {used})\n\n\n" + RESIDUAL[0]
    )


def _in_a_list(layers: str, call: str, opening: str, closing: str) -> tuple[tuple[str, str], ...]:
    """Edits that keep the layers of a piece in a list, between these two, and call them one by one."""
    called = re.fullmatch(r" +(\w+) = (self\.\w+)\((.+)\)\n", call)
    assert called
    result, piece, x = called.groups()
    loop = f"        {result} = {x}\n        for layer in {piece}:\n            {result} = layer({result})\n"
    listed = layers.replace("nn.Sequential(", opening).replace("        )\n", f"        {closing}\n")
    return (layers, listed), (call, loop)


def _activated(activation: str) -> tuple[str, ...]:
    return (ENCODER_INPUT, activation, HIDDEN, activation, HIDDEN, activation)


ENCODERS = (
    _encoder(
        "mean-head-in-a-tuple-of-one",
        "trailing-comma",
        edits=((MEAN_HEAD, MEAN_HEAD.replace("\n", ",\n")),),
        checks=1,
    ),
    _encoder(
        "arguments-in-another-order",
        "wrong-parameters",
        edits=(
            (
                "num_categories=10, latent_dimensionality=15):",
                "latent_dimensionality=15, num_categories=10):",
            ),
        ),
        checks=1,
    ),
    _encoder(
        "encoder-takes-two-arguments",
        "encoder-two-arguments",
        edits=(*_joining("encoder"), (ENCODE, "        hidden = self.encoder(data_input, condition)\n")),
    ),
    _encoder(
        "encoder-takes-a-label-embedding",
        "encoder-input-width",
        edits=(
            (
                ENCODER,
                ENCODER.replace("input_dim + num_categories", "input_dim + 4")
                + "        self.embedding = nn.Linear(num_categories, 4)\n",
            ),
            (ENCODE, ENCODE.replace("condition)", "self.embedding(condition))")),
        ),
    ),
    _encoder(
        "head-negative",
        "logvariance-head-activated",
        edits=(
            (
                LOGVARIANCE_HEAD,
                LOGVARIANCE_HEAD.replace(
                    "nn.Linear(hidden, latent_dimensionality)", "Negative(hidden, latent_dimensionality)"
                ),
            ),
            (
                RESIDUAL[0],
                "class Negative(nn.Linear):\n    def forward(self, x):\n"
                "        return -F.relu(super().forward(x))\n\n\n" + RESIDUAL[0],
            ),
        ),
        checks=1,
    ),
    _encoder(
        "head-of-a-scaled-parameter",
        "not-trainable",
        edits=(
            (
                LOGVARIANCE_HEAD,
                LOGVARIANCE_HEAD.replace(
                    "nn.Linear(hidden, latent_dimensionality)", "Scaled(hidden, latent_dimensionality)"
                ),
            ),
            (
                RESIDUAL[0],
                "class Scaled(nn.Linear):\n    def forward(self, x):\n"
                "        return F.linear(x, self.scaled, self.bias)\n\n"
                "    def __init__(self, taken, given):\n"
                "        super().__init__(taken, given)\n"
                "        del self.weight\n"
                "        self.scaled = torch.randn(given, taken) * 0.01\n\n\n" + RESIDUAL[0],
            ),
        ),
        checks=1,
        may_lose=("training",),
    ),
    *(
        _encoder(
            f"encoder-normalizes-{what}",
            "encoder-normalisation",
            *("Normalized(input_dim + num_categories, hidden)", RELU, "Normalized(hidden, hidden)", RELU, HIDDEN, RELU),
            edits=(_normalized(after),),
            checks=1,
        )
        for what, after in NORMALIZATIONS
    ),
    _encoder(
        "head-normalizes-each-row",
        "head-normalisation",
        edits=(
            _normalized(NORMALIZATIONS[0][1]),
            (MEAN_HEAD, MEAN_HEAD.replace("nn.Linear", "Normalized")),
        ),
        checks=1,
        may_lose=("training",),
    ),
    _encoder(
        "encoder-of-several-images",
        "encoder-of-one-row",
        *(ENCODER_INPUT, RELU, HIDDEN, RELU, HIDDEN, RELU, "OneRow()"),
        edits=(ONE_ROW,),
        checks=1,
    ),
    _encoder(
        "head-of-several-images",
        "encoder-of-one-row",
        edits=(
            ONE_ROW,
            (MEAN_HEAD, MEAN_HEAD.replace("nn.Linear(", "nn.Sequential(nn.Linear(").replace(")\n", "), OneRow())\n")),
        ),
        checks=1,
    ),
    *(
        _encoder(
            f"head-made-at-the-first-pass-{how}",
            "layer-made-late",
            edits=(
                (LOGVARIANCE_HEAD, f"        {before}\n"),
                (
                    LOGVARIANCES,
                    f"        if {test}:\n            self.logvariance_layer = nn.Linear(hidden.shape[1], "
                    "self.latent_dimensionality)\n" + LOGVARIANCES,
                ),
            ),
            checks=1,
        )
        for how, before, test in (
            ("from-none", "self.logvariance_layer = None", "self.logvariance_layer is None"),
            ("registered", 'self.register_module("logvariance_layer", None)', "self.logvariance_layer is None"),
            ("from-nothing", "", 'not hasattr(self, "logvariance_layer")'),
        )
    ),
    _encoder(
        "head-still-none", "attribute-none", edits=((LOGVARIANCE_HEAD, "        self.logvariance_layer = None\n"),)
    ),
    # One of the hand-out's listings.
    _encoder("encoder-of-four-layers", "encoder-depth", ENCODER_INPUT, RELU, HIDDEN, RELU, HIDDEN, RELU, HIDDEN, RELU),
    _encoder("encoder-of-two-layers", "encoder-depth", ENCODER_INPUT, RELU, HIDDEN, RELU),
    _encoder("encoder-of-one-layer", "encoder-depth", ENCODER_INPUT, RELU),
    _encoder("encoder-without-first-relu", "encoder-missing-relu", ENCODER_INPUT, HIDDEN, RELU, HIDDEN, RELU),
    _encoder("encoder-without-second-relu", "encoder-missing-relu", ENCODER_INPUT, RELU, HIDDEN, HIDDEN, RELU),
    _encoder("encoder-without-last-relu", "encoder-missing-last-relu", ENCODER_INPUT, RELU, HIDDEN, RELU, HIDDEN),
    *(
        _encoder(
            f"last-relu-of-the-encoder-for-{name}-alone",
            "encoder-missing-last-relu",
            edits=(
                (ENCODER, _sequential("encoder", ENCODER_INPUT, RELU, HIDDEN, RELU, HIDDEN)),
                (line, line.replace("(hidden)", "(F.relu(hidden))")),
            ),
        )
        for name, line in (("means", MEANS), ("log-variances", LOGVARIANCES))
    ),
    _encoder("encoder-without-any-relu", "encoder-missing-relu", ENCODER_INPUT, HIDDEN, HIDDEN),
    _encoder(
        "logvariance-head-cut-off",
        "logvariance-head-activated",
        edits=(
            (
                LOGVARIANCE_HEAD,
                "        head = nn.Linear(hidden, latent_dimensionality)\n"
                "        self.logvariance_layer = nn.Sequential(head, nn.Hardtanh(-5, 20))\n",
            ),
        ),
    ),
    _encoder("encoder-with-tanh", "encoder-activation", *_activated("nn.Tanh()")),
    _encoder("encoder-with-sigmoid", "encoder-activation", *_activated("nn.Sigmoid()")),
    _encoder("encoder-with-leaky-relu", "encoder-activation", *_activated("nn.LeakyReLU()")),
    _encoder(
        "encoder-with-prelu-that-starts-as-relu",
        "encoder-activation",
        *_activated("nn.PReLU(init=0.0)"),
        checks=1,
        says="PReLU, an activation with parameters",
    ),
    _encoder(
        "encoder-with-learned-swish",
        "encoder-activation",
        *_activated("Swish()"),
        edits=(
            (
                RESIDUAL[0],
                "class Swish(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
                "        self.beta = nn.Parameter(torch.ones(1))\n\n"
                "    def forward(self, x):\n        return x * torch.sigmoid(self.beta * x)\n\n\n" + RESIDUAL[0],
            ),
        ),
        checks=1,
        says="an activation with parameters that training changes (encoder.1.beta",
    ),
    _encoder(
        "encoder-with-relu-before-each-layer",
        "encoder-missing-last-relu",
        *(RELU, ENCODER_INPUT, RELU, HIDDEN, RELU, HIDDEN),
        checks=1,
        says="before each of linear layers 1, 2 and 3 instead of after it",
    ),
    _encoder(
        "last-relu-in-both-heads",
        "encoder-missing-last-relu",
        *(ENCODER_INPUT, RELU, HIDDEN, RELU, HIDDEN),
        edits=(
            (MEAN_HEAD, MEAN_HEAD.replace("= ", "= nn.Sequential(nn.ReLU(), ")[:-1] + ")\n"),
            (LOGVARIANCE_HEAD, LOGVARIANCE_HEAD.replace("= ", "= nn.Sequential(nn.ReLU(), ")[:-1] + ")\n"),
        ),
        checks=1,
        says="not in the encoder, but in `mean_layer` and in `logvariance_layer`",
    ),
    _encoder(
        "last-relu-in-one-head",
        "encoder-missing-last-relu",
        *(ENCODER_INPUT, RELU, HIDDEN, RELU, HIDDEN),
        edits=((MEAN_HEAD, MEAN_HEAD.replace("= ", "= nn.Sequential(nn.ReLU(), ")[:-1] + ")\n"),),
        checks=1,
        says="`logvariance_layer` gets the numbers without it",
    ),
    _encoder(
        "mean-head-with-relu-on-its-input",
        "head-normalisation",
        edits=((MEAN_HEAD, MEAN_HEAD.replace("= ", "= nn.Sequential(nn.ReLU(), ")[:-1] + ")\n"),),
        checks=1,
        says="Inside `mean_layer`, the input is passed through ReLU",
    ),
    _encoder(
        "mean-head-centers-its-input",
        "head-normalisation",
        edits=(
            _own_layer("self.weight", given="x - x.mean(0)"),
            (MEAN_HEAD, MEAN_HEAD.replace("nn.Linear", "Own")),
        ),
        checks=1,
        says="Inside `mean_layer`, the input is centered over the minibatch",
    ),
    *(
        _encoder(
            f"logvariance-head-with-{name}-weights",
            "head-normalisation",
            edits=(_own_layer(weight), (LOGVARIANCE_HEAD, LOGVARIANCE_HEAD.replace("nn.Linear", "Own"))),
            checks=1,
            says=says,
        )
        for name, weight, says in (
            ("positive", "F.softplus(self.weight)", "does not use its weights as they are, but the softplus of them"),
            ("masked", "self.weight.triu()", "is linear, but with other weights than its parameters as they are"),
        )
    ),
    _encoder(
        "mean-head-with-normalized-weights",
        "head-normalisation",
        edits=((MEAN_HEAD, MEAN_HEAD.replace("= ", "= nn.utils.parametrizations.weight_norm(")[:-1] + ")\n"),),
        checks=1,
        says="The weights of `mean_layer` are normalized",
    ),
    _encoder("encoder-with-gelu", "encoder-activation", *_activated("nn.GELU()")),
    _encoder("encoder-with-softmax-last", "encoder-activation", *_activated(RELU)[:-1], "nn.Softmax(dim=-1)"),
    _encoder(
        "mean-head-with-relu",
        "mean-head-activated",
        edits=((MEAN_HEAD, MEAN_HEAD.replace("= ", "= nn.Sequential(").replace(")\n", "), nn.ReLU())\n")),),
    ),
    _encoder(
        "mean-head-with-tanh",
        "mean-head-activated",
        edits=((MEAN_HEAD, MEAN_HEAD.replace("= ", "= nn.Sequential(").replace(")\n", "), nn.Tanh())\n")),),
    ),
    _encoder(
        "logvariance-head-with-relu",
        "logvariance-head-activated",
        edits=(
            (LOGVARIANCE_HEAD, LOGVARIANCE_HEAD.replace("= ", "= nn.Sequential(").replace(")\n", "), nn.ReLU())\n")),
        ),
    ),
    _encoder(
        "logvariance-head-with-softplus",
        "logvariance-head-activated",
        edits=(
            (
                LOGVARIANCE_HEAD,
                LOGVARIANCE_HEAD.replace("= ", "= nn.Sequential(").replace(")\n", "), nn.Softplus())\n"),
            ),
        ),
    ),
    _encoder(
        "mean-head-of-two-layers",
        "head-depth",
        edits=(
            (MEAN_HEAD, MEAN_HEAD.replace("= ", "= nn.Sequential(nn.Linear(hidden, hidden), nn.ReLU(), ")[:-1] + ")\n"),
        ),
    ),
    _encoder(
        "heads-shared",
        "heads-shared",
        edits=((LOGVARIANCE_HEAD, "        self.logvariance_layer = self.mean_layer\n"),),
    ),
    _encoder(
        "logvariance-head-of-one-number",
        "head-output-width",
        edits=((LOGVARIANCE_HEAD, LOGVARIANCE_HEAD.replace("latent_dimensionality", "1")),),
        checks=1,
    ),
    _encoder(
        "encoder-wide-inside",
        "encoder-width",
        ENCODER_INPUT.replace("hidden", "128"),
        RELU,
        "nn.Linear(128, 128)",
        RELU,
        "nn.Linear(128, hidden)",
        RELU,
    ),
    _encoder(
        "encoder-as-a-funnel",
        "encoder-width",
        ENCODER_INPUT.replace("hidden", "256"),
        RELU,
        "nn.Linear(256, 128)",
        RELU,
        "nn.Linear(128, hidden)",
        RELU,
    ),
    _encoder(
        "encoder-without-condition",
        "encoder-without-condition",
        *("nn.Linear(input_dim, hidden)", RELU, HIDDEN, RELU, HIDDEN, RELU),
        edits=((ENCODE, "        hidden = self.encoder(data_input)\n"),),
        may_lose=("forward",),
    ),
    _encoder(
        "encoder-not-sized-for-condition",
        "encoder-without-condition",
        *("nn.Linear(input_dim, hidden)", RELU, HIDDEN, RELU, HIDDEN, RELU),
        checks=1,
    ),
    _encoder(
        "encoder-with-skip-connections",
        "encoder-skip",
        *(ENCODER_INPUT, RELU, "Residual(nn.Linear(hidden, hidden), nn.ReLU())", HIDDEN, RELU),
        edits=(RESIDUAL,),
        checks=1,
    ),
    _encoder(
        "encoder-with-the-class-in-each-layer",
        "encoder-class-again",
        edits=((ENCODER, _ENCODER_WITH_CLASSES), CLASS_AGAIN),
        checks=1,
    ),
    _encoder(
        "heads-that-take-the-class-as-well",
        "head-input-width",
        edits=(
            (
                MEAN_HEAD + LOGVARIANCE_HEAD,
                (MEAN_HEAD + LOGVARIANCE_HEAD).replace("Linear(hidden", "Linear(hidden + num_categories"),
            ),
            (ENCODE, ENCODE + "        hidden = torch.cat((hidden, condition), dim=-1)\n"),
        ),
        checks=2,
    ),
    *(
        _encoder(
            name,
            "head-input-other",
            edits=(
                (head, head.replace("Linear(hidden", f"Linear({width}")),
                (MEANS + LOGVARIANCES, use),
            ),
            checks=1,
            says=says,
        )
        for name, head, width, use, says in (
            (
                "logvariance-head-on-the-means",
                LOGVARIANCE_HEAD,
                "latent_dimensionality",
                MEANS + LOGVARIANCES.replace("(hidden", "(mean_params"),
                "gives it the output of `mean_layer`",
            ),
            (
                "logvariance-head-on-means-and-encoder",
                LOGVARIANCE_HEAD,
                "latent_dimensionality + hidden",
                MEANS + LOGVARIANCES.replace("(hidden", "(torch.cat((mean_params, hidden), -1)"),
                "gives it the output of `mean_layer` and the output of `encoder`",
            ),
            (
                "logvariance-head-on-the-image",
                LOGVARIANCE_HEAD,
                "input_dim",
                MEANS + LOGVARIANCES.replace("(hidden", "(data_input"),
                "gives it the image",
            ),
            (
                "mean-head-on-the-logvariances",
                MEAN_HEAD,
                "latent_dimensionality",
                LOGVARIANCES + MEANS.replace("(hidden", "(logvariance_params"),
                "gives it the output of `logvariance_layer`",
            ),
        )
    ),
    _encoder(
        "logvariance-as-a-free-parameter",
        "head-constant",
        edits=(
            (LOGVARIANCE_HEAD, "        self.free = nn.Parameter(torch.zeros(latent_dimensionality))\n"),
            (
                "    def forward(self",
                "    def logvariance_layer(self, hidden):\n"
                "        return self.free.expand(len(hidden), -1)\n\n    def forward(self",
            ),
        ),
        checks=1,
    ),
    _encoder(
        "one-log-variance-for-all-dimensions",
        "head-output-width",
        edits=(
            (LOGVARIANCE_HEAD, LOGVARIANCE_HEAD.replace("latent_dimensionality", "1")),
            (LOGVARIANCES, LOGVARIANCES + "        logvariance_params = logvariance_params.expand_as(mean_params)\n"),
        ),
    ),
    _encoder(
        "encoder-of-centered-pixels",
        "encoder-rescales",
        *("Centered()", ENCODER_INPUT, RELU, HIDDEN, RELU, HIDDEN, RELU),
        edits=(CENTERED,),
        checks=1,
    ),
    _encoder(
        "encoder-cut-after-its-first-layer",
        "layers-detached",
        *(ENCODER_INPUT, "Cut()", RELU, HIDDEN, RELU, HIDDEN, RELU),
        edits=(CUT,),
        checks=1,
    ),
    _encoder(
        "head-with-a-hook-that-detaches",
        "layers-detached",
        edits=(
            (
                LOGVARIANCE_HEAD,
                LOGVARIANCE_HEAD
                + "        self.logvariance_layer.register_forward_hook(lambda _, given, result: result.detach())\n",
            ),
        ),
        checks=1,
    ),
    _encoder(
        "encoder-wider-than-the-heads-take",
        "encoder-width",
        *(ENCODER_INPUT, RELU, HIDDEN, RELU, "nn.Linear(hidden, 60)", RELU),
        checks=1,
    ),
    _encoder(
        "encoder-with-dropout",
        "encoder-normalisation",
        *(ENCODER_INPUT, RELU, "nn.Dropout(0.2)", HIDDEN, RELU, HIDDEN, RELU),
        may_lose=("forward",),
    ),
    _encoder(
        "encoder-with-batch-norm",
        "encoder-normalisation",
        *(ENCODER_INPUT, "nn.BatchNorm1d(hidden)", RELU, HIDDEN, RELU, HIDDEN, RELU),
        may_lose=("forward",),
    ),
    _encoder(
        "encoder-with-layer-norm",
        "encoder-normalisation",
        *(ENCODER_INPUT, RELU, "nn.LayerNorm(hidden)", HIDDEN, RELU, HIDDEN, RELU),
    ),
    _encoder(
        "encoder-of-784-pixels-only",
        "encoder-sizes-hard-coded",
        *("nn.Linear(784 + num_categories, hidden)", RELU, HIDDEN, RELU, HIDDEN, RELU),
    ),
    _encoder(
        "encoder-of-ten-classes-only",
        "encoder-sizes-hard-coded",
        *("nn.Linear(input_dim + 10, hidden)", RELU, HIDDEN, RELU, HIDDEN, RELU),
    ),
    _encoder(
        "heads-of-15-latents-only",
        "encoder-sizes-hard-coded",
        edits=(
            (MEAN_HEAD, MEAN_HEAD.replace("latent_dimensionality", "15")),
            (LOGVARIANCE_HEAD, LOGVARIANCE_HEAD.replace("latent_dimensionality", "15")),
        ),
        may_lose=("training",),
    ),
    _encoder(
        "encoder-with-a-frozen-layer",
        "layers-frozen",
        edits=((ENCODER, ENCODER + "        self.encoder[0].requires_grad_(False)\n"),),
        checks=1,
    ),
    _encoder(
        "heads-frozen",
        "layers-frozen",
        edits=(
            (
                LOGVARIANCE_HEAD,
                LOGVARIANCE_HEAD
                + "        for layer in (self.mean_layer, self.logvariance_layer):\n"
                + "            for parameter in layer.parameters():\n"
                + "                parameter.requires_grad = False\n",
            ),
        ),
        checks=1,
    ),
    _encoder(
        "mean-head-with-batch-norm",
        "head-normalisation",
        edits=(
            (
                MEAN_HEAD,
                MEAN_HEAD.replace("nn.L", "nn.Sequential(nn.L")[:-1] + ", nn.BatchNorm1d(latent_dimensionality))\n",
            ),
        ),
        checks=1,
    ),
    _encoder(
        "logvariance-head-with-log-sigmoid",
        "head-normalisation",
        edits=(
            (LOGVARIANCE_HEAD, LOGVARIANCE_HEAD.replace("nn.L", "nn.Sequential(nn.L")[:-1] + ", nn.LogSigmoid())\n"),
        ),
        checks=1,
    ),
    _encoder(
        "encoder-without-bias",
        "encoder-bias",
        *(ENCODER_INPUT[:-1] + ", bias=False)", RELU, HIDDEN, RELU, HIDDEN, RELU),
    ),
    _encoder(
        "heads-without-bias",
        "encoder-bias",
        edits=(
            (MEAN_HEAD, MEAN_HEAD.replace(")", ", bias=False)")),
            (LOGVARIANCE_HEAD, LOGVARIANCE_HEAD.replace(")", ", bias=False)")),
        ),
        checks=1,
    ),
    _encoder(
        "encoder-layer-unused-and-another-twice",
        "encoder-layer-twice",
        edits=(
            (
                ENCODER,
                f"        self.first, self.second, self.third = {ENCODER_INPUT}, {HIDDEN}, {HIDDEN}\n"
                + _sequential("encoder", "self.first", RELU, "self.second", RELU, "self.second", RELU),
            ),
        ),
        checks=1,
    ),
    _encoder(
        "log-variance-head-in-double",
        "layers-of-another-type",
        edits=(
            (LOGVARIANCE_HEAD, LOGVARIANCE_HEAD + "        self.logvariance_layer.double()\n"),
            (LOGVARIANCES, LOGVARIANCES.replace("(hidden)", "(hidden.double()).float()")),
        ),
        checks=1,
    ),
    _encoder(
        "encoder-layers-shared",
        "encoder-layer-twice",
        edits=(
            (
                ENCODER,
                "        again = nn.Linear(hidden, hidden)\n"
                + _sequential("encoder", ENCODER_INPUT, RELU, "again", RELU, "again", RELU),
            ),
        ),
    ),
    _encoder(
        "encoder-frozen",
        "layers-frozen",
        edits=((ENCODER, ENCODER + "        self.encoder.requires_grad_(False)\n"),),
        checks=1,
    ),
    _encoder(
        "encoder-in-a-plain-list",
        "not-trainable",
        edits=_in_a_list(ENCODER, ENCODE, "[", "]"),
        checks=1,
    ),
    _encoder(
        "encoder-in-a-list-of-a-submodule",
        "not-trainable",
        "nn.Linear(input_dim + num_categories, hidden)",
        "nn.Linear(hidden, hidden)",
        "nn.Linear(hidden, hidden)",
        edits=(LISTED, ("self.encoder = nn.Sequential(", "self.encoder = Listed(")),
        checks=1,
    ),
    _encoder(
        "encoder-of-a-function-that-keeps-results",
        "layers-kept",
        edits=(
            (
                RESIDUAL[0],
                "import functools\n\n\n@functools.cache\ndef body(inputs, hidden):\n    return nn.Sequential(\n"
                "        nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), "
                "nn.Linear(hidden, hidden), nn.ReLU()\n    )\n\n\n" + RESIDUAL[0],
            ),
            (ENCODER, "        self.encoder = body(input_dim + num_categories, hidden)\n"),
        ),
        checks=1,
    ),
    _encoder(
        "encoder-of-the-class",
        "not-trainable encoder-sizes-hard-coded",
        edits=(
            (ENCODER, ""),
            (
                "    def __init__(self, input_dim",
                "    encoder = nn.Sequential(\n        nn.Linear(794, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), "
                "nn.Linear(64, 64), nn.ReLU()\n    )\n\n    def __init__(self, input_dim",
            ),
        ),
        checks=2,
    ),
    _encoder(
        "encoder-misspelled",
        "attribute-missing",
        edits=(
            (ENCODER, ENCODER.replace("self.encoder", "self.encode")),
            (ENCODE, ENCODE.replace("self.encoder", "self.encode")),
        ),
        checks=1,
    ),
    _encoder(
        "heads-turned-around",
        "head-sizes-swapped",
        edits=(
            (
                MEAN_HEAD + LOGVARIANCE_HEAD,
                (MEAN_HEAD + LOGVARIANCE_HEAD).replace(
                    "Linear(hidden, latent_dimensionality)", "Linear(latent_dimensionality, hidden)"
                ),
            ),
        ),
        checks=2,
    ),
    _encoder(
        "logvariance-head-turned-around",
        "head-sizes-swapped",
        edits=(
            (
                LOGVARIANCE_HEAD,
                LOGVARIANCE_HEAD.replace("hidden, latent_dimensionality", "latent_dimensionality, hidden"),
            ),
        ),
        checks=1,
    ),
    _encoder(
        "mean-head-misspelled",
        "attribute-missing",
        edits=(
            (MEAN_HEAD, MEAN_HEAD.replace("mean_layer", "means_layer")),
            (MEANS, MEANS.replace("mean_layer", "means_layer")),
        ),
        may_lose=("forward",),
    ),
    _encoder(
        "encoder-with-gates",
        "encoder-other",
        *(ENCODER_INPUT, RELU, f"Gated({HIDDEN}, {RELU})", HIDDEN, RELU),
        edits=(GATED,),
    ),
    _encoder(
        "encoder-gated-by-the-class",
        "encoder-input-apart",
        *("GatedInput(input_dim, num_categories, hidden)", HIDDEN, RELU, HIDDEN, RELU),
        edits=(GATED_INPUT,),
        checks=1,
    ),
    _encoder(
        "encoder-modulated-by-the-class",
        "encoder-input-apart",
        *("Modulated(input_dim, num_categories, hidden)", RELU, HIDDEN, RELU, HIDDEN, RELU),
        edits=(MODULATED,),
        checks=1,
    ),
    _encoder(
        "encoder-of-two-branches",
        "encoder-input-apart",
        *("Branches(input_dim, num_categories, hidden)", HIDDEN, RELU, HIDDEN, RELU),
        edits=(BRANCHES,),
        checks=1,
    ),
    _encoder(
        "encoder-with-residuals",
        "encoder-skip",
        *(ENCODER_INPUT, RELU, f"Residual({HIDDEN}, {RELU})", f"Residual({HIDDEN}, {RELU})"),
        edits=(RESIDUAL,),
    ),
    _encoder(
        "heads-as-one-layer",
        "head-output-width",
        edits=(
            (
                MEAN_HEAD + LOGVARIANCE_HEAD,
                MEAN_HEAD.replace("latent_dim", "2 * latent_dim")
                + "        self.logvariance_layer = self.mean_layer\n",
            ),
            (
                MEANS + LOGVARIANCES,
                "        mean_params, logvariance_params = self.mean_layer(hidden).chunk(2, dim=-1)\n",
            ),
        ),
        checks=2,
    ),
    *(
        _encoder(
            f"heads-as-one-layer-{name}",
            "attribute-missing",
            edits=(
                (
                    MEAN_HEAD + LOGVARIANCE_HEAD,
                    MEAN_HEAD.replace("mean_layer", "both").replace("latent_dim", "2 * latent_dim"),
                ),
                (MEANS + LOGVARIANCES, f"        {use}\n"),
            ),
            checks=2,
        )
        for name, use in (
            ("halved-in-forward", "mean_params, logvariance_params = self.both(hidden).chunk(2, dim=-1)"),
            (
                "log-variances-first",
                "logvariance_params, mean_params = self.both(hidden).split(self.latent_dimensionality, -1)",
            ),
            ("interleaved", "mean_params, logvariance_params = self.both(hidden)[:, ::2], self.both(hidden)[:, 1::2]"),
        )
    ),
    _encoder(
        "heads-as-parameters-in-a-dictionary",
        "attribute-missing",
        edits=(
            (
                MEAN_HEAD + LOGVARIANCE_HEAD,
                "        self.heads = nn.ParameterDict(\n"
                "            {key: nn.Parameter(torch.randn(latent_dimensionality, hidden)) for key in ('mu', 'log')}\n"
                "        )\n"
                "        self.mean_bias = nn.Parameter(torch.zeros(latent_dimensionality))\n"
                "        self.log_bias = nn.Parameter(torch.zeros(latent_dimensionality))\n",
            ),
            (
                MEANS + LOGVARIANCES,
                "        mean_params = F.linear(hidden, self.heads['mu'], self.mean_bias)\n"
                "        logvariance_params = F.linear(hidden, self.heads['log'], self.log_bias)\n",
            ),
        ),
        checks=2,
    ),
    _encoder("encoder-not-written", "attribute-missing", edits=((ENCODER, ""),), may_lose=("training",)),
)

# ---------------------------------------------------------------- decoder

DECODER_INPUT = "nn.Linear(latent_dimensionality + num_categories, hidden)"
PIXELS = "nn.Linear(hidden, input_dim)"
SIGMOID = "nn.Sigmoid()"
BODY = (DECODER_INPUT, RELU, HIDDEN, RELU, HIDDEN, RELU)
DECODER = _sequential("decoder", *BODY, PIXELS, SIGMOID)

_DECODER_WITH_CLASSES = _sequential(
    "decoder",
    f"ClassAgain(num_categories, {DECODER_INPUT}, {_HIDDEN_WITH_CLASS}, {_HIDDEN_WITH_CLASS})",
    *(PIXELS, SIGMOID),
)


TIED = (
    "class ConditionalVariationalAutoencoder(",
    "class Tied(nn.Module):\n"
    "    def __init__(self, first, pixels):\n"
    "        super().__init__()\n"
    "        self.__dict__['first'] = first\n"
    "        self.bias = nn.Parameter(torch.zeros(pixels))\n\n"
    "    def forward(self, hidden):\n"
    "        return hidden @ self.first.weight[:, : len(self.bias)] + self.bias\n\n\n"
    "class ConditionalVariationalAutoencoder(",
)
MIN_MAX = (
    "class ConditionalVariationalAutoencoder(",
    "class MinMax(nn.Module):\n    def forward(self, x):\n"
    "        low, high = x.amin(1, keepdim=True), x.amax(1, keepdim=True)\n"
    "        return (x - low) / (high - low)\n\n\nclass ConditionalVariationalAutoencoder(",
)

STRETCHED = (MIN_MAX[0], MIN_MAX[1].replace("x.amin(1, keepdim=True), x.amax(1, keepdim=True)", "x.min(), x.max()"))


def _decoder(
    name: str,
    misconception: str | None,
    *layers: str,
    edits: tuple[tuple[str, str], ...] = (),
    may_lose: tuple[str, ...] = (),
    checks: int | None = None,
    says: str = "",
) -> Wrong:
    if layers:
        edits = ((DECODER, _sequential("decoder", *layers)), *edits)
    return Wrong(name, edits, misconception=misconception, checks=checks, says=says, **_of_part("decoder", may_lose))


SCALED = "class Scaled(nn.Module):\n    def forward(self, x):\n        return 255 * x\n\n\nclass "

DECODERS = (
    _decoder(
        "decoder-in-double",
        "layers-of-another-type",
        edits=(
            (DECODER, DECODER + "        self.decoder.double()\n"),
            (DECODE, DECODE.replace("dim=-1))", "dim=-1).double()).float()")),
        ),
        checks=1,
    ),
    _decoder(
        "decoder-in-double-and-not-called-so",
        "layers-of-another-type",
        edits=((DECODER, DECODER + "        self.decoder.double()\n"),),
        checks=1,
    ),
    *(
        Wrong(
            f"{name}-in-both-networks",
            (
                (ENCODER, ENCODER.replace("nn.ReLU", "Other")),
                (DECODER, DECODER.replace("nn.ReLU", "Other")),
                (
                    RESIDUAL[0],
                    f"class Other(nn.Module):\n    def forward(self, x):\n        return {formula}\n\n\n{RESIDUAL[0]}",
                ),
            ),
            loses=frozenset({"encoder", "decoder"}),
            may_lose=frozenset({"training"}),  # which can diverge
            misconception=f"encoder-{mistake} decoder-{mistake}",
        )
        for name, formula, mistake in (
            ("squared-relu", "torch.relu(x) ** 2", "activation"),
            ("cubes", "x**3", "other"),
            ("exponentials", "torch.exp(x)", "other"),
        )
    ),
    Wrong(
        "softplus-in-both-networks",
        (
            (ENCODER, ENCODER.replace("ReLU", "Softplus")),
            (DECODER, DECODER.replace("ReLU", "Softplus")),
        ),
        loses=frozenset({"encoder", "decoder"}),
        misconception="encoder-activation decoder-activation",
        checks=2,
    ),
    _decoder(
        "decoder-stretched-over-the-minibatch",
        "decoder-normalisation",
        *(*BODY, PIXELS, SIGMOID, "MinMax()"),
        edits=(STRETCHED,),
        may_lose=("training",),
    ),
    _decoder(
        "decoder-frozen",
        "layers-frozen",
        edits=((DECODER, DECODER + "        self.decoder.requires_grad_(False)\n"),),
        checks=1,
    ),
    _decoder(
        "decoder-gated-by-the-class",
        "decoder-input-apart",
        *("GatedInput(latent_dimensionality, num_categories, hidden)", *BODY[2:], PIXELS, SIGMOID),
        edits=(GATED_INPUT,),
        may_lose=("training",),  # which may be too slow
    ),
    _decoder(
        "decoder-modulated-by-the-class",
        "decoder-input-apart",
        *("Modulated(latent_dimensionality, num_categories, hidden)", *BODY[1:], PIXELS, SIGMOID),
        edits=(MODULATED,),
    ),
    _decoder(
        "decoder-with-gates",
        "decoder-other",
        *(DECODER_INPUT, RELU, f"Gated({HIDDEN}, {RELU})", HIDDEN, RELU, PIXELS, SIGMOID),
        edits=(GATED,),
    ),
    _decoder(
        "decoder-with-residuals",
        "decoder-skip",
        *(DECODER_INPUT, RELU, f"Residual({HIDDEN}, {RELU})", f"Residual({HIDDEN}, {RELU})", PIXELS, SIGMOID),
        edits=(RESIDUAL,),
    ),
    _decoder(
        "decoder-with-the-class-in-each-layer",
        "decoder-class-again",
        edits=((DECODER, _DECODER_WITH_CLASSES), CLASS_AGAIN),
        checks=1,
    ),
    _decoder(
        "decoder-with-a-new-layer-each-time",
        "layers-made-in-forward",
        *(*BODY, "Anew(hidden, input_dim)", SIGMOID),
        edits=(
            (
                RESIDUAL[0],
                "class Anew(nn.Module):\n    def __init__(self, *sizes):\n        super().__init__()\n"
                "        self.sizes = sizes\n\n    def forward(self, x):\n        return nn.Linear(*self.sizes)(x)\n"
                "\n\n" + RESIDUAL[0],
            ),
        ),
        may_lose=("training",),
    ),
    _decoder(
        "decoder-with-steep-softplus",
        "decoder-activation",
        *(DECODER_INPUT, *("nn.Softplus(beta=50)", HIDDEN) * 2, "nn.Softplus(beta=50)", PIXELS, SIGMOID),
        checks=1,
    ),
    _decoder(
        "decoder-with-dropout-in-use-as-well",
        "decoder-normalisation",
        *(*BODY, "Drop()", PIXELS, SIGMOID),
        edits=(
            (
                RESIDUAL[0],
                "class Drop(nn.Module):\n    def forward(self, x):\n        return F.dropout(x)\n\n\n" + RESIDUAL[0],
            ),
        ),
        checks=1,
    ),
    _decoder(
        "decoder-of-scaled-latents",
        "decoder-rescales",
        *("Centered()", *BODY, PIXELS, SIGMOID),
        edits=(CENTERED,),
        checks=1,
    ),
    *(
        _decoder(
            f"decoder-with-{kind}-weights",
            "decoder-normalisation",
            *("Own(latent_dimensionality + num_categories, hidden)", RELU, "Own(hidden, hidden)", RELU),
            *("Own(hidden, hidden)", RELU, "Own(hidden, input_dim)", SIGMOID),
            edits=(_own_layer(weight),),
            may_lose=may_lose,
            checks=None if may_lose else 1,
        )
        for kind, weight, may_lose in (
            ("equalized", "self.weight * (2 / self.in_features) ** 0.5", ()),
            ("normalized", "F.normalize(self.weight, dim=1)", ()),
            ("positive", "self.weight.exp()", ("training",)),
        )
    ),
    *(
        _decoder(f"decoder-ends-in-{kind}", mistake, *(*BODY, PIXELS, *layers), may_lose=("forward", "training"))
        for kind, mistake, layers in (
            ("softmax-over-the-images", "decoder-output-activation", ("nn.Softmax(dim=0)",)),
            ("dropout", "decoder-normalisation", (SIGMOID, "nn.Dropout(0.2)")),
            ("layer-norm", "decoder-output-activation", ("nn.LayerNorm(input_dim)",)),
            ("batch-norm-and-sigmoid", "decoder-normalisation", ("nn.BatchNorm1d(input_dim)", SIGMOID)),
        )
    ),
    *(
        _decoder(
            f"decoder-normalizes-{what}",
            "decoder-normalisation",
            *("Normalized(latent_dimensionality + num_categories, hidden)", RELU, HIDDEN, RELU),
            *("Normalized(hidden, hidden)", RELU, PIXELS, SIGMOID),
            edits=(_normalized(after),),
            may_lose=("training",),
        )
        for what, after in NORMALIZATIONS
    ),
    _decoder(
        "decoder-normalizes-its-end",
        "decoder-normalisation",
        *(*BODY, "Normalized(hidden, input_dim)", SIGMOID),
        edits=(_normalized(NORMALIZATIONS[0][1]),),
        may_lose=("training",),
    ),
    _decoder(
        "decoder-of-several-latents",
        "decoder-of-one-row",
        *(*BODY, PIXELS, SIGMOID, "OneRow()"),
        edits=(ONE_ROW,),
        checks=1,
    ),
    _decoder(
        "decoder-made-at-the-first-pass",
        "layer-made-late",
        edits=(
            (
                DECODER,
                "        self.make = lambda: "
                + DECODER.strip().removeprefix("self.decoder = ")
                + "\n        self.decoder = None\n",
            ),
            (ENCODE, "        self.decoder = self.decoder or self.make()\n" + ENCODE),
        ),
        checks=1,
    ),
    _decoder(
        "decoder-with-relu-before-each-layer",
        "decoder-missing-relu",
        *(RELU, DECODER_INPUT, RELU, HIDDEN, RELU, HIDDEN, PIXELS, SIGMOID),
        checks=1,
        says="before each of linear layers 1, 2 and 3 instead of after it",
    ),
    _decoder(
        "decoder-with-prelu-of-each-unit",
        "decoder-activation",
        *(layer.replace("nn.ReLU()", "nn.PReLU(hidden)") for layer in BODY),
        PIXELS,
        SIGMOID,
        checks=1,
        says="PReLU, an activation with parameters",
    ),
    _decoder(
        "decoder-with-layers-that-center-the-minibatch",
        "decoder-normalisation",
        edits=(
            _own_layer("self.weight", given="x - x.mean(0)"),
            (DECODER, DECODER.replace("nn.Linear(hidden, hidden)", "Own(hidden, hidden)")),
        ),
        checks=1,
        says="Inside `self.decoder[2]` and `self.decoder[4]`, the input is centered over the minibatch",
    ),
    _decoder(
        "decoder-with-a-last-layer-that-centers-the-minibatch",
        "decoder-normalisation",
        edits=(
            _own_layer("self.weight", given="x - x.mean(0)"),
            (DECODER, DECODER.replace(PIXELS, PIXELS.replace("nn.Linear", "Own"))),
        ),
        checks=1,
        says="Inside `self.decoder[6]`, the input is centered over the minibatch",
    ),
    _decoder(
        "decoder-that-mixes-rows",
        "decoder-normalisation",
        edits=(
            _own_layer("self.weight", given="(x + 0.1 * x.roll(1, 0))"),
            (DECODER, DECODER.replace("nn.Linear(hidden, hidden)", "Own(hidden, hidden)")),
        ),
        checks=1,
        says="your decoder gives other numbers among other rows of a minibatch",
    ),
    _decoder(
        "decoder-with-learned-thresholds",
        "decoder-normalisation",
        *(layer.replace("nn.ReLU()", "Shifted(hidden)") for layer in BODY),
        PIXELS,
        SIGMOID,
        edits=(
            (
                RESIDUAL[0],
                "class Shifted(nn.Module):\n    def __init__(self, units):\n        super().__init__()\n"
                "        self.low = nn.Parameter(torch.zeros(units))\n\n"
                "    def forward(self, x):\n        return torch.relu(x - self.low)\n\n\n" + RESIDUAL[0],
            ),
        ),
        checks=1,
        says="its output depends on decoder.1.low",
    ),
    *(
        _decoder(
            f"decoder-of-{kept}",
            "not-trainable",
            edits=(_plain(stored, used), (DECODER, DECODER.replace("nn.Linear", "Plain"))),
            checks=1,
        )
        for kept, stored, used in (
            ("plain-tensors", "self.w, self.b = weight.requires_grad_(), bias.requires_grad_()", "self.w, self.b"),
            ("tensors-without-gradients", "self.held = weight, bias", "*self.held"),
            ("results-of-tensors", "self.held = [2 * each.requires_grad_() for each in (weight, bias)]", "*self.held"),
            ("buffers", 'self.register_buffer("w", weight), self.register_buffer("b", bias)', "self.w, self.b"),
            (
                "parameters-in-a-dictionary",
                'self.held = {"w": nn.Parameter(weight), "b": nn.Parameter(bias)}',
                "*self.held.values()",
            ),
        )
    ),
    _decoder("decoder-activates-its-input", "decoder-rescales", *(RELU, *BODY, PIXELS, SIGMOID), checks=1),
    *(
        _decoder(
            f"decoder-{kept}",
            "not-trainable",
            edits=(
                (
                    DECODER,
                    f"        {before}\n"
                    + _sequential("decoder", *BODY, PIXELS, SIGMOID).replace(
                        "self.decoder = nn.Sequential(", "layers = nn.Sequential("
                    )
                    + f"        {after}\n",
                ),
            ),
            checks=1,
            may_lose=("training",),
        )
        for kept, before, after in (
            ("in-a-function", "pass", "self.decoder = lambda x: layers(x)"),
            ("as-a-default", "pass", "self.decoder = lambda x, layers=layers: layers(x)"),
            (
                "in-a-partial",
                "from functools import partial",
                "self.decoder = partial(lambda layers, x: layers(x), layers)",
            ),
        )
    ),
    _decoder(
        "decoder-made-at-first-use",
        "not-trainable",
        edits=(
            (DECODER, ""),
            (
                "    def forward(self, data_input",
                "    import functools\n\n    @functools.cached_property\n    def decoder(self):\n"
                + "        hidden, latent_dimensionality = self.hidden_size, self.latent_dimensionality\n"
                + "        num_categories, input_dim = self.num_categories, self.input_dim\n"
                + DECODER.replace("self.decoder =", "return")
                + "\n    def forward(self, data_input",
            ),
        ),
        checks=1,
        may_lose=("training",),
    ),
    _decoder(
        "decoder-in-a-list-of-the-class",
        "layers-kept",
        edits=(
            (
                DECODER,
                "        self.layers += [\n"
                + "".join(f"            {each},\n" for each in (*BODY, PIXELS, SIGMOID))
                + "        ]\n        self.decoder = nn.Sequential(*self.layers)\n",
            ),
            ("    def __init__(self, input_dim", "    layers = []\n\n    def __init__(self, input_dim"),
        ),
        may_lose=("training",),
    ),
    _decoder(
        "decoder-with-layers-of-the-encoder",
        "decoder-not-apart",
        edits=((DECODER, DECODER + "        self.decoder[2] = self.encoder[2]\n"),),
        checks=1,
    ),
    _decoder(
        "decoder-of-views-of-the-encoders-weights",
        "decoder-not-apart",
        edits=(
            (DECODER, DECODER + "        self.decoder[4].weight = nn.Parameter(self.encoder[2].weight.data.t())\n"),
        ),
        checks=1,
        says="`decoder.4.weight` and `encoder.2.weight` share their numbers in memory",
    ),
    _decoder(
        "decoder-mirrors-the-encoders-weights",
        "decoder-not-apart",
        edits=(
            (
                DECODER,
                _sequential(
                    "decoder",
                    *(DECODER_INPUT, RELU, "Tied(self.encoder[4], hidden)", RELU),
                    *("Tied(self.encoder[2], hidden)", RELU, "Tied(self.encoder[0], input_dim)", SIGMOID),
                ),
            ),
            TIED,
        ),
        checks=1,
    ),
    _decoder(
        "decoder-ends-with-the-encoders-weights",
        "decoder-not-apart",
        edits=(
            (
                DECODER,
                _sequential("decoder", *BODY, "Tied(self.encoder[0], input_dim)", SIGMOID),
            ),
            TIED,
        ),
        checks=1,
    ),
    _decoder(
        "decoder-scales-each-image",
        "decoder-output-activation",
        *(*BODY, PIXELS, "MinMax()"),
        edits=(MIN_MAX,),
        may_lose=("training",),
        checks=1,
    ),
    _decoder(
        "decoder-with-a-temperature",
        "decoder-output-activation",
        edits=(
            ("            nn.Sigmoid(),\n", "            Scaled(),\n            nn.Sigmoid(),\n"),
            (
                "class ConditionalVariationalAutoencoder(",
                SCALED.replace("255", "0.5") + "ConditionalVariationalAutoencoder(",
            ),
        ),
        may_lose=("training",),
        checks=1,
    ),
    _decoder(
        "decoder-gives-255",
        "decoder-output-activation",
        edits=(
            ("            nn.Sigmoid(),\n", "            nn.Sigmoid(),\n            Scaled(),\n"),
            ("class ConditionalVariationalAutoencoder(", SCALED + "ConditionalVariationalAutoencoder("),
        ),
        may_lose=("training",),
        checks=1,
    ),
    _decoder(
        "decoder-takes-two-arguments",
        "decoder-two-arguments",
        edits=(*_joining("decoder"), (DECODE, "        data_recon = self.decoder(latents, condition)\n")),
    ),
    _decoder(
        "decoder-takes-a-label-embedding",
        "decoder-input-width",
        edits=(
            (
                DECODER,
                DECODER.replace("latent_dimensionality + num_categories", "latent_dimensionality + 4")
                + "        self.embedding = nn.Linear(num_categories, 4)\n",
            ),
            (DECODE, DECODE.replace("condition)", "self.embedding(condition))")),
        ),
        may_lose=("training",),  # four numbers for ten classes: some draws of them learn too little
    ),
    _decoder(
        "decoder-by-square-root", "square-images-assumed", *BODY, "nn.Linear(hidden, int(input_dim**0.5) ** 2)", SIGMOID
    ),
    # The hand-out's listing, with which its table was made.
    _decoder("decoder-of-three-layers", "decoder-depth", DECODER_INPUT, RELU, HIDDEN, RELU, PIXELS, SIGMOID),
    _decoder("decoder-of-two-layers", "decoder-depth", DECODER_INPUT, RELU, PIXELS, SIGMOID),
    _decoder("decoder-of-five-layers", "decoder-depth", *BODY, HIDDEN, RELU, PIXELS, SIGMOID),
    _decoder("decoder-without-first-relu", "decoder-missing-relu", *(DECODER_INPUT, *BODY[2:], PIXELS, SIGMOID)),
    _decoder("decoder-without-last-relu", "decoder-missing-relu", *BODY[:-1], PIXELS, SIGMOID),
    _decoder(
        "decoder-without-any-relu",
        "decoder-missing-relu",
        DECODER_INPUT,
        HIDDEN,
        HIDDEN,
        PIXELS,
        SIGMOID,
        may_lose=("training",),
    ),
    _decoder(
        "log-probabilities-in-decoder-exp-in-forward",
        "decoder-output-activation",
        *(*BODY, PIXELS, "nn.LogSigmoid()"),
        edits=((RETURN, RETURN.replace("data_recon", "data_recon.exp()")),),
        checks=1,
    ),
    _decoder(
        "tanh-in-decoder-rescaled-in-forward",
        "decoder-output-activation",
        *(*BODY, PIXELS, "nn.Tanh()"),
        edits=((RETURN, RETURN.replace("data_recon", "(data_recon + 1) / 2")),),
        checks=1,
    ),
    _decoder("decoder-without-sigmoid", "decoder-no-sigmoid", *BODY, PIXELS, may_lose=("training",)),
    _decoder(
        "decoder-with-two-sigmoids", "decoder-sigmoid-twice", *BODY, PIXELS, SIGMOID, SIGMOID, may_lose=("training",)
    ),
    _decoder(
        "decoder-with-tanh-output", "decoder-output-activation", *BODY, PIXELS, "nn.Tanh()", may_lose=("training",)
    ),
    _decoder("decoder-with-relu-output", "decoder-output-activation", *BODY, PIXELS, RELU, may_lose=("training",)),
    _decoder(
        "decoder-with-relu-before-sigmoid",
        "decoder-relu-before-sigmoid",
        *BODY,
        PIXELS,
        RELU,
        SIGMOID,
        may_lose=("training",),
    ),
    _decoder(
        "decoder-with-softmax-output",
        "decoder-output-activation",
        *BODY,
        PIXELS,
        "nn.Softmax(dim=-1)",
        may_lose=("training",),
    ),
    _decoder(
        "decoder-with-tanh-as-sigmoid",
        "decoder-output-activation",
        edits=(
            (
                "        self.mean_layer = ",
                "        class Squash(nn.Module):\n"
                "            def forward(self, x):\n"
                "                return (1 + torch.tanh(x)) / 2\n\n"
                "        self.mean_layer = ",
            ),
            (DECODER, DECODER.replace("nn.Sigmoid()", "Squash()")),
        ),
    ),
    _decoder(
        "decoder-cut-off",
        "decoder-output-activation",
        *BODY,
        PIXELS,
        "nn.Sigmoid(), nn.Hardtanh(0.1, 0.9)",
        may_lose=("training",),
    ),
    _decoder(
        "decoder-cut-off-at-its-ends",
        "decoder-output-activation",
        *BODY,
        PIXELS,
        "nn.Hardtanh(-5, 5), nn.Sigmoid()",
        checks=1,
    ),
    _decoder(
        "decoder-with-hard-sigmoid",
        "decoder-output-activation",
        *BODY,
        PIXELS,
        "nn.Hardsigmoid()",
        checks=1,
        may_lose=("training",),
    ),
    _decoder(
        "decoder-with-leaky-relu",
        "decoder-activation",
        *(layer.replace("nn.ReLU()", "nn.LeakyReLU()") for layer in BODY),
        PIXELS,
        SIGMOID,
    ),
    _decoder(
        "decoder-with-tanh",
        "decoder-activation",
        *(layer.replace("nn.ReLU()", "nn.Tanh()") for layer in BODY),
        PIXELS,
        SIGMOID,
    ),
    _decoder(
        "decoder-with-elu",
        "decoder-activation",
        *(layer.replace("nn.ReLU()", "nn.ELU()") for layer in BODY),
        PIXELS,
        SIGMOID,
    ),
    _decoder(
        "decoder-wide-inside",
        "decoder-width",
        DECODER_INPUT,
        RELU,
        "nn.Linear(hidden, 128)",
        RELU,
        "nn.Linear(128, hidden)",
        RELU,
        PIXELS,
        SIGMOID,
    ),
    _decoder(
        "decoder-as-a-funnel",
        "decoder-width",
        DECODER_INPUT,
        RELU,
        "nn.Linear(hidden, 128)",
        RELU,
        "nn.Linear(128, 256)",
        RELU,
        "nn.Linear(256, input_dim)",
        SIGMOID,
    ),
    _decoder(
        "decoder-without-condition",
        "decoder-without-condition",
        *("nn.Linear(latent_dimensionality, hidden)", *BODY[1:], PIXELS, SIGMOID),
        edits=((DECODE, "        data_recon = self.decoder(latents)\n"),),
        may_lose=("forward", "training"),
    ),
    *(
        _decoder(
            f"decoder-without-condition-and-the-class-{name}",
            "decoder-without-condition",
            *("nn.Linear(latent_dimensionality, hidden)", *BODY[1:], PIXELS, SIGMOID),
            edits=(
                (
                    "        super().__init__()\n",
                    "        super().__init__()\n"
                    "        self.of_class = nn.Linear(num_categories, 2 * latent_dimensionality)\n",
                ),
                (DECODE, f"        scale, shift = self.of_class(condition).chunk(2, dim=-1)\n{decode}"),
            ),
            checks=1,
        )
        for name, decode in (
            ("added-to-the-draw", "        data_recon = self.decoder(latents + shift)\n"),
            ("scaling-the-draw", "        data_recon = self.decoder(latents * (1 + scale) + shift)\n"),
        )
    ),
    _decoder(
        "decoder-not-sized-for-condition",
        "decoder-without-condition",
        *("nn.Linear(latent_dimensionality, hidden)", *BODY[1:], PIXELS, SIGMOID),
        checks=1,
    ),
    _decoder(
        "decoder-with-dropout",
        "decoder-normalisation",
        *(DECODER_INPUT, RELU, "nn.Dropout(0.2)", *BODY[2:], PIXELS, SIGMOID),
        may_lose=("forward",),
    ),
    _decoder(
        "decoder-with-batch-norm",
        "decoder-normalisation",
        *(DECODER_INPUT, "nn.BatchNorm1d(hidden)", *BODY[1:], PIXELS, SIGMOID),
        may_lose=("forward", "training"),
    ),
    _decoder("decoder-of-784-pixels-only", "decoder-sizes-hard-coded", *BODY, "nn.Linear(hidden, 784)", SIGMOID),
    _decoder(
        "decoder-of-ten-classes-only",
        "decoder-sizes-hard-coded",
        *("nn.Linear(latent_dimensionality + 10, hidden)", *BODY[1:], PIXELS, SIGMOID),
    ),
    _decoder(
        "decoder-of-15-latents-only",
        "decoder-sizes-hard-coded",
        *("nn.Linear(15 + num_categories, hidden)", *BODY[1:], PIXELS, SIGMOID),
        may_lose=("training",),
    ),
    _decoder("decoder-without-bias", "decoder-bias", *BODY, PIXELS[:-1] + ", bias=False)", SIGMOID),
    _decoder(
        "decoder-layer-unused",
        "decoder-depth",
        edits=(
            (
                DECODER,
                f"        self.third = {HIDDEN}\n"
                + _sequential("decoder", DECODER_INPUT, RELU, HIDDEN, RELU, PIXELS, SIGMOID),
            ),
        ),
        checks=1,
    ),
    _decoder(
        "decoder-layers-shared",
        "decoder-layer-twice",
        edits=(
            (
                DECODER,
                "        again = nn.Linear(hidden, hidden)\n"
                + _sequential("decoder", DECODER_INPUT, RELU, "again", RELU, "again", RELU, PIXELS, SIGMOID),
            ),
        ),
    ),
    _decoder(
        "decoder-to-images",
        "decoder-shape",
        *BODY,
        PIXELS,
        SIGMOID,
        "nn.Unflatten(1, (1, 28, 28))",
    ),
    *(
        _decoder(name, "decoder-output-width", *BODY, f"nn.Linear(hidden, {width})", SIGMOID, checks=1)
        for name, width in (
            ("decoder-gives-the-class-as-well", "input_dim + num_categories"),
            ("decoder-gives-hidden-numbers", "hidden"),
        )
    ),
    _decoder(
        "decoder-gives-the-class-that-forward-drops",
        "decoder-output-width",
        *BODY,
        "nn.Linear(hidden, input_dim + num_categories)",
        SIGMOID,
        edits=((RETURN, RETURN.replace("data_recon", "data_recon[:, : self.input_dim]")),),
        checks=1,
    ),
    *(
        _decoder(f"{name}-among-layers", "no-layer-there", *BODY, PIXELS, no_layer, may_lose=("training",))
        for name, no_layer in (("class", "nn.Sigmoid"), ("function", "torch.sigmoid"), ("list", "[nn.Sigmoid()]"))
    ),
    _decoder(
        "decoder-in-a-module-list",
        "not-callable",
        edits=_in_a_list(DECODER, DECODE, "nn.ModuleList([", "])"),
        checks=1,
        may_lose=("training",),
    ),
    _decoder(
        "decoder-misspelled",
        "attribute-missing",
        edits=(
            (DECODER, DECODER.replace("self.decoder", "self.decode")),
            (DECODE, DECODE.replace("self.decoder", "self.decode")),
        ),
        checks=1,
        may_lose=("training",),
    ),
    _decoder("decoder-not-written", "attribute-missing", edits=((DECODER, ""),), may_lose=("training",)),
)

# ---------------------------------------------------------------- all layers

_EVERY_LAYER = (ENCODER, MEAN_HEAD, LOGVARIANCE_HEAD, DECODER)


def _all_of(layer: str) -> tuple[tuple[str, str], ...]:
    """Edits that make each linear layer one of this class."""
    return tuple((made, made.replace("nn.Linear", layer)) for made in _EVERY_LAYER)


ALL_LAYERS = (
    _encoder(
        "everything-frozen",
        "layers-frozen",
        edits=((DECODER, DECODER + "        self.requires_grad_(False)\n"),),
        checks=1,
    ),
    _encoder(
        "all-biases-frozen-by-a-class-of-layers",
        "layers-frozen",
        edits=(
            (
                RESIDUAL[0],
                "class Scale(nn.Linear):\n    def __init__(self, inputs, outputs):\n"
                "        super().__init__(inputs, outputs)\n        self.bias.requires_grad_(False)\n\n\n"
                + RESIDUAL[0],
            ),
            *_all_of("Scale"),
        ),
        checks=1,
    ),
    _encoder(
        "all-biases-buffers",
        "encoder-bias",
        edits=(
            (
                DECODER,
                DECODER + "        for layer in self.modules():\n            if isinstance(layer, nn.Linear):\n"
                "                bias = layer.bias.detach()\n                layer.bias = None\n"
                "                del layer.bias\n                layer.register_buffer('bias', bias)\n",
            ),
        ),
        checks=1,
    ),
    _encoder(
        "everything-detached-by-a-class-of-layers",
        "layers-detached",
        edits=(
            _own_layer("self.weight.detach()", "self.bias.detach()"),
            *_all_of("Own"),
        ),
        may_lose=("training",),
        checks=1,
    ),
)

# ---------------------------------------------------------------- forward


def _forward(
    name: str,
    misconception: str | None,
    *edits: tuple[str, str],
    may_lose: tuple[str, ...] = (),
    checks: int | None = None,
) -> Wrong:
    return Wrong(name, edits, misconception=misconception, checks=checks, **_of_part("forward", may_lose))


IN_BFLOAT16 = '        with torch.autocast("cpu", dtype=torch.bfloat16):\n    '

FORWARDS = (
    _forward(
        "pixels-in-double",
        "precision-mixed",
        (ENCODE, ENCODE.replace("data_input", "data_input.double()")),
        may_lose=("training",),
    ),
    _forward(
        "pass-in-bfloat16",
        "half-precision",
        ("    def forward(self, data", '    @torch.autocast("cpu", dtype=torch.bfloat16)\n    def forward(self, data'),
        (DECODE, DECODE + "        data_recon = data_recon.float()\n"),
        checks=1,
    ),
    _forward(
        "encoder-in-bfloat16",
        "half-precision",
        (ENCODE, IN_BFLOAT16 + ENCODE + "        hidden = hidden.float()\n"),
        checks=1,
    ),
    _forward(
        "decoder-in-bfloat16",
        "half-precision",
        (DECODE, IN_BFLOAT16 + DECODE + "        data_recon = data_recon.float()\n"),
        checks=1,
    ),
    _forward(
        "usual-images-assumed",
        "forward-sizes-hard-coded",
        (ENCODE, "        data_input = data_input.reshape(-1, 784)\n" + ENCODE),
        checks=1,
    ),
    *(
        _forward(f"{layer.lower()}-made-of-a-tensor", "layer-not-applied", (ENCODE, ENCODE + after))
        for layer, after in (
            ("Sigmoid", "        hidden = nn.Sigmoid(hidden)\n"),
            ("ReLU", "        hidden = nn.ReLU(hidden)\n"),
            ("Softplus", "        hidden = hidden * nn.Softplus(hidden)\n"),
            ("Dropout", "        hidden = nn.Dropout()\n        hidden = torch.exp(hidden)\n"),
            ("Tanh", "        hidden = torch.cat([nn.Tanh()], -1)\n"),
            ("LeakyReLU", "        hidden = nn.LeakyReLU(0.2).view(-1, 64)\n"),
        )
    ),
    _forward(
        "classes-counted-in-the-minibatch",
        "forward-sizes-hard-coded",
        (ENCODE, "        condition = F.one_hot(condition.argmax(1)).to(condition.dtype)\n" + ENCODE),
        checks=1,
    ),
    _forward(
        "reconstruction-squeezed",
        "forward-sizes-hard-coded",
        (RETURN, RETURN.replace("data_recon", "data_recon.squeeze()")),
        checks=1,
    ),
    _forward(
        "classes-of-the-first-minibatch-kept",
        "decoder-class-changed",
        (
            DECODE,
            "        if getattr(self, 'kept', condition).shape != condition.shape or not hasattr(self, 'kept'):\n"
            "            self.kept = condition\n" + DECODE.replace("condition", "self.kept"),
        ),
        checks=1,
    ),
    _forward(
        "class-softened-for-the-decoder",
        "decoder-class-changed",
        (DECODE, DECODE.replace("condition", "torch.softmax(condition, -1)")),
        checks=1,
    ),
    _forward(
        "decoded-three-times",
        "decoding-repeated",
        (
            RETURN,
            "        draws = [sample_latent(mean_params, logvariance_params) for _ in range(3)]\n"
            "        decoded = [self.decoder(torch.cat((each, condition), dim=-1)) for each in draws]\n"
            "        data_recon = sum(decoded) / 3\n" + RETURN,
        ),
        checks=1,
    ),
    _forward(
        "average-of-ten-decodings",
        "decoding-repeated",
        (SAMPLES, SAMPLES.replace("mean_params, logvariance_params", "*(torch.cat([each] * 10) for each in heads)")),
        (RETURN, "        data_recon = data_recon.unflatten(0, (10, -1)).mean(0)\n" + RETURN),
        (DECODE, DECODE.replace("condition", "torch.cat([condition] * 10)")),
        (LOGVARIANCES, LOGVARIANCES + "        heads = mean_params, logvariance_params\n"),
        checks=1,
    ),
    _forward(
        "normalizes-what-is-decoded",
        "reconstruction-changed",
        (RETURN, "        data_recon = self.after(data_recon)\n" + RETURN),
        (DECODER, DECODER + "        self.after = nn.Sequential(nn.BatchNorm1d(input_dim), nn.ReLU())\n"),
        may_lose=("training",),
    ),
    _forward(
        "stretches-each-image",
        "reconstruction-changed",
        (
            RETURN,
            "        low, high = data_recon.amin(1, keepdim=True), data_recon.amax(1, keepdim=True)\n"
            "        data_recon = (data_recon - low) / (high - low)\n" + RETURN,
        ),
        checks=1,
    ),
    *(
        _forward(name, misconception, (old, f"        if {when}:\n    {new}" + old), checks=1)
        for name, misconception, when, old, new in (
            (
                "images-noisy-in-training",
                "encoder-pixels-changed",
                "self.training",
                ENCODE,
                "        data_input = data_input + 0.1 * torch.randn_like(data_input)\n",
            ),
            (
                "classes-dropped-in-training",
                "encoder-class-changed",
                "self.training",
                ENCODE,
                "        condition = condition * (torch.arange(len(condition)) % 3 > 0)[:, None]\n",
            ),
            (
                "means-doubled-in-training",
                "encoding-other",
                "self.training",
                RETURN,
                "        mean_params = 2 * mean_params\n",
            ),
            (
                "class-dropped-in-use",
                "condition-missing",
                "not self.training",
                DECODE,
                "        condition = 0 * condition\n",
            ),
            (
                "pixels-rounded-in-use",
                "reconstruction-changed",
                "not self.training",
                RETURN,
                "        data_recon = data_recon.round()\n",
            ),
        )
    ),
    _forward(
        "prior-for-arguments-in-use",
        "sample-arguments-changed",
        (
            SAMPLES,
            f"        if self.training:\n    {SAMPLES}        else:\n    "
            + SAMPLES.replace("mean_params, logvariance_params", "0 * mean_params, 0 * logvariance_params"),
        ),
        checks=1,
    ),
    _forward(
        "class-embedded-for-both-networks",
        "encoder-class-changed",
        (
            "        super().__init__()\n",
            "        super().__init__()\n        self.embedding = nn.Embedding(num_categories, num_categories)\n",
        ),
        (ENCODE, "        condition = self.embedding(condition.argmax(-1))\n" + ENCODE),
        checks=1,
    ),
    _forward(
        "drawn-from-the-prior-in-use",
        "draw-changed",
        (SAMPLES, SAMPLES + "        latents = latents if self.training else torch.randn_like(latents)\n"),
        checks=1,
    ),
    _forward(
        "latents-kept-for-a-shape",
        "latents-kept",
        (
            SAMPLES,
            "        if getattr(self, 'kept', torch.empty(0)).shape != mean_params.shape:\n"
            "            self.kept = sample_latent(mean_params, logvariance_params).detach()\n"
            "        latents = self.kept\n",
        ),
        may_lose=("training",),
    ),
    *(
        _forward(name, misconception, *edits, checks=1)
        for name, misconception, *edits in (
            ("seed-set-first", "fixed-seed", (ENCODE, "        torch.manual_seed(5814)\n" + ENCODE)),
            ("seed-set-last", "fixed-seed", (RETURN, "        torch.manual_seed(5814)\n" + RETURN)),
            (
                "seed-set-in-evaluation",
                "fixed-seed",
                (ENCODE, "        if not self.training:\n            torch.manual_seed(0)\n" + ENCODE),
            ),
            (
                "noise-kept-in-an-attribute",
                "fixed-seed",
                (
                    SAMPLES,
                    "        if getattr(self, 'noise', torch.empty(0)).shape != mean_params.shape:\n"
                    "            self.noise = torch.randn_like(mean_params)\n"
                    + DRAWS_ITSELF.replace("torch.randn_like(mean_params)", "self.noise"),
                ),
            ),
            (
                "drawn-under-fork-rng",
                "generator-restarted",
                (SAMPLES, f"        with torch.random.fork_rng():\n    {SAMPLES}"),
            ),
            (
                "own-draw-by-torch-normal",
                "forward-gradient-zero",
                (SAMPLES, "        latents = torch.normal(mean_params, torch.exp(0.5 * logvariance_params))\n"),
            ),
        )
    ),
    _forward(
        "mean-in-evaluation",
        "no-draw-in-evaluation",
        (SAMPLES, SAMPLES + "        latents = latents if self.training else mean_params\n"),
        checks=1,
    ),
    *(
        _forward(
            name, "no-draw-in-evaluation", (SAMPLES, SAMPLES.replace("\n", f" if {mode} else mean_params\n")), checks=1
        )
        for name, mode in (
            ("nothing-drawn-in-evaluation", "self.training"),
            ("nothing-drawn-without-gradients", "torch.is_grad_enabled()"),
        )
    ),
    _forward(
        "average-of-draws-in-evaluation",
        "draw-changed",
        (
            SAMPLES,
            "        count = 1 if self.training else 9\n"
            "        draws = [sample_latent(mean_params, logvariance_params) for _ in range(count)]\n"
            "        latents = torch.stack(draws).mean(0)\n",
        ),
        checks=1,
    ),
    _forward(
        "heads-made-in-forward",
        "layers-made-in-forward",
        (
            LOGVARIANCES,
            "        self.logvariance_layer = nn.Linear(self.hidden_size, self.latent_dimensionality)\n" + LOGVARIANCES,
        ),
    ),
    _forward(
        "noise-added-again",
        "draw-changed",
        (SAMPLES, SAMPLES + "        latents = latents + 0.1 * torch.randn_like(latents)\n"),
        may_lose=(),
    ),
    _forward(
        "draw-squashed-on-its-way",
        "draw-changed",
        (SAMPLES, SAMPLES + "        latents = torch.tanh(latents)\n"),
        checks=1,
    ),
    _forward(
        "draw-with-dropout", "draw-changed", (SAMPLES, SAMPLES + "        latents = F.dropout(latents)\n"), checks=1
    ),
    *(
        _forward(
            f"{name}-cut-off",
            "encoding-cut-off",
            (line, line.replace("(hidden)", f"(hidden).clamp({limits})")),
            checks=1,
        )
        for name, line, limits in (
            ("log-variances", LOGVARIANCES, "-4, 15"),
            ("log-variances-above", LOGVARIANCES, "max=4.5"),
            ("means", MEANS, "-5, 10"),
        )
    ),
    _forward(
        "noise-drawn-in-the-constructor",
        "no-draw-in-forward",
        (
            "        super().__init__()\n",
            "        super().__init__()\n        self.noise = torch.randn(latent_dimensionality)\n",
        ),
        (SAMPLES, "        latents = mean_params + torch.exp(0.5 * logvariance_params) * self.noise\n"),
        checks=1,
    ),
    _forward("zeros-for-a-draw", "no-draw-in-forward", (SAMPLES, "        latents = torch.zeros_like(mean_params)\n")),
    _forward(
        "means-returned-detached",
        "results-detached",
        (RETURN, RETURN.replace("mean_params", "mean_params.detach()", 1)),
        may_lose=(),
    ),
    _forward(
        "condition-first-in-encoder",
        "condition-first",
        (ENCODE, ENCODE.replace("data_input, condition", "condition, data_input")),
        may_lose=(),
    ),
    _forward(
        "condition-first-in-decoder",
        "condition-first",
        (DECODE, DECODE.replace("latents, condition", "condition, latents")),
    ),
    _forward(
        "condition-missing-in-encoder",
        "condition-missing",
        (ENCODE, ENCODE.replace("condition)", "torch.zeros_like(condition))")),
        may_lose=(),
    ),
    _forward(
        "condition-missing-in-decoder",
        "condition-missing",
        (DECODE, DECODE.replace("condition)", "torch.zeros_like(condition))")),
    ),
    _forward(
        "encoder-not-given-condition", "encoder-row-length", (ENCODE, "        hidden = self.encoder(data_input)\n")
    ),
    _forward(
        "decoder-not-given-condition", "decoder-row-length", (DECODE, "        data_recon = self.decoder(latents)\n")
    ),
    _forward(
        "image-and-class-ignored",
        "same-for-every-image",
        (ENCODE, ENCODE.replace("(data_input, condition)", "(0 * data_input, 0 * condition)")),
    ),
    _forward(
        "mean-instead-of-sample",
        "mean-instead-of-sample",
        (DECODE, DECODE.replace("latents", "mean_params")),
    ),
    *(
        _forward(f"{what}-rearranged", "numbers-rearranged", (old, f"        {moved}\n" + old), checks=1)
        for what, old, moved in (
            ("means", RETURN, "mean_params = mean_params.flip(1)"),
            ("logvariances", RETURN, "logvariance_params = logvariance_params.T.reshape(logvariance_params.shape)"),
            (
                "heads",
                SAMPLES,
                "both = torch.cat((mean_params, logvariance_params), -1).view(len(mean_params), -1, 2)\n"
                "        mean_params, logvariance_params = both.unbind(-1)",
            ),
            ("hidden-numbers", MEANS, "hidden = hidden.T.reshape(hidden.shape)"),
            ("pixels", ENCODE, "data_input = data_input.flip(1)"),
            ("images", ENCODE, "data_input = data_input.roll(1, 0)"),
            ("reconstructions", RETURN, "data_recon = data_recon.T.reshape(data_recon.shape)"),
        )
    ),
    _forward(
        "drawn-twice",
        "draw-changed",
        (SAMPLES, SAMPLES + "        latents = sample_latent(latents, logvariance_params)\n"),
        may_lose=(),
    ),
    _forward(
        "logvariances-lowered",
        "encoding-other",
        (LOGVARIANCES, LOGVARIANCES + "        logvariance_params = logvariance_params - 5\n"),
        may_lose=(),
    ),
    _forward(
        "logvariances-cut-off",
        "encoding-cut-off",
        (LOGVARIANCES, LOGVARIANCES + "        logvariance_params = logvariance_params.clamp(-0.5, 0.5)\n"),
        may_lose=(),
    ),
    _forward(
        "logvariances-bounded-smoothly",
        "encoding-other",
        (LOGVARIANCES, LOGVARIANCES + "        logvariance_params = 4 * torch.tanh(logvariance_params / 4)\n"),
        may_lose=(),
    ),
    _forward("mean-without-sampling", "mean-instead-of-sample", (SAMPLES, "        latents = mean_params\n")),
    _forward(
        "noise-instead-of-sample",
        "arguments-unused",
        (SAMPLES, "        latents = torch.randn_like(mean_params)\n"),
    ),
    _forward(
        "sample-arguments-swapped",
        "sample-arguments-swapped",
        (SAMPLES, SAMPLES.replace("mean_params, logvariance_params", "logvariance_params, mean_params")),
    ),
    _forward(
        "heads-swapped",
        "heads-swapped",
        (MEANS, MEANS.replace("mean_layer", "logvariance_layer")),
        (LOGVARIANCES, LOGVARIANCES.replace("logvariance_layer", "mean_layer")),
        may_lose=(),
    ),
    _forward(
        "one-head-twice",
        "one-head-twice",
        (LOGVARIANCES, LOGVARIANCES.replace("logvariance_layer", "mean_layer")),
    ),
    _forward(
        "logvariance-instead-of-sample",
        "logvariance-instead-of-sample",
        (SAMPLES, "        latents = logvariance_params\n"),
    ),
    _forward(
        "reconstruction-as-images",
        "reconstruction-shape",
        (RETURN, RETURN.replace("data_recon", "data_recon.view(len(data_recon), 1, -1)")),
    ),
    _forward(
        "reconstruction-flattened",
        "reconstruction-shape",
        (RETURN, RETURN.replace("data_recon", "data_recon.flatten()")),
    ),
    _forward(
        "reconstruction-of-one-image",
        "wrong-shape",
        (RETURN, RETURN.replace("data_recon", "data_recon[0]")),
    ),
    _forward(
        "outputs-swapped",
        "heads-swapped",
        (RETURN, "        return data_recon, logvariance_params, mean_params\n"),
    ),
    _forward(
        "outputs-rotated",
        "outputs-swapped",
        (RETURN, "        return mean_params, logvariance_params, data_recon\n"),
    ),
    _forward("latent-returned", "latent-returned", (RETURN, RETURN.replace("mean_params", "latents"))),
    _forward("latent-returned-too", "wrong-number-of-results", (RETURN, RETURN.replace("\n", ", latents\n"))),
    _forward("only-reconstruction-returned", "wrong-number-of-results", (RETURN, "        return data_recon\n")),
    _forward(
        "dictionary-returned",
        "wrong-number-of-results",
        (RETURN, '        return {"recon": data_recon, "mean": mean_params, "logvariance": logvariance_params}\n'),
        checks=1,
    ),
    _forward(
        "average-of-five-draws",
        "draw-changed",
        (
            SAMPLES,
            "        draws = [sample_latent(mean_params, logvariance_params) for _ in range(5)]\n"
            "        latents = torch.stack(draws).mean(0)\n",
        ),
        checks=1,
    ),
    _forward(
        "hidden-numbers-dropped",
        "encoding-other",
        (ENCODE, ENCODE + "        hidden = F.dropout(hidden, 0.2)\n"),
        checks=1,
    ),
    _forward(
        "results-in-a-data-class",
        "wrong-number-of-results",
        (
            "class ConditionalVariationalAutoencoder(",
            "import dataclasses\n\n\n@dataclasses.dataclass\nclass Results:\n    pixels: torch.Tensor\n"
            "    means: torch.Tensor\n    logvariances: torch.Tensor\n\n\nclass ConditionalVariationalAutoencoder(",
        ),
        (RETURN, "        return Results(data_recon, mean_params, logvariance_params)\n"),
        checks=1,
    ),
    _forward(
        "distribution-in-a-tuple",
        "wrong-number-of-results",
        (RETURN, "        return data_recon, (mean_params, logvariance_params)\n"),
        checks=1,
    ),
    _forward("reconstruction-in-a-tuple-of-one", "trailing-comma", (DECODE, DECODE.replace("\n", ",\n")), checks=1),
    _forward("latents-in-a-tuple-of-one", "trailing-comma", (SAMPLES, SAMPLES.replace("\n", ",\n"))),
    _forward(
        "log-variance-still-none",
        "nothing-returned",
        (RETURN, RETURN.replace("logvariance_params", "None")),
        may_lose=(),
    ),
    _forward(
        "reconstruction-still-none", "nothing-returned", (RETURN, RETURN.replace("data_recon", "None")), may_lose=()
    ),
    _forward("nothing-returned", "nothing-returned", (RETURN, RETURN.replace("return", "result ="))),
    _forward("latents-detached", "forward-detached", (DECODE, DECODE.replace("latents", "latents.detach()"))),
    _forward("output-detached", "forward-detached", (RETURN, RETURN.replace("data_recon", "data_recon.detach()"))),
    _forward(
        "encoder-without-grad",
        "forward-detached",
        (ENCODE, "        with torch.no_grad():\n    " + ENCODE),
    ),
    _forward(
        "encoder-and-decoder-in-reentrant-checkpoints",
        "forward-detached",
        ("import torch\n", "import torch\nfrom torch.utils.checkpoint import checkpoint\n"),
        *(
            (
                line,
                line.replace(f"self.{name}(", f"checkpoint(self.{name}, ").replace("))\n", "), use_reentrant=True)\n"),
            )
            for name, line in (("encoder", ENCODE), ("decoder", DECODE))
        ),
        checks=1,
    ),
    _forward("heads-detached-from-encoder", "forward-detached", (ENCODE, ENCODE.replace("-1))", "-1)).detach()"))),
    *(
        _forward(name, "gradient-changed", edit, checks=1)
        for name, edit in (
            ("gradient-scaled-by-a-hook", (SAMPLES, HOOK.format("gradient / 10") + SAMPLES)),
            ("gradient-normalized-by-a-hook", (SAMPLES, HOOK.format("gradient / gradient.norm()") + SAMPLES)),
            ("gradient-reversed", (SAMPLES, HOOK.format("-gradient") + SAMPLES)),
            (
                "gradient-of-the-latent-scaled",
                (SAMPLES, SAMPLES + HOOK.format("gradient / 100").replace("mean_params", "latents")),
            ),
            (
                "half-of-the-means-detached",
                (SAMPLES, "        mean_params = 0.5 * (mean_params + mean_params.detach())\n" + SAMPLES),
            ),
            (
                "hidden-numbers-partly-detached",
                (ENCODE, ENCODE + "        hidden = 0.9 * hidden.detach() + 0.1 * hidden\n"),
            ),
            (
                "some-rows-detached",
                (
                    SAMPLES,
                    "        odd = torch.arange(len(mean_params)).unsqueeze(1) % 2\n"
                    + SAMPLES.replace("(mean_params,", "(torch.where(odd == 1, mean_params, mean_params.detach()),"),
                ),
            ),
            (
                "gradient-of-a-weight-scaled",
                (LAST, f"{LAST}        self.mean_layer.weight.register_hook(lambda each: each / 10)\n"),
            ),
        )
    ),
    _forward(
        "means-given-twice",
        "sample-arguments-changed",
        (SAMPLES, SAMPLES.replace("logvariance_params", "mean_params")),
    ),
    _forward(
        "ten-draws-averaged",
        "draw-changed",
        (
            SAMPLES,
            SAMPLES.replace(
                "(mean_params, logvariance_params)",
                "(mean_params.expand(10, -1, -1), logvariance_params.expand(10, -1, -1)).mean(0)",
            ),
        ),
    ),
    _forward(
        "std-given-to-sample",
        "sample-arguments-changed",
        (SAMPLES, SAMPLES.replace("logvariance_params", "torch.exp(0.5 * logvariance_params)")),
    ),
    *(
        _forward(name, "result-changed", (RETURN, RETURN.replace("logvariance_params", returned)), checks=1)
        for name, returned in (
            ("variance-returned", "logvariance_params.exp()"),
            ("std-returned-by-forward", "torch.exp(0.5 * logvariance_params)"),
        )
    ),
    *(
        _forward(name, "result-changed", (SAMPLES, DRAWS_ITSELF), (RETURN, RETURN.replace(*returned)), checks=1)
        for name, returned in (
            ("std-returned-after-own-draw", ("logvariance_params", "torch.exp(0.5 * logvariance_params)")),
            ("softplus-returned-after-own-draw", ("logvariance_params", "F.softplus(logvariance_params)")),
            ("tanh-returned-after-own-draw", ("mean_params", "torch.tanh(mean_params)")),
        )
    ),
    _forward(
        "own-draw-with-one-noise-a-row",
        "noise-shared-across-columns",
        (SAMPLES, DRAWS_ITSELF.replace("torch.randn_like(mean_params)", "torch.randn(len(mean_params), 1)")),
        checks=1,
    ),
    _forward(
        "own-draw-with-one-noise-for-all-rows",
        "noise-shared-across-rows",
        (SAMPLES, DRAWS_ITSELF.replace("torch.randn_like(mean_params)", "torch.randn_like(mean_params[:1])")),
        checks=1,
    ),
    _forward(
        "own-draw-standardized",
        "draw-normalized",
        (SAMPLES, DRAWS_ITSELF + "        latents = (latents - latents.mean(0)) / latents.std(0)\n"),
        checks=1,
    ),
    _forward(
        "classes-encoded-again",
        "one-hot-already",
        (ENCODE, "        condition = F.one_hot(condition, self.num_categories)\n" + ENCODE),
    ),
    _forward(
        "classes-looked-up-again",
        "index-not-whole",
        (ENCODE, "        condition = torch.eye(self.num_categories)[condition]\n" + ENCODE),
    ),
    _forward(
        "classes-embedded",
        "index-not-whole",
        (ENCODE, "        condition = nn.Embedding(self.num_categories, self.num_categories)(condition)\n" + ENCODE),
    ),
    _forward(
        "sigmoid-again-in-forward",
        "reconstruction-changed",
        (RETURN, RETURN.replace("data_recon", "torch.sigmoid(data_recon)")),
    ),
    _forward(
        "reconstruction-divided-by-its-largest",
        "reconstruction-changed",
        (RETURN, RETURN.replace("data_recon", "data_recon / data_recon.max()")),
        checks=1,
    ),
    _forward(
        "reconstruction-rounded", "reconstruction-changed", (RETURN, RETURN.replace("data_recon", "data_recon.round()"))
    ),
    _forward(
        "heads-swapped-in-the-results-and-mean-decoded",
        "heads-swapped mean-instead-of-sample",
        (RETURN, "        return data_recon, logvariance_params, mean_params\n"),
        (DECODE, DECODE.replace("latents", "mean_params")),
    ),
    _forward(
        "class-passed-through-a-layer",
        "encoder-class-changed",
        (ENCODE, ENCODE.replace("condition)", "torch.softmax(condition, -1))")),
        may_lose=(),
    ),
    _forward(
        "input-rounded",
        "encoder-pixels-changed",
        (ENCODE, ENCODE.replace("data_input", "data_input.round()")),
        may_lose=(),
    ),
    _forward("image-given-to-decoder", "decoding-other", (DECODE, "        data_recon = data_input\n")),
    _forward("hidden-given-to-decoder", "decoder-row-length", (DECODE, DECODE.replace("latents", "hidden"))),
    _forward("image-given-to-head", "row-length", ("self.mean_layer(hidden)", "self.mean_layer(data_input)")),
    _forward("joined-along-rows", "joined-along", (ENCODE, ENCODE.replace("dim=-1", "dim=0"))),
    _forward(
        "joined-by-adding", "sizes-do-not-fit", (ENCODE, "        hidden = self.encoder(data_input + condition)\n")
    ),
    _forward(
        "forward-without-condition",
        "wrong-parameters",
        ("def forward(self, data_input, condition):", "def forward(self, x):"),
    ),
    _forward("forward-without-self", "self-missing", ("(self, data_input, condition)", "(data_input, condition)")),
    _forward("forward-at-the-left-margin", "method-outside-class", ("    def forward(self,", "def forward(self,")),
    _forward("joined-along-the-batch", "joined-along", (ENCODE, ENCODE.replace(", dim=-1", ""))),
    _forward("image-shape-taken-apart", "unpacking", (ENCODE, "        n, c, h, w = data_input.shape\n" + ENCODE)),
    _forward(
        "joined-and-dropped",
        "result-unused encoder-row-length",
        (ENCODE, "        torch.cat((data_input, condition), dim=-1)\n        hidden = self.encoder(data_input)\n"),
    ),
    _forward("forward-misspelled", "forward-missing", ("def forward(self", "def foward(self")),
    _forward(
        "sample-not-found", "attribute-undefined", (SAMPLES, SAMPLES.replace("sample_latent", "self.sample_latent"))
    ),
    Wrong(
        "mean-activated-in-forward",
        ((MEANS, MEANS.replace("= ", "= torch.relu(").replace("\n", ")\n")),),
        may_lose=frozenset({"encoder", "forward"}),
        misconception="mean-head-activated",
    ),
    Wrong(
        "hidden-activated-again-in-forward",
        ((MEANS, "        hidden = torch.tanh(hidden)\n" + MEANS),),
        may_lose=frozenset({"encoder", "forward"}),
        misconception="encoding-other",
    ),
)

# ---------------------------------------------------------------- the module as a whole


RENAMED = "        num_categories, latent_dimensionality = classes, latent\n"
_CALLS_METHOD = correct.FORWARD.replace("sample_latent(", "self.sample_latent(")

WHOLE = (
    Wrong(
        "units-alike",
        (
            (
                DECODER,
                DECODER + "        for layer in self.encoder:\n            if isinstance(layer, nn.Linear):\n"
                "                nn.init.constant_(layer.weight, 0.01)\n",
            ),
        ),
        loses=frozenset({"training"}),
        misconception="units-alike",
        checks=1,
    ),
    Wrong(
        "merge-conflict",
        ((STD, "<<<<<<< HEAD\n" + STD + "=======\n    std = torch.exp(logvariances)\n>>>>>>> partner\n"),),
        loses=ALL,
        misconception="merge-conflict",
    ),
    Wrong(
        "imports-itself",
        (("import torch\n", "import torch\nfrom cs5814_vae import sample_latent, loss_function\n"),),
        loses=ALL,
        misconception="imports-itself",
    ),
    Wrong("null-byte", ((STD, STD.replace("\n", "  # \0\n")),), loses=ALL, misconception="null-byte"),
    Wrong("notebook-renamed", text='{"cells": [], "metadata": {}}\n', loses=ALL, misconception="another-format"),
    Wrong(
        "coding-against-the-mark",
        text=f"\ufeff# coding: latin-1\n{correct.module()}",
        loses=ALL,
        misconception="encoding",
    ),
    Wrong("blank", text=fill_in(CVAE), loses=FUNCTIONS | MODEL),
    Wrong(
        "only-sample-latent",
        text=correct.module(loss="\ndef loss_function(*args):\n    pass\n", model=""),
        loses=MODEL | {"loss_function"},
        misconception="definition-missing nothing-returned",
    ),
    Wrong("only-functions", text=correct.module(model=""), loses=MODEL, misconception="definition-missing"),
    Wrong(
        "only-the-class", text=correct.module(sample="", loss=""), loses=FUNCTIONS, misconception="definition-missing"
    ),
    Wrong(
        "sample-as-a-method",
        text=correct.module(
            sample="",
            model=correct.INIT
            + correct.ENCODER
            + correct.HEADS
            + correct.DECODER
            + "\n    def sample_latent(self, means, logvariances):\n"
            + "        return means + torch.randn_like(means) * torch.exp(logvariances / 2)\n"
            + _CALLS_METHOD,
        ),
        loses=frozenset({"sample_latent"}),
        misconception="definition-in-class",
    ),
    Wrong(
        "loss-as-a-method",
        text=correct.module(
            loss="",
            model=correct.MODEL
            + "\n    def loss_function(self, reconstructions, originals, means, logvariances):\n"
            + '        bce = F.binary_cross_entropy(reconstructions, originals, reduction="sum")\n'
            + "        return (bce + 0.5 * (means**2 + logvariances.exp() - 1 - logvariances).sum()) / len(means)\n",
        ),
        loses=frozenset({"loss_function"}),
        misconception="definition-in-class",
    ),
    Wrong(
        "class-misspelled",
        (("class ConditionalVariationalAutoencoder", "class ConditionalVAE"),),
        loses=MODEL,
        misconception="definition-missing",
    ),
    Wrong(
        "class-not-a-module", (("Autoencoder(nn.Module):", "Autoencoder:"),), loses=MODEL, misconception="not-a-module"
    ),
    Wrong(
        "super-init-forgotten", (("        super().__init__()\n", ""),), loses=MODEL, misconception="super-init-missing"
    ),
    Wrong(
        "init-misspelled",
        (("def __init__(self, input_dim", "def __int__(self, input_dim"),),
        loses=MODEL,
        misconception="wrong-parameters",
    ),
    Wrong(
        "init-without-self",
        (("__init__(self, input_dim,", "__init__(input_dim,"),),
        loses=MODEL,
        misconception="self-missing",
    ),
    Wrong(
        "hidden-size-doubled",
        (("        self.hidden_size = 64\n", "        self.hidden_size = 2 * 64\n"),),
        loses=frozenset({"encoder", "decoder"}),
        misconception="encoder-width decoder-width",
        checks=2,
    ),
    Wrong(
        "hidden-size-noted-wrong",
        (("        hidden = self.hidden_size\n", "        hidden, self.hidden_size = self.hidden_size, 128\n"),),
        loses=frozenset({"encoder"}),
        misconception="attribute-wrong",
        checks=1,
    ),
    Wrong(
        "constructor-arguments-renamed",
        (
            ("input_dim, num_categories=10, latent_dimensionality=15):", "input_dim, classes=10, latent=15):"),
            ("        super().__init__()\n", "        super().__init__()\n" + RENAMED),
        ),
        loses=frozenset({"encoder"}),
        may_lose=frozenset({"decoder"}),  # in the public checks, which build the model by these names alone
        misconception="wrong-parameters",
        checks=1,
    ),
    Wrong(
        "model-without-hash",
        (
            (
                "    def __init__(self, input",
                "    def __eq__(self, other):\n        return self is other\n\n    def __init__(self, input",
            ),
        ),
        loses=frozenset({"training"}),
        misconception="hash-lost",
        checks=1,
    ),
    Wrong(
        "train-with-other-parameters",
        (
            (
                "    def __init__(self, input",
                "    def train(self, loader, epochs):\n        return loader\n\n    def __init__(self, input",
            ),
        ),
        loses=frozenset({"training"}),
        misconception="method-replaced",
        checks=1,
    ),
    Wrong(
        "to-returns-nothing",
        (
            (
                "    def __init__(self, input",
                "    def to(self, device):\n        super().to(device)\n\n    def __init__(self, input",
            ),
        ),
        loses=frozenset({"training"}),
        misconception="method-replaced",
        checks=1,
    ),
    Wrong(
        "weights-start-at-zero",
        (
            (
                DECODER,
                DECODER + "        for parameter in self.parameters():\n            nn.init.zeros_(parameter)\n",
            ),
        ),
        loses=frozenset({"training"}),
        misconception="stuck-start",
    ),
    *(
        Wrong(
            f"weights-start-{name}",
            (
                (
                    DECODER,
                    DECODER + f"        for parameter in self{of}.parameters():\n"
                    f"            if parameter.dim() == 2:\n                nn.init.{start}\n",
                ),
            ),
            loses=frozenset({"training"}),
            misconception="start-too-large",
            checks=1,
        )
        for name, of, start in (
            ("standard-normal", "", "normal_(parameter)"),
            ("normal-with-deviation-0.5", "", "normal_(parameter, std=0.5)"),
            ("uniform-from-minus-1-to-1", "", "uniform_(parameter, -1, 1)"),
            ("nan", "", 'constant_(parameter, float("nan"))'),
            ("standard-normal-in-the-decoder", ".decoder", "normal_(parameter)"),
        )
    ),
    Wrong(
        "variance-as-std-called-by-keyword",
        (
            (STD, "    std = torch.exp(logvariances)\n"),
            (SAMPLES, "        latents = sample_latent(logvariances=logvariance_params, means=mean_params)\n"),
        ),
        loses=frozenset({"sample_latent"}),
        misconception="variance-as-std",
    ),
    # NaN once training makes a pixel dark enough.
    Wrong(
        "epsilon-subtracted",
        (
            (
                BCE,
                "    y = reconstructions\n    zeros = (1 - originals) * torch.log(1 - y - 1e-5)\n"
                "    reconstruction = -torch.sum(originals * torch.log(y - 1e-5) + zeros)\n",
            ),
        ),
        loses=frozenset({"loss_function"}),
        misconception="loss-not-finite",
    ),
    Wrong(
        "layer-without-its-size",
        ((ENCODER_INPUT, "nn.LazyLinear(hidden)"),),
        loses=frozenset({"encoder"}),
        misconception="lazy-layer",
    ),
    Wrong(
        "weights-of-double-precision",
        ((DECODER, DECODER + "        self.double()\n"),),
        loses=frozenset({"encoder"}),
        misconception="layers-of-another-type",
        checks=1,
    ),
    Wrong(
        "default-type-of-double-precision",
        (("import torch\n", "import torch\n\ntorch.set_default_dtype(torch.float64)\n"),),
        loses=frozenset({"encoder"}),
        misconception="layers-of-another-type",
        checks=1,
        says="`torch.set_default_dtype`",
    ),
    Wrong(
        "all-weights-in-plain-tensors",
        (
            _plain("self.w, self.b = weight.requires_grad_(), bias.requires_grad_()", "self.w, self.b"),
            *((each, each.replace("nn.Linear", "Plain")) for each in (ENCODER, MEAN_HEAD, LOGVARIANCE_HEAD, DECODER)),
        ),
        loses=frozenset({"encoder"}),
        misconception="not-trainable",
        checks=1,
    ),
    Wrong(
        "weights-from-a-file",
        (("import torch\n", 'import torch\n\nWEIGHTS = torch.load("weights.pt")\n'),),
        loses=ALL,
        misconception="nothing-outside",
    ),
    Wrong("line-indented-too-far", (("    std =", "      std ="),), loses=ALL, misconception="indentation"),
    Wrong("colon-forgotten", (("(means, logvariances):", "(means, logvariances)"),), loses=ALL, misconception="syntax"),
    Wrong(
        "magic-left",
        (("import torch\n", "%matplotlib inline\nimport torch\n"),),
        loses=ALL,
        misconception="notebook-command",
    ),
    Wrong(
        "import-of-a-helper",
        (("import torch\n", "import torch\nimport my_helpers\n"),),
        loses=ALL,
        misconception="import-missing",
    ),
    Wrong(
        "minus-sign-pasted",
        (("import torch\n", "import torch\n\nHALF = \u2212 0.5\n"),),
        loses=ALL,
        misconception="invalid-character",
    ),
    # Two mistakes at once.
    Wrong(
        "variance-as-std-and-kl-missing",
        ((STD, "    std = torch.exp(logvariances)\n"), (AVERAGE, "    return reconstruction / means.shape[0]\n")),
        loses=FUNCTIONS,
        misconception="variance-as-std kl-missing",
    ),
    Wrong(
        "both-hand-out-networks",
        (
            (ENCODER, _sequential("encoder", *_activated(RELU), HIDDEN, RELU)),
            (DECODER, _sequential("decoder", DECODER_INPUT, RELU, HIDDEN, RELU, PIXELS, SIGMOID)),
        ),
        loses=frozenset({"encoder", "decoder"}),
        misconception="encoder-depth decoder-depth",
    ),
)

WRONG: tuple[Wrong, ...] = (*SAMPLE, *LOSS, *ENCODERS, *DECODERS, *ALL_LAYERS, *FORWARDS, *WHOLE)
