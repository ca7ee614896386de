"""Account settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emulator.state.record import Group, Key, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSetting(Record):
    """A setting that was made for a principal: a user, a role, or the root user, whose settings are the account's
    defaults. It has no view: the API shows these few fields.
    """

    kind: ClassVar[str] = "account-setting"
    account: str
    region: str
    principal: str
    """The principal's ARN."""
    name: str
    value: str

    @property
    def key(self) -> Key:
        """Account, region, principal, name."""
        return (self.account, self.region, self.principal, self.name)

    def groups(self) -> tuple[Group, ...]:
        """Those of the same principal."""
        return (settings_of(self.account, self.region, self.principal),)


def settings_of(account: str, region: str, principal: str) -> Group:
    """What was set for a principal."""
    return ("principal", account, region, principal)
