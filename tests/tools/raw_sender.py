# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A TCP segment from a program, past the host's TCP, over IPv4 or IPv6.

raw_sender.py [-p IFACE] [-d DATA] [-w] [-f] LOCAL PORT REMOTE PORT FLAGS SEQ [ACK]
FLAGS as S, SA, A, R ...; -p: through a packet socket, to the neighbour that the kernel knows (IPv4); -w: stay, until killed;
-f: follow that connection: once it sends its next segment, send one that is SEQ further on, with the same ACK.
"""
import argparse
import signal
import socket
import struct
import subprocess

BITS = {"F": 1, "S": 2, "R": 4, "P": 8, "A": 16}


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def build_tcp(args, family):
    flags = sum(BITS[letter] for letter in args.flags)
    tcp = struct.pack(
        "!HHIIBBHHH", args.local_port, args.remote_port, args.seq, args.ack, 0x50, flags, 65535, 0, 0
    ) + args.data.encode()
    ends = socket.inet_pton(family, args.local) + socket.inet_pton(family, args.remote)
    pseudo = ends + struct.pack("!II", len(tcp), socket.IPPROTO_TCP)
    return tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:]


def follow(args, family):
    """SEQ and ACK of the next segment of the connection that leaves here."""
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
    ends = socket.inet_pton(family, args.local) + socket.inet_pton(family, args.remote)
    ports = struct.pack("!HH", args.local_port, args.remote_port)
    at, length = (12, 20) if family == socket.AF_INET else (8, 40)
    print("ready", flush=True)
    while True:
        packet, sender = tap.recvfrom(65536)
        tcp = packet[length:]
        if sender[2] == socket.PACKET_OUTGOING and packet[at : at + len(ends)] == ends and tcp[:4] == ports:
            return struct.unpack("!II", tcp[4:12])


def send_raw(args, family, tcp):
    out = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_TCP)
    out.bind((args.local, 0))
    out.sendto(tcp, (args.remote, 0))
    return out


def send_packet(args, tcp):
    told = subprocess.run(["ip", "neighbour", "show", args.remote, "dev", args.packet], capture_output=True, text=True)
    words = told.stdout.split()
    mac = bytes.fromhex(words[words.index("lladdr") + 1].replace(":", ""))
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 1, 0x4000, 64, socket.IPPROTO_TCP, 0)
    ends = socket.inet_aton(args.local) + socket.inet_aton(args.remote)
    ip = ip[:10] + struct.pack("!H", checksum(ip + ends)) + ends
    out = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
    out.sendto(ip + tcp, (args.packet, 0x0800, 0, 0, mac))
    return out


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-p", dest="packet")
    parser.add_argument("-d", dest="data", default="")
    parser.add_argument("-w", dest="stays", action="store_true")
    parser.add_argument("-f", dest="follows", action="store_true")
    parser.add_argument("local")
    parser.add_argument("local_port", type=int)
    parser.add_argument("remote")
    parser.add_argument("remote_port", type=int)
    parser.add_argument("flags")
    parser.add_argument("seq", type=int)
    parser.add_argument("ack", type=int, nargs="?", default=0)
    args = parser.parse_args()
    family = socket.AF_INET6 if ":" in args.local else socket.AF_INET
    if args.follows:
        seq, args.ack = follow(args, family)
        args.seq = (seq + args.seq) & 0xFFFFFFFF
    tcp = build_tcp(args, family)
    out = send_packet(args, tcp) if args.packet else send_raw(args, family, tcp)
    print("ready" if not args.follows else "sent", flush=True)
    if args.stays:
        signal.pause()
    out.close()


main()
