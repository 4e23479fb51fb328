// JSON as it was sent. JSON.parse rounds large numbers, writes others another
// way (1.0 as 1) and keeps only the last of names that come twice; a payload is
// shown with all of that.

/** Digits is a number that JavaScript would write another way: its text as sent. */
export class Digits {
  constructor(readonly text: string) {}
}

/** Sent is a payload of an answer: its text as it came. It is read when it is first looked at. */
export class Sent {
  #value: unknown;
  #read = false;

  constructor(readonly text: string) {}

  get value(): unknown {
    if (!this.#read) this.#value = read(this.text);
    this.#read = true;
    return this.#value;
  }
}

/** isObject says whether a value that was read is a JSON object. */
export const isObject = (v: unknown): v is Record<string, unknown> =>
  typeof v === "object" && v !== null && !Array.isArray(v) && !(v instanceof Digits);

const members = Symbol("members as sent");
type Members = [string, unknown][];

/** entriesOf lists the members of an object as sent: also names that come twice, and in their order. */
export function entriesOf(v: object): Members {
  return (v as { [members]?: Members })[members] ?? Object.entries(v);
}

/** objectOf makes an object of members, which it has in this order; names may come twice. */
export function objectOf(all: Members): Record<string, unknown> {
  const top: Open = { object: {}, all: [], odd: false, name: "", of: "" };
  for (const [name, value] of all) {
    top.name = name;
    put(top, value);
  }
  return sealed(top) as Record<string, unknown>;
}

/** sameJson says whether two values are written alike. What nests too deep to be written is like nothing. */
export function sameJson(a: unknown, b: unknown): boolean {
  try {
    return JSON.stringify(a) === JSON.stringify(b);
  } catch {
    return false;
  }
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

/** read reads JSON of a payload; the error is a SyntaxError. Numbers may be Digits. */
export function read(text: string): unknown {
  return new Reader(text, null).read();
}

// Names under which an answer of the API holds what clients sent.
const payloads = new Set([
  "input",
  "output",
  "metadata",
  "model_parameters",
  "payload",
  "usage",
  "attributes",
  "messages_in",
  "messages_out",
  "tools",
  "resource",
  "events",
  "links",
]);
const somePayload = new RegExp(`"(?:${[...payloads].join("|")})":`);

// Under this name stands an object whose names people chose: a score may be called "input".
const chosen = "scores";

/** answer reads an answer of the API: what clients sent is kept as Sent, all else is as JSON.parse has it. */
export function answer(text: string): unknown {
  return somePayload.test(text) ? new Reader(text, payloads).read() : JSON.parse(text);
}

type Open =
  // of is the name that an object stands under
  { list: unknown[] } | { object: Record<string, unknown>; all: Members; odd: boolean; name: string; of: string };

const blank = /[ \t\n\r]*/y;
const numeric = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const word = /true|false|null/y;
const bracket = /["[\]{}]/g;
const index = /^(?:0|[1-9]\d*)$/; // a name that objects would put before the others

/** Reader goes through a text without recursion: payloads nest as deep as they like. */
class Reader {
  private at = 0;

  constructor(
    private readonly text: string,
    private readonly kept: ReadonlySet<string> | null, // names whose values become Sent
  ) {}

  read(): unknown {
    const open: Open[] = [];
    let done = this.begin(open);
    for (;;) {
      // done is a whole value, or undefined after a bracket that opens
      const top = open[open.length - 1];
      if (!top) {
        if (this.peek() !== "") this.fail();
        return done;
      }
      if (done !== undefined) put(top, done);
      const close = "list" in top ? "]" : "}";
      const next = this.peek();
      if (next === close) {
        this.at++;
        open.pop();
        done = "list" in top ? top.list : sealed(top);
        continue;
      }
      if (done !== undefined) this.expect(",");
      done = "list" in top ? this.begin(open) : this.member(top, open);
    }
  }

  private member(top: Exclude<Open, { list: unknown[] }>, open: Open[]): unknown {
    if (this.peek() !== '"') this.fail();
    top.name = this.string();
    this.expect(":");
    if (!this.kept?.has(top.name) || top.of === chosen) return this.begin(open, top.name);
    this.peek();
    const from = this.at;
    this.skip();
    const text = this.text.slice(from, this.at);
    return text === "null" ? null : new Sent(text);
  }

  // begin reads a scalar whole; of a list or an object it opens the bracket and is undefined.
  private begin(open: Open[], name = ""): unknown {
    switch (this.peek()) {
      case "[":
        this.at++;
        open.push({ list: [] });
        return undefined;
      case "{":
        this.at++;
        open.push({ object: {}, all: [], odd: false, name: "", of: name });
        return undefined;
      case '"':
        return this.string();
    }
    const said = this.take(word);
    if (said !== "") return said === "null" ? null : said === "true";
    const digits = this.take(numeric);
    if (digits === "") this.fail();
    const n = Number(digits);
    return this.kept || String(n) === digits ? n : new Digits(digits);
  }

  private peek(): string {
    this.take(blank);
    return this.text.charAt(this.at);
  }

  private expect(c: string): void {
    if (this.peek() !== c) this.fail();
    this.at++;
  }

  private take(form: RegExp): string {
    form.lastIndex = this.at;
    const found = form.exec(this.text)?.[0] ?? "";
    this.at += found.length;
    return found;
  }

  private string(): string {
    const from = this.at;
    this.pass();
    return JSON.parse(this.text.slice(from, this.at)) as string;
  }

  // pass goes behind the string that begins here.
  private pass(): void {
    for (let end = this.at + 1; ; end++) {
      end = this.text.indexOf('"', end);
      if (end < 0) this.fail();
      let slashes = 0;
      while (this.text.charAt(end - 1 - slashes) === "\\") slashes++;
      if (slashes % 2 === 0) {
        this.at = end + 1;
        return;
      }
    }
  }

  // skip goes behind the value that begins here, without looking into it.
  private skip(): void {
    const first = this.text.charAt(this.at);
    if (first === '"') {
      this.pass();
      return;
    }
    if (first !== "{" && first !== "[") {
      if (this.take(word) === "" && this.take(numeric) === "") this.fail();
      return;
    }
    for (let depth = 0; ; ) {
      bracket.lastIndex = this.at;
      const found = bracket.exec(this.text);
      if (!found) {
        this.fail();
        return;
      }
      this.at = found.index;
      if (found[0] === '"') {
        this.pass();
        continue;
      }
      this.at++;
      depth += found[0] === "{" || found[0] === "[" ? 1 : -1;
      if (depth === 0) return;
    }
  }

  private fail(): never {
    throw new SyntaxError(`no JSON at character ${this.at}`);
  }
}

function put(top: Open, value: unknown): void {
  if ("list" in top) {
    top.list.push(value);
    return;
  }
  const { object, name } = top;
  top.odd ||= Object.hasOwn(object, name) || index.test(name);
  top.all.push([name, value]);
  if (name === "__proto__")
    Object.defineProperty(object, name, { value, configurable: true, enumerable: true, writable: true });
  else object[name] = value;
}

// sealed is the object, which remembers its members where they say more than it does.
function sealed(top: Exclude<Open, { list: unknown[] }>): object {
  if (top.odd) Object.defineProperty(top.object, members, { value: top.all });
  return top.object;
}

/** pretty writes a value as JSON with two spaces; numbers keep their digits. */
export function pretty(value: unknown, indent = "  "): string {
  const write = (v: unknown, at: string): string => {
    if (v instanceof Sent) return write(v.value, at);
    if (v instanceof Digits) return v.text;
    if (v === null || typeof v !== "object") return JSON.stringify(v) ?? "null";
    const inner = at + indent;
    const parts = Array.isArray(v)
      ? v.map(x => inner + write(x, inner))
      : entriesOf(v).map(([k, x]) => `${inner}${JSON.stringify(k)}: ${write(x, inner)}`);
    const [left, right] = Array.isArray(v) ? "[]" : "{}";
    return parts.length === 0 ? `${left}${right}` : `${left}\n${parts.join(",\n")}\n${at}${right}`;
  };
  return write(value, "");
}
