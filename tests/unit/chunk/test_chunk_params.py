import pytest

from oxcore.chunk import ALGORITHM, ChunkParams


def test_the_format_file_gives_the_parameters_back():
    params = ChunkParams(minimum=8192, mean=32768, maximum=131072)
    assert ChunkParams.from_dict(params.to_dict()) == params


def test_the_dictionary_names_the_algorithm():
    assert ChunkParams().to_dict() == {
        "algorithm": ALGORITHM,
        "minimum": 16384,
        "mean": 65536,
        "maximum": 262144,
    }


@pytest.mark.parametrize(
    "sizes",
    [
        {"minimum": 32},
        {"minimum": 10000},
        {"minimum": 65536},
        {"minimum": True},
        {"minimum": 16384.0},
        {"mean": 0},
        {"mean": -65536},
        {"mean": 262144},
        {"mean": 65537},
        {"maximum": 32 << 20},
        {"maximum": "262144"},
    ],
)
def test_sizes_that_break_a_rule_are_refused(sizes):
    with pytest.raises(ValueError, match="chunk"):
        ChunkParams(**sizes)


@pytest.mark.parametrize(
    "change",
    [
        {"algorithm": "fastcdc-2016"},
        {"algorithm": None},
        {"level": 2},
        {"minimum": "16384"},
        {"mean": None},
        {"mean": True},
    ],
)
def test_a_foreign_dictionary_is_refused(change):
    with pytest.raises(ValueError, match="chunk"):
        ChunkParams.from_dict(ChunkParams().to_dict() | change)


def test_a_missing_key_is_refused():
    values = ChunkParams().to_dict()
    del values["maximum"]
    with pytest.raises(ValueError, match="maximum"):
        ChunkParams.from_dict(values)
