"""``ox request``: failures given back to who owns the model, as people see it."""

import pytest

from oxcore.api import Repo
from oxcore.model.commits import Moment, Person
from oxcore.model.settings import Settings
from oxcore.testing import captured

OPEN = ("request", "open", "night", "deployed", "wild", "--slice", "night", "--at-least", "0.9")


@pytest.fixture
def wild(repo):
    """A branch ``deployed`` with 12 records of the night, of which 10 are labelled, 4 right."""
    inputs = [f"sentence {n}".encode() for n in range(12)]
    records, events, files = captured.labelled("wild", inputs, suffix=".txt")
    for n, one in enumerate(records):
        one.update(output={"label": "cat" if n < 4 else "dog"}, tags=["night"], confidence=0.5)
        one["model"] = {"name": "cam", "version": "1"}
    events = [{**one, "value": "cat"} for one in events[:10]]
    files["slices/night.yaml"] = b"tag: night\n"
    settings = Settings(Person("Ann"), lambda: Moment(1_700_000_000_000_000, 0))
    opened = Repo.open(str(repo), settings=settings)
    with opened, opened.transaction("deployed", message="captured") as t:
        for path, data in (captured.files(1, "wild", records, events) | files).items():
            t.put(path, data)
    return repo


def answers(folder, right):
    rows = [f"r{n:06},{'cat' if n < right else 'dog'}\n" for n in range(10)]
    (folder / "new.csv").write_text("".join(["record,prediction\n", *rows]))
    return "new.csv"


def test_from_open_to_passed(ox, wild, golden):
    said = [ox("request", cwd=wild).out]
    said.append(ox(*OPEN, "--owner", "Grace", "--note", "see\nthe lens", cwd=wild).out)
    said.append(ox("request", "list", cwd=wild).out)
    said.append(ox("request", "show", "night", "-n", "3", cwd=wild).out)
    call = ("request", "test", "night", "--pred")
    said.append(ox(*call, answers(wild, 8), "--head", "2", cwd=wild, code=1).out)
    said.append(ox(*call, answers(wild, 9), "-n", "--head", "0", cwd=wild).out)
    said.append(ox(*call, answers(wild, 9), "--model", "cam@2", "--head", "0", cwd=wild).out)
    said.append(ox("request", cwd=wild).out)
    said.append(ox("request", "list", "--all", cwd=wild).out)
    said.append(ox("request", "show", "night", "-n", "0", cwd=wild).out)
    said.append(ox("cat", "requests/night/request.yaml", "--rev", "request/night", cwd=wild).out)
    golden("request", "\n".join(said))
    assert ox("status", "--json", cwd=wild).json["clean"] is False  # new.csv is new, no more
    assert "new.csv" in ox("status", cwd=wild).out


def test_json(ox, wild):
    told = ox(*OPEN, "--json", "-n", cwd=wild).json
    assert (told["name"], told["n"], told["figure"], told["dry_run"]) == ("night", 10, 0.4, True)
    assert ox("request", "list", "--json", cwd=wild).json == []
    assert ox(*OPEN, "--onto", "main", "--json", cwd=wild).json["on"] == "main"
    assert (wild / "requests/night/rows.parquet").exists()
    [listed] = ox("request", "list", "--json", cwd=wild).json
    assert (listed["on"], listed["state"]) == ("main", "open")
    shown = ox("request", "show", "night", "--json", "-n", "1", cwd=wild).json
    assert [one["record_id"] for one in shown["failing"]] == ["r000004"]
    assert shown["history"][0]["did"] == "opened"
    call = ("request", "test", "night", "--pred", answers(wild, 9), "--json")
    tested = ox(*call, cwd=wild).json
    assert (tested["passed"], tested["state"], tested["figure"]["value"]) == (True, "passed", 0.9)
    assert tested["commit"] == ox("log", "--json", cwd=wild).json[0]["id"]
    assert ox("request", "test", "night", "--pred", answers(wild, 1), "--json", cwd=wild, code=1)


def test_close_and_reopen(ox, wild):
    ox(*OPEN, cwd=wild)
    closed = ox("request", "close", "night", "--reason", "a new camera", cwd=wild)
    assert "on request/night" in closed.out
    assert "closed: a new camera" in ox("request", "show", "night", cwd=wild).out
    assert "1 request passed or closed: --all" in ox("request", cwd=wild).out
    assert ox.fails("request", "close", "night", "--reason", "x", cwd=wild).code == 2
    assert ox("request", "reopen", "night", cwd=wild).out.startswith("open: commit ")
    ox("switch", "request/night", cwd=wild)
    assert "state: open" in (wild / "requests/night/request.yaml").read_text()


def test_two_branches_of_requests_merge(ox, wild):
    ox(*OPEN, cwd=wild)
    ox("request", "open", "dark", *OPEN[3:], cwd=wild)
    ox("merge", "request/night", cwd=wild)
    ox("merge", "request/dark", cwd=wild)
    listed = ox("request", "list", "--rev", "HEAD", "--json", cwd=wild).json
    assert [one["name"] for one in listed] == ["dark", "night"]


def test_what_makes_no_sense(ox, wild):
    call = OPEN[:5]
    assert ox.fails(*call, "--slice", "night", cwd=wild).code == 2
    lost = ox.fails(*call, "--slice", "dusk", "--at-least", "0.9", cwd=wild)
    assert (lost.code, "there are: night" in lost.err) == (5, True)
    assert ox.fails(*call, "--slice", "night", "--metric", "auc", cwd=wild).code == 2
    unfit = ox.fails(*call, "--slice", "night", "--metric", "mae", "--at-most", "1", cwd=wild)
    assert (unfit.code, "--metric accuracy" in unfit.err) == (3, True)
    assert "40.0% already" in ox.fails(*OPEN[:7], "--at-least", "0.3", cwd=wild).err
    ox(*OPEN, cwd=wild)
    assert ox.fails(*OPEN, cwd=wild).code == 7
    assert "there are: night" in ox.fails("request", "show", "day", cwd=wild).err
    (wild / "far.csv").write_text("id,prediction\nx,cat\n")
    far = ox.fails("request", "test", "night", "--pred", "far.csv", cwd=wild)
    assert (far.code, "keys like 'x'" in far.err) == (3, True)
    gone = ox.fails("request", "test", "night", "--pred", "gone:wild", cwd=wild)
    assert "BRANCH:DIR" in gone.err
