// Finds a conversation in a payload: the shapes of the chat APIs in use.
import { isObject, read } from "../json.ts";

export interface ToolCall {
  id: string;
  name: string;
  input: unknown;
}

export type Part =
  | { kind: "text"; text: string }
  | { kind: "reasoning"; text: string }
  | { kind: "json"; value: unknown }
  | { kind: "call"; call: ToolCall }
  | { kind: "result"; id: string; name?: string; value: unknown }
  | { kind: "note"; text: string }; // a picture, a sound: named, not fetched

export interface Message {
  role: string;
  name: string;
  parts: Part[];
}

type Obj = Record<string, unknown>;

const text = (v: unknown): string => (typeof v === "string" ? v : "");

/** conversation reads the messages of an input or output; null when it is something else. */
export function conversation(v: unknown): Message[] | null {
  if (Array.isArray(v)) return many(v);
  if (!isObject(v)) return null;
  const system: Message[] =
    "system" in v && (Array.isArray(v.messages) || Array.isArray(v.contents))
      ? [{ role: "system", name: "", parts: parts(v.system) }]
      : [];
  for (const key of ["messages", "contents", "input"]) {
    const found = Array.isArray(v[key]) ? many(v[key]) : null;
    if (found) return [...system, ...found];
  }
  if (Array.isArray(v.choices)) return many(v.choices.map(c => (isObject(c) ? (c.message ?? c.delta) : c)));
  if (Array.isArray(v.candidates)) return many(v.candidates.map(c => (isObject(c) ? c.content : c)));
  if (isObject(v.message)) return many([v.message]);
  return many([v]);
}

function many(list: unknown[]): Message[] | null {
  if (list.length === 0 || !list.every(isMessage)) return null;
  return list.map(one);
}

function isMessage(v: unknown): v is Obj {
  return (
    isObject(v) &&
    typeof v.role === "string" &&
    ("content" in v || "parts" in v || "tool_calls" in v || "function_call" in v)
  );
}

function one(m: Obj): Message {
  const found = [...parts(m.content ?? m.parts), ...calls(m)];
  if (m.role === "tool" || m.role === "function") {
    const value = found.length === 1 && found[0]?.kind === "text" ? parsed(found[0].text) : (m.content ?? m.parts);
    return { role: "tool", name: text(m.name), parts: [{ kind: "result", id: text(m.tool_call_id), value }] };
  }
  return { role: String(m.role), name: text(m.name), parts: found };
}

function calls(m: Obj): Part[] {
  const list = Array.isArray(m.tool_calls)
    ? m.tool_calls
    : isObject(m.function_call)
      ? [{ function: m.function_call }]
      : [];
  return list.filter(isObject).map(c => {
    const f = isObject(c.function) ? c.function : c;
    const input = f.arguments ?? f.args ?? f.input;
    return {
      kind: "call",
      call: { id: text(c.id), name: text(f.name), input: typeof input === "string" ? parsed(input) : input },
    };
  });
}

function parts(content: unknown): Part[] {
  if (content === null || content === undefined) return [];
  if (typeof content === "string") return content === "" ? [] : [{ kind: "text", text: content }];
  if (Array.isArray(content)) return content.flatMap(part);
  return part(content);
}

function part(p: unknown): Part[] {
  if (typeof p === "string") return [{ kind: "text", text: p }];
  if (!isObject(p)) return [{ kind: "json", value: p }];
  if (typeof p.text === "string") return [{ kind: "text", text: p.text }];
  if (p.type === "tool_use" || isObject(p.functionCall)) {
    const c = isObject(p.functionCall) ? p.functionCall : p;
    return [{ kind: "call", call: { id: text(c.id), name: text(c.name), input: c.input ?? c.args } }];
  }
  if (p.type === "tool_result") return [{ kind: "result", id: text(p.tool_use_id), value: p.content }];
  const url = isObject(p.image_url) ? p.image_url.url : p.image_url;
  if (typeof url === "string")
    return [{ kind: "note", text: url.startsWith("data:") ? `Image, ${url.length} characters` : `Image at ${url}` }];
  if (p.type === "image" || p.type === "input_audio" || p.type === "file")
    return [{ kind: "note", text: `${String(p.type)} (see JSON)` }];
  return [{ kind: "json", value: p }];
}

/** parsed reads a text that is a JSON object or list; other texts stay as they are. */
export function parsed(v: string): unknown {
  const t = v.trim();
  if (!/^[[{]/.test(t)) return v;
  try {
    return read(t);
  } catch {
    return v;
  }
}
