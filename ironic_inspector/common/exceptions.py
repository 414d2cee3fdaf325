"""What can go wrong, as a tree. None of these knows HTTP: `ironic_inspector.api.errors` maps them to statuses.

InspectorError
├── ConfigurationError      the configuration cannot work; stops the start
├── InvalidRequest          what a client sent cannot be used
│   ├── InvalidData         … in introspection data
│   └── NotAllowedInState   … in the state that the introspection or the node is in
├── NotFound                no such node, introspection or data
├── Busy                    another operation holds the node
├── IntrospectionFailed     hooks or rules failed a node
├── IronicError             Ironic refused a request or is away
├── StoreError              the introspection data cannot be read or kept where they are
├── Overloaded              the service has more to do than it can
└── ShuttingDown            the service ends and takes no new work

`ironic_inspector.utils.Error`, which plug-ins raise, is an IntrospectionFailed.
"""

from __future__ import annotations


class InspectorError(Exception):
    """Base of all errors that the service raises itself. Its text is meant for the operator."""

    code = 'internal'
    """A stable name of the kind of failure."""


class ConfigurationError(InspectorError):
    """The configuration cannot work; the text names the option."""

    code = 'configuration'


class InvalidRequest(InspectorError):
    """What a client sent cannot be used; the text says why and what would be right."""

    code = 'invalid'


class InvalidData(InvalidRequest):
    """Introspection data are malformed; the text names every field that is wrong."""

    code = 'invalid-data'


class NotAllowedInState(InvalidRequest):
    """The request does not fit the state of the introspection or the node."""

    code = 'not-allowed-in-state'


class NotFound(InspectorError):
    """There is no such node, introspection or data."""

    code = 'not-found'


class Busy(InspectorError):
    """Another operation holds the node; the same request may succeed later."""

    code = 'busy'


class IntrospectionFailed(InspectorError):
    """A hook, a rule or a step of the life cycle failed the introspection of a node."""

    code = 'introspection-failed'


class IronicError(InspectorError):
    """Ironic refused a request, or could not be reached."""

    code = 'ironic'
    status: int | None = None
    """The HTTP status that it answered; None if it did not."""


class StoreError(InspectorError):
    """The place where introspection data are kept failed, or could not be reached."""

    code = 'store'


class Overloaded(InspectorError):
    """The service has more to do than it can; the same request may succeed later."""

    code = 'overloaded'


class ShuttingDown(InspectorError):
    """The service ends and takes no new work."""

    code = 'shutting-down'
