"""Refusals of our own to a caller of another service, in the shape that the service's clients read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from http import HTTPStatus
from typing import Any

from emulator.neighbours.ports import ServiceRefusedError

Environ = Mapping[str, Any]

Answer = tuple[str, list[tuple[str, str]], bytes]
"""Status line, headers and body, as a WSGI application gives them."""

XML_SERVICES = frozenset({"s3", "s3control", "route53", "cloudfront"})
"""Those whose protocol is XML over REST; what is posted as a form is answered in XML too."""


def refusal(environ: Environ, service: str, error: ServiceRefusedError) -> Answer:
    """A service's no."""
    if service in XML_SERVICES:
        return _answer(error.status, "application/xml", _rest_xml(error), {})
    if str(environ.get("CONTENT_TYPE", "")).startswith("application/x-www-form-urlencoded"):
        return _answer(error.status, "text/xml", _query_xml(error), {})
    body = json.dumps({"__type": error.code, "message": error.message}).encode()
    return _answer(error.status, "application/x-amz-json-1.1", body, {"x-amzn-errortype": error.code})


def _answer(status: int, content_type: str, body: bytes, more: Mapping[str, str]) -> Answer:
    headers = [("content-type", content_type), ("content-length", str(len(body))), *more.items()]
    return f"{status} {HTTPStatus(status).phrase}", headers, body


def _text(value: str) -> str:
    """A text as it stands between two tags of XML."""
    return escape(value, quote=False)


def _rest_xml(error: ServiceRefusedError) -> bytes:
    code, message = _text(error.code), _text(error.message)
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()


def _query_xml(error: ServiceRefusedError) -> bytes:
    who = "Sender" if error.status < 500 else "Receiver"
    inner = f"<Type>{who}</Type><Code>{_text(error.code)}</Code><Message>{_text(error.message)}</Message>"
    # EC2's clients look for Errors below Response, all others for Error below ErrorResponse: both find theirs.
    return f"<ErrorResponse><Error>{inner}</Error><Errors><Error>{inner}</Error></Errors></ErrorResponse>".encode()
