"""The worker: imports torch once, then forks one child for each submission and each crash of one.

The parent never sees a submission: it hands each child a channel to the client and tidies up after it. The child
gives up what it can (see `confine`), then does what the client's frames ask (see `service`).
"""

from __future__ import annotations

import contextlib
import errno
import gc
import json
import os
import resource
import select
import shutil
import signal
import socket
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
import torch.distributions

from autograder.sandbox import confine, filter, isolation
from autograder.sandbox.limits import LIMITS
from autograder.sandbox.outline import describe
from autograder.sandbox.protocol import ChannelClosed, receive, send
from autograder.sandbox.service import Service, load
from autograder.sandbox.supervisor import Supervisor

USERS = range(60706, 61184)  # unused by people and services, by systemd's table of user ids
CONFINED = b"confined"  # what a child says before it sees a submission


def main(level: str, control: socket.socket, module: str, scratch: Path, training_file: Path | None) -> None:
    """Serve the client's orders until it hangs up: b"S" with two descriptors spawns a child, b"K" kills it.

    Submissions are imported from a file called `module`; `training_file` has the loop that trains them.
    """
    confine.hide_memory()
    confine.adopt_orphans()
    torch.set_num_threads(1)
    torch.compile = _leave_as_it_is  # a compiled function computes the same, but the compiler starts processes
    _remove_folders_by_path()
    separate = level == "confined" and confine.can_become(USERS[0])
    training = None if training_file is None else load("training", training_file)
    _warm_up(training)
    torch.default_generator.manual_seed(0)  # or random numbers at import would differ between workers
    gc.collect()
    gc.freeze()  # children share these pages instead of touching them
    wakeup, wakeup_write = os.pipe()
    os.set_blocking(wakeup_write, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakeup_write, warn_on_full_buffer=False)
    control.sendall(json.dumps({"ready": True, "torch": torch.__version__}).encode() + b"\n")
    while True:
        orders, descriptors, _, _ = socket.recv_fds(control, 16, 2)  # a channel, and where output goes
        if not orders:
            os._exit(0)  # at once: unloading torch takes seconds
        if not orders.endswith(b"S"):
            continue  # a kill that crossed with its child's own end
        home = scratch / "submission"  # no number: a module must not see how many came before it
        home.mkdir(mode=0o700)
        with contextlib.ExitStack() as stack:
            user = stack.enter_context(_user()) if separate else None
            told, telling = (stack.enter_context(end) for end in socket.socketpair())
            parent, child = os.getpid(), os.fork()
            if child == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                control.close()
                _become_child(level, home / module, training, user, parent, telling, *descriptors)
            telling.close()
            for descriptor in descriptors:
                os.close(descriptor)
            status, failure = _attend(child, control, wakeup, told, home, user)
            _kill_descendants()
            confine.remove_contents(scratch)
        if status is None:
            os._exit(0)
        control.sendall(json.dumps({"status": status, "failure": failure}).encode() + b"\n")


@contextlib.contextmanager
def _user() -> Iterator[int]:
    """A user that no other worker's submission has, while the context lasts."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as claim:
        yield next(user for user in USERS if _claimed(claim, user))


def _claimed(claim: socket.socket, user: int) -> bool:
    try:
        claim.bind(f"\0autograder-user-{user}")
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        return False
    return True


def _leave_as_it_is(model: Any = None, **_: Any) -> Any:
    """Replace torch.compile: return the function or module itself, also as a decorator with options."""
    return _leave_as_it_is if model is None else model


def _remove_folders_by_path() -> None:
    """Have shutil, and so tempfile, remove folders by path: the supervisor cannot tell what a descriptor is open on."""
    # Python has no public switch. Where these names are gone, such a removal fails as it would without them.
    if hasattr(shutil, "_use_fd_functions"):
        shutil._use_fd_functions = False
    if hasattr(shutil, "_rmtree_impl"):  # since Python 3.14
        shutil._rmtree_impl = shutil._rmtree_unsafe  # type: ignore[attr-defined]


def _warm_up(training: ModuleType | None) -> None:
    """Do once what each child would otherwise do first: a training step, and a frame sent and read."""
    if training is not None:
        training.warm_up()
    describe(b"def warm(up): ...")
    ours, theirs = socket.socketpair()
    with ours, theirs:
        send(ours, {}, {"numbers": torch.rand(2, 64)})
        receive(theirs)


def _attend(
    child: int, control: socket.socket, wakeup: int, told: socket.socket, home: Path, user: int | None
) -> tuple[int | None, str | None]:
    """Answer the child's calls until it ends or is killed.

    Through `told`, the child sends its descriptors for the supervisor, and what it says of its confinement: CONFINED,
    or why that failed. It then closes its end, before it sees a submission.

    Returns its wait status, or None if the client left, and why the child was not confined, or None if it was.
    """
    supervisor: Supervisor | None = None
    said = b""
    waiting: list[Any] = [control, wakeup, told]
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        ready, _, _ = select.select(waiting, [], [])
        if wakeup in ready:
            os.read(wakeup, 4096)
        if told in ready:
            heard, descriptors, _, _ = socket.recv_fds(told, 4096, 2)
            said += heard
            if descriptors:
                supervisor = Supervisor(descriptors[0], descriptors[1], home, user, LIMITS)
                waiting.append(supervisor)
            elif not heard:
                waiting.remove(told)
        elif supervisor and supervisor in ready:
            supervisor.answer()
        if control in ready:
            os.kill(child, signal.SIGKILL)
            if not control.recv(16):
                waiting.remove(control)
    if supervisor:
        supervisor.close()
    while told in waiting and (heard := told.recv(4096)):
        said += heard
    failure = None if said.strip() == CONFINED else said.decode(errors="replace").strip() or "the process ended"
    return (status if control in waiting else None), failure


def _kill_descendants() -> None:
    """End every process that the child left behind; orphans have become this process's children."""
    if sys.platform == "linux":
        for _ in range(1000):
            own = f"/proc/self/task/{os.getpid()}/children"
            children = Path(own).read_text().split() if Path(own).exists() else []
            for pid in children:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            try:
                while os.waitpid(-1, 0 if children else os.WNOHANG)[0]:
                    pass
            except ChildProcessError:
                return


def _become_child(
    level: str,
    path: Path,
    training: ModuleType | None,
    user: int | None,
    parent: int,
    telling: socket.socket,
    channel: int,
    output: int,
) -> None:
    """Turn this fork into the process of a submission that will lie at `path`. Never returns."""
    code, home = 1, path.parent
    try:
        os.setsid()
        gone = os.open(os.devnull, os.O_RDONLY)
        os.dup2(gone, 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        kept = os.dup2(channel, 3, inheritable=False)
        telling = socket.socket(fileno=os.dup2(telling.detach(), 4, inheritable=False))
        os.closerange(5, 4096)
        sys.stdin = os.fdopen(0)
        sys.stdout, sys.stderr = (os.fdopen(each, "w", buffering=1, errors="replace") for each in (1, 2))
        os.chdir(home)
        os.environ["HOME"] = os.environ["TMPDIR"] = str(home)
        with telling:
            try:
                _confine(level, home, user, parent, telling)
            except Exception as error:
                telling.sendall(f"{type(error).__name__}: {error}".encode()[:2000])
                return
            telling.sendall(CONFINED)
        Service(socket.socket(fileno=kept), path, training).serve()
        code = 0
    except ChannelClosed:
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _confine(level: str, home: Path, user: int | None, parent: int, telling: socket.socket) -> None:
    memory = confine.open_memory()
    confine.die_first()
    confine.limit_resources(LIMITS)
    if level == "confined":
        if user is not None:
            os.chown(home, user, user)
        landlock = confine.has_landlock()
        if user is None and not landlock:
            raise confine.NotSupportedError(0, "neither Landlock nor another user confines this process")
        if landlock:
            readable, listable = _visible_files()
            confine.restrict_files(readable, [home, Path("/dev/null")], listable)
        if user is not None:  # without Landlock, file modes alone protect what can be read
            confine.become(user, keep_reading=landlock)
    if user is None:
        confine.keep_capabilities()
    confine.end_with_parent(parent)
    try:
        listener = filter.supervise()
        socket.send_fds(telling, [b" "], [listener, memory])
        os.close(listener)
    except confine.NotSupportedError:
        pass  # then its files and threads are not counted; `autograder doctor` says so
    os.close(memory)
    try:
        filter.restrict()
    except confine.NotSupportedError:
        if level != "process":
            raise
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))


def _visible_files() -> tuple[list[Path], list[Path]]:
    """What Landlock lets a submission read and list: the interpreter and packages, without the autograder."""
    readable, listable = list(isolation.WORKER_FILES), []
    for path in isolation.interpreter_paths():
        protected = [
            each for each in (isolation.PACKAGE.parent, isolation.PACKAGE) if each.is_relative_to(path) and each != path
        ]
        if not protected:
            readable.append(path)
            continue
        # Grant all siblings on the way down to the protected folder.
        keep = protected[0] if (protected[0] / "pyproject.toml").exists() else protected[-1]
        folder = path
        listable.append(path)
        while folder != keep:
            step = next(each for each in (keep, *keep.parents) if each.parent == folder)
            readable.extend(each for each in folder.iterdir() if each != step)
            folder = step
    readable += [Path(f"/dev/{name}") for name in ("null", "zero", "random", "urandom")]
    readable += [Path("/proc/cpuinfo"), Path("/sys/devices/system/cpu")]  # torch asks for the processor's features
    return readable, listable


if __name__ == "__main__":
    # Under the lowest number that is free: select() and closerange() below take no large ones.
    inherited = int(sys.argv[2])
    lowest = os.dup(inherited)
    os.close(inherited)
    main(
        sys.argv[1],
        socket.socket(fileno=lowest),
        sys.argv[3],
        Path(sys.argv[4]),
        Path(sys.argv[5]) if len(sys.argv) > 5 else None,
    )
