"""Does what the planner decided, through a driver, and reports what it saw as observations.

It must not know the API, and must not decide what a task becomes.
"""
