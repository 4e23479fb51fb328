// What a payload says, leaf by leaf, and whether it is found again.
import { readdirSync, readFileSync } from "node:fs";

const dir = new URL("./shapes/", import.meta.url);

/** shapes are payloads as the clients of many APIs and libraries send them, made up: [name, {input, output}]. */
export const shapes = readdirSync(dir)
  .sort()
  .map(file => [file.replace(".json", ""), JSON.parse(readFileSync(new URL(file, dir), "utf8"))]);

/** leaves lists the values in a payload that are no list and no object: [path, text]. JSON in a text is a part of it. */
export function leaves(value, path = "") {
  if (typeof value === "string" && /^\s*[[{]/.test(value)) {
    try {
      return leaves(JSON.parse(value), path);
    } catch {}
  }
  if (value === null || value === undefined || value === "") return [];
  if (typeof value !== "object") return [[path, String(value)]];
  return Object.entries(value).flatMap(([key, v]) => (unsaid(key, v, value) ? [] : leaves(v, `${path}/${key}`)));
}

// unsaid are words that say how something is drawn: the type of a part is seen by its look, and so on.
function unsaid(key, v, of) {
  switch (key) {
    case "type":
      return typeof v === "string" && !/^(brand_new|search|object|string|number|integer|url_citation)$/i.test(v);
    case "lc":
      return v === 1;
    case "id": // LangChain's class
      return Array.isArray(v) && "lc" in of;
    case "index":
      return v === 0; // the only one
    case "thought":
    case "is_error":
      return typeof v === "boolean";
    case "role":
      return v === "system" && "parts" in of;
    case "status":
      return v === "completed" || v === "error";
    default:
      return false;
  }
}

const words = text => text.match(/[\p{L}\p{N}]+/gu) ?? [];

/** lost lists the leaves of a payload of which a word is not among those of what is shown. */
export function lost(payload, shown) {
  const there = new Set(words(shown));
  return leaves(payload)
    .filter(([, text]) => !words(text.replace(/^data:[^,]*,/, "")).every(w => there.has(w)))
    .map(([path, text]) => `${path}: ${text.slice(0, 60)}`);
}
