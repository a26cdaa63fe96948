# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""TCP over IPv4 by hand, from the lab's client to its server or back, for what no ordinary program does."""
import os
import random
import socket
import struct
import time

FIN, SYN, RST, ACK = 1, 2, 4, 16
LOCAL, REMOTE = "10.0.0.1", "10.0.0.2"


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Segment:
    def __init__(self, packet):
        tcp = packet[(packet[0] & 15) * 4 :]
        self.source = socket.inet_ntoa(packet[12:16])
        self.sport, self.dport, self.seq, self.ack, offset, self.flags = struct.unpack("!HHIIBB", tcp[:14])
        self.options = tcp[20 : offset // 16 * 4]
        self.data = tcp[offset // 16 * 4 :]


class Wire:
    """Segments between local_port here and remote_port there. The host's own RSTs have to be kept away by a filter."""

    def __init__(self, remote_port, local_port=0, local=LOCAL, remote=REMOTE):
        self.local, self.remote = local, remote
        self.remote_port = remote_port
        self.local_port = local_port or random.randrange(20000, 30000)
        self.out = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self.back = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)

    def send(self, flags, seq, ack=0, data=b"", identification=1):
        tcp = struct.pack(
            "!HHIIBBHHH", self.local_port, self.remote_port, seq, ack, 0x50, flags, 65535, 0, 0
        )
        ends = socket.inet_aton(self.local) + socket.inet_aton(self.remote)
        pseudo = ends + struct.pack("!HH", socket.IPPROTO_TCP, len(tcp + data))
        tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp + data)) + tcp[18:]
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp + data), identification, 0x4000, 64, 6, 0)
        self.out.sendto(ip + ends + tcp + data, (self.remote, 0))

    def receive(self, seconds):
        """The next segment of this connection, or None."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.back.settimeout(left)
            try:
                segment = Segment(self.back.recv(65536))
            except socket.timeout:
                break
            if (segment.sport, segment.dport) == (self.remote_port, self.local_port):
                return segment
        return None


def in_namespace(name):
    """The rest of this process lives there."""
    fd = os.open("/run/netns/" + name, os.O_RDONLY)
    import ctypes

    if ctypes.CDLL(None, use_errno=True).setns(fd, 0x40000000):
        raise OSError(ctypes.get_errno(), "setns")
    os.close(fd)
