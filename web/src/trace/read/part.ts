// The parts of a message's content, of any provider.
import { isObject } from "../../json.ts";
import { builtInOf, callOf, resultOf } from "./call.ts";
import type { Left, Taking } from "./left.ts";
import { mediumOf, sniffed } from "./medium.ts";
import type { Part } from "./shape.ts";

/** partsOf reads a content: a text, a part, or a list of them. at says where it stands; within is true inside a result. */
export function partsOf(content: unknown, left: Left, at: string, within = false): Part[] {
  if (Array.isArray(content)) return content.flatMap((p, i) => partOf(p, left, `${at}[${i}]`, within));
  return partOf(content, left, at, within);
}

function partOf(p: unknown, left: Left, at: string, within: boolean): Part[] {
  if (p === null || p === undefined || p === "") return [];
  if (typeof p === "string") return [{ kind: "text", text: p }];
  if (!isObject(p) || Object.keys(p).length === 0) return [{ kind: "json", value: p }];
  const t = left.of(p, at);
  const type = typeof p.type === "string" ? p.type : "";
  const read = typed.get(type) ?? (type === "" ? keyed(t, within) : byName(type));
  const parts = read && !(within && read === result) ? read(t, left, at, type) : null; // results do not nest
  if (!parts) return [{ kind: "json", value: t.all() }];
  t.take("type");
  return parts;
}

// A Reader reads a part; null when it is not what its type says.
type Reader = (t: Taking, left: Left, at: string, type: string) => Part[] | null;

const text: Reader = t => {
  if (typeof t.peek("text") !== "string" && typeof t.peek("content") !== "string") return null;
  const thought = t.peek("thought") === true && t.take("thought") === true; // Gemini's reasoning
  const said = t.text("text", "content");
  return said === "" ? [] : [{ kind: thought ? "reasoning" : "text", text: said }];
};

const refusal: Reader = t => [{ kind: "refusal", text: t.text("refusal", "text", "content") }];

const reasoning: Reader = (t, left, at) => {
  const said = t.text("thinking", "text", "content", "reasoning");
  if (said !== "") return [{ kind: "reasoning", text: said }];
  const of = t.object("reasoningText"); // Bedrock's
  if (of) return [{ kind: "reasoning", text: left.within(t, of, at).text("text") }];
  const lists = ["summary", "content", "thinking"].filter(name => Array.isArray(t.peek(name))); // of the Responses API, and Mistral's
  const texts = lists.flatMap(name => partsOf(t.take(name), left, `${at}.${name}`, true));
  const all = texts.map(p => ("text" in p ? p.text : "")).filter(Boolean);
  return [{ kind: "reasoning", text: all.join("\n\n") }];
};

const call: Reader = (t, left, at) => [callOf(t, left, at)];
const result: Reader = (t, left, at) => [resultOf(t, left, at)];

const medium: Reader = (t, left, at, type) => {
  const source = t.peek("source");
  if (isObject(source) && source.type === "text" && typeof source.data === "string") {
    const of = left.within(t, ["source", source], at); // a document that is text
    of.take("type");
    return [{ kind: "text", text: of.text("data") }];
  }
  const m = mediumOf(t, left, at, type);
  return m ? [{ kind: "medium", medium: m }] : null;
};

const other: Reader = t => {
  const said = t.peek("text"); // the API's word for what it could not read: its JSON
  return typeof said === "string" ? [{ kind: "text", text: t.text("text") }] : null;
};

const typed = new Map<string, Reader>([
  ...["text", "input_text", "output_text", "summary_text"].map((n): [string, Reader] => [n, text]),
  ["refusal", refusal],
  ...["reasoning", "thinking", "redacted_thinking", "reasoning_text"].map((n): [string, Reader] => [n, reasoning]),
  ...["tool_call", "tool_use", "server_tool_use", "mcp_tool_use", "tool-call", "function_call", "toolUse"].map(
    (n): [string, Reader] => [n, call],
  ),
  ...["tool_call_response", "tool_result", "tool-result", "function_call_output"].map((n): [string, Reader] => [
    n,
    result,
  ]),
  ...[
    "image_url",
    "image",
    "input_image",
    "input_audio",
    "audio",
    "video",
    "video_url",
    "file",
    "input_file",
    "document",
    "blob",
    "uri",
    "medium",
    "media",
  ].map((n): [string, Reader] => [n, medium]),
  ["other", other],
]);

// byName reads types that are many, such as web_search_tool_result.
function byName(type: string): Reader | null {
  if (type.endsWith("_tool_result")) return result;
  return type.endsWith("_call") ? builtIn : null;
}

const builtIn: Reader = (t, _left, _at, type) => {
  const drawn = type === "image_generation_call" ? t.text("result") : "";
  const parts: Part[] = [builtInOf(t, type)];
  return drawn === "" ? parts : [...parts, { kind: "medium", medium: sniffed(drawn) }];
};

// inside reads the object that stands under one of these names, and leaves what stands beside it.
const inside =
  (read: Reader, ...names: string[]): Reader =>
  (t, left, at, type) => {
    const of = t.object(...names)!;
    return read(left.within(t, of, at), left, `${at}.${of[0]}`, type || of[0]);
  };

const calls = ["functionCall", "function_call", "toolRequest", "toolUse"];
const answers = ["functionResponse", "function_response", "toolResponse", "toolResult"];
const media = ["inlineData", "inline_data", "fileData", "file_data", "media", "image", "video", "document", "audio"];

// keyed finds the reader of a part that says by a name what it is: Gemini's, Bedrock's, Genkit's.
function keyed(t: Taking, within: boolean): Reader | null {
  if (typeof t.peek("text") === "string") return text;
  if (t.object(...calls)) return inside(call, ...calls);
  if (t.object(...answers)) return within ? null : inside(result, ...answers);
  if (t.object("reasoningContent")) return inside(reasoning, "reasoningContent");
  if (t.object(...media)) return inside(medium, ...media);
  if (typeof t.peek("reasoning") === "string") return reasoning;
  if (t.peek("json") !== undefined) return of => [{ kind: "json", value: of.take("json") }];
  return null;
}
