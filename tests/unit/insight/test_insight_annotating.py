"""One record looked at, and said something of: tags by a model of sets, labels, notes."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oxcore.errors import InvalidError, NotFoundError, UsageError
from oxcore.insight.examples import examples
from oxcore.insight.records import Captured, Shards
from oxcore.insight.shapes import EVENTS, RECORDS
from oxcore.tables import Source
from oxcore.testing import captured


@pytest.fixture
def seen(wild):
    """Three records, the first with an input and a tag."""
    records, events, files = captured.labelled("wild", [b"one"], suffix=".txt")
    records[0].update(tags=["night"], params={"order": 7}, status="ok")
    more = [{"output": {"label": "b"}}, {"status": "gap", "params": {"dropped": 3}}]
    for at, one in enumerate(more, 1):
        one["record_id"] = f"r{at:06}"
    wild.commit([*records, *more], events, files)
    return wild


def tags(wild, record="r000000", **reading):
    return wild.repo.record("deployed", "wild", record, **reading).now["tags"]


def test_a_record_is_shown_whole(seen):
    found = seen.repo.record("deployed", "wild", "r000000")
    assert found.fields["output"] == {"label": "guess"}
    assert found.fields["params"] == {"order": 7}
    assert found.fields["ts_start"] == captured.START
    assert set(found.fields) >= {"scores", "redactions", "licence", "schema_version"}
    assert (found.now["truth"], found.now["correct"]) == ("label 0", False)
    assert [(e["kind"], e["value"]) for e in found.events] == [("label", "label 0")]
    assert seen.repo.read(found.input_path, "deployed") == b"one"
    early = seen.repo.record("deployed", "wild", "r000000", as_of=captured.START)
    assert (early.now["truth"], early.events) == (None, [])
    assert seen.repo.record("deployed", "wild", "r000001").input_path is None


def test_what_is_no_record_is_told(seen):
    for record in ("r000002", "r9"):
        with pytest.raises(NotFoundError, match=f"no record {record} lies below wild"):
            seen.repo.record("deployed", "wild", record)
    tip = seen.repo.refs()["refs/heads/deployed"]
    with pytest.raises(NotFoundError, match="no record r9 lies below wild"):
        seen.repo.annotate("deployed", "wild", ["r000000", "r9"], "tag", ["x"])
    with pytest.raises(NotFoundError, match="no branch"):
        seen.repo.annotate("gone", "wild", ["r000000"], "tag", ["x"])
    with pytest.raises(InvalidError, match="a tag is text"):
        seen.repo.annotate("deployed", "wild", ["r000000"], "tag", [7])
    with pytest.raises(InvalidError, match="not JSON"):
        seen.repo.annotate("deployed", "wild", ["r000000"], "note", [object()])
    with pytest.raises(UsageError):
        seen.repo.annotate("deployed", "wild", [], "note", ["x"])
    assert seen.repo.refs()["refs/heads/deployed"] == tip, "then nothing is said"
    assert "refs/heads/gone" not in seen.repo.refs()


def test_a_correction_is_the_label_from_then_on(seen):
    commit = seen.repo.annotate("deployed", "wild", ["r000001"], "correction", [{"label": "c"}])
    assert seen.repo.refs()["refs/heads/deployed"] == commit.hex()
    found = seen.repo.record("deployed", "wild", "r000001")
    assert (found.now["truth"], found.now["truth_source"]) == ("c", "human")
    assert found.now["truth_author"] == "Ann"
    assert seen.repo.record("deployed~1", "wild", "r000001").now["truth"] is None


def test_notes_are_told_with_the_record(seen):
    seen.repo.annotate("deployed", "wild", ["r000000"], "note", ["dirty lens"], author="Bob")
    events = seen.repo.record("deployed", "wild", "r000000").events
    notes = [(e["value"], e["source"], e["author"]) for e in events if e["kind"] == "note"]
    assert notes == [("dirty lens", "human", "Bob")]


def test_tags_given_later_count_in_slices(seen):
    seen.repo.annotate("deployed", "wild", ["r000000", "r000001"], "tag", ["dusk", "far"])
    assert tags(seen) == ["dusk", "far", "night"]
    seen.repo.add_slice("dusk", tag="dusk")
    assert seen.repo.test_slice("dusk", "deployed", "wild") == (2, 2, ["r000000", "r000001"])
    seen.repo.annotate("deployed", "wild", ["r000000"], "untag", ["night", "dusk"])
    assert tags(seen) == ["far"]
    assert seen.repo.test_slice("dusk", "deployed", "wild")[0] == 1
    assert tags(seen, as_of=captured.START) == ["night"]


_SAID = st.tuples(
    st.sampled_from(["tag", "untag"]), st.lists(st.sampled_from("abn"), min_size=1, max_size=2)
)


@given(st.lists(_SAID, max_size=6))
@settings(max_examples=12, deadline=None)
def test_tags_are_a_set_that_events_change_in_their_order(said):
    def shards(rows, schema):
        data = captured.shard(rows, schema)
        return Shards([Source("s", len(data), lambda: io.BytesIO(data))], schema)

    events = [
        captured.event(at, record_id="r000000", kind=kind, value=values, ts=captured.START + at)
        for at, (kind, values) in enumerate(said)
    ]
    known = {"n"}
    for kind, values in said:
        known = known | set(values) if kind == "tag" else known - set(values)
    records = shards([captured.record(0, tags=["n"])], RECORDS)
    with examples(Captured(records, shards(events, EVENTS)), texts=("tags",)) as found:
        assert found.sql.rows("SELECT tags FROM examples") == [(sorted(known),)]
