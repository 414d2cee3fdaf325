"""Rules that stand in a YAML file, so that they can be deployed with the configuration."""

from __future__ import annotations

import json
from typing import Any
import uuid

from oslo_config import cfg

from ironic_inspector.common import exceptions
from ironic_inspector.rules import compiled
from ironic_inspector.rules import definition

OPTION = '[inspection_rules]built_in_rules'
_NAMESPACE = uuid.UUID('5b0c1f0e-6d5c-4c0c-9a63-6c9f7c1b7c5e')
"""For the UUIDs of rules that name none: the same rule gets the same one at each start."""


def load(conf: cfg.ConfigOpts, vocabulary: definition.Vocabulary, plugins: compiled.Plugins) -> list[compiled.Rule]:
    """Return the rules in the file that [inspection_rules]built_in_rules names; none if it names none.

    ConfigurationError if it cannot be read, or one of them is invalid.
    """
    path = conf.inspection_rules.built_in_rules
    if not path:
        return []
    # By need: most services have no such file.
    import yaml

    try:
        with open(path, encoding='utf-8') as file:
            documents = yaml.safe_load(file)
    except (OSError, UnicodeDecodeError) as exc:
        raise exceptions.ConfigurationError(f'{OPTION}: {path} cannot be read: {exc}') from exc
    except (yaml.YAMLError, ValueError, RecursionError) as exc:
        # The latter two for dates and numbers that there are not, and for what is nested without end.
        raise exceptions.ConfigurationError(f'{OPTION}: {path} is not YAML: {exc}') from exc
    if not isinstance(documents, list):
        raise exceptions.ConfigurationError(f'{OPTION}: {path} must hold a list of rules')
    rules: dict[str, compiled.Rule] = {}
    for number, document in enumerate(documents, 1):
        try:
            named = _named(_as_json(document))
            rule = definition.parse(named, vocabulary=vocabulary, extended=True, built_in=True)
            if rule.uuid in rules:
                raise ValueError('there is the same one, or one with the same UUID, before it')
            rules[rule.uuid] = compiled.Rule(rule, plugins)
        except (definition.InvalidRule, ValueError) as exc:
            raise exceptions.ConfigurationError(f'{OPTION}: {path}: rule {number}: {exc}') from exc
    return list(rules.values())


def _as_json(document: Any) -> Any:
    """Return a document as JSON has it; ValueError if it holds what YAML has and JSON has not, such as dates."""
    try:
        same = json.loads(json.dumps(document, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as exc:
        raise ValueError(f'it is not JSON: {exc}; what is meant as text, such as a date, needs quotes') from exc
    if same != document:
        raise ValueError('it is not JSON: keys that are no text need quotes')
    return same


def _named(document: Any) -> Any:
    """Give a rule without a UUID one that is made of what it says."""
    if not isinstance(document, dict) or document.get('uuid'):
        return document
    return {**document, 'uuid': str(uuid.uuid5(_NAMESPACE, json.dumps(document, sort_keys=True)))}
