# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A TCP client that the kernel knows nothing of: handshake, TEXT, its echo, and a RST at the end; says in a word how it went.

raw_client.py [--socket=KIND] [--mac=MAC] [--port=PORT] [--wait=SECONDS] [--no-syn] LOCAL REMOTE PORT TEXT

KIND: header (a raw IP socket that only sends, its own IP header), last (the same of the last protocol that there is; IPv4), tcp (one that receives as well), packet (AF_PACKET, to MAC), bypass (the
same past the qdisc). All but tcp receive through a packet socket. --no-syn: begin in the middle, with TEXT.
"""
import argparse
import random
import socket
import struct
import time

SYN, RST, PSH, ACK = 2, 4, 8, 16
SECONDS = 3
ETH_P_ALL, ETH_P_IP, ETH_P_IPV6 = 3, 0x800, 0x86DD
LAST_PROTOCOL = 262
PACKET_OUTGOING, PACKET_QDISC_BYPASS = 4, 20


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Wire:
    def __init__(self, args):
        self.args = args
        self.is_v6 = ":" in args.local
        self.family = socket.AF_INET6 if self.is_v6 else socket.AF_INET
        self.ends = [socket.inet_pton(self.family, end) for end in (args.local, args.remote)]
        self.open()

    def open(self):
        def packet():
            return socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))

        if self.args.socket in ("packet", "bypass"):
            self.out = self.back = packet()
            if self.args.socket == "bypass":
                self.out.setsockopt(263, PACKET_QDISC_BYPASS, 1)
        else:
            protocol = {"tcp": socket.IPPROTO_TCP, "header": socket.IPPROTO_RAW, "last": LAST_PROTOCOL}[self.args.socket]
            self.out = socket.socket(self.family, socket.SOCK_RAW, protocol)
            if self.args.socket == "last":
                self.out.setsockopt(0, socket.IP_HDRINCL, 1)
            self.back = self.out if self.args.socket == "tcp" else packet()

    def tcp(self, flags, seq, ack, data):
        tcp = struct.pack("!HHIIBBHHH", self.args.port, self.args.remote_port, seq, ack, 0x50, flags, 65535, 0, 0)
        pseudo = b"".join(self.ends) + struct.pack("!II", len(tcp + data), socket.IPPROTO_TCP)
        return tcp[:16] + struct.pack("!H", checksum(pseudo + tcp + data)) + tcp[18:] + data

    def ip(self, tcp):
        if self.is_v6:
            return struct.pack("!IHBB", 6 << 28, len(tcp), socket.IPPROTO_TCP, 64) + b"".join(self.ends) + tcp
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 1, 0x4000, 64, socket.IPPROTO_TCP, 0)
        ip += b"".join(self.ends)
        return ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:] + tcp

    def send(self, flags, seq, ack=0, data=b""):
        tcp = self.tcp(flags, seq, ack, data)
        if self.args.socket == "tcp":
            self.out.sendto(tcp, (self.args.remote, 0))
        elif self.args.socket in ("header", "last"):
            self.out.sendto(self.ip(tcp), (self.args.remote, 0))
        else:
            mac = bytes.fromhex(self.args.mac.replace(":", ""))
            protocol = ETH_P_IPV6 if self.is_v6 else ETH_P_IP
            self.out.sendto(self.ip(tcp), ("eth0", protocol, 0, 0, mac))

    def parse(self, packet, sender):
        """(seq, flags, data) of a segment of this connection, or None."""
        is_packet = self.back.family == socket.AF_PACKET
        if is_packet and sender[2] == PACKET_OUTGOING:
            return None
        if is_packet or not self.is_v6:
            version = packet[0] >> 4
            start = 40 if version == 6 else (packet[0] & 15) * 4
            if packet[6 if version == 6 else 9] != socket.IPPROTO_TCP:
                return None
            packet = packet[start:]
        if len(packet) < 20 or packet[:4] != struct.pack("!HH", self.args.remote_port, self.args.port):
            return None
        seq, _, offset, flags = struct.unpack("!IIBB", packet[4:14])
        return seq, flags, packet[offset // 16 * 4 :]

    def receive(self):
        deadline = time.monotonic() + self.args.wait
        while (left := deadline - time.monotonic()) > 0:
            self.back.settimeout(left)
            try:
                segment = self.parse(*self.back.recvfrom(65536))
            except socket.timeout:
                break
            if segment:
                return segment
        return None


def talk(wire, text):
    isn = random.randrange(1 << 31)
    seq, ack = isn + 1, 1
    if not wire.args.no_syn:
        wire.send(SYN, isn)
        answer = wire.receive()
        if not answer:
            return "silent"
        if answer[1] & RST:
            return "refused"
        ack = answer[0] + 1
        wire.send(ACK, seq, ack)
    wire.send(PSH | ACK, seq, ack, text)
    got = b""
    while len(got) < len(text):
        answer = wire.receive()
        if not answer or answer[1] & RST:
            return "reset" if answer else "silent"
        got += answer[2]
    wire.send(RST | ACK, seq + len(text), ack + len(got))
    return "answered " + got.decode()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--socket", default="header", choices=["header", "last", "tcp", "packet", "bypass"])
    parser.add_argument("--mac", default="ff:ff:ff:ff:ff:ff")
    parser.add_argument("--port", type=int, default=random.randrange(20000, 30000))
    parser.add_argument("--wait", type=float, default=SECONDS)
    parser.add_argument("--no-syn", action="store_true")
    parser.add_argument("local")
    parser.add_argument("remote")
    parser.add_argument("remote_port", type=int)
    parser.add_argument("text")
    args = parser.parse_args()
    print(talk(Wire(args), args.text.encode()), flush=True)


if __name__ == "__main__":
    main()
