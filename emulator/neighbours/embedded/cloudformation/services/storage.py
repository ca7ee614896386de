"""Policies of buckets (documented: S3 resource type reference). Moto makes buckets, and has no type for these."""

from __future__ import annotations

import json

from emulator.neighbours.embedded.cloudformation.kinds import Api, Kind
from emulator.neighbours.embedded.cloudformation.resource_types import Made, Properties, Wanted


def _put(api: Api, properties: Properties) -> None:
    policy = properties.get("PolicyDocument", {})
    text = policy if isinstance(policy, str) else json.dumps(policy)
    api("PutBucketPolicy", {"Bucket": properties.get("Bucket", ""), "Policy": text})


def _create(api: Api, wanted: Wanted) -> Made:
    _put(api, wanted.properties)
    return Made(str(wanted.properties.get("Bucket", "")))


def _update(api: Api, _made: Made, _before: Properties, wanted: Wanted) -> None:
    _put(api, wanted.properties)


def _delete(api: Api, made: Made, _properties: Properties) -> None:
    api("DeleteBucketPolicy", {"Bucket": made.id})


KINDS = (
    Kind(
        type="AWS::S3::BucketPolicy",
        service="s3",
        create=_create,
        update=_update,
        delete=_delete,
        fixed=frozenset({"Bucket"}),
        required=frozenset({"Bucket", "PolicyDocument"}),
        tagged=False,
    ),
)
