"""Frames of the channel to a submission's process, and what is almost one, as Hypothesis draws them."""

import json
import struct
from typing import Any

from hypothesis import strategies as st

sizes = st.one_of(st.integers(-2, 70), st.sampled_from((2**31, 2**40, 2**63, 2**64, 10**40)))
scalars = st.one_of(st.none(), st.booleans(), sizes, st.floats(), st.text(max_size=20))
values = st.recursive(
    scalars,
    lambda each: st.lists(each, max_size=4) | st.dictionaries(st.text(max_size=8), each, max_size=4),
    max_leaves=8,
)
# What a worker says, and what it never would under the same names.
fields = st.sampled_from(
    ("id", "ask", "call", "gradient", "error", "incomplete", "attributes", "shapes", "problems", "changed", "reached",
     "needed", "operators", "bytecodes", "kind")
)  # fmt: skip
shapes = st.lists(st.tuples(st.text(max_size=6), st.lists(sizes, max_size=4)), max_size=4)
errors = st.fixed_dictionaries({}, optional=dict.fromkeys(("kind", "text", "line", "code"), values))
messages = st.dictionaries(fields, values | shapes | errors, max_size=5)
dtypes = st.sampled_from(("F32", "F64", "F16", "BF16", "I64", "U8", "BOOL", "F8_E4M3", "C64", "F4", "X", "", 7))
entries = st.dictionaries(
    st.sampled_from(
        ("output.0", "output.1", "argument.0", "argument.1", "losses", "__metadata__", "\x1b]0;", "parameter.")
    ),
    st.one_of(
        values,
        st.fixed_dictionaries(
            {
                "dtype": dtypes,
                "shape": st.lists(sizes, max_size=3),
                "data_offsets": st.lists(sizes, min_size=1, max_size=3),
            }
        ),
    ),
    max_size=3,
)


def safetensors(header: dict[str, Any], data: bytes, lie: int) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", (len(text) + lie) % 2**64) + text + data


bodies = st.one_of(
    st.just(b""),
    st.binary(max_size=64),
    st.builds(safetensors, entries, st.binary(max_size=64), st.sampled_from((0, 0, 0, -1, 1, 2**60))),
)


def framed(header: bytes, body: bytes, lie: int = 0) -> bytes:
    return struct.pack("!II", len(header), (len(body) + lie) % 2**32) + header + body


frames = st.one_of(
    st.binary(max_size=64),
    st.builds(framed, st.binary(max_size=64), bodies, st.sampled_from((0, 0, -1, 1, 2**31))),
    st.builds(framed, (messages | values).map(lambda message: json.dumps(message).encode()), bodies),
)
