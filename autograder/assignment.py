"""What the engine knows of an assignment: its parts with their points, and where its files are.

An assignment is one folder whose `assignment.py` defines `ASSIGNMENT`. The engine imports no assignment directly:
`load` finds one by its name in `autograder/assignments/`, or by the path of its folder.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import ModuleType

from autograder.points import exact, split, total

_INSTALLED = Path(__file__).resolve().with_name("assignments")
_PACKAGE = f"{__package__}.assignments"


class NoSuchAssignment(ValueError):
    """No assignment has this name or is in this folder, or several are installed and none is named."""


class BadAssignment(ValueError):
    """An assignment's description is wrong: impossible points, two parts of one name, or an unclear date."""


@dataclass(frozen=True)
class Part:
    """One graded part.

    Attributes:
        name: of its pytest mark, and in every report.
        points: above 0, with at most two decimal places. BadAssignment otherwise.
        section: the section of the notebook that teaches it.
        place: where the module defines it: a function's name, or those of a class and its method.
        attributes: what of the class it is about, if that is more than the attribute of its name.
        stand_in: whether the reference replaces this function in later checks, once it failed.
        follows: parts that this one builds on: if one of them failed, it may be the only cause of a failure here.
    """

    name: str
    points: float
    section: str
    place: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    stand_in: bool = False
    follows: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _require_points(self)


@dataclass(frozen=True)
class ByHand:
    """Points that a TA gives by hand: the name of the notebook's task cell, and what the TA looks at.

    Where `cells` names several task cells, with their weights, these share the points; their grade_ids are its keys.
    """

    name: str
    points: float
    what: str
    cells: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _require_points(self)

    @property
    def shares(self) -> dict[str, float]:
        """The points of each task cell, by its grade_id."""
        weights = self.cells or {self.name: 1}
        return dict(zip(weights, split(self.points, list(weights.values())), strict=True))


def _require_points(worth: Part | ByHand) -> None:
    """Make the points of `worth` exact; BadAssignment if they are not valid points."""
    try:
        object.__setattr__(worth, "points", exact(worth.points))
    except ValueError as error:
        raise BadAssignment(f"{worth.name} has {error}") from None


@dataclass(frozen=True, eq=False)
class Assignment:
    """Everything that the engine knows of an assignment.

    Attributes:
        folder: the assignment's folder. Its name is the name of the assignment.
        root: the folder with what students and instructors edit: notebook, fill-in, examples and manuals. By default
            the same as `folder`.
        course, title: as shown at the top of a report.
        module: the file that students hand in; the instructor's is `solution/<module>`.
        parts: in reading order.
        due: ISO 8601, with the time and its offset from UTC. BadAssignment otherwise.
        kit: the name of the students' folder and zip, and of the assignment in nbgrader.
        notebook: the students' notebook, below `root`.
        seed: for everything that is drawn only once.
        kit_files: other files that students get: their path below `root`, by their name in the kit.
        by_hand: what a TA grades by hand, if anything.
        interface: names of attributes that the module's classes must have.
        notebook_environment: variables that shorten the notebook's run when only its figures are needed.
        data_folder: the folder of the kit that holds data for machines without a network.
        training: the one file of the assignment that the sandbox sees: the training loop.
        no_grade_depends_on: files, and names in assignment.py, that no grade depends on.
    """

    folder: Path
    course: str
    title: str
    module: str
    parts: tuple[Part, ...]
    due: str
    kit: str
    notebook: str
    root: Path = Path()
    seed: int = 0
    kit_files: Mapping[str, str] = field(default_factory=dict)
    by_hand: ByHand | None = None
    interface: tuple[str, ...] = ()
    notebook_environment: Mapping[str, str] = field(default_factory=dict)
    data_folder: str = ""
    training: str = ""
    no_grade_depends_on: Collection[str] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "folder", self.folder.resolve())
        object.__setattr__(self, "root", (self.folder / self.root).resolve())
        names = [part.name for part in self.parts] + list(self.by_hand.shares if self.by_hand else ())
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise BadAssignment(f"two parts are called {twice}")
        due_date(self.due)

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def names(self) -> tuple[str, ...]:
        """What staff call it in their files: the kit's name, the title, and what is before a colon in that."""
        return tuple(dict.fromkeys((self.kit, self.title, self.title.split(":")[0])))

    @property
    def where(self) -> str:
        """What `load` takes, in another process too: the name, or the path of a folder that is not installed."""
        return self.name if self.folder.parent == _INSTALLED else str(self.folder)

    @property
    def points(self) -> float:
        """The points of all parts, without those given by hand."""
        return total(part.points for part in self.parts)

    @property
    def checks(self) -> Path:
        """The folder of the graded checks, pytest files."""
        return self.folder / "checks"

    @property
    def solution(self) -> Path:
        """The instructor's module, with solution markers."""
        return self.folder / "solution" / self.module

    @property
    def training_file(self) -> Path | None:
        return self.folder / self.training if self.training else None

    @property
    def reference(self) -> ModuleType:
        """The instructor's module, imported. It imports torch."""
        return self.piece(f"solution.{Path(self.module).stem}")

    def part(self, name: str) -> Part:
        """The part called `name`; KeyError if there is none."""
        return {part.name: part for part in self.parts}[name]

    def piece(self, name: str) -> ModuleType:
        """A module of the assignment, by its dotted name below the folder."""
        return importlib.import_module(f"{_PACKAGE}.{self.name}.{name}")

    def has(self, name: str) -> bool:
        """Whether the assignment has the optional piece `name`."""
        return (self.folder / f"{name.replace('.', '/')}.py").is_file()


def due_date(text: str) -> datetime:
    """The moment in `text`, in the one form that all programs read the same way. BadAssignment otherwise."""
    form = r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?([+-]\d\d:\d\d|Z)"
    try:
        if re.fullmatch(form, text, re.ASCII):
            return datetime.fromisoformat(text)
        reason = ""
    except ValueError as error:
        reason = f" ({error})"
    raise BadAssignment(
        f"DUE is {text!r}{reason}; write date, time and offset from UTC like '2026-11-30T23:59:00-05:00'"
    )


def installed() -> list[str]:
    """The names of the installed assignments."""
    return sorted(path.parent.name for path in _INSTALLED.glob("*/assignment.py"))


def load(where: str | Path | None = None) -> Assignment:
    """The assignment of this name, or in this folder; by default the only one that is installed.

    NoSuchAssignment if there is none, or more than one; BadAssignment if its description is wrong.
    """
    if where is None:
        names = installed()
        if len(names) != 1:
            raise NoSuchAssignment(f"name an assignment: {', '.join(names) or 'none is installed'}")
        where = names[0]
    folder = Path(where)
    if str(where) not in installed():
        if not (folder / "assignment.py").is_file():
            raise NoSuchAssignment(
                f"there is no assignment {str(where)!r}: name one of {', '.join(installed())}, or a folder that holds "
                "an assignment.py"
            )
        folder = folder.resolve()
        _adopt(folder)
    found = getattr(importlib.import_module(f"{_PACKAGE}.{folder.name}.assignment"), "ASSIGNMENT", None)
    if not isinstance(found, Assignment):
        raise NoSuchAssignment(f"{folder / 'assignment.py'} does not define ASSIGNMENT, an `Assignment`")
    return found


def _adopt(folder: Path) -> None:
    """Make a folder elsewhere importable like an installed assignment."""
    if not folder.name.isidentifier():
        plain = re.sub(r"\W", "_", folder.name)
        raise NoSuchAssignment(
            f"Python cannot import from a folder called {folder.name!r}: rename it, for example to {plain!r}"
        )
    package = f"{_PACKAGE}.{folder.name}"
    known = sys.modules.get(package)
    if known is not None:
        if Path(known.__path__[0]) != folder:
            raise NoSuchAssignment(f"another assignment named {folder.name!r} is in use: rename {folder}")
        return
    spec = importlib.util.spec_from_loader(package, loader=None, is_package=True)
    assert spec is not None
    spec.submodule_search_locations = [str(folder)]
    importlib.import_module(_PACKAGE)
    sys.modules[package] = importlib.util.module_from_spec(spec)
