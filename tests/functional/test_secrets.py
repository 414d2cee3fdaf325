"""What is secret does not get into the log, nor into what people see who may see only statuses."""

from __future__ import annotations

import base64
from collections.abc import Callable
import json
import pathlib
from typing import Any

from ironic_inspector.fixtures.keystone import PASSWORD
from ironic_inspector.fixtures.keystone import InMemoryKeystone
from tests.functional.lab import Lab
from tests.functional.lab import message
from tests.service import until

SECRETS = {
    'password of the BMC': 'bmc-password-9c1f',
    'password of the BMC that the node has': 'known-bmc-password-77aa',
    'password in introspection data': 'found-password-41d0',
    'ramdisk logs': 'secret-line-of-ramdisk-logs-8e2b',
    'value of a rule': 'rule-password-0bd5',
    'value of a condition': 'condition-password-5af2',
    'callback token': 'callback-token-6d3e',
    'data that cannot be parsed': 'unparsed-password-1c9b',
    'password for Swift': 'swift-password-2f4d',
    'password of the service': PASSWORD,
}


def rule(value: str, found: str) -> dict[str, Any]:
    """A rule that sets a password if it finds another one."""
    return {
        'description': 'sets a password',
        'conditions': [{'op': 'eq', 'field': 'data://extra.system.ipmi.password', 'value': found}],
        'actions': [{'action': 'set-attribute', 'path': '/driver_info/ipmi_password', 'value': value}],
    }


class Guarded:
    """A service with everything secret, that logs all it can."""

    def __init__(self, lab: Lab, token: str) -> None:
        self.lab = lab
        self.token = token

    def call(self, method: str, path: str, **kwargs: Any) -> Any:
        """Send a request of an administrator, and return what is answered."""
        answer = self.lab.inspector.call(method, path, headers={'X-Auth-Token': self.token}, **kwargs)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    def call_back(self, data: Any) -> Any:
        """Send what a ramdisk sends."""
        kwargs = {'data': data} if isinstance(data, bytes) else {'json': data}
        return self.lab.inspector.call('POST', f'/v1/continue?token={SECRETS["callback token"]}', **kwargs)

    def wait_for(self, uuid: str, *states: str) -> dict[str, Any]:
        """Wait until an introspection is in one of some states, and return its status."""
        status: dict[str, Any] = until(
            lambda: next((s for s in [self.call('GET', f'/v1/introspection/{uuid}')] if s['state'] in states), None)
        )
        return status


def test_a_whole_introspection(make_lab: Callable[..., Lab], tmp_path: pathlib.Path) -> None:
    with InMemoryKeystone() as keystone:
        lab = make_lab(
            DEFAULT={'auth_strategy': 'keystone', 'debug': True},
            keystone_authtoken=keystone.options(),
            ironic={**keystone.options(), 'endpoint_override': None},
            processing={
                'callback_token': SECRETS['callback token'],
                'processing_hooks': '$default_processing_hooks,extra_hardware,example',
                'ramdisk_logs_dir': str(tmp_path),
                'always_store_ramdisk_logs': True,
            },
            swift={'password': SECRETS['password for Swift']},
        )
        keystone.add_endpoint('baremetal', lab.ironic.url)
        guarded = Guarded(lab, keystone.issue('admin'))
        machine = lab.machine(
            driver_info={
                'ipmi_address': '192.0.2.77',
                'ipmi_password': SECRETS['password of the BMC that the node has'],
            }
        )
        guarded.call('POST', '/v1/rules', json=rule(SECRETS['value of a rule'], SECRETS['value of a condition']))
        guarded.call(
            'POST', '/v1/rules', json=rule(SECRETS['password of the BMC'], SECRETS['password in introspection data'])
        )
        data = machine.data(
            logs=base64.b64encode(SECRETS['ramdisk logs'].encode()).decode(),
            data=[['system', 'ipmi', 'password', SECRETS['password in introspection data']]],
        )

        # All goes well.
        guarded.call('POST', f'/v1/introspection/{machine.uuid}')
        guarded.wait_for(machine.uuid, 'waiting')
        assert guarded.call_back(data).status_code == 200
        guarded.wait_for(machine.uuid, 'finished')
        assert lab.ironic.node(machine.uuid)['driver_info']['ipmi_password'] == SECRETS['password of the BMC']
        guarded.call('GET', f'/v1/introspection/{machine.uuid}/data')
        guarded.call('POST', f'/v1/introspection/{machine.uuid}/data/unprocessed')
        guarded.wait_for(machine.uuid, 'finished')

        # What cannot be used.
        for nonsense in (
            b'{"password": "' + SECRETS['data that cannot be parsed'].encode(),
            {'inventory': 5, 'ipmi_password': SECRETS['data that cannot be parsed']},
            data | {'inventory': {'interfaces': [], 'password': SECRETS['data that cannot be parsed']}},
        ):
            assert guarded.call_back(nonsense).status_code in (400, 404)
        answer = lab.inspector.call(
            'POST',
            '/v1/rules',
            headers={'X-Auth-Token': guarded.token},
            json=rule(SECRETS['value of a rule'], 'x')
            | {'actions': [{'action': 'none', 'password': SECRETS['value of a rule']}]},
        )
        assert answer.status_code == 400

        # Ironic quotes what it cannot apply: of the same data, what the rule says.
        guarded.call('POST', f'/v1/introspection/{machine.uuid}')
        guarded.wait_for(machine.uuid, 'waiting')
        patch = [{'op': 'add', 'path': '/driver_info/ipmi_password', 'value': SECRETS['password of the BMC']}]
        quoted = {'error_message': json.dumps({'faultstring': f"Couldn't apply patch '{patch}'. Reason: none"})}
        with lab.ironic.fail('PATCH', machine.uuid, 400, body=quoted):
            guarded.call_back(data)
        status = guarded.wait_for(machine.uuid, 'error')
        assert "Couldn't apply patch" in status['error']
        assert '***' in status['error']

        log = lab.inspector.log()
        assert 'DEBUG' in log
        shown = json.dumps(guarded.call('GET', '/v1/introspection')) + message(answer)
        for name, secret in {**SECRETS, 'token': guarded.token}.items():
            assert secret not in log, name
            assert base64.b64encode(secret.encode()).decode() not in log, name
        for name in ('password of the BMC', 'password in introspection data', 'callback token'):
            assert SECRETS[name] not in shown, name
