"""A machine that asks for addresses without a pause: python -m tests.e2e.dhcp_asker INTERFACE MAC [MAC ...].

Sends a DHCPDISCOVER for each MAC every few milliseconds until its input ends, and prints, as JSON, how many were sent
and how many offers there were for each MAC.
"""

from __future__ import annotations

from collections.abc import Sequence
import json
import select
import socket
import struct
import sys

PAUSE = 0.002
"""Seconds between two requests."""
_EVERYBODY = b'\xff' * 6
_COOKIE = b'\x63\x82\x53\x63'
_ALL_PROTOCOLS = 3
_DISCOVER, _OFFER = 1, 2
_HEADERS = 14 + 20 + 8
"""Bytes of Ethernet, IP and UDP."""


def discover(mac: bytes, number: int) -> bytes:
    """Return an Ethernet frame that asks for an address, the answer to be broadcast (RFC 2131)."""
    bootp = struct.pack('!BBBBIHH16x16s192x', 1, 1, 6, 0, number, 0, 0x8000, mac) + _COOKIE
    dhcp = bootp + bytes([53, 1, _DISCOVER, 255])
    udp = struct.pack('!HHHH', 68, 67, 8 + len(dhcp), 0) + dhcp
    header = [0x45, 0, 20 + len(udp), number & 0xFFFF, 0, 64, socket.IPPROTO_UDP, 0, bytes(4), b'\xff' * 4]
    header[7] = _checksum(struct.pack('!BBHHHBBH4s4s', *header))
    return _EVERYBODY + mac + b'\x08\x00' + struct.pack('!BBHHHBBH4s4s', *header) + udp


def offered(frame: bytes) -> bytes | None:
    """Return the MAC that a frame offers an address to; None if it is something else."""
    bootp = frame[_HEADERS:]
    if len(bootp) < 243 or frame[12:14] != b'\x08\x00' or bootp[0] != 2 or bootp[236:240] != _COOKIE:
        return None
    return bootp[28:34] if bytes([53, 1, _OFFER]) in bootp[240:] else None


def _checksum(header: bytes) -> int:
    total: int = sum(struct.unpack('!10H', header))
    return ~(total + (total >> 16)) & 0xFFFF


def main(interface: str, macs: Sequence[str]) -> None:
    """See the top of the module."""
    names = {bytes.fromhex(mac.replace(':', '')): mac for mac in macs}
    offers, number = dict.fromkeys(macs, 0), 0
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL_PROTOCOLS)) as wire:
        wire.bind((interface, 0))
        print('ready', flush=True)
        while True:
            for mac in names:
                number += 1
                wire.send(discover(mac, number))
                while True:
                    readable = select.select([wire, sys.stdin], [], [], PAUSE)[0]
                    if wire in readable:
                        met = offered(wire.recv(65536))
                        if met in names:
                            offers[names[met]] += 1
                    # What has been answered by then counts.
                    elif sys.stdin in readable:
                        print(json.dumps({'sent': number, 'offers': offers}), flush=True)
                        return
                    if not readable:
                        break


if __name__ == '__main__':
    main(sys.argv[1], sys.argv[2:])
