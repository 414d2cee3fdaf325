"""Options of the hook `accelerators`, in [accelerators]."""

from importlib import resources

from oslo_config import cfg

SHIPPED = str(resources.files('ironic_inspector') / 'known_accelerators.yaml')
"""The list of devices that comes with the service."""

OPTS = [
    cfg.StrOpt(
        'known_devices',
        default=SHIPPED,
        sample_default='<known_accelerators.yaml in the Python package>',
        help='The file, in YAML, that lists the PCI devices which are accelerators. By default the one that comes with '
        'the service, which also shows the format.',
    ),
]
