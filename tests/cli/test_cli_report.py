"""``ox report``, ``ox failures``, ``ox slice``: what went wrong, as people and programs see it."""

import os
import random
import re
import subprocess
import sys

import pytest

from oxcore.api import Repo
from oxcore.model.commits import Moment, Person
from oxcore.model.settings import Settings
from oxcore.testing import captured


@pytest.fixture
def wild(repo):
    """A branch ``deployed`` with 200 records, of which most are labelled."""
    draw, records, events = random.Random(3), [], []
    for at in range(200):
        truth = draw.choice(["cat", "dog", "fox"])
        night = draw.random() < 0.25
        guess = "dog" if night and draw.random() < 0.5 else truth
        records.append(
            {
                "output": {"label": guess},
                "confidence": round(draw.random(), 3),
                "tags": ["night"] if night else [],
                "model": {"name": "net", "version": str(at // 100), "weights_hash": None},
                "ts_start": captured.START + at * 600_000_000,
            }
        )
        if draw.random() < 0.8:
            events.append({"record_id": f"r{at:06}", "value": truth})
    records[7].update(status="error", error="ValueError: no picture", output=None)
    settings = Settings(Person("Ann"), lambda: Moment(1_700_000_000_000_000, 0))
    opened = Repo.open(str(repo), settings=settings)
    with opened, opened.transaction("deployed", message="captured") as t:
        for path, data in captured.files(1, "wild", records, events).items():
            t.put(path, data)
        t.put("slices/night.yaml", b"about: taken at night\ntag: night\n")
    return repo


def test_a_report(ox, wild, golden):
    out = ox("report", "deployed", "wild", "--by", "model", cwd=wild).out
    golden("report", out)
    assert ox("report", "deployed", "wild", "--by", "model", cwd=wild).out == out


def test_as_json_the_same_bytes(ox, wild):
    one, two = (ox("report", "deployed", "wild", "--json", cwd=wild) for _ in range(2))
    assert one.out == two.out
    assert one.json["whole"]["n"] == 200
    assert one.json["groups"][0]["name"] == "night"


def test_as_of_a_time_and_a_version(ox, wild):
    early = ox("report", "deployed", "wild", "--as-of", "2023-11-14T23:00:00Z", cwd=wild)
    assert "0 labelled" in early.out
    assert "200 records" in ox("report", "main", "wild", "--as-of", "deployed", cwd=wild).out
    assert ox.fails("report", "deployed", "wild", "--as-of", "never", cwd=wild).code == 5


def test_against_another_model(ox, wild):
    out = ox("report", "deployed", "wild", "--vs", "net@1", "--json", cwd=wild).json
    assert out["versus"]["n"] == 0, "no input was kept, so none is the same"
    assert "no model" in ox.fails("report", "deployed", "wild", "--vs", "x", cwd=wild).err


def test_a_page(ox, wild):
    ox("report", "deployed", "wild", "--html", "r.html", cwd=wild)
    text = (wild / "r.html").read_text()
    assert text.startswith("<!doctype html>")
    assert "night" in text
    assert ox.fails("report", "deployed", "wild", "--html", "r.html", cwd=wild).code == 7
    ox("report", "deployed", "wild", "--html", "r.html", "-f", cwd=wild)
    assert (wild / "r.html").read_text() == text


def test_a_page_opens_each_cell_of_its_matrix(ox, wild):
    ox("report", "deployed", "wild", "--html", "r.html", cwd=wild)
    text = (wild / "r.html").read_text()
    cells = re.findall('<a href="#(pair-[^"]+)">', text)
    assert len(cells) > 3
    assert all(text.count(f'<details id="{one}">') == 1 for one in cells)
    assert "records an hour" in text
    assert "Brier score" in text


def test_failures(ox, wild, golden):
    golden("failures", ox("failures", "deployed", "wild", "-n", "5", cwd=wild).out)
    slow = ox("failures", "deployed", "wild", "--sort", "slowest", "--json", cwd=wild).json
    assert slow[0]["status"] in {"ok", "error"}
    where = ("--where", "status = 'error'")
    assert [
        one["record_id"]
        for one in ox("failures", "deployed", "wild", *where, "--json", cwd=wild).json
    ] == ["r000007"]
    assert "nothing" in ox.fails("failures", "deployed", "wild", "--where", "nothing", cwd=wild).err


def test_slices(ox, wild):
    ox("slice", "add", "sure", "--where", "confidence > 0.9", "--about", "sure of it", cwd=wild)
    assert (wild / "slices/sure.yaml").read_text() == (
        "about: sure of it\nwhere: confidence > 0.9\n"
    )
    assert ox("slice", "list", "--json", cwd=wild).json[0]["name"] == "sure"
    assert "where: confidence > 0.9" in ox("slice", "show", "sure", cwd=wild).out
    assert " of 200 records" in ox("slice", "test", "sure", "deployed", "wild", cwd=wild).lines[0]
    assert ox.fails("slice", "show", "gone", cwd=wild).code == 5
    assert ox.fails("slice", "add", "empty", cwd=wild).code == 2
    assert ox.fails("slice", "add", "../x", "--tag", "a", cwd=wild).code != 0
    ox("undo", cwd=wild)
    assert not (wild / "slices").exists()


def test_conditions_that_make_no_sense_name_their_file(ox, wild):
    for verb, more in (("slice", ()), ("rule", ("--label", "cat"))):
        for where in ("nothing > 3", "((("):
            failed = ox.fails(verb, "add", "odd", "--where", where, *more, cwd=wild)
            assert f"{verb}s/odd.yaml: " in failed.err
        assert not (wild / f"{verb}s").exists()
    (wild / "slices").mkdir()
    (wild / "slices/odd.yaml").write_text("where: nothing > 3\n")
    ox("add", "slices", cwd=wild)
    assert "slices/odd.yaml: " in ox.fails("slice", "test", "odd", "deployed", "wild", cwd=wild).err
    ox("commit", "-m", "odd", cwd=wild)
    failed = ox.fails("report", "deployed", "wild", "--slices", "main", cwd=wild)
    assert "slices/odd.yaml: " in failed.err


def test_a_slice_of_another_branch_is_told_where_it_has_to_be(ox, wild):
    ox("slice", "add", "sure", "--where", "confidence > 0.9", cwd=wild)
    ox("commit", "-m", "slice", cwd=wild)
    for verb in ("report", "failures"):
        failed = ox.fails(verb, "deployed", "wild", "--slice", "sure", cwd=wild)
        assert "no slice is called 'sure' in deployed" in failed.err
        assert "there are: night; they are looked for in deployed" in failed.err


def test_slices_of_another_version(ox, wild):
    ox("slice", "add", "sure", "--where", "confidence > 0.9", cwd=wild)
    ox("commit", "-m", "a slice", cwd=wild)
    made = ox("report", "deployed", "wild", "--slices", "main", "--json", cwd=wild).json
    assert [group["name"] for group in made["groups"]] == ["sure"]
    assert made["slices"] == ox("log", "-n", "1", "--json", cwd=wild).json[0]["id"]
    sure = ("--slice", "sure", "--slices", "main", "-n", "100", "--json")
    assert (
        len(ox("failures", "deployed", "wild", *sure, cwd=wild).json)
        == made["groups"][0]["measures"]["n"]
    )
    assert ox.fails("failures", "deployed", "wild", "--slice", "sure", cwd=wild).code == 5


def test_no_records(ox, wild):
    failed = ox.fails("report", "main", "wild", cwd=wild)
    assert "no record lies below wild" in failed.err


def test_a_report_loads_no_arrow(ox, wild):
    """DuckDB reads the shards: Arrow, and numpy with it, takes a fifth of a second to load."""
    code = "import sys; from oxcli.main import run; run(sys.argv[1:]); print(*sys.modules)"
    args = [sys.executable, "-c", code, "-C", str(wild), "report", "deployed", "wild", "--json"]
    env = {**os.environ, "PYTHONPATH": str(ox.root)}
    result = subprocess.run(args, env=env, capture_output=True, text=True, timeout=60, check=True)
    modules = set(result.stdout.splitlines()[-1].split())
    assert "duckdb" in modules
    assert not modules & {"pyarrow", "numpy", "pandas"}


def test_what_strangers_wrote_is_not_obeyed_by_a_terminal(ox, repo):
    odd = "\x1b[2J\x07"
    records = [
        {"output": odd, "model": {"name": odd, "version": None, "weights_hash": None}},
        {"output": None, "status": "error", "error": odd},
    ]
    events = [{"record_id": "r000000", "value": f"not {odd}"}]
    settings = Settings(Person("Ann"), lambda: Moment(1_700_000_000_000_000, 0))
    opened = Repo.open(str(repo), settings=settings)
    with opened, opened.transaction("deployed", message="captured") as t:
        for path, data in captured.files(1, "wild", records, events).items():
            t.put(path, data)
    for verb in (["report", "--by", "model"], ["report", "--vs", odd], ["failures"]):
        out = ox(verb[0], "deployed", "wild", *verb[1:], cwd=repo, code=None)
        assert "\\u001b[2J" in out.out
        assert not {"\x1b", "\x07"}.intersection(out.out + out.err)
    refused = ox("failures", "show", "deployed", "wild", odd, cwd=repo, code=None)
    assert "\x1b" not in refused.err
