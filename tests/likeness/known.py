# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""In what a socket of nolisten differs from a listener's child. compare.py finds a difference that is not here, and a row
that is no longer true; doc/ways.md has these rows as a table.
"""
from dataclasses import dataclass

REPAIRED = ("auto", "xdp", "engine", "nfqueue", "filter")
COOKIE = ("auto", "xdp", "accept")
# The kernel takes no sample from a cookie, its own or ours.
WITHOUT_SAMPLE = REPAIRED + ("accept",)


@dataclass
class Known:
    name: str
    methods: tuple
    what: str
    when: str
    why: str
    fields: tuple  # of TCP_INFO, or as compare.py names what is on the wire
    applies: object = lambda scenario: True
    stages: tuple = ("handshake", "data", "wire")
    is_true: object = lambda listener, ours: True  # the difference has this shape
    follows: str = ""  # the name of the row that it is a consequence of: not always seen

    def is_about(self, method, scenario, stage, name):
        return method in self.methods and stage in self.stages and name in self.fields and self.applies(scenario)


def has_no_timestamps(scenario):
    return not scenario.timestamps


def has_timestamps(scenario):
    return scenario.timestamps


def has_lost_syn_ack(scenario):
    return any("synack" in rule for rule in scenario.rules)


def has_small_mss(scenario):
    return "mss" in scenario.options


def brings_large_segments(scenario):
    return "client" in scenario.name


NO_SAMPLE = (0, 0xffffffff, 750000, 3000000, 0xffffffffffffffff)
UNPACED = 10**11  # bytes a second: as if the RTT were microseconds
RTT = ("rtt", "rttvar", "min_rtt", "rto", "pacing_rate")

KNOWN = (
    Known(
        "no RTT sample", WITHOUT_SAMPLE, "RTT, RTO (3 s instead of some 200 ms) and pacing are not known after the handshake",
        "no timestamps", "no call sets them, and neither a repaired byte nor a cookie gives a sample without a timestamp", RTT,
        has_no_timestamps, ("handshake",), lambda listener, ours: ours in NO_SAMPLE or ours > UNPACED,
    ),
    Known(
        "the first sample comes late", WITHOUT_SAMPLE, "the first data gives the first RTT sample, not the second", "no timestamps",
        "the same", RTT, has_no_timestamps, ("data",),
    ),
    Known(
        "late retransmission", WITHOUT_SAMPLE, "data that is lost before there is an RTT sample is sent again after 1 s and 4 s, instead of 0.2 s and 0.5 s",
        "no timestamps", "the same", ("server's times",), has_no_timestamps, ("wire",),
        lambda listener, ours: ours > listener,
    ),
    Known(
        "PSH in other places", WITHOUT_SAMPLE, "PSH stands in other segments of a flight", "no timestamps",
        "the kernel cuts what is sent by pacing rate and MSS before it is segmented", ("server's PSH flags",),
        has_no_timestamps, ("wire",), follows="no RTT sample",
    ),
    Known(
        "the MSS is 12 too small in TCP_INFO", REPAIRED, "`tcpi_snd_mss` is 12 less than what is sent", "no timestamps",
        "connect() allows for timestamps whenever this host's sysctl does", ("snd_mss",), has_no_timestamps,
        is_true=lambda listener, ours: listener - ours == 12,
    ),
    Known(
        "delivered is one less", REPAIRED, "`tcpi_delivered` does not count the SYN", "no timestamps",
        "the byte that stands for the SYN is sent with timestamps only", ("delivered",), has_no_timestamps,
        is_true=lambda listener, ours: listener - ours == 1,
    ),
    Known(
        "no retransmitted SYN-ACK in TCP_INFO", WITHOUT_SAMPLE, "`tcpi_total_retrans` does not count the SYN-ACKs that were sent again",
        "a SYN-ACK was lost", "no call sets it", ("total_retrans",), has_lost_syn_ack,
        is_true=lambda listener, ours: listener - ours == 1,
    ),
    Known(
        "smaller windows under XDP", ("auto", "xdp", "engine", "connect"),
        "a smaller receive window for the same buffer", "generic XDP, and native on tap; segments above 536 bytes come in",
        "each packet gets a larger buffer, and the kernel counts buffers", 
        ("rcv_ssthresh", "window_clamp", "server's windows"), brings_large_segments, ("data", "wire"),
        lambda listener, ours: ours < listener,
    ),
    Known(
        "the MSS is rounded down", COOKIE, "the MSS is up to a twentieth smaller", "a client with an unusual MSS",
        "a cookie has classes for it", ("snd_mss", "snd_cwnd", "delivered", "server's segments", "server's PSH flags"),
        has_small_mss,
    ),
    Known(
        "pacing before the first ACK", ("connect",), "the pacing rate is that of one segment until the first ACK of data",
        "a SYN-ACK was lost", "the kernel computes it when its SYN was lost, before it sets the window", ("pacing_rate",),
        has_lost_syn_ack, ("handshake",),
        # A tenth, but for the millisecond by which RTTs of 1 ms may be apart.
        lambda listener, ours: 3 < listener / ours < 30,
    ),
    Known(
        "a window of 65535 at most", ("connect",), "what the remote may be sent is at most 65535 bytes until its next ACK",
        "a larger window in its final ACK", "that ACK becomes a SYN-ACK, whose window is never scaled", ("snd_wnd",),
        stages=("handshake",), is_true=lambda listener, ours: ours == 65535 < listener,
    ),
)
