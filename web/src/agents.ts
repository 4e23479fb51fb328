// What is pasted into a coding agent, so that it has the tools of this server. None of it holds a key: each agent takes it from BROKLE_API_KEY, or asks.

export interface Agent {
  title: string;
  where: string; // the file, or where it is typed
  code: string;
}

const json = (v: unknown): string => `${JSON.stringify(v, null, 2)}\n`;

/** agents are for a server at host, such as https://brokle.example. */
export function agents(host: string): Agent[] {
  const address = `${host}/mcp`;
  const key = (variable: string) => ({ Authorization: `Bearer ${variable}` });
  return [
    {
      title: "Claude Code",
      where: ".mcp.json in the project, or the same by claude mcp add --transport http",
      code: json({
        mcpServers: { brokle: { type: "http", url: address, headers: key("$" + "{BROKLE_API_KEY}") } },
      }),
    },
    {
      title: "Cursor",
      where: ".cursor/mcp.json in the project, or ~/.cursor/mcp.json",
      code: json({ mcpServers: { brokle: { url: address, headers: key("$" + "{env:BROKLE_API_KEY}") } } }),
    },
    {
      title: "VS Code",
      where: ".vscode/mcp.json; it asks for the key, and keeps it",
      code: json({
        inputs: [{ type: "promptString", id: "brokle-api-key", description: "API key of Brokle", password: true }],
        servers: { brokle: { type: "http", url: address, headers: key("$" + "{input:brokle-api-key}") } },
      }),
    },
    {
      title: "Codex",
      where: "~/.codex/config.toml",
      code: `[mcp_servers.brokle]
url = ${JSON.stringify(address)}
bearer_token_env_var = "BROKLE_API_KEY"
`,
    },
    {
      title: "Gemini CLI",
      where: "~/.gemini/settings.json, or .gemini/settings.json in the project",
      code: json({ mcpServers: { brokle: { httpUrl: address, headers: key("$BROKLE_API_KEY") } } }),
    },
    {
      title: "Windsurf",
      where: "~/.codeium/windsurf/mcp_config.json",
      code: json({ mcpServers: { brokle: { serverUrl: address, headers: key("$" + "{env:BROKLE_API_KEY}") } } }),
    },
    {
      title: "Any other",
      where: "An agent that starts programs and speaks no HTTP; most take this form",
      code: json({ mcpServers: { brokle: { command: "brokle", args: ["mcp", "--host", host] } } }),
    },
  ];
}
