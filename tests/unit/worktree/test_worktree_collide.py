"""Names that some file systems cannot tell apart."""

from unicodedata import normalize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oxcore.errors import UnsavedError
from oxcore.model.entries import Entry
from oxcore.worktree import Writer, collisions, fold, folds_case, folds_unicode, placing

NFC = "caf\u00e9".encode()
NFD = "cafe\u0301".encode()


def test_groups():
    assert collisions([b"a", b"b"]) == []
    assert collisions([b"A", b"b", b"a"]) == [(b"A", b"a")]
    assert collisions([NFC, NFD]) == [tuple(sorted((NFC, NFD)))]
    assert collisions([b"STRASSE", "straße".encode()]) == [(b"STRASSE", "straße".encode())]
    assert collisions([b"Readme", b"README", b"readme", b"x"]) == [
        (b"README", b"Readme", b"readme")
    ]


def test_folders_meet_too():
    assert collisions([b"A/x", b"a/y"]) == [(b"A", b"a")]
    assert collisions([b"A/x", b"a/x"]) == [(b"A", b"a"), (b"A/x", b"a/x")]
    assert collisions([b"A", b"a/b"]) == [(b"A", b"a")]
    assert collisions([b"d/e/f", b"d/e/g", b"d/h"]) == []


def test_bytes_that_are_not_utf8_stand_for_themselves():
    assert collisions([b"\xe9", b"\xc9", b"\xff"]) == []
    assert collisions([b"\xffA", b"\xffa"]) == [(b"\xffA", b"\xffa")]


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=8))
def test_case_and_form_do_not_matter_to_fold(text):
    text = text.encode("utf-8", "ignore").decode()
    folded = fold(text.encode())
    for form in ("NFC", "NFD"):
        assert fold(normalize(form, text).encode()) == folded
    assert fold(folded) == folded


def test_the_file_system_is_asked(tmp_path):
    (tmp_path / "probe").touch()
    assert folds_case(str(tmp_path)) == (tmp_path / "PROBE").exists()
    (tmp_path / NFC.decode()).touch()
    assert folds_unicode(str(tmp_path)) == (tmp_path / NFD.decode()).exists()
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("other", [b"DATA", b"Data"])
def test_two_names_for_one_file_never_overwrite(tmp_path, monkeypatch, other):
    """A file system that folds case, played by folding what the rename is asked for."""
    real = placing.rename_new()
    monkeypatch.setattr(
        placing, "rename_new", lambda: lambda folder, old, new: real(folder, old, new.lower())
    )
    with Writer(str(tmp_path)) as writer:
        writer.write(b"data", Entry(1, 3, bytes(32)), b"one")
        with pytest.raises(UnsavedError):
            writer.write(other, Entry(1, 3, bytes(32)), b"two")
    assert (tmp_path / "data").read_bytes() == b"one"
