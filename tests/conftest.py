"""Puts this folder on the path of imports: tests may say ``from support import dataset``."""
