# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""raw_echo.py LOCAL REMOTE PORT REMOTE_PORT: sends back the data of segments of that 4-tuple, whether or not there was a handshake."""
import argparse
import sys

from raw_client import ACK, PSH, Wire

wire = Wire(
    argparse.Namespace(
        socket="header", wait=3, local=sys.argv[1], remote=sys.argv[2], port=int(sys.argv[3]), remote_port=int(sys.argv[4])
    )
)
print("ready", flush=True)
while True:
    segment = wire.receive()
    if segment and segment[2]:
        wire.send(PSH | ACK, 1, segment[0] + len(segment[2]), segment[2])
