#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""compare.py FOLDER METHOD handshake|data|wire: what run.py has seen of a method (FOLDER/METHOD.json
and of listen.json there). Says what differs at that stage and is not in known.py.
compare.py FOLDER METHOD known: says what known.py has and did not differ. Exit status 1 if there is anything.
compare.py --table: known.py as a table, for doc/ways.md.
"""
import json
import os
import sys

from known import KNOWN
from scenarios import LATE_US, SCENARIOS

# What comes from timestamps: both stamps are in whole milliseconds, and TCP_TIMESTAMP takes even numbers only.
TIMESTAMP_US = 2000
# A timer of the kernel: a tick of 250 Hz, and from 64 ticks on the wheel's grain, an eighth.
TICK_US = 4000
# More than that, and the measurement says nothing: a delayed ACK comes after 40 ms, a server waits for its remote.
MOST_LATE_US = 10000
RTO_OF_RTT = 3  # a first sample is an RTO of three times as much

UNLIMITED = 10 ** 10  # a pacing rate, in bytes a second
TCPI_OPT_TIMESTAMPS = 1

STAGES = ("handshake", "data", "wire")
EXACT = ("snd_cwnd snd_ssthresh advmss rcv_mss snd_mss pmtu options wscales rcv_space reordering window_clamp rcvbuf sndbuf"
         " delivered retransmits backoff total_retrans").split()
TIMES = ("rtt", "rttvar", "min_rtt", "rto")
# Grows by what has come and not yet been read.
READING = ("rcv_ssthresh",)
# Exact before the first data, besides; then it is the client's affair, or a matter of when was read.
NEW = ("snd_wnd", "rcv_ssthresh")
GROWN = ("rcv_space", "window_clamp", "rcvbuf", "sndbuf", "snd_cwnd")  # by chance, under bulk


def is_near(one, other, slack):
    return abs(one - other) <= max(one, other) / 10 + slack


def pacing_is_alike(one, other):
    """It is cwnd * mss / rtt, times a constant: as far apart as the RTTs may be."""
    constants = []
    for info in (one, other):
        if info["rtt"]:
            constants.append(info["pacing_rate"] * info["rtt"] / (info["snd_cwnd"] * info["snd_mss"]))
    if len(constants) == 2:
        return is_near(*constants, 0)
    return not constants and min(one["pacing_rate"], other["pacing_rate"]) > UNLIMITED


def answer_times(wire):
    """Of each segment that the server has sent: how long until the client has acknowledged it, by its number and size."""
    times, waiting = {}, {}
    for one in wire:
        if one["from"] == "server":
            end = one["seq"] + one["len"] + any(flag in one["flags"] for flag in "SF")
            if end > one["seq"]:
                waiting[end] = (one["seq"], one["arrived"])
            continue
        for end in [end for end in waiting if end <= one["ack"]]:
            seq, sent = waiting.pop(end)
            times.setdefault((seq, end), one["arrived"] - sent)
    return times


def lateness(one, other):
    """How far apart two RTTs may be because of the machine: what it has added to the link's delay, and by how much one
    client has answered the same segments later than the other; what it does is its own affair."""
    times = [answer_times(side["wire"]) for side in (one, other)]
    answers_us = [abs(times[0][key] - times[1][key]) for key in times[0] if key in times[1]]
    return max(LATE_US, one["late_us"], other["late_us"], *answers_us)


def infos_differ(scenario, stage, one, other, late_us):
    is_new = stage == "handshake"
    exact = set(EXACT)
    if is_new:
        exact.update(NEW)
    elif scenario.wire == "sums":
        exact.difference_update(GROWN)
    for name in sorted(exact):
        if one[name] != other[name]:
            yield name, one[name], other[name]
    for name in READING:
        if not is_new and scenario.wire != "sums" and not is_near(one[name], other[name], 0):
            yield name, one[name], other[name]
    for name in TIMES:
        slack_us = TIMESTAMP_US + (TICK_US + RTO_OF_RTT * late_us if name == "rto" else late_us)
        if not is_near(one[name], other[name], slack_us):
            yield name, one[name], other[name]
    if not pacing_is_alike(one, other):
        yield "pacing_rate", one["pacing_rate"], other["pacing_rate"]


def notes_differ(scenario, one, other, late_us):
    if set(one) != set(other):
        yield "handshake", "steps", sorted(one), sorted(other)
    for stage in one:
        if stage in other:
            for name, *values in infos_differ(scenario, stage, one[stage], other[stage], late_us):
                yield (stage, name, *values)


def sent_by(wire, who):
    """After the handshake. Of the client only what it sends by itself: its ACKs are its own affair."""
    return [one for one in wire if one["from"] == who and "S" not in one["flags"] and
            (who == "server" or one["len"] or "F" in one["flags"])]


def is_idle(one):
    """Acknowledges the handshake, or nothing."""
    return not one["len"] and one["seq"] == 1 and one["ack"] == 1 and "sack" not in one["opt"] and one["flags"] == "."


def text_of(one):
    return "%s %d:%d(%d) ack %d %s" % (one["flags"].replace("P", ""), one["seq"], one["seq"] + one["len"], one["len"],
                                       one["ack"], one["opt"])


def first_difference(one, other):
    """Of two lists; None: there is none."""
    for i in range(max(len(one), len(other))):
        values = [side[i] if i < len(side) else "nothing" for side in (one, other)]
        if values[0] != values[1]:
            return ["number %d: %s" % (i + 1, value) for value in values]
    return None


def heard_by_server(wire, delay_us):
    """When there came what is to be acknowledged: data, a FIN, a probe."""
    seen = 1
    for one in wire:
        if one["from"] != "client" or "S" in one["flags"]:
            continue
        if one["verdict"] != "drop" and (one["len"] or "F" in one["flags"] or one["seq"] < seen):
            yield one["arrived"] + delay_us
        seen = max(seen, one["seq"] + one["len"])


def server_times(wire, delay_us):
    """What the kernel alone has timed: (what, how long after its cause, in us) of each segment that was sent again, probe and
    ACK; None for what a program has sent."""
    heard = list(heard_by_server(wire, delay_us))
    times, last_of, last, seen = [], {}, 0, 1
    for one in sent_by(wire, "server"):
        at = one["arrived"]
        if one["seq"] < seen and (one["len"] or one["seq"] == seen - 1):
            times.append(("sent again or probed", at - last_of.get(one["seq"], last)))
        elif not one["len"] and "F" not in one["flags"]:
            causes = [cause for cause in heard if cause <= at]
            times.append(("acknowledged", at - causes[-1]) if causes else None)
        else:
            times.append(None)
        last_of[one["seq"]] = last = at
        seen = max(seen, one["seq"] + one["len"])
    return times


def time_is_alike(one_us, other_us):
    """An eighth is the timers' grain, a tenth the RTT's."""
    return abs(one_us - other_us) <= max(one_us, other_us) * (1 / 8 + 1 / 10) + 3 * TICK_US


def times_differ(scenario, one, other):
    times = [server_times(wire, scenario.rtt_ms * 500) for wire in (one["wire"], other["wire"])]
    for pair in zip(*times):
        if None not in pair and not time_is_alike(pair[0][1], pair[1][1]):
            yield "wire", "server's times", pair[0][1], pair[1][1]
            return
    if one["marks"]:
        # From the server's call to the first segment.
        waits = [sent_by(side["wire"], "server")[0]["arrived"] - side["marks"][0] for side in (one, other)]
        if not time_is_alike(*waits):
            yield "wire", "server's times", *waits


def answers_to_probes(scenario, wire):
    """The first two; the segment before them has closed the window, perhaps late."""
    sent = sent_by(wire, "server")
    first = next((i for i, segment in enumerate(sent) if not segment["win"]), len(sent)) + 1
    times = server_times(wire, scenario.rtt_ms * 500)
    return ["%s %d(%d) win %d %s" % (one["flags"], one["seq"], one["len"], one["win"],
                                     "at once" if time and time[1] < 3 * TICK_US else "late")
            for one, time in zip(sent[first:first + 2], times[first:first + 2])]


def zeroes_differ(scenario, one, other):
    texts = [answers_to_probes(scenario, side["wire"]) for side in (one, other)]
    if texts[0] != texts[1] or len(texts[0]) < 2:
        yield ("wire", "server's answers to probes", *texts)


def segments_differ(scenario, one, other):
    wires = [one["wire"], other["wire"]]
    for who in ("server", "client"):
        sides = [sent_by(wire, who) for wire in wires]
        if who == "server":
            idle = [sum(map(is_idle, side)) for side in sides]
            if idle[0] != idle[1]:
                yield ("wire", "ACKs of nothing", *idle)
                sides = [[segment for segment in side if not is_idle(segment)] for side in sides]
        found = first_difference(*[list(map(text_of, side)) for side in sides])
        if found:
            yield "wire", who + "'s segments", *found
            return
        found = first_difference(*[["P" in segment["flags"] for segment in side] for side in sides])
        if found:
            yield "wire", who + "'s PSH flags", *found
        for pair in zip(*sides):
            windows = [segment["win"] for segment in pair]
            if who == "server" and not is_near(*windows, 1):
                yield ("wire", "server's windows", *windows)
                break
        if who == "server" and idle[0] == idle[1]:
            yield from times_differ(scenario, one, other)


def sum_up(wire):
    """What is asked of a large transfer: how fast a receive buffer grows is chance, between two listeners too."""
    sums = {"retransmitted bytes": 0}
    for who in ("server", "client"):
        seen = 1
        for one in sent_by(wire, who):
            sums["retransmitted bytes"] += max(0, min(one["len"], seen - one["seq"]))
            seen = max(seen, one["seq"] + one["len"])
        sums[who + "'s bytes"] = seen - 1
    data = [one["arrived"] for one in wire if one["len"]]
    sums["duration"] = data[-1] - data[0]
    return sums


def sums_differ(scenario, one, other):
    sums = [sum_up(side["wire"]) for side in (one, other)]
    for name in sums[0]:
        values = [side[name] for side in sums]
        is_alike = max(values) <= 10 * min(values) if name == "duration" else values[0] == values[1]
        if not is_alike:
            yield ("wire", name, *values)


def rules_without_effect(scenario, wire):
    """A SYN that is only dropped lest it meet the SYN-ACK may not have been sent."""
    for rule in scenario.rules:
        who, kind, _, what = rule.split()
        if kind != "syn" and not any(one["from"] == who and one["verdict"] == what.split("=")[0] for one in wire):
            yield rule


def differences(scenario, one, other):
    if one["error"] or other["error"]:
        yield "wire", "it did not come to its end", one["error"], other["error"]
        return
    if bool(one["notes"]["handshake"]["options"] & TCPI_OPT_TIMESTAMPS) != scenario.timestamps:
        yield "handshake", "timestamps are not as they are meant to be", not scenario.timestamps, scenario.timestamps
    for side in (one, other):
        for rule in rules_without_effect(scenario, side["wire"]):
            yield "wire", "a rule had no effect", rule, rule
    yield from notes_differ(scenario, one["notes"], other["notes"], lateness(one, other))
    compare_wires = {"each": segments_differ, "zero": zeroes_differ, "sums": sums_differ}
    yield from compare_wires[scenario.wire](scenario, one, other)


def explain(method, scenario, stage, name, one, other):
    for row in KNOWN:
        if row.is_about(method, scenario, stage, name) and row.is_true(one, other):
            return row
    return None


def has_reference(method, scenario):
    """Into no cookie for IPv6 the small MSS fits, and method accept has nobody else who would answer."""
    return method != "accept" or scenario.family == 4 or "mss" not in scenario.options


def compare(method, reference, results):
    """(stage, line) of what is wrong, and the names of the rows that explained something."""
    wrong, used = [], set()
    for scenario in SCENARIOS:
        if scenario.name not in results:
            continue
        if not has_reference(method, scenario):
            continue
        one, other = reference[scenario.name], results[scenario.name]
        later = max(one, other, key=lambda side: side["late_us"])
        if later["late_us"] > max(MOST_LATE_US, scenario.late_us):
            wrong += [(stage, "%s: could not be measured: %s" % (scenario.name, later["late"])) for stage in STAGES]
            continue
        for stage, name, *values in differences(scenario, one, other):
            row = explain(method, scenario, stage, name, *values)
            if row:
                used.add(row.name)
            else:
                wrong.append((stage, "%s: %s: listener %s, %s %s" % (scenario.name, name, values[0], method, values[1])))
    return wrong, used


def print_table():
    print("| what | methods | when | why |\n|---|---|---|---|")
    for row in KNOWN:
        methods = ", ".join("`%s`" % method for method in row.methods)
        print("| %s | %s | %s | %s |" % (row.what, methods, row.when, row.why))


def load(folder, name):
    with open(os.path.join(folder, name + ".json")) as file:
        return json.load(file)


def main():
    if sys.argv[1:] == ["--table"]:
        print_table()
        return 0
    folder, method, stage = sys.argv[1:]
    results = load(folder, method)
    for name, result in results.items():
        for late in result["repeated"]:
            print("# %s was measured again: %s" % (name, late))
    wrong, used = compare(method, load(folder, "listen"), results)
    if stage == "known":
        lines = ["no longer true: " + row.name for row in KNOWN
                 if method in row.methods and row.name not in used and row.follows not in used]
    else:
        lines = [line for at, line in wrong if at == stage]
    for line in lines:
        print(line)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
