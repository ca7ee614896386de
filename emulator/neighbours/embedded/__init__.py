"""The other services inside this process: moto, and what we change in it. Nothing else imports moto.

Importing this package is cheap; moto itself is imported when the first request or question comes.
"""
