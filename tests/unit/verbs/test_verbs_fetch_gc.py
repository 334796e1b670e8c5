"""A fetch and a garbage collection at once: what the fetch found here is still here in the end."""

from pathlib import Path

import pytest

from oxcore import verbs
from oxcore.api.repo import Repo
from oxcore.model.commits import Person
from oxcore.model.settings import Settings
from oxcore.repo import Repository

SETTINGS = Settings(author=Person("Ada"))


def test_a_fetch_gets_again_what_was_collected_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Repo.init(str(tmp_path / "theirs"), settings=SETTINGS) as theirs:
        (Path(theirs.path) / "new.bin").write_bytes(b"n" * 5000)
        theirs.add()
        theirs.commit("there")
    with Repo.init(str(tmp_path / "ours"), settings=SETTINGS) as ours:
        (Path(ours.path) / "same.bin").write_bytes(b"n" * 5000)
        ours.add()  # the content is here, and soon nothing leads to it
        ours.rm(["same.bin"], force=True)
        ours.add_remote("origin", str(tmp_path / "theirs"))
        real, calls = verbs.fetch.transfer, []

        def collect_behind(*args: object, **more: object) -> object:
            calls.append(1)
            report = real(*args, **more)
            if len(calls) == 1:
                with Repo.open(str(tmp_path / "ours"), settings=SETTINGS) as other:
                    other.gc(grace=0, keep_operations=0)
            return report

        monkeypatch.setattr(verbs.fetch, "transfer", collect_behind)
        ours.fetch("origin")
        assert len(calls) == 2
        assert ours.read("new.bin", "origin/main") == b"n" * 5000
        assert ours.fsck().sound


def test_packs_that_went_are_told_by_name_and_by_gap(tmp_path: Path) -> None:
    with Repo.init(str(tmp_path), settings=SETTINGS) as repo:
        core = Repository.open(str(tmp_path), SETTINGS)
        empty = dict(core.index.locations.packs())
        (tmp_path / "a").write_bytes(b"kept")
        repo.add()
        repo.commit("one")
        before = dict(core.index.locations.packs())
        assert not core.packs_lost(empty)
        assert not core.packs_lost(before)
        names = core.index.locations.packs()
        core.index.locations.drop_packs([names[min(names)]])
        assert core.packs_lost(before)  # one that was there is gone
        assert core.packs_lost(empty)  # one came and went in between
        core.close()
