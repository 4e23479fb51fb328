import type { JSX } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { Act } from "../act/act.tsx";
import { isNote } from "../act/record.ts";
import { seg } from "../api.ts";
import { link } from "../base.ts";
import { scoreText } from "../format.ts";
import { useKeys } from "../keys.tsx";
import { may, useSession } from "../signedin.ts";
import type { Observation, Score, Trace } from "../types.ts";
import { Copy, Failure, Spinner, Time } from "../ui/bits.tsx";
import { Icon } from "../ui/icon.tsx";
import { JsonView } from "../ui/json.tsx";
import type { Known } from "./earlier.ts";
import { ObservationFacts, TraceFacts } from "./facts.tsx";
import { History } from "./history.tsx";
import { useMarks } from "./marks.ts";
import { Exchange, type Mode, ModePicker, usePayloadMode } from "./payload.tsx";
import { type Payloads, useWhole } from "./sent.ts";
import { spanned } from "./sides.ts";
import { SpanParts } from "./span.tsx";
import { kindOf } from "./tree.ts";
import { type Twin, twinsOf } from "./twins.ts";
import { type Question, Why } from "./why.tsx";

type Tab = "payload" | "metadata" | "scores" | "history";

interface Props {
  trace: Trace;
  observation: Observation | null; // null: the trace itself
}

interface HeadProps extends Props {
  twin: Twin | null; // stands for the call that the observation reports, too
}

interface DetailProps extends HeadProps {
  payloads: Payloads;
  turn: number; // of what was sent: another one asks for it again
  find: string; // is marked where it stands
  changed: () => void; // something was said of it: the trace is loaded again
}

/** Detail shows one observation, or what belongs to the trace itself. What was sent comes when it is looked at. */
export function Detail({ trace, observation: o, twin, payloads, turn, find, changed }: DetailProps): JSX.Element {
  const whole = useWhole(o, trace, payloads, turn);
  const [tab, setTab] = useState<Tab>("payload");
  const [mode, setMode] = usePayloadMode();
  const scores = o ? trace.score_list.filter(s => s.observation_id === o.id) : trace.score_list; // notes, too
  const tabs: [Tab, string][] = [
    ["payload", "Input and output"],
    ["metadata", "Metadata"],
    ["scores", `Scores and notes${scores.length ? ` ${scores.length}` : ""}`],
    ["history", "History"],
  ];
  const [scoring, score] = useState(0); // which score a key has led to
  const writes = may(useSession(), "ingest");
  useKeys(
    writes
      ? Array.from({ length: 9 }, (_, i) => ({
          key: String(i + 1),
          label: "To the score with this number, 1 to 9",
          unlisted: i > 0,
          run: () => {
            setTab("scores");
            score(i + 1);
          },
        }))
      : [],
  );
  const article = useRef<HTMLElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  useMarks(article, find, `${o?.id ?? ""} ${tab} ${whole.of !== undefined}`);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is chosen starts at its top, however far the one before was scrolled
  useLayoutEffect(() => {
    panel.current?.scrollTo(0, 0);
    const top = article.current?.getBoundingClientRect().top ?? 0;
    if (top < 0) article.current?.scrollIntoView(); // on a narrow screen the whole page scrolls
  }, [o?.id]);
  return (
    <article class="detail" ref={article} aria-label={o ? o.name || o.id : "Trace"}>
      <Head key={o?.id ?? ""} trace={trace} observation={o && ((whole.of as Observation) ?? o)} twin={twin} />
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
      <div class="tab-panel" ref={panel} role="tabpanel" id="tab-panel" aria-labelledby={`tab-${tab}`} tabIndex={0}>
        {(tab === "payload" || tab === "metadata") && whole.error && (
          <Failure error={whole.error} again={whole.reload} />
        )}
        {(tab === "payload" || tab === "metadata") && !whole.of && !whole.error && <Spinner />}
        {tab === "payload" && whole.of && (
          <Said key={o?.id ?? ""} of={whole.of} trace={trace} known={payloads.known} mode={mode} />
        )}
        {tab === "metadata" && whole.of && <Metadata of={whole.of} trace={trace} />}
        {tab === "scores" && (
          <>
            <Scores scores={scores.filter(s => !isNote(s))} trace={trace} />
            <Act
              about={{ trace, observation: o?.id ?? "" }}
              output={plainOutput(whole.of ?? trace)}
              at={scoring}
              changed={changed}
            />
          </>
        )}
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

function Head({ trace, observation: o, twin }: HeadProps): JSX.Element {
  const [question, ask] = useState<Question | null>(null);
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
      {twin && (
        <p class="notice">
          <Icon name="link" />
          <span>
            The same call as{" "}
            <a href={link(`/traces/${seg(twin.trace)}?observation=${seg(twin.id)}`)}>
              {twin.name}
              {twin.elsewhere && " in another trace"}
            </a>
            , reported by another library. Sums, costs and lists of calls have it once.
          </span>
        </p>
      )}
      <dl class="stats">{o ? <ObservationFacts o={o} ask={ask} /> : <TraceFacts trace={trace} />}</dl>
      {o && !twin && <AlsoBy o={o} trace={trace} />}
      {o && question && <Why key={question.title} o={o} question={question} onClose={() => ask(null)} />}
    </header>
  );
}

// AlsoBy names who else reports the call that an observation stands for.
function AlsoBy({ o, trace }: { o: Observation; trace: Trace }): JSX.Element | null {
  const twins = twinsOf(o, trace);
  if (twins.length === 0) return null;
  return (
    <p class="muted small also-by">
      Also reported by{" "}
      {twins.map((t, i) => (
        <span key={t.id}>
          {i > 0 && ", "}
          <a href={link(`/traces/${seg(trace.id)}?observation=${seg(t.id)}`)}>{t.source?.scope || t.name || t.id}</a>
        </span>
      ))}
      , and counted once.
    </p>
  );
}

interface SaidProps {
  of: Trace | Observation;
  trace: Trace;
  known: Known;
  mode: Mode;
}

// Said is what went in and what came out, and what else a span has.
function Said({ of: x, trace, known, mode }: SaidProps): JSX.Element {
  const o = "trace_id" in x ? x : null;
  const some = [x.input, x.output, o?.messages_in, o?.messages_out].some(Boolean);
  return (
    <>
      {some ? (
        <Exchange of={x} trace={trace} known={known} mode={mode} />
      ) : (
        <p class="muted">No input and no output were sent.</p>
      )}
      {o && spanned(o) && <SpanParts o={o} />}
    </>
  );
}

// plainOutput is an output as a text that a person corrects.
function plainOutput({ output }: Trace | Observation): string {
  const value = output?.value;
  return value === undefined || value === null
    ? ""
    : typeof value === "string"
      ? value
      : JSON.stringify(value, null, 2);
}

function Metadata({ of: x, trace }: { of: Trace | Observation; trace: Trace }): JSX.Element {
  const { tags, metadata } = x;
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
        Environment <code>{x.environment}</code>
        {x.key_id && (
          <>
            {" "}
            Key <code>{x.key_id}</code>
          </>
        )}
        {!("trace_id" in x) && trace.parent_trace_id && (
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
                  ? "yes"
                  : "no"
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
