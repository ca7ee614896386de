"""Decides what ought to happen next, from records and the time alone.

It must not know who carries its plans out, how, or whether they succeed.
"""
