"""`python -m emulator` is the command `ecs-emulator`."""

from emulator.cli import main

main()
