"""Callbacks gone wrong: what a machine sends, changed at random in ways that its structure suggests."""

from __future__ import annotations

from collections.abc import Callable
import copy
import json
import random
from typing import Any

Json = dict[str, Any]

VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 7, 2**31, 2**63, -(2**63), 2**64, 10**30, 1.5, -0.0, 1e308, 5e-324),
    *('', ' ', '0', 'x', 'null', 'None', '-1', '1e999', '../../etc/passwd', '{data}', '{0.__class__}', '%s%n', '$(id)'),
    *('\0', 'a\0b', '\ud800', '\udfff\ud800', '\u202e\u200b', '\ufeff', 'e\u0301\u0327' * 20, '\U0001f600'),
    *('\r\n', '\x1b[31m', '\x7f'),
    *('127.0.0.1', '::1', '0.0.0.0', '::/0', '999.1.1.1', 'fe80::1%eth0', '192.0.2.1/24', '00:00:00:00:00:00'),
    *('52-54-00-00-00-01', 'ff:ff:ff:ff:ff:ff', '01-52-54-00-00-00-01', 'lo', 'a:b,c:d', '0x1af4', 'zz', '07'),
    *([], {}, [[]], [{}], [None], {'': None}, {'a': {'a': {'a': []}}}, ['x', 7, None, {}], [[1, '04'], [2, '07ff']]),
)  # fmt: skip
KEYS = ('', '\0', '\ud800', '\U0001f600', '__class__', 'uuid', 'error', 'logs', 'inventory', '$', 'a.b', "'", 'x' * 300)
RAW = (
    'NaN',
    '-Infinity',
    '1e400',
    '-1e999',
    '9' * 4000,
    '9' * 5000,
    '1' + '0' * 400,
    '0.' + '1' * 5000,
    '007',
    "'x'",
    '',
)
"""What no JSON encoder writes, or no Python number holds."""
MARK = '@raw@'
"""Stands where something raw goes."""


def body(data: Json, source: random.Random) -> bytes:
    """Return the body of a callback with `data` after one to five changes of its structure, its text, or both."""
    changed = copy.deepcopy(data)
    for _ in range(source.choice((1, 1, 1, 2, 2, 3, 5))):
        parent, key = _place(changed, source)
        source.choice(_CHANGES)(parent, key, source)
    text = json.dumps(changed, ensure_ascii=source.random() < 0.7)
    while MARK in text:
        text = text.replace(f'"{MARK}"', source.choice(RAW), 1).replace(MARK, '', text.count(MARK))
    sent = text.encode('utf-8', 'surrogatepass')
    return source.choice(_BREAKS)(sent, source) if source.random() < 0.15 else sent


# Changes of the structure

Change = Callable[[Any, Any, random.Random], None]


def _place(data: Any, source: random.Random) -> tuple[Any, Any]:
    """Return a container in the data and a key of it; those at the top, and in the inventory, are taken most."""
    parent, key = (
        data,
        source.choice([*data, *(['inventory'] * len(data) if 'inventory' in data else [])]) if data else '',
    )
    while source.random() < 0.8:
        child = parent.get(key) if isinstance(parent, dict) else parent[key]
        if not child or not isinstance(child, (dict, list)):
            break
        parent, key = child, source.choice(list(child) if isinstance(child, dict) else range(len(child)))
    return parent, key


def _replace(parent: Any, key: Any, source: random.Random) -> None:
    parent[key] = copy.deepcopy(source.choice(VALUES))


def _delete(parent: Any, key: Any, source: random.Random) -> None:
    if isinstance(parent, list) or key in parent:
        del parent[key]


def _convert(parent: Any, key: Any, source: random.Random) -> None:
    value = _at(parent, key)
    parent[key] = source.choice([str(value), [value], {'value': value}, {str(value)[:50]: value}, bool(value), None])


def _duplicate(parent: Any, key: Any, source: random.Random) -> None:
    value = _at(parent, key)
    if isinstance(parent, list):
        times = source.choice((1, 2, 10, 300)) if len(parent) < 500 else 1
        parent[key:key] = [copy.deepcopy(value) for _ in range(times)]
    else:
        parent[f'{key}{source.choice(("", " ", "2", "_"))}'] = copy.deepcopy(value)


def _nest(parent: Any, key: Any, source: random.Random) -> None:
    value = _at(parent, key)
    for _ in range(source.choice((1, 5, 30, 60, 70))):
        value = [value] if source.random() < 0.5 else {'x': value}
    parent[key] = value


def _swap(parent: Any, key: Any, source: random.Random) -> None:
    other = source.choice(list(parent) if isinstance(parent, dict) else range(len(parent))) if parent else key
    parent[key], parent[other] = _at(parent, other), _at(parent, key)


def _rename(parent: Any, key: Any, source: random.Random) -> None:
    if isinstance(parent, dict) and key in parent:
        parent[source.choice([*KEYS, str(key).upper(), f'{key}\0'])] = parent.pop(key)


def _lengthen(parent: Any, key: Any, source: random.Random) -> None:
    value, times = _at(parent, key), source.choice((10, 1_000, 20_000))
    if isinstance(value, str):
        parent[key] = (value[:20] or source.choice(('x', '\u20ac', ' ', '0', '\ud800'))) * times
    elif isinstance(value, list):
        parent[key] = value[:3] * min(times, 1_000)
    elif isinstance(value, int) and abs(value) < 10**9:
        # Once more, and Python would not write the number down.
        parent[key] = (value + 3) ** min(times, 300)


def _change_text(parent: Any, key: Any, source: random.Random) -> None:
    value = _at(parent, key)
    if not isinstance(value, str):
        return _replace(parent, key, source)
    position = source.randrange(len(value) + 1)
    insert = source.choice(('', '\0', '\ud800', '\u202e', ':', '-', ' ', '\n', '%', '{', '9', 'é'))
    parent[key] = value[:position] + insert + value[position + source.randrange(3) :]
    return None


def _put_raw(parent: Any, key: Any, source: random.Random) -> None:
    parent[key] = MARK


def _at(parent: Any, key: Any) -> Any:
    return parent.get(key) if isinstance(parent, dict) else parent[key]


_CHANGES: tuple[Change, ...] = (
    *(_replace, _replace, _replace, _delete, _delete, _convert, _convert, _duplicate, _duplicate),
    *(_swap, _rename, _change_text, _change_text, _nest, _lengthen, _put_raw),
)


# Changes of the text

Break = Callable[[bytes, random.Random], bytes]


def _truncate(text: bytes, source: random.Random) -> bytes:
    return text[: source.randrange(len(text) + 1)]


def _cut_out(text: bytes, source: random.Random) -> bytes:
    start = source.randrange(len(text) + 1)
    return text[:start] + text[start + source.choice((1, 2, 10, 1000)) :]


def _insert(text: bytes, source: random.Random) -> bytes:
    position = source.randrange(len(text) + 1)
    extra = source.choice((b'\0', b'\xff', b'\xc0\xaf', b',', b'}', b'{', b'[' * 1000, b'"', b'\\', b'//x\n', b'\\u12'))
    return text[:position] + extra + text[position:]


def _flip(text: bytes, source: random.Random) -> bytes:
    flipped = bytearray(text)
    for _ in range(source.choice((1, 5, 50)) if flipped else 0):
        flipped[source.randrange(len(flipped))] = source.randrange(256)
    return bytes(flipped)


def _recode(text: bytes, source: random.Random) -> bytes:
    coding = source.choice(('utf-16', 'utf-32', 'utf-8-sig', 'utf-7'))
    return text.decode('utf-8', 'replace').encode(coding, 'replace')


def _wrap(text: bytes, source: random.Random) -> bytes:
    before, after = source.choice(((b'[', b']'), (b'', b'{}'), (b' \t\n', b' '), (b'data=', b''), (b'"', b'"')))
    return before + text + after


_BREAKS: tuple[Break, ...] = (_truncate, _truncate, _cut_out, _insert, _insert, _flip, _recode, _wrap)
