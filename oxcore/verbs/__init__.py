"""One module a verb; each takes a ``Repository`` and returns plain values."""
