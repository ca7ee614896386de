"""What `scripts/bench` runs: each module measures one thing, in rounds that take turns with what it is compared with.

How each is measured stands in docs/benchmarks.md. The rules: only ratios of things measured in the same run are judged
(and the few times that are requirements), and everything that a benchmark makes is removed, however it ends.
"""
