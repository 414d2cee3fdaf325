"""Options of the processing of what the ramdisk sends, in [processing]."""

from oslo_config import cfg

OPTS = [
    cfg.StrOpt(
        'add_ports',
        default='pxe',
        choices=[
            ('all', 'every interface with a valid MAC'),
            ('active', 'interfaces that have an IP address'),
            ('pxe', 'the interface that the ramdisk booted from; as active if it is not known'),
            ('disabled', 'none'),
        ],
        help='Interfaces that ports are created for.',
    ),
    cfg.StrOpt(
        'keep_ports',
        default='all',
        choices=[
            ('all', 'every port'),
            ('present', 'ports whose MAC the ramdisk found on the node'),
            ('added', 'ports whose MAC add_ports selects'),
        ],
        help='Ports that stay after an introspection; the others are deleted.',
    ),
    cfg.BoolOpt(
        'overwrite_existing',
        default=True,
        help='Whether values found on the node replace those that it has in Ironic.',
    ),
    cfg.StrOpt(
        'default_processing_hooks',
        default='ramdisk_error,root_disk_selection,scheduler,validate_interfaces,capabilities,pci_devices',
        help='The usual hooks, to be built upon with $default_processing_hooks. Not meant to be changed.',
    ),
    cfg.StrOpt(
        'processing_hooks',
        default='$default_processing_hooks',
        help='Names of the processing hooks, separated by commas, in the order in which they run.',
    ),
    cfg.StrOpt('ramdisk_logs_dir', help='Folder for the logs that the ramdisk sends. Not set: they are dropped.'),
    cfg.BoolOpt(
        'always_store_ramdisk_logs',
        default=False,
        help='Whether the logs of successful introspections are stored as well.',
    ),
    cfg.StrOpt('node_not_found_hook', help='Name of the hook that is asked about nodes that are not known.'),
    cfg.StrOpt('store_data', default='none', help='Where the introspection data are kept: none, database or swift.'),
    cfg.BoolOpt(
        'disk_partitioning_spacing',
        default=True,
        help='Whether local_gb leaves 1 GiB of the root disk for partitioning.',
    ),
    cfg.StrOpt(
        'ramdisk_logs_filename_format',
        default='{uuid}_{dt:%Y%m%d-%H%M%S.%f}.tar.gz',
        help='Name of a file with ramdisk logs. Fields: {uuid} of the node, {bmc} address, {dt} now in UTC, {mac} '
        'of the boot interface.',
    ),
    cfg.StrOpt(
        'callback_token',
        secret=True,
        help='Secret that ramdisks have to show: the callback URL that they are given ends in ?token= and this. Not '
        'set: whoever reaches the service may send introspection data.',
    ),
    cfg.BoolOpt('power_off', default=True, help='Whether nodes are powered off after an introspection.'),
    cfg.BoolOpt(
        'permit_active_introspection',
        default=False,
        help='Whether nodes in the provision states active and rescue may be introspected.',
    ),
    cfg.BoolOpt(
        'update_pxe_enabled',
        default=True,
        help='Whether pxe_enabled of the ports follows the interface that the ramdisk booted from.',
    ),
]
