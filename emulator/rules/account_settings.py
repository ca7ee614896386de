"""Which account settings there are, and what is refused of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from api_models import enums
from emulator.rules.clusters import CONTAINER_INSIGHTS
from emulator.rules.rule import broken, rule
from emulator.rules.shared import SharedRules

Found = Mapping[str, object] | None


@dataclass(frozen=True, slots=True)
class Setting:
    """What is known of a setting: its values, and the one that holds where nobody set another."""

    values: tuple[str, ...]
    default: str
    aws_managed: bool = False
    """Only AWS changes it."""


_ENABLED = ("enabled", "disabled")
_ON = ("on", "off")

SETTINGS = {
    "awsvpcTrunking": Setting(_ENABLED, "disabled"),
    "containerInsights": Setting(CONTAINER_INSIGHTS, "disabled"),
    "containerInstanceLongArnFormat": Setting(_ENABLED, "enabled"),
    "defaultLogDriverMode": Setting(("blocking", "non-blocking"), "non-blocking"),
    "dualStackIPv6": Setting(_ENABLED, "enabled"),
    "fargateEventWindows": Setting(_ENABLED, "disabled"),
    "fargateFIPSMode": Setting(_ENABLED, "disabled"),
    "fargateTaskRetirementWaitPeriod": Setting(("0", "7", "14"), "7"),
    "guardDutyActivate": Setting(_ON, "off", aws_managed=True),
    "serviceLongArnFormat": Setting(_ENABLED, "enabled"),
    "tagResourceAuthorization": Setting(_ON, "on"),
    "taskLongArnFormat": Setting(_ENABLED, "enabled"),
}
"""By name, in the order in which they are listed.

Documented: the developer guide's page on account settings. Of dualStackIPv6 it says both that the default is enabled
and that it is disabled; the service model does not have it, and AWS accepts it (observed 2025-09:
hashicorp/terraform-provider-aws issue 44150). The defaults of fargateEventWindows and guardDutyActivate are inferred.
"""

LONG_ARNS = ("serviceLongArnFormat", "taskLongArnFormat", "containerInstanceLongArnFormat")

OF_THE_ACCOUNT = "fargateTaskRetirementWaitPeriod"
"""The setting that no principal has of its own."""


@dataclass(frozen=True, slots=True)
class SettingCall:
    """The facts for all operations on settings: what was asked, in which account. Without a principal the call is
    about the caller.
    """

    account: str
    name: str | None = None
    value: str | None = None
    principal: str | None = None

    @property
    def setting(self) -> Setting | None:
        """What is known of the setting."""
        return SETTINGS.get(self.name or "")


NAMED = SharedRules()
"""What holds for the name and the principal in every operation."""

CHANGED = SharedRules()
"""What holds for every change of a setting."""

PUT = SharedRules()
"""What holds for every new value."""


@NAMED.rule(
    refuse="InvalidParameterException",
    says="unknown should be one of [{names}]",
    evidence="inferred: moto's, whose sentences are mostly copied from AWS, with the names of today",
)
def the_setting_is_known(call: SettingCall) -> Found:
    """A setting is called by its name."""
    if call.setting or not call.name:
        return None
    others = [name for name in SETTINGS if name not in enums.SettingName]
    return broken(names=",".join((*enums.SettingName, *others)))


@NAMED.rule(
    refuse="InvalidParameterException",
    says="Invalid setting 'principalArn'",
    evidence="inferred: the form of `Invalid setting 'value'`; federated users are documented to have no settings",
)
def the_principal_is_of_the_account(call: SettingCall) -> Found:
    """A principal is the account's root user, or one of its users or roles."""
    pattern = rf"arn:aws[a-z-]*:iam::{re.escape(call.account)}:(root|(user|role)/\S+)"
    return None if not call.principal or re.fullmatch(pattern, call.principal) else broken()


@CHANGED.rule(
    refuse="InvalidParameterException",
    says="{name} is managed by AWS and cannot be changed",
    evidence="inferred: documented as read-only, without its sentence",
)
def the_setting_is_ours(call: SettingCall) -> Found:
    """What AWS manages is not set by hand."""
    return broken(name=call.name) if call.setting and call.setting.aws_managed else None


@PUT.rule(
    refuse="InvalidParameterException",
    says="Invalid setting 'value'",
    evidence="observed 2018-12: aws/aws-cli issue 3785, and 2023-06: hashicorp/terraform-provider-aws issue 32114",
)
def the_value_is_one_of_the_setting(call: SettingCall) -> Found:
    """Every setting has its own values, in lower case."""
    return None if not call.setting or call.value in call.setting.values else broken()


@PUT.rule(
    refuse="InvalidParameterException",
    says="You can no longer disable Long Arn settings",
    evidence="observed 2021: the documentation of hashicorp/terraform-provider-aws on aws_ecs_account_setting_default; "
    "since April 2021 nobody can opt out (documented: account settings)",
)
def long_arns_stay(call: SettingCall) -> Found:
    """New resources have long ARNs, and nobody can opt out any more."""
    return broken() if call.name in LONG_ARNS and call.value == "disabled" else None


@PUT.rule(
    refuse="InvalidParameterException",
    says="You can no longer disable tagResourceAuthorization",
    evidence="inferred: the form of the refusal for long ARNs; documented as final since March 2024",
)
def tagging_stays_authorized(call: SettingCall) -> Found:
    """Tags of new resources need a permission of their own, and nobody can opt out any more."""
    return broken() if call.name == "tagResourceAuthorization" and call.value == "off" else None


for _guard in ("PutAccountSetting", "PutAccountSettingDefault", "DeleteAccountSetting", "ListAccountSettings"):
    NAMED.guard(_guard)
for _guard in ("PutAccountSetting", "PutAccountSettingDefault", "DeleteAccountSetting"):
    CHANGED.guard(_guard)
for _guard in ("PutAccountSetting", "PutAccountSettingDefault"):
    PUT.guard(_guard)


@rule(
    "PutAccountSetting",
    refuse="InvalidParameterException",
    says="{name} can only be set for the root user",
    evidence="inferred: documented for PutAccountSetting, without its sentence",
)
def the_wait_for_retirement_is_the_accounts(call: SettingCall) -> Found:
    """How long Fargate waits before it retires tasks is set for the whole account."""
    if call.name != OF_THE_ACCOUNT or not call.principal or call.principal.endswith(":root"):
        return None
    return broken(name=call.name)


@rule(
    "ListAccountSettings",
    refuse="InvalidParameterException",
    says="A setting name must be specified to filter by value.",
    evidence="inferred: documented for ListAccountSettings, without its sentence",
)
def a_value_to_list_belongs_to_a_setting(call: SettingCall) -> Found:
    """Who asks for a value says of which setting."""
    return broken() if call.value and not call.name else None
