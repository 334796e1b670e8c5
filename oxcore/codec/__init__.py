"""One file an on-disk format. ``docs/format.md`` is the specification, with test vectors."""
