"""Clients of the other services for our own use: they speak to moto in this process, or to an endpoint.

botocore is imported when the first one is made.
"""

from __future__ import annotations

import io
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from emulator.neighbours.embedded.moto import Moto
from emulator.neighbours.ports import Place, ServiceAbsentError, ServiceRefusedError, ServiceUnreachableError

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest, AWSResponse

PATIENCE = 10
"""Seconds that an endpoint has to connect, and to answer."""


class Clients:
    """A client for each service and place, made when first needed."""

    def __init__(self, moto: Moto | None, endpoints: Mapping[str, str]) -> None:
        """As `Front`."""
        self._moto = moto
        self._endpoints = endpoints
        self._lock = threading.Lock()
        self._session: Any = None
        self._clients: dict[tuple[str, Place], Any] = {}
        self._models: dict[str, Any] = {}

    def client(self, service: str, place: Place) -> Any:
        """Botocore's client of a service, by botocore's name.

        Raises ServiceAbsentError where the service is answered neither here nor elsewhere.
        """
        found = self._clients.get((service, place))
        if found is not None:
            return found
        with self._lock:
            return self._clients.setdefault((service, place), self._make(service, place))

    @contextmanager
    def asking(self, service: str, place: Place) -> Iterator[Any]:
        """The client, for calls of this block. Raises ServiceRefusedError, ServiceUnreachableError."""
        from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

        client = self.client(service, place)
        try:
            yield client
        except ClientError as error:
            raise refused(error) from error
        except ParamValidationError as error:
            raise ServiceRefusedError("", "InvalidParameter", str(error.kwargs["report"])) from error
        except BotoCoreError as error:
            raise ServiceUnreachableError(f"{service} does not answer: {error}") from error

    def model(self, service: str) -> Any:
        """Botocore's model of a service: its operations, and the shapes that they take and answer."""
        with self._lock:
            return self._model(service)

    def _model(self, service: str) -> Any:
        from botocore.session import Session

        if self._session is None:
            self._session = Session()
            # It would tell of every answer at level DEBUG, secrets included.
            logging.getLogger("botocore.parsers").setLevel(logging.WARNING)
        if service not in self._models:
            self._models[service] = self._session.get_service_model(service)
        return self._models[service]

    def _make(self, service: str, place: Place) -> Any:
        from botocore.config import Config

        signing_name = self._model(service).signing_name
        endpoint = self._endpoints.get(signing_name)
        if endpoint is None and self._moto is None:
            raise ServiceAbsentError(f"no {service} is served: the emulator was started with --neighbours none")
        client = self._session.create_client(
            service,
            region_name=place.region,
            endpoint_url=endpoint or "http://localhost",
            aws_access_key_id=place.account,
            aws_secret_access_key="none",  # noqa: S106 - signatures are not checked
            config=Config(
                retries={"total_max_attempts": 1},
                connect_timeout=PATIENCE,
                read_timeout=PATIENCE,
                s3={"addressing_style": "path"},
                proxies={},
                parameter_validation=service != "logs",  # of thousands of events it costs as much as all the rest
            ),
        )
        if endpoint is None and self._moto is not None:
            client.meta.events.register_first("before-send", _bridge(self._moto, signing_name, place))
        return client


def refused(error: Any) -> ServiceRefusedError:
    """Botocore's ClientError as ours."""
    answer = error.response
    found = answer.get("Error", {})
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
    return ServiceRefusedError(error.operation_name, str(found.get("Code")), str(found.get("Message")), status)


def _bridge(moto: Moto, service: str, place: Place) -> Callable[..., AWSResponse]:
    """Answers a client's requests without a socket."""

    def answer(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        from botocore.awsrequest import AWSResponse

        status, headers, body = moto.answer(_environ(request), service, place)
        raw: Any = _Raw(body)
        return AWSResponse(request.url, int(status.split()[0]), dict(headers), raw)

    return answer


class _Raw(io.BytesIO):
    """A body as botocore reads it from urllib3."""

    def stream(self, _amount: int = 0, **_: object) -> Iterator[bytes]:
        yield self.read()


def _environ(request: AWSPreparedRequest) -> dict[str, Any]:
    from werkzeug.test import EnvironBuilder

    headers = [
        (name, value.decode() if isinstance(value, bytes) else str(value)) for name, value in request.headers.items()
    ]
    body = request.body
    data = body.read() if hasattr(body, "read") else body or b""
    environ: dict[str, Any] = EnvironBuilder(
        method=request.method,
        path=request.url,
        headers=headers,
        data=data.encode() if isinstance(data, str) else data,
    ).get_environ()
    environ["RAW_URI"] = request.url
    return environ
