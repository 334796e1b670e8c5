"""One file a verb; each declares its verb as ``command``. They do not know each other."""
