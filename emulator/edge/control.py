"""/_emulator: looks at the emulator itself, and controls it. Flask; imported when first asked for."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from flask import Blueprint, Flask, Response, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from emulator.edge.parts import Control, StoryLine

logger = logging.getLogger(__name__)

MOST_BODY = 1 << 20
PAGES = ("GET /_emulator/health", "POST /_emulator/reset", "GET /_emulator/story/<task id or ARN>")


def create_app(control: Control) -> Flask:
    """A WSGI application that answers below /_emulator."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MOST_BODY
    app.register_blueprint(pages(control))
    app.register_error_handler(HTTPException, _refuse)
    app.register_error_handler(Exception, _fail)
    return app


def pages(control: Control) -> Blueprint:
    """The pages, answered by what the owner gave."""
    blueprint = Blueprint("control", __name__, url_prefix="/_emulator")

    @blueprint.get("/health")
    def health() -> ResponseReturnValue:
        return jsonify(control.health())

    @blueprint.post("/reset")
    def reset() -> ResponseReturnValue:
        control.reset()
        return jsonify(status="reset")

    @blueprint.get("/story/<path:task>")
    def story(task: str) -> ResponseReturnValue:
        lines = control.story(task)
        if lines is None:
            message = f"There is no task '{task}', or its story was forgotten. Give a task id or ARN."
            return _error("TaskNotFound", message, 404)
        wanted = request.accept_mimetypes
        if wanted["text/plain"] > wanted["application/json"]:
            return Response("".join(map(_as_text, lines)), mimetype="text/plain")
        return jsonify(lines)

    return blueprint


def _as_text(line: StoryLine) -> str:
    at = datetime.fromtimestamp(line["at"], UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return f"{at}  {line['text']}\n"


def _error(code: str, message: str, status: int) -> Response:
    response = jsonify(error=code, message=message)
    response.status_code = status
    return response


def _refuse(error: HTTPException) -> Response:
    original = error.get_response()
    message = f"There are: {', '.join(PAGES)}." if original.status_code == 404 else error.description
    response = _error(error.name.replace(" ", ""), message or error.name, original.status_code)
    if "Allow" in original.headers:
        response.headers["Allow"] = original.headers["Allow"]
    return response


def _fail(error: Exception) -> Response:
    logger.error("%s %s failed: a defect of the emulator", request.method, request.path, exc_info=error)
    return _error("ServerError", "This is a defect of the emulator. Its log says more.", 500)
