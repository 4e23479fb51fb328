#!/usr/bin/env bash
# DuckDB's json_valid says yes to NaN and to a trailing comma, and its to_json writes NaN and Infinity.
#
# Guessed: json_valid follows the JSON grammar; to_json of a not-a-number gives null or an error.
# Seen 2026-11-28, duckdb 1.5.6 from PyPI: json_valid('NaN') and json_valid('[1,]') are true; to_json('nan'::DOUBLE) is
#   NaN, to_json({'a': 'inf'::DOUBLE}) is {"a":Infinity}; json_valid('{"a":1} x') is false as it should be.
#   Python's json reads NaN too but refuses '[1,]'; Node's JSON.parse refuses all three.
# Means for us: what DuckDB calls JSON is not what a browser can read. Answers are written by Go, which refuses such
# numbers, and a check in SQL proves nothing about a payload.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q --no-compile --disable-pip-version-check duckdb==1.5.6
"$dir/v/bin/python" - <<'PY'
import duckdb
got = duckdb.execute("""select json_valid('NaN'), json_valid('[1,]'), json_valid('{"a":1} x'),
  to_json('nan'::DOUBLE), to_json({'a': 'inf'::DOUBLE})""").fetchone()
print(got)
assert got == (True, True, False, "NaN", '{"a":Infinity}'), got
PY
node -e '
for (const text of ["NaN", "[1,]", "{\"a\":Infinity}"]) {
  let read = true
  try { JSON.parse(text) } catch { read = false }
  console.log("JSON.parse", text, read)
  if (read) process.exit(1)
}'
