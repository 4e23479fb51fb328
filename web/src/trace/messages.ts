// Messages in the one shape that the API has them in, whichever client sent them.
import { bytes } from "../format.ts";
import { isObject, type Sent } from "../json.ts";
import { type Message, type Part, parsed } from "./chat.ts";

/** Tool is one that the model was offered. */
export interface Tool {
  name: string;
  description: string;
  parameters: unknown; // a JSON schema; undefined when it was not sent
}

type Obj = Record<string, unknown>;

const text = (v: unknown): string => (typeof v === "string" ? v : "");
const objects = (v: unknown): Obj[] => (Array.isArray(v) ? v.filter(isObject) : []);

/** messagesOf reads messages_in or messages_out; none when there is no list. */
export function messagesOf(sent: Sent | null | undefined): Message[] {
  return objects(sent?.value).map(m => ({
    role: text(m.role) || "message",
    name: text(m.name),
    parts: objects(m.parts).map(part),
  }));
}

/** toolsOf reads the tools that were offered. */
export function toolsOf(sent: Sent | null | undefined): Tool[] {
  return objects(sent?.value).map(t => ({
    name: text(t.name),
    description: text(t.description),
    parameters: t.parameters ?? undefined,
  }));
}

function part(p: Obj): Part {
  switch (p.type) {
    case "text":
      return { kind: "text", text: text(p.text) };
    case "reasoning":
      return { kind: "reasoning", text: text(p.text) };
    case "tool_call": {
      const input = typeof p.arguments === "string" ? parsed(p.arguments) : p.arguments;
      return { kind: "call", call: { id: text(p.id), name: text(p.name), input } };
    }
    case "tool_result":
      return { kind: "result", id: text(p.id), name: text(p.name), value: parsed(text(p.text)) };
    case "medium":
      return { kind: "note", text: medium(p) };
    case "other":
      return { kind: "json", value: parsed(text(p.text)) };
    default:
      return { kind: "json", value: p };
  }
}

// medium names a picture, a sound or a file; it is not fetched.
function medium(p: Obj): string {
  const uri = text(p.uri);
  const at = uri.startsWith("data:") ? bytes(uri.length) : uri;
  const what = text(p.modality) || "file";
  return [what.charAt(0).toUpperCase() + what.slice(1), text(p.media_type), at].filter(Boolean).join(", ");
}
