import type { JSX } from "preact";
import type { PromptVersion } from "../types.ts";

/** Labels are those of a version. */
export function Labels({ of }: { of: string[] }): JSX.Element {
  return (
    <span class="prompt-labels">
      {of.map(l => (
        <span key={l} class={l.startsWith("production") ? "badge badge-ok" : "badge"}>
          {l}
        </span>
      ))}
    </span>
  );
}

/** templateText is a template as one text: of a chat each message below its role. */
export function templateText(p: PromptVersion): string {
  const messages = p.template.messages ?? [];
  if (messages.length === 0) return p.template.content ?? "";
  return messages.map(m => `[${m.role}]\n${m.content}`).join("\n\n");
}

/** promptPath is where a prompt is. */
export const promptPath = (name: string): string => `/v1/prompts/${encodeURIComponent(name)}`;
