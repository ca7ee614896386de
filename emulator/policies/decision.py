"""Whether policies allow a request, and AWS's sentence when they do not.

Documented: the IAM user guide's pages "Policy evaluation for requests within a single account", "How AWS enforcement
code logic evaluates requests" and "Troubleshoot access denied error messages".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import Enum

from emulator.errors import ApiError
from emulator.policies.callers import role_arn, root_arn
from emulator.policies.conditions import holds
from emulator.policies.documents import EVERYBODY, Document, Patterns, Statement
from emulator.policies.patterns import Context, Matching, arn_parts, filled, lowered, matches, plain


class PolicyType(Enum):
    """Which policies decided, in the words of the sentence."""

    IDENTITY = "identity-based policy"
    RESOURCE = "resource-based policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """Somebody wants to do something: an action (`ecs:RunTask`) on a resource.

    The resource is an ARN, or `*` where the action has none. What else is known of the request stands under its
    condition keys.
    """

    action: str
    resource: str
    context: Context = field(default_factory=dict)

    def with_context(self, more: Context) -> AccessRequest:
        """The same request, of which more is known."""
        return replace(self, context={**more, **self.context})


@dataclass(frozen=True, slots=True)
class Policies:
    """All policies that apply to one caller, who is a user, a role's session, or the root user."""

    caller: str
    """The ARN."""
    identity: tuple[Document, ...] = ()
    boundary: Document | None = None
    session: tuple[Document, ...] | None = None
    """Those given when the session was made; None where none were. One of them must allow."""
    resource: tuple[Document, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """`by` is the type of the policies that forbid it, explicitly or by not allowing it; None where it is allowed."""

    by: PolicyType | None = None
    explicit: bool = False

    @property
    def allowed(self) -> bool:
        """Whether the request may go on."""
        return self.by is None


ALLOWED = Decision()


def decide(policies: Policies, request: AccessRequest) -> Decision:
    """Whether a caller's policies allow a request.

    One explicit deny forbids it. Otherwise identity or resource must allow it, and boundary and session where there are
    any. The account's root user may do everything. Which type is named where several forbid it is inferred.
    """
    if policies.caller == root_arn(policies.caller):
        return ALLOWED
    applying = _applying(policies, request)
    for type_, statements in applying.items():
        if not all(statement.allows for statement in statements):
            return Decision(type_, explicit=True)
    granted_to = _granted_to(applying[PolicyType.RESOURCE], policies.caller)
    if granted_to & {policies.caller, "*"}:
        return ALLOWED
    unlimited = {PolicyType.RESOURCE, PolicyType.IDENTITY} if granted_to else {PolicyType.RESOURCE}
    for type_, statements in applying.items():
        if type_ not in unlimited and not statements:
            return Decision(type_)
    return ALLOWED


def first_refusal(policies: Policies, requests: Iterable[AccessRequest]) -> ApiError | None:
    """The error for the first request that is not allowed, or None."""
    for request in requests:
        decision = decide(policies, request)
        if not decision.allowed:
            return ApiError("AccessDeniedException", sentence(policies.caller, request, decision))
    return None


def sentence(caller: str, request: AccessRequest, decision: Decision) -> str:
    """AWS's words for a request that is not allowed.

    Observed 2024-07 and 2024-11: LBHackney-IT/Data-Platform pulls 1818 and 1990; for a session 2023-05: aws/aws-cdk
    issue 25768; the others are documented. AWS may name the policy behind an explicit deny; this does not.
    """
    opening = f"User: {caller} is not authorized to perform: {request.action} on resource: {request.resource}"
    type_ = (decision.by or PolicyType.IDENTITY).value
    if decision.explicit:
        return f"{opening} with an explicit deny in {'an' if type_[0] in 'aeiou' else 'a'} {type_}"
    return f"{opening} because no {type_} allows the {request.action} action"


def applies(statement: Statement, request: AccessRequest, values: Context) -> bool:
    """Whether a statement is about a request, its principals aside. `values` is the request's context, lowered."""
    return (
        _action_meant(statement.actions, request.action)
        and _resource_meant(statement, request.resource, values)
        and all(holds(condition, values, variables=statement.variables) for condition in statement.conditions)
    )


def _applying(policies: Policies, request: AccessRequest) -> dict[PolicyType, list[Statement]]:
    """The statements that are about a request, by the types of policies that there are, in the order of asking."""
    types = {PolicyType.IDENTITY: policies.identity, PolicyType.RESOURCE: policies.resource}
    if policies.boundary is not None:
        types[PolicyType.BOUNDARY] = (policies.boundary,)
    if policies.session is not None:
        types[PolicyType.SESSION] = policies.session
    values, names = lowered(request.context), _names(policies.caller)
    return {
        type_: [
            statement
            for document in documents
            for statement in document
            if (statement.principals is None or statement.principals.include(names))
            and applies(statement, request, values)
        ]
        for type_, documents in types.items()
    }


def _granted_to(statements: list[Statement], caller: str) -> set[str]:
    """The names under which a resource's policy, by the statements that apply, allows the caller.

    What it grants to a user or a session is not limited by the others, what it grants to a role is limited by boundary
    and session; to grant the caller's account leaves the decision to identity policies (all documented). `*` and a
    NotPrincipal are taken as naming the caller (inferred).
    """
    granted = set()
    for principals in (statement.principals for statement in statements if statement.principals is not None):
        named = {name for _, name in principals.members & {*_names(caller), EVERYBODY}}
        granted |= {"*"} if principals.excluded else named
    return granted - {arn_parts(caller)[4], root_arn(caller)}


def _names(caller: str) -> frozenset[tuple[str, str]]:
    """What a Principal element may call a caller: itself, the role of its session, its account."""
    names = (caller, role_arn(caller), arn_parts(caller)[4], root_arn(caller))
    return frozenset(("AWS", name) for name in names if name)


def _action_meant(actions: Patterns, action: str) -> bool:
    """Actions have no case."""
    text = action.lower()
    found = any(matches(plain(pattern.lower()), text, Matching.TEXT) for pattern in actions.texts)
    return found != actions.excluded


def _resource_meant(statement: Statement, resource: str, values: Context) -> bool:
    """Resources have a case. One with a variable that has no value is none at all (documented)."""
    if statement.resources is None:
        return True
    for text in statement.resources.texts:
        pattern = filled(text, values) if statement.variables else plain(text)
        if pattern is not None and matches(pattern, resource, Matching.RESOURCE):
            return not statement.resources.excluded
    return statement.resources.excluded
