"""``ox init``."""

import os


def test_init_makes_a_repository_and_leaves_files_alone(ox, tmp_path, write):
    write({"a.txt": "kept"})
    assert ox("init").out == f"made an empty repository in {tmp_path}/.ox\n"
    assert (tmp_path / "a.txt").read_text() == "kept"
    assert sorted(os.listdir(tmp_path)) == [".ox", "a.txt"]


def test_init_makes_the_folder(ox, tmp_path):
    ox("init", "deep/pets")
    assert (tmp_path / "deep/pets/.ox/format").is_file()


def test_a_second_init_is_refused_and_changes_nothing(ox, tmp_path):
    ox("init", "-b", "trunk")
    before = (tmp_path / ".ox/format").read_bytes()
    result = ox.fails("init")
    assert result.code == 7
    assert "already" in result.err
    assert (tmp_path / ".ox/format").read_bytes() == before


def test_bare_and_quiet(ox, tmp_path):
    assert ox("-q", "init", "--bare", "store").out == ""
    assert (tmp_path / "store/format").is_file()


def test_a_bad_branch_name_is_refused_before_anything_is_made(ox, tmp_path):
    assert ox.fails("init", "-b", "a..b").code == 3
    assert os.listdir(tmp_path) == []


def test_the_first_branch_is_a_setting(ox, tmp_path):
    from oxcore import Repo

    ox("config", "--global", "init.defaultBranch", "trunk")
    ox("init", "a")
    ox("init", "b", "--branch", "own")
    for name, branch in (("a", "trunk"), ("b", "own")):
        with Repo.open(str(tmp_path / name)) as repo:
            assert repo._repo.view()["HEAD"] == f"ref:refs/heads/{branch}"
