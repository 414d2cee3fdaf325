"""What stands in the configuration files to no avail: options that nobody knows, and those with another name now."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from keystoneauth1 import exceptions as ks_exceptions
from keystoneauth1 import loading
from oslo_config import cfg

# By the beginnings of their names: the lists of options that libraries of the service have.
_NAMESPACES = ('ironic_inspector', 'keystonemiddleware.', 'oslo.')
_AUTHENTICATED = ('ironic', 'keystone_authtoken', 'service_catalog', 'swift')
"""Groups whose options depend on their auth_type."""


def find(conf: cfg.ConfigOpts) -> list[str]:
    """Return a complaint for each option in the files of `conf` that nobody knows or that is deprecated.

    Options of plug-ins are known once these have registered them.
    """
    known, deprecated = _options(conf)
    complaints = []
    for file in _files(conf):
        sections: dict[str, dict[str, list[str]]] = {}
        cfg.ConfigParser(str(file), sections).parse()
        for group, options in sections.items():
            names = {name.replace('-', '_') for name in options}
            for name in sorted(names):
                option = (_normal(group), name)
                if option in deprecated:
                    complaints.append(f'{file}: [{group}]{name} is deprecated{deprecated[option]}')
                elif option not in known:
                    complaints.append(f'{file}: [{group}]{name} is not known, and ignored')
    return complaints


def _files(conf: cfg.ConfigOpts) -> Iterator[Path]:
    yield from map(Path, conf.config_file or ())
    for folder in conf.config_dir or ():
        yield from sorted(Path(folder).glob('*.conf'))


def _options(conf: cfg.ConfigOpts) -> tuple[set[tuple[str, str]], dict[tuple[str, str], str]]:
    """Return the options that are known, by group and name, and what to say of deprecated ones."""
    known = {('DEFAULT', name) for name in conf}
    deprecated: dict[tuple[str, str], str] = {}
    for name in conf:
        if isinstance(conf[name], cfg.ConfigOpts.GroupAttr):
            known.update((_normal(name), option) for option in conf[name])
    for group, option in _listed(conf):
        place = (group, str(option.dest))
        known.add(place)
        if option.deprecated_for_removal:
            deprecated[place] = f': {option.deprecated_reason}' if option.deprecated_reason else ''
        for old in option.deprecated_opts:
            before = (_normal(old.group or group), str(old.name or option.dest).replace('-', '_'))
            deprecated[before] = f', it is [{group}]{option.dest} now'
    # A name that is still in use somewhere is none that has been replaced.
    current = {(group, str(option.dest)) for group, option in _listed(conf) if not option.deprecated_for_removal}
    return known, {place: advice for place, advice in deprecated.items() if place not in current}


def _listed(conf: cfg.ConfigOpts) -> Iterator[tuple[str, cfg.Opt]]:
    for entry_point in metadata.entry_points(group='oslo.config.opts'):
        if entry_point.name.startswith(_NAMESPACES):
            for group, options in entry_point.load()():
                for option in options:
                    yield _normal(getattr(group, 'name', group)), option
    for group in _AUTHENTICATED:
        if group in conf:
            for option in _authentication(conf[group].auth_type):
                yield group, option


def _authentication(auth_type: str | None) -> list[cfg.Opt]:
    try:
        options: list[cfg.Opt] = loading.get_auth_plugin_conf_options(auth_type) if auth_type else []
    except ks_exceptions.NoMatchingPlugin:
        return []
    return options


def _normal(group: str | None) -> str:
    return group if group and group.upper() != 'DEFAULT' else 'DEFAULT'
