"""Running a GitHub workflow file step by step, with what the runner does to commands, expressions and files.

What a step `uses` is somebody else's program: a checkout puts the files where it would, the others are only asked
whether the files that they are given exist. `pip` and `sudo` are stand-ins that note what they were asked for: the
environment that runs the tests has everything installed.
"""

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
STAND_IN = '#!/bin/sh\necho "$(basename "$0") $*" >> "$NOTED"\n'


@dataclass
class Log:
    """What the runner makes of a log: the commands it would carry out, by its ActionCommand.cs and OutputManager.cs."""

    commands: list[tuple[str, dict[str, str], str]] = field(default_factory=list)
    stopped: str | None = None
    matching: bool = False  # whether setup-python's matcher makes an error of what looks like a traceback

    KNOWN = (
        "error", "warning", "notice", "debug", "group", "endgroup", "echo", "add-mask", "add-matcher", "remove-matcher",
        "set-output", "save-state", "set-env", "add-path", "stop-commands", "internal-set-repo-path",
    )  # fmt: skip

    def read(self, line: str) -> None:
        known = "|".join(map(re.escape, (*self.KNOWN, *filter(None, [self.stopped]))))
        command, comma = re.match(rf"\s*::({known})(?: (.*?))?::(.*)", line), ","
        if command is None:  # the older form, which counts anywhere in a line
            command, comma = re.search(rf"##\[({known})(?: (.*?))?\](.*)", line), ";"
        if self.matching and re.match(r'\s*File "(.*)", line (\d+), in ', line):
            self.commands.append(("error", {"title": "matched"}, line))
        if command is None:
            return
        name, properties, data = command.groups()
        if self.stopped is not None:
            self.stopped = None if name == self.stopped else self.stopped
        elif (name, properties) == ("remove-matcher", "owner=python"):
            self.matching = False
        elif name == "stop-commands":
            self.stopped = data
        else:
            pairs = (pair.partition("=") for pair in (properties or "").split(comma) if pair)
            self.commands.append((name, {key.strip(): unescaped(value) for key, _, value in pairs}, unescaped(data)))

    def named(self, name: str) -> list[tuple[dict[str, str], str]]:
        return [(properties, data) for known, properties, data in self.commands if known == name]


def unescaped(text: str) -> str:
    for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, character)
    return text


@dataclass
class Job:
    """A job that has run."""

    workspace: Path
    log: Log
    printed: str = ""
    summary: str = ""
    outputs: dict[str, str] = field(default_factory=dict)  # of the step `grade`
    noted: str = ""
    failed: bool = False


def steps_of(workflow: Path, inputs: dict[str, str] | None = None) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """The steps of the one job and their inputs, of the workflow that it calls if that is one of this repository's."""
    (job,) = yaml.safe_load(workflow.read_text("utf-8"))["jobs"].values()
    if called := job.get("uses"):
        return steps_of(ROOT / called.split("@")[0].split("/", 2)[2], job.get("with"))
    return job["steps"], inputs or {}


def run(workflow: Path, student: Path, folder: Path) -> Job:
    """Run the steps of `workflow` on a push of the repository `student`."""
    job = Job(folder / "workspace", Log())
    job.workspace.mkdir(parents=True)
    programs = folder / "programs"
    programs.mkdir()
    for name in ("pip", "sudo"):
        (programs / name).write_text(STAND_IN)
        (programs / name).chmod(0o755)
    files = {name: folder / name.lower() for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT", "GITHUB_ENV", "NOTED")}
    for file in files.values():
        file.touch()
    variables = {name: str(file) for name, file in files.items()} | {
        "PATH": f"{programs}:{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": str(folder),
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_WORKSPACE": str(job.workspace),
    }
    steps, inputs = steps_of(workflow)
    expressions = {f"${{{{ inputs.{name} }}}}": value for name, value in inputs.items()}
    for step in steps:
        if not _holds(step.get("if"), job):
            continue
        if "uses" in step:
            _use(step, student, job)
            continue
        assert "${{" not in step["run"], "what is pasted into a script can be more script"
        ended = subprocess.run(
            ["bash", "-e", "-c", step["run"]],
            cwd=job.workspace,
            env=variables | {name: expressions.get(value, value) for name, value in step.get("env", {}).items()},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        # The two streams are read side by side, so commands may not be stopped yet when an error stream is read.
        for stream, log in ((ended.stderr, Log()), (ended.stdout, job.log)):
            for line in re.split(r"\r\n|\r|\n", stream):
                log.read(line)
            assert log is job.log or not log.commands, log.commands
        job.printed += ended.stdout + ended.stderr
        job.failed |= ended.returncode != 0
    assert job.log.stopped is None
    job.summary, job.noted = files["GITHUB_STEP_SUMMARY"].read_text("utf-8"), files["NOTED"].read_text("utf-8")
    job.outputs = dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text("utf-8").splitlines())
    assert not files["GITHUB_ENV"].read_text()
    return job


def _holds(condition: str | None, job: Job) -> bool:
    """The few conditions that the workflows use; a step without one runs after success alone."""
    if condition is None:
        return not job.failed
    assert condition in ("${{ !cancelled() }}", "${{ !cancelled() && hashFiles('junit.xml') != '' }}")
    return "hashFiles" not in condition or (job.workspace / "junit.xml").exists()


def _use(step: dict[str, Any], student: Path, job: Job) -> None:
    action, given = step["uses"].split("@")[0], step.get("with", {})
    place = job.workspace / given.get("path", "")
    if action == "actions/checkout" and "repository" in given:
        assert (given["repository"], given["ref"]) == ("${{ job.workflow_repository }}", "${{ job.workflow_sha }}")
        place.mkdir()
        for name in ("pyproject.toml", "constraints.txt"):
            shutil.copy(ROOT / name, place)
    elif action == "actions/checkout":
        shutil.copytree(student, place, dirs_exist_ok=True, ignore=shutil.ignore_patterns("digits"))
    elif action == "actions/setup-python":
        assert all((job.workspace / name).exists() for name in given["cache-dependency-path"].split())
        job.log.matching = True
    elif action == "mikepenz/action-junit-report":
        assert (job.workspace / given["report_paths"]).exists()
    else:
        assert action == "actions/upload-artifact"
        assert job.failed or place.exists()
