import type { JSX } from "preact";
import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import { get } from "../api.ts";
import { ago, count, percent } from "../format.ts";
import { useKeys } from "../keys.tsx";
import { readRange } from "../range.ts";
import { usePlace } from "../router.ts";
import type { Audit, Page, RefusedRequest } from "../types.ts";
import { Empty, Failure, PageHead, Spinner, Time } from "../ui/bits.tsx";
import { Icon } from "../ui/icon.tsx";
import { useLoad } from "../ui/load.ts";
import { TimeRange } from "../ui/timerange.tsx";
import { Failures } from "./ingestfailures.tsx";
import { Refused } from "./ingestrefused.tsx";
import { EventsOverTime } from "./ingesttime.tsx";
import { Lookup } from "./lookup.tsx";

const EVERY = 5000; // ms between two looks at the audit

/** IngestPage is the delivery audit: what became of every event that was sent. */
export function IngestPage(): JSX.Element {
  const { query } = usePlace();
  const times = `${query.get("range")} ${query.get("from")} ${query.get("to")}`;
  const [turn, setTurn] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the string stands for the query, and turn for the time it is asked
  const range = useMemo(() => readRange(query, Date.now()), [times, turn]);
  const { data, error, reload } = useLoad(signal => get<Audit>("/v1/telemetry/audit", {}, signal), []);
  const refused = useLoad(signal => get<Page<RefusedRequest>>("/v1/ingest/refused", {}, signal), []);
  const look = useCallback(() => {
    reload();
    refused.reload();
  }, [reload, refused.reload]);
  useEvery(EVERY, look);
  const again = () => {
    setTurn(n => n + 1);
    look();
  };
  useKeys([{ key: "r", label: "Load again", run: again }]);
  return (
    <div class="page audit">
      <PageHead title="Ingest">
        {data && (
          <span class="muted small">
            This node, since <Time at={data.since} long /> ({ago(data.since)})
          </span>
        )}
        <span class="spacer" />
        <TimeRange range={range} />
      </PageHead>
      {error && <Failure error={error} again={reload} />}
      {data ? <Numbers audit={data} /> : !error && <Spinner />}
      <EventsOverTime range={range} />
      {data && (
        <section aria-labelledby="audit-failures">
          <h2 id="audit-failures">Failures by reason</h2>
          {data.failures.length > 0 ? (
            <Failures groups={data.failures} />
          ) : (
            <Empty icon="check" title="No event was refused">
              <p>Since this node started, every event of this project was accepted or was a duplicate.</p>
            </Empty>
          )}
        </section>
      )}
      <section aria-labelledby="audit-refused">
        <h2 id="audit-refused">Refused requests</h2>
        {refused.error && <Failure error={refused.error} again={refused.reload} />}
        {refused.data && <Refused rows={refused.data.data} />}
      </section>
      <section aria-labelledby="audit-lookup">
        <h2 id="audit-lookup">Where is my event?</h2>
        <Lookup />
      </section>
    </div>
  );
}

// useEvery calls f again and again while the page can be seen.
function useEvery(ms: number, f: () => void): void {
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) f();
    }, ms);
    return () => clearInterval(timer);
  }, [ms, f]);
}

const modes: Record<string, { title: string; class: string; means: string }> = {
  local: { title: "local", class: "badge-ok", means: "One node: each id is compared with all ids of its own log." },
  redis: {
    title: "Redis",
    class: "badge-ok",
    means: "Several nodes: each id is claimed on Redis before it is stored.",
  },
  redis_degraded: {
    title: "Redis is away",
    class: "badge-warn",
    means: "Redis does not answer: ids are compared with this node's events only until it is back.",
  },
};

function Numbers({ audit: a }: { audit: Audit }): JSX.Element {
  const sent = a.processed_events + a.duplicate_events + a.failed_events;
  const share = (n: number) => (sent > 0 ? `${percent(n / sent)} of ${count(sent)} sent` : "nothing was sent yet");
  const mode = modes[a.dedup] ?? { title: a.dedup, class: "", means: "" };
  return (
    <dl class="audit-numbers">
      <Figure title="Accepted" value={count(a.processed_events)} more={share(a.processed_events)} />
      <Figure title="Duplicates" value={count(a.duplicate_events)} more={share(a.duplicate_events)} />
      <Figure title="Failed" value={count(a.failed_events)} more={share(a.failed_events)} bad={a.failed_events > 0} />
      <Figure
        title="Batches"
        value={count(a.batches)}
        more={a.batches > 0 ? `${(sent / a.batches).toFixed(1)} events each` : ""}
      />
      <Figure
        title="Backlog"
        value={count(a.backlog_events)}
        more={a.backlog_events > 0 ? "on disk, soon in lists" : "lists show all that is stored"}
      />
      <Figure
        title="Waiting jobs"
        value={count(a.pending_jobs)}
        more={a.pending_jobs > 0 ? "accepted, not finished" : "none is unfinished"}
      />
      <Figure
        title="Quarantine"
        value={count(a.quarantined_events)}
        more={a.quarantined_events > 0 ? "stored, but no list can show them" : "nothing was put aside"}
        bad={a.quarantined_events > 0}
      />
      <div class="card audit-number">
        <dt>Deduplication</dt>
        <dd>
          <span class={`badge audit-mode ${mode.class}`}>{mode.title}</span>
          <span class="muted small">{mode.means}</span>
        </dd>
      </div>
    </dl>
  );
}

interface FigureProps {
  title: string;
  value: string;
  more: string;
  bad?: boolean;
}

function Figure({ title, value, more, bad = false }: FigureProps): JSX.Element {
  return (
    <div class="card audit-number">
      <dt>{title}</dt>
      <dd>
        <strong class={bad ? "audit-bad" : ""}>
          {value}
          {bad && <Icon name="error" />}
        </strong>
        <span class="muted small">{more}</span>
      </dd>
    </div>
  );
}
