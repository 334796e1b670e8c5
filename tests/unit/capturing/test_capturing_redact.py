"""What must not be kept is not kept: wherever it stands, in whatever form it is handed over."""

import dataclasses
import io
import json
import re

import pytest
from support.captures import records, shards

import oxcore as ox
from oxcore.capturing import REGISTRY
from oxcore.errors import InvalidError

MAIL = re.compile(r"\w+@example\.org")
RULES = ["email", MAIL]
ANN = "ann@example.org"


def put(repo, value, output, **more):
    """The row of a record that is saved and sent."""
    made = ox.save(repo.path, "deployed", "wild", value, output, **more)
    ox.flush()
    return next(row for row in records(repo) if row["record_id"] == made)


def content(repo, row):
    """The bytes of its input."""
    return repo.read("wild/" + row["input"]["path"], "deployed")


@dataclasses.dataclass
class Person:
    email: str
    age: int


class Model:
    def model_dump(self):
        return {"email": "ann", "age": 3}


def nested(depth):
    value = {"email": ANN}
    for _ in range(depth):
        value = {"next": value}
    return value


INPUTS = {
    "bytes of JSON": b'{"email": "ann", "text": "to ann@example.org"}',
    "bytes of text": b"write to ann@example.org",
    "text of JSON": '{"email": "ann"}',
    "JSON behind a mark": '\ufeff[{"email": "ann"}]',
    "JSON in JSON": {"arguments": '{"email": "ann"}'},
    "a form": b"age=3&email=ann",
    "an encoded form": b"age=3&who=ann%40example.org",
    "a file in memory": io.BytesIO(b'{"email": "ann"}'),
    "a dataclass": {"who": Person("ann", 3)},
    "a model of pydantic": Model(),
    "a key": {ANN: 3},
    "a set": {"all": {ANN}},
    "bytes in a dict": {"text": ANN.encode()},
    "far down": nested(80),
}


@pytest.mark.parametrize("name", INPUTS)
def test_the_form_of_an_input_does_not_matter(repo, name):
    row = put(repo, INPUTS[name], None, redact=RULES)
    assert b"ann" not in content(repo, row)
    assert all(one.startswith("input") for one in row["redactions"])
    assert row["redactions"]


def test_a_path_is_read_and_then_redacted(repo, tmp_path):
    path = tmp_path / "asked.json"
    path.write_text('{"email": "ann", "age": 3}')
    row = put(repo, path, None, redact=RULES)
    assert json.loads(content(repo, row)) == {"email": "[redacted]", "age": 3}


def test_outputs_that_are_objects(repo):
    told = {"who": Person("ann", 3), "more": [Model()], "raw": '{"email": "ann"}'}
    row = put(repo, "x", told, redact=RULES)
    assert "ann" not in row["output"]
    assert json.loads(row["output"])["who"] == {"email": "[redacted]", "age": 3}


def test_what_is_told_beside_input_and_output(repo):
    more = {"session_id": ANN, "group_key": ANN, "tags": ["night", ANN], "scores": {ANN: 0.5}}
    row = put(repo, "x", None, redact=RULES, error=ValueError(f"no {ANN}"), model=ANN, **more)
    assert row["error"] == "ValueError: no [redacted]"
    assert (row["session_id"], row["tags"]) == ("[redacted]", ["night", "[redacted]"])
    assert (row["scores"], row["model"]["name"]) == ([("[redacted]", 0.5)], "ann")
    assert ANN not in str(row)


def test_what_is_no_text_stays_as_it_is(repo):
    for data in (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), b"plain", b'{ "a" :1}', b"a=1&b=%20"):
        row = put(repo, data, None, redact=RULES)
        assert (content(repo, row), row["redactions"]) == (data, [])


def test_one_rule_is_a_rule(repo):
    row = put(repo, {"email": "ann", "e": 1}, None, redact="email")
    assert json.loads(content(repo, row)) == {"email": "[redacted]", "e": 1}


def test_rules_that_are_said_later_count_as_well(repo):
    place = (repo.path, "deployed", "wild")
    ox.save(*place, "first", None)
    ox.save(*place, f"to {ANN}", None, redact=[MAIL])
    ox.capture(*place, redact=MAIL)(lambda text: text)(f"of {ANN}")
    ox.save(*place, "a@example.org", None, redact=RULES, max_bytes=5)
    ox.flush()
    kept = [repo.read("wild/" + row["input"]["path"], "deployed") for row in records(repo)]
    assert sorted(kept) == [b"[redacted]", b"first", b"of [redacted]", b"to [redacted]"]
    [told] = next(iter(REGISTRY)).spool.trouble.all()
    assert told.message.startswith("too late to set max_bytes")


def test_a_rule_that_is_none_keeps_nothing(repo):
    place = (repo.path, "deployed", "wild")
    ox.save(*place, "first", None)
    ox.save(*place, "second", None, redact=[3])
    assert ox.capture(*place, redact=[3])(len)("four") == 4
    with pytest.raises(InvalidError, match="rule of redaction"):
        ox.save(*place, "third", None, redact=[3], strict=True)
    ox.flush()
    kept = [row["input"]["size"] for row in records(repo) if row["status"] == "ok"]
    assert kept == [5]


def test_feedback_is_redacted_too(repo):
    place = {"repo": repo.path, "branch": "deployed", "directory": "wild"}
    made = ox.save(*place.values(), "x", None, redact=RULES)
    ox.feedback(made, "correction", {"email": "ann", "to": ANN})
    ox.flush()
    [event] = shards(repo, "deployed", "wild", "feedback/")
    assert json.loads(event["value"]) == {"email": "[redacted]", "to": "[redacted]"}
