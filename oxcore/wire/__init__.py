"""Messages and frames between two machines. ``docs/protocol.md`` is the specification."""
