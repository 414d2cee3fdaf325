"""Options of the hook `enroll`, in [discovery]."""

from oslo_config import cfg
from oslo_config import types

OPTS = [
    cfg.StrOpt('enroll_node_driver', default='fake-hardware', help='Driver (hardware type) of the nodes it creates.'),
    cfg.DictOpt(
        'enroll_node_fields',
        default={},
        help='Further fields of the nodes it creates, as field:value pairs, such as resource_class:baremetal. Their '
        'driver, driver_info, provision_state and uuid cannot be set here.',
    ),
    cfg.ListOpt(
        'enabled_bmc_address_version',
        default=['4', '6'],
        item_type=types.String(choices=['4', '6']),
        help='Versions of IP in which the address of the BMC is put into driver_info/ipmi_address: the first one that '
        'the BMC has an address in.',
    ),
]
