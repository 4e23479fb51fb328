#!/usr/bin/env bash
# A ClickHouse JSON column changes strings that look like dates, makes 30 February 2 March, and splits keys at dots.
#
# Guessed: a string inside a JSON column stays that string, and an object keeps its keys.
# Seen 2026-11-28, chdb-core 26.9.0 (ClickHouse 26.9) from PyPI, text -> what the JSON column gives back:
#   {"a":"2026-02-30"} -> {"a":"2026-03-02"} · {"a":"2026-2-3"} -> {"a":"2026-02-03"}
#   {"a":"2026-11-28 10:00:00.12"} -> {"a":"2026-11-28 10:00:00.120000000"}, also inside arrays and objects
#   {"a":"1969-01-01"} -> {"a":"1969-01-01 00:00:00.000000000"}
#   {"a":"2026-11-28T10:00:00+02:00"} -> {"a":"2026-11-28 08:00:00"} with the session in UTC
#   {"a":{"b.c":1}} -> {"a":{"b":{"c":1}}} · {"a":null} -> {} · {"a":1,"a":2} is refused
# Means for us: prompts, versions and ids would not come back as sent; a payload column is String, never JSON.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q --no-compile --disable-pip-version-check chdb==4.4.0 chdb-core==26.9.0
TZ=UTC "$dir/v/bin/python" - "$dir/db" <<'PY'
import sys
from chdb import session
db = session.Session(sys.argv[1])
want = {
    '{"a":"2026-02-30"}': '{"a":"2026-03-02"}',
    '{"a":"2026-2-3"}': '{"a":"2026-02-03"}',
    '{"a":["2026-11-28 10:00:00.12"]}': '{"a":["2026-11-28 10:00:00.120000000"]}',
    '{"a":"1969-01-01"}': '{"a":"1969-01-01 00:00:00.000000000"}',
    '{"a":"2026-11-28T10:00:00+02:00"}': '{"a":"2026-11-28 08:00:00"}',
    '{"a":{"b.c":1}}': '{"a":{"b":{"c":1}}}',
    '{"a":null}': '{}',
    '{"a":"12"}': '{"a":"12"}',
}
for text, value in want.items():
    got = str(db.query(f"select '{text}'::JSON", "TSVRaw")).strip()
    print(text, "->", got)
    assert got == value, (text, got)
PY
