// A filter is a line of terms; the server alone says what they mean (docs/api.md, Filters). Here they are only told apart.

/** Term is one term of a filter, and where it stands. */
export interface Term {
  text: string;
  from: number; // in the line
  not: boolean;
  field: string; // "" for words
  rest: string; // behind the colon, or the words
}

/** terms cuts a line at its blanks; those in quotes are of a term. */
export function terms(line: string): Term[] {
  const all: Term[] = [];
  for (let at = 0; at < line.length; ) {
    if (/\s/.test(line[at]!)) {
      at++;
      continue;
    }
    const from = at;
    for (let quoted = false; at < line.length && (quoted || !/\s/.test(line[at]!)); at++) {
      if (quoted && line[at] === "\\" && /["\\]/.test(line[at + 1] ?? "")) at++;
      else if (line[at] === '"') quoted = !quoted;
    }
    all.push(term(line.slice(from, at), from));
  }
  return all;
}

function term(text: string, from: number): Term {
  const not = text.startsWith("-") && text.length > 1;
  const said = not ? text.slice(1) : text;
  const colon = said.startsWith('"') ? -1 : colonIn(said);
  return { text, from, not, field: said.slice(0, Math.max(0, colon)), rest: said.slice(colon + 1) };
}

// colonIn is where the colon is that ends the name of a field and its key.
function colonIn(said: string): number {
  for (let at = 0, quoted = false; at < said.length; at++) {
    if (quoted && said[at] === "\\") at++;
    else if (said[at] === '"') quoted = !quoted;
    else if (said[at] === ":" && !quoted) return at;
  }
  return -1;
}

/** joined is a line of these terms. */
export const joined = (all: string[]): string => all.filter(t => t.trim() !== "").join(" ");

/** quoted writes a text so that it means itself as a value. */
export function quoted(value: string): string {
  if (value !== "" && !/[\s",*]|\.\.|^[<>]/.test(value)) return value;
  return `"${value.replaceAll(/["\\]/g, c => `\\${c}`)}"`;
}

/** is is the term that a field has a value. */
export const is = (field: string, value: string): string => `${field}:${quoted(value)}`;

const LONGEST = 1500; // bytes of a term: a filter has at most 2048
const MOST = 60; // values of one

/** listed are terms that a field has one of these values, as many as it takes. */
export function listed(field: string, values: string[]): string[] {
  const out: string[] = [];
  let now: string[] = [];
  let size = 0;
  const end = () => {
    if (now.length > 0) out.push(`${field}:${now.join()}`);
    now = [];
    size = 0;
  };
  for (const value of values.map(quoted)) {
    const bytes = new TextEncoder().encode(value).length + 1;
    if (size + bytes > LONGEST || now.length >= MOST) end();
    now.push(value);
    size += bytes;
  }
  end();
  return out;
}

/** scoreField is the field of the scores of a name. */
export const scoreField = (name: string): string =>
  `score.${/[\s":]/.test(name) || name === "" ? `"${name.replaceAll(/["\\]/g, c => `\\${c}`)}"` : name}`;

/** scored is the term of a condition on a score's mean, such as quality>=0.8, as addresses had it before. */
function scored(condition: string): string {
  const found = /^(.+?)\s*(!=|<=|>=|==|=|<|>)\s*([^<>=!]+)$/.exec(condition.trim());
  if (!found) return "";
  const [, name = "", op = "", value = ""] = found;
  const plain = op === "!=" || op.startsWith("=") ? "" : op;
  return `${op === "!=" ? "-" : ""}${scoreField(named(name))}:${plain}${value.trim()}`;
}

function named(name: string): string {
  try {
    return name.startsWith('"') ? String(JSON.parse(name)) : name;
  } catch {
    return name;
  }
}

// former are the parameters that addresses had before there were filters of one line: the field of each, and the term for a value.
const former: [name: string, field: string, write: (value: string) => string][] = [
  ...(
    [
      ["name", "name"],
      ["user_id", "user"],
      ["session_id", "session"],
      ["environment", "env"],
      ["key_id", "key"],
      ["model", "model"],
      ["tag", "tag"],
      ["type", "type"],
      ["level", "level"],
      ["has_error", "error"],
    ] as const
  ).map(([name, field]): [string, string, (v: string) => string] => [name, field, v => is(field, v)]),
  ["min_latency_ms", "latency", v => `latency:>=${v}`],
  ["max_latency_ms", "latency", v => `latency:<=${v}`],
  ["min_cost", "cost", v => `cost:>=${v}`],
  ["score", "score.", scored],
  ["q", "metadata.", v => v], // where words are searched, metadata are
];

/** filterOf is the filter of an address, of a page with these fields. */
export function filterOf(q: URLSearchParams, fields: { name: string }[]): string {
  const before = former
    .filter(([, field]) => fields.some(f => f.name === field))
    .flatMap(([name, , write]) => q.getAll(name).filter(Boolean).map(write));
  return joined([q.get("filter") ?? "", ...before]);
}

/** changed are the changes of an address whose filter is to be this one. */
export function changed(filter: string, fields: { name: string }[]): Record<string, string | undefined> {
  const gone = former.filter(([, field]) => fields.some(f => f.name === field)).map(([name]) => [name, undefined]);
  return { ...Object.fromEntries(gone), filter: filter.trim() || undefined };
}

/** withTerm is a filter that has the term too. */
export function withTerm(filter: string, more: string): string {
  const all = terms(filter).map(t => t.text);
  return all.includes(more) ? filter : joined([...all, more]);
}

/** both is a filter of what passes two others; what both say is said once. */
export const both = (one: string, other: string): string =>
  terms(other).reduce((filter, t) => withTerm(filter, t.text), one);
