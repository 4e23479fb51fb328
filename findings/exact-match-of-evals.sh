#!/usr/bin/env bash
# "Exact match" of four eval libraries: seven pairs, no two libraries agree, and one library does not agree with itself in its other language.
#
# Guessed: an exact match of equal values is 1, of different ones 0, whoever computes it.
# Seen 2026-12-01, autoevals 0.4.1 (PyPI) and 0.0.132 (npm), openevals 0.2.2, deepeval 4.3.1 (PyPI):
#   output, expected                  autoevals py, js   openevals   deepeval (texts only)
#   1, 1.0                            0, 1               no          -
#   true, "true"                      0, 1               no          -
#   "1", 1                            1, 1               no          -
#   {"a":1,"b":2}, {"b":2,"a":1}      0, 0               yes         -
#   '{"a":1}', {"a":1}                1, 1               no          -
#   " a", "a"                         0, 0               no          1
#   "", ""                            1, 1               (None, None: ValueError)   refused
#   Of autoevals' others: NumericDiff(1, 2) is 0.67 and (100, 101) 0.995, but (1e-9, 0) is 0; JSONDiff of {"a": null} and {} is 1, of {"a": 1} and
#   {"a": 2} 0.67, and of {"a": 1} and {"a": "1"} 0.33; ValidJSON of '1', 'null' and '"x"' is 0. openevals' JSON match of {} and {} is 1 with
#   "all" and 0 with "average".
# Means for us: scores of two libraries are two scores, whatever they are called; brokleeval.Exact says what it compares
# (texts, without space around them), JSON compares values, and Numeric has a tolerance that is said.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv v
v/bin/pip install -q --no-compile --disable-pip-version-check autoevals==0.4.1 openevals==0.2.2 deepeval==4.3.1
npm init -y >/dev/null
npm install --silent autoevals@0.0.132
cat > cases.json <<'JSON'
{"ExactMatch": [[1, 1.0], [true, "true"], ["1", 1], [{"a": 1, "b": 2}, {"b": 2, "a": 1}], ["{\"a\":1}", {"a": 1}], [" a", "a"], ["", ""]],
 "NumericDiff": [[1, 2], [100, 101], [1e-9, 0]],
 "JSONDiff": [[{"a": null}, {}], [{"a": 1}, {"a": 2}], [{"a": 1}, {"a": "1"}]],
 "ValidJSON": [["1"], ["null"], ["\"x\""], ["{}"]]}
JSON
cat > score.mjs <<'JS'
import { readFileSync } from "node:fs";
import * as autoevals from "autoevals";
const got = {};
for (const [name, pairs] of Object.entries(JSON.parse(readFileSync("cases.json", "utf8")))) {
  got[name] = [];
  for (const [output, expected] of pairs) got[name].push((await autoevals[name]({ output, expected })).score);
}
console.log(JSON.stringify(got));
JS
node score.mjs > javascript.json
DEEPEVAL_TELEMETRY_OPT_OUT=YES v/bin/python -W ignore - <<'PY'
import json
import autoevals
from deepeval.metrics import ExactMatchMetric
from deepeval.test_case import LLMTestCase
from openevals.exact import exact_match
from openevals.json import create_json_match_evaluator
cases = json.load(open("cases.json"))
js = json.load(open("javascript.json"))
py = {name: [getattr(autoevals, name)()(*pair).score for pair in pairs] for name, pairs in cases.items()}
def tried(run):
    try:
        return run()
    except Exception as error:
        return type(error).__name__
open_ = [exact_match(outputs=o, reference_outputs=e)["score"] for o, e in cases["ExactMatch"]]
none = tried(lambda: exact_match(outputs=None, reference_outputs=None))
def deep(output, expected):
    metric = ExactMatchMetric()
    metric.measure(LLMTestCase(input="x", actual_output=output, expected_output=expected))
    return metric.score
deep_ = [tried(lambda pair=pair: deep(*pair)) for pair in cases["ExactMatch"][5:]]
empty = [create_json_match_evaluator(aggregator=a)(outputs={}, reference_outputs={})[0]["score"] for a in ("all", "average")]
for pair, a, b, c in zip(cases["ExactMatch"], py["ExactMatch"], js["ExactMatch"], open_):
    print(pair, "autoevals", a, b, "openevals", c)
print("deepeval", deep_, "openevals None", none, "empty objects", empty, "\n", py, "\n", js)
assert py["ExactMatch"] == [0, 0, 1, 0, 1, 0, 1] and js["ExactMatch"] == [1, 1, 1, 0, 1, 0, 1]
assert open_[:6] == [False, False, False, True, False, False] and none == "ValueError"
assert deep_ == [1, "MissingTestCaseParamsError"] and empty == [1, 0]
for got in (py, js):
    assert [round(s, 3) for s in got["NumericDiff"]] == [0.667, 0.995, 0]
    assert [round(s, 2) for s in got["JSONDiff"]] == [1, 0.67, 0.33]
    assert got["ValidJSON"] == [0, 0, 0, 1]
PY
