"""Certificates for tests: a CA, and what it signs for servers and clients of this machine."""

from __future__ import annotations

import datetime
import ipaddress
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import oid

_VALID = datetime.timedelta(days=1)


class Authority:
    """A CA with its files in a folder."""

    def __init__(self, folder: pathlib.Path, name: str = 'ca') -> None:
        """Make the CA `name`; its certificate is in the file `certificate`."""
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name)
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        usage = x509.KeyUsage(
            digital_signature=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        unsigned = _unsigned(self._name, self._name, self._key.public_key())
        unsigned = unsigned.add_extension(constraints, critical=True).add_extension(usage, critical=True)
        self.certificate = folder / f'{name}.pem'
        self.certificate.write_bytes(_pem(self._signed(unsigned)))

    def issue(self, name: str, password: bytes | None = None) -> tuple[pathlib.Path, pathlib.Path]:
        """Return files with a certificate for the loopback address and with its key, the key under a password."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName(
            [x509.IPAddress(ipaddress.ip_address('127.0.0.1')), x509.DNSName('localhost')]
        )
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        unsigned = _unsigned(_named(name), self._name, key.public_key())
        unsigned = unsigned.add_extension(names, critical=False).add_extension(issuer, critical=False)
        files = self._folder / f'{name}.pem', self._folder / f'{name}.key'
        files[0].write_bytes(_pem(self._signed(unsigned)))
        encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
        files[1].write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
        )
        return files

    def _signed(self, unsigned: x509.CertificateBuilder) -> x509.Certificate:
        return unsigned.sign(self._key, hashes.SHA256())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(oid.NameOID.COMMON_NAME, name)])


def _unsigned(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.timezone.utc)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _VALID)
        .not_valid_after(now + _VALID)
        .add_extension(identifier, critical=False)
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
