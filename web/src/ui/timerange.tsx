import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { presets, type Range } from "../range.ts";
import { setQuery } from "../router.ts";
import { Icon } from "./icon.tsx";
import { Item, Menu } from "./menu.tsx";

const short = new Intl.DateTimeFormat(undefined, {
  month: "short",
  day: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});

// setFixed looks at the time between two dates.
function setFixed(from: Date | undefined, to: Date | undefined): void {
  setQuery({ range: undefined, from: from?.toISOString(), to: to?.toISOString() });
}

/** brush looks at the time between two seconds: what was dragged over in a chart. */
export function brush(from: number, to: number): void {
  setFixed(new Date(from * 1000), new Date(to * 1000));
}

/** setPreset looks at a time that ends now. */
export function setPreset(value: string): void {
  setQuery({ range: value, from: undefined, to: undefined });
}

function named(r: Range): string {
  if (r.preset) return presets.find(p => p.value === r.preset)?.title ?? r.preset;
  if (r.from && r.to) return `${short.format(r.from)} – ${short.format(r.to)}`;
  return r.from ? `Since ${short.format(r.from)}` : `Until ${r.to ? short.format(r.to) : "now"}`;
}

/** TimeRange is the picker of presets and fixed times; the address holds what was picked. */
export function TimeRange({ range }: { range: Range }): JSX.Element {
  return (
    <Menu
      label={`Time: ${named(range)}`}
      align="right"
      button={
        <>
          <Icon name="clock" />
          <span class="ellipsis">{named(range)}</span>
          <Icon name="down" size={12} />
        </>
      }
    >
      {close => (
        <>
          {presets.map(p => (
            <Item key={p.value} close={close} run={() => setPreset(p.value)} pressed={p.value === range.preset}>
              {p.title}
            </Item>
          ))}
          <Fixed range={range} close={close} />
        </>
      )}
    </Menu>
  );
}

function Fixed({ range, close }: { range: Range; close: () => void }): JSX.Element {
  const [from, setFrom] = useState(local(range.from));
  const [to, setTo] = useState(local(range.to));
  const wrong = from !== "" && to !== "" && from >= to;
  return (
    <form
      class="panel-form"
      onSubmit={e => {
        e.preventDefault();
        if (wrong || (!from && !to)) return;
        setFixed(from ? new Date(from) : undefined, to ? new Date(to) : undefined);
        close();
      }}
    >
      <label>
        From
        <input type="datetime-local" step="1" value={from} onInput={e => setFrom(e.currentTarget.value)} />
      </label>
      <label>
        To
        <input type="datetime-local" step="1" value={to} onInput={e => setTo(e.currentTarget.value)} />
      </label>
      {wrong && <p class="field-error">“From” must be before “To”.</p>}
      <button type="submit" class="button" disabled={wrong}>
        Apply
      </button>
    </form>
  );
}

// local writes a date as datetime-local fields want it.
function local(d: Date | undefined): string {
  if (!d) return "";
  return new Date(d.getTime() - d.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
