"""All that the API can ask of the conductor."""

from __future__ import annotations

from collections.abc import Callable
import contextlib
from typing import Any

from oslo_config import cfg
from oslo_context import context as log_context
from oslo_log import log

from ironic_inspector.common import exceptions
from ironic_inspector.conductor import introspection
from ironic_inspector.conductor import periodic
from ironic_inspector.conductor import processing
from ironic_inspector.conductor.services import Services
from ironic_inspector.db import engine
from ironic_inspector.introspection_state import Events
from ironic_inspector.introspection_state import States
from ironic_inspector.node_info import NodeInfo

LOG = log.getLogger(__name__)


class ConductorManager:
    """The conductor: one object for a process, called by the threads of the API."""

    def __init__(self, conf: cfg.ConfigOpts, database: engine.Database) -> None:
        """Build the conductor for `conf` on `database`; ConfigurationError if it cannot work."""
        self.services = Services.build(conf, database)
        self._introspector = introspection.Introspector(self.services)
        self._processor = processing.Processor(self.services)
        self._periodic = periodic.Periodic(self.services, self._take_over)

    def start(self) -> None:
        """Start the periodic work, after taking up what an earlier process has left undone."""
        self.services.pxe_filter.start()
        # What has been left long ago is not worth a reboot.
        periodic.end_timed_out(self.services)
        self._take_over()
        self.services.pxe_filter.sync()
        self._periodic.start()

    def check(self) -> None:
        """Raise an InspectorError if the conductor does not work, or not any more."""
        if self.services.work.draining:
            raise exceptions.ShuttingDown('The service is shutting down')
        if not self._periodic.is_alive:
            raise exceptions.InspectorError('The thread of the periodic work has ended: restart the service')

    def stop(self, timeout: float | None) -> bool:
        """Take no new work and wait, at most `timeout` seconds, for what goes on; tell whether it has ended."""
        self._periodic.stop()
        return self.services.work.drain(timeout)

    def close(self, *, wait: bool = True) -> None:
        """Free what the conductor holds, after `stop`."""
        self.services.work.shutdown(wait=wait)
        self.services.pxe_filter.stop()

    def start_introspection(self, node_id: str, *, manage_boot: bool) -> None:
        """See Introspector.start."""
        self._introspector.start(node_id, manage_boot=manage_boot)

    def abort_introspection(self, node_id: str) -> None:
        """See Introspector.abort."""
        self._introspector.abort(node_id)

    def continue_introspection(self, data: dict[str, Any], forgotten: Callable[[], None]) -> str:
        """See Processor.callback."""
        return self._processor.callback(data, forgotten)

    def reapply_introspection(self, node_id: str, data: dict[str, Any] | None = None) -> None:
        """See Processor.reapply."""
        self._processor.reapply(node_id, data)

    def _take_over(self) -> None:
        """Go on with nodes in states that need somebody to work on them, and have nobody.

        An earlier process has left them there, or this one, when it could not write to the database.
        """
        go_on: dict[str, Callable[[NodeInfo, contextlib.ExitStack], None]] = {
            States.STARTING: self._introspector.boot_again,
            States.ABORTING: self._introspector.end_aborted,
            States.PROCESSING: self._processor.process_again,
            States.REAPPLYING: self._processor.process_again,
            States.ENROLLING: self._fail_enrolling,
        }
        for record in self.services.nodes.in_states(States.WORKING):
            # Each has an id by which all its lines in the log can be found.
            log_context.RequestContext(resource_uuid=record.uuid)
            try:
                self.services.take_over(record, go_on[record.state])
            except exceptions.ShuttingDown:
                raise
            except exceptions.InspectorError as exc:
                LOG.error('Node %s: %s', record.uuid, exc)
            except Exception:
                # Whatever is wrong with one node, such as stored data that are damaged, must not end the service.
                LOG.exception('Node %s could not be taken over', record.uuid)
        # What this thread logs from here on is about none of them.
        log_context.RequestContext()

    def _fail_enrolling(self, info: NodeInfo, held: contextlib.ExitStack) -> None:
        with held:
            self.services.nodes.transition(
                info,
                Events.ERROR,
                'The service was stopped while it enrolled the node: let it boot the ramdisk again',
            )
