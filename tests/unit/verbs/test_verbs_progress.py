"""What long work tells: how much there is to do, where somebody is looking."""

from pathlib import Path

import pytest

from oxcore.api.repo import Repo
from oxcore.model.commits import Person
from oxcore.model.settings import Settings


class Told:
    """A progress that notes what it is told."""

    def __init__(self, *, visible: bool) -> None:
        self.visible = visible
        self.phases: list[tuple[str, int | None, str]] = []
        self.count = self.nbytes = 0

    def start(self, what: str, total: int | None = None, unit: str = "") -> None:
        """Note a phase."""
        self.phases.append((what, total, unit))

    def step(self, count: int = 1, nbytes: int = 0) -> None:
        """Count steps."""
        self.count += count
        self.nbytes += nbytes

    def done(self) -> None:
        """Do nothing."""


@pytest.mark.parametrize("visible", [True, False])
def test_a_first_add_knows_how_many_files_there_are(tmp_path: Path, *, visible: bool) -> None:
    told = Told(visible=visible)
    for number in range(30):
        place = tmp_path / f"d{number % 3}" / f"f{number}"
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(b"x" * number)
    (tmp_path / ".oxignore").write_text("*.log\n")
    (tmp_path / "d0" / "noise.log").write_text("noise")
    with Repo.init(str(tmp_path), settings=Settings(Person("Ada"), progress=told)) as repo:
        repo.add()
        assert told.phases == [("add", 31 if visible else None, "files")]
        assert (told.count, told.nbytes) == (31, sum(range(30)) + 6)
        (tmp_path / "d1" / "one more").write_text("1")
        repo.add()
        assert told.phases[1:] == [("add", None, "files")]  # most are known: no walk ahead


def test_a_pattern_is_not_counted_ahead(tmp_path: Path) -> None:
    told = Told(visible=True)
    (tmp_path / "a.txt").write_text("a")
    with Repo.init(str(tmp_path), settings=Settings(Person("Ada"), progress=told)) as repo:
        repo.add(["*.txt"])
    assert told.phases == [("add", None, "files")]


def test_a_large_file_is_told_of_while_it_is_read(tmp_path: Path) -> None:
    told = Told(visible=False)
    steps: list[tuple[int, int]] = []
    told.step = lambda count=1, nbytes=0: steps.append((count, nbytes))  # type: ignore[method-assign]
    (tmp_path / "large").write_bytes(bytes(30 << 20))
    with Repo.init(str(tmp_path), settings=Settings(Person("Ada"), progress=told)) as repo:
        repo.add()
    assert sum(count for count, _ in steps) == 1
    assert sum(nbytes for _, nbytes in steps) == 30 << 20
    assert len(steps) > 5
