// Tools that a model was offered, in the shapes of all providers.
import { isObject, parsed } from "../../json.ts";
import { Left, type Obj } from "./left.ts";
import type { Tool } from "./shape.ts";

/** toolsOf reads definitions of tools: a list, or an object with each under its name. null when they are none. */
export function toolsOf(v: unknown): Tool[] | null {
  const value = typeof v === "string" ? parsed(v) : v;
  if (isObject(value)) {
    const all = Object.entries(value);
    if (all.length === 0 || !all.every(([, t]) => isObject(t))) return null;
    return all.map(([name, t]) => toolOf({ name, ...(t as Obj) }));
  }
  if (!Array.isArray(value)) return null;
  const items = value.map(x => (typeof x === "string" ? parsed(x) : x));
  return items.every(isObject) ? items.flatMap(group) : null;
}

// group are the tools of one element, which may be a list of functions.
function group(o: Obj): Tool[] {
  for (const name of ["functionDeclarations", "function_declarations"]) {
    const list = o[name];
    if (Array.isArray(list) && list.every(isObject)) {
      const { [name]: _, ...beside } = o;
      return [...list.map(toolOf), ...(Object.keys(beside).length > 0 ? [toolOf(beside)] : [])];
    }
  }
  return [toolOf(o)];
}

function toolOf(o: Obj): Tool {
  const left = new Left();
  const outer = left.of(o);
  const of = outer.object("function", "toolSpec", "custom");
  const t = of ? left.within(outer, of) : outer;
  const name = t.text("name") || outer.text("name", "type") || (Object.keys(o)[0] ?? "");
  if (outer.peek("type") === "function" || outer.peek("type") === "custom") outer.take("type");
  const description = t.text("description");
  const box = t.object("inputSchema");
  let schema = t.first("parameters", "input_schema", "inputSchema", "parametersJsonSchema", "format");
  if (box && Object.keys(box[1]).length === 1 && "json" in box[1]) schema = box[1].json; // Bedrock's
  return { name, description, schema, more: left.more() };
}
