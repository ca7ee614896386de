"""The requests that CloudFormation takes. Moto reads them and writes the answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from moto.cloudformation.models import cloudformation_backends
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.responses import ActionResult, EmptyResult

from emulator.neighbours.embedded.cloudformation import templates
from emulator.neighbours.embedded.cloudformation.backend import Backend, Submission
from emulator.neighbours.embedded.cloudformation.parameters import hidden, text_of
from emulator.neighbours.embedded.cloudformation.stack import Options, Resource, Stack
from emulator.neighbours.embedded.cloudformation.templates import Template, invalid

_STACK_NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]{0,127}")


class Response(CloudFormationResponse):
    """One request. A method for each action; what is not here is moto's."""

    @property
    def backend(self) -> Backend:
        """The stacks of the caller's place."""
        return cast("Backend", cloudformation_backends[self.current_account][self.region])

    # Stacks

    def create_stack(self) -> ActionResult:
        """CreateStack."""
        minutes = self._get_param("TimeoutInMinutes")
        options = self._options(self._on_failure(), minutes)
        stack = self.backend.create(
            self._new_stack_name(),
            Submission(self._text(), self._parameters({}), self._tags(), options),
            notification_arns=self._get_param("NotificationARNs"),
            role_arn=self._get_param("RoleARN"),
            enable_termination_protection=self._flag("EnableTerminationProtection"),
            policy=self._get_param("StackPolicyBody"),
        )
        return ActionResult({"StackId": stack.stack_id})

    def update_stack(self) -> ActionResult:
        """UpdateStack."""
        stack = self._stack()
        self.backend.check_can_be_updated(stack)
        parameters = self._parameters(stack.target.parameters if stack.target else {})
        options = self._options("DO_NOTHING" if self._flag("DisableRollback") else "ROLLBACK")
        self.backend.update(stack, Submission(self._text(stack), parameters, self._tags(), options))
        return ActionResult({"StackId": stack.stack_id})

    def delete_stack(self) -> ActionResult:
        """DeleteStack."""
        self.backend.delete_stack(self._get_param("StackName"), self._get_param("RetainResources") or [])
        return EmptyResult()

    def update_termination_protection(self) -> ActionResult:
        """UpdateTerminationProtection."""
        stack = self._stack()
        stack.enable_termination_protection = bool(self._flag("EnableTerminationProtection"))
        return ActionResult({"StackId": stack.stack_id})

    # What there is in a stack

    def describe_stack_resource(self) -> ActionResult:
        """DescribeStackResource."""
        stack, name = self._stack(), self._get_param("LogicalResourceId")
        if name not in stack.resources:
            raise invalid(f"Resource {name} does not exist for stack {stack.name}")
        resource = stack.resources[name]
        return ActionResult(
            {"StackResourceDetail": {**_resource(stack, resource), "LastUpdatedTimestamp": resource.at}}
        )

    def describe_stack_resources(self) -> ActionResult:
        """DescribeStackResources."""
        physical, logical = self._get_param("PhysicalResourceId"), self._get_param("LogicalResourceId")
        stack = self._stack_with(physical) if physical and not self._get_param("StackName") else self._stack()
        found = [each for each in stack.resources.values() if logical in {None, each.logical_id}]
        return ActionResult({"StackResources": [{**_resource(stack, each), "Timestamp": each.at} for each in found]})

    def list_stack_resources(self) -> ActionResult:
        """ListStackResources."""
        stack = self._stack()
        found = [{**_resource(stack, each), "LastUpdatedTimestamp": each.at} for each in stack.resources.values()]
        return ActionResult({"StackResourceSummaries": found})

    def describe_stack_events(self) -> ActionResult:
        """DescribeStackEvents, newest first."""
        return ActionResult({"StackEvents": self._stack().events[::-1]})

    def get_template(self) -> ActionResult:
        """GetTemplate: the stack's, or a change set's."""
        change_set = self._get_param("ChangeSetName")
        if change_set:
            text = self.backend.change_set(change_set, self._get_param("StackName")).target.text
        else:
            text = self._stack().template
        return ActionResult({"TemplateBody": text, "StagesAvailable": ["Original", "Processed"]})

    def get_template_summary(self) -> ActionResult:
        """GetTemplateSummary."""
        stack = self._stack() if self._get_param("StackName") else None
        if stack is not None and stack.target is None:
            raise invalid("GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks.")
        return ActionResult(_summary(templates.parse(stack.template if stack is not None else self._text())))

    def validate_template(self) -> ActionResult:
        """ValidateTemplate: its form alone, as AWS does."""
        template = templates.parse(self._text())
        templates.check_form(template, lambda _: True)
        return ActionResult(_summary(template))

    def list_imports(self) -> ActionResult:
        """ListImports."""
        name = self._get_param("ExportName")
        users = self.backend.around.users(name)
        if not users:
            raise invalid(f"Export '{name}' is not imported by any stack.")
        return ActionResult({"Imports": users})

    # Change sets

    def create_change_set(self) -> ActionResult:
        """CreateChangeSet."""
        kind = self._get_param("ChangeSetType") or "CREATE"
        stack = self._stack() if kind == "UPDATE" else None
        if stack is None and self.backend.stacks.get(self._get_param("StackName")) is None:
            self._new_stack_name()
        former = stack.target.parameters if stack is not None and stack.target is not None else {}
        on_failure = self._get_param("OnStackFailure")
        submission = Submission(
            self._text(stack), self._parameters(former), self._tags(), self._options(on_failure or "ROLLBACK")
        )
        change_set = self.backend.create_change_set(
            (self._get_param("StackName"), self._get_param("ChangeSetName"), kind),
            submission,
            description=self._get_param("Description"),
            notification_arns=self._get_param("NotificationARNs"),
            on_stack_failure=on_failure,
        )
        return ActionResult({"Id": change_set.change_set_id, "StackId": change_set.stack.stack_id})

    def describe_change_set(self) -> ActionResult:
        """DescribeChangeSet."""
        found = self.backend.change_set(self._get_param("ChangeSetName"), self._get_param("StackName"))
        secret = hidden(found.target.template["Parameters"])
        return ActionResult(
            {
                **_identity(found),
                "Parameters": {key: "****" if key in secret else text for key, text in found.target.parameters.items()},
                "NotificationARNs": found.notification_arns,
                "Capabilities": list(found.options.capabilities),
                "Tags": [{"Key": key, "Value": value} for key, value in found.tags.items()],
                "Changes": found.changes,
                "OnStackFailure": found.on_stack_failure,
            }
        )

    def list_change_sets(self) -> ActionResult:
        """ListChangeSets."""
        stack = self._stack()
        found = [each for each in self.backend.change_sets.values() if each.stack is stack]
        return ActionResult({"Summaries": [_identity(each) for each in found]})

    def execute_change_set(self) -> ActionResult:
        """ExecuteChangeSet."""
        found = self.backend.change_set(self._get_param("ChangeSetName"), self._get_param("StackName"))
        self.backend.execute(found, disable_rollback=self._flag("DisableRollback"))
        return EmptyResult()

    def delete_change_set(self) -> ActionResult:
        """DeleteChangeSet."""
        found = self.backend.change_set(self._get_param("ChangeSetName"), self._get_param("StackName"))
        del self.backend.change_sets[found.change_set_id]
        return EmptyResult()

    # What the actions share

    def _stack(self) -> Stack:
        """The stack that is named, deleted ones by their ids. Raises moto's ValidationError."""
        return cast("Stack", self.backend.get_stack(self._get_param("StackName")))

    def _stack_with(self, physical_id: str) -> Stack:
        for stack in self.backend.stacks.values():
            if any(each.physical_id == physical_id for each in stack.resources.values()):
                return stack
        raise invalid(f"Stack for {physical_id} does not exist")

    def _new_stack_name(self) -> str:
        name = str(self._get_param("StackName") or "")
        if not _STACK_NAME.fullmatch(name):
            raise invalid(
                f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: Member must "
                "satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
            )
        return name

    def _text(self, stack: Stack | None = None) -> str:
        """The template that the request has, names, or means."""
        body, url = self._get_param("TemplateBody"), self._get_param("TemplateURL")
        if stack is not None and self._flag("UsePreviousTemplate"):
            if body or url:
                raise invalid("You cannot specify both usePreviousTemplate and Template Body/Template URL.")
            return stack.template
        if url:
            return self.backend.around.template_at(url)
        if not body:
            raise invalid("Either Template URL or Template Body must be specified.")
        if len(body) > templates.LONGEST_BODY:
            raise invalid(
                "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have "
                f"length less than or equal to {templates.LONGEST_BODY}"
            )
        return str(body)

    def _parameters(self, former: Mapping[str, str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for parameter in self._get_param("Parameters") or []:
            name = str(parameter.get("ParameterKey"))
            if parameter.get("UsePreviousValue"):
                if "ParameterValue" in parameter:
                    raise invalid(
                        f"Invalid input for parameter key {name}. Cannot specify usePreviousValue as true and non "
                        "empty value for a parameter"
                    )
                if name in former:
                    found[name] = former[name]
            elif "ParameterValue" in parameter:
                found[name] = str(parameter["ParameterValue"])
        return found

    def _tags(self) -> dict[str, str] | None:
        tags = self._get_param("Tags")
        return {str(tag["Key"]): str(tag.get("Value", "")) for tag in tags} if tags else None

    def _options(self, on_failure: str, minutes: int | None = None) -> Options:
        return Options(
            on_failure=on_failure,
            retain_except_on_create=self._flag("RetainExceptOnCreate") or False,
            timeout_in_minutes=minutes,
            capabilities=tuple(self._get_param("Capabilities") or ()),
        )

    def _on_failure(self) -> str:
        disabled, on_failure = self._flag("DisableRollback"), self._get_param("OnFailure")
        if disabled is not None and on_failure is not None:
            raise invalid("Either DisableRollback or OnFailure can be specified, not both.")
        return str(on_failure or ("DO_NOTHING" if disabled else "ROLLBACK"))

    def _flag(self, name: str) -> bool | None:
        value = self._get_param(name)
        return None if value is None else text_of(value).lower() == "true"


def _resource(stack: Stack, resource: Resource) -> dict[str, Any]:
    return {
        "StackName": stack.name,
        "StackId": stack.stack_id,
        "LogicalResourceId": resource.logical_id,
        "PhysicalResourceId": resource.physical_id or None,
        "ResourceType": resource.type,
        "ResourceStatus": resource.status,
        "ResourceStatusReason": resource.reason,
        "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
    }


def _identity(change_set: Any) -> dict[str, Any]:
    return {
        "ChangeSetName": change_set.change_set_name,
        "ChangeSetId": change_set.change_set_id,
        "StackId": change_set.stack.stack_id,
        "StackName": change_set.stack.name,
        "Description": change_set.description,
        "CreationTime": change_set.creation_time,
        "ExecutionStatus": change_set.execution_status,
        "Status": change_set.status,
        "StatusReason": change_set.status_reason,
    }


def _summary(template: Template) -> dict[str, Any]:
    declared = template.get("Parameters") or {}
    resources = template.get("Resources") or {}
    found: dict[str, Any] = {
        "Description": template.get("Description"),
        "Parameters": [_declared(name, parameter) for name, parameter in declared.items()],
        "ResourceTypes": [each.get("Type") for each in resources.values() if isinstance(each, dict)],
        "Version": template.get("AWSTemplateFormatVersion"),
        "Metadata": None,
    }
    if all(isinstance(each, dict) and isinstance(each.get("Properties", {}), dict) for each in resources.values()):
        found["Capabilities"] = templates.capabilities_needed({"Resources": resources}) if resources else []
    if found.get("Capabilities"):
        found["CapabilitiesReason"] = (
            f"The following resource(s) require capabilities: [{', '.join(_iam_types(resources))}]"
        )
    return found


def _iam_types(resources: Mapping[str, Any]) -> list[str]:
    return sorted({each["Type"] for each in resources.values() if each["Type"] in templates.IAM_NAMES})


def _declared(name: str, parameter: Mapping[str, Any]) -> dict[str, Any]:
    default = parameter.get("Default")
    allowed = parameter.get("AllowedValues")
    return {
        "ParameterKey": name,
        "Description": parameter.get("Description"),
        "DefaultValue": text_of(default) if default is not None else None,
        "NoEcho": text_of(parameter.get("NoEcho", "")) == "true",
        "ParameterType": parameter.get("Type", "String"),
        "ParameterConstraints": {"AllowedValues": [text_of(each) for each in allowed]} if allowed else {},
    }
