"""``ox failures show|tag|correct|note``: records looked at and annotated from the shell."""

import pytest

from oxcore.api import Repo
from oxcore.model.commits import Moment, Person
from oxcore.model.settings import Settings
from oxcore.testing import captured


@pytest.fixture
def wild(repo):
    """A branch ``deployed`` with three records: a text, a picture's bytes, and no input."""
    records, events, files = captured.labelled("wild", [b"a \x1b[31mred\nfox", b"\x89PNG\xff\x00"])
    records[0].update(tags=["night"], confidence=0.9)
    settings = Settings(Person("Ann"), lambda: Moment(1_700_000_000_000_000, 0))
    opened = Repo.open(str(repo), settings=settings)
    with opened, opened.transaction("deployed", message="captured") as t:
        made = captured.files(1, "wild", [*records, {"record_id": "r2"}], events[:1])
        for path, data in {**made, **files}.items():
            t.put(path, data)
    return repo


ONE = ("deployed", "wild", "r000000")


def test_show_tag_correct_note(ox, wild, golden):
    ox("failures", "tag", *ONE, "r2", "--tag", "dusk", "--tag", "far", cwd=wild)
    ox("failures", "correct", *ONE, "dog", cwd=wild)
    ox("failures", "note", *ONE, "the lens\nis dirty", "--author", "Bob", cwd=wild)
    golden("failures_show", ox("failures", "show", *ONE, cwd=wild).out)
    dusk = ("--where", "list_contains(tags, 'dusk')", "--json")
    found = ox("failures", "deployed", "wild", *dusk, cwd=wild).json
    assert [one["record_id"] for one in found] == ["r000000", "r2"]
    assert found[0]["truth"] == "dog"


def test_a_tag_is_taken(ox, wild):
    said = ox("failures", "tag", *ONE, "--remove", "night", cwd=wild)
    assert said.out.startswith("took the tag from 1 record: commit ")
    assert ox("failures", "show", *ONE, "--json", cwd=wild).json["now"]["tags"] == []
    assert ox.fails("failures", "tag", *ONE, cwd=wild).code == 2
    assert ox.fails("failures", "tag", *ONE, "--tag", "a", "--remove", "b", cwd=wild).code == 2


def test_a_correction_may_be_a_whole_output(ox, wild):
    ox("failures", "correct", *ONE, '{"label": "dog", "box": [1]}', "--parse", cwd=wild)
    shown = ox("failures", "show", *ONE, "--json", cwd=wild).json
    assert shown["events"][-1]["value"] == {"label": "dog", "box": [1]}
    assert shown["now"]["truth"] == "dog"
    assert "not JSON" in ox.fails("failures", "correct", *ONE, "{", "--parse", cwd=wild).err


def test_an_input_is_written(ox, wild, tmp_path):
    other = ("deployed", "wild", "r000001")
    assert "PNG" not in ox("failures", "show", *other, cwd=wild).out, "no bytes on a terminal"
    place = str(tmp_path / "input.png")
    ox("failures", "show", *other, "-o", place, cwd=wild)
    with open(place, "rb") as file:
        assert file.read() == b"\x89PNG\xff\x00"
    assert ox.fails("failures", "show", *other, "-o", place, cwd=wild).code == 7
    ox("failures", "show", *ONE, "-o", place, "-f", cwd=wild)
    failed = ox.fails("failures", "show", "deployed", "wild", "r2", "-o", place, "-f", cwd=wild)
    assert "no input" in failed.err
    assert "no input was kept" in ox("failures", "show", "deployed", "wild", "r2", cwd=wild).out


def test_what_is_not_there(ox, wild):
    assert ox.fails("failures", "show", "deployed", "wild", "r9", cwd=wild).code == 5
    assert ox.fails("failures", "note", "deployed", "wild", "r9", "x", cwd=wild).code == 5
    assert ox.fails("failures", "note", "gone", "wild", "r000000", "x", cwd=wild).code == 5


def test_a_branch_that_is_called_as_a_verb(ox, wild):
    ox("branch", "note", "deployed", cwd=wild)
    out = ox("failures", "refs/heads/note", "wild", "--where", "true", cwd=wild).out
    assert "r000001" in out
