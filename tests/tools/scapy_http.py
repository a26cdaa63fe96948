# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A handshake and an HTTP request as they are written with scapy everywhere, from this host's own address.

scapy_http.py IFNAME ADDRESS PORT LOCAL-PORT PATH: the body goes to standard output. The status is 1 if there is no end of it.
"""
import logging
import sys
import time

logging.getLogger("scapy.runtime").setLevel(logging.ERROR)
from scapy.all import IP, TCP, IPv6, Raw, conf

SECONDS = 5


def ends(address, port, local_port):
    ip = IPv6(dst=address) if ":" in address else IP(dst=address)
    return ip / TCP(sport=local_port, dport=port, seq=1000, window=65535)


def segments_of(sniffer, port, local_port):
    """What comes from there, one by one."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if not sniffer.select([sniffer], deadline - time.monotonic()):
            continue
        packet = sniffer.recv()
        if packet and TCP in packet and (packet[TCP].sport, packet[TCP].dport) == (port, local_port):
            yield packet[TCP]


def exchange(wire, packet, segments, request):
    """The whole answer, or None."""
    tcp, body = packet[TCP], b""
    tcp.flags = "PA"
    wire.send(packet / Raw(request))
    tcp.seq += len(request)
    for segment in segments:
        if segment.flags.R:
            return None
        if tcp.flags == "FA" and segment.ack == tcp.seq + 1:
            return body
        if segment.flags.S or segment.seq != tcp.ack:
            continue
        # Ethernet's padding is no data.
        data = bytes(segment[Raw]) if Raw in segment else b""
        body += data
        tcp.ack += len(data) + bool(segment.flags.F)
        if data or segment.flags.F:
            tcp.flags = "FA" if segment.flags.F else "A"
            wire.send(packet)
    return None


def main():
    ifname, address, port, local_port, path = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
    packet = ends(address, port, local_port)
    packet[TCP].flags = "S"
    sniffer = conf.L2listen(iface=ifname)
    wire = conf.L3socket(iface=ifname)
    syn_ack = wire.sr1(packet, timeout=SECONDS, verbose=False)
    if not syn_ack or TCP not in syn_ack or syn_ack[TCP].flags != "SA":
        sys.exit("no SYN-ACK")
    packet[TCP].seq, packet[TCP].ack = syn_ack[TCP].ack, syn_ack[TCP].seq + 1
    packet[TCP].flags = "A"
    wire.send(packet)
    answer = exchange(wire, packet, segments_of(sniffer, port, local_port), b"GET /%s HTTP/1.0\r\n\r\n" % path.encode())
    if answer is None:
        sys.exit("reset, or no end of the answer")
    sys.stdout.buffer.write(answer.partition(b"\r\n\r\n")[2])


main()
