"""Base classes of plug-ins."""

from __future__ import annotations

import abc
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Sequence
import dataclasses
import threading
from typing import Any
from typing import ClassVar

from oslo_config import cfg

from ironic_inspector.db import engine

JsonObject = dict[str, Any]


class ProcessingHook:
    """A step in the processing of what a ramdisk sent.

    One object serves all nodes and threads: it must not keep anything of a node in itself. A hook fails an
    introspection by raising `ironic_inspector.utils.Error`.
    """

    # Not to be changed but replaced; a list, since subclasses may make theirs of it with `+`.
    dependencies: ClassVar[Sequence[str]] = []
    """Names of hooks that have to be enabled, and to stand before this one."""

    def configure(self, conf: cfg.ConfigOpts) -> None:
        """Prepare the hook for a configuration, once, before the service starts.

        Raises ironic_inspector.common.exceptions.ConfigurationError if it cannot work; the service does not start then.
        """

    def before_processing(self, introspection_data: JsonObject, **kwargs: Any) -> None:
        """Work on the data of a node that is not known yet. May change them in place."""

    def before_update(self, introspection_data: JsonObject, node_info: Any, **kwargs: Any) -> None:
        """Work on the data and the node (`ironic_inspector.node_info.NodeInfo`). May change both in place."""


class NodeNotFoundHook(abc.ABC):
    """Decides about machines that sent data and match no node.

    One object serves all machines and threads: it must not keep anything of a machine in itself. A plain function, as
    ironic-inspector had them, does as well: called with the data, it returns the node (a NodeInfo) that it found or
    made itself, or None.
    """

    def configure(self, conf: cfg.ConfigOpts) -> None:  # noqa: B027 (it may be left out)
        """Prepare the hook for a configuration, once, before the service starts.

        Raises ironic_inspector.common.exceptions.ConfigurationError if it cannot work; the service does not start then.
        """

    @abc.abstractmethod
    def new_node(self, introspection_data: JsonObject) -> JsonObject | None:
        """Return the node to be created for the machine, as Ironic's API takes it, without UUID; None to refuse it.

        The data have been through the hooks' `before_processing`; they may be malformed, and have failed there.
        """


@dataclasses.dataclass(frozen=True)
class Resources:
    """What the service shares with its data stores."""

    database: engine.Database
    stopping: threading.Event
    """Set when the service has to end: nothing may wait for another attempt then."""


class IntrospectionDataStore(abc.ABC):
    """A place for introspection data.

    One object serves all nodes and threads. A class with `get` and `save` and no other base does as well, as
    ironic-inspector had them; it is given objects to save.
    """

    def configure(self, conf: cfg.ConfigOpts, resources: Resources) -> None:  # noqa: B027 (it may be left out)
        """Prepare the store for a configuration, once, before the service starts.

        Raises ironic_inspector.common.exceptions.ConfigurationError if it cannot work; the service does not start then.
        """

    @abc.abstractmethod
    def get(self, node_uuid: str, processed: bool = True, get_json: bool = False) -> Any:
        """Return the data of a node, as JSON text or, with `get_json`, as an object.

        `processed` chooses between what the hooks made of them and what the ramdisk sent. Raises
        ironic_inspector.common.exceptions.NotFound if there are none, StoreError if they cannot be had.
        """

    @abc.abstractmethod
    def save(self, node_uuid: str, data: Any, processed: bool = True) -> None:
        """Keep the data of a node, an object or its JSON text, in place of those kept before.

        They must be safe when it returns. Raises ironic_inspector.common.exceptions.StoreError if they are not.
        """


class _WithParams:
    """What conditions and actions of rules have in common: parameters, checked when a rule is made."""

    # Subclasses may make theirs of these, with `|`.
    REQUIRED_PARAMS: Collection[str] = frozenset()
    """Names of parameters that must be there."""
    OPTIONAL_PARAMS: Collection[str] = frozenset()
    """Names of parameters that may be there; no others may."""

    def validate(self, params: JsonObject, **kwargs: Any) -> None:  # noqa: ARG002
        """Raise ValueError, saying what is wrong, if a rule cannot have these parameters."""
        missing = sorted(name for name in self.REQUIRED_PARAMS if params.get(name) is None)
        if missing:
            raise ValueError(f'it needs {", ".join(missing)}')
        # What is null is as good as missing.
        given = {name for name, value in params.items() if value is not None}
        unknown = sorted(given - {*self.REQUIRED_PARAMS, *self.OPTIONAL_PARAMS})
        if unknown:
            raise ValueError(f'it takes no {", ".join(unknown)}')


class RuleConditionPlugin(_WithParams, abc.ABC):
    """A way of looking at a value, named by `op` in the conditions of rules.

    One object serves all rules and threads.
    """

    REQUIRED_PARAMS: Collection[str] = frozenset({'value'})
    ALLOW_NONE = False
    """Whether the condition is asked, about None, where its field leads to no value. If not, it does not hold."""

    @abc.abstractmethod
    def check(self, node_info: Any, field: Any, params: JsonObject, **kwargs: Any) -> bool:
        """Tell whether the value `field` fulfils the condition with `params`.

        A ValueError or a TypeError says that this cannot be told of such a value: the condition does not hold then.
        """

    def prepare(self, params: JsonObject) -> Callable[[Any], bool] | None:  # noqa: ARG002
        """Return what takes the place of `check` for these params, if that is faster and needs no node."""
        return None


class RuleActionPlugin(_WithParams, abc.ABC):
    """Something that rules do to a node, named by `action` in their actions.

    One object serves all rules and threads.
    """

    # Not to be changed but replaced; a list, since subclasses may make theirs of it with `+`.
    FORMATTED_PARAMS: ClassVar[Collection[str]] = []
    """Names of parameters whose texts may have fields, such as {data[inventory][bmc_address]}."""
    IS_PUBLIC = False
    """Whether what the parameters say stands in the log afterwards: no action for rules with secrets."""
    CAN_BE_PREVIEWED = False
    """Whether all that it does is done through the methods of the node that it is given, and so can be undone."""

    @abc.abstractmethod
    def apply(self, node_info: Any, params: JsonObject, **kwargs: Any) -> None:
        """Do it to the node, with fields filled in. An exception fails the introspection."""


class RuleDataActionPlugin(RuleActionPlugin):
    """An action on the introspection data in place of the node."""

    CAN_BE_PREVIEWED = True

    def apply(self, node_info: Any, params: JsonObject, **kwargs: Any) -> None:
        """See `apply_to_data`, which is called instead."""
        raise NotImplementedError

    @abc.abstractmethod
    def apply_to_data(self, introspection_data: JsonObject, params: JsonObject) -> None:
        """Change the data in place."""
