"""Embedded digits: handwriting-like, drawn from a seed, so that grading needs no network, data file or license.

Each digit is a few strokes (control points in the unit square, x to the right, y down) in one of several ways of
writing it. A drawing jitters the points, bends them into a smooth curve, applies a random affine map, and inks
every pixel by its distance to the nearest piece of the curve.
"""

import struct
from pathlib import Path

import torch
from torch import Tensor

SIDE = 28
PIECES = 36  # line pieces a drawing is rendered from

Stroke = list[tuple[float, float]]

STYLES: list[list[list[Stroke]]] = [
    [  # 0
        [[(0.5, 0.1), (0.24, 0.22), (0.18, 0.52), (0.28, 0.82), (0.5, 0.9), (0.74, 0.8), (0.82, 0.5), (0.74, 0.2), (0.5, 0.1)]],
        [[(0.56, 0.1), (0.34, 0.2), (0.26, 0.5), (0.34, 0.82), (0.5, 0.9), (0.66, 0.8), (0.74, 0.5), (0.68, 0.2), (0.5, 0.12)]],
    ],
    [  # 1
        [[(0.5, 0.1), (0.5, 0.36), (0.5, 0.64), (0.5, 0.9)]],
        [[(0.36, 0.26), (0.46, 0.19), (0.54, 0.1)], [(0.54, 0.1), (0.54, 0.5), (0.54, 0.9)]],
        [[(0.62, 0.1), (0.55, 0.36), (0.47, 0.64), (0.4, 0.9)]],
    ],
    [  # 2
        [[(0.22, 0.3), (0.32, 0.14), (0.54, 0.1), (0.73, 0.2), (0.7, 0.42), (0.5, 0.62), (0.22, 0.88)], [(0.22, 0.88), (0.5, 0.87), (0.8, 0.88)]],
        [[(0.24, 0.26), (0.42, 0.1), (0.66, 0.15), (0.7, 0.36), (0.52, 0.62), (0.3, 0.84), (0.22, 0.78), (0.34, 0.72), (0.56, 0.86), (0.82, 0.84)]],
    ],
    [  # 3
        [[(0.24, 0.18), (0.46, 0.1), (0.7, 0.18), (0.68, 0.38), (0.44, 0.48)], [(0.44, 0.48), (0.7, 0.54), (0.77, 0.72), (0.6, 0.88), (0.36, 0.9), (0.22, 0.8)]],
        [[(0.26, 0.12), (0.5, 0.12), (0.74, 0.12)], [(0.74, 0.12), (0.58, 0.28), (0.46, 0.42)], [(0.46, 0.42), (0.72, 0.5), (0.76, 0.72), (0.56, 0.88), (0.24, 0.84)]],
    ],
    [  # 4
        [[(0.28, 0.12), (0.25, 0.34), (0.24, 0.54)], [(0.24, 0.54), (0.5, 0.53), (0.8, 0.52)], [(0.7, 0.1), (0.68, 0.5), (0.66, 0.9)]],
        [[(0.6, 0.1), (0.4, 0.36), (0.18, 0.62)], [(0.18, 0.62), (0.5, 0.62), (0.84, 0.62)], [(0.6, 0.1), (0.6, 0.5), (0.6, 0.9)]],
    ],
    [  # 5
        [[(0.76, 0.11), (0.52, 0.11), (0.3, 0.12)], [(0.3, 0.12), (0.28, 0.28), (0.26, 0.44)], [(0.26, 0.44), (0.5, 0.38), (0.74, 0.5), (0.76, 0.72), (0.56, 0.9), (0.24, 0.84)]],
        [[(0.78, 0.1), (0.56, 0.12), (0.36, 0.14)], [(0.36, 0.14), (0.31, 0.28), (0.3, 0.42)], [(0.3, 0.42), (0.56, 0.42), (0.7, 0.58), (0.64, 0.8), (0.44, 0.9), (0.22, 0.86)]],
    ],
    [  # 6
        [[(0.64, 0.1), (0.42, 0.26), (0.28, 0.5), (0.26, 0.74), (0.44, 0.9), (0.66, 0.84), (0.74, 0.66), (0.6, 0.52), (0.4, 0.56), (0.28, 0.7)]],
        [[(0.5, 0.1), (0.34, 0.34), (0.25, 0.64), (0.36, 0.86), (0.58, 0.88), (0.7, 0.72), (0.6, 0.56), (0.4, 0.58), (0.27, 0.74)]],
    ],
    [  # 7
        [[(0.2, 0.13), (0.5, 0.12), (0.8, 0.12)], [(0.8, 0.12), (0.62, 0.38), (0.5, 0.64), (0.42, 0.9)]],
        [[(0.2, 0.16), (0.5, 0.12), (0.78, 0.12)], [(0.78, 0.12), (0.6, 0.42), (0.46, 0.9)], [(0.34, 0.52), (0.52, 0.5), (0.72, 0.48)]],
    ],
    [  # 8
        [[(0.5, 0.48), (0.3, 0.36), (0.32, 0.16), (0.5, 0.1), (0.68, 0.16), (0.7, 0.36), (0.5, 0.48), (0.26, 0.64), (0.28, 0.84), (0.5, 0.9), (0.72, 0.84), (0.74, 0.64), (0.5, 0.48)]],
        [[(0.7, 0.2), (0.52, 0.1), (0.32, 0.2), (0.38, 0.4), (0.6, 0.56), (0.7, 0.76), (0.52, 0.9), (0.32, 0.8), (0.38, 0.6), (0.6, 0.4), (0.7, 0.2)]],
    ],
    [  # 9
        [[(0.72, 0.28), (0.56, 0.12), (0.34, 0.16), (0.27, 0.36), (0.42, 0.5), (0.62, 0.44), (0.72, 0.28)], [(0.72, 0.28), (0.72, 0.56), (0.68, 0.9)]],
        [[(0.7, 0.3), (0.6, 0.12), (0.38, 0.13), (0.28, 0.32), (0.4, 0.47), (0.6, 0.42), (0.7, 0.26), (0.69, 0.54), (0.6, 0.78), (0.38, 0.9)]],
    ],
]  # fmt: skip


def draw_digits(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Draw `count` digits, the classes in equal shares and shuffled.

    Returns:
        images: (count, 28, 28) float32 in [0, 1], white ink on black.
        labels: (count,) int64 in 0…9.
    """
    rng = torch.Generator().manual_seed(seed)
    labels = torch.arange(count)[torch.randperm(count, generator=rng)] % 10
    images = torch.empty(count, SIDE, SIDE)
    for digit, styles in enumerate(STYLES):
        rows = (labels == digit).nonzero().squeeze(-1)
        for style, chosen in zip(styles, rows.tensor_split(len(styles)), strict=True):
            images[chosen] = _draw(style, len(chosen), rng)
    return images, labels


def _draw(strokes: list[Stroke], count: int, rng: torch.Generator) -> Tensor:
    """(count, 28, 28) drawings of one way of writing a digit."""
    share = [PIECES // len(strokes) + (index < PIECES % len(strokes)) for index in range(len(strokes))]
    starts, ends = [], []
    anchors: dict[tuple[float, float], Tensor] = {}  # strokes that share a point stay joined when it is jittered
    for stroke, pieces in zip(strokes, share, strict=True):
        for point in stroke:
            if point not in anchors:
                anchors[point] = torch.tensor(point) + 0.018 * torch.randn(count, 2, generator=rng)
        curve = _catmull_rom(torch.stack([anchors[point] for point in stroke], 1), pieces)
        starts.append(curve[:, :-1])
        ends.append(curve[:, 1:])
    a, b = _affine(torch.cat(starts + ends, 1), rng).chunk(2, 1)  # (count, PIECES, 2) each, in pixels
    return _ink(a, b, 0.7 + 0.75 * torch.rand(count, 1, generator=rng))


def _catmull_rom(points: Tensor, pieces: int) -> Tensor:
    """(count, pieces + 1, 2) positions along the Catmull-Rom spline through (count, P, 2) points."""
    padded = torch.cat((points[:, :1], points, points[:, -1:]), 1)
    t = torch.linspace(0, points.shape[1] - 1, pieces + 1)
    segment = t.long().clamp(max=points.shape[1] - 2)
    u = (t - segment).unsqueeze(-1)
    p0, p1, p2, p3 = (padded[:, segment + offset] for offset in range(4))
    return 0.5 * (2 * p1 + (p2 - p0) * u + (2 * p0 - 5 * p1 + 4 * p2 - p3) * u**2 + (3 * p1 - p0 - 3 * p2 + p3) * u**3)


def _affine(points: Tensor, rng: torch.Generator) -> Tensor:
    """Map (count, P, 2) points of the unit square to pixels, each drawing by an affine map of its own."""
    count = len(points)

    def spread(width: float) -> Tensor:
        return width * (2 * torch.rand(count, generator=rng) - 1)

    angle, shear = spread(0.16), spread(0.25)
    width, height = 18 * (1 + spread(0.14)), 21 * (1 + spread(0.08))
    cos, sin = angle.cos(), angle.sin()
    matrix = torch.stack(
        (torch.stack((width * cos, height * (-sin - shear)), -1), torch.stack((width * sin, height * cos), -1)), -2
    )
    shift = torch.stack((spread(1.5), spread(1.2)), -1) + (SIDE - 1) / 2
    return (points - 0.5) @ matrix.transpose(1, 2) + shift.unsqueeze(1)


def _ink(a: Tensor, b: Tensor, radius: Tensor) -> Tensor:
    """Ink on each pixel by its distance to the nearest of the pieces a–b: (count, PIECES, 2) twice, (count, 1)."""
    axis = torch.arange(SIDE, dtype=torch.float32)
    pixels = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), -1).reshape(-1, 2)
    direction = b - a
    length2 = direction.square().sum(-1, keepdim=True).clamp(min=1e-8)
    nearest = torch.full((len(a), len(pixels)), torch.inf)
    for piece in range(a.shape[1]):  # one piece at a time keeps memory flat
        start, along, span = a[:, piece], direction[:, piece], length2[:, piece]
        projection = along @ pixels.T - (along * start).sum(-1, keepdim=True)
        t = (projection / span).clamp(0, 1)
        to_start = pixels.square().sum(-1) - 2 * start @ pixels.T + start.square().sum(-1, keepdim=True)
        nearest = torch.minimum(nearest, to_start - t * (2 * projection - t * span))
    return (radius + 0.65 - nearest.clamp(min=0).sqrt()).clamp(0, 1).reshape(-1, SIDE, SIDE)


def write_mnist(root: Path, train: int = 6000, test: int = 1000, seed: int = 5814) -> Path:
    """Write drawn digits below `root` in torchvision's MNIST layout, so that `datasets.MNIST(root)` reads them."""
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    for name, count, offset in (("train", train, 0), ("t10k", test, 1)):
        images, labels = draw_digits(count, seed + offset)
        pixels = (images * 255).round().to(torch.uint8)
        (raw / f"{name}-images-idx3-ubyte").write_bytes(
            struct.pack(">IIII", 0x803, count, SIDE, SIDE) + pixels.numpy().tobytes()
        )
        (raw / f"{name}-labels-idx1-ubyte").write_bytes(
            struct.pack(">II", 0x801, count) + labels.to(torch.uint8).numpy().tobytes()
        )
    return root
