// Messages in the shapes of all providers and libraries.
import { isObject, sameJson } from "../../json.ts";
import { builtInOf, callOf, resultOf } from "./call.ts";
import { Left, type Obj, type Taking, textOf } from "./left.ts";
import { held, sniffed } from "./medium.ts";
import { partsOf } from "./part.ts";
import { type Message, type Part, side } from "./shape.ts";

const ends = ["finish_reason", "finishReason", "stop_reason", "stopReason", "done_reason"];
const usages = ["usage", "usage_metadata", "usageMetadata", "token_usage", "totalUsage"];

/** endOf takes why an answer ended. */
export const endOf = (t: Taking): string => t.text(...ends);

/** usageOf takes what an answer used. */
export const usageOf = (t: Taking): unknown => (t.object(...usages) ? t.take(t.object(...usages)![0]) : undefined);

/** messageOf reads one element of a list of messages; null when it is none. n is its place. */
export function messageOf(o: Obj, n: number): Message | null {
  const left = new Left();
  const found = constructed(o, left) ?? tagged(o, left) ?? choice(o, left, n) ?? item(o, left) ?? plain(o, left);
  if (!found) return null;
  const { role, name, parts, end, usage } = found;
  return { role, name, parts, end, usage, more: left.more() };
}

type Found = Omit<Message, "more">;

// Roles by the classes and types of LangChain.
const classes = new Map([
  ["human", "user"],
  ["ai", "assistant"],
  ["system", "system"],
  ["tool", "tool"],
  ["function", "function"],
  ["chat", "user"],
  ["HumanMessage", "human"],
  ["HumanMessageChunk", "human"],
  ["AIMessage", "ai"],
  ["AIMessageChunk", "ai"],
  ["SystemMessage", "system"],
  ["ToolMessage", "tool"],
  ["FunctionMessage", "function"],
  ["ChatMessage", "chat"],
]);

// constructed reads LangChain's own form of a message: its class, and what it was made with.
function constructed(o: Obj, left: Left): Found | null {
  const path = Array.isArray(o.id) ? o.id : [];
  const role = classes.get(textOf(path.at(-1)));
  if (!role || !isObject(o.kwargs)) return null;
  const t = left.of(o, "lc");
  for (const name of ["lc", "type", "id", "kwargs"]) t.take(name); // its class says no more than its role does
  const inner = left.of(o.kwargs);
  if (classes.has(textOf(inner.peek("type")))) inner.take("type");
  return filled(inner, left, role);
}

// tagged reads a message whose type is its role, or that has its content under "data".
function tagged(o: Obj, left: Left): Found | null {
  const type = textOf(o.type);
  if (!classes.has(type) || typeof o.role === "string") return null;
  if (isObject(o.data) && "content" in o.data) {
    const t = left.of(o, "message");
    t.take("type");
    t.take("data");
    const inner = left.of(o.data);
    inner.take("type");
    return filled(inner, left, type);
  }
  if (!("content" in o)) return null;
  const t = left.of(o);
  t.take("type");
  return filled(t, left, type);
}

// choice reads what has a message in it, and says why that ended: of OpenAI, Gemini, LangChain.
function choice(o: Obj, left: Left, n: number): Found | null {
  if (typeof o.role === "string") return null;
  const name = ["message", "delta", "content"].find(
    name => isObject(o[name]) && isMessage(o[name], name === "content"),
  );
  const completion = typeof o.text === "string" && ("finish_reason" in o || "generation_info" in o);
  if (!name && !completion) return null;
  const t = left.of(o, "choice");
  if (t.peek("index") === n) t.take("index");
  if (/Generation(Chunk)?$/.test(textOf(t.peek("type")))) t.take("type");
  const found = name ? wrapped(t, name, left) : textOnly(t);
  const info = t.object("generation_info");
  const said = info ? left.within(t, info, "choice") : t;
  found.end ||= endOf(t) || endOf(said);
  return found;
}

function isMessage(v: unknown, gemini: boolean): boolean {
  if (!isObject(v)) return false;
  if (gemini) return Array.isArray(v.parts) || typeof v.role === "string";
  return (
    typeof v.role === "string" || isObject(v.kwargs) || classes.has(textOf(v.type)) || bodies.some(name => name in v)
  );
}

function wrapped(t: Taking, name: string, left: Left): Found {
  const inner = t.take(name) as Obj;
  const role = name === "content" ? "model" : "assistant";
  const found = constructed(inner, left) ?? tagged(inner, left) ?? filled(left.of(inner), left, role);
  if (found.parts.some(p => p.kind === "text" && p.text === t.peek("text"))) t.take("text"); // said again beside it
  return found;
}

function textOnly(t: Taking): Found {
  const text = t.text("text");
  return { role: "assistant", name: "", parts: text ? [{ kind: "text", text }] : [], end: "", usage: undefined };
}

const items =
  /^(function|custom_tool|mcp|web_search|file_search|computer|code_interpreter|image_generation|local_shell|shell|apply_patch)_call(_output)?$/;

// item reads an item of the Responses API that is no message.
function item(o: Obj, left: Left): Found | null {
  const type = textOf(o.type);
  if (typeof o.role === "string" || !(items.test(type) || type === "reasoning")) return null;
  const found = (role: string, ...parts: Part[]): Found => ({ role, name: "", parts, end: "", usage: undefined });
  if (/^(reasoning|image_generation_call)$/.test(type)) return found("assistant", ...partsOf(o, left, ""));
  const t = left.of(o);
  if (type.endsWith("_output")) {
    t.take("type");
    return found("tool", resultOf(t, left, ""));
  }
  if (!/^(function|custom_tool|mcp)_call$/.test(type)) return found("assistant", builtInOf(t, type));
  t.take("type");
  const call = callOf(t, left, "");
  return found("assistant", call, ...(t.peek("output") ? [resultOf(t, left, "")] : []));
}

const bodies = [
  "content",
  "parts",
  "tool_calls",
  "toolCalls",
  "function_call",
  "refusal",
  "reasoning_content",
  "audio",
];

function plain(o: Obj, left: Left): Found | null {
  const says = bodies.some(name => name in o);
  const parts = Array.isArray(o.parts) && o.parts.every(isObject);
  if (!(says && (typeof o.role === "string" || o.type === "message")) && !parts) return null;
  const t = left.of(o);
  if (t.peek("type") === "message") t.take("type");
  return filled(t, left, "message");
}

// filled reads a message's members. role is what it has without saying one.
function filled(t: Taking, left: Left, role: string): Found {
  const found: Found = {
    role: t.text("role") || role,
    name: t.text("name"),
    parts: [],
    end: endOf(t),
    usage: usageOf(t),
  };
  const { parts } = found;
  const thought = t.text("reasoning_content", "thinking", "reasoning");
  if (thought) parts.push({ kind: "reasoning", text: thought });
  const content = t.peek("content");
  if (content !== undefined && isResult(t, found.role)) {
    parts.push(resultOf(t, left, "", found.name));
    found.name = "";
  } else parts.push(...partsOf(t.take("content"), left, "content"));
  parts.push(...partsOf(t.take("parts"), left, "parts"));
  beside(t, left, parts);
  const meta = t.object("response_metadata");
  if (meta) {
    const m = left.within(t, meta);
    found.end ||= endOf(m);
    found.usage ??= usageOf(m);
  }
  return found;
}

// isResult says whether a message is what a tool gave. Content with parts of other types says itself what it is.
function isResult(t: Taking, role: string): boolean {
  if (textOf(t.peek("tool_call_id"))) return true;
  const content = t.peek("content");
  const parts = Array.isArray(content) && content.some(p => isObject(p) && textOf(p.type) !== "text");
  return side(role) === "tool" && !parts;
}

// beside reads what stands beside a message's content.
function beside(t: Taking, left: Left, parts: Part[]): void {
  const refusal = t.text("refusal");
  if (refusal) parts.push({ kind: "refusal", text: refusal });
  const audio = t.object("audio");
  if (audio) {
    const a = left.within(t, audio);
    const said = a.text("transcript");
    if (said) parts.push({ kind: "text", text: said });
    const data = a.text("data");
    if (data)
      parts.push({ kind: "medium", medium: held({ modality: "audio", type: "audio/wav", data, uri: "", name: "" }) });
  }
  const images = t.peek("images"); // Ollama's: base64
  if (Array.isArray(images) && images.every(i => typeof i === "string")) {
    for (const data of t.take("images") as string[]) parts.push({ kind: "medium", medium: sniffed(data) });
  }
  for (const name of ["tool_calls", "toolCalls"]) {
    const list = t.peek(name);
    if (!Array.isArray(list) || !list.every(isObject)) continue;
    t.take(name);
    list.forEach((c, i) => {
      add(parts, c, left, `${name}[${i}]`);
    });
  }
  const call = t.object("function_call");
  if (call) add(parts, t.take("function_call") as Obj, left, "function_call");
}

// add adds a call, unless the content has the same one.
function add(parts: Part[], call: Obj, left: Left, at: string): void {
  const t = left.of(call, at);
  t.take("type");
  const part = callOf(t, left, at);
  if (!parts.some(p => p.kind === "call" && sameJson(p, part))) parts.push(part);
}
