"""A control group gets its bounds before a process is in it, and is gone afterwards."""

import subprocess
from pathlib import Path

import pytest

from autograder.sandbox import cgroup

MIB = 1 << 20


def test_without_a_folder_a_command_runs_as_it_is() -> None:
    with cgroup.bounded(100 * MIB, 10, None) as prefix:
        assert prefix == []


def test_a_group_is_bounded_before_its_command_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroup, "GONE_S", 0.0)
    make = Path.mkdir

    def as_the_kernel_does(folder: Path) -> None:
        make(folder)
        for file in ("memory.max", "memory.swap.max", "cgroup.procs"):  # pids are not counted in this one
            (folder / file).touch()

    monkeypatch.setattr(Path, "mkdir", as_the_kernel_does)
    with cgroup.bounded(100 * MIB, 10, tmp_path) as prefix:
        (group,) = tmp_path.iterdir()
        assert (group / "memory.max").read_text() == str(100 * MIB)
        assert (group / "memory.swap.max").read_text() == "0"
        assert not (group / "pids.max").exists()
        with subprocess.Popen([*prefix, "echo", "a b"], stdout=subprocess.PIPE, text=True) as process:
            assert process.communicate()[0] == "a b\n"
        assert (group / "cgroup.procs").read_text() == f"{process.pid}\n"


def test_memory_without_a_mapping_is_counted() -> None:
    if (folder := cgroup.found()) is None:
        pytest.skip("no control group (version 2) can be had here")
    hoard = "import os\nfor each in range(9): os.write(os.memfd_create(str(each)), bytes(50 << 20))"
    with cgroup.bounded(200 * MIB, 10, folder) as prefix:
        assert subprocess.run([*prefix, "python3", "-c", hoard], check=False).returncode
    assert not list(folder.glob("autograder-*"))
