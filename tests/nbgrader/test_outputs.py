"""Of the outputs that a notebook was handed in with, pixels and text come out of the sandbox, and nothing else."""

import base64
import io
import json
import struct
import time
import zlib
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from autograder.sandbox.client import Sandbox
from autograder.sandbox.limits import LIMITS
from autograder.sandbox.outputs import KINDS, LEFT_OUT, Shown, decode, png, read

SCRIPT = "<script>alert(1)</script>"
MIB = 1 << 20


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


def image(form: str = "PNG", size: tuple[int, int] = (40, 30), mode: str = "RGB", **options: Any) -> bytes:
    file = io.BytesIO()
    Image.new(mode, size, 1).save(file, form, **options)
    return file.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of(width: int, height: int, rows: bytes) -> bytes:
    """A PNG file by hand, which says what size it likes."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def animated() -> bytes:
    file = io.BytesIO()
    frames = [Image.new("RGB", (40, 30), (shade, 0, 0)) for shade in range(200)]
    frames[0].save(file, "PNG", save_all=True, append_images=frames[1:])
    return file.getvalue()


def jpeg_of(side: int) -> bytes:
    """A JPEG file whose header says that it is this large."""
    data = bytearray(image("JPEG"))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", side, side)
    return bytes(data)


def bundle(mime: str, data: bytes | str) -> dict[str, Any]:
    text = base64.b64encode(data).decode() if isinstance(data, bytes) else data
    return {"output_type": "display_data", "metadata": {}, "data": {mime: text}}


def shown(sandbox: Sandbox, *outputs: object) -> list[Shown]:
    return sandbox.shown({7: json.dumps(list(outputs)).encode()})


@pytest.mark.parametrize(
    ("mime", "data"),
    [
        ("image/png", image()),
        ("image/png", image(mode="RGBA")),
        ("image/png", image(mode="P")),
        ("image/png", image(mode="L")),
        ("image/png", image(mode="1")),
        ("image/jpeg", image("JPEG")),
        ("image/png", image("JPEG")),  # under the wrong name
        ("image/png", image() + SCRIPT.encode()),  # polyglot
        ("image/png", image() + b"PK\x03\x04" + bytes(100)),
        ("image/jpeg", image("JPEG", comment=SCRIPT.encode())),
        ("image/png", animated()),
    ],
)
def test_a_picture_comes_out_as_pixels(sandbox: Sandbox, mime: str, data: bytes) -> None:
    """And what is written from them holds neither the file's text nor its further frames."""
    (found,) = shown(sandbox, bundle(mime, data))
    assert found.pixels is not None
    assert found.pixels.shape == (30, 40, 3)
    written = png(found.pixels)
    kinds, at = [], 8
    while at < len(written):
        length = int.from_bytes(written[at : at + 4])
        kinds.append(written[at + 4 : at + 8])
        at += 12 + length
    assert set(kinds) == {b"IHDR", b"IDAT", b"IEND"}
    assert SCRIPT.encode() not in written


@pytest.mark.parametrize(
    ("mime", "data", "reason"),
    [
        ("image/png", b"", "damaged"),
        ("image/png", image()[:40], "damaged"),
        ("image/png", "<not base64>", "damaged"),
        ("image/png", b"\x89PNG\r\n\x1a\n" + SCRIPT.encode(), "damaged"),
        ("image/png", image("GIF", mode="L"), "damaged"),
        ("image/png", image("BMP"), "damaged"),
        ("image/png", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "damaged"),
        ("image/png", png_of(50_000, 50_000, bytes(10_000_000)), "large"),
        ("image/png", png_of(3900, 3900, bytes(3901 * 3900)), "large"),
        ("image/jpeg", jpeg_of(60_000), "large"),
        ("image/png", "A" * (LIMITS.encoded + 1), "large"),
        ("text/html", SCRIPT, "active"),
        ("image/svg+xml", "<svg onload='alert(1)'/>", "active"),
        ("application/javascript", "alert(1)", "active"),
        ("application/vnd.jupyter.widget-view+json", "{}", "active"),
    ],
)
def test_what_is_no_picture_is_left_out(sandbox: Sandbox, mime: str, data: bytes | str, reason: str) -> None:
    (found,) = shown(sandbox, bundle(mime, data))
    assert (found.kind, found.text) == ("left out", LEFT_OUT[reason])


def test_text_is_shown_in_place_of_what_is_never_shown(sandbox: Sandbox) -> None:
    found = shown(sandbox, {"output_type": "execute_result", "data": {"text/html": SCRIPT, "text/plain": "plain"}})
    assert [(each.kind, each.text) for each in found] == [("text", "plain")]


def test_a_progress_bar_is_its_last_line(sandbox: Sandbox) -> None:
    lines = [{"output_type": "stream", "name": "stderr", "text": f"\r{done}%"} for done in range(101)]
    assert [each.text for each in shown(sandbox, *lines)] == ["100%"]


@pytest.mark.parametrize("outputs", ["pictures", "texts", "bombs", "nested", "bytes"])
def test_a_flood_of_outputs_costs_little(sandbox: Sandbox, outputs: str) -> None:
    sandbox.wait_until_ready()
    flood = {
        "pictures": [bundle("image/png", image(size=(500, 500)))] * 10_000,
        "texts": [bundle("text/plain", "x" * 1000), {"output_type": "stream", "name": "stdout", "text": "y"}] * 5000,
        "bombs": [bundle("image/png", png_of(4000, 1000, bytes(4001 * 1000)))] * 1000,
        "nested": json.loads("[" * 900 + "]" * 900),
        "bytes": ["\x00" * 10_000_000],
    }[outputs]
    before, began = psutil.Process().memory_info().rss, time.monotonic()
    found = shown(sandbox, *flood)
    assert time.monotonic() - began < LIMITS.outputs_s
    assert psutil.Process().memory_info().rss - before < 500 * MIB
    assert len(found) <= LIMITS.outputs + 1
    assert sum(each.pixels.numel() for each in found if each.pixels is not None) <= 3 * LIMITS.all_pixels
    assert sum(len(each.text) for each in found if each.kind != "left out") <= LIMITS.all_text


VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=8) | st.sampled_from(["stream", "image/png", "text/plain", "data"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["output_type", "data", "text", "name", "image/png", "text/plain"]), inner)
    ),
    max_leaves=10,
)


OUTPUTS = st.binary(max_size=20) | VALUES.map(lambda value: json.dumps([value]).encode())


@given(cells=st.dictionaries(st.integers(0, 9), OUTPUTS))
@settings(max_examples=200)
def test_any_outputs_become_pixels_and_text(cells: dict[int, bytes]) -> None:
    found = read(*decode(cells), cells)
    assert {each.kind for each in found} <= set(KINDS)
    assert {each.cell for each in found} <= set(cells)
    assert all((each.pixels is not None) == (each.kind == "picture") for each in found)


@given(
    header=VALUES | st.lists(st.tuples(st.integers(0, 3), st.sampled_from([*KINDS, "html"]), st.text(max_size=3))),
    shape=st.sampled_from([(3, 4, 3), (5,), (4, 4), (0, 3, 3), (LIMITS.side + 1, 1, 3), (2, 2, 4)]),
    dtype=st.sampled_from([torch.uint8, torch.float32]),
)
def test_a_decoder_that_was_taken_over_is_checked(header: object, shape: tuple[int, ...], dtype: torch.dtype) -> None:
    tensors = {f"{position}": torch.zeros(shape, dtype=dtype) for position in range(4)}
    for each in read(json.loads(json.dumps(header)), tensors, {0, 1}):
        assert each.cell in (0, 1)
        assert each.kind in KINDS
        assert each.kind != "left out" or each.text in LEFT_OUT.values()
        assert each.pixels is None or (each.pixels.dim() == 3 and png(each.pixels).startswith(b"\x89PNG"))
