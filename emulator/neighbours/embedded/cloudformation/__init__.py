"""CloudFormation in this process: stacks whose resources are made, changed and removed as AWS does it.

Moto reads the requests, writes the answers, and makes resources of other services that nothing here makes. A package of
its own knows templates, what an update changes, in which order resources come, and what happens when one fails. It is
imported when CloudFormation is first asked for.
"""
