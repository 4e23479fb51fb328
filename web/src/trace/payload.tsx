import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { count } from "../format.ts";
import { Digits, entriesOf, isObject, type Sent } from "../json.ts";
import { load, save } from "../storage.ts";
import { Copy } from "../ui/bits.tsx";
import { Folded } from "../ui/folded.tsx";
import { Icon } from "../ui/icon.tsx";
import { JsonView } from "../ui/json.tsx";
import { Markdown } from "../ui/markdown.tsx";
import { conversation, type Message, type Part, parsed } from "./chat.ts";
import { messagesOf } from "./messages.ts";

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

interface PayloadProps {
  title: string;
  sent: Sent | null | undefined;
  messages?: Sent | null | undefined; // of it, in the one shape; what is formatted is these
  mode: Mode;
}

/** Payload is one section: an input, an output. Raw and what is copied are as it was sent; a text is without quotes. */
export function Payload({ title, sent, messages, mode }: PayloadProps): JSX.Element | null {
  const [open, set] = useState(true);
  const chat = useMemo(() => messagesOf(messages), [messages]);
  const shown = sent ?? (chat.length > 0 ? messages : null); // attributes of their own have them, and no payload does
  if (!shown) return null;
  const { value } = shown;
  const raw = typeof value === "string" ? value : shown.text;
  return (
    <section class="payload">
      <header class="section-head">
        <button type="button" class="section-toggle" aria-expanded={open} onClick={() => set(!open)}>
          <Icon name={open ? "down" : "right"} size={12} />
          <h3>{title}</h3>
        </button>
        <Copy text={raw} label={`Copy the ${title.toLowerCase()}`} />
      </header>
      {open &&
        (mode === "formatted" && chat.length > 0 ? (
          <Chat messages={chat} />
        ) : (
          <Body value={value} raw={raw} mode={mode} />
        ))}
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
  if (typeof v === "string") return <Markdown text={v} />;
  const chat = conversation(v);
  if (chat) return <Chat messages={chat} />;
  const only = onlyText(v);
  if (only) {
    return (
      <>
        <p class="faint small">{only[0]}</p>
        <Markdown text={only[1]} />
      </>
    );
  }
  return <JsonView value={v} open={3} />;
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

const known = ["system", "developer", "user", "human", "assistant", "model", "ai", "tool"];

/** Chat shows messages as a conversation. */
export function Chat({ messages }: { messages: Message[] }): JSX.Element {
  return (
    <ol class="chat">
      {messages.map((m, i) => (
        <li key={i} class={`message role-${known.includes(m.role) ? side(m.role) : "other"}`}>
          <header>
            <span class="role">{m.role}</span>
            {m.name && <span class="muted">{m.name}</span>}
          </header>
          <MessageBody message={m} />
        </li>
      ))}
    </ol>
  );
}

const FOLDED = 900; // characters of a system prompt that are shown at first

function MessageBody({ message: m }: { message: Message }): JSX.Element {
  const size = m.parts.reduce((n, p) => n + (p.kind === "text" ? p.text.length : 0), 0);
  const long = side(m.role) === "system" && size > FOLDED;
  const [open, set] = useState(!long);
  return (
    <>
      <div class={open ? "message-body" : "message-body folded"}>
        {m.parts.length === 0 && <span class="faint">empty</span>}
        {m.parts.map((p, i) => (
          <PartView key={i} part={p} />
        ))}
      </div>
      {long && (
        <button type="button" class="json-more" onClick={() => set(!open)}>
          {open ? "Less" : "All of it"}
        </button>
      )}
    </>
  );
}

function side(role: string): string {
  if (role === "developer") return "system";
  if (role === "human") return "user";
  return role === "model" || role === "ai" ? "assistant" : role;
}

function PartView({ part: p }: { part: Part }): JSX.Element {
  switch (p.kind) {
    case "text": {
      const v = parsed(p.text);
      return typeof v === "string" ? <Markdown text={v} /> : <JsonView value={v} />;
    }
    case "json":
      return <JsonView value={p.value} />;
    case "note":
      return <p class="muted">[{p.text}]</p>;
    case "reasoning":
      return (
        <Folded title="Reasoning" note={`${count(p.text.length)} characters`}>
          {() => <Markdown text={p.text} />}
        </Folded>
      );
    case "call":
      return (
        <div class="call">
          <p class="call-head">
            <span class="badge kind-tool">call</span> <code>{p.call.name || "tool"}</code>
            {p.call.id && <span class="faint small ellipsis">{p.call.id}</span>}
          </p>
          {p.call.input !== undefined && p.call.input !== null && <JsonView value={p.call.input} />}
        </div>
      );
    case "result":
      return (
        <div class="call">
          {(p.id || p.name) && (
            <p class="call-head">
              <span class="badge kind-tool">result</span> {p.name && <code>{p.name}</code>}
              {p.id && <span class="faint small ellipsis">answers {p.id}</span>}
            </p>
          )}
          {typeof p.value === "string" ? <Markdown text={p.value} /> : <JsonView value={p.value} />}
        </div>
      );
  }
}
