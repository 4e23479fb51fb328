import type { ComponentChildren, JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { get, seg } from "../api.ts";
import { link } from "../base.ts";
import { cost, count, counted, meanScore, short } from "../format.ts";
import { useKeys } from "../keys.tsx";
import { navigate } from "../router.ts";
import { yesNoScores } from "../scorestats.ts";
import { unpriced } from "../trace/amounts.ts";
import { Chat } from "../trace/conversation.tsx";
import { Formatted, onlyText } from "../trace/payload.tsx";
import { conversation } from "../trace/read/read.ts";
import { type Turn, turnsOf } from "../trace/turns.ts";
import type { SessionTrace, TraceSession } from "../types.ts";
import { Copy, Failure, PageHead, Spinner, Time, Took } from "../ui/bits.tsx";
import { Tiles } from "../ui/datatable.tsx";
import { Icon } from "../ui/icon.tsx";
import { useLoad } from "../ui/load.ts";
import { lasted } from "./sessions.tsx";
import { traceHref, traceName } from "./tracecolumns.tsx";

/** SessionPage shows one session: its traces, oldest first, as one conversation. */
export function SessionPage({ id }: { id: string }): JSX.Element {
  const path = `/v1/sessions/${seg(id)}`;
  const { data, error, reload } = useLoad(signal => get<TraceSession>(path, {}, signal), [path]);
  useKeys([
    { key: "u", label: "Back to the list", run: () => navigate(link("/sessions")) },
    { key: "r", label: "Load again", run: reload },
  ]);
  return (
    <div class="page">
      <PageHead title={id}>
        <a class="crumb" href={link("/sessions")}>
          <Icon name="left" size={12} /> Sessions
        </a>
        <Copy text={id} label="Copy the id" />
        <span class="spacer" />
        <a class="button" href={link(`/traces?session_id=${seg(id)}&range=all`)}>
          <Icon name="traces" /> As a list of traces
        </a>
      </PageHead>
      {error && <Failure error={error} again={reload} />}
      {!data && !error && <Spinner />}
      {data && <Shown key={data.last_seen + data.trace_count} session={data} path={path} />}
    </div>
  );
}

const none = new Set<string>();

function Shown({ session: s, path }: { session: TraceSession; path: string }): JSX.Element {
  const [more, setMore] = useState<SessionTrace[]>([]);
  const [cursor, setCursor] = useState(s.next_cursor);
  const [error, setError] = useState<Error | undefined>();
  const [busy, setBusy] = useState(false);
  const turns = useMemo(() => turnsOf([...s.traces, ...more]), [s, more]);
  const scored = turns.some(t => Object.keys(t.trace.scores).length > 0);
  // Traces have numbers where scores are yes or no.
  const { data: yesNo = none } = useLoad(
    signal => (scored ? yesNoScores({ session_id: s.id }, signal) : Promise.resolve(none)),
    [s.id, scored],
  );
  const next = async () => {
    setBusy(true);
    setError(undefined);
    try {
      const page = await get<TraceSession>(path, { cursor: cursor ?? undefined });
      setMore(m => [...m, ...page.traces]);
      setCursor(page.next_cursor);
    } catch (e) {
      setError(e as Error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <Tiles
        tiles={[
          { title: "Traces", value: count(s.trace_count), more: counted(s.observation_count, "step") },
          { title: "Errors", value: count(s.error_count) },
          { title: "Lasted", value: lasted(s) },
          { title: "Tokens", value: short(s.total_tokens) },
          { title: "Cost", value: cost(s.total_cost), more: unpriced(s.unpriced_count) },
        ]}
      />
      <p class="session-facts">
        <Time at={s.first_seen} long />
        {s.user_ids.map(u => (
          <a key={u} href={link(`/users/${seg(u)}`)}>
            {u}
          </a>
        ))}
        {s.environments.map(e => (
          <span key={e} class="badge">
            {e}
          </span>
        ))}
      </p>
      <ol class="turns">
        {turns.map(t => (
          <TurnView key={t.trace.id} turn={t} yesNo={yesNo} />
        ))}
      </ol>
      {error && <Failure error={error} again={() => void next()} />}
      {cursor && !error && (
        <p class="turns-more">
          <span class="muted">
            {count(turns.length)} of {counted(s.trace_count, "trace")}
          </span>
          <button type="button" class="button" disabled={busy} onClick={() => void next()}>
            Show more
          </button>
        </p>
      )}
    </>
  );
}

interface TurnProps {
  turn: Turn;
  yesNo: Set<string>; // names of scores that are yes or no
}

function TurnView({ turn: { trace: t, before, input }, yesNo }: TurnProps): JSX.Element {
  const [all, set] = useState(false);
  return (
    <li class={`card turn${t.status === "error" ? " turn-failed" : ""}`} aria-label={traceName(t)}>
      <header class="turn-head">
        <a href={traceHref(t)} class="row-link ellipsis">
          {traceName(t)}
        </a>
        {t.status !== "ok" && <span class="badge badge-error">{t.status === "error" ? "failed" : t.status}</span>}
        <span class="muted">
          <Time at={t.start_time} />
        </span>
        <span class="muted">
          <Took of={t} />
        </span>
        <span class="muted">{short(t.total_tokens)} tokens</span>
        <span class="muted">{cost(t.total_cost)}</span>
        {t.error_count > 0 && <span class="badge badge-error">{counted(t.error_count, "error")}</span>}
        {Object.entries(t.scores).map(([name, v]) => (
          <span key={name} class="badge" title="Score">
            {name} {meanScore(v, yesNo.has(name))}
          </span>
        ))}
      </header>
      <div class="turn-body">
        {before.length > 0 && (
          <button type="button" class="button quiet turn-before" aria-expanded={all} onClick={() => set(!all)}>
            <Icon name={all ? "down" : "right"} size={12} />
            {counted(before.length, "message")} from before
          </button>
        )}
        {all && <Chat messages={before} />}
        {input ? (
          input.length > 0 && <Chat messages={input} />
        ) : (
          <Side from="user" title="Input" value={t.input?.value} />
        )}
        <Output value={t.output?.value} />
        {t.input === null && t.output === null && <p class="faint">This trace has no input or output of its own.</p>}
      </div>
    </li>
  );
}

function Output({ value }: { value: unknown }): JSX.Element | null {
  const chat = conversation(value);
  return chat ? <Chat messages={chat} /> : <Side from="assistant" title="Output" value={value} />;
}

// Side is what is not messages: it stands on the side of who it seems to be from.
function Side({ from, title, value }: { from: string; title: string; value: unknown }): ComponentChildren {
  if (value === null || value === undefined) return null;
  const text = onlyText(value);
  return (
    <div class={`message role-${from}`}>
      <header>
        <span class="role">{title}</span>
        {text && <span class="muted">{text[0]}</span>}
      </header>
      <div class="message-body">
        <Formatted value={text ? text[1] : value} />
      </div>
    </div>
  );
}
