"""The command line of ox: parse, call ``oxcore``, render."""
