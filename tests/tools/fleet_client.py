# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""fleet_client.py PORT HELD RATE ADDRESS...: clients of an echo service behind these addresses, in turn.

HELD connections stay, and each sends ten times a second; one that is lost is followed by another. RATE others a second connect, send, read it back and close. Ten times
a second a line of JSON says what has become of them. After SIGTERM nobody new begins; what has begun is waited for, and the last
line has "over". A short one that fails was "established" if its first byte had been acknowledged, so that a server had a
socket for it; else it is "unserved": a handshake was lost.
"""
import asyncio
import json
import signal
import socket
import struct
import sys

PATIENCE_S = 20
TCP_INFO_BYTES_ACKED = 120  # the SYN counts


class Clients:
    def __init__(self, port, addresses):
        self.port = port
        self.addresses = addresses
        self.is_over = False
        self.begun = self.served = 0
        self.held = set()
        self.lost = []
        self.established = []
        self.unserved = []

    def line(self, **more):
        fields = {"begun": self.begun, "served": self.served, "held": sorted(self.held), "lost": self.lost,
                  "established": self.established, "unserved": self.unserved}
        print(json.dumps({**fields, **more}), flush=True)

    def open_socket(self, number):
        address = self.addresses[number % len(self.addresses)]
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        connection = socket.socket(family, socket.SOCK_STREAM)
        connection.setblocking(False)
        return connection, (address, self.port)

    async def echo(self, connection, text):
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(connection, text)
        got = b""
        while len(got) < len(text):
            part = await loop.sock_recv(connection, len(text) - len(got))
            if not part:
                raise OSError("closed")
            got += part
        if got != text:
            raise OSError("other bytes")

    async def hold(self, number):
        loop = asyncio.get_running_loop()
        connection, remote = self.open_socket(number)
        local_port = 0
        try:
            await asyncio.wait_for(loop.sock_connect(connection, remote), PATIENCE_S)
            local_port = connection.getsockname()[1]
            while not self.is_over:
                await asyncio.wait_for(self.echo(connection, b"%d" % local_port), PATIENCE_S)
                self.held.add(local_port)
                await asyncio.sleep(0.1)
        except (OSError, asyncio.TimeoutError) as error:
            self.held.discard(local_port)
            self.lost.append([local_port, str(error) or "timed out"])
        connection.close()

    async def keep_holding(self, number):
        while not self.is_over:
            await self.hold(number)

    async def come_and_go(self, number):
        loop = asyncio.get_running_loop()
        connection, remote = self.open_socket(number)
        self.begun += 1
        try:
            await asyncio.wait_for(loop.sock_connect(connection, remote), PATIENCE_S)
            await asyncio.wait_for(self.echo(connection, b"hello"), PATIENCE_S)
            self.served += 1
        except (OSError, asyncio.TimeoutError) as error:
            info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 136)
            acked, = struct.unpack_from("=Q", info, TCP_INFO_BYTES_ACKED)
            which = self.established if acked > 1 else self.unserved
            which.append([connection.getsockname()[1], str(error) or "timed out"])
        connection.close()

    async def tell(self):
        while True:
            self.line()
            await asyncio.sleep(0.1)

    async def run(self, held, rate):
        loop = asyncio.get_running_loop()
        over = asyncio.Event()
        loop.add_signal_handler(signal.SIGTERM, over.set)
        tasks = [loop.create_task(self.keep_holding(number)) for number in range(held)]
        telling = loop.create_task(self.tell())
        begin = loop.time()
        count = 0
        while not over.is_set():
            while count < (loop.time() - begin) * rate:
                tasks.append(loop.create_task(self.come_and_go(count)))
                count += 1
            await asyncio.sleep(0.005)
        self.is_over = True
        await asyncio.gather(*tasks)
        telling.cancel()
        self.line(over=True)


asyncio.run(Clients(int(sys.argv[1]), sys.argv[4:]).run(int(sys.argv[2]), float(sys.argv[3])))
