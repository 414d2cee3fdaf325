"""Errors as the API answers them: the one place where a failure becomes an HTTP status."""

from __future__ import annotations

from typing import Any

import flask
from oslo_db import exception as db_exceptions
from oslo_log import log
import sqlalchemy as sa
from werkzeug import exceptions as http_exceptions

from ironic_inspector import utils
from ironic_inspector.api import access
from ironic_inspector.api import context
from ironic_inspector.api import microversions
from ironic_inspector.common import exceptions
from ironic_inspector.rules import book as rule_book

LOG = log.getLogger(__name__)

STATUSES: tuple[tuple[type[Exception], int], ...] = (
    (microversions.VersionNotSupported, 406),
    (access.NotAuthenticated, 401),
    (access.NotPermitted, 403),
    (access.CannotAuthenticate, 503),
    (exceptions.InvalidRequest, 400),
    (exceptions.NotFound, 404),
    (exceptions.Busy, 409),
    (rule_book.RuleExists, 409),
    (rule_book.RuleIsBuiltIn, 403),
    (exceptions.StoreError, 503),
    (exceptions.Overloaded, 503),
    (exceptions.ShuttingDown, 503),
    # What fails a node is no fault of the service's own, and a ramdisk must not send the same again.
    (exceptions.IntrospectionFailed, 400),
    (exceptions.IronicError, 400),
    (db_exceptions.DBConnectionError, 503),
    (sa.exc.TimeoutError, 503),
)
"""The first class that a failure is an instance of decides."""


def answer(status: int, message: str) -> flask.Response:
    """Return an error as every error of this API looks."""
    response = flask.jsonify(error={'message': message})
    response.status_code = status
    return response


def register(app: flask.Flask) -> None:
    """Make `app` answer every failure as JSON."""
    app.register_error_handler(http_exceptions.HTTPException, _from_http)
    app.register_error_handler(Exception, _from_exception)


def _from_http(failure: http_exceptions.HTTPException) -> Any:
    if failure.code is None or failure.code < 400:
        return failure
    flask.g.reason = f'http-{failure.code}'
    response = answer(failure.code, _HINTS.get(failure.code) or failure.description or failure.name)
    # Such as Allow, which belongs to a 405.
    response.headers.extend(
        (name, value) for name, value in failure.get_headers() if name.lower() not in ('content-type', 'content-length')
    )
    return response


def _reason(failure: Exception) -> str:
    """Return a word for the kind of a failure, of which there are only so many."""
    if isinstance(failure, exceptions.InspectorError):
        return str(type(failure).code)
    return 'database' if isinstance(failure, (db_exceptions.DBError, sa.exc.SQLAlchemyError)) else 'unexpected'


_HINTS = {
    404: 'There is no such URL: GET /v1 lists what there is',
    413: 'The request body is too large: the limit is [oslo_middleware]max_request_body_size',
}


def _from_exception(failure: Exception) -> flask.Response:
    flask.g.reason = _reason(failure)
    if isinstance(failure, utils.Error) and 400 <= failure.http_code <= 599:
        return answer(failure.http_code, str(failure))
    for kind, status in STATUSES:
        if isinstance(failure, kind):
            if isinstance(failure, (db_exceptions.DBError, sa.exc.TimeoutError)):
                LOG.error('The database cannot be reached: %s', failure)
                return answer(status, 'The database of the service cannot be reached: try again later')
            response = answer(status, str(failure))
            if isinstance(failure, access.NotAuthenticated):
                response.headers['WWW-Authenticate'] = failure.challenge
            return response
    # Anything that gets here is a bug: the log has it with its traceback, the client gets the id to find it by.
    LOG.error('Unexpected failure', exc_info=failure)
    message = 'The service failed unexpectedly; its log says more, under the id of this request'
    if context.current().conf.debug:
        message = f'{message}: {failure!r}'
    return answer(500, message)
