#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""An application that offers listeners of its own, by libnolisten.

offer.py LIBRARY PATH PORTS

PORTS and addresses ("8000@10.0.0.2") as nolisten_open() has them; from standard input commands, a line each, and the answer of each on
standard output, "0" or what nolisten_why() says:

offer NAME FAMILY ADDRESS PORT [BACKLOG]   NAME listens, hidden: 4, 6, or 6only; its connections get NAME, and are closed
share NAME FAMILY ADDRESS PORT             the same, at the hidden port of the one before (SO_REUSEPORT)
withdraw NAME                              it still listens
close NAME                                 the same without a word to the loader
serve NAME                                 of a BACKLOG: takes connections from now on
strange WHAT                               offers what is no listener: bound, unix, file, any, udp
taken                                      how many connections came by nolisten_accept(), which get "passed"
"""
import ctypes
import errno
import selectors
import socket
import struct
import sys

HIDDEN = {4: "192.0.0.8", 6: "100::1234"}
IP_FREEBIND, IPV6_FREEBIND = 15, 78


class Options(ctypes.Structure):
    _fields_ = [
        ("path", ctypes.c_char_p),
        ("ports", ctypes.c_char_p),
        ("addresses", ctypes.c_char_p),
        ("flags", ctypes.c_uint),
        ("reserved", ctypes.c_uint * 7),
    ]


def sockaddr(address, port):
    if ":" in address:
        return struct.pack("=H", socket.AF_INET6) + struct.pack("!HI16sI", port, 0, socket.inet_pton(socket.AF_INET6, address), 0)
    return struct.pack("=H", socket.AF_INET) + struct.pack("!H4s8x", port, socket.inet_pton(socket.AF_INET, address))


def hidden(family, port=0, backlog=100, shared=False):
    sock = socket.socket(socket.AF_INET if family == 4 else socket.AF_INET6)
    if family == 4:
        sock.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
    else:
        sock.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
    if shared:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind((HIDDEN[family], port))
    sock.listen(backlog)
    sock.setblocking(False)
    return sock


class Application:
    def __init__(self, library, path, asked):
        self.library = ctypes.CDLL(library)
        self.library.nolisten_why.restype = ctypes.c_char_p
        self.handle = ctypes.c_void_p()
        ports, _, addresses = asked.partition("@")
        options = Options(path=path.encode(), ports=ports.encode(), addresses=addresses.encode() or None)
        if self.library.nolisten_open(ctypes.byref(self.handle), ctypes.byref(options)):
            sys.exit(self.why())
        self.parents = {}
        self.taken = 0
        self.selector = selectors.DefaultSelector()
        self.selector.register(sys.stdin, selectors.EVENT_READ, self.command)
        self.selector.register(self.library.nolisten_fd(self.handle), selectors.EVENT_READ, self.take)

    def why(self):
        return self.library.nolisten_why().decode()

    def offer(self, sock, address, port, flags=0):
        at = sockaddr(address, port)
        return self.why() if self.library.nolisten_offer(self.handle, at, len(at), sock.fileno(), flags) else "0"

    def take(self, _):
        fd = self.library.nolisten_accept(self.handle, None)
        if fd == -errno.ESHUTDOWN:
            sys.exit("the loader has gone")
        if fd >= 0:
            self.taken += 1
            with socket.socket(fileno=fd) as sock:
                sock.sendall(b"passed\n")

    def serve(self, name):
        def accept(sock):
            with sock.accept()[0] as one:
                one.sendall(name.encode() + b"\n")

        self.selector.register(self.parents[name][0], selectors.EVENT_READ, accept)
        return "0"

    def begin(self, shared, name, family, address, port, backlog=None):
        version = int(family[0])
        place = next(reversed(self.parents.values()))[0].getsockname()[1] if shared and self.parents else 0
        sock = hidden(version, place, int(backlog or 100), shared)
        self.parents[name] = (sock, address, int(port))
        if backlog is None:
            self.serve(name)
        return self.offer(sock, address, int(port), int(family == "6only"))

    def withdraw(self, name):
        sock, address, port = self.parents[name]
        at = sockaddr(address, port)
        return self.why() if self.library.nolisten_withdraw(self.handle, at, len(at), sock.fileno()) else "0"

    def close(self, name):
        sock = self.parents.pop(name)[0]
        self.selector.unregister(sock)
        sock.close()
        return "0"

    def strange(self, what):
        if what == "bound":
            sock = socket.socket(socket.AF_INET6)
        elif what == "unix":
            sock = socket.socket(socket.AF_UNIX)
        elif what == "udp":
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        elif what == "file":
            sock = open("/dev/null")
        else:
            sock = socket.create_server(("", 0))
        with sock:
            return self.offer(sock, "10.0.0.2", 8000)

    def command(self, _):
        words = sys.stdin.readline().split()
        if not words:
            self.library.nolisten_close(self.handle)
            sys.exit()
        name, rest = words[0], words[1:]
        if name in ("offer", "share"):
            answer = self.begin(name == "share", *rest)
        elif name == "taken":
            answer = str(self.taken)
        else:
            answer = getattr(self, name)(*rest)
        print(answer, flush=True)

    def run(self):
        print("ready", flush=True)
        while True:
            for key, _ in self.selector.select():
                key.data(key.fileobj)


if __name__ == "__main__":
    Application(*sys.argv[1:]).run()
