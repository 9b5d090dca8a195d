"""Write zip archives: the same bytes for the same files, wherever and whenever they are built."""

import io
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path

from autograder import output


def write_archive(path: Path, files: Mapping[str, bytes], executable: Collection[str] = ()) -> Path:
    """Write a zip of `files`, by name, to `path` and return it. The names in `executable` are programs."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name)  # its date is 1980
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, for Windows would leave the mode unset
            entry.external_attr = (0o755 if name in executable else 0o644) << 16
            archive.writestr(entry, content)
    output.write(path, packed.getvalue())
    return path
