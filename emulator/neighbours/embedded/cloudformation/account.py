"""What there is in the account around a stack: exports of other stacks, parameters and secrets, templates in S3."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import unquote, urlsplit

from moto.cloudformation.parsing import Export
from moto.cloudformation.utils import random_suffix

from emulator.neighbours.embedded.cloudformation import templates
from emulator.neighbours.embedded.cloudformation.catalogue import services_of
from emulator.neighbours.embedded.cloudformation.dynamic import filled
from emulator.neighbours.embedded.cloudformation.kinds import Services
from emulator.neighbours.embedded.cloudformation.members import PropertyError
from emulator.neighbours.embedded.cloudformation.resource_types import Wanted
from emulator.neighbours.embedded.cloudformation.stack import Event, Output, Stack
from emulator.neighbours.embedded.cloudformation.templates import invalid
from emulator.neighbours.ports import Place, ServiceRefusedError, ServiceUnreachableError

logger = logging.getLogger(__name__)

MOST_PARAMETERS_ASKED = 10
"""Of Parameter Store at a time (documented: GetParameters)."""

_BUCKET_IN_HOST = re.compile(r"(.+)\.s3[.-].*")


class PlaceAround:
    """An account in a region, as stacks see it. See deployment.Account for what is not explained here.

    `stacks` and `exports` belong to whoever keeps them, and change.
    """

    def __init__(
        self, services: Services, place: Place, stacks: Mapping[str, Stack], exports: dict[str, Export]
    ) -> None:
        self._services = services
        self._place = place
        self._stacks = stacks
        self._exports = exports

    def zones(self, region: str) -> list[str]:
        """See Around."""
        answer = self._call("ec2", "DescribeAvailabilityZones", {}, Place(self._place.account, region))
        return [zone["ZoneName"] for zone in answer["AvailabilityZones"]]

    def imported(self, name: str) -> str:
        """See Around."""
        if name not in self._exports:
            raise invalid(f"No export named {name} found.")
        return self._exports[name].value

    def fill(self, wanted: Wanted) -> Wanted:
        """See Around."""
        return replace(wanted, properties=filled(wanted.properties, self._call))

    def suffix(self) -> str:
        """See Around."""
        return random_suffix()

    def services(self, types: Iterable[str]) -> frozenset[str]:
        """See Around."""
        return services_of(types)

    def export(self, stack: Stack, outputs: list[Output]) -> None:
        """See Account."""
        new = {each.export_name: each.output_value for each in outputs if each.export_name is not None}
        for name in new:
            if name in self._exports and self._exports[name].exporting_stack_id != stack.stack_id:
                owner = self._stacks[self._exports[name].exporting_stack_id].name
                raise invalid(f"Export with name {name} is already exported by stack {owner}")
        gone = {each.name for each in self._exports_of(stack) if new.get(each.name) != each.value}
        for name, user in self._used_exports(stack, gone):
            verb = "updated" if name in new else "deleted"
            raise invalid(f"Export {name} cannot be {verb} as it is in use by {user}")
        self.drop_exports(stack)
        for name, value in new.items():
            self._exports[name] = Export(stack.stack_id, name, value)

    def still_used(self, stack: Stack) -> str | None:
        """Why a stack cannot be removed: somebody uses one of its exports. None if nobody does."""
        for name, user in self._used_exports(stack, {export.name for export in self._exports_of(stack)}):
            return f"Cannot delete export {name} as it is in use by {user}."
        return None

    def users(self, export: str) -> list[str]:
        """The names of the stacks that use an export."""
        return [stack.name for stack in self._stacks.values() if export in stack.imports]

    def template_at(self, url: str) -> str:
        """The text of a template in S3. Raises ServiceRefusedError."""
        parts = urlsplit(url)
        path = unquote(parts.path).lstrip("/")
        in_host = _BUCKET_IN_HOST.fullmatch(parts.hostname or "")
        bucket, _, key = (in_host.group(1), "", path) if in_host else path.partition("/")
        if not bucket or not key:
            raise invalid(f"TemplateURL must reference a valid S3 object to which you have access: {url}")
        try:
            body = self._call("s3", "GetObject", {"Bucket": bucket, "Key": key})["Body"]
            content: bytes = body.read(templates.LONGEST_FILE + 1)
        except ServiceRefusedError as refusal:
            raise invalid(
                f"S3 error: {refusal.message}\n"
                "For more information check http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"
            ) from refusal
        if len(content) > templates.LONGEST_FILE:
            raise invalid(f"Template may not exceed {templates.LONGEST_FILE} bytes in size.")
        return content.decode("utf-8", "replace")

    def _exports_of(self, stack: Stack) -> list[Export]:
        return [export for export in self._exports.values() if export.exporting_stack_id == stack.stack_id]

    def drop_exports(self, stack: Stack) -> None:
        """Forget what a stack exports."""
        for export in self._exports_of(stack):
            del self._exports[export.name]

    def _used_exports(self, stack: Stack, names: set[str]) -> list[tuple[str, str]]:
        """Exports of a stack that others use, and who does."""
        others = [other for other in self._stacks.values() if other is not stack]
        return [(name, other.name) for name in sorted(names) for other in others if name in other.imports]

    def stored(self, names: list[str]) -> dict[str, str]:
        """Parameters of Parameter Store."""
        found: dict[str, str] = {}
        for start in range(0, len(names), MOST_PARAMETERS_ASKED):
            asked = sorted(set(names[start : start + MOST_PARAMETERS_ASKED]))
            answer = self._call("ssm", "GetParameters", {"Names": asked, "WithDecryption": True})
            found |= {each["Name"]: each["Value"] for each in answer["Parameters"]}
        return found

    def _call(
        self, service: str, operation: str, members: dict[str, Any], place: Place | None = None
    ) -> dict[str, Any]:
        try:
            return self._services.call(service, operation, members, place or self._place)
        except PropertyError as error:
            raise invalid(str(error)) from error

    def tell(self, stack: Stack, event: Event) -> None:
        """Tell the topics that the stack names (documented: NotificationARNs)."""
        for arn in stack.notification_arns:
            members = {"TopicArn": arn, "Subject": "AWS CloudFormation Notification", "Message": _message(stack, event)}
            try:
                self._call("sns", "Publish", members)
            except (ServiceRefusedError, ServiceUnreachableError) as error:
                logger.warning("Topic %s was not told of stack %s: %s", arn, stack.name, error)


def _message(stack: Stack, event: Event) -> str:
    lines = {
        "StackId": event.stack_id,
        "Timestamp": event.timestamp.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "EventId": event.event_id,
        "LogicalResourceId": event.logical_resource_id,
        "Namespace": stack.place.account,
        "PhysicalResourceId": event.physical_resource_id,
        "ResourceStatus": event.resource_status,
        "ResourceStatusReason": event.resource_status_reason or "",
        "ResourceType": event.resource_type,
        "StackName": event.stack_name,
        "ClientRequestToken": "null",
    }
    return "".join(f"{key}='{value}'\n" for key, value in lines.items())
