"""Options of the hook `extra_hardware`, in [extra_hardware]."""

from oslo_config import cfg

OPTS = [
    cfg.BoolOpt(
        'strict',
        default=False,
        help='Whether the extra hardware data are dropped unless every item of them is a list of exactly four.',
    ),
]
