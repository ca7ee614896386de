"""Account settings in the store."""

from __future__ import annotations

from pathlib import Path

from emulator.state.account_settings import AccountSetting, settings_of
from emulator.state.sqlite import Database
from emulator.state.store import Store
from tests.builders import ACCOUNT, REGION

USER = f"arn:aws:iam::{ACCOUNT}:user/me"


def setting(name: str, principal: str = USER) -> AccountSetting:
    return AccountSetting(account=ACCOUNT, region=REGION, principal=principal, name=name, value="enabled")


def test_settings_are_there_after_a_new_start(tmp_path: Path) -> None:
    written = Store(Database(tmp_path / "state"))
    with written.write() as transaction:
        transaction.account_settings.put(setting("awsvpcTrunking"))
    written.close()
    read = Store(Database(tmp_path / "state")).state
    assert list(read.account_settings) == [setting("awsvpcTrunking")]


def test_a_principals_settings_stand_in_an_index_of_their_own() -> None:
    store = Store(Database(None))
    with store.write() as transaction:
        for made in (setting("b"), setting("a"), setting("c", principal="arn:other")):
            transaction.account_settings.put(made)
    found = store.state.account_settings.page(settings_of(ACCOUNT, REGION, USER), limit=9)
    assert [each.name for each in found] == ["a", "b"]
