# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""nolisten_connect() and what does not use it well, by ctypes: connecting.py LIBRARY WHAT [ADDRESS PORT [LOCAL-PORT]].

wait     nolisten_connect(): prints what came of it, and what the remote says first
many     starts 40, prints how each fares
cancel   starts one, says "started", waits for a line, and gives it up
rubbish  requests that are none, by hand, to the socket of NOLISTEN_SOCKET
"""
import ctypes
import os
import select
import socket
import struct
import sys

MAGIC, CONNECT, CONNECTED = 0x4E6F4C32, 0x100, 0x101
EINPROGRESS = 115


class Address(ctypes.Structure):
    _fields_ = [("family", ctypes.c_uint16), ("port", ctypes.c_uint16), ("rest", ctypes.c_uint8 * 24)]


class Syn(ctypes.Structure):
    _fields_ = [("window", ctypes.c_uint16), ("mss", ctypes.c_uint16), ("ttl", ctypes.c_uint8), ("wscale", ctypes.c_uint8),
                ("option_count", ctypes.c_uint8), ("options", ctypes.c_uint8 * 24)]


class Options(ctypes.Structure):
    _fields_ = [("path", ctypes.c_char_p), ("remote", Address), ("local", Address), ("flags", ctypes.c_uint),
                ("timeout_ms", ctypes.c_uint), ("syn_given", ctypes.c_uint), ("syn", Syn), ("reserved", ctypes.c_uint * 8)]


def options_of(host, port, local_port):
    options = Options()
    packed = socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
    at = 4 if len(packed) == 16 else 0
    options.remote.family = socket.AF_INET6 if at else socket.AF_INET
    options.remote.port = socket.htons(int(port))
    options.remote.rest[at:at + len(packed)] = packed
    options.local.port = socket.htons(int(local_port))
    options.timeout_ms = int(os.environ.get("TIMEOUT_MS", "5000"))
    return options


def request(**changes):
    fields = dict(magic=MAGIC, kind=CONNECT, remote=b"\0" * 10 + b"\xff\xff" + bytes([10, 0, 0, 2]), local=b"\0" * 16, remote_port=9,
                  local_port=0, timeout_ms=1000, given=0, mss=0, window=0, wscale=0, ttl=0, option_count=0, padding=0, options=b"\0" * 40)
    fields.update(changes)
    return struct.pack("=II16s16sHHIIHHBBBB40s", *fields.values())


def rubbish():
    for name, message in (
        ("another version", request(magic=MAGIC - 1)),
        ("port 0", request(remote_port=0)),
        ("an unknown field", request(given=1 << 20)),
        ("a scale of 15", request(wscale=15)),
        ("41 options", request(option_count=41)),
        ("padding", request(padding=1)),
        ("one byte less", request()[:-1]),
        ("one byte more", request() + b"\0"),
        ("options twice", request(given=16, option_count=2, options=b"\2\2" + b"\0" * 38)),
        ("to everybody", request(remote=b"\0" * 10 + b"\xff" * 6)),
        ("to nobody", request(remote=b"\0" * 16)),
        ("of two families", request(local=socket.inet_pton(socket.AF_INET6, "fd00::1"))),
        ("from elsewhere", request(local=b"\0" * 10 + b"\xff\xff" + bytes([9, 9, 9, 9]))),
    ):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as control:
            control.connect(os.environ["NOLISTEN_SOCKET"])
            control.settimeout(5)
            control.send(message)
            answer = control.recv(4096)
            err = struct.unpack_from("=IIi", answer)[2] if answer else 0
            print(name + ":", os.strerror(-err) if err else "hung up", flush=True)
    # Twice: the first one is given up.
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as control:
        control.connect(os.environ["NOLISTEN_SOCKET"])
        control.settimeout(5)
        silent = request(remote=b"\0" * 10 + b"\xff\xff" + bytes([10, 0, 0, 99]), timeout_ms=0)
        control.send(silent)
        control.send(silent)
        print("twice:", "answered" if control.recv(4096) else "hung up", flush=True)


def main():
    library = ctypes.CDLL(sys.argv[1])
    library.nolisten_why.restype = ctypes.c_char_p
    what = sys.argv[2]
    if what == "rubbish":
        rubbish()
        return
    options = options_of(*sys.argv[3:5], *(sys.argv[5:] or ["0"]))
    if what == "wait":
        fd = library.nolisten_connect(ctypes.byref(options), None)
        if fd < 0:
            print(fd, library.nolisten_why().decode())
            return
        with socket.socket(fileno=fd) as peer:
            print(os.get_blocking(fd), peer.getsockname()[1], peer.recv(100).decode().strip(), flush=True)
    elif what == "cancel":
        library.nolisten_connect_start(ctypes.byref(options))
        print("started", flush=True)
        sys.stdin.readline()
    elif what == "many":
        pending = [library.nolisten_connect_start(ctypes.byref(options)) for _ in range(40)]
        results = []
        for fd in pending:
            select.select([fd], [], [])
            result = library.nolisten_connect_finish(fd, None)
            results.append(result)
        for result in sorted(set(r if r < 0 else 0 for r in results)):
            print(result, sum((r if r < 0 else 0) == result for r in results))


main()
