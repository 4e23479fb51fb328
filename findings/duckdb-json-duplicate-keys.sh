#!/usr/bin/env bash
# DuckDB answers a JSON object with a repeated key in four ways, and the arrow takes the first value.
#
# Guessed: the last value wins everywhere, as in the JSON readers of Python, Go and JavaScript.
# Seen 2026-11-28, duckdb 1.5.6 from PyPI, on {"a":1,"a":2}:
#   ->> and from_json give 1 (the first) · json_each gives both rows · casts to STRUCT or MAP are errors · json_valid is true
#   read_json of a file with one such line fails as a whole, also for the good lines
# Means for us: the same payload would show 2 in Go and 1 in SQL. What a payload says is decided once, in Go; a file
# handed to read_json must have been written by us.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q --no-compile --disable-pip-version-check duckdb==1.5.6
"$dir/v/bin/python" - "$dir" <<'PY'
import json
import sys
import duckdb
doc = '{"a":1,"a":2}'
assert json.loads(doc)["a"] == 2
one = lambda sql: duckdb.execute(sql, [doc]).fetchall()
def refused(run):
    try:
        run()
    except duckdb.Error as e:
        return str(e).splitlines()[0]
    raise AssertionError("accepted")
assert one("select json_valid(?)") == [(True,)]
arrow = one("select ?::JSON->>'a'")
print("->>", arrow)
assert arrow == [("1",)], arrow
each = one("select value from json_each(?)")
print("json_each", each)
assert each == [("1",), ("2",)], each
assert one("""select from_json(?, '{"a":"INT"}').a""") == [(1,)]
print(refused(lambda: one("select CAST(?::JSON AS STRUCT(a INT))")))
print(refused(lambda: one("select CAST(?::JSON AS MAP(VARCHAR, INT))")))
path = sys.argv[1] + "/lines.json"
with open(path, "w") as f:
    f.write('{"a":0}\n' + doc + "\n")
print(refused(lambda: duckdb.sql(f"select * from read_json('{path}')").fetchall()).replace(sys.argv[1], ""))
PY
