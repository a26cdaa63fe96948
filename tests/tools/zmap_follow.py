# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The user-space TCP behind a zmap: completes the handshakes whose SYN-ACKs zmap reports, and prints what each server says first.

zmap -f saddr,sport,dport,seqnum,acknum ... | zmap_follow.py IFNAME: a line "ADDRESS PORT TEXT" for each.
"""
import logging
import os
import select
import socket
import sys
import time

logging.getLogger("scapy.runtime").setLevel(logging.ERROR)
from scapy.all import IP, TCP, Raw, conf

SECONDS = 3
SO_RCVBUFFORCE = 33


class Follower:
    def __init__(self, ifname):
        self.wire = conf.L3socket(iface=ifname)
        self.sniffer = conf.L2listen(iface=ifname)
        # What comes at once is more than scapy makes room for.
        self.sniffer.ins.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
        self.waiting, self.rest, self.heard = {}, "", time.monotonic()

    def follow(self, line):
        address, port, local_port, seq, ack = line.split(",")
        packet = IP(dst=address) / TCP(
            sport=int(local_port), dport=int(port), seq=int(ack), ack=int(seq) + 1, flags="A", window=65535
        )
        self.waiting[address, int(port), int(local_port)] = packet
        self.wire.send(packet)
        self.heard = time.monotonic()

    def take(self, packet):
        if not packet or IP not in packet or TCP not in packet:
            return
        segment = packet[TCP]
        key = packet[IP].src, segment.sport, segment.dport
        if key not in self.waiting:
            return
        self.heard = time.monotonic()
        answer, text = self.waiting[key], bytes(segment[Raw]) if Raw in segment else b""
        if segment.flags.R or segment.flags.F:
            del self.waiting[key]
        if text and segment.seq == answer[TCP].ack:
            print(key[0], key[1], text.decode("ascii", "replace").strip(), flush=True)
        if (text or segment.flags.F) and not segment.flags.R:
            answer[TCP].seq, answer[TCP].ack = segment.ack, segment.seq + len(text) + bool(segment.flags.F)
            answer[TCP].flags = "FA" if text else "A"
            self.wire.send(answer)

    def read(self):
        """Lines as zmap writes them: false at the end."""
        chunk = os.read(0, 65536)
        *lines, self.rest = (self.rest + chunk.decode()).split("\n")
        for line in lines:
            # The first one has the names.
            if line[:1].isdigit():
                self.follow(line)
        return bool(chunk)

    def run(self):
        reading = [0]
        while (reading or self.waiting) and time.monotonic() < self.heard + SECONDS:
            for ready in select.select(reading + [self.sniffer], [], [], 0.1)[0]:
                if ready is self.sniffer:
                    self.take(self.sniffer.recv())
                elif not self.read():
                    reading = []


Follower(sys.argv[1]).run()
