#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What a service manager hears: notify_receiver.py PATH|@NAME prints "ready", then each datagram as a line, its lines
joined by spaces."""
import socket
import sys

name = sys.argv[1]
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind("\0" + name[1:] if name.startswith("@") else name)
print("ready", flush=True)
while True:
    print(receiver.recv(65536).decode().replace("\n", " "), flush=True)
