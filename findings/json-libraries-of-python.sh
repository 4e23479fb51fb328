#!/usr/bin/env bash
# Five JSON libraries of Python: an id of 20 digits becomes a float in one, NaN is written by one, a key None has two names.
#
# Guessed: integers of any size are read exactly or refused; pydantic refuses NaN and writes null for it, as its JSON schema
# knows no NaN; the key None is "null".
# Seen 2026-11-28 (PyPI): orjson 3.13.0, msgspec 0.22.0, pydantic-core 2.50.5, simplejson 4.3.0, json of Python 3
#   18446744073709551616   orjson 1.8446744073709552e+19, all others exact; orjson refuses to write what it read so: 2**64
#   NaN                    pydantic-core reads it and writes NaN; orjson and msgspec write null; simplejson raises
#   {None: 1}              json {"null": 1} · pydantic-core {"None": 1}
#   b"ab"                  msgspec "YWI=" (base64) · pydantic-core "ab"
# Means for us: an id sent as a number of more than 19 digits has lost its end before it reaches us, so ids are text; NaN in
# a body is a client's doing and must be answered with the event that holds it.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q --no-compile --disable-pip-version-check orjson==3.13.0 msgspec==0.22.0 pydantic-core==2.50.5 simplejson==4.3.0
"$dir/v/bin/python" - <<'PY'
import json
import math
import msgspec
import orjson
import pydantic_core
import simplejson
read = {"json": json.loads, "orjson": orjson.loads, "msgspec": msgspec.json.decode, "pydantic": pydantic_core.from_json, "simplejson": simplejson.loads}
big = {name: f("18446744073709551616") for name, f in read.items()}
print(big)
assert {name for name, v in big.items() if isinstance(v, float)} == {"orjson"} and big["json"] == 2**64
try:
    orjson.dumps(2**64)
except TypeError as e:
    print("orjson", e)
else:
    raise SystemExit("orjson writes 2**64")
assert math.isnan(pydantic_core.from_json("NaN"))
written = pydantic_core.to_json(math.nan), orjson.dumps(math.nan), msgspec.json.encode(math.nan)
print("NaN", written)
assert written == (b"NaN", b"null", b"null"), written
try:
    simplejson.dumps(math.nan)
except ValueError as e:
    print("simplejson", e)
else:
    raise SystemExit("simplejson writes NaN")
keys = json.dumps({None: 1}), pydantic_core.to_json({None: 1})
print(keys)
assert keys == ('{"null": 1}', b'{"None":1}'), keys
data = msgspec.json.encode(b"ab"), pydantic_core.to_json(b"ab")
print(data)
assert data == (b'"YWI="', b'"ab"'), data
PY
