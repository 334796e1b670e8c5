"""For the tests of ox and of what builds on it: strategies, conformance suites, faulty wrappers.

Shipped, but never imported by the rest of ``oxcore``: ``hypothesis`` is a development dependency
and is imported below this package only.
"""
