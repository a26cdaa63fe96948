# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""raw_syns.py LOCAL REMOTE PORT COUNT: a SYN each from ports 1024 on, by a raw socket."""
import argparse
import sys

from raw_client import SYN, Wire

wire = Wire(
    argparse.Namespace(socket="header", wait=3, local=sys.argv[1], remote=sys.argv[2], port=0, remote_port=int(sys.argv[3]))
)
for port in range(1024, 1024 + int(sys.argv[4])):
    wire.args.port = port
    wire.send(SYN, 1)
