"""Secrets Manager and Parameter Store, as ECS asks them."""

from __future__ import annotations

from collections.abc import Sequence

from emulator.neighbours.clients import Clients
from emulator.neighbours.ports import Place, ServiceRefusedError


class SecretsManager:
    """Secrets. See emulator.neighbours.ports.Secrets for every method."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def secret(self, place: Place, name: str, *, stage: str | None = None, version: str | None = None) -> str:
        """A secret's text. Refused with InvalidParameterException for one that is binary."""
        which = {"VersionStage": stage, "VersionId": version}
        with self._clients.asking("secretsmanager", place) as manager:
            found = manager.get_secret_value(SecretId=name, **{key: value for key, value in which.items() if value})
        if "SecretString" not in found:
            raise ServiceRefusedError("GetSecretValue", "InvalidParameterException", "The secret is not text.")
        return str(found["SecretString"])


class ParameterStore:
    """Parameters. See emulator.neighbours.ports.Parameters for every method."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def parameters(self, place: Place, names: Sequence[str]) -> tuple[dict[str, str], list[str]]:
        """The values of parameters, by the names given, and those that do not exist."""
        with self._clients.asking("ssm", place) as ssm:
            found = ssm.get_parameters(Names=list(names), WithDecryption=True)
        values = {each["Name"]: each["Value"] for each in found["Parameters"]}
        values |= {each["ARN"]: each["Value"] for each in found["Parameters"] if each.get("ARN")}
        # Not "InvalidParameters": a parameter that is found under another name than was asked for is not in it.
        return {name: values[name] for name in names if name in values}, [name for name in names if name not in values]
