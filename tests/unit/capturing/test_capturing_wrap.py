"""ox.capture round functions and blocks: what they get, give and raise, and that they stay as they
are."""

import asyncio
import contextvars
import json
import time

import pytest
from support.captures import records

import oxcore as ox
from oxcore.errors import InvalidError, NotARepoError


@pytest.fixture
def capture(repo):
    """``ox.capture`` of the repository."""
    return lambda **more: ox.capture(repo.path, "deployed", "wild", **more)


@pytest.fixture
def rows(repo):
    """Sends, and gives the records as dicts of what tests look at."""

    def sent():
        ox.flush()
        found = []
        for row in records(repo):
            asked = row["input"] and repo.read(f"wild/{row['input']['path']}", "deployed")
            output = None if row["output"] is None else json.loads(row["output"])
            found.append({**row, "asked": asked, "output": output})
        return found

    return sent


def test_a_function_stays_what_it_is(capture, rows):
    @capture(model="m@1", tags=["night"])
    def predict(image, threshold=0.5, *, crop=True):
        """Says what is in an image."""
        return {"label": "cat", "n": len(image), "threshold": threshold, "crop": crop}

    assert predict.__name__ == "predict"
    assert predict.__doc__ == "Says what is in an image."
    told = predict(b"abc", 0.7, crop=False)
    [row] = rows()
    assert row["output"] == told == {"label": "cat", "n": 3, "threshold": 0.7, "crop": False}
    assert (row["asked"], row["model"]["name"], row["tags"]) == (b"abc", "m", ["night"])
    assert json.loads(row["params"]) == {"threshold": 0.7, "crop": False}
    assert row["latency_ms"] >= 0


def test_what_the_model_raises_is_saved_and_raised_again(capture, rows):
    @capture()
    def predict(text):
        raise KeyError("no such word")

    with pytest.raises(KeyError, match="no such word"):
        predict("hello")
    [row] = rows()
    assert (row["status"], row["error"], row["asked"]) == (
        "error",
        "KeyError: 'no such word'",
        b"hello",
    )


def test_the_input_is_as_it_was_before_the_call(capture, rows):
    @capture()
    def predict(image):
        image[:] = b"spoilt"
        return 1

    predict(bytearray(b"before"))
    assert rows()[0]["asked"] == b"before"


def test_methods_and_named_inputs(capture, rows):
    class Model:
        @capture(input="question", output=lambda answer: answer["text"])
        def ask(self, context, question):
            return {"text": question.upper(), "context": context}

    assert Model().ask("c", question="why")["context"] == "c"
    [row] = rows()
    assert (row["asked"], row["output"], json.loads(row["params"])) == (
        b"why",
        "WHY",
        {"context": "c"},
    )
    with pytest.raises(InvalidError, match="no argument 'nothing'"):
        capture(input="nothing")(lambda x: x)


def test_coroutines(capture, rows):
    @capture()
    async def predict(n):
        await asyncio.sleep(0.01)
        if n == 3:
            raise ValueError("three")
        return n * 2

    async def all_of_them():
        return await asyncio.gather(*map(predict, range(5)), return_exceptions=True)

    told = asyncio.run(all_of_them())
    assert [one for one in told if isinstance(one, int)] == [0, 2, 4, 8]
    found = {row["asked"]: row for row in rows()}
    assert found[b"3"]["error"] == "ValueError: three"
    assert found[b"4"]["output"] == 8


def test_streamed_answers(capture, rows):
    @capture()
    def words(text):
        yield from text.split()

    @capture()
    async def letters(text):
        for letter in text:
            yield letter

    async def listen():
        return [letter async for letter in letters("xyz")]

    assert list(words("one two")) == ["one", "two"]
    assert asyncio.run(listen()) == ["x", "y", "z"]
    half = words("a b c")
    assert next(half) == "a"
    half.close()
    one, two, three = rows()
    assert (one["output"], two["output"]) == ("onetwo", "xyz")
    assert (three["output"], three["status"]) == ("a", "error")
    assert three["error"] == "GeneratorExit"


def test_a_block(capture, rows):
    block = capture(model="m@2")
    with block as c:
        c.input = "hello"
        with block as inner:
            inner.input, inner.output = "inside", 1
        c.output, c.confidence, c.params = {"a": 1}, 0.25, {"p": 1}
    with pytest.raises(ZeroDivisionError), capture() as c:
        c.input = b"x"
        time.sleep(0.02)
        c.output = 1 / 0
    inside, outside, failed = rows()
    assert (inside["asked"], inside["output"]) == (b"inside", 1)
    assert (outside["asked"], outside["output"], outside["confidence"]) == (
        b"hello",
        {"a": 1},
        0.25,
    )
    assert outside["model"]["version"] == "2"
    assert (failed["status"], failed["record_id"]) == ("error", c.record_id)
    assert 20 <= failed["latency_ms"] < 5000
    with pytest.raises(AttributeError, match="no 'outptu'"), capture() as c:
        c.outptu = 3


def test_capture_of_what_cannot_be_captured_lets_the_model_go_on(tmp_path):
    @ox.capture(str(tmp_path / "nothing"), "b", "d")
    def predict(x):
        return x + 1

    assert predict(1) == 2

    @ox.capture(str(tmp_path / "nothing"), "b", "d", strict=True)
    def strict(x):
        return x + 1

    with pytest.raises(NotARepoError):
        strict(1)


def test_redaction_covers_what_is_held_before_the_call(repo, rows):
    @ox.capture(repo.path, "deployed", "wild", redact=["email"])
    def predict(asked, *, email=""):
        return {"email": asked["email"]}

    assert predict({"email": "a@b", "x": 1}, email="c@d") == {"email": "a@b"}
    [row] = rows()
    assert json.loads(row["asked"]) == {"email": "[redacted]", "x": 1}
    assert (row["output"], json.loads(row["params"])) == (
        {"email": "[redacted]"},
        {"email": "[redacted]"},
    )
    assert row["redactions"] == ["input.email", "params.email", "output.email"]


def test_blocks_that_overlap_keep_their_own(capture, rows):
    def block(name):
        with capture(tags=[name]) as c:
            c.input = name
            yield c.input
            c.output = name

    first, second = block("first"), block("second")
    assert (next(first), next(second)) == ("first", "second")
    assert (list(first), list(second)) == ([], [])
    assert {row["asked"]: row["output"] for row in rows()} == {
        b"first": "first",
        b"second": "second",
    }


def test_a_block_may_end_in_another_context(capture, rows):
    """As servers do that run the two halves of a dependency in a pool of threads."""
    block = capture()
    call = contextvars.copy_context().run(block.__enter__)
    call.input, call.output = "asked", "told"
    contextvars.copy_context().run(block.__exit__, None, None, None)
    [row] = rows()
    assert (row["asked"], row["output"]) == (b"asked", "told")


@pytest.mark.parametrize(
    "function",
    [
        lambda *, image, size=3: image,
        lambda *images, size=3: images[0],
        lambda **named: named["image"],
        lambda *rest, **named: rest[0] if rest else named["image"],
        lambda image="picture", size=3: image,
    ],
)
def test_the_input_of_functions_that_take_anything(capture, rows, function):
    try:
        capture()(function)(image="picture", size=4)
    except (TypeError, IndexError):
        capture()(function)("picture", size=4)
    ended = [row for row in rows() if row["status"] == "ok"]
    assert [row["asked"] for row in ended] == [b"picture"]
    assert json.loads(ended[0]["params"]) == {"size": 4}


def test_defaults_further_arguments_and_functions_that_tell_nothing(capture, rows):
    capture()(lambda image="as always", size=3: image)(size=5)
    capture()(lambda *images: len(images))("one", "two", object())
    assert capture()(max)([3, 7]) == 7
    first, second, third = rows()
    assert (first["asked"], json.loads(first["params"])) == (b"as always", {"size": 5})
    assert (second["asked"], json.loads(second["params"])) == (b"one", {"images": ["two"]})
    assert (third["asked"], third["output"]) == (b"[3,7]", 7)


def test_a_generator_stays_one(capture, rows):
    closed = []

    @capture()
    def talk(text):
        try:
            heard = yield text
            yield heard
            return "the end"
        finally:
            closed.append(text)

    @capture()
    async def read(text):
        try:
            yield text
            yield text
        finally:
            closed.append(text)

    async def half():
        stream = read("slowly")
        await anext(stream)
        await stream.aclose()
        return list(closed)

    stream = talk("hello")
    assert (next(stream), stream.send("yes")) == ("hello", "yes")
    with pytest.raises(StopIteration, match="the end"):
        next(stream)
    assert asyncio.run(half()) == ["hello", "slowly"]
    assert [(row["output"], row["status"]) for row in rows()] == [
        ("helloyes", "ok"),
        ("slowly", "error"),
    ]


def test_functions_that_give_an_answer_to_come(capture, rows):
    async def late(text):
        await asyncio.sleep(0.02)
        if text == "bad":
            raise ValueError("too late")
        return text.upper()

    async def letters(text):
        for letter in text:
            yield letter

    class Model:
        async def __call__(self, text):
            return await late(text)

    def promise(answer):
        def plain(text):
            return answer(text)

        return plain

    async def listen():
        return [letter async for letter in capture()(promise(letters))("xyz")]

    assert asyncio.run(capture()(Model())("a")) == "A"
    with pytest.raises(ValueError, match="too late"):
        asyncio.run(capture()(promise(late))("bad"))
    assert list(capture()(lambda text: (one for one in text))("abc")) == ["a", "b", "c"]
    assert asyncio.run(listen()) == ["x", "y", "z"]
    whole, bad, plain, letters_ = rows()
    assert (whole["output"], whole["latency_ms"] > 19) == ("A", True)
    assert (bad["status"], bad["error"]) == ("error", "ValueError: too late")
    assert (plain["output"], letters_["output"]) == ("abc", "xyz")
