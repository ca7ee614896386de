"""A local Amazon ECS: one process that answers the ECS API and runs tasks as containers on the local daemon."""
