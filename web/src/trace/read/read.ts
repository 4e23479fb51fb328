// Finds the conversation in a payload: requests, answers and messages of the APIs and libraries in use.
import { isObject, parsed } from "../../json.ts";
import { Left, type Obj, type Taking, textOf } from "./left.ts";
import { endOf, messageOf, usageOf } from "./message.ts";
import { partsOf } from "./part.ts";
import type { Message, Part, Reading, Tool } from "./shape.ts";
import { toolsOf } from "./tools.ts";

/** reading reads an input or output; null when it is no conversation. */
export function reading(v: unknown): Reading | null {
  const value = typeof v === "string" ? parsed(v) : v;
  if (Array.isArray(value)) {
    const messages = listOf(value);
    return messages && { messages, ...noRequest, usage: undefined, more: undefined };
  }
  return isObject(value) ? ofObject(value) : null;
}

/** conversation reads the messages alone. */
export const conversation = (v: unknown): Message[] | null => reading(v)?.messages ?? null;

const said = (role: string, parts: Part[], end = ""): Message => ({
  role,
  name: "",
  parts,
  end,
  usage: undefined,
  more: undefined,
});

// listOf reads a list of messages. One that no message is in has none.
function listOf(v: unknown): Message[] | null {
  const list = typeof v === "string" ? parsed(v) : v;
  if (!Array.isArray(list) || list.length === 0) return null;
  if (list.every(Array.isArray)) {
    if (list.every(isPair))
      return list.map(([role, text]) => said(String(role), [{ kind: "text", text: String(text) }]));
    return listOf(list.flat()); // LangChain has a list for each prompt
  }
  if (!list.every(isObject)) return null;
  const read = list.map(messageOf);
  if (read.every(m => m === null)) return list.every(isPart) ? partsAlone(list) : null;
  return read.map((m, i) => m ?? said(textOf(list[i]!.type) || "other", [{ kind: "json", value: list[i] }]));
}

const isPair = (v: unknown[]): boolean =>
  v.length === 2 && typeof v[1] === "string" && /^(human|ai|user|assistant|system|placeholder)$/.test(textOf(v[0]));

const isPart = (o: Obj): boolean =>
  /^(text|reasoning|tool_call|tool_use|tool-call|thinking|blob|uri)$/.test(textOf(o.type));

function partsAlone(list: unknown[]): Message[] {
  const left = new Left();
  const parts = partsOf(list, left, "");
  return [{ ...said("message", parts), more: left.more() }];
}

function ofObject(o: Obj): Reading | null {
  if ("lc" in o && isObject(o.kwargs) && "messages" in o.kwargs) return ofObject({ ...o.kwargs, id: o.id }); // a prompt
  const left = new Left();
  const t = left.of(o);
  const asked = requested(t);
  const messages = asked ?? answered(t, left);
  if (!messages) {
    const one = messageOf(o, 0);
    return one && { messages: [one], ...noRequest, usage: undefined, more: undefined };
  }
  if (!asked)
    return {
      messages: ended(messages, t, left),
      ...noRequest,
      usage: usageOf(t) ?? usedBy(t, left),
      more: left.more(),
    };
  const configs = ["toolConfig", "config", "generationConfig", "generation_config"].flatMap(name => {
    const of = t.object(name);
    return of ? [left.within(t, of)] : [];
  });
  const within = [t, ...configs];
  return {
    messages: [...instructions(within, left), ...messages],
    tools: offered(within),
    format: formOf(within, left),
    usage: usageOf(t),
    more: left.more(),
  };
}

const noRequest = { tools: [], format: undefined }; // an answer may say again what was asked for: that is more

// ended says of the last message why the answer ended, where the answer says so.
function ended(messages: Message[], t: Taking, left: Left): Message[] {
  const last = messages.at(-1);
  if (last?.end === "") last.end = endOf(t) || incomplete(t, left);
  return messages;
}

// requested takes the messages of a request.
function requested(t: Taking): Message[] | null {
  for (const name of ["messages", "contents", "input", "prompt"]) {
    const found = listOf(t.peek(name));
    if (found) {
      t.take(name);
      return found;
    }
  }
  const asks = ["model", "instructions", "system", "tools", "options", "config"].some(
    name => t.peek(name) !== undefined,
  );
  for (const name of ["prompt", "input", "contents"]) {
    const text = t.peek(name);
    if (typeof text === "string" && text !== "" && asks) return [said("user", [{ kind: "text", text: t.text(name) }])];
  }
  return null;
}

// answered takes the messages of an answer.
function answered(t: Taking, left: Left): Message[] | null {
  for (const name of ["choices", "candidates", "generations", "output"]) {
    const found = listOf(t.peek(name));
    if (found) {
      t.take(name);
      return found;
    }
  }
  for (const name of ["message", "output"]) {
    const of = t.object(name);
    if (!of || typeof t.peek("role") === "string") continue;
    const inner = isObject(of[1].message) ? of[1].message : of[1];
    const found = messageOf(inner, 0);
    if (!found) continue;
    if (inner === of[1]) t.take(name);
    else left.within(t, of).take("message");
    return [found];
  }
  return generated(t, left);
}

// generated takes an answer whose text stands alone: Ollama's, the AI SDK's.
function generated(t: Taking, left: Left): Message[] | null {
  if (typeof t.peek("response") === "string" && t.peek("done") !== undefined) {
    const thought = t.text("thinking");
    return [
      said("assistant", [
        ...partsOf(thought && { type: "reasoning", text: thought }, left, ""),
        ...partsOf(t.text("response"), left, ""),
      ]),
    ];
  }
  if (typeof t.peek("text") !== "string" || t.peek("finishReason") === undefined) return null;
  const parts: Part[] = [];
  const thought = t.text("reasoningText", "reasoning");
  if (thought) parts.push({ kind: "reasoning", text: thought });
  parts.push(...partsOf(t.text("text"), left, "text"));
  const calls = t.peek("toolCalls");
  if (Array.isArray(calls)) {
    t.take("toolCalls");
    parts.push(
      ...partsOf(
        calls.map(c => (isObject(c) ? { type: "tool-call", ...c } : c)),
        left,
        "toolCalls",
      ),
    );
  }
  return [said("assistant", parts)];
}

// instructions takes the system's text where it stands beside the messages.
function instructions(within: Taking[], left: Left): Message[] {
  for (const t of within) {
    for (const name of ["system", "instructions", "systemInstruction", "system_instruction"]) {
      const v = t.peek(name);
      const of = t.object(name);
      let parts: Part[] = [];
      if (of && "parts" in of[1]) {
        const s = left.within(t, of);
        s.take("role");
        parts = partsOf(s.take("parts"), left, `${name}.parts`);
      } else if (typeof v === "string" || Array.isArray(v)) parts = partsOf(t.take(name), left, name);
      if (parts.length > 0) return [said("system", parts)];
    }
  }
  return [];
}

function offered(within: Taking[]): Tool[] {
  for (const t of within) {
    for (const name of ["tools", "functions"]) {
      const tools = toolsOf(t.peek(name));
      if (!tools) continue;
      t.take(name);
      return tools;
    }
  }
  return [];
}

const forms = [
  "response_format",
  "responseFormat",
  "output_format",
  "format",
  "responseSchema",
  "response_schema",
  "responseJsonSchema",
];

// formOf takes what form the answer is to have.
function formOf(within: Taking[], left: Left): unknown {
  for (const t of within) {
    const said = t.first(...forms);
    if (said !== undefined) return said;
    const text = t.object("text");
    if (text && "format" in text[1]) return left.within(t, text).take("format");
  }
  return undefined;
}

// incomplete takes why an answer of the Responses API is not whole.
function incomplete(t: Taking, left: Left): string {
  const of = t.object("incomplete_details");
  return of && typeof of[1].reason === "string" ? left.within(t, of).text("reason") : "";
}

// usedBy takes what was used where no member of that name has it: LangChain's, Ollama's.
function usedBy(t: Taking, left: Left): unknown {
  const of = t.object("llm_output");
  if (of) return usageOf(left.within(t, of));
  const counts = ["prompt_eval_count", "eval_count"].filter(name => typeof t.peek(name) === "number");
  return counts.length > 0 ? Object.fromEntries(counts.map(name => [name, t.take(name)])) : undefined;
}
