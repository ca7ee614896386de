"""Account settings: what holds for a principal is its own setting, else the account's default, else AWS's.

The account's default is what was set for its root user (documented: account settings).
"""

from __future__ import annotations

from dataclasses import replace

import api_models as ecs
from emulator.operations.operation import Caller, Read, Write, reads, writes
from emulator.operations.paging import page_size
from emulator.rules.account_settings import SETTINGS, SettingCall
from emulator.rules.rule import enforce
from emulator.state.account_settings import AccountSetting, settings_of
from emulator.state.record import Key
from emulator.state.store import Tables, Transaction

PAGE = 10
"""A page has this many settings at most, and without a wish (documented: ListAccountSettings)."""


def effective(state: Tables | Transaction, caller: Caller, name: str) -> str:
    """The value of a setting that holds for a caller."""
    return _in_force(state, caller, caller.arn, name).value


@writes("PutAccountSetting")
def put_account_setting(call: Write[ecs.PutAccountSettingRequest]) -> ecs.PutAccountSettingResponse:
    """For the caller, or for the principal that is named."""
    request, caller = call.request, call.caller
    enforce("PutAccountSetting", SettingCall(caller.account, request.name, request.value, request.principal_arn))
    setting = _setting(caller, request.principal_arn or caller.arn, request.name or "", request.value or "")
    return ecs.PutAccountSettingResponse(setting=_shown(call.state.account_settings.put(setting)))


@writes("PutAccountSettingDefault")
def put_account_setting_default(
    call: Write[ecs.PutAccountSettingDefaultRequest],
) -> ecs.PutAccountSettingDefaultResponse:
    """For the root user, and so for all who have no setting of their own."""
    request, caller = call.request, call.caller
    enforce("PutAccountSettingDefault", SettingCall(caller.account, request.name, request.value))
    setting = _setting(caller, _root(caller), request.name or "", request.value or "")
    return ecs.PutAccountSettingDefaultResponse(setting=_shown(call.state.account_settings.put(setting)))


@writes("DeleteAccountSetting")
def delete_account_setting(call: Write[ecs.DeleteAccountSettingRequest]) -> ecs.DeleteAccountSettingResponse:
    """Answers what holds for the principal from now on (inferred). One that was never set is fine (inferred)."""
    request, caller = call.request, call.caller
    enforce("DeleteAccountSetting", SettingCall(caller.account, request.name, principal=request.principal_arn))
    principal, name = request.principal_arn or caller.arn, request.name or ""
    call.state.account_settings.delete(_key(caller, principal, name))
    left = replace(_in_force(call.state, caller, principal, name), principal=principal)
    return ecs.DeleteAccountSettingResponse(setting=_shown(left))


@reads("ListAccountSettings")
def list_account_settings(call: Read[ecs.ListAccountSettingsRequest]) -> ecs.ListAccountSettingsResponse:
    """By name: those made for the principal itself, or all that hold for it."""
    request, caller = call.request, call.caller
    enforce("ListAccountSettings", SettingCall(caller.account, request.name, request.value, request.principal_arn))
    size = page_size(request.max_results, default=PAGE, most=PAGE)
    principal, every = request.principal_arn or caller.arn, bool(request.effective_settings)
    question = ("ListAccountSettings", caller.account, caller.region, principal, request.name, request.value, every)
    after = call.tokens.read(question, request.next_token)
    found = _all_in_force(call, principal, after) if every else _made(call, principal, after, size + 1)
    token = call.tokens.make(question, found[size - 1].key) if len(found) > size else None
    return ecs.ListAccountSettingsResponse(settings=tuple(map(_shown, found[:size])), next_token=token)


def _made(
    call: Read[ecs.ListAccountSettingsRequest], principal: str, after: Key | None, limit: int
) -> list[AccountSetting]:
    """What was set for the principal itself."""
    request, caller, settings = call.request, call.caller, call.state.account_settings
    if request.name:
        found = settings.get(_key(caller, principal, request.name))
        return [found] if found and request.value in (None, "", found.value) else []
    return settings.page(settings_of(caller.account, caller.region, principal), after=after, limit=limit)


def _all_in_force(
    call: Read[ecs.ListAccountSettingsRequest], principal: str, after: Key | None
) -> list[AccountSetting]:
    """All that hold for the principal: there are a dozen at most."""
    request, last = call.request, str(after[-1]) if after else ""
    names = [request.name] if request.name else [name for name in SETTINGS if name > last]
    found = [_in_force(call.state, call.caller, principal, name) for name in names]
    return [setting for setting in found if request.value in (None, "", setting.value)]


def _in_force(state: Tables | Transaction, caller: Caller, principal: str, name: str) -> AccountSetting:
    """The setting that holds for a principal. What it did not set itself is shown as the root user's (observed 2023:
    tests of hashicorp/terraform-provider-aws on effective settings).
    """
    root = _root(caller)
    for arn in (principal, root):
        found = state.account_settings.get(_key(caller, arn, name))
        if found is not None:
            return found
    return _setting(caller, root, name, SETTINGS[name].default)


def _setting(caller: Caller, principal: str, name: str, value: str) -> AccountSetting:
    return AccountSetting(account=caller.account, region=caller.region, principal=principal, name=name, value=value)


def _key(caller: Caller, principal: str, name: str) -> Key:
    return (caller.account, caller.region, principal, name)


def _root(caller: Caller) -> str:
    return f"arn:{caller.partition}:iam::{caller.account}:root"


def _shown(setting: AccountSetting) -> ecs.Setting:
    return ecs.Setting(
        name=setting.name,
        value=setting.value,
        principal_arn=setting.principal,
        type="aws_managed" if SETTINGS[setting.name].aws_managed else "user",
    )
