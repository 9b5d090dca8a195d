"""GitHub: the template repository, its workflow step by step, and what a submission cannot do to either."""

import base64
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from autograder.assignments.cvae import assignment
from autograder.assignments.cvae.assignment import ASSIGNMENT as CVAE
from autograder.assignments.cvae.kit import data
from autograder.fill_in import fill_in
from autograder.platforms.github import workflow as github
from autograder.platforms.github.build import build_template
from autograder.platforms.github.public import _parts as parts_of
from autograder.report import junit, markdown
from autograder.report.model import Check, Hint, Outcome, Report
from tests.pages import Page
from tests.test_reports import hostile_report, partial_report, perfect_report, report_of, unreadable_report
from tests.workflows import ROOT, Job, Log, run

WORKFLOWS = [
    *sorted((ROOT / ".github" / "workflows").glob("*.yml")),
    *sorted((ROOT / "autograder" / "platforms" / "github" / "template").glob("*.yml")),
]
COMMANDS = (
    "::error file=cs5814_vae.py,line=1::forged",
    "  ::warning::forged",
    "::set-output name=score::90",
    "::add-mask::0",
    "::notice title=Autograding report::{\"totalPoints\":90,\"maxPoints\":90}",
    "text ##[error]forged",
    "##[set-output name=score;]90",
    "::stop-commands::x",
    '  File "cs5814_vae.py", line 1, in forged',
    "    raise ValueError('forged')",
    "</details><script>alert(1)</script><img src=x onerror=alert(1)>![i](https://evil.example/p.png)[l](https://evil.example)",
)  # fmt: skip
HOSTILE = f"""
import os, sys

attack = {chr(10).join(("", *COMMANDS, ""))!r}
for stream in (sys.stdout, sys.stderr):
    print(attack, file=stream, flush=True)
for name in [name for name in os.environ if name.startswith("GITHUB_")]:
    open(os.environ[name], "a").write("score=90\\n" + attack)


def sample_latent(means, logvariances):
    raise ValueError(attack)


def loss_function(reconstructions, originals, means, logvariances):
    raise type(attack, (Exception,), {{}})(attack)


class ConditionalVariationalAutoencoder:
    def __init__(self, *sizes):
        os.write(1, attack.encode())
        raise SystemExit(attack)
"""


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_template(CVAE, tmp_path_factory.mktemp("public"), data=data(20, 10))


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("graded")
    return build_template(CVAE, out, "university/cs5814", "v1.0.0", data=data(20, 10))


def pushed(template: Path, source: str, folder: Path) -> Job:
    """The job after a push of the template's repository with `source` as the module."""
    student = folder / "student"
    subprocess.run(["cp", "-r", template, student], check=True)
    (student / assignment.MODULE).write_text(source, "utf-8")
    return run(student / ".github" / "workflows" / "grade.yml", student, folder / "runner")


def as_html(summary: str) -> Page:
    return Page(MarkdownIt("commonmark", {"html": True}).enable("table").render(summary))


def result_of(outputs: dict[str, str]) -> dict[str, Any]:
    return json.loads(base64.b64decode(outputs["result"]))


# The workflow, step by step


@pytest.mark.slow
@pytest.mark.parametrize("template", ["public", "graded"])
def test_a_perfect_push_gets_every_point_and_no_annotation(
    template: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    job = pushed(request.getfixturevalue(template), CVAE.solution.read_text("utf-8"), tmp_path)
    assert not job.failed, job.printed
    assert "90 / 90" in as_html(job.summary).text
    assert (job.outputs["score"], job.outputs["max-score"], result_of(job.outputs)["status"]) == ("90", "90", "pass")
    assert job.log.commands == [
        ("notice", {"title": "Autograding complete"}, "Points 90/90"),
        ("notice", {"title": "Autograding report"}, '{"totalPoints":90,"maxPoints":90}'),
    ]


@pytest.mark.parametrize("template", [pytest.param("public", marks=pytest.mark.slow), "graded"])
def test_a_wrong_push_is_annotated_where_the_mistake_is(
    template: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    source = (ROOT / "examples" / "four-layer-encoder" / assignment.MODULE).read_text("utf-8")
    line = next(number for number, text in enumerate(source.splitlines(), 1) if "def __init__" in text)
    job = pushed(request.getfixturevalue(template), source, tmp_path)
    assert not job.failed, job.printed
    errors = [each for each in job.log.named("error") if not each[1].startswith("Skipped: training")]
    assert errors
    for properties, message in errors:
        assert (properties["file"], properties["line"]) == (assignment.MODULE, str(line))
        assert properties["title"].startswith("encoder: ")
        assert "layer" in message
    score = float(job.outputs["score"])
    assert 70 <= score < 90
    assert job.log.named("notice")[0][1] == f"Points {job.outputs['score']}/90"
    result = result_of(job.outputs)
    assert (result["status"], result["max_score"]) == ("fail", 90)
    assert sum(test["score"] for test in result["tests"]) == pytest.approx(score)
    assert "Fix next: encoder" in as_html(job.summary).text
    assert (job.workspace / "junit.xml").exists()


@pytest.mark.parametrize("template", ["public", "graded"])
def test_a_hostile_push_forges_nothing(template: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    job = pushed(request.getfixturevalue(template), HOSTILE, tmp_path)
    assert "forged" in job.printed  # it was shown
    assert {name for name, _, _ in job.log.commands} == {"error", "notice"}
    assert [data for _, data in job.log.named("notice")] == ["Points 0/90", '{"totalPoints":0,"maxPoints":90}']
    for properties, _ in job.log.named("error"):
        assert set(properties) <= {"file", "line", "title"}
        assert properties.get("file") == assignment.MODULE
        assert properties["title"].split(":")[0] in {"Fix this first", *(part.name for part in assignment.PARTS)}
    assert set(job.outputs) == {"score", "max-score", "result"}
    assert (job.outputs["score"], result_of(job.outputs)["status"]) == ("0", "fail")
    page = as_html(job.summary)
    assert not {tag for tag, _ in page.tags} & {"a", "img", "script"}
    assert "evil.example" in page.text


def test_a_push_without_the_module_fails_and_says_so(graded: Path, tmp_path: Path) -> None:
    student = tmp_path / "student"
    subprocess.run(["cp", "-r", graded, student], check=True)
    (student / assignment.MODULE).unlink()
    for folder in ("::error::forged", "a\n::error::forged ##[error]forged"):  # which of the two is not guessed
        path = student / "::error::forged" / folder.replace("/", "") / assignment.MODULE
        path.parent.mkdir(parents=True)
        path.write_text(f"x = {len(folder)}\n")
    job = run(student / ".github" / "workflows" / "grade.yml", student, tmp_path / "runner")
    assert job.failed
    assert job.outputs["score"] == "0"
    assert "more than one cs5814_vae.py" in as_html(job.summary).text
    ((properties, message),) = job.log.named("error")
    assert properties == {"title": "Fix this first"}
    assert "more than one cs5814_vae.py" in message


def test_the_called_workflow_installs_pins_and_allows_namespaces(graded: Path, tmp_path: Path) -> None:
    student = tmp_path / "student"
    subprocess.run(["cp", "-r", graded, student], check=True)
    (student / assignment.MODULE).unlink()
    job = run(student / ".github" / "workflows" / "grade.yml", student, tmp_path / "runner")
    install, allow = job.noted.splitlines()
    assert install.startswith("pip install --constraint course/constraints.txt ")
    assert install.endswith(" ./course")
    assert allow == "sudo sysctl --ignore --write kernel.apparmor_restrict_unprivileged_userns=0"
    assert not (job.workspace / "course").exists()


def test_outside_of_a_step_the_option_says_what_it_is_for() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "autograder", "grade", assignment.MODULE, "--github"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin"},
        check=False,
    )
    assert result.returncode == 2
    assert "step of a GitHub workflow" in " ".join(result.stderr.split())


# The workflow files


def test_workflows_keep_to_githubs_schema() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"]
    result = subprocess.run([*command, *WORKFLOWS], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_workflows_have_the_least_rights_and_pinned_actions(file: Path) -> None:
    workflow = yaml.safe_load(file.read_text("utf-8"))
    assert workflow["permissions"] in ({}, {"contents": "read"})
    for job in workflow["jobs"].values():
        assert set(job.get("permissions", {}).items()) <= {("contents", "read"), ("checks", "write")}
        assert "uses" in job or job["timeout-minutes"] <= 90
        for step in job.get("steps", []):
            assert "${{" not in step.get("run", "")
            if "uses" in step:
                owner, version = step["uses"].split("/")[0], step["uses"].split("@")[1]
                assert re.fullmatch(r"v\d+" if owner == "actions" else r"[0-9a-f]{40}", version)
            if step.get("uses", "").startswith("actions/checkout"):
                assert step["with"]["persist-credentials"] is False


def test_ci_runs_what_the_script_runs() -> None:
    (job,) = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8"))["jobs"].values()
    assert ".ci/run" in [step.get("run") for step in job["steps"]]


# The template


def test_the_template_holds_the_kit_and_the_workflow(graded: Path) -> None:
    assert {path.relative_to(graded).as_posix() for path in graded.rglob("*") if path.is_file()} == {
        ".github/workflows/grade.yml",
        ".gitignore",
        "README.md",
        "check_tools.py",
        "cs5814_vae.py",
        "cvae.ipynb",
        "cvae_helpers.py",
        "environment.yml",
        "hints.json",
        "public_checks.py",
        "student.md",
        *(
            f"digits/MNIST/raw/{split}-{kind}-ubyte"
            for split in ("train", "t10k")
            for kind in ("images-idx3", "labels-idx1")
        ),
    }
    assert (graded / assignment.MODULE).read_text("utf-8") == fill_in(CVAE)


TOLD = ["null", '{"encoder": ["a", "b"]}', '["encoder", "a", "", null]', '["encoder", "b", "wrong \\ud800", 3]']
WRONG = ["[[]]", '{"a": [1}', '{"encoder": []}', '{"encoder": [[]]}', "{}", "[" * 9999, "9" * 9999]
WRONG += ['["encoder", ["a"], "", 1]', '["encoder", "a", {}, 1]', '["encoder", "a", "", {}]']
WRITTEN = st.one_of(st.sampled_from(TOLD), st.sampled_from(WRONG), st.text())


@given(st.lists(WRITTEN, max_size=6))
def test_a_module_that_writes_answers_gets_a_report(lines: list[str]) -> None:
    parts = parts_of("".join(f"{line}\n" for line in lines), "not done", CVAE)
    assert [part.name for part in parts] == [part.name for part in CVAE.parts]
    report = Report.of(CVAE, sha256="", isolation="none", seed=1, parts=parts, duration_s=1.0)
    assert markdown.render(report).encode()
    assert junit.render(report)


def test_the_answers_of_the_checks_are_read() -> None:
    encoder = parts_of("".join(f"{line}\n" for line in (TOLD[0], "[[]]", '{"a": [1}', *TOLD[1:])), "not done", CVAE)[0]
    assert [check.outcome for check in encoder.checks] == [Outcome.PASSED, Outcome.ERROR]


def test_the_public_template_needs_no_autograder(public: Path, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-S",
        "-c",
        "import autograder.platforms.github.public as public; print(public.__file__)",
    ]  # no packages
    variables = {"PYTHONPATH": str(public / ".github")}
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=variables, check=True)
    assert Path(result.stdout.strip()).is_relative_to(public)


def test_the_template_installs_the_pinned_torch(public: Path) -> None:
    (job,) = yaml.safe_load((public / ".github/workflows/grade.yml").read_text("utf-8"))["jobs"].values()
    (install,) = [step["run"] for step in job["steps"] if "pip install" in step.get("run", "")]
    pins = re.findall(r"^torch.*==.*$", (ROOT / "constraints.txt").read_text("utf-8"), re.MULTILINE)
    assert len(pins) == 2
    assert install.startswith(f"pip install {' '.join(pins)} ")


def test_the_template_calls_the_pinned_workflow(graded: Path) -> None:
    (job,) = yaml.safe_load((graded / ".github/workflows/grade.yml").read_text("utf-8"))["jobs"].values()
    assert job["uses"] == "university/cs5814/.github/workflows/grade-classroom.yml@v1.0.0"
    assert job["with"] == {"assignment": CVAE.name}


@pytest.mark.parametrize("template", ["public", "graded"])
def test_the_template_holds_no_solution_hidden_check_or_hint(template: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(template)
    solved = set(CVAE.solution.read_text("utf-8").splitlines()) - set(fill_in(CVAE).splitlines())
    secrets = {line.strip() for line in solved if len(line.strip()) > len("nn.ReLU(),")}
    own = {path.name for path in CVAE.folder.rglob("*") if "__pycache__" not in path.parts}
    hidden = own - {"__init__.py", "assignment.py", CVAE.module} | {"fill_in.py", "cli.py"}
    for path in folder.rglob("*"):
        assert path.name not in hidden
        if path.suffix in {".py", ".ipynb", ".md", ".yml"}:
            text = path.read_text("utf-8")
            assert not [secret for secret in secrets if secret in text]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("university/cs5814", None), "needs a ref"),
        ((None, "v1"), "needs a repository"),
        (("cs5814", "v1"), "OWNER/NAME"),
        (("a/b\njobs:", "v1"), "OWNER/NAME"),
        (("a/b", "v1\n    secrets: inherit"), "neither a tag nor a commit"),
    ],
)
def test_a_template_for_no_repository_is_refused(
    arguments: tuple[str | None, str | None], complaint: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=complaint):
        build_template(CVAE, tmp_path, *arguments)


def test_a_template_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / CVAE.kit).mkdir()
    with pytest.raises(FileExistsError, match="already exists"):
        build_template(CVAE, tmp_path, data=data(20, 10))


# The rendering


Publish = Callable[..., tuple[Log, str, str]]


@pytest.fixture
def publish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Publish:
    """Publish a report, and what the runner makes of the commands."""
    for name in github.FILES:
        monkeypatch.setenv(name, str(tmp_path / name))

    def published(report: Report, source: bytes = b"", file: str = "hw/cs5814_vae.py") -> tuple[Log, str, str]:
        log = Log()
        for command in github.publish(report, source, file):
            assert "\n" not in command
            log.read(command)
        return (
            log,
            (tmp_path / "GITHUB_STEP_SUMMARY").read_text("utf-8"),
            (tmp_path / "GITHUB_OUTPUT").read_text("utf-8"),
        )

    return published


def test_findings_are_annotated_and_what_waits_for_them_is_not(publish: Publish) -> None:
    log, summary, _ = publish(partial_report())
    titles = [properties["title"] for properties, _ in log.named("error")]
    assert titles == ["encoder: the heads", "loss_function: values on random minibatches", "loss_function: gradients"]
    assert summary == markdown.render(partial_report())


def test_a_perfect_report_has_no_annotation(publish: Publish) -> None:
    assert not publish(perfect_report())[0].named("error")


def test_a_hostile_report_stays_within_its_commands(publish: Publish) -> None:
    log, summary, outputs = publish(hostile_report())
    assert [name for name, _, _ in log.commands] == ["error"] * github.ANNOTATIONS + ["notice"] * 2
    assert all(properties.keys() == {"title"} for properties, _ in log.named("error"))
    assert [line.split("=")[0] for line in outputs.splitlines()] == ["score", "max-score", "result"]
    assert len(summary.encode()) < 1 << 20  # GitHub takes no more


def test_the_longest_summary_is_taken(publish: Publish) -> None:
    worst = "@" * 5000
    hints = [Hint(worst, worst, worst)]
    checks = {
        part.name: [Check(f"{index}{worst}", Outcome.FAILED, 0, 1, f"{index}{worst}", hints) for index in range(6)]
        for part in CVAE.parts
    }
    assert len(publish(report_of(checks, output="\N{HUGGING FACE}" * 100_000))[1].encode()) < 1 << 20


@pytest.mark.parametrize("line", [7, 14, None])
def test_a_finding_stands_at_the_definition_of_its_part(publish: Publish, line: int | None) -> None:
    report = report_of({"forward": [Check("it works", Outcome.FAILED, 0, 5, "No.")]})
    next(part for part in report.parts if part.checks).line = line
    ((properties, _),) = publish(report, b"\n" * 20)[0].named("error")
    assert properties.get("line") == (line and str(line))
    assert properties.get("file") == (line and "hw/cs5814_vae.py")


@pytest.mark.parametrize(("named", "line"), [(5, 5), (0, 14), (-3, 14), (10**9, 14), (None, 14)])
def test_a_line_that_an_exception_names_counts_if_there_is_one(
    publish: Publish, named: int | None, line: int | None
) -> None:
    report = report_of({"sample_latent": [Check("x", Outcome.ERROR, 0, 5, "ValueError", line=named)]})
    next(part for part in report.parts if part.checks).line = 14
    ((properties, _),) = publish(report, b"\n" * 20)[0].named("error")
    assert properties["line"] == str(line)


@pytest.mark.parametrize(("named", "line"), [(2, "2"), (3, None), (None, None)])
def test_a_module_that_cannot_be_read_gives_one_annotation(
    publish: Publish, named: int | None, line: str | None
) -> None:
    report = unreadable_report()
    for part in report.parts:
        for check in part.checks:
            check.line = named
    ((properties, message),) = publish(report, b"x = 1\ndef f(:")[0].named("error")
    assert message == report.error
    assert properties.get("line") == line


def test_points_for_the_reporter_hold_no_word_of_the_submission(publish: Publish) -> None:
    outputs = dict(line.split("=", 1) for line in publish(unreadable_report())[2].splitlines())
    assert all(test["message"] == "not reached" for test in result_of(outputs)["tests"])
