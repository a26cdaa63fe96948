# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What connections do, the same with a listener and with nolisten."""
import asyncio
import socket
from dataclasses import dataclass, field

SEGMENT = 1000  # fits into every MSS
BULK = 1 << 20
# The probe of a tail loss comes after two RTTs, a delayed ACK after 40 ms: where both are about they are not to meet.
SLOW_MS = 100
LATE_US = 1000  # what a busy machine may add to a delay before the measurement is repeated
LATE_PROGRAM_US = 100000  # the same of what the program at both ends does: it must not look idle to the kernel
LATE_OF_MANY_US = 10000  # a flight of hundreds of segments takes its time


@dataclass
class Scenario:
    name: str
    play: object
    rtt_ms: int = 20
    family: int = 4
    timestamps: bool = True
    rules: tuple = ()  # of relay_rules.h, without the port
    # each: segment by segment; zero: what the server sends from its first window of 0 on; sums: what is sent when is chance.
    wire: str = "each"
    options: dict = field(default_factory=dict)

    @property
    def late_us(self):
        return LATE_OF_MANY_US if self.wire == "sums" else LATE_US


async def exchange(c):
    """A question, an answer, and the end."""
    await c.send(c.client, 100)
    await c.receive(c.server, 100)
    await c.send(c.server, 200)
    await c.receive(c.client, 200)
    await c.settled()
    c.note("data")
    await c.finish()


async def banner(c):
    """The server speaks first."""
    await c.send(c.server, 200)
    await c.receive(c.client, 200)
    await c.settled()
    c.note("data")


async def two_banners(c):
    await c.send(c.server, 200)
    await c.send(c.server, 300)
    await c.receive(c.client, 500)
    await c.settled()
    c.note("data")


async def client_speaks(c):
    await c.send(c.client, 200)
    await c.receive(c.server, 200)
    await c.settled()
    c.note("data")


async def more(c):
    c.mark()
    await c.send(c.server, 100, socket.MSG_MORE)
    await c.receive(c.client, 100)
    await c.settled()
    c.note("data")


async def ten_from_server(c):
    await c.send(c.server, 10 * SEGMENT)
    await c.receive(c.client, 10 * SEGMENT)
    await c.settled()
    c.note("data")


async def ten_from_client(c):
    await c.send(c.client, 10 * SEGMENT)
    await c.receive(c.server, 10 * SEGMENT)
    await c.settled()
    c.note("data")


async def large_from_server(c):
    await c.send(c.server, 65536)
    await c.stream(c.client, 65536)
    await c.settled()
    c.note("data")


async def large_from_client(c):
    await c.send(c.client, 65536)
    await c.stream(c.server, 65536)
    await c.settled()
    c.note("data")


async def bulk_from_client(c):
    """The receive buffer grows."""
    await asyncio.gather(c.send(c.client, BULK), c.stream(c.server, BULK))
    await c.settled()
    c.note("data")


async def client_does_not_read(c):
    """Zero window, and the server's probes."""
    sending = asyncio.create_task(c.send(c.server, 16384))
    await c.backed_off(c.server, 2)
    await asyncio.gather(sending, c.stream(c.client, 16384))
    await c.settled()


async def server_does_not_read(c):
    """Zero window, and the client's probes."""
    sending = asyncio.create_task(c.send(c.client, 131072))
    await c.backed_off(c.client, 3)
    sending.cancel()


SCENARIOS = []


def add(name, play, **more_fields):
    SCENARIOS.append(Scenario(name, play, **more_fields))


def add_grid():
    for rtt_ms in (1, 20, 100, 300):
        for timestamps in (True, False):
            for family in (4, 6):
                for is_lost in (False, True):
                    name = "exchange at %d ms%s%s%s" % (
                        rtt_ms,
                        "" if timestamps else " without timestamps",
                        " over IPv6" if family == 6 else "",
                        ", a SYN-ACK lost" if is_lost else "",
                    )
                    add(name, exchange, rtt_ms=rtt_ms, family=family, timestamps=timestamps,
                        rules=("server synack 1 drop", "client syn 2 drop") if is_lost else ())


def add_losses(timestamps, suffix):
    for name, play, rules in (
        ("the server's first data lost", banner, ("server data 1 drop",)),
        ("the server's first data lost twice", banner, ("server data 1-2 drop",)),
        ("the server's second data lost", two_banners, ("server data 2 drop",)),
        ("the client's ACK of data lost", banner, ("client ack 2 drop",)),
        ("the client's first data lost", client_speaks, ("client data 1 drop",)),
        ("the server's ACK of data lost", client_speaks, ("server ack 1 drop",)),
        ("SACK recovery of the server", ten_from_server, ("server data 3 drop",)),
        ("SACK recovery of the client", ten_from_client, ("client data 3 drop",)),
        ("the server's segments swapped", ten_from_server, ("server data 3 swap",)),
        ("the client's segments swapped", ten_from_client, ("client data 3 swap",)),
        ("the server's segment twice", ten_from_server, ("server data 3 dup",)),
        ("the final ACK twice", exchange, ("client ack 1 dup",)),
        ("the final ACK late", exchange, ("client ack 1 late=30000",)),
        ("MSG_MORE", more, ()),
    ):
        add(name + suffix, play, rules=rules, timestamps=timestamps)
    add("a tail loss" + suffix, ten_from_server, rtt_ms=SLOW_MS, rules=("server data 7 drop",), timestamps=timestamps)


def add_zero_windows(timestamps, suffix):
    add("a zero window of the client" + suffix, client_does_not_read, rtt_ms=SLOW_MS, timestamps=timestamps,
        options={"receive_buffer": 8192})
    add("a zero window of the server" + suffix, server_does_not_read, rtt_ms=SLOW_MS, timestamps=timestamps,
        wire="zero", options={"send_buffer": 200000})


def add_small_mss(timestamps, suffix):
    for family, name in ((4, ""), (6, " over IPv6")):
        add("ten segments to an MSS of 800" + name + suffix, ten_from_server, family=family, timestamps=timestamps,
            options={"mss": 800})


def add_transfers(timestamps, suffix):
    for name, play, wire in (
        ("ten segments from the server", ten_from_server, "each"),
        ("ten segments from the client", ten_from_client, "each"),
        ("64 KB from the server", large_from_server, "sums"),
        ("64 KB from the client", large_from_client, "sums"),
        ("1 MB from the client", bulk_from_client, "sums"),
    ):
        add(name + suffix, play, wire=wire, timestamps=timestamps)


add_grid()
for with_timestamps, name_suffix in ((True, ""), (False, " without timestamps")):
    add_losses(with_timestamps, name_suffix)
    add_zero_windows(with_timestamps, name_suffix)
    add_small_mss(with_timestamps, name_suffix)
    add_transfers(with_timestamps, name_suffix)
