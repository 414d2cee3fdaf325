"""JSON paths of rules."""

from __future__ import annotations

import copy
import json
import logging
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
import pytest

from ironic_inspector.rules import path_steps
from ironic_inspector.rules import paths
from tests.unit.plugins.arbitrary import SETTINGS
from tests.unit.rules import arbitrary

CPU = {'count': 4, 'flags': ['vmx', 'aes']}
SDA, SDB, SDC = {'name': 'sda', 'size': 1}, {'name': 'sdb', 'size': 2}, {'name': 'sdc'}
ETH0, ETH1 = {'ip': '10.0.0.1'}, {'ip': None}
NICS = {'eth0': ETH0, 'eth1': ETH1}
DOCUMENT = {
    'cpu': CPU,
    'disks': [SDA, SDB, SDC],
    'nics': NICS,
    'a-b': 1,
    '@': 2,
    'where': {'x y': 3},
    "it's": 4,
    '*': 5,
    'vendor': 'HPE',
    'empty': [],
    'zero': 0,
    'yes': True,
    'half': 0.5,
    'none': None,
}

FOUND_BY_JSONPATH_RW: list[tuple[str, list[Any]]] = [
    ('cpu.count', [4]),
    ('$.cpu.count', [4]),
    ('cpu . count', [4]),
    ('cpu.\n\tcount', [4]),
    ("cpu['count']", [4]),
    ('cpu["count"]', [4]),
    ('[cpu][count]', [4]),
    ("'cpu'.'count'", [4]),
    ('((cpu)).((count))', [4]),
    ('cpu.flags', [['vmx', 'aes']]),
    ('cpu.flags[1]', ['aes']),
    ('cpu.flags[-1]', ['aes']),
    ('cpu.flags[-2]', ['vmx']),
    ('cpu.flags[2]', []),
    ('disks[0].name', ['sda']),
    ('disks.[0].name', ['sda']),
    ("disks[0].'name'", ['sda']),
    ('disks[*].name', ['sda', 'sdb', 'sdc']),
    ('disks[*].size', [1, 2]),
    ('disks[:].name', ['sda', 'sdb', 'sdc']),
    ('disks[1:].name', ['sdb', 'sdc']),
    ('disks[:1].name', ['sda']),
    ('disks[-1:].name', ['sdc']),
    ('disks[:-1].name', ['sda', 'sdb']),
    ('disks[ 0 : 2 ].name', ['sda', 'sdb']),
    ('disks[0:0]', []),
    ('disks[٠].name', ['sda']),
    ('disks[99999999999999999999]', []),
    ('disks[99999999999999999999:]', []),
    ('disks.name', []),
    ('disks[0][name,size]', ['sda', 1]),
    ('disks[*].size,name', [1, 'sda', 2, 'sdb', 'sdc']),
    ('vendor,vendor', ['HPE', 'HPE']),
    # Not what the same text means in other dialects.
    ('nics.*', [ETH0, ETH1]),
    ('nics.*.ip', ['10.0.0.1', None]),
    ("nics.'*'.ip", ['10.0.0.1', None]),
    ("nics.eth0,'*'", [ETH0, ETH1]),
    ('disks.*', []),
    ('nics[*]', [NICS]),
    ('nics[*].eth0', [ETH0]),
    ('nics[1:]', []),
    ('vendor[0]', ['H']),
    ('vendor[-1]', ['E']),
    ('vendor[7]', []),
    ('vendor[*]', ['HPE']),
    ('vendor[:1]', ['HPE']),
    ('zero[*]', [0]),
    ('yes[0:]', [True]),
    ('@', [2]),
    ('disks..name[0]', ['s', 's', 's']),
    ('cpu.count|flags', [4, ['vmx', 'aes']]),
    # Names.
    ('a-b', [1]),
    ("'where'.'x y'", [3]),
    (r"'it\'s'", [4]),
    ('"it\'s"', [4]),
    # Nothing there.
    ('none', [None]),
    ('none.x', []),
    ('empty', [[]]),
    ('empty[*]', []),
    ('empty[0]', []),
    ('nothing.at.all', []),
    ("''", []),
    ("'é'", []),
    # Back to where a value was found.
    ('`this`.cpu.count', [4]),
    ('cpu.count.`this`', [4]),
    ('cpu.count.`parent`.count', [4]),
    ('cpu.`parent`.vendor', ['HPE']),
    (r'cpu.`par\ent`.vendor', ['HPE']),
    ('disks[*].name.`parent`.size', [1, 2]),
    ('nics[*].`parent`', [[NICS]]),
    ('cpu.$.vendor', ['HPE']),
    # Several paths in one.
    ('cpu|vendor', [CPU, 'HPE']),
    ('vendor|zero|yes', ['HPE', 0, True]),
    ('(cpu.count)|vendor', [4, 'HPE']),
    ('cpu|nics[*]', [CPU, NICS]),
    ('disks[*] where size', [SDA, SDB]),
    ('(disks[*] where size).name', ['sda', 'sdb']),
    ('nics.* where ip', [ETH0, ETH1]),
    ('cpu where nothing', []),
    ('cpu.count where `parent`', [4]),
    # Whatever lies below.
    ('$..name', ['sda', 'sdb', 'sdc']),
    ('cpu..*', [4, ['vmx', 'aes']]),
    ('nics..`this`', [NICS, ETH0, '10.0.0.1', ETH1, None]),
    ('nics..ip|x', ['10.0.0.1', None]),
    ('$..size.`parent`.name', ['sda', 'sdb']),
]


@pytest.mark.parametrize(('path', 'values'), FOUND_BY_JSONPATH_RW)
def test_values_are_those_that_jsonpath_rw_found(path: str, values: list[Any]) -> None:
    assert paths.compile_path(path).find(DOCUMENT) == values


@pytest.mark.parametrize('path', ['$', '`this`', '($)', '$.$', 'cpu.$'])
def test_the_whole_document(path: str) -> None:
    assert paths.compile_path(path).find(DOCUMENT) == [DOCUMENT]


@pytest.mark.parametrize(
    'path',
    ['none[0]', 'half[*]', 'zero[0]', 'cpu[0]', 'empty[-1]', 'vendor[-4]', '`parent`', '`parent`.cpu', '$..[0:1].x'],
)
def test_where_jsonpath_rw_failed_nothing_is_found(path: str) -> None:
    assert paths.compile_path(path).find(DOCUMENT) == []


@pytest.mark.parametrize(
    ('path', 'reason'),
    [
        ('', 'at character 1: there must be a name, .*, not its end'),
        ('  ', 'at character 3: there must be a name, .*, not its end'),
        ('cpu.', 'at character 5: there must be a name, .*, not its end'),
        ('.cpu', "at character 1: there must be a name, .*, not '.'"),
        ('..cpu', "at character 1: there must be a name, .*, not '..'"),
        ('a...b', "at character 4: there must be a name, .*, not '.'"),
        ('a b', "at character 3: there must be an operator or the end, not 'b'"),
        ('a)', "at character 2: there must be an operator or the end, not '\\)'"),
        ('(a', 'at character 3: there must be \\), not its end'),
        ('disks.0', "at character 7: there must be a name, .*, not '0'"),
        ('disks[', 'at character 7: there must be a number, a name, : or \\*, not its end'),
        ('disks[]', "at character 7: there must be a number, a name, : or \\*, not ']'"),
        ('disks[0', 'at character 8: there must be :, not its end'),
        ('disks[0,1]', "at character 8: there must be :, not ','"),
        ('disks[::2]', "at character 8: there must be \\], not ':'"),
        ('disks[a.b]', "at character 8: there must be \\], not '.'"),
        ('disks[a,0]', "at character 9: there must be a name, not '0'"),
        ('*,a', "at character 2: there must be an operator or the end, not ','"),
        ('a,*', "at character 3: there must be a name, not '\\*'"),
        ('where', "at character 1: there must be a name, .*, not 'where'"),
        ('-a', "at character 1: '-' does not fit here: names with such characters need quotes"),
        ('é', "at character 1: 'é' does not fit here"),
        ('a\r', 'at character 2: .* does not fit here'),
        ("a.'b", 'at character 3: .* it has no end'),
        ('`this', 'at character 1: .* it has no end'),
        ('`that`', 'at character 1: there is no `that`, only `this` and `parent`'),
        ('a & b', 'at character 3: & has never worked'),
        ('(' * 17 + 'a' + ')' * 17, 'at character 17: only 16 brackets may be open'),
        ('a' * 4097, '4097 characters long: 4096 are allowed'),
    ],
)
def test_what_is_no_path_is_refused_with_the_place(path: str, reason: str) -> None:
    with pytest.raises(paths.PathError, match=reason):
        paths.compile_path(path)


@SETTINGS
@given(arbitrary.PATHS | st.text(max_size=20), arbitrary.DOCUMENTS)
def test_nothing_but_a_path_error_and_an_untouched_document(text: str, document: Any) -> None:
    try:
        path = paths.compile_path(text)
    except paths.PathError:
        return
    before = copy.deepcopy(document)
    found = path.find(document)
    assert isinstance(found, list)
    # NaN is not equal to itself.
    assert repr(document) == repr(before)


@SETTINGS
@given(st.lists(arbitrary.PLAIN_STEPS, max_size=6), arbitrary.DOCUMENTS)
def test_the_fast_way_finds_what_the_slow_one_does(steps: list[str], document: Any) -> None:
    plain = '$' + ''.join(steps)
    fast, slow = paths.compile_path(plain), paths.compile_path(f'({plain})|nothing')
    assert repr(fast.find(document)) == repr(slow.find(document))


@pytest.mark.parametrize('path', ['$..a', '$..b', '$..`parent`', '$..* where a', 'a.$.a'])
def test_any_depth_can_be_searched(path: str) -> None:
    document: dict[str, Any] = {}
    for _ in range(100_000):
        document = {'a': document}
    assert isinstance(paths.compile_path(path).find(document), list)


@pytest.mark.parametrize(
    'path', ['$' + '..*' * 30, '.'.join(['(a|a)'] * 60), '.'.join(['a,a'] * 60), '$..' + '.'.join(['a'] * 2000)]
)
def test_a_search_that_leads_to_too_much_is_given_up(path: str, caplog: pytest.LogCaptureFixture) -> None:
    document: dict[str, Any] = {}
    for _ in range(3000):
        document = {'a': document}
    with caplog.at_level(logging.WARNING):
        assert paths.compile_path(path).find(document) == []
    assert f'it leads to more than {path_steps.MAX_MATCHES} values' in caplog.text


@pytest.mark.parametrize('part', ['a.', 'a|', 'a..', 'a where ', '[*]', 'a,', "'", '(', '[0:'])
def test_long_paths_take_no_stack(part: str) -> None:
    text = (part * paths.MAX_LENGTH)[: paths.MAX_LENGTH - 1] + 'a'
    try:
        path = paths.compile_path(text)
    except paths.PathError:
        return
    assert isinstance(path.find(json.loads('[' * 60 + '7' + ']' * 60)), list)


def test_a_path_says_what_it_is() -> None:
    assert repr(paths.compile_path('cpu.count')) == "Path(text='cpu.count')"
