"""Tags: light and annotated, listed, moved, deleted."""

import pytest

from oxcore.errors import ExistsError, InvalidError, NotFoundError, UsageError
from oxcore.model.commits import Person


def test_light_and_annotated(desk):
    first, second = desk.commit({"a": "1"}, "one"), desk.commit({"a": "2"}, "two")
    light = desk.repo.tag("v1", "HEAD~1")
    assert (light.commit, light.id, light.message, light.annotated) == (first, None, None, False)
    assert (light.title, light.tagger) == ("one", Person("Ann"))
    note = desk.repo.tag("v2", message="the second\n\nwith more\n")
    assert (note.commit, note.annotated, note.message) == (
        second,
        True,
        "the second\n\nwith more",
    )
    assert desk.repo.refs()["refs/tags/v2"] == note.id.hex()
    assert desk.core.tag(note.id).target == second
    assert desk.repo.tags() == [light, note]
    again = desk.repo.tag("v2-again", "v2")
    assert (again.commit, again.id) == (second, None)


def test_patterns(desk):
    desk.commit({"a": "1"})
    for name in ("v1.0", "v1.1", "w", "set/v1"):
        desk.repo.tag(name)
    assert [tag.name for tag in desk.repo.tags(["v1.*"])] == ["v1.0", "v1.1"]
    assert [tag.name for tag in desk.repo.tags(["*v1", "w"])] == ["set/v1", "w"]
    assert desk.repo.tags(["nope*"]) == []


def test_moving_and_deleting(desk):
    first = desk.commit({"a": "1"})
    second = desk.commit({"a": "2"})
    desk.repo.tag("v1", "HEAD~1")
    with pytest.raises(ExistsError):
        desk.repo.tag("v1")
    assert desk.repo.tags()[0].commit == first
    assert desk.repo.tag("v1", force=True).commit == second
    desk.repo.tag("v2")
    with pytest.raises(NotFoundError):
        desk.repo.delete_tags(["v1", "nope"])
    gone = desk.repo.delete_tags(["v2", "v1", "v2"])
    assert [tag.name for tag in gone.tags] == ["v2", "v1"]
    assert gone.operation == desk.core.view().number
    assert desk.repo.tags() == []


def test_what_cannot_be_tagged(desk):
    with pytest.raises(NotFoundError):
        desk.repo.tag("v1")
    desk.commit({"a": "1"})
    with pytest.raises(InvalidError):
        desk.repo.tag("v 1")
    with pytest.raises(NotFoundError):
        desk.repo.tag("v1", "nope")
    with pytest.raises(UsageError, match="empty"):
        desk.repo.tag("v1", message=" \n")
    with pytest.raises(InvalidError, match="NUL"):
        desk.repo.tag("v1", message="a\0b")
    desk.core.settings.author = None
    with pytest.raises(UsageError, match="who are you"):
        desk.repo.tag("v1", message="m")
    assert desk.repo.tags() == []
