#!/usr/bin/env python3
"""Writes the golden vectors of wire version 1.

An encoder that shares nothing with package wire but the specification of
MessagePack: it reads the schema, makes a value for every field, and writes the
bytes that a Nacre store must write, the JSON form, and forms of other writers
that a store must read as the same value.

    python3 testdata/wire/vectors.py

Vectors are kept for ever: what was written once must stay readable. After the
schema has grown, write new ones under a new name instead of these.
"""

import datetime
import json
import pathlib
import re
import struct as packing

HERE = pathlib.Path(__file__).parent
SCHEMA = HERE.parent.parent / "schema" / "trading"


# ---- the schema, as far as its files are regular

def read_types():
    enums, structs, section, name = {}, {}, None, None
    for line in (SCHEMA / "types.yaml").read_text().splitlines():
        line = line.split("#")[0].rstrip()
        if m := re.match(r"^(enums|structs):$", line):
            section = m[1]
        elif section == "enums" and (m := re.match(r"^  (\w+):\s+\[(.*)\]$", line)):
            enums[m[1]] = [w.strip() for w in m[2].split(",")]
        elif section == "structs" and (m := re.match(r"^  (\w+):$", line)):
            name = m[1]
            structs[name] = []
        elif section == "structs" and (f := field(line)):
            structs[name].append(f)
    return enums, structs


def field(line):
    m = re.match(r"^ +(\w+):\s+(?:\{type: ([^,]+),.*\}|(\S+))$", line)
    if not m:
        return None
    kind = m[2] or m[3]
    return m[1], kind.rstrip("?"), kind.endswith("?")


def read_table(path):
    name, fields, inside = None, [], False
    for line in path.read_text().splitlines():
        line = line.split("#")[0].rstrip()
        if m := re.match(r"^(table|series): (\w+)$", line):
            kind, name = m[1], m[2]
        elif re.match(r"^\S", line):
            inside = line == "fields:"
        elif inside and (f := field(line)):
            fields.append(f)
    return kind, name, fields


ENUMS, STRUCTS = read_types()
TABLES, SERIES = {}, {}
for p in sorted(SCHEMA.glob("*.yaml")):
    if p.name != "types.yaml":
        kind, name, fields = read_table(p)
        (TABLES if kind == "table" else SERIES)[name] = fields


# ---- MessagePack, shortest forms

class Raw(bytes):
    """A value that is written as it stands."""


class Dec(str):
    pass


class Time(int):
    pass


def pack(v):
    if isinstance(v, Raw):
        return bytes(v)
    if v is None:
        return b"\xc0"
    if isinstance(v, bool):
        return b"\xc3" if v else b"\xc2"
    if isinstance(v, int):
        return pack_int(v)
    if isinstance(v, float):
        return b"\xcb" + packing.pack(">d", v)
    if isinstance(v, str):
        b = v.encode()
        return head(len(b), 0xA0, 32, [0xD9, 0xDA, 0xDB]) + b
    if isinstance(v, bytes):
        return head(len(v), 0, 0, [0xC4, 0xC5, 0xC6]) + v
    if isinstance(v, list):
        return head(len(v), 0x90, 16, [None, 0xDC, 0xDD]) + b"".join(map(pack, v))
    if isinstance(v, dict):
        return head(len(v), 0x80, 16, [None, 0xDE, 0xDF]) + b"".join(pack(k) + pack(e) for k, e in v.items())
    raise TypeError(v)


def head(n, fix, limit, codes):
    if n < limit:
        return bytes([fix | n])
    if n < 1 << 8 and codes[0]:
        return bytes([codes[0], n])
    if n < 1 << 16:
        return bytes([codes[1]]) + n.to_bytes(2, "big")
    return bytes([codes[2]]) + n.to_bytes(4, "big")


def pack_int(v):
    if 0 <= v < 1 << 7 or -32 <= v < 0:
        return packing.pack(">b", v)
    for code, fmt in zip((0xCC, 0xCD, 0xCE, 0xCF) if v > 0 else (0xD0, 0xD1, 0xD2, 0xD3), "BHIQ" if v > 0 else "bhiq"):
        try:
            return bytes([code]) + packing.pack(">" + fmt, v)
        except packing.error:
            pass
    raise OverflowError(v)


# ---- values

DECIMALS = ["1.10", "0", "-0.5", "46271.10", "12.345", "0.000", "123456789012345678", "1234567890123456789",
            "1.000000000000000000", "-99999999999999999999999999999999999999", "0.00000001", "1000000"]
INTS = [0, 1, -1, 127, 128, -32, -33, 255, 256, 65535, 65536, -128, -129, 1 << 40]


class Maker:
    """Makes values that differ from field to field."""

    def __init__(self):
        self.n = 0

    def value(self, name, kind):
        self.n += 1
        n = self.n
        if m := re.match(r"list<(\w+)>", kind):
            return [self.value(name, m[1]), self.minimal(STRUCTS[m[1]]) if m[1] in STRUCTS else self.value(name, m[1])]
        if m := re.match(r"map<(\w+)>", kind):
            return {k: self.value(name, m[1]) for k in ["BNB", "USDT", "\u00fc"]}
        if kind in ENUMS:
            return ENUMS[kind][n % len(ENUMS[kind])]
        if kind in STRUCTS:
            return self.full(STRUCTS[kind])
        if kind in ("string",) or kind in TABLES:
            return f"{name}-{n}"
        if kind == "decimal":
            return Dec(DECIMALS[n % len(DECIMALS)])
        if kind == "timestamp":
            return Time(1700000000123456789 + n)
        if kind == "int64":
            return INTS[n % len(INTS)]
        if kind == "bool":
            return n % 2 == 0
        raise KeyError(kind)

    def full(self, fields):
        return {f: self.value(f, kind) for f, kind, _ in fields}

    def minimal(self, fields):
        return {f: self.value(f, kind) for f, kind, optional in fields if not optional}

    def zero(self, fields):
        zeros = {"string": "", "decimal": Dec("0"), "timestamp": Time(0), "int64": 0, "bool": False}
        v = {}
        for f, kind, optional in fields:
            if not optional:
                v[f] = [] if kind.startswith("list") else zeros.get(kind, "")
        return v


# ---- JSON, as a store writes it

def as_json(v, fields=None, iso=False):
    if fields:
        kinds = {f: k for f, k, _ in fields}
        return "{" + ",".join(quote(k) + ":" + typed_json(e, kinds.get(k), iso) for k, e in v.items()) + "}"
    return typed_json(v, None, iso)


def typed_json(v, kind, iso):
    if isinstance(v, Time) and iso:
        return quote(rfc3339(v))
    if isinstance(v, bool):
        return "true" if v else "false"
    if v is None:
        return "null"
    if isinstance(v, int):
        return quote(str(int(v))) if kind or isinstance(v, Time) else str(int(v))
    if isinstance(v, str):
        return quote(v)
    if isinstance(v, list):
        inner = kind and kind[5:-1]
        return "[" + ",".join(typed_json(e, inner, iso) for e in v) + "]"
    if isinstance(v, dict):
        if kind in STRUCTS:
            return as_json(v, STRUCTS[kind], iso)
        inner = kind and kind[4:-1]
        return "{" + ",".join(quote(k) + ":" + typed_json(e, inner, iso) for k, e in v.items()) + "}"
    raise TypeError(v)


def quote(s):
    return json.dumps(s, ensure_ascii=False)


def rfc3339(ns):
    t = datetime.datetime.fromtimestamp(ns // 10**9, datetime.timezone.utc)
    return t.strftime("%Y-%m-%dT%H:%M:%S") + f".{ns % 10**9:09d}Z"


def array_json(v, fields, iso=False):
    kinds = [k for _, k, _ in fields]
    return "[" + ",".join(typed_json(e, kinds[i] if i < len(kinds) else None, iso) for i, e in enumerate(v)) + "]"


# ---- forms of other writers

def each(v, change):
    """v with every leaf changed."""
    if isinstance(v, dict):
        return {k: each(e, change) for k, e in v.items()}
    if isinstance(v, list):
        return [each(e, change) for e in v]
    return change(v)


def wide(v):
    """Every header in its longest form, every integer signed and eight bytes long."""
    if isinstance(v, bool) or v is None:
        return pack(v)
    if isinstance(v, int):
        return b"\xd3" + packing.pack(">q", v)
    if isinstance(v, str):
        return b"\xdb" + len(v.encode()).to_bytes(4, "big") + v.encode()
    if isinstance(v, list):
        return b"\xdd" + len(v).to_bytes(4, "big") + b"".join(map(wide, v))
    if isinstance(v, dict):
        return b"\xdf" + len(v).to_bytes(4, "big") + b"".join(wide(k) + wide(e) for k, e in v.items())
    raise TypeError(v)


def reordered(v, order):
    if isinstance(v, dict):
        return {k: reordered(v[k], order) for k in order(list(v))}
    if isinstance(v, list):
        return [reordered(e, order) for e in v]
    return v


def foreign(v, fields):
    absent = dict(v)
    for f, _, optional in fields:
        if optional and f not in absent:
            absent[f] = None
    forms = {
        "reversed keys": pack(reordered(v, lambda k: k[::-1])),
        "sorted keys": pack(reordered(v, sorted)),
        "wide": wide(v),
        "timestamps as digits": pack(each(v, lambda e: str(int(e)) if isinstance(e, Time) else e)),
        "timestamps as RFC 3339": pack(each(v, lambda e: rfc3339(e) if isinstance(e, Time) else e)),
        "absent fields as nil": pack(absent),
        "decimals with plus and zeros": pack(each(v, lambda e: "+00" + e if isinstance(e, Dec) and e[0] != "-" else e)),
    }
    return forms


# ---- vectors

GENERAL = ("full", "minimal", "zero")  # Vectors that come in every form of other writers.


def row(name, v, fields, **more):
    known = [f for f, _, _ in fields]
    if set(v) <= set(known):
        more |= {k: b for k, b in foreign(v, fields).items() if name in GENERAL or k in ("sorted keys", "wide")}
    else:  # Unknown fields are kept byte for byte, in their order.
        more["unknown first"] = pack({k: v[k] for k in sorted(v, key=lambda k: k in known)})
    return {
        "name": name, "canonical": pack(v).hex(), "iso8601": pack(each(v, lambda e: rfc3339(e) if isinstance(e, Time) else e)).hex(),
        "extra": b"".join(pack(k) + pack(e) for k, e in v.items() if k not in known).hex(),
        "json": as_json(v, fields), "json_iso8601": as_json(v, fields, True),
        "foreign": {k: b.hex() for k, b in more.items()},
    }


def rows(fields):
    m = Maker()
    out = [row("full", m.full(fields), fields), row("minimal", m.minimal(fields), fields), row("zero", m.zero(fields), fields)]
    unknown = m.minimal(fields) | {"zz_new": [1, {"deep": None, "n": -5}, "x"], "aa_new": "\u00fc", "big": 1 << 63, "many": list(range(20))}
    out.append(row("unknown", unknown, fields))
    return out


def element(name, v, fields):
    while v and v[-1] is None and len(v) <= len(fields):
        v = v[:-1]
    short = {"wide": wide(v)} if len(v) <= len(fields) else {}  # Unknown fields are kept byte for byte.
    if len(v) < len(fields):
        short["nil at the end"] = pack(v + [None] * (len(fields) - len(v)))
    return {
        "name": name, "canonical": pack(v).hex(), "iso8601": pack(each(v, lambda e: rfc3339(e) if isinstance(e, Time) else e)).hex(),
        "extra": b"".join(map(pack, v[len(fields):])).hex(),
        "json": array_json(v, fields), "json_iso8601": array_json(v, fields, True),
        "foreign": {k: b.hex() for k, b in ({
            "timestamps as digits": pack(each(v, lambda e: str(int(e)) if isinstance(e, Time) else e)),
            "timestamps as RFC 3339": pack(each(v, lambda e: rfc3339(e) if isinstance(e, Time) else e)),
        } | short).items()},
    }


def elements(fields):
    m = Maker()
    full = list(m.full(fields).values())
    required = [e for e, (_, _, optional) in zip(full, fields) if not optional]
    holes = [None if optional and i % 2 else e for i, (e, (_, _, optional)) in enumerate(zip(full, fields))]
    return [
        element("full", full, fields), element("required", required, fields), element("holes", holes, fields),
        element("zero", list(m.zero(fields).values()), fields),
        element("unknown", full + ["new", [1, 2]], fields),
        element("unknown behind holes", required + [None] * (len(fields) - len(required)) + [None, 7], fields),
    ]


def position(**change):
    m = Maker()
    fields = TABLES["position"]
    v = m.minimal(fields) | change
    return {f: v[f] for f, _, _ in fields if f in v}


def special():
    fields = TABLES["position"]
    out = []
    for n in (31, 32, 255, 256, 4096):
        out.append(row(f"string of {n}", position(position_id="x" * n, strategy_id="\u00fc" * min(n // 2, 200)), fields))
    for d in ("123456789012345678", "1234567890123456789", "-1234567890.12345678", "0.0000000000000000001",
              "12345678901234567890123456789012345678", "-0.12345678901234567890123456789012345678", "1.10", "100.00", "0.00",
              "9" * 64, "-0." + "1" * 61, "18446744073709551616", "9223372036854775808", "-9223372036854775808", "1000000000000000000",
              "9999999999999999", "10000000000000000", "99999999.99999999", "12345678", "123456789"):
        out.append(row(f"decimal {d}", position(quantity=Dec(d)), fields))
    for i in (0, 127, 128, 255, 256, 65535, 65536, (1 << 32) - 1, 1 << 32, (1 << 63) - 1, -1, -32, -33, -128, -129, -32768, -32769, -1 << 31, (-1 << 31) - 1, -1 << 63):
        out.append(row(f"int {i}", position(price_precision=i), fields))
    for t in (0, 1, 127, 128, 1 << 16, 1 << 32, (1 << 63) - 1):
        out.append(row(f"time {t}", position(ts_opened=Time(t)), fields))
    for n in (1, 15, 16, 100):
        entries = {f"K{i:03d}": Dec(f"{i}.50") for i in range(n)}
        v = position(commissions=entries)
        backward = dict(v)
        backward["commissions"] = dict(reversed(entries.items()))
        out.append(row(f"map of {n}", v, fields, **{"map backward": pack(backward)}))
    optional = [f for f, kind, o in fields if o and kind == "string"]
    for n in (15, 16):
        more = {f: f for f in optional[: n - 8]}
        more |= {f"new_{i}": i for i in range(n - 8 - len(more))}
        v = position(**{k: e for k, e in more.items() if k in optional})
        out.append(row(f"{n} fields", v | {k: e for k, e in more.items() if k not in optional}, fields))
    empty = position()
    empties = {"trader_id": "", "ts_mark": 0, "commissions": {}}
    out.append(row("empty is absent", empty, fields, **{"empty optional fields": pack(empty | empties)}))
    lenient = position(quantity=Dec("7"), price_precision=2, is_inverse=True, ts_opened=Time(1700000000123456796))
    out.append(row("lenient", lenient, fields, **{
        "decimal as integer": pack(lenient | {"quantity": 7}),
        "decimal with a point at its end": pack(lenient | {"quantity": "7."}),
        "integer as digits": pack(lenient | {"price_precision": "2"}),
        "time with an offset": pack(lenient | {"ts_opened": "2023-11-14T23:13:20.123456796+01:00"}),
    }))
    escapes = position(strategy_id="\"\\/\b\f\n\r\t\x01\u2028\U0001f600<&>")
    out.append(row("escapes", escapes, fields))
    out.append(row("words", position(side="SIDEWAYS", oms_type="NEW_WORD"), fields))
    return out


def main():
    out = HERE / "v1"
    out.mkdir(exist_ok=True)
    files = {name: rows(fields) for name, fields in TABLES.items() if name in ("position", "order", "account", "instrument", "currency", "venue")}
    files |= {name: elements(fields) for name, fields in SERIES.items()}
    for name in ("OrderEvent", "Balance", "Margin", "AccountEvent", "PositionAdjustment", "PositionCycle"):
        files[name] = rows(STRUCTS[name])
    files["position"] += special()
    for name, vectors in files.items():
        (out / f"{name}.json").write_text(json.dumps(vectors, indent=1, ensure_ascii=False) + "\n")


main()
