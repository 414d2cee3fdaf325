"""Options of introspection rules, in [inspection_rules]."""

from oslo_config import cfg

OPTS = [
    cfg.StrOpt(
        'built_in_rules',
        help='YAML file with a list of introspection rules, each as the API takes them. They apply beside those in the '
        'database, and cannot be changed through the API. Read when the service starts.',
    ),
]
