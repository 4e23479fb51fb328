#!/usr/bin/env bash
# One prompt, one client in two languages, two texts: a variable without a value stays in Python and is gone in JavaScript, and an unclosed brace takes text with it.
#
# Guessed: both fill {{name}} in and leave everything else as it was written, or both refuse a missing value.
# Seen 2026-12-01, langfuse 5.0.4 (PyPI) and @langfuse/client 5.11.1 (npm), compile() of a text prompt:
#   a {{y}} b, no y            Python: a {{y}} b        JavaScript: "a  b" (as {{y}} = null, in both)
#   {{x}} of true, {"a": 1}    Python: True, {'a': 1}   JavaScript: true, [object Object]; [1, 2] is "[1, 2]" and "1,2"
#   {{x.a}}                    Python: the value called "x.a"   JavaScript: a of x
#   {{#x}}s{{/x}}, {{!note}}   Python: as written       JavaScript: a section, a comment (the whole of Mustache, without its escaping)
#   open {{x and {{y}}         Python: as written       JavaScript: "open ": all behind the open brace is gone
# Means for us: what a service of two languages says to a model depends on which one asks. Our client refuses a missing value
# by name, writes values as JSON and leaves other braces alone; docs/prompts.md has the table for those who share prompts with Langfuse's clients.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv v
v/bin/pip install -q --no-compile --disable-pip-version-check langfuse==5.0.4
npm init -y >/dev/null
npm install --silent @langfuse/client@5.11.1
cat > cases.json <<'JSON'
[["a {{y}} b", {"x": "1"}], ["a {{x}} b", {"x": null}], ["{{x}}", {"x": true}], ["{{x}}", {"x": {"a": 1}}], ["{{x}}", {"x": [1, 2]}],
 ["{{x.a}}", {"x.a": "dot", "x": {"a": "inner"}}], ["{{#x}}s{{/x}}", {"x": "1"}], ["{{!note}}{{x}}", {"x": "1"}],
 ["open {{x and {{y}}", {"y": "2"}], ["{{x}}", {"x": "{{y}} <b>"}]]
JSON
v/bin/python -W ignore - > python.json <<'PY'
import json
from langfuse.api import Prompt_Text
from langfuse.model import TextPromptClient
def fill(text, values):
    prompt = Prompt_Text(name="p", version=1, prompt=text, config={}, labels=[], tags=[], type="text")
    return TextPromptClient(prompt).compile(**values)
print(json.dumps([fill(text, values) for text, values in json.load(open("cases.json"))]))
PY
cat > fill.mjs <<'JS'
import { readFileSync } from "node:fs";
import { TextPromptClient } from "@langfuse/client";
const cases = JSON.parse(readFileSync("cases.json", "utf8"));
const fill = ([prompt, values]) =>
  new TextPromptClient({ name: "p", version: 1, prompt, config: {}, labels: [], tags: [], type: "text" }).compile(values);
console.log(JSON.stringify(cases.map(fill)));
JS
node fill.mjs > javascript.json
v/bin/python - <<'PY'
import json
cases, python, javascript = (json.load(open(f + ".json")) for f in ("cases", "python", "javascript"))
for (text, values), p, j in zip(cases, python, javascript):
    print(f"{text:22} {json.dumps(values):38} Python {p!r:24} JavaScript {j!r}")
assert python == ["a {{y}} b", "a  b", "True", "{'a': 1}", "[1, 2]", "dot", "{{#x}}s{{/x}}", "{{!note}}1", "open {{x and {{y}}", "{{y}} <b>"]
assert javascript == ["a  b", "a  b", "true", "[object Object]", "1,2", "inner", "s", "1", "open ", "{{y}} <b>"]
PY
