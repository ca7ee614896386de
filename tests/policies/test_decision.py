"""How statements and kinds of policies combine, and AWS's sentence."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.policies.decision import AccessRequest, Policies, PolicyType, decide, first_refusal, sentence
from emulator.policies.documents import Document, Kind, read_policy
from tests.policies.world import ACCOUNT, USER, allow, allowed, deny, policy

CLUSTER = f"arn:aws:ecs:us-east-1:{ACCOUNT}:cluster/prod"
RUN = AccessRequest("ecs:RunTask", f"arn:aws:ecs:us-east-1:{ACCOUNT}:task-definition/web:3")
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/run-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/deployer"
ALL = policy(allow())
NOTHING: tuple[Document, ...] = ()


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (allow("ecs:RunTask"), True),
        (allow("ECS:runtask"), True),
        (allow(["ecs:StopTask", "ecs:R*"]), True),
        (allow("ecs:StopTask"), False),
        (allow("ec2:RunTask"), False),
        (allow("ecs:RunTask", RUN.resource), True),
        (allow("ecs:RunTask", RUN.resource.upper()), False),
        (allow("ecs:RunTask", [CLUSTER, f"{RUN.resource[:-1]}*"]), True),
        (allow("ecs:RunTask", CLUSTER), False),
        ({"Effect": "Allow", "NotAction": "ecs:StopTask", "Resource": "*"}, True),
        ({"Effect": "Allow", "NotAction": ["iam:*", "ecs:Run*"], "Resource": "*"}, False),
        ({"Effect": "Allow", "Action": "*", "NotResource": CLUSTER}, True),
        ({"Effect": "Allow", "Action": "*", "NotResource": [CLUSTER, RUN.resource]}, False),
        (allow("ecs:RunTask", "arn:aws:ecs:*:*:task-definition/${aws:username}:*"), False),
        (allow("ecs:RunTask", "arn:aws:ecs:*:*:task-definition/${aws:PrincipalTag/app}:*"), True),
        (allow("ecs:RunTask", "arn:aws:ecs:*:*:task-definition/${aws:PrincipalTag/none, 'web'}:*"), True),
        ({"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:ecs:*:*:*/${aws:PrincipalTag/none}"}, True),
    ],
)
def test_a_statement_is_about_its_actions_and_resources(statement: dict[str, Any], expected: bool) -> None:
    context = {"aws:username": "alice", "aws:PrincipalTag/app": "web"}
    assert allowed(policy(statement), RUN.with_context(context)) is expected


def test_without_policies_nothing_is_allowed() -> None:
    assert not decide(Policies(USER), RUN).allowed


def test_statements_and_policies_add_up() -> None:
    documents = (policy(allow("ecs:StopTask")), policy(allow("ec2:*"), allow("ecs:RunTask")))
    assert decide(Policies(USER, documents), RUN).allowed


@pytest.mark.parametrize("first", [allow("ecs:RunTask"), deny("ecs:RunTask")])
@pytest.mark.parametrize("as_one", [True, False])
def test_a_deny_wins_wherever_it_stands(first: dict[str, Any], as_one: bool) -> None:
    second = deny("ecs:*") if first["Effect"] == "Allow" else allow("*")
    documents = (policy(first, second),) if as_one else (policy(first), policy(second))
    decision = decide(Policies(USER, documents), RUN)
    assert (decision.by, decision.explicit) == (PolicyType.IDENTITY, True)


def test_a_deny_with_an_unmet_condition_denies_nothing() -> None:
    never = deny("*", Condition={"StringEquals": {"ecs:cluster": CLUSTER}})
    assert allowed(policy(allow(), never), RUN)
    assert not allowed(policy(allow(), never), RUN.with_context({"ecs:cluster": CLUSTER}))


def test_all_but_one_action_can_be_denied() -> None:
    document = policy(allow(), {"Effect": "Deny", "NotAction": "ecs:RunTask", "Resource": "*"})
    assert allowed(document, RUN)
    assert not allowed(document, AccessRequest("ecs:StopTask", "*"))


@pytest.mark.parametrize(
    ("policies", "by", "explicit"),
    [
        (Policies(USER, (ALL,), boundary=ALL), None, False),
        (Policies(USER, (ALL,), boundary=policy(allow("ec2:*"))), PolicyType.BOUNDARY, False),
        (Policies(USER, (ALL,), boundary=policy(allow(), deny("ecs:*"))), PolicyType.BOUNDARY, True),
        (Policies(USER, NOTHING, boundary=ALL), PolicyType.IDENTITY, False),
        (Policies(SESSION, (ALL,), session=(ALL,)), None, False),
        (Policies(SESSION, (ALL,), session=(policy(allow("ec2:*")), ALL)), None, False),
        (Policies(SESSION, (ALL,), session=(policy(allow("ec2:*")),)), PolicyType.SESSION, False),
        (Policies(SESSION, (ALL,), session=()), PolicyType.SESSION, False),
        (Policies(SESSION, (ALL,), session=(ALL, policy(deny("ecs:*")))), PolicyType.SESSION, True),
        (Policies(SESSION, (ALL,), boundary=policy(allow("ec2:*")), session=()), PolicyType.BOUNDARY, False),
        (Policies(SESSION, NOTHING, boundary=policy(deny()), session=()), PolicyType.BOUNDARY, True),
    ],
)
def test_boundaries_and_session_policies_limit(policies: Policies, by: PolicyType | None, explicit: bool) -> None:
    decision = decide(policies, RUN)
    assert (decision.by, decision.explicit) == (by, explicit)


def granting(principal: Any, effect: str = "Allow") -> tuple[Document, ...]:
    return (read_policy({"Statement": {**allow(), "Effect": effect, "Principal": principal}}, Kind.RESOURCE),)


@pytest.mark.parametrize(
    ("caller", "principal", "limited", "expected"),
    [
        (USER, {"AWS": USER}, True, True),
        (USER, {"AWS": [ROLE, USER]}, False, True),
        (USER, {"AWS": f"{USER}2"}, False, False),
        (USER, {"AWS": ACCOUNT}, False, False),
        (USER, {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, False, False),
        (USER, {"Service": "ecs.amazonaws.com"}, False, False),
        (USER, "*", True, True),
        (SESSION, {"AWS": SESSION}, True, True),
        (SESSION, {"AWS": ROLE}, False, True),
        (SESSION, {"AWS": ROLE}, True, False),
    ],
)
def test_a_resources_policy_grants_to_those_whom_it_names(
    caller: str, principal: Any, limited: bool, expected: bool
) -> None:
    boundary = policy(allow("ec2:*")) if limited else None
    assert decide(Policies(caller, boundary=boundary, resource=granting(principal)), RUN).allowed is expected


@pytest.mark.parametrize("principal", [{"AWS": USER}, {"AWS": ACCOUNT}, "*"])
def test_a_resources_policy_can_deny_what_all_others_allow(principal: Any) -> None:
    decision = decide(Policies(USER, (ALL,), resource=granting(principal, "Deny")), RUN)
    assert (decision.by, decision.explicit) == (PolicyType.RESOURCE, True)


def test_all_but_some_principals_can_be_denied() -> None:
    statement = {"Effect": "Deny", "Action": "*", "Resource": "*", "NotPrincipal": {"AWS": [USER, ACCOUNT]}}
    denied = (read_policy({"Statement": statement}, Kind.RESOURCE),)
    assert decide(Policies(USER, (ALL,), resource=denied), RUN).allowed
    assert not decide(Policies(SESSION.replace(ACCOUNT, "999999999999"), (ALL,), resource=denied), RUN).allowed


def test_the_root_user_may_do_everything() -> None:
    assert decide(Policies(f"arn:aws:iam::{ACCOUNT}:root"), RUN).allowed
    assert not decide(Policies(f"arn:aws:iam::{ACCOUNT}:user/root"), RUN).allowed


@pytest.mark.parametrize(
    ("policies", "says"),
    [
        (Policies(USER), "because no identity-based policy allows the ecs:RunTask action"),
        (Policies(USER, (policy(deny()),)), "with an explicit deny in an identity-based policy"),
        (Policies(USER, (ALL,), policy(allow("a:b"))), "because no permissions boundary allows the ecs:RunTask action"),
        (Policies(USER, (ALL,), policy(deny())), "with an explicit deny in a permissions boundary"),
        (Policies(USER, (ALL,), session=()), "because no session policy allows the ecs:RunTask action"),
        (Policies(USER, (ALL,), session=(policy(deny()),)), "with an explicit deny in a session policy"),
        (Policies(USER, (ALL,), resource=granting("*", "Deny")), "with an explicit deny in a resource-based policy"),
    ],
)
def test_a_refusal_is_in_awss_words(policies: Policies, says: str) -> None:
    refusal = first_refusal(policies, [RUN])
    assert refusal is not None
    assert (refusal.code, refusal.status) == ("AccessDeniedException", 400)
    assert (
        refusal.message == f"User: {USER} is not authorized to perform: ecs:RunTask on resource: {RUN.resource} {says}"
    )
    assert refusal.message == sentence(USER, RUN, decide(policies, RUN))


def test_the_first_request_that_is_not_allowed_is_named() -> None:
    stop, pass_role = AccessRequest("ecs:StopTask", "*"), AccessRequest("iam:PassRole", ROLE)
    policies = Policies(USER, (policy(allow("ecs:RunTask")),))
    refusal = first_refusal(policies, [RUN, stop, pass_role])
    assert refusal is not None
    assert "ecs:StopTask" in refusal.message
    assert first_refusal(policies, [RUN]) is None


EFFECTS = st.sampled_from([allow, deny])
STATEMENTS = st.builds(
    lambda effect, action, resource: effect(action, resource),
    EFFECTS,
    st.sampled_from(["*", "ecs:*", "ecs:RunTask", "ecs:StopTask"]),
    st.sampled_from(["*", RUN.resource, CLUSTER]),
)
DOCUMENTS = st.lists(STATEMENTS, min_size=1, max_size=4).map(lambda statements: policy(*statements))
SOME = st.lists(DOCUMENTS, max_size=3).map(tuple)


@given(SOME, st.none() | DOCUMENTS, st.none() | SOME, st.sampled_from(["identity", "boundary", "session"]))
def test_an_explicit_deny_always_wins(
    identity: tuple[Document, ...], boundary: Document | None, session: tuple[Document, ...] | None, where: str
) -> None:
    denied = policy(deny("ecs:Run*"))
    policies = Policies(
        USER,
        (*identity, denied) if where == "identity" else identity,
        denied + (boundary or ()) if where == "boundary" else boundary,
        (*(session or ()), denied) if where == "session" else session,
        granting({"AWS": USER}),
    )
    decision = decide(policies, RUN)
    assert not decision.allowed
    assert decision.explicit


@given(SOME, DOCUMENTS)
def test_a_boundary_never_allows_more(identity: tuple[Document, ...], boundary: Document) -> None:
    assert decide(Policies(USER, identity), RUN).allowed or not decide(Policies(USER, identity, boundary), RUN).allowed
