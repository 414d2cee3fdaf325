"""Options of the announcement by multicast DNS, in [mdns]; they hold where [DEFAULT]enable_mdns is set."""

from oslo_config import cfg
from oslo_config import types

OPTS = [
    cfg.IntOpt(
        'registration_attempts',
        default=5,
        min=1,
        help='Attempts to announce the service, one after the other, until the failure is logged as an error. '
        'Attempts go on after that, but less often.',
    ),
    cfg.IntOpt(
        'lookup_attempts',
        default=3,
        min=1,
        help='Not used: the service looks nothing up by mDNS. The option is there for the files of older versions.',
    ),
    cfg.Opt(
        'params',
        # In quotes, a value may have commas in it.
        type=types.Dict(types.String(quotes=True)),
        default={},
        help='What ramdisks are told along with the address, as name:value pairs, such as '
        'ipa_inspection_collectors:default. What begins with ipa_ is an option of the ramdisk, as far as that takes it '
        'from mDNS. Everybody in the network can read it.',
    ),
    cfg.ListOpt(
        'interfaces',
        help='IP addresses of the interfaces to announce the service on. Not set: all of them.',
    ),
]
