import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { ApiError } from "../api.ts";
import type { Field } from "../filters.ts";
import { useKeys } from "../keys.tsx";
import { setQuery } from "../router.ts";
import { changed, filterOf, joined, quoted, type Term, terms } from "../terms.ts";
import { Icon } from "./icon.tsx";
import { Item, Menu } from "./menu.tsx";
import { type Suggestion, useSuggestions } from "./suggest.ts";

interface Props {
  query: URLSearchParams;
  fields: Field[];
  range: { from?: string; to?: string };
  error?: Error | undefined; // of the page: what is wrong with the filter is said here
  search?: boolean | undefined; // words are looked for
  words?: string | undefined; // the field in which they are, where that is one
  children?: ComponentChildren; // to the right
}

/** filterError is an error about the filter, with its place; undefined for any other. */
export function filterError(error: Error | undefined): ApiError | undefined {
  const e = error as ApiError | undefined;
  return e?.code === "invalid_filter" ? e : undefined;
}

/** FilterBar is the filter of the address: its terms, each a chip, and a line for more. */
export function FilterBar({ query, fields, range, error, search, words, children }: Props): JSX.Element {
  const filter = filterOf(query, fields);
  const all = terms(filter);
  const [text, setText] = useState("");
  const [editing, edit] = useState<number | null>(null);
  const input = useRef<HTMLInputElement>(null);
  const wrong = filterError(error);
  const at = wrong && wrongTerm(filter, all, Number(wrong.details?.position ?? 0));
  useKeys([{ key: "/", label: search || words ? "Search and filter" : "Filter", run: () => input.current?.select() }]);

  const become = (next: string[]) => setQuery(changed(joined(next), fields));
  const apply = (typed: string) => {
    const texts = all.map(t => t.text);
    const more = terms(typed).map(t => (words ? within(words, t) : t.text));
    if (editing !== null) texts.splice(editing, 1, ...more);
    else texts.push(...more.filter(m => !texts.includes(m)));
    setText("");
    edit(null);
    become(texts);
  };
  const begin = (typed: string, i: number | null) => {
    setText(typed);
    edit(i);
    if (!input.current) return;
    input.current.value = typed; // at once: keys come faster than renders
    input.current.focus();
    input.current.setSelectionRange(typed.length, typed.length);
  };
  const without = (i: number) => {
    edit(null);
    become(all.filter((_, j) => j !== i).map(t => t.text));
  };
  const back = () => {
    const last = all.length - 1;
    if (all[last]) begin(all[last].text, last);
  };
  return (
    <div class="filters">
      <Menu
        label="Add a filter"
        button={
          <>
            <Icon name="filter" /> Filter
          </>
        }
      >
        {close => <Names fields={fields} close={close} pick={name => begin(name, null)} />}
      </Menu>
      <div class={`filterbar${wrong ? " filterbar-wrong" : ""}`}>
        <Icon name="search" size={14} />
        {all.map((t, i) => (
          <Chip
            key={t.from + t.text}
            term={t}
            pressed={i === editing}
            wrong={t === at}
            edit={() => begin(t.text, i)}
            remove={() => without(i)}
          />
        ))}
        <Line
          {...{ fields, range, filter, text, input, wrong: !!wrong }}
          label={search ? "Filter, or words to search for" : words ? `Filter, or a part of the ${words}` : "Filter"}
          example={words ? `${fields[0]?.name}:… or a part of the ${words}` : "level:error latency:>2s words"}
          empty={all.length === 0}
          type={setText}
          apply={apply}
          back={back}
          leave={() => {
            if (editing !== null) begin("", null);
            else input.current?.blur();
          }}
        />
      </div>
      {all.length > 1 && (
        <button type="button" class="button quiet" onClick={() => become([])}>
          Clear
        </button>
      )}
      <div class="filters-right">{children}</div>
      {wrong && <Wrong error={wrong} line={filter} />}
    </div>
  );
}

// within is a term that words stand in a field, where they are words.
const within = (field: string, t: Term): string =>
  t.field ? t.text : `${t.not ? "-" : ""}${field}:*${quoted(unquoted(t.rest))}*`;

const unquoted = (text: string): string =>
  /^".*"$/.test(text) ? text.slice(1, -1).replaceAll(/\\(["\\])/g, "$1") : text;

// wrongTerm is the term in which a character stands.
function wrongTerm(line: string, all: Term[], position: number): Term | undefined {
  const at = [...line].slice(0, position).join("").length;
  return all.find(t => at >= t.from && at <= t.from + t.text.length);
}

/** Wrong says what is wrong with a filter, and marks where. */
function Wrong({ error, line }: { error: ApiError; line: string }): JSX.Element {
  const { position = 0, length = 0, expected = "" } = error.details ?? {};
  const all = [...line];
  const at = Number(position);
  const to = at + Math.max(1, Number(length));
  return (
    <p class="filter-wrong" role="alert" id="filter-wrong">
      <code>
        {all.slice(Math.max(0, at - 40), at).join("")}
        <mark>{all.slice(at, to).join("") || "…"}</mark>
        {all.slice(to, to + 40).join("")}
      </code>{" "}
      {error.message.replace(/^filter, character \d+: /, "").replace(/; expected .*$/, "")}. Expected:{" "}
      {String(expected)}.
    </p>
  );
}

interface NamesProps {
  fields: Field[];
  close: () => void;
  pick: (name: string) => void;
}

function Names({ fields, close, pick }: NamesProps): JSX.Element {
  return (
    <div class="suggestions">
      {fields.map(f => (
        <Item key={f.name} close={close} run={() => pick(f.name + (f.kind === "keyed" ? "" : ":"))}>
          <span>{f.name.replace(/\.$/, "…")}</span> <span class="muted">{f.says ?? ""}</span>
        </Item>
      ))}
    </div>
  );
}

interface ChipProps {
  term: Term;
  pressed: boolean;
  wrong: boolean;
  edit: () => void;
  remove: () => void;
}

function Chip({ term: t, pressed, wrong, edit, remove }: ChipProps): JSX.Element {
  return (
    <span class={`chip${wrong ? " chip-wrong" : ""}`}>
      <button
        type="button"
        class="chip-text"
        aria-label={`Change the filter ${t.text}`}
        aria-pressed={pressed}
        onClick={edit}
      >
        {t.not && <span class="chip-not">-</span>}
        {t.field && <span class="chip-title">{t.field}:</span>}
        <span class="ellipsis">{t.rest}</span>
      </button>
      <button type="button" class="chip-remove" aria-label={`Remove the filter ${t.text}`} onClick={remove}>
        <Icon name="close" size={12} />
      </button>
    </span>
  );
}

interface LineProps {
  fields: Field[];
  range: Props["range"];
  filter: string;
  text: string;
  input: { current: HTMLInputElement | null };
  label: string;
  example: string;
  empty: boolean;
  wrong: boolean;
  type: (text: string) => void;
  apply: (text: string) => void;
  back: () => void; // to the last chip
  leave: () => void;
}

/** Line is where a term is typed: a combobox whose list are the fields, and then the values of one. */
function Line(props: LineProps): JSX.Element {
  const { text, input, type, apply } = props;
  const [open, show] = useState(false);
  const [active, setActive] = useState(-1);
  const chosenAt = useRef(-1); // active, at once: keys come faster than renders
  const move = (to: number) => {
    chosenAt.current = to;
    setActive(to);
  };
  const id = useId();
  const found = useSuggestions(props, open);
  const list = useRef<HTMLDivElement>(null);
  const shown = open && found.length > 0;
  // With the text itself, not after it was drawn: a key may come before that, and its choice must stay.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another text has other suggestions
  useLayoutEffect(() => move(-1), [text]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another one is chosen, and may be out of sight
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [active]);

  const take = (s: Suggestion) => {
    const head = /\s$/.test(text) ? text : text.slice(0, terms(text).at(-1)?.from ?? 0);
    if (s.whole) apply(head + s.term);
    else type(head + s.term);
    input.current?.focus();
  };
  const onKey = (e: KeyboardEvent) => {
    const at = chosenAt.current;
    const chosen = shown ? found[at] : undefined;
    const turn = (by: number) => {
      e.preventDefault();
      show(true);
      if (found.length > 0) move(at < 0 && by < 0 ? found.length - 1 : (at + by + found.length) % found.length);
    };
    if (e.key === "ArrowDown") turn(1);
    else if (e.key === "ArrowUp") turn(-1);
    else if (e.key === "Tab" && chosen && !e.shiftKey) {
      e.preventDefault();
      take(chosen);
    } else if (e.key === "Enter") {
      e.preventDefault();
      if (chosen) take(chosen);
      else if (text.trim() !== "") apply(text);
    } else if (e.key === "Backspace" && text === "") {
      e.preventDefault(); // it takes the term back, and nothing of it
      props.back();
    } else if (e.key === "Escape") {
      e.stopPropagation();
      if (shown) show(false);
      else props.leave();
    }
  };
  return (
    <div class="line">
      <input
        ref={input}
        type="text"
        role="combobox"
        aria-label={props.label}
        aria-expanded={shown}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={shown && active >= 0 ? `${id}-${active}` : undefined}
        aria-invalid={props.wrong}
        aria-describedby={props.wrong ? "filter-wrong" : undefined}
        placeholder={props.empty ? props.example : ""}
        value={text}
        spellcheck={false}
        autocomplete="off"
        autocapitalize="off"
        onInput={e => {
          type(e.currentTarget.value);
          show(true);
        }}
        onFocus={() => show(true)}
        onBlur={() => show(false)}
        onClick={() => show(true)}
        onKeyDown={onKey}
      />
      <div
        class="panel panel-left line-list"
        id={`${id}-list`}
        role="listbox"
        aria-label="Suggestions"
        ref={list}
        hidden={!shown}
      >
        {shown &&
          found.map((s, i) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the input has the focus, and its keys choose
            <div
              key={s.term}
              id={`${id}-${i}`}
              class="item"
              role="option"
              tabIndex={-1}
              aria-selected={i === active}
              onPointerDown={e => e.preventDefault()}
              onClick={() => take(s)}
            >
              <span class="ellipsis">{s.title}</span>
              <span class="muted">{s.says}</span>
            </div>
          ))}
      </div>
    </div>
  );
}
