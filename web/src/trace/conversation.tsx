// Draws conversations: on the page, and without script in what is saved. So nothing here keeps a state of its own:
// what opens and closes does so in Folded, Long and JsonView, for which the saved file has others.
import type { JSX } from "preact";
import { count } from "../format.ts";
import { Digits, entriesOf, isObject, parsed } from "../json.ts";
import { Folded } from "../ui/folded.tsx";
import { JsonView } from "../ui/json.tsx";
import { Long } from "../ui/long.tsx";
import { MediumView } from "./medium.tsx";
import { endingOf } from "./read/ends.ts";
import { type Message, type Part, side, type Tool } from "./read/shape.ts";
import type { Called, Numbers, Talk } from "./talk.ts";

const known = ["system", "user", "assistant", "tool"];
const SYSTEM = 10; // lines of a system's text that are shown at first

/** Chat shows messages as a conversation. */
export function Chat({ messages, numbers }: { messages: Message[]; numbers?: Numbers | undefined }): JSX.Element {
  return (
    <ol class="chat">
      {messages.map((m, i) => (
        <li key={i} class={`message role-${known.includes(side(m.role)) ? side(m.role) : "other"}`}>
          <header>
            <span class="role">{m.role}</span>
            {m.name && <span class="muted">{m.name}</span>}
            {m.end && <End reason={m.end} />}
          </header>
          <div class="message-body">
            {m.parts.length === 0 && <span class="faint">empty</span>}
            {m.parts.map((p, n) => (
              <PartView
                key={n}
                part={p}
                number={numbers?.get(p)}
                most={side(m.role) === "system" ? SYSTEM : undefined}
              />
            ))}
          </div>
          <UsageLine usage={m.usage} />
          <More of={m.more} />
        </li>
      ))}
    </ol>
  );
}

/** InputView shows what went into a call: what is new of it, and the rest folded. */
export function InputView({ talk }: { talk: Talk }): JSX.Element | null {
  if (!talk.input) return null;
  const { reading, beside } = talk.input;
  const { count: n, known } = talk.earlier;
  const before = reading.messages.slice(0, n);
  return (
    <>
      {before.length > 0 && (
        <Folded title={`${count(n)} earlier messages`} note={known ? "A call before this one has them" : ""}>
          {() => <Chat messages={before} />}
        </Folded>
      )}
      <Chat messages={reading.messages.slice(n)} />
      <div class="folded-rows">
        <ToolsOffered tools={talk.tools} called={talk.called} />
        {reading.format !== undefined && (
          <Folded title="Form of the answer">{() => <JsonView value={reading.format} open={6} fold />}</Folded>
        )}
        <UsageLine usage={reading.usage} />
        <More of={reading.more} />
        <Beside value={beside} />
      </div>
    </>
  );
}

/** OutputView shows what came out. */
export function OutputView({ talk }: { talk: Talk }): JSX.Element | null {
  if (!talk.output) return null;
  const { reading, beside } = talk.output;
  return (
    <>
      <Chat messages={reading.messages} numbers={talk.numbers} />
      <div class="folded-rows">
        <UsageLine usage={reading.usage} />
        <More of={reading.more} />
        <Beside value={beside} />
      </div>
    </>
  );
}

// Beside is a payload in whose place the messages of its attributes are shown.
function Beside({ value }: { value: unknown }): JSX.Element | null {
  if (value === undefined || value === null) return null;
  return (
    <Folded title="More" note="the whole, as it was sent">
      {() => <JsonView value={value} />}
    </Folded>
  );
}

function End({ reason }: { reason: string }): JSX.Element {
  const { text, bad } = endingOf(reason);
  return <span class={bad ? "badge badge-error" : "faint"}>{text}</span>;
}

interface PartProps {
  part: Part;
  number?: number | undefined;
  most?: number | undefined; // lines of a text that are shown at first
}

function PartView({ part: p, number, most }: PartProps): JSX.Element {
  switch (p.kind) {
    case "text":
      return <Text text={p.text} most={most} />;
    case "json":
      return <JsonView value={p.value} fold />;
    case "medium":
      return <MediumView medium={p.medium} />;
    case "refusal":
      return (
        <div class="refusal">
          <span class="badge badge-error">refused</span>
          <Text text={p.text} />
        </div>
      );
    case "reasoning":
      if (p.text === "") return <p class="faint">Reasoning that was not sent in words</p>;
      return (
        <Folded title="Reasoning" note={`${count(p.text.length)} characters`}>
          {() => <Long text={p.text} />}
        </Folded>
      );
    case "call":
      return (
        <div class="call">
          <p class="call-head">
            <span class="badge kind-tool">{number === undefined ? "call" : `call ${number}`}</span>
            <code>{p.name || "tool"}</code>
            {p.id && <span class="faint small ellipsis">{p.id}</span>}
          </p>
          {p.input !== undefined && p.input !== null && p.input !== "" && <JsonView value={p.input} fold />}
        </div>
      );
    case "result":
      return (
        <div class="call">
          {(p.id || p.name || p.failed) && (
            <p class="call-head">
              <span class={p.failed ? "badge badge-error" : "badge kind-tool"}>{p.failed ? "failed" : "result"}</span>
              {p.name && <code>{p.name}</code>}
              {p.id && <span class="faint small ellipsis">answers {p.id}</span>}
            </p>
          )}
          {p.parts.length === 0 && <span class="faint">empty</span>}
          {p.parts.map((inner, i) => (
            <PartView key={i} part={inner} />
          ))}
        </div>
      );
  }
}

// Text is a text, or the JSON that it is.
function Text({ text, most }: { text: string; most?: number | undefined }): JSX.Element {
  const v = parsed(text);
  return typeof v === "string" ? <Long text={v} {...(most ? { most } : {})} /> : <JsonView value={v} fold />;
}

// More has what of something is not drawn.
function More({ of }: { of: Record<string, unknown> | undefined }): JSX.Element | null {
  if (!of) return null;
  const names = [
    ...new Set(entriesOf(of).flatMap(([name, v]) => (/[[.]/.test(name) && isObject(v) ? Object.keys(v) : [name]))),
  ];
  const note = names.slice(0, 4).join(", ") + (names.length > 4 ? ` and ${count(names.length - 4)} more` : "");
  return (
    <Folded title="More" note={note}>
      {() => <JsonView value={of} />}
    </Folded>
  );
}

// UsageLine has the numbers of what was used.
function UsageLine({ usage }: { usage: unknown }): JSX.Element | null {
  const said = flat(usage, "", 3);
  if (said.length === 0) return null;
  return (
    <div class="usage muted small">
      Usage:{" "}
      {said.map(([name, v], i) => (
        <span key={i}>
          {i > 0 && " · "}
          {name} {typeof v === "string" ? v : <JsonView value={v} open={0} />}
        </span>
      ))}
    </div>
  );
}

// flat are the values in an object with the names that lead to them; what is deeper stays as it is.
function flat(v: unknown, name: string, deep: number): [string, unknown][] {
  if (v === null || v === undefined || v === "") return [];
  if (v instanceof Digits) return [[name, v.text]];
  if (typeof v !== "object") return [[name, String(v)]];
  if (deep === 0) return [[name, v]];
  const members: [string, unknown][] = isObject(v) ? entriesOf(v) : Object.entries(v);
  return members.flatMap(([key, x]) => flat(x, name === "" ? key : `${name}.${key}`, deep - 1));
}

/** ToolsOffered are the tools of a request; those that the answer calls are marked. */
export function ToolsOffered({ tools, called }: { tools: Tool[]; called: Called }): JSX.Element | null {
  if (tools.length === 0) return null;
  const used = tools.filter(t => called.has(t.name)).map(t => t.name);
  const note = `${count(tools.length)}${used.length > 0 ? `, called: ${used.join(", ")}` : ""}`;
  return (
    <Folded title="Tools offered" note={note}>
      {() => tools.map((t, i) => <ToolView key={i} tool={t} calls={called.get(t.name)} />)}
    </Folded>
  );
}

function ToolView({ tool: t, calls }: { tool: Tool; calls: number[] | undefined }): JSX.Element {
  return (
    <div class={calls ? "call called" : "call"}>
      <p class="call-head">
        <span class="badge kind-tool">{calls ? `called ${calls.join(", ")}` : "tool"}</span>
        <code>{t.name}</code>
      </p>
      {t.description && <Long text={t.description} most={4} />}
      {t.schema !== undefined && <Folded title="Schema">{() => <JsonView value={t.schema} open={6} fold />}</Folded>}
      <More of={t.more} />
    </div>
  );
}
