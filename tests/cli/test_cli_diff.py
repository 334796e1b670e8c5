"""``ox diff``."""

import subprocess

import pytest


@pytest.fixture
def changed(ox, repo, write):
    write({"a.txt": "one\n2\nthree", "data/b.bin": b"\x00\x02" * 60})
    (repo / "data/c.csv").unlink()
    return repo


def test_work_tree(ox, changed, golden):
    golden("diff-work", ox("diff").out)
    golden("diff-stat", ox("diff", "--stat").out)
    assert ox("diff", "--staged").out == ""
    assert ox("diff", "--name-status").out == "M\ta.txt\nM\tdata/b.bin\nD\tdata/c.csv\n"


def test_staged_with_a_rename_and_a_mode(ox, repo, golden):
    (repo / "data/c.csv").rename(repo / "moved.csv")
    (repo / "a.txt").chmod(0o755)
    ox("add", ".")
    golden("diff-staged", ox("diff", "--staged").out)
    assert ox("diff", "--cached", "--name-status").lines[-1] == "R\tdata/c.csv\tmoved.csv"
    found = ox("diff", "--cached", "--name-status", "--no-renames").lines
    assert found[1:] == ["D\tdata/c.csv", "A\tmoved.csv"]


def test_exit_code(ox, changed):
    ox("diff", code=0)
    ox("diff", "--exit-code", code=1)
    ox("diff", "--exit-code", "--json", "a.txt", code=1)
    ox("diff", "--exit-code", "HEAD..HEAD", code=0)


def test_text_diffs_are_for_patch(ox, changed, tmp_path_factory):
    copy = tmp_path_factory.mktemp("copy")
    (copy / "a.txt").write_text("one\ntwo\n")
    try:
        subprocess.run(
            ["patch", "-p1"],
            cwd=copy,
            input=ox("diff", "a.txt").raw,
            check=True,
            timeout=20,
            capture_output=True,
        )
    except FileNotFoundError:
        pytest.skip("no patch(1) here")
    assert (copy / "a.txt").read_text() == "one\n2\nthree"


def test_paths_globs_and_versions(ox, changed):
    assert ox("diff", "--name-status", "data").out == "M\tdata/b.bin\nD\tdata/c.csv\n"
    assert ox("diff", "--name-status", "--", "*.txt").out == "M\ta.txt\n"
    assert (
        ox("diff", "--name-status", "HEAD", "b.bin", cwd=changed / "data").out == "M\tdata/b.bin\n"
    )
    ox("add", ".")
    ox("commit", "-m", "second")
    assert ox("diff").out == ""
    assert ox("diff", "--name-status", "HEAD~1..").lines[0] == "M\ta.txt"
    assert ox("diff", "--name-status", "HEAD~1", "HEAD").lines[0] == "M\ta.txt"
    assert ox.fails("diff", "nope").code == 5


def test_json(ox, changed):
    text, chunks, gone = ox("diff", "--json").json
    assert text["text"]["added"] == 2
    assert (chunks["chunks"]["shared"], chunks["old"]["size"], chunks["new"]["size"]) == (
        0,
        100,
        120,
    )
    assert (gone["status"], gone["new"]) == ("D", None)
    assert "text" not in ox("diff", "--json", "--stat").json[0]


def test_a_terminal_gets_colours(ox, changed):
    assert "\x1b[31m-two\x1b[0m" in ox("diff", tty=True).out


def test_images(ox, repo, golden):
    from PIL import Image

    image = Image.new("RGB", (16, 16), "red")
    image.save(repo / "i.bmp")
    ox("add", ".")
    image.putpixel((3, 4), (0, 255, 0))
    image.save(repo / "i.bmp")
    golden("diff-image", ox("diff").out)
    Image.new("RGB", (8, 8), "red").save(repo / "i.bmp")
    assert "another size" in ox("diff").out


def test_names_that_are_no_text(ox, repo, write):
    write({b"gr\xfc\xdf\n.txt": "a\n"})
    ox("add", ".")
    assert ox("diff", "--staged", "--name-status").out == 'A\t"gr\\xfc\\xdf\\n.txt"\n'
    assert ox("diff", "--staged", "--json").json[0]["path_hex"] == b"gr\xfc\xdf\n.txt".hex()


def test_text_that_is_too_large_for_lines_is_not_called_binary(ox, repo, write):
    large = "".join(f"line {number}\n" for number in range(110_000))
    write({"large.txt": large, "b.bin": b"\0" * 1_100_000})
    ox("add", ".")
    assert "text, too large for a line diff, 1.2 MiB\n" in ox("diff", "--staged", "large.txt").out
    write({"large.txt": large + "more\n", "b.bin": b"\0" * 1_100_001})
    shown = ox("diff").out
    assert shown.count("text, too large for a line diff, ") == 1
    assert shown.count("binary ") == 1
    rows = ox("diff", "--json").json
    assert [row["chunks"]["text"] for row in rows] == [False, True]
