"""JSON paths and regular expressions of rules, beside the libraries and classes that ironic-inspector 12.5.0 uses."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
import json
import subprocess
from typing import Any

from hypothesis import assume
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import pytest

from ironic_inspector.rules import paths
from ironic_inspector.rules import regexes
from tests.unit.rules import arbitrary
from tools import environments

# Answers each line of its input by one: a JSON list of outcomes, null where it failed; null where it refuses.
_REFERENCE = """
import json, sys, warnings
warnings.simplefilter('ignore')
import jsonpath_rw
import ply.yacc
from ironic_inspector.plugins import rules

make, made = ply.yacc.yacc, []
# The same one each time, and a tenth of a second to make.
ply.yacc.yacc = lambda **options: made[0] if made else made.append(make(**options)) or made[0]

def path(text, documents):
    parsed = jsonpath_rw.parse(text)
    return [outcome(lambda: [match.value for match in parsed.find(document)]) for document in documents]

def matches(pattern, texts):
    return regex(rules.MatchesCondition(), pattern, texts)

def contains(pattern, texts):
    return regex(rules.ContainsCondition(), pattern, texts)

def regex(condition, pattern, texts):
    params = {'value': pattern}
    condition.validate(params)
    return [outcome(lambda: condition.check(None, text, params)) for text in texts]

def outcome(call):
    try:
        return call()
    except Exception:
        return None

for line in sys.stdin:
    kind, subject, inputs = json.loads(line)
    print(json.dumps(outcome(lambda: globals()[kind](subject, inputs))), flush=True)
"""

Ask = Callable[[str, str, list[Any]], Any]


@pytest.fixture(scope='module')
def ask() -> Iterator[Ask]:
    """Asks the reference (kind of question, path or pattern, what to search) for its outcomes."""
    python = environments.Environment('reference').python
    if not python.exists():
        pytest.skip('ironic-inspector 12.5.0 is not installed: python3 -m tools.environments reference')
    with subprocess.Popen(
        [python, '-I', '-c', _REFERENCE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        questions, answers = process.stdin, process.stdout

        def question(kind: str, subject: str, inputs: list[Any]) -> Any:
            questions.write(json.dumps([kind, subject, inputs]) + '\n')
            questions.flush()
            return json.loads(answers.readline())

        yield question
        questions.close()


@settings(max_examples=500, deadline=None)
@given(arbitrary.PATHS, st.lists(arbitrary.DOCUMENTS, min_size=1, max_size=5))
def test_paths(ask: Ask, text: str, documents: list[Any]) -> None:
    # There, an intersection always fails, and the whole document has a parent, though that has no value.
    assume('&' not in text)
    assume(not ('`parent`' in text and ('where' in text or '$' in text)))
    expected = ask('path', text, documents)
    if expected is None:
        with pytest.raises(paths.PathError):
            paths.compile_path(text)
        return
    path = paths.compile_path(text)
    for document, values in zip(documents, expected, strict=True):
        if values is not None:
            assert json.dumps(path.find(document)) == json.dumps(values)


@pytest.mark.filterwarnings('ignore:Possible (nested set|set):FutureWarning')
@settings(max_examples=500, deadline=None)
@given(arbitrary.PATTERNS, st.lists(arbitrary.TEXTS, min_size=1, max_size=5))
def test_patterns(ask: Ask, pattern: str, texts: list[str]) -> None:
    matching, containing = ask('matches', pattern, texts), ask('contains', pattern, texts)
    if containing is None:
        with pytest.raises(regexes.RegexError):
            regexes.compile_regex(pattern)
        return
    regex = regexes.compile_regex(pattern)
    assert [regex.search(text) for text in texts] == containing
    # There, a match with nothing fails.
    if pattern:
        assert [regex.fullmatch(text) for text in texts] == matching
