#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""An application without the library, which does what no good one does.

application.py PATH PORTS WHAT

idle     asks for PORTS and takes nothing
leave    the same, and says that it goes when it is to end
one      asks, takes one message of connections, says how many came in it, and dies
rubbish  says things that are no request, and tells what came of each
"""
import array
import os
import signal
import socket
import struct
import sys

MAGIC = 0x4E6F4C32
OPEN, CLOSE, OPENED = 1, 2, 3
DESCRIPTORS = 128


def connect(path):
    control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    control.connect(path)
    control.settimeout(10)
    return control


def receive(sock):
    """The message, and the descriptors that came with it."""
    room = socket.CMSG_SPACE(DESCRIPTORS * 4)
    message, control, _, _ = sock.recvmsg(65536, room)
    fds = array.array("i")
    for _, _, data in control:
        fds.frombytes(data)
    return message, list(fds)


def request(ports, addresses=""):
    texts = [ports.encode() + b"\0", addresses.encode() + b"\0"]
    return struct.pack("=IIII", MAGIC, OPEN, *map(len, texts)) + b"".join(texts)


def ask(path, ports):
    control = connect(path)
    control.send(request(ports))
    reply, fds = receive(control)
    if struct.unpack_from("=II", reply)[1] != OPENED:
        sys.exit(reply[24:].split(b"\0")[0].decode())
    print("ready", flush=True)
    return control, [socket.socket(fileno=fd) for fd in fds]


def rubbish(path, ports):
    good = request(ports)
    texts = good[16:]
    for name, message in (
        ("nothing of ours", b"GET / HTTP/1.0\r\n\r\n"),
        ("one byte", b"\0"),
        ("another version", struct.pack("=I", MAGIC + 1) + good[4:]),
        ("an unknown kind", struct.pack("=II", MAGIC, 77) + good[8:]),
        ("lengths that lie", good[:8] + struct.pack("=II", 0xFFFFFFF0, 32) + texts),
        ("a text without an end", good[:-1] + b"x"),
        ("too much", good + b"\0" * 40000),
        ("a closing before an opening", struct.pack("=IIII", MAGIC, CLOSE, 0, 0)),
    ):
        control = connect(path)
        control.send(message)
        print(name, "hung up" if control.recv(4096) == b"" else "answered", flush=True)
    control = connect(path)
    with open("/dev/null") as null:
        socket.send_fds(control, [good], [null.fileno()] * 50)
    opened, _ = receive(control)
    control.send(good)
    twice = control.recv(4096)
    print("twice", "hung up" if opened and not twice else "answered", flush=True)


def main():
    path, ports, what = sys.argv[1:]
    if what == "rubbish":
        rubbish(path, ports)
        return
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    control, ends = ask(path, ports)
    if what == "one":
        message, fds = receive(ends[0])
        print(struct.unpack_from("=II", message)[1], len(fds), flush=True)
        os.kill(os.getpid(), 9)
    signal.sigwait({signal.SIGTERM})
    if what == "leave":
        control.send(struct.pack("=IIII", MAGIC, CLOSE, 0, 0))


if __name__ == "__main__":
    main()
