"""Answers requests to the other services with moto, in this process: a WSGI application for each service."""

from __future__ import annotations

import io
import logging
import re
import threading
from collections.abc import Callable, Iterable, MutableMapping
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from emulator.neighbours.answers import Answer, refusal
from emulator.neighbours.embedded.given import is_done_again
from emulator.neighbours.embedded.locks import Locks
from emulator.neighbours.embedded.models import forget_everything, made
from emulator.neighbours.ports import Place, ServiceRefusedError

if TYPE_CHECKING:
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication

    from emulator.neighbours.embedded.keeping.keeper import Keeper, Step

logger = logging.getLogger(__name__)

Environ = MutableMapping[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
Hook = Callable[[], None]
Renewal = Callable[[Place], object]

MOST_BODY = 512 << 20
"""The longest body that is taken: moto keeps it in memory."""

_REGION_IN_AGENT = re.compile(r"\bregion/\S+")
_OUR_NAME = ".localhost"


class Moto:
    """The services. What a service needs changed in moto is done once, right after it was imported."""

    def __init__(self, locks: Locks, keeper: Keeper | None, prepare: Callable[[Moto], None]) -> None:
        """`keeper`: None where nothing survives the process. `prepare`: called once, before moto is imported."""
        self.locks = locks
        self.keeper = keeper
        self._prepare = prepare
        self._guard = threading.RLock()
        self._dispatcher: DomainDispatcherApplication | None = None
        self._applications: dict[str, Application] = {}
        self._backends: dict[str, str | None] = {}
        self._hooks: list[tuple[str, Hook]] = []
        self._renewals: dict[str, list[Renewal]] = {}

    @property
    def is_loaded(self) -> bool:
        """Has anybody asked a service yet?"""
        return self._dispatcher is not None

    def on_load(self, service: str, hook: Hook) -> None:
        """Call this when moto's models of a service (by its name there, or `core`) are imported, by whomever.

        Nothing has been made of them then.
        """
        self._hooks.append((service, hook))

    def before_each(self, service: str, renewal: Renewal) -> None:
        """Call this before each request to a service, under its lock: it brings up to date what the service shows."""
        self._renewals.setdefault(service, []).append(renewal)

    def goes_on(self, service: str, step: Step) -> None:
        """Do this before each request to a service, under its lock: it goes on with what is under way there.

        Unlike what `before_each` brings up to date, it makes things: they survive as what requests make does.
        """
        if self.keeper is None:
            self.before_each(service, step)
        else:
            self.keeper.steps[service] = step
            self.before_each(service, partial(self.keeper.step, service))

    def backend(self, service: str) -> Any:
        """Moto's book of a service's backends: `[account][region]`. The service is loaded if it is not yet."""
        self._application(service)
        from moto.backends import get_backend

        return get_backend(service)  # type: ignore[call-overload]

    def made(self, service: str, place: Place) -> Any:
        """The backend of a service (by moto's name) at a place, if anybody has asked there; None otherwise.

        Whoever asked an earlier process counts too, if that changed something.
        """
        if self.keeper is not None and self.keeper.holds(service, place):
            self.backend(service)
        return made(service, place) if self.is_loaded else None

    def renew(self, service: str, place: Place) -> None:
        """Bring up to date what a service shows. The caller holds its lock."""
        for renewal in self._renewals.get(service, ()):
            renewal(place)

    def reset(self) -> None:
        """Forget what the services hold, of all accounts. Other emulators in this process have the same services."""
        with self._guard:
            if self.keeper is not None:
                self.keeper.forget()
            forget_everything()

    def answer(self, environ: Environ, service: str, place: Place) -> Answer:
        """Answer a request. `service` is the name in its credential scope."""
        try:
            return self._answer(environ, service, place)
        except ServiceRefusedError as error:
            return refusal(environ, service, error)
        except NotImplementedError as error:
            message = str(error) or "This operation is not implemented."
            return refusal(environ, service, ServiceRefusedError("", "NotImplementedException", message, 501))
        except Exception:
            logger.exception("A request to %s failed", service)
            message = "The emulated service failed. The emulator's log says more."
            return refusal(environ, service, ServiceRefusedError("", "InternalFailure", message, 500))

    def _answer(self, environ: Environ, service: str, place: Place) -> Answer:
        _read_body(environ)
        _say_for_whom(environ, service, place)
        if service == "s3":
            _name_bucket_as_aws_does(environ, place)
            _keep_spelling(environ)
        backend = self._backend_of(environ, service)
        if backend is None:
            raise ServiceRefusedError(
                "", "UnknownOperationException", f"There is no AWS service '{service[:64]}' here."
            )
        application = self._application(backend)
        if is_done_again():  # a part of that call, before anybody else is let in
            return _called(application, environ)
        with self.locks.held(backend, place):
            self.renew(backend, place)
            if self.keeper is None:
                return _called(application, environ)
            return self.keeper.kept(backend, place, environ, self._perform)

    def _perform(self, backend: str, environ: Environ) -> Answer:
        return _called(self._application(backend), environ)

    def _backend_of(self, environ: Environ, service: str) -> str | None:
        """Moto's name of the service that a request is for; some services share one name in signatures."""
        dispatcher = self._load()
        inferred = environ if "HTTP_AUTHORIZATION" in environ else _signed_for(environ, service)
        host = (
            dispatcher.infer_service_region_host(dict(inferred), str(environ["PATH_INFO"]))
            or f"{service}.amazonaws.com"
        )
        if host not in self._backends:
            # Two thirds of a millisecond each time, as it looks through the addresses of all services.
            self._backends[host] = dispatcher.get_backend_for_host(host)
        return self._backends[host]

    def _load(self) -> DomainDispatcherApplication:
        if self._dispatcher is None:
            with self._guard:
                if self._dispatcher is None:
                    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

                    self._register_hooks()
                    self._dispatcher = DomainDispatcherApplication(create_backend_app)
        return self._dispatcher

    def _application(self, backend: str) -> Application:
        """The application of a service. What was kept of all services is there when anybody sees the first one."""
        if self.keeper is not None and not self.keeper.is_up_to_date:
            self._load()
            with self._guard:
                self.keeper.bring_back(self._perform)
        found = self._applications.get(backend)
        if found is not None:
            return found
        dispatcher = self._load()
        with self._guard:
            if backend not in self._applications:
                application = cast("Application", dispatcher.create_app(cast("Any", backend)))
                if self.keeper is not None:
                    from emulator.neighbours.embedded.keeping.stand_ins import stand_in

                    stand_in()
                self._applications[backend] = application
            return self._applications[backend]

    def _register_hooks(self) -> None:
        from wrapt import register_post_import_hook

        self._prepare(self)
        for service, hook in self._hooks:
            module = "moto.core.common_models" if service == "core" else f"moto.{service}.models"
            register_post_import_hook(partial(_after_import, hook), module)


def _after_import(hook: Hook, _module: object) -> None:
    hook()


def _called(application: Application, environ: Environ) -> Answer:
    """What a WSGI application answers, as a whole."""
    begun: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], _error: object = None) -> None:
        begun[:] = (status, headers)

    chunks = application(environ, start_response)
    try:
        body = b"".join(chunks)
    finally:
        getattr(chunks, "close", lambda: None)()
    status, sent = begun
    if status[:3] in {"404", "405"} and any("text/html" in value for _, value in sent):  # Flask's own page
        raise ServiceRefusedError(
            "", "UnknownOperationException", "The service has no operation here.", int(status[:3])
        )
    return status, sent, body


def _read_body(environ: Environ) -> None:
    """Read the body before any lock is taken: who sends slowly holds up nobody else."""
    body = environ["wsgi.input"].read(MOST_BODY + 1)
    if len(body) > MOST_BODY:
        raise ServiceRefusedError("", "EntityTooLarge", f"The body is longer than {MOST_BODY >> 20} MiB.", 413)
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    environ.pop("HTTP_TRANSFER_ENCODING", None)


def _say_for_whom(environ: Environ, service: str, place: Place) -> None:
    """Have moto take the account and the region that we found out, whatever else the request says."""
    environ["HTTP_X_MOTO_ACCOUNT_ID"] = place.account
    agent = _REGION_IN_AGENT.sub("", str(environ.get("HTTP_USER_AGENT", "")))
    environ["HTTP_USER_AGENT"] = agent
    if "HTTP_AUTHORIZATION" not in environ and service != "s3":  # S3 asks who signed before it asks who may
        environ["HTTP_AUTHORIZATION"] = _credential(service, place.region)


def _signed_for(environ: Environ, service: str) -> Environ:
    return {**environ, "HTTP_AUTHORIZATION": _credential(service, "us-east-1")}


def _credential(service: str, region: str) -> str:
    return f"AWS4-HMAC-SHA256 Credential=none/20000101/{region}/{service}/aws4_request"


def _name_bucket_as_aws_does(environ: Environ, place: Place) -> None:
    """`bucket.s3.localhost` and `bucket.localhost` name a bucket, which moto sees in AWS's own names only."""
    name, _, _ = str(environ.get("HTTP_HOST", "")).lower().partition(":")
    bucket = name.removesuffix(_OUR_NAME).removesuffix(f".{place.region}").removesuffix(".s3")
    if name.endswith(_OUR_NAME) and bucket != "s3":
        environ["HTTP_HOST"] = f"{bucket}.s3.{place.region}.amazonaws.com"


def _keep_spelling(environ: Environ) -> None:
    """WSGI writes `x-amz-meta-a_b` and `x-amz-meta-a-b` alike; S3 tells them apart, and moto knows one of them."""
    from moto.core.request import PRESERVED_HEADER_NAMES_ENVIRON_KEY, environ_key_for_header

    scope = environ.get("asgi.scope", {})  # our own clients come without one, and set no such headers
    headers = [(name.decode("latin-1"), value) for name, value in scope.get("headers", ())]
    metadata = [(name, value) for name, value in headers if name.startswith("x-amz-meta-")]
    dashed = {environ_key_for_header(name): value for name, value in metadata if "_" not in name}
    kept = {environ_key_for_header(name): name for name, _ in metadata if "_" in name}
    environ[PRESERVED_HEADER_NAMES_ENVIRON_KEY] = {key: name for key, name in kept.items() if key not in dashed}
    environ.update({key: value.decode("latin-1") for key, value in dashed.items() if key in kept})
