"""What survives a restart of what moto holds: calls that changed something are kept, and done again.

It must not know how a request came in, or who asks.
"""
