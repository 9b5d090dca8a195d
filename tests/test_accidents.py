"""No accident with shapes, types or widths makes the grader fail, wherever in a right module it is.

A student's slip can give any tensor anywhere, and what follows may hide it from the checks of one part. Here a right
module passes what it computes through functions that are the identity, until an example puts some operations into them.
"""

from collections.abc import Iterator, Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.grading.grade import UNJUDGED, grade_source
from autograder.sandbox.client import Sandbox

FEW, MANY = 12, 400


def listed(text: str) -> list[str]:
    """What stands in the text, one in a line or several with semicolons between them."""
    return [each.strip() for each in text.strip().replace("\n", ";").split(";")]


PLACES = """
    images classes encoder_in encoder_mid encoder_out hidden mean_in mean_out mean logvariance_in logvariance_out
    logvariance sample_means sample_logvariances sample latents decoder_in decoder_mid decoder_out reconstruction
    loss_reconstructions loss_originals loss_means loss_logvariances cross_entropy divergence loss
"""
SHAPES = """
    x.unsqueeze(-1); x.unsqueeze(1); x.unsqueeze(0); x.squeeze(); x.squeeze(-1); x.flatten(); x.flatten(1); x.mT
    x.mean(0); x.mean(0, keepdim=True); x.mean(-1); x.mean(-1, keepdim=True); x.sum(); x[0]; x[:1]; x[:, :1]; x[..., :7]
    x[1:]; x[:, 1:]; x[:0]; x[:, :0]; x.repeat(1, 2); x.repeat(2, 1); torch.cat((x, x), 1); torch.cat((x, x), 0)
    torch.cat((torch.ones(len(x), 3), x), 1); x.expand(3, *x.shape); x.reshape(-1, 1); x.reshape(len(x), 5, -1)
    x.reshape(len(x), -1); x.reshape(-1, 1, 28, 28); torch.stack((x, x), -1); x @ x.T; torch.empty(0); torch.tensor(1.0)
    torch.randn(5, 5); x.unfold(-1, 3, 1); x.nonzero(); x[x > 0]; x.max(-1).values; x.argmax(-1); x.swapaxes(0, -1)
"""
KINDS = """
    x.double(); x.half(); x.bfloat16(); x.long(); x > 0; torch.complex(x, x); x.to_sparse(); x.to('meta'); x.detach()
    x.to(torch.float8_e4m3fn); x.to(torch.float8_e5m2fnuz); x.to(torch.uint64); x.shape; x.grad
    torch.quantize_per_tensor(x, 0.1, 0, torch.qint8); nn.Parameter(x); x.tolist(); x.item(); x.chunk(2, -1)
    x.detach().numpy(); (x, x); (x,); [x, x, x]; {'x': x}; None; str(x); len(x)
    torch.nested.nested_tensor([x[0], x[1][:3]]); x.rename('a', 'b'); x.max(-1); x.unbind(0)
"""
NUMBERS = """
    x * float('nan'); x / 0; x * 0; x * 1e30; x * 1e-30; x[torch.randperm(len(x))]; x.sort(0).values; x.roll(1, 0)
    x.flip(-1); torch.sin(x); x.abs(); x.clamp(-1, 1); F.normalize(x, dim=-1); F.layer_norm(x, x.shape[-1:]); x.log()
    F.dropout(x, 0.5); F.relu(x); torch.sigmoid(x); F.softmax(x, 0); x + torch.randn_like(x); x.zero_(); x.fill_(1.0)
    x.mul_(2); x.cumsum(-1); x.pow(-1); torch.bernoulli(torch.sigmoid(x)); x.masked_fill(x > 0, -torch.inf); print(x)
"""
# At which calls an answer has another shape.
BY_TURNS = listed("next(TURN) % 2; not next(TURN) % 7; BUILT % 2; len(x) > 999; x.max() > 50; torch.is_grad_enabled()")

OPERATIONS = [each for text in (SHAPES, KINDS, NUMBERS) for each in listed(text)]
HIDDEN = [("mean_out", "mean"), ("logvariance_out", "logvariance"), ("encoder_out", "hidden"), ("sample", "latents")]
WIDTHS = ["1", "2", "7", "28", "num_categories", "input_dim", "2 * latent_dimensionality", "H + num_categories"]
WIDTHS += ["0", "L + BUILT"]
MODULE = """
import itertools
import torch
import torch.nn as nn
import torch.nn.functional as F

TURN, BUILT = itertools.count(), 0


class Passed(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def sample_latent(means, logvariances):
    means, logvariances = sample_means(means), sample_logvariances(logvariances)
    return sample(means + torch.randn_like(means) * torch.exp(logvariances / 2))


def loss_function(reconstructions, originals, means, logvariances):
    reconstructions, originals = loss_reconstructions(reconstructions), loss_originals(originals)
    means, logvariances = loss_means(means), loss_logvariances(logvariances)
    bce = cross_entropy(F.binary_cross_entropy(reconstructions, originals, reduction="sum"))
    kl = divergence(0.5 * (means**2 + logvariances.exp() - 1 - logvariances).sum())
    return loss((bce + kl) / len(means))


class ConditionalVariationalAutoencoder(nn.Module):
    def __init__(self, input_dim, num_categories=10, latent_dimensionality=15):
        super().__init__()
        global BUILT
        BUILT += 1
        self.input_dim, self.num_categories = input_dim, num_categories
        self.latent_dimensionality, self.hidden_size = latent_dimensionality, 64
        H, K, L = self.hidden_size, num_categories, latent_dimensionality
        A, layer = {activation}, nn.Linear
        self.encoder = nn.Sequential(
            layer({encoder}, H), A, layer(H, H), Passed(encoder_mid), A, layer(H, H), A, Passed(encoder_out)
        )
        self.mean_layer = nn.Sequential(Passed(mean_in), layer({heads}, {mean}), Passed(mean_out))
        self.logvariance_layer = nn.Sequential(
            Passed(logvariance_in), layer({heads}, {logvariance}), Passed(logvariance_out)
        )
        self.{named} = nn.Sequential(
            layer({decoder}, H), A, layer(H, H), Passed(decoder_mid), A, layer(H, H), A, layer(H, {pixels}),
            nn.Sigmoid(), Passed(decoder_out),
        )

    def forward(self, data_input, condition):
        data_input, condition = images(data_input), classes(condition)
        h = hidden(self.encoder(encoder_in(torch.cat([data_input, condition], dim=-1))))
        m, v = mean(self.mean_layer(h)), logvariance(self.logvariance_layer(h))
        z = latents(sample_latent(m, v))
        recon = reconstruction(self.{named}(decoder_in({decoded})))
        return {returned}
"""
USUAL = {
    "activation": "nn.ReLU()",
    "encoder": "input_dim + num_categories",
    "heads": "H",
    "mean": "L",
    "logvariance": "L",
    "decoder": "L + K",
    "pixels": "input_dim",
    "named": "decoder",
    "decoded": "torch.cat([z, condition], dim=-1)",
    "returned": "recon, m, v",
}
UNUSUAL = dict.fromkeys(("encoder", "heads", "mean", "logvariance", "decoder", "pixels"), WIDTHS) | {
    "named": ["dec"],
    "activation": ["Passed(torch.sin)", "nn.GELU()", "nn.Softplus()", "nn.Dropout()"],
    "decoded": ["z", "condition", "torch.cat([condition, z], dim=-1)", "h", "torch.cat([m, condition], dim=-1)"],
    "returned": [
        *("recon, m", "recon, (m, v)", "recon", "[recon, m, v]", "{'x': recon, 'm': m, 'v': v}", "m, v, recon"),
        *("recon, v, m", "recon, m, v, z", "(recon, m, v) if self.training else m"),
        "(recon, m, v, z, h) if len(recon) > 30 else (recon, m, v, z)",
    ],
}


def module(passed: Mapping[str, list[str]], written: Mapping[str, str]) -> str:
    """The module with these operations at these places, and these expressions in place of the usual ones."""
    functions = (
        f"def {place}(x):\n" + "".join(f"    x = {each}\n" for each in passed.get(place, ())) + "    return x\n\n\n"
        for place in PLACES.split()
    )
    text = MODULE
    for name, usual in USUAL.items():
        text = text.replace(f"{{{name}}}", written.get(name, usual))
    return "".join(functions) + text


operations = st.sampled_from(OPERATIONS)
accidents = st.dictionaries(st.sampled_from(PLACES.split()), st.lists(operations, min_size=1, max_size=2), max_size=3)
# One more that is undone, or seems so, before the next part sees it.
undone = st.sampled_from(HIDDEN).flatmap(
    lambda pair: st.tuples(operations, st.sampled_from(["x.squeeze(-1)", "x.flatten(1)", "x.mean(0)", "x[0]"])).map(
        lambda both: {place: [each] for place, each in zip(pair, both, strict=True)}
    )
)
unusual: st.SearchStrategy[dict[str, str]] = st.just({}) | st.sampled_from(
    [{name: each} for name, every in UNUSUAL.items() for each in every]
)
modules = st.builds(module, st.builds(lambda one, other: one | other, accidents, undone | st.just({})), unusual)
# One answer of a right module, or of one with an unusual size, that is of another shape at some calls only.
changing = st.builds(
    lambda place, shape, when, written: module({place: [f"({shape}) if {when} else x"]}, written),
    st.sampled_from(PLACES.split()), st.sampled_from(listed(SHAPES)), st.sampled_from(BY_TURNS), unusual,
)  # fmt: skip


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


def test_without_an_accident_the_module_is_right(sandbox: Sandbox) -> None:
    assert grade_source(CVAE.module, module({}, {}).encode(), sandbox).score == CVAE.points


@pytest.mark.parametrize("examples", [FEW, pytest.param(MANY, marks=pytest.mark.exhaustive)])
@pytest.mark.parametrize("made", [modules, changing], ids=["always", "by turns"])
def test_no_accident_makes_the_grader_fail(made: st.SearchStrategy[str], examples: int, sandbox: Sandbox) -> None:
    healthy = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]

    @settings(max_examples=examples, derandomize=examples == FEW, suppress_health_check=healthy)
    @given(made)
    def every(source: str) -> None:
        report = grade_source(CVAE.module, source.encode(), sandbox, seed=5814)
        assert not report.grader_failed, report.error
        assert not any(each.startswith(UNJUDGED) for each in report.attention), report.attention

    every()
