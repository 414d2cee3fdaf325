"""ironic-inspector-status: looks whether the service can be started with this version and this configuration."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from pathlib import Path
import sys
from typing import Final

from oslo_config import cfg
from oslo_db import exception as db_exceptions
from oslo_log import log
from oslo_upgradecheck import upgradecheck
import sqlalchemy as sa

from ironic_inspector import conf as configuration
from ironic_inspector import version
from ironic_inspector.cmd import startup
from ironic_inspector.common import exceptions
from ironic_inspector.common import keystone
from ironic_inspector.conductor import filtering
from ironic_inspector.conf import ironic as ironic_conf
from ironic_inspector.conf import unknown
from ironic_inspector.db import engine
from ironic_inspector.db import revision
from ironic_inspector.plugins import hooks
from ironic_inspector.plugins import introspection_data
from ironic_inspector.plugins import loading

PROG: Final = 'ironic-inspector-status'
DESCRIPTION: Final = (
    'Looks, before the service is started, whether it can: at the database, at Ironic, at the options in the '
    'configuration files and at the plug-ins that they name. Nothing is changed. To be run with the configuration of '
    'the service, as: ironic-inspector-status upgrade check [--json]'
)
EPILOG: Final = (
    'Exit status: 0 all is well; 1 there is something to look into, the service starts nevertheless; 2 the service '
    'would not start or not work; 255 the check itself failed.'
)
CONNECTION_TIMEOUT: Final = 12.0
"""Seconds to wait for an answer of Ironic where [ironic]timeout is not set."""

SUCCESS: Final = upgradecheck.Code.SUCCESS
WARNING: Final = upgradecheck.Code.WARNING
FAILURE: Final = upgradecheck.Code.FAILURE


class Checks(upgradecheck.UpgradeCommands):
    """What is looked at, each by itself."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        """Look at what `conf` says."""
        self._conf = conf

    def check_configuration(self) -> upgradecheck.Result:
        """Values that are wrong fail; options that nobody knows, or that have another name now, warn."""
        try:
            configuration.check_values(self._conf)
            configuration.check(self._conf)
        except (cfg.Error, exceptions.ConfigurationError) as exc:
            return upgradecheck.Result(FAILURE, startup.reason(exc))
        # Their options count as known only once they are loaded; what is wrong with them is another check's.
        for kind in self._plugins():
            _faults_of(kind)
        complaints = unknown.find(self._conf)
        return upgradecheck.Result(WARNING if complaints else SUCCESS, '; '.join(complaints) or None)

    def check_database(self) -> upgradecheck.Result:
        """The database has to be there, at the newest revision."""
        try:
            url = sa.make_url(self._conf.database.connection)
            # To connect to an SQLite file that is not there would create it.
            if url.get_backend_name() == 'sqlite' and url.database and not Path(url.database).exists():
                return upgradecheck.Result(
                    FAILURE, f'[database]connection: there is no {url.database}; run "ironic-inspector-dbsync upgrade"'
                )
            revision.check_is_current(engine.Database(self._conf))
        except exceptions.ConfigurationError as exc:
            return upgradecheck.Result(FAILURE, startup.reason(exc))
        except (db_exceptions.DBError, sa.exc.SQLAlchemyError, ImportError, OSError) as exc:
            text = str(exc).strip().partition('\n')[0]
            return upgradecheck.Result(FAILURE, f'[database]connection cannot be used: {text}')
        return upgradecheck.Result(SUCCESS)

    def check_ironic(self) -> upgradecheck.Result:
        """Ironic has to answer; that it is away just now does not keep the service from starting."""
        try:
            keystone.check(self._conf, ironic_conf.GROUP)
        except exceptions.ConfigurationError as exc:
            return upgradecheck.Result(FAILURE, str(exc))
        try:
            endpoint = keystone.connect(
                self._conf, ironic_conf.GROUP, versions=None, timeout=CONNECTION_TIMEOUT, connections=1
            )
            path = '/nodes' if endpoint.url.endswith('/v1') else '/v1/nodes'
            answer = endpoint.request('GET', path, query={'limit': '1'})
        except keystone.Failure as exc:
            return upgradecheck.Result(WARNING, f'[ironic]: Ironic cannot be reached: {exc}')
        if answer.status != 200:
            return upgradecheck.Result(
                WARNING, f'[ironic]: Ironic at {endpoint.url} answers {answer.status} {answer.reason}'
            )
        return upgradecheck.Result(SUCCESS)

    def check_plugins(self) -> upgradecheck.Result:
        """Hooks, data store and PXE filter have to be installed, and to accept the configuration."""
        faults = [fault for kind in self._plugins() for fault in _faults_of(kind)]
        return upgradecheck.Result(FAILURE if faults else SUCCESS, '; '.join(faults) or None)

    def _plugins(self) -> Sequence[Callable[[], object]]:
        conf = self._conf
        return (
            lambda: hooks.load(conf),
            lambda: hooks.load_node_not_found(conf),
            lambda: loading.find(introspection_data.NAMESPACE, conf.processing.store_data, '[processing]store_data'),
            lambda: loading.find(filtering.NAMESPACE, conf.pxe_filter.driver, filtering.OPTION),
        )

    _upgrade_checks = (
        ('Configuration', check_configuration),
        ('Database', check_database),
        ('Ironic', check_ironic),
        ('Plug-ins', check_plugins),
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (default: that of the process) and return the exit status of oslo.upgradecheck."""
    conf = cfg.CONF
    upgradecheck.register_cli_options(conf, Checks(conf))
    configuration.register_opts(conf)
    # Standard output is for the report.
    conf.set_default('use_stderr', True)
    try:
        conf(
            list(sys.argv[1:] if argv is None else argv),
            project=configuration.PROJECT,
            prog=PROG,
            version=version.release(),
            description=DESCRIPTION,
            epilog=EPILOG,
        )
        log.setup(conf, 'ironic_inspector')
    except (cfg.Error, log.LogConfigError, OSError) as exc:
        print(f'{PROG}: {startup.reason(exc)}', file=sys.stderr)
        return int(FAILURE)
    # What --json asks for is looked for there.
    upgradecheck.CONF = conf
    return int(upgradecheck.run(conf))


def _faults_of(load: Callable[[], object]) -> list[str]:
    try:
        load()
    except (exceptions.ConfigurationError, cfg.Error) as exc:
        return [startup.reason(exc)]
    return []


if __name__ == '__main__':
    sys.exit(main())
