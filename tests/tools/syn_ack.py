# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What the SYN-ACKs of a server say, for SYNs of every sort of options: a line each.

syn_ack.py [-s SOURCE] [-m MSS] [-e] ADDRESS PORT; -e: ask for ECN. Each SYN has a port of its own; the host's RST ends what it began.
"""
import argparse
import random
import socket
import struct
import sys
import time

SYN, RST, ACK, ECE, CWR = 2, 4, 16, 64, 128
SECONDS = 3

SACK, TIMESTAMPS, WSCALE = b"\4\2", b"\x08\x0a" + struct.pack("!II", 1000, 0), b"\3\3\7"
SORTS = {
    "all": SACK + TIMESTAMPS + b"\1" + WSCALE,
    "no timestamps": b"\1\1" + SACK + b"\1" + WSCALE,
    "no window scale": SACK + TIMESTAMPS,
    "no SACK": b"\1\1" + TIMESTAMPS + b"\1" + WSCALE,
    "MSS alone": b"",
}


def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def options_text(options):
    words = []
    while options:
        kind = options[0]
        if kind == 0:
            break
        if kind == 1:
            words.append("nop")
            options = options[1:]
            continue
        value, options = options[2 : options[1]], options[options[1] :]
        # Timestamps tell the time, which differs.
        words.append({2: "mss", 3: "wscale", 4: "sackOK", 8: "TS"}.get(kind, str(kind)))
        if kind in (2, 3):
            words[-1] += " %d" % int.from_bytes(value, "big")
    return ",".join(words)


class Asker:
    def __init__(self, arguments):
        self.is_v6 = ":" in arguments.address
        self.family = socket.AF_INET6 if self.is_v6 else socket.AF_INET
        self.remote = socket.getaddrinfo(arguments.address, 0, self.family)[0][4]
        self.port, self.mss = arguments.port, arguments.mss
        self.flags = SYN | ECE | CWR if arguments.ecn else SYN
        self.raw = socket.socket(self.family, socket.SOCK_RAW, socket.IPPROTO_TCP)
        if arguments.source:
            self.raw.bind((arguments.source, 0))
        self.raw.connect(self.remote)
        self.local = self.raw.getsockname()

    def send_syn(self, local_port, options):
        options = struct.pack("!BBH", 2, 4, self.mss) + options
        head = struct.pack(
            "!HHIIBBHHH", local_port, self.port, random.getrandbits(32), 0,
            (20 + len(options)) // 4 << 4, self.flags, 64240, 0, 0,
        ) + options
        pack = lambda end: socket.inet_pton(self.family, end[0].split("%")[0])
        pseudo = pack(self.local) + pack(self.remote) + struct.pack("!II", len(head), socket.IPPROTO_TCP)
        self.raw.send(head[:16] + struct.pack("!H", checksum(pseudo + head)) + head[18:])

    def receive(self, local_port, seconds):
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.raw.settimeout(left)
            try:
                packet = self.raw.recv(65536)
            except socket.timeout:
                break
            tcp = packet if self.is_v6 else packet[(packet[0] & 15) * 4 :]
            sport, dport, _, _, offset, flags, window = struct.unpack("!HHIIBBH", tcp[:16])
            if (sport, dport) == (self.port, local_port):
                return flags, window, tcp[20 : offset // 16 * 4]
        return None

    def ask(self, options):
        # A SYN that is lost on the way is sent again.
        local_port = random.randrange(20000, 30000)
        for _ in range(3):
            self.send_syn(local_port, options)
            if answer := self.receive(local_port, SECONDS):
                flags, window, found = answer
                names = {SYN | ACK: "SYN-ACK", SYN | ACK | ECE: "SYN-ACK with ECE"}
                name = names.get(flags, "flags %#x" % flags)
                return "%s win %d %s" % (name, window, options_text(found))
        return "nothing"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-s", "--source")
    parser.add_argument("-m", "--mss", type=int, default=1460)
    parser.add_argument("-e", "--ecn", action="store_true")
    parser.add_argument("address")
    parser.add_argument("port", type=int)
    asker = Asker(parser.parse_args())
    for name, options in SORTS.items():
        print("%s: %s" % (name, asker.ask(options)))


sys.exit(main())
