"""Options of TLS, in [ssl]; they hold where [DEFAULT]use_ssl is set."""

from oslo_config import cfg

GROUP = 'ssl'
OPTS = [
    cfg.StrOpt('cert_file', help='File with the certificate of the service and those between it and its CA, as PEM.'),
    cfg.StrOpt('key_file', help='File with the private key of the certificate, as PEM, without a password.'),
    cfg.StrOpt(
        'ca_file',
        help='File with certificates of CAs, as PEM. If it is set, every client, ramdisks among them, has to show a '
        'certificate that one of these has signed.',
    ),
    cfg.StrOpt(
        'version',
        choices=[
            ('SSLv23', 'any version that both sides know, from TLS 1.2 on'),
            ('TLSv1_2', 'TLS 1.2 only'),
            ('TLSv1_3', 'TLS 1.3 only'),
        ],
        ignore_case=True,
        help='Version of TLS to speak. Not set: as SSLv23.',
    ),
    cfg.StrOpt('ciphers', help='Ciphers of TLS 1.2 to offer, as OpenSSL writes lists of them.'),
]
