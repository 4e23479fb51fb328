import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { Digits, entriesOf, isObject, parsed, type Sent } from "../json.ts";
import { load, save } from "../storage.ts";
import type { Observation, Trace } from "../types.ts";
import { Copy } from "../ui/bits.tsx";
import { Icon } from "../ui/icon.tsx";
import { JsonView } from "../ui/json.tsx";
import { Long } from "../ui/long.tsx";
import { Markdown } from "../ui/markdown.tsx";
import { Chat, InputView, OutputView, ToolsOffered } from "./conversation.tsx";
import type { Known } from "./earlier.ts";
import { conversation } from "./read/read.ts";
import { talkOf } from "./talk.ts";

export type Mode = "formatted" | "json" | "markdown" | "raw";

const modes: { value: Mode; title: string }[] = [
  { value: "formatted", title: "Formatted" },
  { value: "json", title: "JSON" },
  { value: "markdown", title: "Markdown" },
  { value: "raw", title: "Raw" },
];

/** usePayloadMode is how payloads are shown; the browser remembers. */
export function usePayloadMode(): [Mode, (m: Mode) => void] {
  const [mode, set] = useState<Mode>(() => load("payload.mode", "formatted"));
  return [
    mode,
    m => {
      set(m);
      save("payload.mode", m);
    },
  ];
}

export function ModePicker({ mode, onMode }: { mode: Mode; onMode: (m: Mode) => void }): JSX.Element {
  return (
    <fieldset class="segments">
      <legend class="visually-hidden">Show payloads as</legend>
      {modes.map(m => (
        <button key={m.value} type="button" aria-pressed={m.value === mode} onClick={() => onMode(m.value)}>
          {m.title}
        </button>
      ))}
    </fieldset>
  );
}

interface ExchangeProps {
  of: Observation | Trace;
  trace: Trace;
  known: Known;
  mode: Mode;
}

/** Exchange is what went in and what came out. */
export function Exchange({ of: x, trace, known, mode }: ExchangeProps): JSX.Element {
  const talk = useMemo(() => talkOf(x, trace, known), [x, trace, known]);
  const [read, said] = "messages_in" in x ? [x.messages_in, x.messages_out] : [null, null];
  return (
    <>
      <Payload
        title="Input"
        sent={x.input ?? (talk.input && read)}
        mode={mode}
        drawn={talk.input && (() => <InputView talk={talk} />)}
      />
      {!(talk.input && mode === "formatted") && <ToolsOffered tools={talk.tools} called={talk.called} />}
      <Payload
        title="Output"
        sent={x.output ?? (talk.output && said)}
        mode={mode}
        drawn={talk.output && (() => <OutputView talk={talk} />)}
      />
    </>
  );
}

interface PayloadProps {
  title: string;
  sent: Sent | null | undefined;
  mode: Mode;
  drawn: (() => JSX.Element) | null; // what is shown formatted, where that is a conversation
}

// Payload is one section: an input, an output. Raw and what is copied are as it was sent; a text is without quotes.
function Payload({ title, sent, mode, drawn }: PayloadProps): JSX.Element | null {
  const [open, set] = useState(true);
  if (!sent) return null;
  const { value } = sent;
  const raw = typeof value === "string" ? value : sent.text;
  return (
    <section class="payload">
      <header class="section-head">
        <button type="button" class="section-toggle" aria-expanded={open} onClick={() => set(!open)}>
          <Icon name={open ? "down" : "right"} size={12} />
          <h3>{title}</h3>
        </button>
        <Copy text={raw} label={`Copy the ${title.toLowerCase()}`} />
      </header>
      {open && (mode === "formatted" && drawn ? drawn() : <Body value={value} raw={raw} mode={mode} />)}
    </section>
  );
}

function Body({ value, raw, mode }: { value: unknown; raw: string; mode: Mode }): JSX.Element {
  switch (mode) {
    case "raw":
      return <pre class="raw">{raw}</pre>;
    case "json":
      return <JsonView value={typeof value === "string" ? parsed(value) : value} />;
    case "markdown":
      return <Markdown text={longest(value) ?? raw} />;
    default:
      return <Formatted value={value} />;
  }
}

/** Formatted shows what the value seems to be: a conversation, a text, or JSON. */
export function Formatted({ value }: { value: unknown }): JSX.Element {
  const v = typeof value === "string" ? parsed(value) : value;
  if (typeof v === "string") return <Long text={v} />;
  const chat = conversation(v);
  if (chat) return <Chat messages={chat} />;
  const only = onlyText(v);
  if (only) {
    return (
      <>
        <p class="faint small">{only[0]}</p>
        <Long text={only[1]} />
      </>
    );
  }
  return <JsonView value={v} open={3} fold />;
}

/** onlyText is the one member of an object that holds nothing but a text. */
export function onlyText(v: unknown): [string, string] | undefined {
  if (!isObject(v)) return undefined;
  const [first, ...rest] = entriesOf(v);
  return first && rest.length === 0 && typeof first[1] === "string" && typeof parsed(first[1]) === "string"
    ? (first as [string, string])
    : undefined;
}

// longest is the longest text in a value: what markdown would be in.
function longest(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (value === null || typeof value !== "object" || value instanceof Digits) return undefined;
  return Object.values(value)
    .map(longest)
    .reduce((a, b) => ((b?.length ?? -1) > (a?.length ?? -1) ? b : a), undefined);
}
