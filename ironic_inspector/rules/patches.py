"""Changing a rule by a patch: JSON Patch (RFC 6902), or JSON Merge Patch (RFC 7396).

The secrets of a sensitive rule cannot be had in this way. Its conditions and actions go into the patch sealed: they may
be kept, taken away, or replaced as a whole, and keep the rule sensitive for as long as one of them is left.
"""

from __future__ import annotations

from typing import Any

import jsonpatch
import jsonpointer

from ironic_inspector.common import exceptions
from ironic_inspector.db.rules import Rule
from ironic_inspector.plugins import checks
from ironic_inspector.rules import definition

JsonObject = dict[str, Any]

_OPERATIONS = frozenset({'add', 'remove', 'replace', 'test'})
"""Those of Ironic, and `test`. Copies of copies would fill the memory."""
_MAX_REASON = 300
_PARTS = ('conditions', 'actions')
_SEAL = ''
"""The key of the number of a part; no parameter has this name."""


def apply(rule: Rule, patch: Any) -> Any:
    """Return the document of a rule, still to be parsed, after a JSON patch (a list) or a merge patch (an object).

    InvalidRequest if the patch is malformed, does not fit, or would show secrets.
    """
    whole = definition.as_json(rule, extended=True, reveal=True)
    # Where it stands is no part of the rule.
    del whole['built_in']
    if not rule.sensitive:
        return _patched(whole, patch)
    sealed = definition.as_json(rule, extended=True)
    del sealed['built_in']
    for key in _PARTS:
        sealed[key] = [part | {_SEAL: number} for number, part in enumerate(sealed[key])]
    patched = _patched(sealed, patch)
    return _unsealed(patched, sealed, whole) if isinstance(patched, dict) else patched


def _patched(document: JsonObject, patch: Any) -> Any:
    if isinstance(patch, dict):
        return _merged(document, patch)
    if not isinstance(patch, list):
        raise exceptions.InvalidRequest('A patch must be a list of operations, or an object with new values')
    for index, operation in enumerate(patch):
        name = operation.get('op') if isinstance(operation, dict) else None
        if not isinstance(name, str) or name not in _OPERATIONS:
            expected = f'an operation: {", ".join(sorted(_OPERATIONS))}'
            raise exceptions.InvalidRequest(checks.fault(f'[{index}].op', expected, name))
    try:
        return jsonpatch.JsonPatch(patch).apply(document)
    except (
        jsonpatch.JsonPatchException, jsonpointer.JsonPointerException, TypeError, KeyError, AttributeError, ValueError
    ) as exc:  # fmt: skip
        raise exceptions.InvalidRequest(f'The patch does not fit the rule: {str(exc)[:_MAX_REASON]}') from exc


def _merged(document: JsonObject, patch: JsonObject) -> JsonObject:
    """Apply a merge patch; what a rule holds are texts, flags and lists, so one level is all there is."""
    merged = {key: value for key, value in document.items() if key not in patch}
    return merged | {key: value for key, value in patch.items() if value is not None}


def _unsealed(patched: JsonObject, sealed: JsonObject, whole: JsonObject) -> JsonObject:
    """Return what a patch has made of a sealed rule with what the seals stand for."""
    unsealed, keeps_secrets = dict(patched), False
    for key in _PARTS:
        parts = patched.get(key)
        if not isinstance(parts, list):
            continue
        unsealed[key] = []
        for index, part in enumerate(parts):
            if isinstance(part, dict) and (_SEAL in part or definition.MASK in part.values()):
                if part not in sealed[key]:
                    raise exceptions.InvalidRequest(
                        f'{key}[{index}]: the rule is sensitive: replace this as a whole, with its values, or keep it'
                    )
                keeps_secrets = True
                unsealed[key].append(whole[key][part[_SEAL]])
            else:
                unsealed[key].append(part)
    if keeps_secrets and patched.get('sensitive') is not True:
        raise exceptions.InvalidRequest(
            'sensitive: a rule with secrets cannot be opened: give it new conditions and actions along with that'
        )
    return unsealed
