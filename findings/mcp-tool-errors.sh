#!/usr/bin/env bash
# MCP: a tool that fails and a tool that does not exist are both successful calls, and the reason of the failure is not told.
#
# Guessed: an unknown tool is a protocol error; a tool's exception arrives as a result with isError and its message;
# an argument that no parameter has is refused.
# Seen 2026-11-28, mcp 2.3.0 from PyPI, in one process:
#   raise ValueError("boom")   result, is_error true, text "Error executing tool boom_tool": the word of the exception is gone
#   a tool nobody registered   result, is_error true, "Unknown tool: nope"; nothing is raised
#   an extra argument          ignored without a word
#   -> float that returns NaN  the client raises RuntimeError (None is not a number), and the answer is lost
# Means for us: a tool call without an error status may still have failed: is_error in the output decides. The cause is to be
# found in the server's own span, if it traces.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q --no-compile --disable-pip-version-check mcp==2.3.0
"$dir/v/bin/python" - 2>"$dir/log" <<'PY' || { cat "$dir/log"; exit 1; }
import asyncio
import math
from mcp import Client
from mcp.server import MCPServer
server = MCPServer("probe")
@server.tool()
def boom_tool() -> str:
    raise ValueError("boom")
@server.tool()
def twice(x: int) -> str:
    return str(2 * x)
@server.tool()
def nothing() -> float:
    return math.nan
async def main():
    async with Client(server) as client:
        async def call(name, **args):
            r = await client.call_tool(name, args)
            return r.is_error, r.content[0].text
        got = await call("boom_tool")
        print(got)
        assert got == (True, "Error executing tool boom_tool"), got
        got = await call("nope")
        print(got)
        assert got == (True, "Unknown tool: nope"), got
        got = await call("twice", x=2, y=3)
        print(got)
        assert got == (False, "4"), got
        try:
            got = await call("nothing")
        except RuntimeError as e:
            print("RuntimeError:", e)
        else:
            raise SystemExit(f"NaN arrived as {got}")
asyncio.run(main())
PY
