#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""run.py CLIENT-NAMESPACE SERVER-NAMESPACE RELAY-COMMANDS RELAY-LOG OUT [HAND-OVER-PATH EVENTS]: every scenario over one
relay, all at once, and what was seen of each, as JSON.
LIKENESS_ONLY=TEXT in the environment: only those whose name contains it.

Where this machine has added more than LATE_US to a packet's delay, or to nolisten's hand-off, the measurement is
repeated, at most ROUNDS times in all. OUT has the least late one, how late it was, and why there were others.
"""
import asyncio
import datetime
import json
import os
import sys
import time

from scenarios import LATE_PROGRAM_US, SCENARIOS
from world import LOOK_S, Connection, World, now_us, set_timestamps

ROUNDS = 8
FIRST_PORT = 20000
PORTS = 1000  # a round
STAGGER_S = 0.01
DEADLINE_S = 20
EPOCH = datetime.datetime.fromtimestamp(0, datetime.timezone.utc)
NUMBERS = ("number", "seq", "ack", "len", "win", "arrived", "late", "flow")


def read_log(path):
    """By the client's port, in the order in which the segments came to the relay. Many come within one microsecond."""
    wires = {}
    with open(path) as file:
        for line in file:
            if not line.startswith("arrived="):
                continue
            one = dict(word.split("=", 1) for word in line.split())
            for name in NUMBERS:
                one[name] = int(one[name])
            wires.setdefault(one["flow"], []).append(one)
    for wire in wires.values():
        wire.sort(key=lambda one: one["number"])
    return wires


def read_events(path):
    """When nolisten has handed a connection off, by the client's port, in us of CLOCK_MONOTONIC."""
    handed_off = {}
    if not path:
        return handed_off
    ahead_us = time.time_ns() // 1000 - now_us()
    with open(path) as file:
        for line in file:
            event = json.loads(line)
            if event["nolisten"]["event"] == "handed_off":
                at = datetime.datetime.strptime(event["timestamp"], "%Y-%m-%dT%H:%M:%S.%f%z")
                port = event["src_port"]
                handed_off[port] = (at - EPOCH) // datetime.timedelta(microseconds=1) - ahead_us
    return handed_off


def completed_us(wire, delay_us):
    """When the segment that completed the handshake came to the server; None: a rule has delayed it."""
    for one in wire:
        if one["from"] == "client" and "S" not in one["flags"] and one["verdict"] != "drop":
            return one["arrived"] + delay_us if one["verdict"] != "late" else None
    return None


async def watch(pauses):
    """When this program did not get the processor for so long: (until when, how long), in us."""
    before = now_us()
    while True:
        await asyncio.sleep(LOOK_S)
        now = now_us()
        if now - before > LOOK_S * 1e6 + LATE_PROGRAM_US:
            pauses.append((now, now - before))
        before = now


def find_lateness(scenario, wire, handed_off_us, pauses):
    """(us, why): what was added to any delay, at most."""
    late_us = max((one["late"] for one in wire), default=0)
    found = [(late_us, "a packet left %d us late" % late_us)]
    if wire and scenario.wire != "sums":
        for until, pause in pauses:
            if wire[0]["arrived"] <= until and until - pause <= wire[-1]["arrived"]:
                found.append((pause, "this program has paused for %d us" % pause))
    completed = completed_us(wire, scenario.rtt_ms * 500)
    if handed_off_us and completed:
        late_us = handed_off_us - completed
        found.append((late_us, "the hand-off came %d us late" % late_us))
    return max(found)


async def play(world, scenario, port):
    connection = Connection(world, scenario.family, port)
    world.command("flow", port, scenario.rtt_ms * 500)
    for rule in scenario.rules:
        world.command("rule", port, rule)
    error = None
    try:
        await connection.open(**scenario.options)
        await connection.arrive()
        await scenario.play(connection)
    except asyncio.CancelledError:
        error = "nothing moved for %d s" % DEADLINE_S
    except (OSError, EOFError, ValueError) as reason:
        error = repr(reason)
    connection.mark()
    connection.close()
    return connection, error


async def play_at_once(world, indices, first_port):
    tasks = {}
    for index in indices:
        tasks[index] = asyncio.create_task(play(world, SCENARIOS[index], first_port + index))
        await asyncio.sleep(STAGGER_S)
    if tasks:
        await asyncio.wait(tasks.values(), timeout=DEADLINE_S)
    for task in tasks.values():
        task.cancel()
    return {index: await task for index, task in tasks.items()}


async def play_all(world, indices, first_port):
    """What asks for timestamps is a setting of the client's namespace. Large transfers would be in the way of the others."""
    played = {}
    for timestamps in (False, True):
        set_timestamps(timestamps)
        for is_large in (False, True):
            chosen = [i for i in indices
                      if SCENARIOS[i].timestamps == timestamps and (SCENARIOS[i].wire == "sums") == is_large]
            played.update(await play_at_once(world, chosen, first_port))
    return played


async def run(world, log, events):
    pauses = []
    helpers = [*world.start(), asyncio.create_task(watch(pauses))]
    only = os.environ.get("LIKENESS_ONLY", "")
    left = [index for index, scenario in enumerate(SCENARIOS) if only in scenario.name]
    results = {}
    for number in range(ROUNDS):
        first_port = FIRST_PORT + number * PORTS
        played = await play_all(world, left, first_port)
        wires, told = read_log(log), read_events(events)
        for index in list(left):
            scenario, port = SCENARIOS[index], first_port + index
            wire = wires.get(port, [])
            connection, error = played[index]
            *marks, closed_us = connection.marks
            wire = [one for one in wire if one["arrived"] < closed_us]
            late_us, why = find_lateness(scenario, wire, told.get(port), pauses)
            result = results.setdefault(scenario.name, {"repeated": [], "late_us": None})
            if result["late_us"] is None or late_us < result["late_us"]:
                result.update(notes=connection.notes, marks=marks, error=error, late_us=late_us, late=why, wire=wire)
            if late_us > scenario.late_us:
                result["repeated"].append(why)
            else:
                left.remove(index)
    for task in helpers:
        task.cancel()
    return results


def main():
    client, server, commands, log, out = sys.argv[1:6]
    hand, events = sys.argv[6:8] if len(sys.argv) > 6 else (None, None)
    world = World(client, server, commands, hand)
    results = asyncio.run(run(world, log, events))
    with open(out, "w") as file:
        json.dump(results, file)


if __name__ == "__main__":
    main()
