#!/usr/bin/env python3
"""Reads every vector with Python's msgpack and writes it again: the same bytes."""

import json
import pathlib
import sys

import msgpack

bad = count = 0
for path in sorted(pathlib.Path(__file__).parent.glob("v*/*.json")):
    for vector in json.loads(path.read_text()):
        canonical = bytes.fromhex(vector["canonical"])
        count += 1
        if msgpack.packb(msgpack.unpackb(canonical, strict_map_key=False), use_bin_type=True) != canonical:
            bad += 1
            print(path.name, vector["name"], "differs")
sys.exit(f"{bad} of {count} differ" if bad or not count else 0)
