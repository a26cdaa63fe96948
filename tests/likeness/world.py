# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A client and a server at the two ends of a relay, both held by this process. The server's ends of the connections
are accepted by a listener, or come from nolisten by way of tools/hand_over."""
import asyncio
import ctypes
import fcntl
import socket
import struct
import termios
import time

SERVER_PORT = 34567
ADDRESSES = {4: ("10.2.0.1", "10.2.0.2"), 6: ("fd02::1", "fd02::2")}
FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}
LOOK_S = 0.01  # between two looks at a condition
TCP_FIN_WAIT2, TCP_CLOSE = 5, 7

TCP_MAXSEG, TCP_WINDOW_CLAMP, TCP_INFO = 2, 10, 11
INFO_FIELDS = (
    ("8B", "state ca_state retransmits probes backoff options wscales flags"),
    ("24I", "rto ato snd_mss rcv_mss unacked sacked lost retrans fackets last_data_sent last_ack_sent last_data_recv"
            " last_ack_recv pmtu rcv_ssthresh rtt rttvar snd_ssthresh snd_cwnd advmss reordering rcv_rtt rcv_space"
            " total_retrans"),
    ("4Q", "pacing_rate max_pacing_rate bytes_acked bytes_received"),
    ("6I", "segs_out segs_in notsent_bytes min_rtt data_segs_in data_segs_out"),
    ("4Q", "delivery_rate busy_time rwnd_limited sndbuf_limited"),
    ("2I", "delivered delivered_ce"),
    ("2Q", "bytes_sent bytes_retrans"),
    ("4I", "dsack_dups reord_seen rcv_ooopack snd_wnd"),
)


def now_us():
    """CLOCK_MONOTONIC, as the relay's."""
    return time.monotonic_ns() // 1000


def tcp_info(sock):
    raw = sock.getsockopt(socket.IPPROTO_TCP, TCP_INFO, 512)
    info, at = {}, 0
    for kind, names in INFO_FIELDS:
        info.update(zip(names.split(), struct.unpack_from("=" + kind, raw, at)))
        at += struct.calcsize("=" + kind)
    for name, level, option in (
        ("sndbuf", socket.SOL_SOCKET, socket.SO_SNDBUF),
        ("rcvbuf", socket.SOL_SOCKET, socket.SO_RCVBUF),
        ("window_clamp", socket.IPPROTO_TCP, TCP_WINDOW_CLAMP),
        ("maxseg", socket.IPPROTO_TCP, TCP_MAXSEG),
    ):
        info[name] = sock.getsockopt(level, option)
    return info


def tcp_info_field(sock, name):
    raw = sock.getsockopt(socket.IPPROTO_TCP, TCP_INFO, 256)
    if name == "state":
        return raw[0]
    if name == "backoff":
        return raw[4]
    return struct.unpack_from("=I", raw, 8 + 4 * INFO_FIELDS[1][1].split().index(name))[0]


def waiting_bytes(sock):
    return struct.unpack("i", fcntl.ioctl(sock, termios.FIONREAD, b"\0" * 4))[0]


def enter(namespace):
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/run/netns/" + namespace, "rb") as file:
        if libc.setns(file.fileno(), 0):
            raise OSError(ctypes.get_errno(), "setns " + namespace)


def set_timestamps(is_on):
    with open("/proc/sys/net/ipv4/tcp_timestamps", "w") as file:
        file.write(str(int(is_on)))


class World:
    """hand: the path of a Unix socket on which nolisten's connections come; None: an ordinary listener."""

    def __init__(self, client, server, commands, hand):
        self.commands = open(commands, "w")
        self.arrivals = {}
        self.listeners = []
        if hand:
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(hand)
            self.listen(listener)
        else:
            enter(server)
            for family in FAMILIES:
                self.listen(self.bound(family, 1, SERVER_PORT))
        self.is_handed = hand is not None
        enter(client)

    def bound(self, family, end, port):
        sock = socket.socket(FAMILIES[family])
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == 6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((ADDRESSES[family][end], port))
        return sock

    def listen(self, listener):
        listener.setblocking(False)
        listener.listen(1000)
        self.listeners.append(listener)

    def command(self, *words):
        self.commands.write(" ".join(map(str, words)) + "\n")
        self.commands.flush()

    def arrival(self, port):
        return self.arrivals.setdefault(port, asyncio.get_running_loop().create_future())

    async def accept(self, listener):
        loop = asyncio.get_running_loop()
        while True:
            sock, _ = await loop.sock_accept(listener)
            asyncio.create_task(self.arrived(sock))

    async def arrived(self, sock):
        """The process behind hand_over stays as long as its Unix socket: that is kept beside the connection."""
        holder = None
        if self.is_handed:
            holder = sock
            while True:
                try:
                    _, fds, _, _ = socket.recv_fds(holder, 1, 1)
                    break
                except BlockingIOError:
                    await asyncio.sleep(0.001)
            sock = socket.socket(fileno=fds[0])
        sock.setblocking(False)
        self.arrival(sock.getpeername()[1]).set_result((sock, holder))

    def start(self):
        return [asyncio.create_task(self.accept(listener)) for listener in self.listeners]


class Connection:
    """Both ends of one connection, and what the server's end has said of itself."""

    def __init__(self, world, family, port):
        self.world, self.family, self.port = world, family, port
        self.client = self.server = self.holder = None
        self.notes = {}
        self.marks = []  # moments

    async def open(self, receive_buffer=None, send_buffer=None, mss=None):
        loop = asyncio.get_running_loop()
        self.client = self.world.bound(self.family, 0, self.port)
        if receive_buffer:
            self.client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if send_buffer:
            self.client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
        if mss:
            self.client.setsockopt(socket.IPPROTO_TCP, TCP_MAXSEG, mss)
        await loop.sock_connect(self.client, (ADDRESSES[self.family][1], SERVER_PORT))

    async def arrive(self):
        self.server, self.holder = await self.world.arrival(self.port)
        self.note("handshake")

    def note(self, name):
        self.notes[name] = tcp_info(self.server)

    def mark(self):
        self.marks.append(now_us())

    async def send(self, end, count, flags=0):
        data = b"x" * count
        while data:
            try:
                data = data[end.send(data, flags):]
            except BlockingIOError:
                await asyncio.sleep(LOOK_S)

    async def receive(self, end, count):
        """Once all of it is there: when the kernel acknowledges is not to depend on when a program reads."""
        await self.until(lambda: waiting_bytes(end) >= count)
        end.recv(count, socket.MSG_WAITALL)

    async def stream(self, end, count):
        """As it comes."""
        loop = asyncio.get_running_loop()
        while count:
            got = await loop.sock_recv(end, min(count, 65536))
            if not got:
                raise EOFError("%d bytes are missing" % count)
            count -= len(got)

    async def ended(self, end):
        if await asyncio.get_running_loop().sock_recv(end, 1):
            raise ValueError("more than was sent")

    async def until(self, is_true):
        while not is_true():
            await asyncio.sleep(LOOK_S)

    async def settled(self):
        """Everything that was sent is acknowledged."""
        await self.until(lambda: not any(tcp_info_field(end, "unacked") for end in (self.client, self.server)))

    async def backed_off(self, end, count):
        await self.until(lambda: tcp_info_field(end, "backoff") >= count)

    async def finish(self):
        """The client closes first."""
        self.client.shutdown(socket.SHUT_WR)
        await self.ended(self.server)
        # Its FIN is acknowledged by itself, whenever this program would have closed.
        await self.until(lambda: tcp_info_field(self.client, "state") == TCP_FIN_WAIT2)
        self.server.shutdown(socket.SHUT_WR)
        await self.ended(self.client)
        await self.until(lambda: tcp_info_field(self.server, "state") == TCP_CLOSE)

    def close(self):
        for sock in (self.client, self.server, self.holder):
            if sock:
                sock.close()
