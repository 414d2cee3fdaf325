"""Files as htpasswd -B writes them."""

from __future__ import annotations

import pathlib
from typing import Any

import bcrypt
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import pytest

from ironic_inspector.api import password_file

# Always the same salt: the names of tests are made of it, and have to be the same in each process.
DIGEST = bcrypt.hashpw(b'right', b'$2b$04$abcdefghijklmnopqrstuu')


@pytest.fixture
def file(tmp_path: pathlib.Path) -> pathlib.Path:
    """A file with the user `admin`, whose password is `right`."""
    path = tmp_path / 'htpasswd'
    path.write_bytes(b'admin:' + DIGEST + b'\n')
    return path


@pytest.mark.parametrize(
    ('content', 'line'),
    [
        (b'a:$apr1$KDBZOpms$jPFbMDDyGVFBGy9aPNVdc/', 1),
        (b'# fine\n\nb:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=', 3),
        (b'no colon', 1),
        (b':' + DIGEST, 1),
        (b'a:$2y$05$short', 1),
        (b'a:' + DIGEST.replace(b'$04$', b'$99$'), 1),
        (b'a:' + DIGEST + b' more', 1),
        # bcrypt takes no salt with more bits than there are in one.
        (b'a:' + DIGEST.replace(b'uu', b'uz'), 1),
        (b'\xff\xfe\x00', 1),
    ],
)
def test_a_line_that_is_wrong(tmp_path: pathlib.Path, content: bytes, line: int) -> None:
    (tmp_path / 'htpasswd').write_bytes(content)
    with pytest.raises(password_file.Unreadable, match=f'line {line} is not USER:DIGEST'):
        password_file.PasswordFile(str(tmp_path / 'htpasswd'))


def test_what_is_no_file(tmp_path: pathlib.Path) -> None:
    for path in (tmp_path, tmp_path / 'missing'):
        with pytest.raises(password_file.Unreadable, match=str(path)):
            password_file.PasswordFile(str(path))


@pytest.mark.parametrize('prefix', [b'$2a$', b'$2b$', b'$2y$'])
def test_every_kind_of_bcrypt(tmp_path: pathlib.Path, prefix: bytes) -> None:
    (tmp_path / 'htpasswd').write_bytes(b'admin:' + DIGEST.replace(b'$2b$', prefix))
    passwords = password_file.PasswordFile(str(tmp_path / 'htpasswd'))
    assert passwords.has(b'admin', b'right')
    assert not passwords.has(b'admin', b'wrong')


def test_the_first_line_of_a_user_counts(tmp_path: pathlib.Path) -> None:
    other = bcrypt.hashpw(b'other', bcrypt.gensalt(4))
    (tmp_path / 'htpasswd').write_bytes(b'admin:' + DIGEST + b'\nadmin:' + other)
    passwords = password_file.PasswordFile(str(tmp_path / 'htpasswd'))
    assert passwords.has(b'admin', b'right')
    assert not passwords.has(b'admin', b'other')


@pytest.mark.parametrize('user', [b'admin', b'nobody', b''])
@pytest.mark.parametrize('password', [b'', b'wrong', b'right\0', b'x' * 1000])
@pytest.mark.parametrize('content', [b'admin:' + DIGEST, b''], ids=['with users', 'without'])
def test_every_answer_takes_the_same_work(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, user: bytes, password: bytes, content: bytes
) -> None:
    (tmp_path / 'htpasswd').write_bytes(content)
    passwords = password_file.PasswordFile(str(tmp_path / 'htpasswd'))
    checked: list[Any] = []
    checkpw = bcrypt.checkpw

    def counted(password: bytes, digest: bytes) -> bool:
        checked.append(digest)
        return checkpw(password, digest)

    monkeypatch.setattr(bcrypt, 'checkpw', counted)
    assert not passwords.has(user, password)
    assert len(checked) == 1


def test_an_unknown_user_takes_as_long_as_somebody(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where digests differ in their costs, so do unknown users, each of which always takes the same."""
    digests = {str(cost).encode(): bcrypt.hashpw(b'x', bcrypt.gensalt(cost)) for cost in (4, 5)}
    (tmp_path / 'htpasswd').write_bytes(b'\n'.join(user + b':' + digest for user, digest in digests.items()))
    passwords = password_file.PasswordFile(str(tmp_path / 'htpasswd'))
    checked: list[bytes] = []

    def refused(_password: bytes, digest: bytes) -> bool:
        checked.append(digest)
        return False

    monkeypatch.setattr(bcrypt, 'checkpw', refused)
    for _time in range(2):
        for number in range(64):
            passwords.has(b'unknown-%d' % number, b'x')
    assert set(checked) == set(digests.values())
    assert checked[:64] == checked[64:]


@given(user=st.binary(max_size=80), password=st.binary(max_size=100))
def test_nothing_but_the_password_does(user: bytes, password: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / 'htpasswd-of-admin'
    if not path.exists():
        path.write_bytes(b'admin:' + DIGEST)
    passwords = password_file.PasswordFile(str(path))
    assert passwords.has(user, password) == ((user, password) == (b'admin', b'right'))


@given(content=st.binary(max_size=300))
# A random user is checked at the cost of a real one.
@settings(deadline=None)
def test_any_content_is_read_or_refused(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / 'htpasswd-of-anything'
    path.write_bytes(content)
    try:
        passwords = password_file.PasswordFile(str(path))
    except password_file.Unreadable:
        return
    assert not passwords.has(b'', b'')


def test_it_is_read_again_when_it_changes(file: pathlib.Path) -> None:
    passwords = password_file.PasswordFile(str(file))
    assert passwords.has(b'admin', b'right')
    file.write_bytes(b'other:' + DIGEST)
    assert not passwords.has(b'admin', b'right')
    assert passwords.has(b'other', b'right')
    file.write_bytes(b'other:plain')
    for _time in range(2):
        with pytest.raises(password_file.Unreadable, match='line 1'):
            passwords.has(b'other', b'right')
    file.unlink()
    with pytest.raises(password_file.Unreadable, match='No such file'):
        passwords.has(b'other', b'right')
    file.write_bytes(b'admin:' + DIGEST)
    assert passwords.has(b'admin', b'right')
