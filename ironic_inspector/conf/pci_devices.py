"""Options of the hook `pci_devices`, in [pci_devices]."""

from oslo_config import cfg

OPTS = [
    cfg.MultiStrOpt(
        'alias',
        default=[],
        help='A kind of PCI device to be counted, as JSON: {"vendor_id": "1234", "product_id": "5678", "name": '
        '"pci_dev1"}. May be given several times.',
    ),
]
