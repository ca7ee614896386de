"""The only thing that is written: records, by one writer, in transactions that survive the process.

It must not know what refuses a change, what follows from it, or who asked for it.
"""
