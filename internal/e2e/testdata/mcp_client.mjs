// A client of the Model Context Protocol, as coding agents have it, over HTTP or over `brokle mcp`: prints what it was told.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const { BROKLE_HOST: host, BROKLE_API_KEY: key, BROKLE_BINARY: binary, BY: by } = process.env;

async function connected(key) {
  const client = new Client({ name: "agent", version: "1.0.0" });
  const transport =
    by === "http"
      ? new StreamableHTTPClientTransport(new URL(`${host}/mcp`), { requestInit: { headers: { Authorization: `Bearer ${key}` } } })
      : new StdioClientTransport({ command: binary, args: ["mcp"], env: { BROKLE_HOST: host, BROKLE_API_KEY: key }, stderr: "ignore" });
  await client.connect(transport);
  return client;
}

const client = await connected(key);
const text = async (name, args) => (await client.callTool({ name, arguments: args })).content[0].text;
const wrong = await client.callTool({ name: "find_traces", arguments: { limit: "many" } });
const told = {
  server: client.getServerVersion().name,
  tools: (await client.listTools()).tools.map(t => t.name),
  resources: (await client.listResources()).resources.map(r => r.uri),
  stats: (await client.readResource({ uri: "brokle://stats" })).contents[0].text,
  find: await text("find_traces", { limit: 5 }),
  trace: await text("get_trace", { trace_id: "t" }),
  wrong: wrong.content[0].text,
  iserror: wrong.isError,
  unknown: await client.callTool({ name: "no_such_tool", arguments: {} }).then(
    r => (r.isError ? r.content[0].text : ""),
    e => e.message,
  ),
  refused: await connected(`bk_${"u".repeat(40)}`).then(
    () => "",
    e => e.message || String(e),
  ),
};
await client.close();
console.log(JSON.stringify(told));
