# A client of the Model Context Protocol, as coding agents have it, over HTTP or over `brokle mcp`: prints what it was told.
import asyncio
import json
import os
from contextlib import asynccontextmanager

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

HOST, KEY, BY = os.environ["BROKLE_HOST"], os.environ["BROKLE_API_KEY"], os.environ["BY"]


@asynccontextmanager
async def connected(key):
    if BY == "http":
        async with httpx2.AsyncClient(headers={"Authorization": "Bearer " + key}) as http:
            async with Client(streamable_http_client(HOST + "/mcp", http_client=http)) as client:
                yield client
        return
    program = StdioServerParameters(
        command=os.environ["BROKLE_BINARY"], args=["mcp"], env={"BROKLE_HOST": HOST, "BROKLE_API_KEY": key}
    )
    async with Client(program) as client:
        yield client


async def refused():
    try:
        async with asyncio.timeout(20):
            async with connected("bk_" + "u" * 40) as client:
                await client.list_tools()
    except BaseException as error:  # a group of them
        return repr(error)
    return ""


async def main():
    told = {}
    async with connected(KEY) as client:
        told["server"], told["revision"] = client.server_info.name, client.protocol_version
        told["tools"] = [t.name for t in (await client.list_tools()).tools]
        told["resources"] = [str(r.uri) for r in (await client.list_resources()).resources]
        told["stats"] = (await client.read_resource("brokle://stats")).contents[0].text
        told["find"] = (await client.call_tool("find_traces", {"limit": 5})).content[0].text
        told["trace"] = (await client.call_tool("get_trace", {"trace_id": "t"})).content[0].text
        wrong = await client.call_tool("find_traces", {"limit": "many"})
        told["wrong"], told["iserror"] = wrong.content[0].text, wrong.is_error
        try:
            unknown = await client.call_tool("no_such_tool", {})
            told["unknown"] = unknown.content[0].text if unknown.is_error else ""
        except Exception as error:
            told["unknown"] = str(error)
    told["refused"] = await refused()
    print(json.dumps(told))


asyncio.run(main())
