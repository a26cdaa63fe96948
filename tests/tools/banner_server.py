# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""An ordinary server on many ports, on every address: banner_server.py FIRST COUNT TEXT AWAKE.

It sends TEXT to whoever connects, and reads until the client closes. Prints "ready" once it listens everywhere. Where it is quiet it
sends a datagram to AWAKE twenty times a second: masscan looks at its own timers only when a packet comes.
"""
import resource
import selectors
import socket
import sys

selector = selectors.DefaultSelector()


def listen(port):
    listener = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=4096)
    listener.setblocking(False)
    selector.register(listener, selectors.EVENT_READ, take)


def take(listener, text):
    try:
        connection, _ = listener.accept()
        connection.setblocking(False)
        connection.send(text)
    except OSError:
        return
    selector.register(connection, selectors.EVENT_READ, read)


def read(connection, _):
    try:
        is_open = connection.recv(65536)
    except OSError:
        is_open = False
    if not is_open:
        selector.unregister(connection)
        connection.close()


def main():
    first, count, text = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3].encode()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    for port in range(first, first + count):
        listen(port)
    awake = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    print("ready", flush=True)
    while True:
        ready = selector.select(0.05)
        for key, _ in ready:
            key.data(key.fileobj, text)
        if not ready:
            awake.sendto(b"", (sys.argv[4], 9))


main()
