"""``ox rule``: rules in files, tested on captured records, and applied to them."""

import pytest

from oxcore.api import Repo
from oxcore.model.commits import Moment, Person
from oxcore.model.settings import Settings
from oxcore.testing import captured


@pytest.fixture
def wild(repo):
    """A branch ``deployed`` with 12 records, of which 8 are labelled."""
    inputs = [f"sentence {n}".encode() for n in range(12)]
    records, events, media = captured.labelled("wild", inputs)
    for event in events:
        event["value"] = "cat"
    settings = Settings(Person("Ann"), lambda: Moment(1_700_000_000_000_000, 0))
    opened = Repo.open(str(repo), settings=settings)
    with opened, opened.transaction("deployed", message="captured") as t:
        for path, data in (captured.files(1, "wild", records, events[:8]) | media).items():
            t.put(path, data)
    return repo


def test_add_list_test_apply(ox, wild, golden):
    said = [ox("rule", cwd=wild).out]
    early = ("--where", "record_id < 'r000010'", "--label", "cat", "--about", "the early ones")
    said.append(ox("rule", "add", "early", *early, cwd=wild).out)
    ox("rule", "add", "late", "--where", "record_id >= 'r000009'", "--label", "dog", cwd=wild)
    said.append(ox("rule", "list", cwd=wild).out)
    said.append(ox("rule", "test", "deployed", "wild", cwd=wild).out)
    said.append(ox("rule", "apply", "deployed", "wild", "-n", cwd=wild).out)
    said.append(ox("rule", "apply", "deployed", "wild", cwd=wild).out)
    said.append(ox("rule", "apply", "deployed", "wild", cwd=wild).out)
    golden("rule", "\n".join(said))


def test_json(ox, wild):
    ox("rule", "add", "early", "--where", "record_id < 'r000006'", "--label", "cat", cwd=wild)
    assert ox("rule", "list", "--json", cwd=wild).json[0]["label"] == "cat"
    [found] = ox("rule", "test", "deployed", "wild", "early", "--json", cwd=wild).json
    assert (found["records"], found["precision"]["value"], found["precision"]["n"]) == (6, 1.0, 6)
    made = ox("rule", "apply", "deployed", "wild", "--json", cwd=wild).json
    assert (made["new"], made["known"]) == ([], 6)


def test_code_is_asked_for(ox, wild, write):
    write({"rules/code.py": "def long(record):\n    return len(record['input']) > 10\n"}, wild)
    ox("add", "rules", cwd=wild)
    ox("rule", "add", "long", "--python", "rules/code.py:long", "--label", "dog", cwd=wild)
    result = ox.fails("rule", "test", "deployed", "wild", cwd=wild)
    assert (result.code, "--allow-python" in result.err) == (2, True)
    out = ox("rule", "test", "deployed", "wild", "--allow-python", cwd=wild).out
    assert out.splitlines()[-1].split()[:2] == ["long", "2"]
    result = ox.fails("rule", "add", "x", "--label", "y", cwd=wild)
    assert "where: or python:" in result.err
    assert "'../x' names no rule" in ox.fails("rule", "add", "../x", cwd=wild).err
