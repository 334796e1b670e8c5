"""One module a format, each with a ``tables.reading.Reader``."""
