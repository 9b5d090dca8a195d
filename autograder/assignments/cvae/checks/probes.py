"""What shows a failed check in the notebook, check by check: the likeliest first, on small inputs.

A network is filled with numbers that follow from the shapes of its parameters alone, so that what a right one prints is
known. Where the log-variance head gives -20, a draw is its mean.
"""

from autograder.grading.reproduce import Probe


def _build(*arguments: int) -> str:
    return f"model = cs5814_vae.ConditionalVariationalAutoencoder({', '.join(map(str, arguments or (784,)))})\n"


_SEED = "torch.manual_seed(0)\n"
# A model whose parameters are known. They are all filled, because a part may be a method, which has none to ask for.
_FILLED = f"{_build()}for p in model.parameters():\n    torch.manual_seed(p.numel())\n    p.data.uniform_(-0.3, 0.3)\n"
_IMAGE = "image, one_hot = torch.full((1, 784), 0.3), torch.eye(10)[:1]\n"

# --- sample_latent ----------------------------------------------------------------------------------------------------


def _many(means: str, logvariances: str, statistic: str, tolerance: float) -> Probe:
    return Probe(
        f"{_SEED}means = torch.tensor([{means}]).expand(10000, 3)\n"
        f"logvariances = torch.tensor([{logvariances}]).expand(10000, 3)\n"
        "latents = cs5814_vae.sample_latent(means, logvariances)\n"
        f"print(latents.detach().{statistic}(0))",
        tolerance,
    )


def _drawn(rows: int, columns: int, printed: str, tolerance: float = 0.0) -> Probe:
    return Probe(
        f"{_SEED}latents = cs5814_vae.sample_latent(torch.zeros({rows}, {columns}), torch.zeros({rows}, {columns}))\n"
        f"print({printed})",
        tolerance,
    )


def _drawn_twice(columns: int, printed: str) -> Probe:
    return Probe(
        f"{_SEED}means, logvariances = torch.zeros(1, {columns}), torch.zeros(1, {columns})\n"
        "first, second = (cs5814_vae.sample_latent(means, logvariances).detach() for _ in range(2))\n"
        f"print({printed})"
    )


def _related(what: str, correlations: str, rows: int, columns: int) -> Probe:
    """The largest correlation, of either sign: so many numbers that chance rounds to 0."""
    return Probe(
        f"{_SEED}zeros = torch.zeros({rows}, {columns})\nlatents = cs5814_vae.sample_latent(zeros, zeros).detach()\n"
        f"pairs = {correlations}.fill_diagonal_(0).flatten()\n"
        f'print("strongest correlation of two {what}:", round(float(pairs[pairs.abs().argmax()]), 1) + 0)'
    )


_TWO_CALLS = _drawn_twice(3, '"two calls are equal:", torch.equal(first, second)')
_SHAPE = _drawn(2, 3, "tuple(latents.shape)")
CENTER = (
    _SHAPE,
    _many("-3.0, 1.0, 3.0", "1.0, 1.0, 1.0", "mean", 0.05),
    _many("-3.0, 1.0, 3.0", "0.0, 0.5, 1.0", "std", 0.03),
    _many("-3.0, 1.0, 3.0", "-2.0, 0.0, 1.0", "mean", 0.05),
    Probe(
        f"{_SEED}means = torch.tensor([[-3.0], [0.0], [3.0]])\n"
        "latents = cs5814_vae.sample_latent(means, torch.full((3, 1), -20.0))\n"
        "print(latents.detach().flatten())",
        0.01,
    ),
    Probe(  # far from 0, where a bound shows
        f"{_SEED}means = torch.tensor([[-12.0], [12.0]])\n"
        "latents = cs5814_vae.sample_latent(means, torch.full((2, 1), -20.0))\n"
        "print(latents.detach().flatten())",
        0.01,
    ),
)
SPREAD = (
    _SHAPE,
    _many("1.0, 1.0, 1.0", "-2.0, 0.0, 2.0", "std", 0.02),
    _many("-3.0, 2.0, 3.0", "0.5, 1.0, 1.5", "std", 0.02),
    *(_many("0.0, 0.0, 0.0", f"{each}, {each}, {each}", "std", 0.02) for each in (5.0, -6.0, 13.0, -13.0)),
)
NORMAL = (
    _SHAPE,
    _drawn(100000, 1, '"numbers beyond 3.3 on each side:", bool(latents.amax() > 3.3), bool(latents.amin() < -3.3)'),
    _drawn(10000, 1, "torch.quantile(latents.detach(), torch.tensor([0.01, 0.25, 0.5, 0.75, 0.99]))", 0.04),
    _TWO_CALLS,
)
INDEPENDENT = (
    _SHAPE,
    _TWO_CALLS,
    _drawn(4, 3, '"two rows are equal:", torch.equal(latents[0], latents[1])'),
    _drawn(4, 3, '"two columns are equal:", torch.equal(latents[:, 0], latents[:, 1])'),
    _related("rows", "torch.corrcoef(latents)", 100, 10000),
    _related("columns", "torch.corrcoef(latents.T)", 10000, 100),
    _related("columns' absolute values", "torch.corrcoef(latents.T.abs())", 10000, 8),
    Probe(
        f"{_SEED}means, logvariances = torch.zeros(1, 3), torch.zeros(1, 3)\nwith torch.no_grad():\n"
        "    first, second = (cs5814_vae.sample_latent(means, logvariances) for _ in range(2))\n"
        'print("without gradients, two calls are equal:", torch.equal(first, second))'
    ),
    Probe(
        f"{_SEED}means, logvariances = torch.zeros(1, 8), torch.zeros(1, 8)\n"
        "latents = torch.cat([cs5814_vae.sample_latent(means, logvariances) for _ in range(30)])\n"
        'print("different draws in 30 calls:", len(latents.unique(dim=0)))'
    ),
    *(
        Probe(
            f"{_SEED}zeros = torch.zeros(12, 8)\n"
            "noise = torch.stack([cs5814_vae.sample_latent(zeros, zeros).detach() for _ in range(30)])\n"
            f'print("the {name} of each {place} hardly changes:", bool({values}.std() < {small}))'
        )
        for place, dims, small in (("call", "(1, 2)", 0.02), ("column", "1", 0.06), ("row", "2", 0.07))
        for name, values in (
            ("average", f"noise.mean({dims})"),
            ("standard deviation", f"noise.std({dims})"),
            ("average square", f"(noise * noise).mean({dims})"),
            ("average size", f"noise.abs().mean({dims})"),
        )
    ),
    _drawn_twice(1000, '"two calls are alike:", float(torch.corrcoef(torch.cat((first, second)))[0, 1]) > 0.5'),
    _drawn_twice(100000, '"numbers repeat:", len(torch.cat((first, second)).unique()) < 196000'),
)
SAMPLE_GRADIENTS = (
    _SHAPE,
    *(
        Probe(
            f"{_SEED}means, logvariances = (torch.{value}({size}, requires_grad=True) for _ in range(2))\n"
            "cs5814_vae.sample_latent(means, logvariances).sum().backward()\n"
            "print(means.grad, logvariances.grad)"
        )
        for value, size in (("zeros", "1, 3"), ("ones", "2, 2"))
    ),
)
SAMPLE_ARGUMENTS = (
    _SHAPE,
    _drawn(2, 3, "latents.dtype"),
    _drawn(1, 3, "tuple(latents.shape)"),
    *(
        Probe(
            f"{_SEED}means, logvariances = torch.ones(2, 3), torch.ones(2, 3)\n"
            f"cs5814_vae.sample_latent(means, logvariances)\nprint({argument})"
        )
        for argument in ("means", "logvariances")
    ),
    _TWO_CALLS,
)

# --- the encoder and the decoder --------------------------------------------------------------------------------------


_WIDTHS = {"encoder": 794, "decoder": 25}  # of their inputs


def _listed(part: str, printed: str) -> Probe:
    return Probe(f"{_build()}print([{printed} for p in model.{part}.parameters()])")


def _structure(part: str) -> tuple[Probe, ...]:
    """The sizes of a part's matrices and biases, and whether they are trained."""
    return (
        *(
            Probe(f"{_build()}print([p.shape[0] for p in model.{part}.parameters() if p.dim() == {dim}])")
            for dim in (2, 1)
        ),
        Probe(
            f'{_build()}print("all are trained:", all(p.requires_grad for p in model.{part}.parameters()))',
        ),
        Probe(
            f"{_build()}model.{part}(torch.ones(2, {_WIDTHS[part]})).sum().backward()\n"
            f'print("parameters without a gradient:", sum(p.grad is None for p in model.{part}.parameters()))'
        ),
        Probe(f'{_build()}print("parameters that PyTorch finds:", len(list(model.parameters())))'),
        Probe(f'{_build()}print("the model is a module:", isinstance(model, torch.nn.Module))'),
        Probe(
            f"{_build().replace('model', 'first', 1)}{_build().replace('model', 'second', 1)}"
            "own, others = ({id(p) for p in each.parameters()} for each in (first, second))\n"
            'print("parameters that two models have in common:", len(own & others))'
        ),
    )


def _output(part: str, given: str, shown: str) -> Probe:
    return Probe(f"{_FILLED}print(model.{part}({given})[0, {shown}].detach())")


def _near_zero(part: str, shown: str, of_output: str = "") -> Probe:
    """What becomes of numbers just below 0, where a smooth activation differs most from ReLU."""
    return Probe(
        f"{_build()}for p in model.{part}.parameters():\n    torch.nn.init.constant_(p, -0.01)\n"
        f"print(model.{part}(torch.zeros(2, {_WIDTHS[part]}))[0, {shown}].detach(){of_output})"
    )


def _output_shape(part: str, width: int, *sizes: int, rows: int = 2) -> Probe:
    return Probe(f"{_build(*sizes)}print(tuple(model.{part}(torch.zeros({rows}, {width})).shape))")


def _depends_on_class(part: str, width: int) -> Probe:
    return Probe(
        f"{_build()}first, second = model.{part}(torch.cat((torch.zeros(2, {width}), torch.eye(10)[:2]), -1))\n"
        'print("equal for two classes:", torch.equal(first, second))'
    )


def _result(index: int) -> Probe:
    return Probe(f"{_FILLED}{_IMAGE}print(model(image, one_hot)[{index}][0, ::4].detach())")


_UNUSUAL = (20, 3, 7)
_ATTRIBUTES = Probe(
    f'{_build()}names = "encoder", "mean_layer", "logvariance_layer", "decoder"\n'
    'print("missing:", [name for name in names if getattr(model, name, None) is None])'
)


def _head(name: str, index: int) -> tuple[Probe, ...]:
    return (
        _ATTRIBUTES,
        _listed(name, "tuple(p.shape)"),
        _output(name, "torch.ones(2, 64)", "::4"),
        _output(name, "torch.full((2, 64), -1.0)", "::4"),  # where the input passes through a function
        Probe(
            f"{_build()}same = torch.equal(model.mean_layer.weight, model.logvariance_layer.weight)\n"
            'print("both heads have one weight:", same)'
        ),
        _result(index),
        Probe(f'{_build()}print("all are trained:", all(p.requires_grad for p in model.{name}.parameters()))'),
        _output_shape(name, 64, rows=1),
        Probe(f'{_build()}print("its output can be trained:", model.{name}(torch.ones(2, 64)).requires_grad)'),
    )


_ENCODED = _output("encoder", "torch.ones(2, 794)", "::6")
ENCODER_LAYERS = (*_structure("encoder"), _ENCODED, _result(1))
ENCODER_ACTIVATIONS = (
    _ENCODED,
    _output("encoder", "torch.full((2, 794), 20.0)", "::6"),  # where a cut-off shows
    _near_zero("encoder", "::6"),
    _result(1),
    *_structure("encoder"),
)
MEAN_HEAD = _head("mean_layer", 1)
LOGVARIANCE_HEAD = _head("logvariance_layer", 2)
ENCODER_SIZES = (
    _ATTRIBUTES,
    Probe(
        "sizes = {'num_categories': 3, 'latent_dimensionality': 7}\n"
        "model = cs5814_vae.ConditionalVariationalAutoencoder(20, **sizes)\n"
        'print("it takes the sizes by name:", isinstance(model, torch.nn.Module))'
    ),
    _output_shape("encoder", 794),
    _output_shape("encoder", 794, rows=1),
    *(
        Probe(f"{_build(*_UNUSUAL)}print(tuple(model.{head}(model.encoder(torch.zeros(2, 23))).shape))")
        for head in ("mean_layer", "logvariance_layer")
    ),
    Probe(
        f"{_build(*_UNUSUAL)}"
        "print(model.input_dim, model.num_categories, model.latent_dimensionality, model.hidden_size)"
    ),
    _depends_on_class("encoder", 784),
    _ENCODED,
    *_structure("encoder"),
)
_DECODED = (
    _output("decoder", "torch.ones(2, 25)", "::112"),
    Probe(f"{_FILLED}print(model.decoder(torch.full((2, 25), 5.0))[0, ::112].detach().round(decimals=4))"),
    _output("decoder", "torch.full((2, 25), 30.0)", "::112"),
    _output("decoder", "torch.full((2, 25), -1.0)", "::112"),  # where the input passes through a function
)
DECODER_LAYERS = (
    Probe(
        f"{_build()}named = dict(model.named_parameters(remove_duplicate=False)).items()\n"
        'own, others = ({id(p) for name, p in named if name.startswith(part)} for part in ("encoder.", "decoder."))\n'
        'print("parameters that are in both networks:", len(own & others))'
    ),
    *_structure("decoder"),
    *_DECODED,
    Probe(
        f"{_build()}model.decoder(torch.ones(2, 25)).sum().backward()\n"
        'print("the encoder gets a gradient of it:", any(p.grad is not None for p in model.encoder.parameters()))'
    ),
)
DECODER_ACTIVATIONS = (*_DECODED, _near_zero("decoder", "::112", ".logit()"), *_structure("decoder"))
DECODER_OUTPUT = (
    Probe(
        f"{_FILLED}pixels = model.decoder(torch.full((2, 25), 20.0)).detach()\n"
        "print(pixels.min().round(decimals=2), pixels.max().round(decimals=2))"
    ),
    *_DECODED,
    *_structure("decoder"),
)
DECODER_SIZES = (
    Probe(f'{_build()}print("there is a decoder:", getattr(model, "decoder", None) is not None)'),
    _output_shape("decoder", 25),
    _output_shape("decoder", 10, *_UNUSUAL),
    _output_shape("decoder", 25, rows=1),
    _depends_on_class("decoder", 15),
    *_DECODED,
    *_structure("decoder"),
)

# --- forward ----------------------------------------------------------------------------------------------------------


def _drawing(logvariance: float) -> str:
    """A model whose draws have this log-variance."""
    return (
        f"{_FILLED}torch.nn.init.zeros_(model.logvariance_layer.weight)\n"
        f"torch.nn.init.constant_(model.logvariance_layer.bias, {logvariance})\n{_IMAGE}"
    )


_TWO_PASSES = "first, second = (model(image, one_hot)[0] for _ in range(2))\n"
FORWARD_RESULTS = (
    Probe(
        f"{_build(*_UNUSUAL)}one = model(torch.full((1, 20), 0.3), torch.eye(3)[:1])\n"
        "several = one if isinstance(one, (tuple, list)) else [one]\n"
        "print([tuple(each.shape) if torch.is_tensor(each) else type(each).__name__ for each in several])"
    ),
    Probe(f"{_build()}{_IMAGE}print([tuple(each.shape) for each in model(image, one_hot)])"),
    Probe(
        f"{_SEED}{_build()}images, one_hots = torch.rand(2, 784), torch.eye(10)[:2]\n"
        'print("equal for two images:", [torch.equal(*each) for each in model(images, one_hots)])'
    ),
    Probe(f"{_build()}{_IMAGE}model(image, one_hot)\nprint(image.sum(), one_hot.sum())"),
)
_IMAGES = "images, one_hots = torch.linspace(0, 1, 1568).reshape(2, 784), torch.eye(10)[:2]\n"  # that differ
FORWARD_ENCODING = (
    _result(1),
    _result(2),
    Probe(f"{_FILLED}{_IMAGES}print([each[:, 0].detach() for each in model(images, one_hots)[1:]])"),
    Probe(
        f"{_FILLED}torch.nn.init.zeros_(model.mean_layer.weight)\n{_IMAGE}"
        "print([each[0, ::4].detach() for each in model(image, one_hot)[1:]])"
    ),
    *(  # far from 0, where a bound shows
        Probe(
            f"{_FILLED}{_IMAGE}for head in (model.mean_layer, model.logvariance_layer):\n"
            f"    torch.nn.init.zeros_(head.weight)\n    torch.nn.init.constant_(head.bias, {far})\n"
            "print([each[0, ::4].detach() for each in model(image, one_hot)[1:]])"
        )
        for far in (-5.5, 4.8)
    ),
    *(
        Probe(
            f"{_SEED}{_build()}images, one_hots = torch.rand(256, 784), torch.eye(10)[torch.arange(256) % 10]\n"
            f"in_training = model(images, one_hots)[{index}]\nin_evaluation = model.eval()(images, one_hots)[{index}]\n"
            'print("equal in both modes:", torch.allclose(in_training, in_evaluation))'
        )
        for index in (1, 2)
    ),
)
FORWARD_DECODING = (
    Probe(f'{_drawing(0.0)}{_TWO_PASSES}print("two reconstructions are equal:", torch.equal(first, second))'),
    Probe(f"{_drawing(-20.0)}print(model(image, one_hot)[0][0, ::112].detach())"),
    Probe(
        f"{_drawing(0.0)}rows = model(image.repeat(2, 1), one_hot.repeat(2, 1))[0]\n"
        'print("two rows of one image have close reconstructions:", torch.allclose(*rows, atol=0.001))'
    ),
    Probe(
        f"{_drawing(-20.0)}{_TWO_PASSES}"
        'print("two reconstructions are close:", torch.allclose(first, second, atol=0.001))'
    ),
    Probe(f"{_drawing(-20.0)}{_IMAGES}print(model(images, one_hots)[0][:, 0].detach())"),
    Probe(f"{_drawing(2.0)}{_SEED}print(model(image, one_hot)[0][0, ::112].detach())"),
    Probe(
        f"{_drawing(-20.0)}model(image, one_hot)\n"
        "print(model(image, one_hot.roll(1, 1))[0][0, ::112].detach())  # another class"
    ),
    Probe(
        f"{_drawing(0.0)}model.eval()\n{_TWO_PASSES}"
        'print("two reconstructions are equal in evaluation mode:", torch.equal(first, second))'
    ),
    Probe(
        f"{_drawing(0.0)}with torch.no_grad():\n    {_TWO_PASSES}"
        'print("two reconstructions are equal without gradients:", torch.equal(first, second))'
    ),
    Probe(f"{_drawing(-20.0)}model.eval()\nwith torch.no_grad():\n    print(model(image, one_hot)[0][0, ::112])"),
    Probe(f"{_drawing(2.0)}model.eval()\n{_SEED}print(model(image, one_hot)[0][0, ::112].detach())"),
    Probe(
        f"{_SEED}{_drawing(-20.0)}images, one_hots = torch.rand(256, 784), torch.eye(10)[torch.arange(256) % 10]\n"
        "in_training = model(images, one_hots)[0]\nin_evaluation = model.eval()(images, one_hots)[0]\n"
        'print("about equal in both modes:", torch.allclose(in_training, in_evaluation, atol=0.01))'
    ),
    Probe(
        f"{_drawing(2.0)}given, own = [], cs5814_vae.sample_latent\n"
        "cs5814_vae.sample_latent = lambda *each, **more: given.extend([*each, *more.values()]) or own(*each, **more)\n"
        "model(image, one_hot)\ncs5814_vae.sample_latent = own\n"
        'print("sample_latent gets", *(each.detach() for each in given[1:]))'
    ),
)
# Of a draw that takes something else than log-variances, and a forward that passes it that.
DRAWS_TOGETHER = (SPREAD[1], FORWARD_DECODING[-1], FORWARD_DECODING[5])
FORWARD_GRADIENTS = (
    Probe(
        f"{_build()}{_IMAGE}model(image, one_hot)[0].sum().backward()\n"
        "print([name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()])"
    ),
    *(
        Probe(
            f"{_build()}{_IMAGE}model(image, one_hot)[{index}].sum().backward()\n"
            'print("a gradient reaches the encoder:", any(p.grad is not None for p in model.encoder.parameters()))'
        )
        for index in (1, 2)
    ),
    *(  # small and large, where a clipped one shows
        Probe(
            f"{model}{_IMAGES}({size} * model(images, one_hots)[{index}]).sum().backward()\n"
            "grads = [p.grad.flatten() for p in model.parameters() if p.grad is not None]\n"
            'print("length of the gradient:", float(torch.cat(grads).norm()))'
        )
        for model, index in ((_FILLED, 1), (_FILLED, 2), (_drawing(-20.0), 0), (f"{_drawing(2.0)}{_SEED}", 0))
        for size in (1, 1000)
    ),
)

# --- loss_function ----------------------------------------------------------------------------------------------------

_SIZES = "(1, 784)", "(1, 1, 28, 28)"
_LOSS = "loss = cs5814_vae.loss_function(reconstructions, originals, means, logvariances)\n"
_PRIOR = "means, logvariances = torch.zeros(1, 3), torch.zeros(1, 3)\n"
_TYPE, _DIMENSIONS = (
    Probe(
        "images, zeros = torch.full((3, 784), 0.5), torch.zeros(3, 2)\n"
        f"loss = cs5814_vae.loss_function(images, images, zeros, zeros)\nprint({printed})"
    )
    for printed in ("type(loss).__name__", "tuple(loss.shape)")
)
_DIGITS = Probe(
    "images, zeros = torch.full((1, 50), 0.3), torch.zeros(1, 3)\n"
    "values = {float(cs5814_vae.loss_function(images + 0.3 + k / 5000, images, zeros, zeros)) for k in range(50)}\n"
    'print("50 different reconstructions, different losses:", len(values))'
)
_TWO_LOSSES = Probe(  # with a divergence so large that even a small weight of it shows
    "images, means = torch.full((3, 784), 0.4), torch.full((3, 2), 9.0)\n"
    "first, second = (float(cs5814_vae.loss_function(images, images, means, means / 9)) for _ in range(2))\n"
    'print("two calls give the same loss:", abs(first - second) < 0.001)',
    restart=True,
)


def _loss(
    reconstructions: str, originals: str, parameters: str = _PRIOR, tolerance: float = 1e-3, digits: int = 4
) -> Probe:
    images = f"reconstructions = {reconstructions}\noriginals = {originals}\n"
    return Probe(f"{images}{parameters}{_LOSS}print(round(float(loss), {digits}))", tolerance)


def _finite(reconstructions: str, originals: str, parameters: str = _PRIOR) -> Probe:
    """Not what the loss is, since a logarithm may be cut off anywhere near 0."""
    images = f"reconstructions = {reconstructions}\noriginals = {originals}\n"
    return Probe(f'{images}{parameters}{_LOSS}print("the loss is finite:", abs(float(loss)) < float("inf"))')


def _gradients(size: str, images: int = 1) -> Probe:
    return Probe(
        f"reconstructions, originals = torch.full({size}, 0.2, requires_grad=True), torch.full({size}, 0.9)\n"
        f"means, logvariances = (torch.ones({images}, 2, requires_grad=True) for _ in range(2))\n"
        "cs5814_vae.loss_function(reconstructions, originals, means, logvariances).backward()\n"
        "given = reconstructions, means, logvariances\n"
        "print([None if each.grad is None else each.grad.flatten()[:2] for each in given])"
    )


RECONSTRUCTION = (
    _TYPE,
    _TWO_LOSSES,
    _loss("torch.tensor([[0.02, 0.4, 0.92]])", "torch.tensor([[0.1, 0.0, 0.9]])"),
    *(_loss(f"torch.full({size}, 0.2)", f"torch.full({size}, 0.3)") for size in _SIZES),
    *(
        _loss(f"torch.full({size}, {reconstruction})", f"torch.full({size}, {original})", tolerance=0.02)
        for reconstruction, original in ((0.0005, 1.0), (0.9995, 0.0))
        for size in ("(1, 2)", *_SIZES)
    ),
    *(  # where originals or reconstructions that are changed a little show most
        _loss(f"torch.full((1, 784), {reconstruction})", f"torch.full((1, 784), {original})", tolerance=0.02)
        for reconstruction, original in ((0.01, 0.0), (0.99, 1.0))
    ),
    _DIGITS,
    _DIMENSIONS,
)
_DIVERGENCES = tuple(
    Probe(
        f"images, zeros = torch.full({size}, 0.3), torch.zeros(1, 3)\n"
        "means, logvariances = torch.tensor([[1.0, -2.0, 0.5]]), torch.tensor([[0.5, -1.0, 1.0]])\n"
        "one, other = (means, logvariances), (zeros, zeros)\n"
        "values = [cs5814_vae.loss_function(images, images, *each) for each in (one, other)]\n"
        "print(round(float(values[0] - values[1]), 4))",
    )
    for size in ("(1, 2)", *_SIZES)
)
DIVERGENCE = (
    _TYPE,
    _TWO_LOSSES,
    *_DIVERGENCES,
    *(
        Probe(
            "images, zeros = torch.full((1, 2), 0.3), torch.zeros(1, 3)\n"
            f"values = [cs5814_vae.loss_function(images, images, zeros, zeros + each) for each in ({each}, 0.0)]\n"
            "print(round(float(values[0] - values[1]), 1))"
        )
        for each in (-12.0, 12.0)
    ),
    Probe(
        "images, zeros = torch.full((1, 2), 0.3), torch.zeros(1, 3)\n"
        "values = [cs5814_vae.loss_function(images, images, zeros + each, zeros) for each in (-12.0, 0.0, 12.0)]\n"
        "print([round(float(each - values[1]), 4) for each in values])"
    ),
    Probe(  # more latent dimensions than are written into a loss
        "images, zeros = torch.full((1, 2), 0.3), torch.zeros(1, 100)\n"
        "values = [cs5814_vae.loss_function(images, images, each, zeros) for each in (zeros + 1, zeros)]\n"
        "print(round(float(values[0] - values[1]), 2))"
    ),
    _DIGITS,
    _DIMENSIONS,
)
# What the decoder gives, what the loss makes of reconstructions, and of what the decoder gives.
LOGITS_TOGETHER = (
    _DECODED[0],
    RECONSTRUCTION[2],
    Probe(
        f"{_FILLED}{_IMAGE}{_PRIOR}pixels = model.decoder(torch.ones(1, 25)).detach()\n"
        "print(round(float(cs5814_vae.loss_function(pixels, image, means, logvariances)), 2))"
    ),
)
# What forward returns as log-variances, what the loss makes of log-variances, and of what forward returns.
VARIANCES_TOGETHER = (
    _result(2),
    _DIVERGENCES[0],
    Probe(
        f"{_FILLED}{_IMAGE}means, logvariances = (each.detach() for each in model(image, one_hot)[1:])\n"
        "pixel = torch.full((1, 1), 0.3)\n"
        "print(round(float(cs5814_vae.loss_function(pixel, pixel, means, logvariances)), 4))"
    ),
)
MINIBATCH = (
    _TYPE,
    _TWO_LOSSES,
    *(
        Probe(
            f"images, latents = torch.full({size}, 0.7), torch.ones(3, {latent})\n"
            "arguments = images - 0.3, images, latents, latents\n"
            "three = cs5814_vae.loss_function(*arguments)\n"
            "one = cs5814_vae.loss_function(*(each[:1] for each in arguments))\n"
            'print("three images:", round(float(three), 4))\n'
            'print("one of them:", round(float(one), 4))'
        )
        for size, latent in (("(3, 2)", 2), ("(3, 784)", 2), ("(3, 1, 28, 28)", 2), ("(3, 784)", 100))
    ),
    Probe(
        "images, means = torch.linspace(0.1, 0.9, 6).reshape(3, 2), torch.arange(6.0).reshape(3, 2)\n"
        "print(round(float(cs5814_vae.loss_function(images, 1 - images, means, means / 5)), 4))"
    ),
    *(  # where half precision shows
        Probe(
            f"images, means = torch.full((3, {pixels}), 0.3), torch.full((3, 2), {mean})\n"
            "print(round(float(cs5814_vae.loss_function(images, images, means, means / 3)), 4))",
            tolerance=1e-5,
        )
        for pixels, mean in ((784, 1.1), (2, 1.1), (2, 2.3))
    ),
    _DIMENSIONS,
)
IMAGE_SHAPE = (
    _TYPE,
    _TWO_LOSSES,
    _loss(
        "torch.sigmoid(torch.tensor([[[[7.0, 3.0], [2.0, 6.0]]]]))",
        "torch.sigmoid(torch.tensor([[[[5.0, 2.0], [4.0, 2.0]]]]))",
        "means, logvariances = torch.ones(1, 15), torch.zeros(1, 15)\n",
        tolerance=1e-5,
        digits=6,
    ),
    *(_loss(f"torch.full({size}, 0.2)", f"torch.full({size}, 0.3)") for size in ("(1, 1, 5, 4)", "(1, 784)")),
    *(
        _loss(f"torch.full({size}, 0.2)", f"torch.full({size}, 0.3)", _PRIOR.replace("(1, 3)", "(3, 3)"))
        for size in ("(3, 20)", "(3, 1, 5, 4)")
    ),
    *(  # a single latent dimension, a single pixel, and both
        _loss(
            f"torch.full((3, {pixels}), 0.2)",
            f"torch.full((3, {pixels}), 0.3)",
            f"means, logvariances = torch.ones(3, {latent}), torch.zeros(3, {latent})\n",
        )
        for pixels, latent in ((2, 1), (1, 3), (1, 1))
    ),
    _DIMENSIONS,
)
LOSS_GRADIENTS = (
    _TYPE,
    *(_gradients(size) for size in ("(1, 2)", *_SIZES)),
    _gradients("(3, 2)", 3),
    Probe(
        "images, means = torch.full((1, 2), 0.5), torch.ones(1, 3)\n"
        "cs5814_vae.loss_function(images, images, means, torch.ones(1, 3))\nprint(means)"
    ),
    _DIMENSIONS,
)
FINITE = (
    _TYPE,
    _finite("torch.tensor([[0.0, 0.0]])", "torch.tensor([[0.0, 1.0]])"),
    _finite("torch.tensor([[1.0, 1.0]])", "torch.tensor([[0.0, 1.0]])"),
    _finite(
        "torch.full((1, 2), 0.5)",
        "torch.ones(1, 2)",
        "means, logvariances = torch.zeros(1, 2), torch.tensor([[-30.0, 20.0]])\n",
    ),
    *(
        Probe(
            f"reconstructions = torch.tensor([[{value}, 0.5]], requires_grad=True)\n"
            f"originals = torch.tensor([[{original}, 0.5]])\n{_PRIOR}"
            "cs5814_vae.loss_function(reconstructions, originals, means, logvariances).backward()\n"
            "grad = reconstructions.grad\n"
            'print("the gradient is finite:", None if grad is None else bool(torch.isfinite(grad).all()))'
        )
        for value, original in (("1e-38", 0.0), ("1e-38", 1.0), ("1 - 6e-8", 0.0), ("1 - 6e-8", 1.0))
    ),
    *(
        _finite("torch.tensor([[0.0, 1.0]]).repeat(1, 392)", f"torch.full((1, 784), {original})")
        for original in (0.0, 1.0)
    ),
    *(
        Probe(
            f"white, zeros = torch.ones({size}), torch.zeros(1, 3)\n"
            "middle, low, zero = (\n"
            "    cs5814_vae.loss_function(white * each, white, zeros, zeros) for each in (0.5, 1e-3, 0)\n"
            ")\n"
            'print("0 costs more than 0.001, and not 200 times as much:", '
            "bool(0.95 < (zero - middle) / (low - middle) < 200))"
        )
        for size in _SIZES
    ),
    _gradients("(1, 2)"),
    _DIMENSIONS,
)
LOOPS = (
    _TYPE,
    *(
        Probe(
            "import sys\n"
            "def steps(n):\n"
            "    seen = []\n"
            "    sys.setprofile(lambda *event: seen.append(event[1]))\n"
            f"    cs5814_vae.loss_function({images}, {images}, {parameters}, {parameters})\n"
            "    sys.setprofile(None)\n"
            "    return len(seen)\n"
            f'print("64 {what} take more steps than 4:", steps(64) > steps(4))'
        )
        for what, images, parameters in (
            ("images", "torch.full((n, 6), 0.5)", "torch.ones(n, 3)"),
            ("pixels", "torch.full((4, n), 0.5)", "torch.ones(4, 3)"),
            ("latent dimensions", "torch.full((4, 6), 0.5)", "torch.ones(4, n)"),
            ("images", "torch.full((n, 784), 0.5)", "torch.ones(n, 3)"),
        )
    ),
    _DIMENSIONS,
)

# --- training ---------------------------------------------------------------------------------------------------------


def _pass(*sizes: int) -> str:
    return (
        f"{_SEED}{_build(*sizes)}"
        "images, one_hots = (torch.rand(10, 784) > 0.5).float(), torch.eye(10)\n"
        "reconstructions, means, logvariances = model(images, one_hots)\n"
    )


_STUCK = "print([name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()])"
START = (
    Probe(f'{_pass()}print("the largest log-variance is below 30:", bool(logvariances.max() < 30))'),
    Probe(
        f"{_pass()}extreme = (reconstructions == 0) | (reconstructions == 1)\n"
        'print("most pixels are neither 0 nor 1:", bool(extreme.float().mean() < 0.5))'
    ),
    Probe(f"{_pass()}(reconstructions.sum() + means.sum() + logvariances.sum()).backward()\n{_STUCK}"),
    Probe(
        f"{_pass()}(reconstructions[:, ::3].sum() + means[:, ::2].sum() + logvariances[:, ::3].sum()).backward()\n"
        "weights = {name: p.grad for name, p in model.named_parameters() if p.dim() == 2 and p.grad is not None}\n"
        "print([name for name, grad in weights.items() if torch.equal(grad, grad.roll(1, 0))])"
    ),
)
LEARNS = (
    Probe(
        f"{_pass(784, 10, 2)}"
        f"cs5814_vae.loss_function(reconstructions, images, means, logvariances).backward()\n{_STUCK}"
    ),
    _output_shape("decoder", 12, 784, 10, 2),
    Probe(  # by steps like Adam's, but without torch.optim, which takes seconds to import
        f"{_SEED}{_build(784, 10, 2)}images, one_hots = (torch.rand(10, 784) > 0.5).float(), torch.eye(10)\n"
        "for _ in range(60):\n"
        "    reconstructions, means, logvariances = model(images, one_hots)\n"
        "    cs5814_vae.loss_function(reconstructions, images, means, logvariances).backward()\n"
        "    for p in (p for p in model.parameters() if p.grad is not None):\n"
        "        p.data -= 0.01 * p.grad.sign()\n"
        "        p.grad = None\n"
        'print("ten images are learned:", bool((reconstructions - images).abs().mean() < 0.25))'
    ),
    Probe(
        f'{_build(784, 10, 2)}model = model.to("cpu")\nmodel.train()\nmodel.eval()\n'
        'print("an optimizer gets parameters:", bool(list(model.parameters())))'
    ),
)
