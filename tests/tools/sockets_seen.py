#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What a server sees of its sockets, a line each: the same with and without `nolisten run`. On 10.0.0.2 and fd00::2."""
import errno, os, select, signal, socket, struct, sys

V4, V6 = socket.AF_INET, socket.AF_INET6
ANY = {V4: "0.0.0.0", V6: "::"}


def tell(what, fn):
    """fn's result, or the error's name."""
    try:
        result = fn()
    except OSError as error:
        result = "timeout" if isinstance(error, TimeoutError) else errno.errorcode.get(error.errno, error)
    print(f"{what}: {result}", flush=True)


def make(family=V4, reuseaddr=True, reuseport=False, v6only=None):
    one = socket.socket(family, socket.SOCK_STREAM)
    if reuseaddr:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if reuseport:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if v6only is not None:
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, v6only)
    return one


def listener(port, family=V4, host=None, **options):
    one = make(family, **options)
    one.bind((host or ANY[family], port))
    one.listen(8)
    return one


def flag(one, level, name):
    return one.getsockopt(level, name)


def name_after(one, host, port):
    one.bind((host, port))
    return one.getsockname()[:2]


def serve(one, host, port):
    """A client of our own, and what accept() says of it."""
    with socket.create_connection((host, port), timeout=5) as client:
        poll = select.poll()
        poll.register(one, select.POLLIN)
        ready = poll.poll(5000)
        conn, peer = one.accept()
        with conn:
            client.sendall(b"ping")
            data = conn.recv(4, socket.MSG_WAITALL)
            is_peer = peer[1] == client.getsockname()[1]
            conn.sendall(b"pong")
            back = client.recv(4, socket.MSG_WAITALL)
    return f"{len(ready)} ready, {peer[0]}, {is_peer}, {data.decode()} {back.decode()}, {poll.poll(0)}"


def one_listener():
    one = make()
    tell("name before bind", one.getsockname)
    tell("bind", lambda: one.bind(("0.0.0.0", 7001)))
    tell("name when bound", one.getsockname)
    tell("SO_ACCEPTCONN when bound", lambda: flag(one, socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    tell("bind again", lambda: one.bind(("0.0.0.0", 7002)))
    tell("listen", lambda: one.listen(8))
    tell("listen again", lambda: one.listen(16))
    tell("name when listening", one.getsockname)
    tell("SO_ACCEPTCONN when listening", lambda: flag(one, socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    tell("no peer", one.getpeername)
    tell("another", lambda: make().bind(("0.0.0.0", 7001)))
    tell("another, one address", lambda: make().bind(("10.0.0.2", 7001)))
    tell("another, IPv6", lambda: name_after(make(V6, v6only=1), "::", 7001))
    tell("serve", lambda: serve(one, "10.0.0.2", 7001))
    tell("serve lo", lambda: serve(one, "127.0.0.1", 7001))
    tell("dup", lambda: serve(one.dup(), "10.0.0.2", 7001))
    one.setblocking(False)
    tell("nobody", one.accept)
    one.setblocking(True)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 50000))
    tell("nobody in time", one.accept)
    one.close()
    tell("again at once", lambda: listener(7001).close())


def both_families():
    six = make(V6, v6only=0)
    tell("[::]", lambda: six.bind(("::", 7003)))
    tell("listen", lambda: six.listen(8))
    tell("name", six.getsockname)
    tell("v6only", lambda: flag(six, socket.IPPROTO_IPV6, socket.IPV6_V6ONLY))
    tell("IPv4 beside it", lambda: make().bind(("0.0.0.0", 7003)))
    tell("serve IPv6", lambda: serve(six, "fd00::2", 7003))
    tell("serve IPv4", lambda: serve(six, "10.0.0.2", 7003))
    four, only = listener(7004), listener(7004, V6, v6only=1)
    tell("v6only", lambda: flag(only, socket.IPPROTO_IPV6, socket.IPV6_V6ONLY))
    tell("serve its own", lambda: serve(only, "fd00::2", 7004))
    tell("serve the other's", lambda: serve(four, "10.0.0.2", 7004))
    single = listener(7005, V6, "fd00::2")
    tell("one address", single.getsockname)
    tell("serve one address", lambda: serve(single, "fd00::2", 7005))
    tell("not another", lambda: socket.create_connection(("::1", 7005), timeout=5))


def others():
    tell("an address of nobody", lambda: make().bind(("10.9.9.9", 7006)))
    tell("any port", lambda: name_after(make(), "127.0.0.1", 0)[1] > 0)
    tell("UDP", lambda: name_after(socket.socket(V4, socket.SOCK_DGRAM), "0.0.0.0", 7001))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as unix:
        tell("unix", lambda: unix.bind("\0sockets-seen-%d" % os.getpid()))
        tell("unix listens", lambda: unix.listen(1))
    tell("reuseport", lambda: [listener(7007, reuseport=True).getsockname() for _ in range(2)])
    tell("listen without bind", lambda: make().listen(1))


def outgoing():
    """A source that is bound and never listens."""
    target = listener(7008)
    with make() as source:
        tell("bind a source", lambda: source.bind(("10.0.0.2", 7009)))
        tell("connect", lambda: source.connect(("10.0.0.2", 7008)))
        tell("its name", source.getsockname)
        tell("its peer sees", lambda: target.accept()[1])
    with make() as closed:
        tell("bound", lambda: closed.bind(("0.0.0.0", 7010)))
    tell("free again", lambda: listener(7010).getsockname())


def children():
    one = listener(7011)
    if os.fork() == 0:
        tell("child's name", one.getsockname)
        tell("child serves", lambda: serve(one, "10.0.0.2", 7011))
        os._exit(0)
    os.wait()
    tell("parent serves", lambda: serve(one, "10.0.0.2", 7011))
    bound = make()
    bound.bind(("0.0.0.0", 7012))
    if os.fork() == 0:
        tell("child listens", lambda: bound.listen(8))
        tell("child serves", lambda: serve(bound, "10.0.0.2", 7012))
        os._exit(0)
    os.wait()
    tell("parent serves", lambda: serve(bound, "10.0.0.2", 7012))


class Alarm(Exception):
    pass


def signals():
    def raise_alarm(number, frame):
        raise Alarm

    one = listener(7013)
    signal.signal(signal.SIGALRM, raise_alarm)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        one.accept()
    except Alarm:
        print("accept is interrupted", flush=True)
    tell("serve after it", lambda: serve(one, "10.0.0.2", 7013))


for part in (one_listener, both_families, others, outgoing, children, signals):
    print(f"-- {part.__name__}", flush=True)
    part()
