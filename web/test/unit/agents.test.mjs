import assert from "node:assert/strict";
import { test } from "node:test";
import { source } from "./source.mjs";

const { agents } = await source("agents.ts");

test("each agent's settings name the server and hold no key", () => {
  const all = agents('https://brokle.example/at/"b"');
  assert.equal(new Set(all.map(a => a.title)).size, all.length);
  for (const { title, code } of all) {
    assert.ok(!code.includes("bk_"), title);
    if (title === "Codex") {
      assert.equal(JSON.parse(/^url = (.*)$/m.exec(code)[1]), 'https://brokle.example/at/"b"/mcp');
      continue;
    }
    const of = JSON.parse(code);
    const { brokle } = of.mcpServers ?? of.servers;
    if (title === "Any other") assert.deepEqual(brokle.args, ["mcp", "--host", 'https://brokle.example/at/"b"']);
    else {
      assert.equal(brokle.url ?? brokle.httpUrl ?? brokle.serverUrl, 'https://brokle.example/at/"b"/mcp', title);
      assert.match(brokle.headers.Authorization, /^Bearer \$\{?(env:|input:)?[\w-]+\}?$/, title);
    }
  }
});
