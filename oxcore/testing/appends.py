"""What a remote does with files that many writers append; a part of ``testing.remotes``."""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from functools import partial
from pathlib import Path

from oxcore.chunk import ChunkParams
from oxcore.errors import InvalidError, MissingError, RejectedError
from oxcore.model.ids import content_id, parse_id
from oxcore.model.run import gathered
from oxcore.repo import Repository
from oxcore.testing.histories import files_of
from oxcore.testing.stores import expect, noise, refuses
from oxcore.transfer import Remote, fetch, objects_of_file
from oxcore.wire.append import Appended, AppendReply, AppendRequest


class AppendSuite(ABC):
    """The contract of ``Remote.append``."""

    @abstractmethod
    def new_remote(self, folder: Path) -> Remote:
        """An empty repository; what it needs lies in ``folder``."""

    def source(self, folder: Path) -> Repository:
        """A new repository to push from or to fetch into."""
        return Repository.init(str(folder / f"here-{secrets.token_hex(4)}"), bare=True)

    def test_append_adds_to_the_tip_there_is(self, tmp_path: Path) -> None:
        """Files of several writers: a union, and a retry changes nothing."""
        remote = self.new_remote(tmp_path)
        one, two = noise(1, 500_000), b"two"
        first = self.append(remote, {"d/one": one})
        second = self.append(remote, {"d/two": two})
        expect(first.added == second.added == 1, "both were new")
        expect(self.append(remote, {"d/one": one, "d/two": two}).added == 0, "there already")
        refs = remote.refs().refs
        expect(refs == {"refs/heads/b": second.commit}, "a retry moves nothing")
        here = self.source(tmp_path)
        fetch(here, remote, [parse_id(second.commit)])
        commit = here.commit(parse_id(second.commit))
        expect(commit.parents == (parse_id(first.commit),), "one on top of the other")
        expect(files_of(here, parse_id(second.commit)) == {b"d/one": one, b"d/two": two}, "union")

    def test_append_replaces_nothing(self, tmp_path: Path) -> None:
        """A path with another content, content that is not there, a size that lies."""
        remote = self.new_remote(tmp_path)
        tip = self.append(remote, {"d/one": b"one"}).commit
        refuses(RejectedError, partial(self.append, remote, {"d/one": b"other", "d/new": b"new"}))
        gone = AppendRequest("b", "m", (Appended("d/x", content_id(b"not there"), 9),))
        refuses(MissingError, partial(remote.append, gone))
        lying = AppendRequest("b", "m", (Appended("d/x", content_id(b"one"), 4),))
        refuses(InvalidError, partial(remote.append, lying))
        for path in ("../x", ".ox/x", "d//x", "d/one/x"):
            refuses(InvalidError, partial(self.append, remote, {path: b"one"}))
        expect(remote.refs().refs == {"refs/heads/b": tip}, "nothing happened")

    def append(self, remote: Remote, files: dict[str, bytes]) -> AppendReply:
        """Send these files, and append them to the branch b."""
        listed = tuple(Appended(path, content_id(d), len(d)) for path, d in files.items())
        params = ChunkParams()
        objects = (
            item for one in listed for item in objects_of_file(files[one.path], one.id, params)
        )
        remote.put(gathered(objects))
        return remote.append(AppendRequest("b", "message", listed))
