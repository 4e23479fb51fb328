// Calls of tools, and what they gave.
import { isObject, parsed } from "../../json.ts";
import type { Left, Taking } from "./left.ts";
import { type Obj, textOf } from "./left.ts";
import { partsOf } from "./part.ts";
import type { Part } from "./shape.ts";

const ids = ["call_id", "tool_use_id", "toolCallId", "toolUseId", "tool_call_id", "id", "ref"];
const inputs = ["arguments", "args", "input", "parameters"];
const results = ["response", "result", "content", "output", "text"];

/** callOf reads a call in the words of any provider. */
export function callOf(t: Taking, left: Left, at: string): Part {
  const id = t.text(...ids);
  const of = t.object("function", "custom");
  const f = of ? left.within(t, of, at) : t;
  const input = f.first(...inputs);
  return {
    kind: "call",
    id,
    name: f.text("name", "toolName"),
    input: typeof input === "string" ? parsed(input) : input,
  };
}

/** builtInOf reads a call of a tool that the provider has itself, such as web_search_call: all of it is its input. */
export function builtInOf(t: Taking, type: string): Part {
  const id = t.text("call_id", "id");
  t.take("type");
  t.take("status");
  const rest = Object.fromEntries(t.left().filter(([name]) => name !== "status"));
  t.all();
  const status = t.peek("status");
  return {
    kind: "call",
    id,
    name: type.replace(/_call$/, ""),
    input: typeof status === "string" && status !== "completed" ? { status, ...rest } : rest,
  };
}

/** resultOf reads what a tool gave. Parts in it are parts here; a result in a result is not read. */
export function resultOf(t: Taking, left: Left, at: string, name = ""): Part {
  const id = t.text(...ids);
  const named = t.text("name", "toolName", "tool_name") || name;
  const word = results.find(w => t.peek(w) !== undefined && t.peek(w) !== null);
  let failed = [t.take("is_error"), t.take("isError")].includes(true);
  if (t.peek("status") === "error") failed = t.take("status") === "error";
  let value = word === undefined ? undefined : t.take(word);
  const typed = isObject(value) ? typedValue(value) : null; // the AI SDK's
  if (typed) {
    failed ||= typed.failed;
    value = typed.value;
  }
  return { kind: "result", id, name: named, parts: valueParts(value, left, `${at}.${word ?? ""}`), failed };
}

function typedValue(o: Obj): { value: unknown; failed: boolean } | null {
  const names = Object.keys(o);
  const type = textOf(o.type);
  if (names.length !== 2 || !("value" in o) || !/^(text|json|content|error-text|error-json)$/.test(type)) return null;
  return { value: o.value, failed: type.startsWith("error") };
}

// valueParts are the parts of a result: of a list of parts each, of all else the value.
function valueParts(value: unknown, left: Left, at: string): Part[] {
  if (value === undefined || value === null || value === "") return [];
  if (typeof value === "string") return [{ kind: "text", text: value }];
  if (Array.isArray(value) && value.every(isPart)) return partsOf(value, left, at, true);
  return [{ kind: "json", value }];
}

const isPart = (v: unknown): boolean =>
  isObject(v) &&
  (typeof v.type === "string" || ["text", "json", "image", "document", "video"].includes(Object.keys(v)[0] ?? ""));
