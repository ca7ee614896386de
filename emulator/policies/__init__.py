"""Whether IAM policies allow a call; pure.

It must not look anything up: whoever asks brings the caller's policies, the request, and what is known of its
resources.
"""
