"""What each API call does to the state: one module for each resource, one function for each operation.

It must not know HTTP, nor who runs containers. Importing this package registers every operation that is written.
"""

from emulator.operations import account_settings as account_settings
from emulator.operations import capacity_providers as capacity_providers
from emulator.operations import clusters as clusters
from emulator.operations import tags as tags
from emulator.operations import task_definitions as task_definitions
from emulator.operations import task_protection as task_protection
from emulator.operations import tasks as tasks
