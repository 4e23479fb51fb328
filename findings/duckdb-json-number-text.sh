#!/usr/bin/env bash
# DuckDB's json() and ->> rewrite the text of a number, unless it is an integer too big for 64 bits.
#
# Guessed: ->> gives the characters of the number as they stand in the document (the JSON type is text inside).
# Seen 2026-11-28, duckdb 1.5.6 and 2.0.1 from PyPI, value in the document -> what ->> gives:
#   1.10 -> 1.1 · 1E2 -> 100.0 · -0 -> 0 · 0.1000000000000000055 -> 0.1 · 12345678901234567890123 -> unchanged · 1e400 -> unchanged
#   json_type calls the 23-digit integer DOUBLE although its text stays exact
# Means for us: "stored byte for byte as sent" cannot go through a JSON function; payload columns are plain text or bytes.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
for version in 1.5.6 2.0.1; do
  python3 -m venv "$dir/$version"
  "$dir/$version/bin/pip" install -q --no-compile --disable-pip-version-check "duckdb==$version"
  "$dir/$version/bin/python" - <<'PY'
import duckdb
want = {"1.10": "1.1", "1E2": "100.0", "-0": "0", "0.1000000000000000055": "0.1",
        "12345678901234567890123": "12345678901234567890123", "1e400": "1e400"}
got = {n: duckdb.execute("select ?::JSON->>'a'", ['{"a":%s}' % n]).fetchone()[0] for n in want}
print(duckdb.__version__, got)
assert got == want, got
kind = duckdb.execute("""select json_type('{"a":12345678901234567890123}', '$.a')""").fetchone()[0]
assert kind == "DOUBLE", kind
PY
done
