import type { ComponentChildren, JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { bytes, count } from "../format.ts";
import { Digits, entriesOf } from "../json.ts";
import { linesOf, MOST, SHOWN } from "./lines.ts";

const CHUNK = 100; // members shown before a button
const LONG = 600; // characters of a string shown before a button

interface JsonProps {
  value: unknown;
  open?: number; // levels that are open at first
  fold?: boolean; // fewer, where they took more lines than a block may have
}

/** JsonView shows a value as a tree that opens and closes. Everything in it is text. */
export function JsonView({ value, open = 2, fold = false }: JsonProps): JSX.Element {
  const folded = useMemo(() => (fold ? fit(value, open) : { open, chunk: CHUNK }), [value, open, fold]);
  return (
    <div class="json">
      <Value value={value} {...folded} />
    </div>
  );
}

// fit is how many levels fit into a block, and of one level that does not how many members are shown.
function fit(value: unknown, open: number): { open: number; chunk: number } {
  let levels = open;
  while (levels > 1 && linesAt(value, levels, MOST) > MOST) levels--;
  return { open: levels, chunk: linesAt(value, levels, MOST) > MOST ? SHOWN : CHUNK };
}

// linesAt is how many lines a value takes, or some number above limit.
function linesAt(value: unknown, open: number, limit: number): number {
  if (typeof value === "string") return linesOf(value.slice(0, LONG));
  if (value === null || typeof value !== "object" || value instanceof Digits || open === 0 || isNumbers(value))
    return 1;
  let n = 2;
  for (const v of Object.values(value)) {
    n += linesAt(v, open - 1, limit - n);
    if (n > limit) break;
  }
  return n;
}

const FEW = 5; // numbers that are shown one below the other

// isNumbers says whether a value is a list of numbers, such as an embedding.
const isNumbers = (value: object): value is (number | Digits)[] =>
  Array.isArray(value) && value.length > FEW && value.every(v => typeof v === "number" || v instanceof Digits);

interface ValueProps {
  name?: string;
  value: unknown;
  open: number; // levels that are open at first
  chunk: number; // members that are shown at first
}

function Value({ name, value, open, chunk }: ValueProps): JSX.Element {
  if (value !== null && typeof value === "object" && !(value instanceof Digits)) {
    if (isNumbers(value)) return <Numbers name={name} value={value} />;
    return <Members name={name} value={value} open={open} chunk={chunk} />;
  }
  return (
    <div class="json-line">
      <Name name={name} />
      <Scalar value={value} />
    </div>
  );
}

function Name({ name }: { name?: string | undefined }): JSX.Element | null {
  return name === undefined ? null : (
    <>
      <span class="json-name">{name}</span>
      <span class="json-mark">: </span>
    </>
  );
}

function Scalar({ value }: { value: unknown }): JSX.Element {
  if (typeof value === "string") return <Text text={value} />;
  if (value instanceof Digits) return <span class="json-number">{value.text}</span>;
  if (typeof value === "number") return <span class="json-number">{String(value)}</span>;
  return <span class="json-word">{String(value)}</span>;
}

function Text({ text }: { text: string }): JSX.Element {
  const [all, show] = useState(text.length <= LONG);
  return (
    <span class="json-string">
      "{all ? text : text.slice(0, LONG)}"
      {!all && (
        <button type="button" class="json-more" onClick={() => show(true)}>
          … all {bytes(text.length)}
        </button>
      )}
    </span>
  );
}

// Numbers is a list of numbers in one line, until all are wanted.
function Numbers({ name, value }: { name?: string | undefined; value: (number | Digits)[] }): JSX.Element {
  const [all, show] = useState(false);
  const said = all ? value : value.slice(0, FEW);
  return (
    <div class={all ? "json-line" : "json-line json-numbers"}>
      <Name name={name} />
      <span class="json-mark">[</span>
      <span class="json-number">{said.map(v => (v instanceof Digits ? v.text : String(v))).join(", ")}</span>
      {all ? (
        <span class="json-mark">]</span>
      ) : (
        <button type="button" class="json-more" onClick={() => show(true)}>
          … all {count(value.length)} numbers
        </button>
      )}
    </div>
  );
}

interface MembersProps {
  name?: string | undefined;
  value: object;
  open: number;
  chunk: number;
}

function Members({ name, value, open, chunk }: MembersProps): JSX.Element {
  const list = Array.isArray(value);
  const entries: [string, unknown][] = list ? value.map((v, i) => [String(i), v]) : entriesOf(value);
  const [shown, set] = useState(open > 0 && entries.length > 0);
  const [upto, more] = useState(chunk);
  const [left, right] = list ? ["[", "]"] : ["{", "}"];
  const size = `${entries.length} ${list ? (entries.length === 1 ? "item" : "items") : entries.length === 1 ? "key" : "keys"}`;
  if (entries.length === 0) {
    return (
      <div class="json-line">
        <Name name={name} />
        <span class="json-mark">
          {left}
          {right}
        </span>
      </div>
    );
  }
  return (
    <div class="json-node">
      <button type="button" class="json-line json-toggle" aria-expanded={shown} onClick={() => set(!shown)}>
        <Name name={name} />
        <span class="json-mark">{left}</span>
        {!shown && (
          <>
            <span class="json-size"> {size} </span>
            <span class="json-mark">{right}</span>
          </>
        )}
      </button>
      {shown && (
        <div class="json-members">
          {entries.slice(0, upto).map(([k, v], i) => (
            <Value key={i} {...(list ? {} : { name: k })} value={v} open={open - 1} chunk={CHUNK} />
          ))}
          {entries.length > upto && (
            <button type="button" class="json-more" onClick={() => more(upto + 10 * CHUNK)}>
              … {entries.length - upto} more
            </button>
          )}
        </div>
      )}
      {shown && <Closing>{right}</Closing>}
    </div>
  );
}

function Closing({ children }: { children: ComponentChildren }): JSX.Element {
  return <div class="json-line json-mark">{children}</div>;
}
