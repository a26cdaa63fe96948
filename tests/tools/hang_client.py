#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""hang_client.py HOST PORT COUNT TEXT [end]: COUNT connections, each sends TEXT (end: and then its FIN) and waits. Prints "ready"
once all are connected, and at the end how many were reset and how many got anything. SIGTERM resets what is left."""
import select
import signal
import socket
import struct
import sys

host, port, count, text = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4].encode()
ends = sys.argv[5:] == ["end"]
connections = []
were_reset = got = 0
for _ in range(count):
    try:
        connections.append(socket.create_connection((host, port), timeout=10))
    except ConnectionResetError:  # at once
        were_reset += 1
poll = select.poll()
for one in connections:
    if text:
        one.sendall(text)
    if ends:
        one.shutdown(socket.SHUT_WR)
    poll.register(one, select.POLLIN)


def reset(*_):
    for one in connections:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        one.close()
    sys.exit()


signal.signal(signal.SIGTERM, reset)
print("ready", flush=True)
by_fd = {one.fileno(): one for one in connections}
while by_fd:
    for fd, _ in poll.poll():
        try:
            got += len(by_fd[fd].recv(4096)) > 0
        except OSError:
            were_reset += 1
        poll.unregister(fd)
        del by_fd[fd]
print(f"{were_reset} reset, {got} got something")
