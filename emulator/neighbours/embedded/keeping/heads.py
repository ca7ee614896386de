"""The head of a request: what is kept of it beside its body, and a request made of it again."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

from emulator.neighbours.journal import KeptCall

KEPT = re.compile(
    r"REQUEST_METHOD|SCRIPT_NAME|PATH_INFO|QUERY_STRING|RAW_URI|SERVER_NAME|SERVER_PORT|SERVER_PROTOCOL|CONTENT_TYPE"
    r"|wsgi\.url_scheme|moto\.preserved_header_names"
    r"|HTTP_(?!X_AMZ_SECURITY_TOKEN|X_AMZN_TRACE_ID|AMZ_SDK_|ACCEPT|CONNECTION|COOKIE|USER_AGENT)\w+"
)
"""The members of a WSGI environment that are kept."""

SIGNED = re.compile(r"((?:^|[?&])X-Amz-(?:Signature|Security-Token)=)[^&]*")
"""What opens a door in a pre-signed URL."""

SIGNATURE = re.compile(r"(?<=aws4_request),.*|(?<=:)[^:/,]*$")
"""What opens a door in an Authorization header; the name of the key is before it."""


def head_of(environ: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of a request beside its body: nothing that opens a door."""
    head = {name: value for name, value in environ.items() if KEPT.fullmatch(name)}
    head["QUERY_STRING"] = SIGNED.sub(r"\1none", str(environ["QUERY_STRING"]))
    head["RAW_URI"] = SIGNED.sub(r"\1none", str(environ["RAW_URI"]))
    if "HTTP_AUTHORIZATION" in head:
        head["HTTP_AUTHORIZATION"] = SIGNATURE.sub("", str(environ["HTTP_AUTHORIZATION"]))
    return head


def request_of(call: KeptCall) -> MutableMapping[str, Any]:
    """A call's request, for a WSGI application."""
    return {
        **call.environ,
        "CONTENT_LENGTH": str(len(call.body)),
        "wsgi.input": io.BytesIO(call.body),
        "wsgi.errors": sys.stderr,
    }
