import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { get } from "../api.ts";
import { type Applied, applied, described, type Field } from "../filters.ts";
import { fold } from "../fold.ts";
import { short } from "../format.ts";
import { useKeys } from "../keys.tsx";
import { setQuery } from "../router.ts";
import type { Page, StatRow } from "../types.ts";
import { Icon } from "./icon.tsx";
import { Menu } from "./menu.tsx";

interface Props {
  query: URLSearchParams;
  fields: Field[];
  range: { from?: string; to?: string };
  search?: string | undefined; // placeholder of the text search; absent: there is none
  children?: ComponentChildren; // to the right
}

/** FilterBar holds the text search, the filters in force as chips, and the way to add one. */
export function FilterBar({ query, fields, range, search, children }: Props): JSX.Element {
  const chips = applied(query, fields);
  return (
    <div class="filters">
      {search && <Search value={query.get("q") ?? ""} placeholder={search} />}
      <Menu
        label="Add a filter"
        button={
          <>
            <Icon name="filter" /> Filter
          </>
        }
      >
        {close => <AddFilter fields={fields} range={range} close={close} />}
      </Menu>
      {chips.map(c => (
        <Chip key={c.field.name + c.value} chip={c} all={chips} range={range} />
      ))}
      {chips.length > 1 && (
        <button
          type="button"
          class="button quiet"
          onClick={() => setQuery(Object.fromEntries(fields.map(f => [f.name, undefined])))}
        >
          Clear
        </button>
      )}
      <div class="filters-right">{children}</div>
    </div>
  );
}

function Search({ value, placeholder }: { value: string; placeholder: string }): JSX.Element {
  const field = useRef<HTMLInputElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    if (field.current && document.activeElement !== field.current) field.current.value = value;
  }, [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  useKeys([{ key: "/", label: "Search", run: () => field.current?.select() }]);
  const apply = () => {
    clearTimeout(timer.current);
    setQuery({ q: field.current?.value.trim() }, true);
  };
  return (
    <search class="search">
      <form
        onSubmit={e => {
          e.preventDefault();
          apply();
        }}
      >
        <Icon name="search" size={14} />
        <input
          ref={field}
          type="search"
          aria-label={placeholder}
          placeholder={placeholder}
          defaultValue={value}
          onInput={() => {
            clearTimeout(timer.current);
            timer.current = setTimeout(apply, 400);
          }}
          onKeyDown={e => {
            if (e.key === "Escape") field.current?.blur();
          }}
        />
      </form>
    </search>
  );
}

/** withValue is the change of the address that puts value in the place of before (or adds it). */
function withValue(field: Field, value: string, before: string | undefined, all: Applied[]): Record<string, string[]> {
  const same = field.kind === "score" ? all.filter(c => c.field === field && c.value !== before).map(c => c.value) : [];
  return { [field.name]: [...new Set([...same, value])] };
}

function Chip({ chip, all, range }: { chip: Applied; all: Applied[]; range: Props["range"] }): JSX.Element {
  const text = described(chip);
  const others = all.filter(c => c.field === chip.field && c.value !== chip.value).map(c => c.value);
  return (
    <span class="chip">
      <Menu
        label={`Change the filter ${text.title} ${text.value}`}
        class="chip-text"
        button={
          <>
            <span class="chip-title">{text.title}</span> <span class="ellipsis">{text.value}</span>
          </>
        }
      >
        {close => <FilterForm field={chip.field} value={chip.value} all={all} range={range} close={close} />}
      </Menu>
      <button
        type="button"
        class="chip-remove"
        aria-label={`Remove the filter ${text.title} ${text.value}`}
        onClick={() => setQuery({ [chip.field.name]: others })}
      >
        <Icon name="close" size={12} />
      </button>
    </span>
  );
}

function AddFilter({
  fields,
  range,
  close,
}: {
  fields: Field[];
  range: Props["range"];
  close: () => void;
}): JSX.Element {
  const [field, pick] = useState<Field | null>(null);
  if (field) {
    const all = applied(new URLSearchParams(location.search), fields);
    return <FilterForm field={field} value="" all={all} range={range} close={close} />;
  }
  return (
    <>
      {fields.map(f => (
        <button key={f.name} type="button" class="item" onClick={() => pick(f)}>
          {f.title} {f.sign ?? ""}
        </button>
      ))}
    </>
  );
}

interface FormProps {
  field: Field;
  value: string;
  all: Applied[];
  range: Props["range"];
  close: () => void;
}

function FilterForm({ field, value, all, range, close }: FormProps): JSX.Element {
  const [text, setText] = useState(value);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.select(), []);
  const apply = (v: string) => {
    if (v.trim() === "" || !valid(field, v)) return;
    setQuery(withValue(field, v.trim(), value || undefined, all));
    close();
  };
  const values = useValues(field, range);
  if (field.kind === "flag" || field.choices) {
    const choices = field.choices?.map(c => [c, c]) ?? [
      ["true", "With errors"],
      ["false", "Without errors"],
    ];
    return (
      <>
        <p class="panel-title">{field.title}</p>
        {choices.map(([v = "", title]) => (
          <button key={v} type="button" class="item" aria-pressed={v === value} onClick={() => apply(v)}>
            {title}
          </button>
        ))}
      </>
    );
  }
  const wanted = values.filter(v => fold(v.value).includes(fold(text)) || text === value);
  const wrong = text.trim() !== "" && !valid(field, text);
  return (
    <form
      class="panel-form"
      onSubmit={e => {
        e.preventDefault();
        apply(text);
      }}
    >
      <label>
        {field.title} {field.sign ?? "is"} {field.unit ? `(${field.unit})` : ""}
        <input
          ref={input}
          type="text"
          inputMode={field.kind === "number" ? "decimal" : "text"}
          value={text}
          placeholder={field.kind === "score" ? "quality >= 0.8" : ""}
          spellcheck={false}
          autocomplete="off"
          onInput={e => setText(e.currentTarget.value)}
        />
      </label>
      {wrong && (
        <p class="field-error">
          {field.kind === "number" ? "A number, please." : "A name, one of = != < <= > >=, and a number."}
        </p>
      )}
      <div class="suggestions">
        {wanted.slice(0, 50).map(v => (
          <button
            key={v.value}
            type="button"
            class="item"
            onClick={() => {
              if (field.kind !== "score") return apply(v.value);
              setText(`${v.value} >= `);
              input.current?.focus();
            }}
          >
            <span class="ellipsis">{v.value}</span>
            <span class="muted">{short(v.count)}</span>
          </button>
        ))}
      </div>
      <button type="submit" class="button">
        Apply
      </button>
    </form>
  );
}

function valid(field: Field, v: string): boolean {
  if (field.kind === "number") return Number.isFinite(Number(v)) && v.trim() !== "";
  if (field.kind === "score") return /^.+(=|!=|<|<=|>|>=)\s*-?\d+(\.\d+)?(e-?\d+)?$/i.test(v.trim());
  return true;
}

// useValues asks which values there are in the time looked at, the most frequent first.
function useValues(field: Field, range: Props["range"]): { value: string; count: number }[] {
  const [values, set] = useState<{ value: string; count: number }[]>([]);
  const by = field.suggest;
  const { from, to } = range;
  useEffect(() => {
    if (!by) return;
    const abort = new AbortController();
    get<Page<StatRow>>("/v1/stats", { of: by.of, group_by: by.by, metrics: "count", from, to }, abort.signal).then(
      page => {
        const found = page.data
          .map(r => ({ value: String(r[by.by] ?? ""), count: Number(r.count) }))
          .filter(v => v.value !== "");
        set(found.sort((a, b) => b.count - a.count));
      },
      () => {}, // suggestions are a convenience: the value can be typed
    );
    return () => abort.abort();
  }, [by, from, to]);
  return values;
}
