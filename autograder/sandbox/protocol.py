"""Frames between the client and the worker: a small JSON header plus tensors as safetensors, never pickle.

A frame is two big-endian 32-bit lengths, the header, and the tensors. Both ends bound what they read.
"""

from __future__ import annotations

import json
import math
import socket
import struct
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from autograder.sandbox.limits import LIMITS

if TYPE_CHECKING:
    from torch import Tensor

_LENGTHS = struct.Struct("!II")

Message = dict[str, Any]
# Names in `typing` that older Pythons lack, and since when they are there.
NEWER_TYPING = {"override": "3.12", "TypeAliasType": "3.12", "TypeIs": "3.13", "ReadOnly": "3.13", "NoDefault": "3.13"}


class ProtocolError(Exception):
    """The other end sent something other than a frame."""


class ChannelClosed(Exception):
    """The other end is gone."""


def send(channel: socket.socket, message: Message, tensors: dict[str, Tensor] | None = None) -> None:
    """Send one frame.

    TimeoutError if the channel's time-out passes first, ChannelClosed if the other end is gone, ProtocolError for what
    the other end would refuse.
    """
    _require_usual(tensors or {})
    header = json.dumps(message, allow_nan=False).encode()
    body = _save({name: tensor.detach().contiguous() for name, tensor in tensors.items()}) if tensors else b""
    if len(header) > LIMITS.header or len(body) > LIMITS.body:
        raise ProtocolError(f"a frame of {len(header)} + {len(body)} bytes is too large to send")
    try:
        channel.sendall(_LENGTHS.pack(len(header), len(body)) + header)
        channel.sendall(body)
    except (BrokenPipeError, ConnectionResetError) as error:
        raise ChannelClosed from error


def _save(tensors: dict[str, Tensor]) -> bytes:
    """Encode as safetensors through numpy, because torch's way keeps a ctypes type for every size."""
    import safetensors.numpy  # here, because the client starts the worker before it imports torch
    import safetensors.torch

    try:
        return safetensors.numpy.save({name: tensor.numpy() for name, tensor in tensors.items()})
    except TypeError:  # types such as bfloat16, which numpy lacks
        return safetensors.torch.save(tensors)


def receive(channel: socket.socket, deadline: float | None = None) -> tuple[Message, dict[str, Tensor]]:
    """Receive one frame.

    TimeoutError if `deadline` (on time.monotonic) passes first, ChannelClosed if the other end is gone,
    ProtocolError for anything that is not a well-formed frame within the limits.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    header_length, body_length = _LENGTHS.unpack(_read(channel, _LENGTHS.size, deadline))
    if header_length > LIMITS.header or body_length > LIMITS.body:
        raise ProtocolError(f"a frame announces {header_length} + {body_length} bytes, over the limit")
    header = _read(channel, header_length, deadline)
    body = bytes(_read(channel, body_length, deadline))
    if int.from_bytes(body[:8], "little") > LIMITS.names:  # safetensors begins with the length of its own header
        raise ProtocolError("a frame holds too many tensors")
    try:
        message = json.loads(header)
        tensors = dict(sorted(load(body).items())) if body else {}  # safetensors keeps no order
    except (ValueError, RecursionError, SafetensorError, KeyError, TypeError, RuntimeError, MemoryError) as error:
        raise ProtocolError(f"a frame cannot be decoded: {type(error).__name__}") from error
    if not isinstance(message, dict):
        raise ProtocolError("a frame's header is not an object")
    _require_usual(tensors)
    return message, tensors


def _require_usual(tensors: dict[str, Tensor]) -> None:
    if not all(is_usual(tensor.shape) for tensor in tensors.values()):
        raise ProtocolError("a frame holds a tensor of too many axes, or of too long ones")


def is_usual(shape: Sequence[int]) -> bool:
    """Whether one can compute with tensors of this shape.

    It has few axes and, even if none of them were empty, no more numbers than a frame has bytes.
    """
    return len(shape) <= LIMITS.axes and math.prod(max(size, 1) for size in shape) <= LIMITS.body


def _read(channel: socket.socket, count: int, deadline: float | None) -> bytearray:
    data = bytearray(count)
    view, position = memoryview(data), 0
    while position < count:
        if deadline is not None:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise TimeoutError
            channel.settimeout(remaining)
        try:
            received = channel.recv_into(view[position:])
        except ConnectionResetError as error:
            raise ChannelClosed from error
        if received == 0:
            raise ChannelClosed
        position += received
    return data
