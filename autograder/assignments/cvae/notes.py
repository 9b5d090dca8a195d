"""What a module can be right without, and should have, and which mistakes go together: none of it costs points."""

from autograder.assignments.cvae.checks import probes
from autograder.grading.notes import Note, Together

_MODEL = (
    "model = cs5814_vae.ConditionalVariationalAutoencoder(784)\n"
    "images, conditions = torch.zeros(2, 784), torch.eye(10)[:2]\n"
)
_MEET = "made on the CPU meets"
_DEVICE = (
    "On a GPU, your `{what}` would stop{{line}}: a tensor that it makes lies on the CPU, the ones that it gets do not. "
    "Make new tensors on the device of the arguments. No points are taken for this."
)
_UNUSED = "not in use:"
_SEED, _SEEDED = 58_141_922, "a seed is set"  # one that nobody sets
_NO_SLOPE = "the gradient is not finite where a reconstruction is"
_UNBOUNDED = "the loss is not finite where a reconstruction is 1"
NOTES = (
    Note(
        ("sample_latent",),
        "means, logvariances = torch.zeros(2, 15), torch.zeros(2, 15)\n"
        "with elsewhere(): cs5814_vae.sample_latent(means, logvariances)",
        _MEET,
        _DEVICE.format(what="sample_latent"),
    ),
    Note(
        ("encoder", "decoder", "sample_latent", "forward"),
        f"{_MODEL}means, logvariances = torch.zeros(2, 15), torch.zeros(2, 15)\n"
        "cs5814_vae.sample_latent = lambda means, logvariances: means\n"
        "with elsewhere(): model(images, conditions)",
        _MEET,
        _DEVICE.format(what="forward"),
    ),
    Note(
        ("loss_function",),
        "images, zeros = torch.full((2, 784), 0.5), torch.zeros(2, 15)\n"
        "with elsewhere(): cs5814_vae.loss_function(images, images, zeros, zeros)",
        _MEET,
        _DEVICE.format(what="loss_function"),
    ),
    Note(
        ("loss_function",),
        "images, zeros = torch.full((2, 784), 0.5), torch.zeros(2, 15)\n"
        f"torch.manual_seed({_SEED})\n"
        "cs5814_vae.loss_function(images, images, zeros, zeros)\n"
        f"if torch.initial_seed() != {_SEED}: raise ArithmeticError({_SEEDED!r})",
        _SEEDED,
        "Your `loss_function` sets the seed of torch's generator, so each draw after it has the same noise. In a "
        "training, that is every step but the first. Set seeds in the notebook. No points are taken for this.",
    ),
    Note(
        ("loss_function",),
        "images, zeros = torch.full((2, 784), 0.5).double(), torch.zeros(2, 15).double()\n"
        "cs5814_vae.loss_function(images, images, zeros, zeros)",
        "dtype|scalar type|Double",
        "Your `loss_function` stops for tensors of float64{line}: it makes tensors of float32. Give new tensors "
        "the type of the arguments. No points are taken for this.",
    ),
    Note(
        ("encoder", "decoder", "sample_latent", "forward"),
        f"{_MODEL}model.double()(images.double(), conditions.double())",
        "dtype|scalar type|Double",
        "After `model.double()`, your `forward` stops{line}: it makes tensors of float32. Give new tensors the type of "
        "the arguments. No points are taken for this.",
    ),
    Note(
        ("loss_function",),
        "means = torch.zeros(2, 15)\n"
        "loss = cs5814_vae.loss_function(torch.ones(2, 784), torch.eye(2).repeat(1, 392), means, means)\n"
        f"if not torch.isfinite(loss): raise ArithmeticError({_UNBOUNDED!r})",
        _UNBOUNDED,
        "Where a reconstruction is exactly 1, your `loss_function` is infinite or NaN, because the logarithm of 1 - 1 "
        "is not finite. A margin of 1e-8 does not help there: float32 has about 7 digits, so it rounds 1 - 1e-8 and "
        "1 + 1e-8 to 1. Print your loss for a reconstruction of exactly 1. No points are taken for this.",
    ),
    Note(
        ("loss_function",),
        "images, means, ends = torch.eye(2).repeat(1, 392), torch.zeros(2, 15), []\n"
        "for end in (0, 1):\n"
        "    reconstructions = torch.full((2, 784), float(end), requires_grad=True)\n"
        "    loss = cs5814_vae.loss_function(reconstructions, images, means, means)\n"
        "    loss.backward()\n"
        "    if torch.isfinite(loss) and not torch.isfinite(reconstructions.grad).all(): ends.append(str(end))\n"
        f"if ends: raise ArithmeticError({_NO_SLOPE!r} + ' ' + ' or '.join(ends))",
        _NO_SLOPE,
        "Where a reconstruction is exactly {said}, your `loss_function` is finite, but its gradient is NaN or "
        "infinite. One such pixel is enough: after the next step, the weights of your model are NaN, and no training "
        "brings them back. On MNIST, some pixels get there after many epochs. A bound after the logarithm comes too "
        "late, because its slope at 0 is infinite. Bound what you take the logarithm of, or use PyTorch's own binary "
        "cross-entropy. No points are taken for this.",
    ),
    Note(
        ("encoder", "decoder", "forward"),
        f"{_MODEL}sum(each.sum() for each in model(images, conditions)).backward()\n"
        "unused = [name for name, each in model.named_parameters() if each.requires_grad and each.grad is None]\n"
        f"if unused: raise ArithmeticError(f'{_UNUSED} {{\", \".join(unused[:4])}}')",
        _UNUSED,
        "Your `forward` never uses some parameters of your model: {said}. If they are left over from an earlier "
        "version, delete them. No points are taken for this.",
    ),
)
TOGETHER = (
    Together(
        *probes.VARIANCES_TOGETHER,
        "Your `{first}` and your `{second}` fit each other: for what your model returns, your loss is right. But the "
        "assignment passes means and log-variances from one to the other, so change both.",
    ),
    Together(
        *probes.DRAWS_TOGETHER,
        "Your `{first}` and your `{second}` fit each other: together, they give a right draw. But the assignment "
        "passes means and log-variances from one to the other, so change both.",
    ),
    Together(
        *probes.LOGITS_TOGETHER,
        "Your `{first}` and your `{second}` fit each other: for what your decoder gives, your loss is right. But the "
        "assignment passes probabilities from one to the other, so change both.",
    ),
)
