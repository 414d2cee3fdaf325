"""Options of the hook `capabilities`, in [capabilities]."""

from oslo_config import cfg

OPTS = [
    cfg.BoolOpt('boot_mode', default=False, help='Whether the boot mode (bios or uefi) becomes a capability.'),
    cfg.DictOpt(
        'cpu_flags',
        default={
            'vmx': 'cpu_vt',
            'svm': 'cpu_vt',
            'aes': 'cpu_aes',
            'pse': 'cpu_hugepages',
            'pdpe1gb': 'cpu_hugepages_1g',
            'smx': 'cpu_txt',
        },
        help='CPU flags that become capabilities, as flag:capability pairs.',
    ),
]
