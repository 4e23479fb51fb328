import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { bytes } from "../format.ts";
import { Digits, entriesOf } from "../json.ts";

const CHUNK = 100; // members shown before a button
const LONG = 600; // characters of a string shown before a button

/** JsonView shows a value as a tree that opens and closes. Everything in it is text. */
export function JsonView({ value, open = 2 }: { value: unknown; open?: number }): JSX.Element {
  return (
    <div class="json">
      <Value value={value} open={open} />
    </div>
  );
}

interface ValueProps {
  name?: string;
  value: unknown;
  open: number; // levels that are open at first
}

function Value({ name, value, open }: ValueProps): JSX.Element {
  if (value !== null && typeof value === "object" && !(value instanceof Digits))
    return <Members name={name} value={value} open={open} />;
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

function Members({ name, value, open }: { name?: string | undefined; value: object; open: number }): JSX.Element {
  const list = Array.isArray(value);
  const entries: [string, unknown][] = list ? value.map((v, i) => [String(i), v]) : entriesOf(value);
  const [shown, set] = useState(open > 0 && entries.length > 0);
  const [upto, more] = useState(CHUNK);
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
            <Value key={i} {...(list ? {} : { name: k })} value={v} open={open - 1} />
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
