"""The other AWS services of the account: who answers requests to them, and what ECS asks of them.

It must not know what a call of ECS does, who runs containers, or how a request came in.
"""
