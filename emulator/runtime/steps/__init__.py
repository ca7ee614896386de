"""The concerns of a task's start and stop, one module each.

It must not know when its moment comes: the planner decides that.
"""
