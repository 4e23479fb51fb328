import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { link } from "../base.ts";
import { cost, count, scoreText } from "../format.ts";
import { entriesOf, isObject, pretty, type Sent } from "../json.ts";
import type { Observation, Score, Trace } from "../types.ts";
import { Copy, Time, Took } from "../ui/bits.tsx";
import { Icon } from "../ui/icon.tsx";
import { JsonView } from "../ui/json.tsx";
import { costLeftOut, inputParts, outputParts, tokensLeftOut } from "./amounts.ts";
import { History } from "./history.tsx";
import { ModePicker, Payload, usePayloadMode } from "./payload.tsx";
import { kindOf } from "./tree.ts";

type Tab = "payload" | "metadata" | "scores" | "history";

interface Props {
  trace: Trace;
  observation: Observation | null; // null: the trace itself
}

/** Detail shows one observation, or what belongs to the trace itself. */
export function Detail({ trace, observation: o }: Props): JSX.Element {
  const [tab, setTab] = useState<Tab>("payload");
  const [mode, setMode] = usePayloadMode();
  const scores = o ? trace.score_list.filter(s => s.observation_id === o.id) : trace.score_list;
  const tabs: [Tab, string][] = [
    ["payload", "Input and output"],
    ["metadata", "Metadata"],
    ["scores", `Scores${scores.length ? ` ${scores.length}` : ""}`],
    ["history", "History"],
  ];
  return (
    <article class="detail" aria-label={o ? o.name || o.id : "Trace"}>
      <Head trace={trace} observation={o} />
      <div class="tabs-line">
        <div class="tabs" role="tablist" aria-label="Parts" onKeyDown={e => onTabKey(e, tabs, tab, setTab)}>
          {tabs.map(([value, title]) => (
            <button
              key={value}
              type="button"
              role="tab"
              id={`tab-${value}`}
              aria-selected={value === tab}
              aria-controls="tab-panel"
              tabIndex={value === tab ? 0 : -1}
              onClick={() => setTab(value)}
            >
              {title}
            </button>
          ))}
        </div>
        {tab === "payload" && <ModePicker mode={mode} onMode={setMode} />}
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a panel that scrolls must be reachable by key */}
      <div class="tab-panel" role="tabpanel" id="tab-panel" aria-labelledby={`tab-${tab}`} tabIndex={0}>
        {tab === "payload" && (
          <Payloads key={o?.id ?? ""} input={(o ?? trace).input} output={(o ?? trace).output} mode={mode} />
        )}
        {tab === "metadata" && <Metadata trace={trace} observation={o} />}
        {tab === "scores" && <Scores scores={scores} trace={trace} />}
        {tab === "history" && <History key={o?.id ?? ""} trace={trace.id} observation={o?.id} />}
      </div>
    </article>
  );
}

function onTabKey(e: KeyboardEvent, tabs: [Tab, string][], tab: Tab, setTab: (t: Tab) => void): void {
  const step = e.key === "ArrowRight" ? 1 : e.key === "ArrowLeft" ? -1 : 0;
  if (!step) return;
  const at = tabs.findIndex(t => t[0] === tab);
  const next = tabs[(at + step + tabs.length) % tabs.length]!;
  setTab(next[0]);
  (e.currentTarget as HTMLElement).querySelector<HTMLElement>(`#tab-${next[0]}`)?.focus();
}

function Head({ trace, observation: o }: Props): JSX.Element {
  const id = o?.id ?? trace.id;
  const failed = o?.level === "ERROR";
  return (
    <header class="detail-head">
      <div class="detail-title">
        <span class={`badge kind kind-${o ? kindOf(o.type) : "trace"}`}>{o ? o.type : "trace"}</span>
        <h2 class="ellipsis">{o ? o.name || o.id : trace.name || trace.id}</h2>
        {o && o.level !== "DEFAULT" && o.level !== "" && (
          <span class={`badge${failed ? " badge-error" : o.level.startsWith("WARN") ? " badge-warn" : ""}`}>
            {o.level}
          </span>
        )}
        <Copy text={id} label="Copy the id">
          <code class="ellipsis">{id}</code>
        </Copy>
      </div>
      {o?.status_message && (
        <p class={`notice${failed ? " notice-error" : ""}`}>
          <Icon name="error" />
          <span>{o.status_message}</span>
        </p>
      )}
      <dl class="stats">{o ? <ObservationFacts o={o} /> : <TraceFacts trace={trace} />}</dl>
    </header>
  );
}

function Fact({ title, children }: { title: string; children: ComponentChildren }): JSX.Element {
  return (
    <div>
      <dt>{title}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Latency({ of: x }: { of: Trace | Observation }): JSX.Element {
  return (
    <Fact title="Latency">
      <Took of={x} />
      {x.latency_reason && <span class="faint"> {x.latency_reason}</span>}
    </Fact>
  );
}

function InChildren(): JSX.Element {
  return (
    <span class="badge stats-mark" title="It stands for what hangs below it, and sums have that alone">
      counted in its children
    </span>
  );
}

function ObservationFacts({ o }: { o: Observation }): JSX.Element {
  const tokens = [o.prompt_tokens, o.completion_tokens];
  const [input, output] = [inputParts(o), outputParts(o)];
  const sent = o.model_parameters?.value;
  const parameters = isObject(sent) ? entriesOf(sent) : [];
  return (
    <>
      <Fact title="Start">
        <Time at={o.start_time} />
        {o.start_time_inferred && <span class="faint"> inferred</span>}
      </Fact>
      <Latency of={o} />
      {o.model && <Fact title="Model">{o.provider ? `${o.model} · ${o.provider}` : o.model}</Fact>}
      {o.requested_model && o.requested_model !== o.model && <Fact title="Asked for">{o.requested_model}</Fact>}
      {o.finish_reason && <Fact title="Finish">{o.finish_reason}</Fact>}
      {o.total_tokens !== null && (
        <Fact title="Tokens">
          {tokens.every(t => t !== null)
            ? `${count(tokens[0])} in + ${count(tokens[1])} out = ${count(o.total_tokens)}`
            : count(o.total_tokens)}
          {tokensLeftOut(o) && <InChildren />}
        </Fact>
      )}
      {input && <Fact title="Of the input">{input}</Fact>}
      {output && <Fact title="Of the output">{output}</Fact>}
      {o.total_cost !== null && (
        <Fact title="Cost">
          <span title={`in ${cost(o.input_cost)}, out ${cost(o.output_cost)}`}>{cost(o.total_cost)}</span>
          {costLeftOut(o) && <InChildren />}
        </Fact>
      )}
      {o.quality_score !== null && <Fact title="Quality">{scoreText(o.quality_score)}</Fact>}
      {o.version && <Fact title="Version">{o.version}</Fact>}
      {parameters.map(([k, v], i) => (
        <Fact key={i} title={k}>
          {typeof v === "object" ? pretty(v, "").replaceAll("\n", "") : String(v)}
        </Fact>
      ))}
    </>
  );
}

function TraceFacts({ trace: t }: { trace: Trace }): JSX.Element {
  return (
    <>
      <Fact title="Start">
        <Time at={t.start_time} />
      </Fact>
      <Latency of={t} />
      <Fact title="Tokens">{count(t.total_tokens)}</Fact>
      <Fact title="Cost">{cost(t.total_cost)}</Fact>
      {t.models.length > 0 && <Fact title="Models">{t.models.join(", ")}</Fact>}
      {t.release && <Fact title="Release">{t.release}</Fact>}
      {t.version && <Fact title="Version">{t.version}</Fact>}
    </>
  );
}

function Payloads({
  input,
  output,
  mode,
}: {
  input: Sent | null | undefined;
  output: Sent | null | undefined;
  mode: "formatted" | "json" | "markdown" | "raw";
}): JSX.Element {
  if (!input && !output) return <p class="muted">No input and no output were sent.</p>;
  return (
    <>
      <Payload title="Input" sent={input} mode={mode} />
      <Payload title="Output" sent={output} mode={mode} />
    </>
  );
}

function Metadata({ trace, observation: o }: Props): JSX.Element {
  const tags = (o ?? trace).tags;
  const metadata = (o ?? trace).metadata;
  return (
    <>
      {tags.length > 0 && (
        <p class="tags">
          {tags.map(t => (
            <span key={t} class="badge">
              {t}
            </span>
          ))}
        </p>
      )}
      <p class="muted small">
        Environment <code>{(o ?? trace).environment}</code>
        {!o && trace.parent_trace_id && (
          <>
            , below the trace{" "}
            <a href={link(`/traces/${encodeURIComponent(trace.parent_trace_id)}`)}>{trace.parent_trace_id}</a>
          </>
        )}
      </p>
      {metadata ? <JsonView value={metadata.value} open={4} /> : <p class="muted">No metadata was sent.</p>}
    </>
  );
}

function Scores({ scores, trace }: { scores: Score[]; trace: Trace }): JSX.Element {
  if (scores.length === 0) return <p class="muted">Nobody scored this.</p>;
  const names = new Map<string, string>();
  const walk = (list: Observation[]) => {
    for (const o of list) {
      names.set(o.id, o.name || o.id);
      walk(o.children ?? []);
    }
  };
  walk(trace.observations);
  return (
    <ul class="scores">
      {scores.map(s => (
        <li key={s.id}>
          <div class="score-line">
            <strong>{s.name}</strong>
            <span class="score-value">
              {s.value !== null && s.data_type === "BOOLEAN"
                ? s.value
                  ? "true"
                  : "false"
                : scoreText(s.value ?? s.string_value)}
            </span>
            <span class="badge">{s.source || s.data_type}</span>
            <span class="muted small ellipsis">
              {[
                s.evaluator_name && `${s.evaluator_name} ${s.evaluator_version}`,
                s.author_user_id,
                names.get(s.observation_id),
              ]
                .filter(Boolean)
                .join(" · ")}
            </span>
            <span class="spacer" />
            <span class="muted small">
              <Time at={s.timestamp} />
            </span>
          </div>
          {s.comment && <p class="plain">{s.comment}</p>}
        </li>
      ))}
    </ul>
  );
}
