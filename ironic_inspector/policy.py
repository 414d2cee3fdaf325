"""Who may do what: the rules of the API, which the file in [oslo_policy]policy_file can change."""

from __future__ import annotations

from collections.abc import Mapping
import threading
from typing import Any

from oslo_config import cfg
from oslo_log import log
from oslo_policy import policy

from ironic_inspector import conf as configuration
from ironic_inspector.common import exceptions

LOG = log.getLogger(__name__)

PUBLIC = frozenset({'introspection', 'introspection:version', 'introspection:continue'})
"""Rules whose requests need no credentials, as long as the policy file does not say otherwise."""

_ADMIN = '(role:admin and system_scope:all) or (role:admin) or (role:service)'
_READER = '(role:reader and system_scope:all) or (role:admin) or (role:service)'
_PUBLIC = 'rule:public_api'
_SINCE = 'W'
_REASON = 'Access follows the roles that every OpenStack service knows, and the scope of the token.'

_USELESS = (policy.InvalidDefinitionError, cfg.Error, OSError, ValueError, TypeError, AttributeError)
"""What oslo.policy raises for files that it cannot read, that hold something else than rules, or rules that refer to
themselves or to others that there are not."""


def _route_rule(
    name: str, check: str, description: str, *requests: str, before: str | None = None
) -> policy.DocumentedRuleDefault:
    """Return the rule of some requests, each a verb and a path; `before` is the check that is accepted as well."""
    deprecated = None
    if before:
        deprecated = policy.DeprecatedRule(name, before, deprecated_reason=_REASON, deprecated_since=_SINCE)
    verbs_and_paths = (request.split(' ') for request in requests)
    return policy.DocumentedRuleDefault(
        name,
        check,
        description,
        [{'method': verb, 'path': path} for verb, path in verbs_and_paths],
        deprecated_rule=deprecated,
    )


def _old_role(name: str, check: str, description: str) -> policy.RuleDefault:
    return policy.RuleDefault(
        name,
        check,
        description,
        deprecated_for_removal=True,
        deprecated_reason=_REASON,
        deprecated_since=_SINCE,
    )


_RULES = (
    _old_role(
        'is_admin', 'role:admin or role:administrator or role:baremetal_admin', 'Roles that could do everything before'
    ),
    _old_role('is_observer', 'role:baremetal_observer', 'The role that could read statuses before'),
    policy.RuleDefault('public_api', 'is_public_api:True', 'True for requests that need no credentials'),
    policy.RuleDefault('default', '!', 'What holds where there is no rule'),
    _route_rule('introspection', _PUBLIC, 'See the versions of the API', 'GET /'),
    _route_rule(
        'introspection:version', _PUBLIC, 'See what version 1 of the API has', 'GET /v1', 'GET /v1/openapi.json'
    ),
    _route_rule('introspection:continue', _PUBLIC, 'Send what the ramdisk has found', 'POST /v1/continue'),
    _route_rule(
        'introspection:status',
        _READER,
        'See the status of introspections',
        'GET /v1/introspection',
        'GET /v1/introspection/{node_id}',
        before='rule:is_admin or rule:is_observer',
    ),
    _route_rule(
        'introspection:start',
        _ADMIN,
        'Start an introspection',
        'POST /v1/introspection/{node_id}',
        before='rule:is_admin',
    ),
    _route_rule(
        'introspection:abort',
        _ADMIN,
        'Cancel an introspection',
        'POST /v1/introspection/{node_id}/abort',
        before='rule:is_admin',
    ),
    _route_rule(
        'introspection:data',
        _ADMIN,
        'See the data of an introspection, which can hold credentials',
        'GET /v1/introspection/{node_id}/data',
        'GET /v1/introspection/{node_id}/data/unprocessed',
        before='rule:is_admin',
    ),
    _route_rule(
        'introspection:reapply',
        _ADMIN,
        'Process the data of an introspection again',
        'POST /v1/introspection/{node_id}/data/unprocessed',
        before='rule:is_admin',
    ),
    _route_rule(
        'introspection:rule:get',
        _ADMIN,
        'See introspection rules, and what they would do',
        'GET /v1/rules',
        'POST /v1/rules/preview',
        'GET /v1/rules/{rule_uuid}',
        before='rule:is_admin',
    ),
    _route_rule(
        'introspection:rule:create',
        _ADMIN,
        'Create or change an introspection rule',
        'POST /v1/rules',
        'POST /v1/rules/{rule_uuid}',
        'PATCH /v1/rules/{rule_uuid}',
        before='rule:is_admin',
    ),
    _route_rule(
        'introspection:rule:delete',
        _ADMIN,
        'Delete introspection rules',
        'DELETE /v1/rules',
        'DELETE /v1/rules/{rule_uuid}',
        before='rule:is_admin',
    ),
)


def list_policies() -> list[policy.RuleDefault]:
    """Return the rules with their defaults, for oslopolicy-sample-generator too."""
    return list(_RULES)


def enforcer_of_tools() -> policy.Enforcer:
    """Return what oslo.policy's commands, such as oslopolicy-policy-generator, work on.

    They read configuration files into oslo.config's own object. If they were given none, the usual ones count.
    """
    conf = cfg.CONF
    if not conf.config_file:
        conf([], project=configuration.PROJECT)
    configuration.set_policy_defaults(conf)
    return _enforcer(conf)


class Policy:
    """The rules in force: the defaults, and what the policy file makes of them. It is followed when it changes."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        """Read the policy file in `conf`, if there is one; ConfigurationError if it cannot be used."""
        self._conf = conf
        # While oslo.policy reads the files again there are too few rules, so that another one enforces them.
        self._reader = _enforcer(conf)
        self._lock = threading.Lock()
        self._load()
        self._in_force = self._copy()

    def permits(self, rule: str, credentials: Mapping[str, Any]) -> bool:
        """Tell whether `rule` lets somebody with these credentials pass (see RequestContext.to_policy_values)."""
        # A check may ask a server that takes its time: nobody else waits for that.
        enforcer = self._follow()
        try:
            return bool(enforcer.authorize(rule, {}, dict(credentials)))
        except (OSError, RuntimeError) as exc:
            # The latter is what oslo.policy makes of a timeout, and of files for TLS that there are not.
            LOG.error('The policy rule %s asks a server that does not answer, nobody passes it: %s', rule, exc)
            return False

    def _follow(self) -> policy.Enforcer:
        """Return what enforces the files as they are now, or as they were before they became useless."""
        with self._lock:
            try:
                if self._load():
                    self._in_force = self._copy()
            except exceptions.ConfigurationError as exc:
                LOG.error('The policy has changed and stays as it was: %s', exc)
            return self._in_force

    def _load(self) -> bool:
        """Read the files if they have changed, and tell that.

        ConfigurationError, with the rules as they were, if they are useless.
        """
        before = self._reader.rules
        try:
            self._reader.load_rules()
            if changed := self._reader.rules is not before:
                self._reader.check_rules(raise_on_violation=True)
        except _USELESS as exc:
            # What was read before the fault lacks the rest, so that defaults may permit what the files forbid.
            self._reader.rules = before
            source = self._reader.policy_path or self._reader.policy_file
            raise exceptions.ConfigurationError(
                f'[oslo_policy]policy_file: {source} cannot be used: {_in_one_line(exc)}'
            ) from exc
        return changed

    def _copy(self) -> policy.Enforcer:
        """Return what enforces the rules that were read, and does not change any more."""
        made = _enforcer(self._conf)
        # Evaluating a rule must not read the files again.
        made.set_rules(self._reader.rules, use_conf=False)
        # They were checked as they were read.
        made.load_rules()
        return made


def _in_one_line(failure: Exception) -> str:
    return ' '.join(str(failure).split())


def _enforcer(conf: cfg.ConfigOpts) -> policy.Enforcer:
    made = policy.Enforcer(conf)
    made.register_defaults(list_policies())
    # Nobody has to do anything about new defaults: the old ones are accepted as well.
    made.suppress_default_change_warnings = True
    return made
