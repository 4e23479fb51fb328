#!/usr/bin/env bash
# DuckDB 1.5.6 casts a JSON number to DECIMAL through a double; 2.0.1 does so only for a value taken out of an object.
#
# Guessed: a DECIMAL(38,12) made from a JSON number has the digits of the text, since the target is exact.
# Seen 2026-11-28, duckdb 1.5.6 and 2.0.1 from PyPI:
#   CAST('12345678901234567890.123456'::JSON AS DECIMAL(38,12))  1.5.6 12345678901234566802.609541218304, 2.0.1 exact
#   CAST('{"a":0.123456789012345678}'::JSON->'a' AS DECIMAL(38,18))  both 0.123456789012345680
#   from_json of a 23-digit integer to DECIMAL(38,0): exact in both
# So a fraction past 15 digits is already rounded when it leaves the document, and 1.5.6 invents digits below that.
# Means for us: money in a payload is parsed by our own code into a decimal; SQL must never take a price out of JSON.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
for version in 1.5.6 2.0.1; do
  python3 -m venv "$dir/$version"
  "$dir/$version/bin/pip" install -q --no-compile --disable-pip-version-check "duckdb==$version"
  "$dir/$version/bin/python" - "$version" <<'PY'
import sys
import duckdb
big, small, whole = duckdb.execute("""select
  CAST('12345678901234567890.123456'::JSON AS DECIMAL(38,12)),
  CAST('{"a":0.123456789012345678}'::JSON->'a' AS DECIMAL(38,18)),
  from_json('{"a":12345678901234567890123}', '{"a":"DECIMAL(38,0)"}').a""").fetchone()
print(sys.argv[1], big, small, whole)
want = {"1.5.6": "12345678901234566802.609541218304", "2.0.1": "12345678901234567890.123456000000"}
assert str(big) == want[sys.argv[1]], big
assert str(small) == "0.123456789012345680", small
assert str(whole) == "12345678901234567890123", whole
PY
done
