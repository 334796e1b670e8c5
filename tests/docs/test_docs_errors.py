"""docs/errors.md, oxcli/exits.py and the classes of oxcore/errors.py say the same."""

import re
from pathlib import Path

import pytest

from oxcli.exits import BROKEN_PIPE, EXITS, INTERRUPTED, code_of
from oxcli.render.failure import Internal
from oxcore import errors

PAGE = Path(__file__).parents[2] / "docs" / "errors.md"


def rows():
    lines = [
        line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")
    ]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def classes():
    found = [
        c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, errors.OxError)
    ]
    return [c for c in found if c is not errors.OxError]


def test_the_page_lists_every_kind_with_its_code_and_no_other():
    assert {row[0].strip("`"): int(row[1]) for row in rows()} == EXITS


def test_the_page_names_every_class_and_no_other():
    documented = {row[2].strip("`"): row[0].strip("`") for row in rows() if row[2]}
    assert documented == {c.__name__: c.kind for c in classes()}


def test_every_class_has_a_code_and_every_code_a_class():
    assert {c.kind for c in [*classes(), Internal]} == set(EXITS)


def test_no_two_kinds_share_a_code():
    codes = [*EXITS.values(), INTERRUPTED, BROKEN_PIPE]
    assert len(set(codes)) == len(codes)
    assert 0 not in codes


def test_the_tree_at_the_top_of_the_module_shows_every_class_with_its_kind():
    drawn = dict(re.findall(r"-- (\w+) .*kind ([\w-]+)$", errors.__doc__, re.MULTILINE))
    assert drawn == {c.__name__: c.kind for c in classes()}


def test_the_page_names_the_two_signals():
    text = PAGE.read_text(encoding="utf-8")
    assert f"{INTERRUPTED} when it was interrupted" in text
    assert f"{BROKEN_PIPE} when" in text


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_every_row_says_what_it_means_what_to_do_and_how_it_looks(row):
    assert len(row) == 6
    assert all(row[3:])


def test_an_unknown_kind_is_a_fault_of_ours():
    assert code_of("no-such-kind") == 70
