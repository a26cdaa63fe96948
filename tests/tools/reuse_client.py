#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""reuse_client.py HOST PORT COUNT: one connection after the other from the same port, each echoed and closed."""
import socket
import sys

LOCAL_PORT = 45000
TIMEOUT_S = 10


def echo_once(host, port, text):
    with socket.socket() as sock:
        sock.settimeout(TIMEOUT_S)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("", LOCAL_PORT))
        sock.connect((host, port))
        sock.sendall(text)
        sock.shutdown(socket.SHUT_WR)
        answer = b""
        while len(answer) <= len(text):
            chunk = sock.recv(1024)
            if not chunk:
                break
            answer += chunk
        return answer == text


def main():
    host, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    good = sum(echo_once(host, port, b"number %d" % i) for i in range(count))
    print(f"{good} of {count} echoed")


main()
