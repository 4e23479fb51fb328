#!/usr/bin/env bash
# DuckDB rounds one half up or to even, depending on the type it comes from.
#
# Guessed: 2.5 as INTEGER is 3, whatever 2.5 was before.
# Seen 2026-11-28, duckdb 1.5.6 and 2.0.1 from PyPI:
#   text '2.5' -> 3 · decimal literal 2.5 -> 3 · DOUBLE 2.5 -> 2 · JSON 2.5 -> 2 · json_transform to INTEGER -> 2
# Means for us: milliseconds and token counts that came as fractions differ by one between a SQL cast of a DOUBLE column
# and the same number kept as text or decimal. Whole numbers are made once, in Go, with one rule.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
for version in 1.5.6 2.0.1; do
  python3 -m venv "$dir/$version"
  "$dir/$version/bin/pip" install -q --no-compile --disable-pip-version-check "duckdb==$version"
  "$dir/$version/bin/python" - <<'PY'
import duckdb
got = duckdb.execute("""select '2.5'::INT, 2.5::INT, 2.5::DOUBLE::INT, json_extract('{"a":2.5}', '$.a')::INT,
  json_transform('{"a":2.5}', '{"a":"INTEGER"}').a""").fetchone()
print(duckdb.__version__, got)
assert got == (3, 3, 2, 2, 2), got
PY
done
