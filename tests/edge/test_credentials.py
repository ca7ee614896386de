"""For whom a request is, read from its head."""

import pytest

from emulator.edge.credentials import NO_ACCOUNT, Credential, account_of, credential_of, service_without_credential


def credential(authorization="", query="", **headers):
    named = {b"authorization": authorization.encode()} | {
        name.replace("_", "-").encode(): value.encode() for name, value in headers.items()
    }
    return credential_of({"query_string": query.encode()}, named)


@pytest.mark.parametrize(
    "authorization",
    [
        "AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-west-1/ecs/aws4_request, SignedHeaders=host, Signature=ab",
        "AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-west-1/ecs/aws4_request,SignedHeaders=host,Signature=ab",
        "AWS4-HMAC-SHA256 SignedHeaders=host, Signature=ab, Credential=AKID/20260101/eu-west-1/ecs/aws4_request",
    ],
)
def test_the_authorization_header(authorization):
    assert credential(authorization) == Credential(NO_ACCOUNT, "eu-west-1", "ecs", "AKID")


def test_a_pre_signed_url():
    query = "Action=X&X-Amz-Credential=123456789012%2F20260101%2Feu-west-1%2Flogs%2Faws4_request&X-Amz-Date=1"
    assert credential(query=query) == Credential("123456789012", "eu-west-1", "logs", "123456789012")


SIGV4A = "AWS4-ECDSA-P256-SHA256 Credential=AKID/20260101/ecs/aws4_request, SignedHeaders=host, Signature=ab"


def test_a_signature_for_one_region_of_a_set():
    assert credential(SIGV4A, x_amz_region_set="eu-west-1") == Credential(NO_ACCOUNT, "eu-west-1", "ecs", "AKID")


@pytest.mark.parametrize("regions", ["*", "eu-west-1,us-east-1", ""])
def test_a_signature_for_several_regions_names_none(regions):
    assert credential(SIGV4A, x_amz_region_set=regions) == Credential(NO_ACCOUNT, None, "ecs", "AKID")


@pytest.mark.parametrize(
    "authorization", ["", "Bearer abc", "Basic YTpi", "AWS4-HMAC-SHA256 Credential=", "Credential=a/b"]
)
def test_no_credential(authorization):
    assert credential(authorization) is None


@pytest.mark.parametrize(
    ("target", "service"),
    [
        ("AmazonEC2ContainerServiceV20141113.ListClusters", "ecs"),
        ("Logs_20140328.PutLogEvents", "logs"),
        ("com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents", "cloudtrail"),
        ("Unheard_Of.Operation", None),
        ("", None),
    ],
)
def test_the_service_of_an_unsigned_target(target, service):
    assert service_without_credential({b"x-amz-target": target.encode()}, "/") == service


@pytest.mark.parametrize(
    ("host", "service"),
    [
        ("ecs.us-east-1.amazonaws.com", "ecs"),
        ("ecs-fips.us-gov-west-1.amazonaws.com:443", "ecs"),
        ("ecs.eu-west-1.api.aws", "ecs"),
        ("logs.cn-north-1.amazonaws.com.cn", "logs"),
        ("iam.amazonaws.com", "iam"),
        ("bucket.s3.eu-central-1.amazonaws.com", "s3"),
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com", "ecr"),
        ("localhost:4566", None),
        ("127.0.0.1", None),
        ("amazonaws.com", None),
    ],
)
def test_the_service_of_an_unsigned_host(host, service):
    assert service_without_credential({b"host": host.encode()}, "/") == service


@pytest.mark.parametrize(
    ("path", "content_type", "service"),
    [
        ("/", b"application/x-www-form-urlencoded; charset=utf-8", "sts"),
        ("/bucket/key", b"", "s3"),
        ("/", b"application/json", None),
        ("/favicon.ico", b"", None),
    ],
)
def test_the_service_of_a_request_that_names_none(path, content_type, service):
    assert service_without_credential({b"host": b"localhost", b"content-type": content_type}, path) == service


@pytest.mark.parametrize(
    ("key", "account"),
    [
        ("123456789012", "123456789012"),
        ("ASIAQAAAAAAADGJNMQB2", "000000000000"),
        ("ASIARZPUZDIKGPSKDM2N", "123456789012"),
        ("AKIA6RVFFB77QU6NMCMR", "999999999999"),
        ("AKIAIOSFODNN7EXAMPLE", NO_ACCOUNT),  # made before keys had their account within
        ("AKIA7777777777777777", NO_ACCOUNT),  # more than twelve digits
        ("AKIAQ0000000000000000", NO_ACCOUNT),
        ("test", NO_ACCOUNT),
        ("", NO_ACCOUNT),
        ("١٢٣٤٥٦٧٨٩٠١٢", NO_ACCOUNT),
    ],
)
def test_the_account_of_an_access_key(key, account):
    assert account_of(key) == account
