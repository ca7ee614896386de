"""Why something failed, in the words of a stack's events."""

from __future__ import annotations

import re
from collections.abc import Iterable

from emulator.neighbours.ports import ServiceRefusedError

CIRCUIT_BROKEN = "Error occurred during operation 'ECS Deployment Circuit Breaker was triggered'."
"""(observed 2026-06: aws/aws-cdk-cli 1505)"""

MISSING = re.compile(r"NotFound|NoSuch|NonExistent|NotExist|NotAttached")
THERE_ALREADY = re.compile(r"AlreadyExist|Duplicate|ResourceExists|AlreadyAssociated|IdempotentParameterMismatch")

WRAPPED = {
    # observed 2021 to 2025: stack events in many public issues, such as aws/aws-cdk 27360
    "RegisterTaskDefinition": "Invalid request provided: Create TaskDefinition: {}",
    "CreateCluster": "Invalid request provided: CreateCluster Invalid Request: {}",
    "CreateService": "Invalid request provided: CreateService error: {}",
    "UpdateService": "Invalid request provided: UpdateService error: {}",
    # observed 2021-04: aws-samples/aws-scalable-big-blue-button-example 79
    "DeleteCluster": "Error occurred during operation 'DeleteClusters SDK Error: {}'.",
}
"""What CloudFormation says around a refusal of ECS, by the operation."""


def is_missing(error: ServiceRefusedError) -> bool:
    """Did a service refuse because what was named does not exist?"""
    return MISSING.search(error.code) is not None


def handler_said(message: str, token: str, code: str) -> str:
    """(observed in every stack event since the resource types were opened in 2019)"""
    return f'Resource handler returned message: "{message}" (RequestToken: {token}, HandlerErrorCode: {code})'


def refused(service: str, error: ServiceRefusedError, request_id: str, token: str) -> str:
    """A service's no. `service`: its id in botocore."""
    if service == "ECS":
        source = (
            f"(Service: AmazonECS; Status Code: {error.status}; Error Code: {error.code}; "
            f"Request ID: {request_id}; Proxy: null)"
        )
    else:
        source = f"(Service: {service.replace(' ', '')}, Status Code: {error.status}, Request ID: {request_id})"
    message = WRAPPED.get(error.operation, "{}").format(f"{error.message} {source}")
    return handler_said(message, token, _handler_code(error))


def exists(type_: str, identifier: str, token: str) -> str:
    """(observed 2026-09: a service whose replacement has its name)"""
    return handler_said(
        f"Resource of type '{type_}' with identifier '{identifier}' already exists.", token, "AlreadyExists"
    )


def not_stable(token: str) -> str:
    """(observed 2023: a route table whose route never became active)"""
    return handler_said("Exceeded attempts to wait", token, "NotStabilized")


def wrong_properties(logical_id: str, complaint: str) -> str:
    """(observed 2020 to 2024; some have brackets around the complaints)"""
    return f"Properties validation failed for resource {logical_id} with message:\n[{complaint}]"


def no_attribute(logical_id: str, name: str) -> str:
    """(observed in many public issues)"""
    return f"Template error: resource {logical_id} does not support attribute type {name} in Fn::GetAtt"


def must_be_renamed(name: str) -> str:
    """(observed in many public issues)"""
    return (
        "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
        f"Rename {name} and update the stack again."
    )


def failed_to(create: Iterable[str], update: Iterable[str]) -> str:
    """Which resources of a stack failed (observed in many public issues; the space at the end is AWS's)."""
    created, updated = list(create), list(update)
    first = f"The following resource(s) failed to create: [{', '.join(created)}]. " if created else ""
    return first + (f"The following resource(s) failed to update: [{', '.join(updated)}]. " if updated else "")


def failed_to_delete(names: Iterable[str]) -> str:
    """As `failed_to`."""
    return f"The following resource(s) failed to delete: [{', '.join(names)}]. "


def _handler_code(error: ServiceRefusedError) -> str:
    if error.operation == "DeleteCluster" or error.status == 501:
        return "GeneralServiceException"
    if error.status >= 500:
        return "ServiceInternalError"
    if is_missing(error):
        return "NotFound"
    if THERE_ALREADY.search(error.code):
        return "AlreadyExists"
    return "AccessDenied" if "AccessDenied" in error.code else "InvalidRequest"
