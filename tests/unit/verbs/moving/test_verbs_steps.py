"""Changes in columns give back what went in; runs are the folders, in order."""

from hypothesis import given, settings
from hypothesis import strategies as st

from oxcore.index import pack_row, row_entry
from oxcore.model.entries import Change, Entry
from oxcore.verbs.moving import steps as steps_module
from oxcore.verbs.moving.steps import Steps

entries = st.builds(
    Entry, st.integers(1, 3), st.integers(0, 2**53 - 1), st.binary(min_size=32, max_size=32)
)
names = st.lists(st.sampled_from([b"a", b"b", b"a-", b"\xff"]), min_size=1, max_size=4)
sides = st.tuples(st.none() | entries, st.none() | entries).filter(any)
changes = st.dictionaries(names.map(b"/".join), sides, max_size=30).map(
    lambda found: [Change(path, *found[path]) for path in sorted(found)]
)


@given(changes)
@settings(max_examples=60, deadline=None)
def test_what_goes_in_comes_out(given_changes):
    steps = Steps(iter(given_changes))
    assert list(steps) == given_changes
    assert [steps[place] for place in range(len(steps))] == given_changes
    olds, news = steps.modes(0, len(steps))
    for place, (_, old, new) in enumerate(given_changes):
        assert olds[place] == (old.mode if old else 0)
        assert news[place] == (new.mode if new else 0)
        assert steps.size(place) == (new.size if new else 0)
        if new is not None:
            assert steps.new(place) == new
            assert steps.packed_new(place) == pack_row(bytes(32), new)[32:]
            assert row_entry(bytes(32) + steps.packed_new(place)) == new


@given(changes, st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_runs_cover_all_folder_by_folder(given_changes, most):
    steps = Steps(given_changes)
    before, steps_module._MOST = steps_module._MOST, most
    try:
        runs = list(steps.runs())
    finally:
        steps_module._MOST = before
    assert [at for _, start, stop in runs for at in range(start, stop)] == list(range(len(steps)))
    for folder, start, stop in runs:
        assert 0 < stop - start <= most
        assert {path.rpartition(b"/")[0] for path in steps.paths[start:stop]} == {folder}
