"""How long what nothing names any more is kept, by default. All in seconds."""

DAY = 24 * 3600.0
GRACE = 14 * DAY  # packs that may be part of a write still under way
KEEP = 90 * DAY  # operations that can be undone
