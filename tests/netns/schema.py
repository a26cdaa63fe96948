# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""schema.py EXAMPLES: the schema is one, takes each of these lines, and none of them once something in it is wrong; and the quick validator
of check_events says the same as the thorough one."""
import copy
import json
import pathlib
import sys

import fastjsonschema
import jsonschema

SCHEMA = json.loads((pathlib.Path(__file__).parents[2] / "doc" / "events.schema.json").read_text())
OWN = {"rtt_us", "handoff_us", "first_by_us", "kind", "count", "offset", "bytes"}
# What each member may not be.
WRONG = {
    "timestamp": ["2026-11-21T19:18:38.123456Z", "2026-11-21 19:18:38.123456+0000", "2026-11-21T19:18:38+0000", 0],
    "event_type": ["flow"],
    "flow_id": ["1", -1, 2**53, 1.5],
    "in_iface": ["", "a name that is too long"],
    "vlan": [5, [0], [4095], [], [5, 6]],
    "src_ip": ["::1", "10.0.0", "10.0.0.256", "fd00::2", 1],
    "dest_ip": ["fd00:0000:0000:0000:0000:0000:0000:000G", "[fd00::2]", "10.0.0.1:80"],
    "src_port": [-1, 65536, "80"],
    "dest_port": [None],
    "proto": ["tcp", 6],
    "community_id": ["", "2:LQU9qZlK+B5F3KDmev6m5PMibrg=", "1:LQU9qZlK+B5F3KDmev6m5PMibrg", "1:LQU9"],
    "payload": ["a", "====", "A" * 1372],
    "payload_printable": ["\t", "\x00", "A" * 1025],
    "nolisten": [{}, "syn", {"event": "unheard_of"}],
    "nolisten.method": ["auto", "XDP", ""],
    "nolisten.rtt_us": [-1, "31", 0.5],
    "nolisten.reason": ["Too slow", ""],
    "nolisten.kind": ["lost", ""],
    "nolisten.count": [-1, None],
}


def changed(event, name, value=None):
    """With that member changed, or without it."""
    event = copy.deepcopy(event)
    *path, last = name.split(".")
    inner = event[path[0]] if path else event
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return event


def mistakes(event):
    """(what, event) of each that is to be refused."""
    own = event["nolisten"]
    for name in event:
        if name != "vlan":
            yield f"without {name}", changed(event, name)
    for name in own:
        if name in ("event", "method", "count", "offset", "bytes"):
            yield f"without {name}", changed(event, f"nolisten.{name}")
    for name, values in WRONG.items():
        *path, last = name.split(".")
        if last in (own if path else event):
            for value in values:
                yield f"{name} = {value}", changed(event, name, "null" if value is None else value)
    for name in OWN - own.keys():
        yield f"with {name}", changed(event, f"nolisten.{name}", "syn" if name == "kind" else 1)
    yield "with something of nobody's", changed(event, "time", "2026-11-21T19:18:38.123456Z")
    yield "with something of nobody's inside", changed(event, "nolisten.time", 1)


def is_valid_quickly(validate, event):
    try:
        validate(event)
    except fastjsonschema.JsonSchemaException:
        return False
    return True


def main():
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    thorough, quick = jsonschema.Draft7Validator(SCHEMA), fastjsonschema.compile(SCHEMA)
    kinds, refused = set(), 0
    with open(sys.argv[1]) as file:
        for event in map(json.loads, file):
            kinds.add(event["nolisten"]["event"])
            for error in thorough.iter_errors(event):
                sys.exit(f"refused: {error.message}: {event}")
            for what, wrong in mistakes(event):
                if thorough.is_valid(wrong):
                    sys.exit(f"taken {what}: {wrong}")
                if is_valid_quickly(quick, wrong):
                    sys.exit(f"taken by the quick one {what}: {wrong}")
                refused += 1
    missing = set(SCHEMA["properties"]["nolisten"]["properties"]["event"]["enum"]) - kinds
    if missing:
        sys.exit(f"no example of {missing}")
    print(f"{refused} mistakes refused")


main()
