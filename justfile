# The same verbs as `python3 dev.py`, for those who have just.

set positional-arguments

python := "python3"

[private]
default:
    @just --list

# the whole main job on real data
demo *args:
    {{ python }} dev.py demo "$@"

# a model that fails in service, found, mended and proved
digits *args:
    {{ python }} dev.py digits "$@"

# what CI runs: format, lint, types, contracts, tests, benchmark smoke
test:
    {{ python }} dev.py test

# formatting and lint
lint:
    {{ python }} dev.py lint

# reformat, and mend what ruff can mend
fix:
    {{ python }} dev.py fix

# mypy, strict
types:
    {{ python }} dev.py types

# import contracts
contracts:
    {{ python }} dev.py contracts

# the test suite alone, with pytest's own arguments
unit *args:
    {{ python }} dev.py unit "$@"

# the benchmarks beside their bars, small: minutes
bench *args:
    {{ python }} dev.py bench "$@"

# the benchmarks at the sizes that the bars are stated for: hours, and 40 GB of disk
bench-full *args:
    {{ python }} dev.py bench --full "$@"

# tests that take minutes or gigabytes
deep *args:
    {{ python }} dev.py deep "$@"

# everything: test, deep, demo, digits, bench
all:
    {{ python }} dev.py all
