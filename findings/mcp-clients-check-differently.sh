#!/usr/bin/env bash
# One answer of an MCP tool is read by one official client and refused by the other; what a failed tool says can be lost.
#
# Guessed: clients of one protocol agree which answers are wrong, and one part of a kind they do not know is passed over.
# Seen 2026-12-01, mcp 2.3.0 (PyPI) and @modelcontextprotocol/sdk 1.32.2 (npm), streamable HTTP, a server of the lines below:
#   the tool has an output schema: Python asks for the list of tools by itself at the first call and checks every answer;
#     JavaScript checks only when the program has listed the tools before, and else passes anything on
#   isError with structured content that the schema refuses: Python gives the tool's own message; JavaScript throws -32602 instead of it
#   no "content": an empty list in JavaScript, an exception in Python · an image that is no base64: the other way round
#   one part of an unknown type beside a good text: both refuse the whole answer
#   members nobody knows: JavaScript keeps them, Python drops them · 2^53+1 is 2^53 in JavaScript
# Means for us: tools of POST /mcp answer with texts alone and have no output schema, so that every client shows what they say.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"; [ -z "${server:-}" ] || kill "$server" 2>/dev/null || true' EXIT
cd "$dir"
python3 -m venv v
v/bin/pip install -q --no-compile --disable-pip-version-check mcp==2.3.0
npm init -y >/dev/null
npm install --silent @modelcontextprotocol/sdk@1.32.2
cat > answers.json <<'JSON'
{"no content": ["plain", {"structuredContent": {"n": 1}}],
 "schema, nothing structured": ["out", {"content": [{"type": "text", "text": "ok"}]}],
 "schema, wrong": ["out", {"content": [], "structuredContent": {"n": "x"}}],
 "failed, wrong": ["out", {"content": [{"type": "text", "text": "why"}], "isError": true, "structuredContent": {"n": "x"}}],
 "unknown part": ["plain", {"content": [{"type": "novel"}, {"type": "text", "text": "ok"}]}],
 "no base64": ["plain", {"content": [{"type": "image", "data": "none!", "mimeType": "image/png"}]}],
 "member": ["plain", {"content": [], "more": 5}]}
JSON
cat > server.mjs <<'JS'
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
const answers = JSON.parse(readFileSync("answers.json", "utf8"));
const n = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] };
const tools = [{ name: "plain", inputSchema: { type: "object" } }, { name: "out", inputSchema: { type: "object" }, outputSchema: n }];
const big = '{"content":[],"structuredContent":{"n":9007199254740993}}';
createServer(async (req, res) => {
  let text = "";
  for await (const part of req) text += part;
  const ask = text ? JSON.parse(text) : {};
  if (req.method !== "POST") return res.writeHead(405).end();
  if (ask.id === undefined) return res.writeHead(202).end();
  const result = {
    initialize: () => ({ protocolVersion: ask.params.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: "s", version: "1" } }),
    "tools/list": () => ({ tools }),
    "tools/call": () => answers[ask.params.arguments.case]?.[1],
  }[ask.method]?.();
  console.error(ask.method);
  res.writeHead(200, { "content-type": "application/json" });
  const body = ask.method.startsWith("tools/call") && result === undefined ? big : JSON.stringify(result);
  if (body === undefined) res.end(`{"jsonrpc":"2.0","id":${JSON.stringify(ask.id)},"error":{"code":-32601,"message":"unknown method"}}`);
  else res.end(`{"jsonrpc":"2.0","id":${JSON.stringify(ask.id)},"result":${body}}`);
}).listen(0, "127.0.0.1", function () { console.log(this.address().port); });
JS
node server.mjs > port 2> asked & server=$!
while [ ! -s port ]; do sleep 0.2; done
url=http://127.0.0.1:$(cat port)/mcp
v/bin/python -W ignore - "$url" > python.json <<'PY'
import asyncio, json, sys
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
async def main():
    got = {}
    async with streamable_http_client(sys.argv[1]) as streams, ClientSession(streams[0], streams[1]) as client:
        await client.initialize()
        for case, (tool, _) in (json.load(open("answers.json")) | {"big": ["plain", None]}).items():
            try:
                answer = await client.call_tool(tool, {"case": case})
                got[case] = answer.model_dump(mode="json", by_alias=True, exclude_none=True, include={"content", "structuredContent", "more", "is_error", "structured_content"})
            except Exception as error:
                got[case] = type(error).__name__
    print(json.dumps(got))
asyncio.run(main())
PY
listed=$(grep -c tools/list asked); : > asked
cat > client.mjs <<'JS'
import { readFileSync } from "node:fs";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
const got = {};
for (const list of [false, true]) {
  const client = new Client({ name: "c", version: "1" });
  await client.connect(new StreamableHTTPClientTransport(new URL(process.argv[2])));
  if (list) await client.listTools();
  for (const [name, [tool]] of Object.entries({ ...JSON.parse(readFileSync("answers.json", "utf8")), big: ["plain"] })) {
    const key = list ? name : `unlisted ${name}`;
    try { got[key] = await client.callTool({ name: tool, arguments: { case: name } }); }
    catch (error) { got[key] = error.constructor.name + (error.code ? ` ${error.code}` : ""); }
  }
  await client.close();
}
console.log(JSON.stringify(got));
JS
node client.mjs "$url" > javascript.json
v/bin/python - "$listed" "$(grep -c tools/list asked)" <<'PY'
import json, sys
python, js = (json.load(open(f + ".json")) for f in ("python", "javascript"))
for case in python:
    print(f"{case}\n  Python      {python[case]}\n  JavaScript  {js[case]}\n  not listed  {js['unlisted ' + case]}")
assert sys.argv[1:] == ["1", "1"], sys.argv  # Python lists by itself; JavaScript once, because it was told to
assert isinstance(python["no content"], str) and js["no content"] == {"content": [], "structuredContent": {"n": 1}}
for case in ("schema, nothing structured", "schema, wrong"):
    assert isinstance(python[case], str) and isinstance(js[case], str) and isinstance(js["unlisted " + case], dict), case
assert python["failed, wrong"]["content"][0]["text"] == "why" and js["failed, wrong"] == "McpError -32602"
assert isinstance(python["unknown part"], str) and isinstance(js["unknown part"], str)
assert isinstance(python["no base64"], dict) and isinstance(js["no base64"], str)
assert "more" not in python["member"] and js["member"]["more"] == 5
assert "9007199254740993" in json.dumps(python["big"]) and js["big"]["structuredContent"]["n"] == 9007199254740992
PY
