"""A fixed folder has a fixed root and a fixed commit, on every machine and in every release."""

import os
from pathlib import Path

from blake3 import blake3

from oxcore.api.repo import Repo
from oxcore.model.commits import Moment, Person
from oxcore.model.settings import Settings

ROOT = "2882ab2a89fcb48ae495514fd3a12e644aecefbe0013b40e7124100ab905981b"
COMMIT = "f208ea67dafb8ec45564af633da37490a22b8fce835189876802f587cbcc6cf8"


def make_folder(folder: Path) -> None:
    """Every kind of file that a dataset holds, out of one rule."""
    sizes = {b"empty": 0, b"one": 1, b"a/16384": 16384, b"a/16385": 16385, b"a-b": 10, b"a.b": 11}
    sizes |= {b"deep/%d/%d" % (n % 7, n): n * 37 for n in range(300)}
    sizes |= {b"large/1.bin": 3_000_000, "naïve/ключ".encode(): 5, b"latin-\xe9": 6}
    for path, size in sizes.items():
        place = os.path.join(os.fsencode(folder), path)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, "wb") as file:
            file.write(blake3(path).digest(length=size))
    os.chmod(os.path.join(os.fsencode(folder), b"a-b"), 0o755)
    os.symlink("a/16384", folder / "link")
    os.symlink("nowhere", folder / "deep" / "dangling")


def make_repo(folder: Path) -> tuple[str, str]:
    """Root and commit of the fixed folder, in hex."""
    settings = Settings(author=Person("Ada", "ada@example.org"), clock=lambda: Moment(10**15, 60))
    make_folder(folder)
    with Repo.init(str(folder), settings=settings) as repo:
        repo.add()
        made = repo.commit("the fixed folder")
    return made.commit.tree.hex(), made.id.hex()


def test_a_fixed_folder_has_a_fixed_root_and_commit(tmp_path: Path) -> None:
    assert make_repo(tmp_path / "one") == (ROOT, COMMIT)


def test_the_order_of_edits_does_not_show_in_the_root(tmp_path: Path) -> None:
    settings = Settings(author=Person("Ada"))
    folder = tmp_path / "slowly"
    folder.mkdir()
    with Repo.init(str(folder), settings=settings) as repo:
        (folder / "zzz").write_bytes(b"goes again")
        repo.add()
        make_folder(folder)
        for start in (b"large", b"deep/3", b"a"):
            repo.add([start])
        (folder / "zzz").unlink()
        (folder / "one").write_bytes(b"other")
        repo.add()
        (folder / "one").write_bytes(blake3(b"one").digest(length=1))
        repo.add()
        assert repo.commit("done").commit.tree.hex() == ROOT
