"""One file a verb; each has a click command named ``command``. They do not know each other."""
