"""A container's environment variables: where they come from, and which of two with one name counts."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Environment:
    """Variables by where they come from, from the weakest to the strongest. Those that may be secret are never printed.

    Order of definition, overrides and files documented: Amazon ECS developer guide, "Use a file to pass environment
    variables to a container"; of secrets and injected variables as in the sources of ECS's agent.
    """

    defaults: Mapping[str, str] = field(default_factory=dict)
    """What a container has where nobody says otherwise, such as the region."""
    files: tuple[Mapping[str, str], ...] = field(default=(), repr=False)
    """What `environmentFiles` say. Of two files the earlier one counts."""
    definition: Mapping[str, str] = field(default_factory=dict)
    overrides: Mapping[str, str] = field(default_factory=dict)
    """What RunTask gives."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    injected: Mapping[str, str] = field(default_factory=dict)
    """What ECS itself says, whatever a user wants: where the container's metadata and credentials are."""

    def with_defaults(self, variables: Mapping[str, str]) -> Environment:
        """A copy in which these count too where nobody says otherwise."""
        return replace(self, defaults={**self.defaults, **variables})

    def with_injected(self, variables: Mapping[str, str]) -> Environment:
        """A copy in which ECS says this too."""
        return replace(self, injected={**self.injected, **variables})

    def merged(self) -> dict[str, str]:
        """The variables that the container gets."""
        return {
            **self.defaults,
            **ChainMap(*(dict(file) for file in self.files)),
            **self.definition,
            **self.overrides,
            **self.secrets,
            **self.injected,
        }


def read_file(text: str) -> dict[str, str]:
    """The variables of an environment file; of two lines with one name the later one counts.

    A line is `NAME=VALUE`, and nothing is trimmed, unquoted or filled in. Lines that begin with `#`, and those without
    a name or without `=`, say nothing. (Sources of ECS's agent, whose lines end with or without a carriage return.)
    """
    found = {}
    for line in text.split("\n"):
        name, equals, value = line.removesuffix("\r").partition("=")
        if name and equals and not line.startswith("#"):
            found[name] = value
    return found
