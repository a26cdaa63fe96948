#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""listener.py [ADDRESS:]PORT...: listens on each, takes what comes and closes it, for ever."""
import selectors, socket, sys

selector = selectors.DefaultSelector()
for text in sys.argv[1:]:
    address, _, port = text.rpartition(":")
    selector.register(socket.create_server((address, int(port))), selectors.EVENT_READ)
print("ready", flush=True)
while True:
    for key, _ in selector.select():
        key.fileobj.accept()[0].close()
