"""The kinds of resources, a module for each field of services: what to call to make, change and remove them.

They must not know stacks, nor who carries out the calls.
"""
