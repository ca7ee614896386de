"""What AWS refuses, and in which words.

It must not look anything up: an operation fetches the facts and hands them over, so a rule can be tested with a
literal.
"""
