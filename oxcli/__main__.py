"""``python -m oxcli`` is ``ox``."""

from oxcli.main import main

main()
