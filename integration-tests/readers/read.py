"""Reads blocks of Skua's store in Parquet with pyarrow, DuckDB and pandas, and compares with what was sent.

read.py FOLDER EXPECTED.jsonl DOCS.md: the folder with the .parquet files; a line of JSON for each span that was sent; a page whose blocks of SQL
and Python are run over the folder. Prints a line for each reader; ends with 1 and says what differs.
"""

import collections
import contextlib
import glob
import io
import json
import os
import re
import struct
import sys

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

# Columns that every block has, and those that are no attributes.
FIXED = {
    "trace_id", "span_id", "parent_id", "start", "duration", "service", "name", "kind", "status", "message", "flags", "jaeger_flags",
    "trace_state", "resource", "scope", "shape", "rest",
}


def fail(text):
    sys.exit(f"read.py: {text}")


def short(value):
    text = repr(value)
    return text if len(text) < 300 else f"{text[:300]}…"


def same(what, found, wanted):
    if found == wanted:
        return
    if isinstance(found, dict) and isinstance(wanted, dict):
        for key in sorted({*found, *wanted}, key=str):
            same(f"{what}, {key}", found.get(key), wanted.get(key))
    fail(f"{what}: {short(found)} instead of {short(wanted)}")


def plain(value):
    """Doubles by their bits: not every one equals itself."""
    return {"bits": struct.unpack("<Q", struct.pack("<d", value))[0]} if isinstance(value, float) else value


def of_row(row):
    """What a row says, as EXPECTED.jsonl has it."""
    attributes = {name: plain(value) for name, value in row.items() if name.startswith("attr.") and value is not None}
    return {
        "trace": row["trace_id"].hex(),
        "span": row["span_id"].hex(),
        "parent": row["parent_id"].hex() if row["parent_id"] is not None else None,
        "start": row["start"],
        "duration": row["duration"],
        "service": row["service"],
        "name": row["name"],
        "kind": row["kind"],
        "status": row["status"],
        "message": row["message"],
        "state": row["trace_state"],
        "flags": row["flags"],
        "rest": row["rest"] is not None,
        "attributes": attributes,
    }


def with_pyarrow(folder, expected):
    wanted = {(span["trace"], span["span"]): span for span in expected}
    seen = set()
    for path in sorted(glob.glob(os.path.join(folder, "*.parquet"))):
        table = pq.read_table(path)
        for name in table.column_names:
            if name not in FIXED and not name.startswith("attr."):
                fail(f"{path}: an unknown column {name}")
        missing = FIXED - {"message", "jaeger_flags", "trace_state"} - set(table.column_names)
        same(f"{path}: columns that are missing", missing, set())
        same("the type of start", table.schema.field("start").type, pa.timestamp("ns", tz="UTC"))
        start = table.column_names.index("start")
        table = table.set_column(start, "start", table["start"].cast(pa.int64()))
        for row in table.to_pylist():
            found = of_row(collections.defaultdict(lambda: None, row))
            key = (found["trace"], found["span"])
            span = wanted.get(key)
            if span is None or key in seen:
                fail(f"{path}: span {key} was not sent, or is there twice")
            seen.add(key)
            if span.pop("many", False):
                # It has more keys than a block has columns: those that have one are right.
                if len(found["attributes"]) < 100 or not found["attributes"].items() <= span["attributes"].items():
                    fail(f"span {key} with many keys: {len(found['attributes'])} columns")
                span["attributes"] = found["attributes"]
            same(f"{path}: span {key}", found, span)
    same("spans that are missing", sorted(set(wanted) - seen)[:3], [])
    print(f"pyarrow: {len(seen)} spans are as they were sent")


def with_duckdb(folder, expected):
    spans = f"read_parquet('{folder}/*.parquet', union_by_name = true)"
    ask = lambda sql: duckdb.sql(sql).fetchall()
    same("DuckDB's spans, traces and nanoseconds", ask(f"SELECT count(*), count(DISTINCT trace_id), sum(duration) FROM {spans}")[0], (
        len(expected), len({span["trace"] for span in expected}), sum(span["duration"] for span in expected),
    ))
    services = collections.Counter(span["service"] for span in expected)
    same("DuckDB's services", dict(ask(f"SELECT service, count(*) FROM {spans} GROUP BY service")), dict(services))
    roots = sum(span["parent"] is None for span in expected)
    same("DuckDB's roots", ask(f"SELECT count(*) FROM {spans} WHERE parent_id IS NULL"), [(roots,)])
    same("DuckDB's first and last start", ask(f"SELECT epoch_ns(min(start)), epoch_ns(max(start)) FROM {spans}")[0], (
        min(span["start"] for span in expected), max(span["start"] for span in expected),
    ))
    columns = collections.defaultdict(list)
    for span in expected:
        for name, value in span["attributes"].items():
            columns[name].append(value)
    known = {row[0]: row[1] for row in ask(f"DESCRIBE SELECT * FROM {spans}")}
    same("DuckDB's columns of attributes", {name for name in known if name.startswith("attr.")}, set(columns))
    for name, values in columns.items():
        of_type = {":int": "BIGINT", ":bool": "BOOLEAN", ":double": "DOUBLE"}
        wanted = next((ty for suffix, ty in of_type.items() if name.endswith(suffix)), "VARCHAR")
        same(f"DuckDB's type of {name}", known[name], wanted)
        quoted = '"' + name.replace('"', '""') + '"'
        found = ask(f"SELECT count({quoted}), count(DISTINCT {quoted}) FROM {spans}")[0]
        same(f"DuckDB's values of {name}", found, (len(values), len({json.dumps(value) for value in values})))
        if wanted == "BIGINT":
            same(f"DuckDB's sum of {name}", ask(f"SELECT sum({quoted}::HUGEINT) FROM {spans}"), [(sum(values),)])
    print(f"DuckDB: {len(expected)} spans and {len(columns)} columns of attributes are as they were sent")


def of_page(folder, page, expected):
    """The examples of a page for people: they run, and say what is so."""
    with open(page, encoding="utf-8") as file:
        text = file.read()
    blocks = lambda language: re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    statements = [sql for block in blocks("sql") for sql in re.split(r";\s*$", block, flags=re.MULTILINE) if sql.strip()]
    answers = []
    for sql in statements:
        if "skua-data/blocks" not in sql:
            fail(f"an example without skua-data/blocks: {sql}")
        answers.append((sql, duckdb.sql(sql.replace("skua-data/blocks", folder)).fetchall()))
        if not answers[-1][1]:
            fail(f"an example of the page finds nothing: {sql}")
    servers = collections.Counter(span["service"] for span in expected if span["kind"] == 2)
    latencies = next(rows for sql, rows in answers if "quantile" in sql)
    same("the requests of the example", {row[0]: row[1] for row in latencies}, dict(servers))
    errors = next(rows for sql, rows in answers if "errors" in sql)
    failed = collections.Counter(
        (span["attributes"].get("attr.http.route"), span["attributes"].get("attr.http.response.status_code:int"))
        for span in expected if span["status"] == 2
    )
    for route, code, count in errors:
        same(f"the errors of {route!r} with {code!r} in the example", count, failed[route, code])
    trace = next(rows for sql, rows in answers if "from_hex" in sql or "unhex" in sql)
    same("the spans of the example", len(trace), 2)
    python = blocks("python")
    for program in python:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(program.replace("skua-data/blocks", folder), page, "exec"), {"__name__": "example"})
        if not any(service in printed.getvalue() for service in servers):
            fail(f"an example of the page prints {printed.getvalue()!r}")
    print(f"{os.path.basename(page)}: {len(statements)} statements and {len(python)} programs say what is so")


def main():
    folder, expected, page = sys.argv[1:4]
    with open(expected, encoding="utf-8") as lines:
        expected = [json.loads(line) for line in lines]
    with_pyarrow(folder, expected)
    with_duckdb(folder, expected)
    of_page(folder, page, expected)


main()
