"""``ox config``."""

import pytest


def test_a_setting_is_set_read_and_removed(ox):
    ox("init")
    ox("config", "user.name", "Ann Author")
    assert ox("config", "user.name").out == "Ann Author\n"
    assert ox("config", "user.name", "--json").json == {"user.name": "Ann Author"}
    ox("config", "--unset", "user.name")
    result = ox.fails("config", "user.name")
    assert (result.code, result.out) == (5, "")
    assert result.err.startswith("error: user.name is not set\nhint: ")


def test_the_repository_stands_before_the_user(ox, home):
    ox("init")
    ox("config", "--global", "user.name", "Everywhere")
    ox("config", "--global", "user.email", "e@example.org")
    ox("config", "user.name", "Here")
    assert ox("config", "--list").lines == ["user.email = e@example.org", "user.name = Here"]
    assert ox("config", "--list", "--global", "--json").json == {
        "user.email": "e@example.org",
        "user.name": "Everywhere",
    }
    assert "user.name = Everywhere\n" in (home / "config").read_text()


def test_comments_of_the_user_stay(ox, home):
    (home / "config").write_text("# mine\nuser.name = A\n")
    ox("config", "--global", "user.name", "B")
    assert (home / "config").read_text() == "# mine\nuser.name = B\n"


def test_without_a_repository_the_user_s_are_read_and_only_they_can_be_set(ox):
    ox("config", "--global", "user.name", "Ann")
    assert ox("config", "user.name").out == "Ann\n"
    assert ox("config", "-l").lines == ["user.name = Ann"]
    result = ox.fails("config", "user.name", "Bob")
    assert result.code == 4
    assert "ox config --global" in result.err


@pytest.mark.parametrize(
    "args",
    [
        (),
        ("--list", "user.name"),
        ("--list", "--unset"),
        ("--unset",),
        ("--unset", "user.name", "value"),
    ],
)
def test_calls_that_make_no_sense(ox, args):
    assert ox.fails("config", *args).code == 2


@pytest.mark.parametrize("key", ["name", "user.", ".name", "us er.name", "user.na=me"])
def test_what_is_no_key(ox, key):
    result = ox.fails("config", "--global", key, "x")
    assert result.code == 3
    assert "user.name" in result.err


def test_unset_of_what_is_not_set(ox):
    assert ox.fails("config", "--global", "--unset", "user.name").code == 5


def test_a_damaged_file_is_named(ox, home):
    (home / "config").write_text("what is this\n")
    result = ox.fails("config", "--global", "--list")
    assert result.code == 3
    assert "line 1" in result.err
    assert str(home / "config") in result.err


def test_a_file_that_is_no_text(ox, home):
    (home / "config").write_bytes(b"user.name = \xff\n")
    result = ox.fails("config", "--global", "--list")
    assert (result.code, str(home / "config") in result.err) == (3, True)


@pytest.mark.parametrize("line", [b"what is this", b"user.name = \xff"])
@pytest.mark.parametrize(
    "args", [("user.email", "x"), ("--unset", "user.name"), ("--list",), ("user.name",)]
)
@pytest.mark.parametrize("where", ["--global", None])
def test_a_damaged_file_is_named_and_not_written_on(ox, repo, home, line, args, where):
    place = home / "config" if where else repo / ".ox" / "config"
    place.write_bytes(b"core.x = y\n" + line + b"\n")
    result = ox.fails("config", *args, *([where] if where else []))
    assert result.code == 3
    assert f"error: {place}: line 2 " in result.err
    assert "hint: edit the file" in result.err
    assert place.read_bytes() == b"core.x = y\n" + line + b"\n"


def test_verbs_that_read_a_damaged_file_name_it(ox, repo):
    (repo / ".ox" / "config").write_bytes(b"what is this\n")
    result = ox.fails("status")
    assert (result.code, "config: line 1 " in result.err) == (3, True)
    (repo / "a.txt").write_text("new")
    ox("add", ".")  # does not need to know them
