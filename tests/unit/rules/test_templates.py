"""Fields in the values of actions."""

from __future__ import annotations

import contextlib
import copy
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
import pytest

from ironic_inspector.rules import templates
from tests.unit.plugins import arbitrary

DATA: dict[str, Any] = {
    'text': 'abc',
    'number': 7,
    'real': 1.5,
    'nothing': None,
    'items': ['first', {'name': 'second'}],
    'a key': 'with a blank',
    'cpu': {'count': 4},
    'huge': 10**400,
    'width': 9,
    'wide': 10**9,
    'escape': '{data[text]}',
}
DOCUMENTS: dict[str, Any] = {'data': DATA, 'node': {'uuid': 'a-uuid', 'properties': {'cpus': '80'}}}


def render(value: Any, documents: dict[str, Any] | None = None) -> Any:
    return templates.Template(value, ('data', 'node')).render(documents or DOCUMENTS)


@pytest.mark.parametrize(
    ('value', 'expected'),
    [
        ('{data[text]}', 'abc'),
        ('<{data[text]}-{node[uuid]}>', '<abc-a-uuid>'),
        ('{data[cpu][count]}', '4'),
        ('{data[items][0]}', 'first'),
        ('{data[items][1][name]}', 'second'),
        ('{data[text][0]}', 'a'),
        ('{data[a key]}', 'with a blank'),
        ('{data[nothing]}', 'None'),
        ('{data[cpu]}', "{'count': 4}"),
        ('{data[number]:05d}', '00007'),
        ('{data[real]:.2f}', '1.50'),
        ('{data[text]:>5}|', '  abc|'),
        ('{data[text]:>{data[width]}}|', '      abc|'),
        ('{data[text]!r}', "'abc'"),
        ('{data[text]!r:>7}', "  'abc'"),
        ('{{}}', '{}'),
        ('{{data[text]}}', '{data[text]}'),
        # What is found is never looked into again.
        ('{data[escape]}', '{data[text]}'),
        ('', ''),
        ('plain', 'plain'),
        (7, 7),
        (None, None),
        (True, True),
        (['{data[number]}', ['{data[text]}', 1]], ['7', ['abc', 1]]),
        ({'{data[text]}': {'k': '{data[number]}'}}, {'abc': {'k': '7'}}),
        ({'a': {'b': None}}, {'a': {'b': None}}),
    ],
)
def test_values(value: Any, expected: Any) -> None:
    written = copy.deepcopy(value)
    template = templates.Template(value, ('data', 'node'))
    assert template.render(DOCUMENTS) == expected
    assert template.render(DOCUMENTS) == expected
    assert value == written


def test_a_value_without_fields_is_a_new_one_each_time() -> None:
    value = {'list': [1]}
    template = templates.Template(value, ('data',))
    first = template.render(DOCUMENTS)
    first['list'].append(2)
    assert template.render(DOCUMENTS) == {'list': [1]}
    assert value == {'list': [1]}


@pytest.mark.parametrize(
    ('value', 'message'),
    [
        ('{data[missing]}', r'\{data\[missing\]\}: there is no data\[missing\]'),
        ('{data[cpu][model][name]}', r'there is no data\[cpu\]\[model\]$'),
        ('{data[items][7]}', r'there is no data\[items\]\[7\]'),
        ('{data[items][x]}', r'there is no data\[items\]\[x\]'),
        ('{data[number][0]}', r'there is no data\[number\]\[0\]'),
        ('{data[nothing][x]}', r'there is no data\[nothing\]\[x\]'),
        ('{data[items][99999999999999999999999]}', r'there is no data\[items\]\[9+\]'),
        ('{data[text]:d}', "cannot be filled in: Unknown format code 'd'"),
        ('{data[cpu]:>5}', 'cannot be filled in: unsupported format'),
        ('{data[huge]:f}', 'cannot be filled in: int too large'),
        ('{data[huge]:c}', 'cannot be filled in'),
        ('{data[text]:>{data[wide]}}', 'too wide: 10000 characters are allowed'),
        (['{data[text]}', {'a': '{data[missing]}'}], 'there is no data'),
        ({'{data[missing]}': 1}, 'there is no data'),
    ],
)
def test_what_is_not_there(value: Any, message: str) -> None:
    template = templates.Template(value, ('data', 'node'))
    with pytest.raises(templates.TemplateError, match=message):
        template.render(DOCUMENTS)


@pytest.mark.parametrize(
    ('value', 'message'),
    [
        ('{data.text}', r'\{data\.text\} asks for an attribute, \.text'),
        ('{data.__class__}', r'asks for an attribute, \.__class__'),
        ('{data[text].upper}', r'asks for an attribute, \.upper'),
        ('{data[cpu].items[0]}', 'malformed'),
        ('{.text}', 'asks for an attribute'),
        ('{data[text]:{data.__class__}}', 'asks for an attribute'),
        ('{}', r"\{\} refers to '': it must be one of data, node, and braces .* must be doubled"),
        ('{0}', "refers to '0'"),
        ('{other[x]}', "refers to 'other'"),
        ('{"json": 1}', 'it must be one of data, node'),
        ('{item}', "refers to 'item'"),
        ('{', 'no format string'),
        ('}', 'no format string'),
        ('{data[text]', 'no format string'),
        ('{data[]}', 'malformed'),
        ('{data[a]b}', 'malformed'),
        ('{data[a]]}', 'malformed'),
        ('{data[a][}', 'no format string'),
        ('{data[a]!x}', 'unknown conversion: !x'),
        ('{data[a]!}', 'no format string'),
        ('{data[a]:>10001}', 'too wide'),
        ('{data[a]:.99999999999999999999999f}', 'too wide'),
        # Python takes the digits of any script.
        ('{data[a]:>٩٩٩٩٩٩٩٩}', 'too wide'),
        ('{data[a]:{data[b]:{data[c]}}}', 'a format in a format'),
        ('{data:' * 10_000 + '}' * 10_000, 'a format in a format'),
        (['fine', {'k': '{nope}'}], 'nope'),
        ({'{nope}': 1}, 'nope'),
    ],
)
def test_templates_that_cannot_be(value: Any, message: str) -> None:
    with pytest.raises(templates.TemplateError, match=message) as failure:
        templates.Template(value, ('data', 'node'))
    assert len(str(failure.value)) < 400


def test_the_documents_that_fields_may_refer_to() -> None:
    template = templates.Template('{item}', ('data', 'item'))
    assert template.render({'data': {}, 'item': ['x']}) == "['x']"
    assert template.render({'data': {}, 'item': {'a': '{data}'}}) == "{'a': '{data}'}"


FIELDS = st.sampled_from(
    ['{data}', '{data[a]}', '{data[a][0]}', '{data[a][b]:>9}', '{data[a]:{data[b]}}', '{data[a]!r}', '{{', '}}', '{',
     '}', '[', ']', ':', '!', '.', 'data', '0', 'x', 'é', '\ud800']
)  # fmt: skip
TEXTS = st.lists(FIELDS, max_size=6).map(''.join)
VALUES = st.recursive(TEXTS | arbitrary.JSON, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner))
FOUND = st.dictionaries(st.sampled_from(['a', 'b']), arbitrary.JSON)


@given(VALUES, FOUND)
@arbitrary.SETTINGS
def test_only_template_errors_are_raised(value: Any, found: Any) -> None:
    before = repr(value)
    with contextlib.suppress(templates.TemplateError):
        rendered = render(value, {'data': found, 'node': {}})
        assert type(rendered) is type(value)
        json.dumps(rendered)
    assert repr(value) == before


@given(VALUES)
@arbitrary.SETTINGS
def test_without_fields_the_value_is_as_format_makes_it(value: Any) -> None:
    try:
        template = templates.Template(value, ())
    except templates.TemplateError:
        return
    assert repr(template.render({})) == repr(_formatted(value))


def _formatted(value: Any) -> Any:
    if isinstance(value, str):
        return value.format()
    if isinstance(value, dict):
        return {_formatted(key): _formatted(item) for key, item in value.items()}
    return [_formatted(item) for item in value] if isinstance(value, list) else value
