"""Sources that cost a parser, a tokenizer or a decoder far more than their length."""

from . import correct

RIGHT = correct.module().encode()
MARKS = "\u0301".encode()

# Each at most 1 MiB, the limit of a module; the first half can be run, the others cannot.
HEAVY: dict[str, bytes] = {
    "combining-marks": b"raise ValueError\na" + MARKS * 100_000 + b" = 1\n",
    "combining-marks-in-many-names": b"raise ValueError\n" + (b"a" + MARKS * 3000 + b" = 1\n") * 30,
    "megabyte-of-literals": b"raise ValueError\nx = [" + b"1,2," * 240_000 + b"]\n",
    "megabyte-of-names": b"raise ValueError\n" + b"a;" * 500_000 + b"\n",
    "line-of-62-kilobytes": RIGHT + b"x = [" + b"'ab', " * 10_500 + b"]\n",
    "line-of-half-a-megabyte": RIGHT + b"x = (" + b"1+" * 250_000 + b"1)\n",
    "string-of-many-lines": RIGHT + b"x = '''\n" + b"y = 1\n" * 150_000 + b"'''\n",
    "many-strings": RIGHT + b"x = [" + b"'''a''', " * 100_000 + b"]\n",
    "many-definitions": RIGHT + b"".join(b"def f%d(a, b=(1, 2)): return a\n" % number for number in range(25_000)),
    "many-loops": RIGHT + b"if 0:\n" + b" while 1: pass\n" * 60_000,
    "f-strings-in-f-strings": RIGHT + b"x = f'" + b"{1}" * 50_000 + b"'\n",
    "carriage-returns-alone": RIGHT.replace(b"\n", b"\r"),
    "form-feeds": RIGHT.replace(b"\n\n", b"\n\x0c\n") + b"\x0c" * 100_000,
    "byte-order-mark": b"\xef\xbb\xbf" + RIGHT,
    "long-cookie": b"# coding: " + b"utf_" * 50_000 + b"8\n" + RIGHT,
    "punycode": b"# coding: punycode\n" + b"b" * 60_000 + b"-" + b"a" * 60_000,
    "idna": b"# coding: idna\n" + b"xn--" + b"a.b" * 40_000,
    "open-string": RIGHT + b"x = '''" + b"'' \" \\" * 100_000,
    "open-strings": RIGHT + b"'\n\"\n" * 100_000,
    "open-brackets": RIGHT + b"(" * 500_000,
    "open-f-strings": RIGHT + b"f'{f\"{" * 100_000,
    "deeper-attributes": b"x = a" + b".a" * 400_000,
    "deep-unary-operators": b"x = " + b"-" * 900_000 + b"1",
    "deep-calls": b"x = a" + b"()" * 400_000,
    "deep-powers": b"x = 1" + b"**1" * 300_000,
    "deep-else": b"if 1: pass\n" + b"elif 1: pass\n" * 70_000,
    "huge-integer": b"x = " + b"9" * 900_000,
    "huge-hexadecimal": b"x = 0x" + b"f" * 900_000 + b"\nprint(x)\n",
    "backslashes": RIGHT + b"\\\n" * 300_000,
    "dots": RIGHT + b"." * 900_000,
    "trailing-null-bytes": RIGHT + b"\x00" * 500_000,
    "no-encoding": bytes(range(128, 256)) * 4096,
}  # fmt: skip
