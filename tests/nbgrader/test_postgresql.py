"""Grades in a real PostgreSQL, by setting one address."""

import csv
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nbgrader.api import Gradebook

from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.assignments.cvae.assignment import MODULE
from tests.nbgrader.class_of_students import NOTEBOOK
from tests.nbgrader.conftest import Command, command_in


def server_program(name: str) -> str | None:
    """A program of PostgreSQL's server, which Debian keeps off the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else shutil.which(name)


pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'psycopg[binary]'")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(server_program("initdb") is None, reason="PostgreSQL's server is not installed"),
    pytest.mark.skipif(sys.platform != "linux", reason="starts the server as an unprivileged user, the Linux way"),
]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The address of an empty database on a server of our own, on loopback; it refuses to run as root."""
    data = Path(tempfile.mkdtemp(prefix="postgresql-"))  # not below pytest's own folders, which only root may enter
    user: dict[str, Any] = {}
    if os.geteuid() == 0:
        nobody = 65534
        os.chown(data, nobody, nobody)
        user = {"user": nobody, "group": nobody, "extra_groups": []}
    initdb, postgres = server_program("initdb"), server_program("postgres")
    assert initdb is not None
    assert postgres is not None
    subprocess.run(
        [initdb, "--no-sync", "--auth=trust", "--username=nbgrader", "--pgdata", str(data)],
        **user,
        cwd=data,
        check=True,
        capture_output=True,
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": "", "fsync": "off"}
    server = subprocess.Popen(
        [postgres, "-D", str(data), *(f"--{name.replace('_', '-')}={value}" for name, value in settings.items())],
        **user,
        cwd=data,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        ready = ["pg_isready", "--host=127.0.0.1", f"--port={port}", "--timeout=1"]
        for _ in range(60):
            if (
                subprocess.run([server_program("pg_isready") or ready[0], *ready[1:]], capture_output=True).returncode
                == 0
            ):
                break
        else:
            pytest.fail("PostgreSQL does not start")
        yield f"postgresql+psycopg://nbgrader@127.0.0.1:{port}/postgres"
    finally:
        server.terminate()
        server.wait(30)
        shutil.rmtree(data)


def test_a_submission_goes_from_release_to_export(course: Path, address: str) -> None:
    nbgrader: Command = command_in(course, course.parent, NBGRADER_DB=address)
    nbgrader("generate_assignment", CVAE.kit)
    submission = course / "submitted" / "ann" / CVAE.kit
    shutil.copytree(course / "release" / CVAE.kit, submission)
    shutil.copy(CVAE.solution, submission / MODULE)
    for _ in range(2):  # a regrade keeps what was given by hand
        nbgrader("autograde", CVAE.kit, "--RunNotebook.enabled=False", "--force")
        with Gradebook(address) as book:
            book.find_grade("visualization", NOTEBOOK, CVAE.kit, "ann").manual_score = 5
            book.db.commit()
    nbgrader("generate_feedback", CVAE.kit)
    nbgrader("export", "--to=grades.csv")
    with (course / "grades.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["student_id"], float(row["score"]), float(row["max_score"])) == ("ann", 95, 100)
    assert not (course / "gradebook.db").exists()
