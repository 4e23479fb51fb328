import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { get, seg } from "../api.ts";
import { duration } from "../format.ts";
import type { Sent } from "../json.ts";
import type { Page } from "../types.ts";
import { Copy, Failure, Spinner, Time } from "../ui/bits.tsx";
import { Icon } from "../ui/icon.tsx";
import { JsonView } from "../ui/json.tsx";
import { useLoad } from "../ui/load.ts";
import { micros } from "./tree.ts";

/** HistoryEvent is one event that an entity was folded from. */
interface HistoryEvent {
  event_id: string;
  event_type: string;
  timestamp: string; // what the client says
  received_at: string; // when the server had it
  batch_id: string;
  environment?: string;
  payload: Sent | null;
}

/** History lists the events that a trace, or an observation in it, was folded from: what came, when, and how late. */
export function History({ trace, observation }: { trace: string; observation?: string | undefined }): JSX.Element {
  // An observation's id is its own only within its trace.
  const path = observation === undefined ? `/v1/traces/${seg(trace)}` : `/v1/observations/${seg(observation)}`;
  const params = { trace_id: observation === undefined ? undefined : trace };
  const { data, error, reload } = useLoad(
    signal => get<Page<HistoryEvent>>(`${path}/history`, params, signal),
    [path, trace],
  );
  if (error) return <Failure error={error} again={reload} />;
  if (!data) return <Spinner />;
  return (
    <ol class="history">
      {data.data.map(e => (
        <Entry key={e.event_id} event={e} />
      ))}
    </ol>
  );
}

function Entry({ event: e }: { event: HistoryEvent }): JSX.Element {
  const [open, set] = useState(false);
  const late = (micros(e.received_at) - micros(e.timestamp)) / 1000;
  return (
    <li>
      <button type="button" class="history-line" aria-expanded={open} onClick={() => set(!open)}>
        <Icon name={open ? "down" : "right"} size={12} />
        <strong>{e.event_type}</strong>
        <Time at={e.timestamp} />
        <span class="muted">
          {late >= 0 ? `received ${duration(late)} later` : `received ${duration(-late)} before its own time`}
        </span>
      </button>
      {open && (
        <div class="history-body">
          <dl class="facts">
            <dt>Event</dt>
            <dd>
              <Copy text={e.event_id} label="Copy the event's id">
                <code>{e.event_id}</code>
              </Copy>
            </dd>
            <dt>Batch</dt>
            <dd>
              <Copy text={e.batch_id} label="Copy the batch's id">
                <code>{e.batch_id}</code>
              </Copy>
            </dd>
            {e.environment && (
              <>
                <dt>Environment</dt>
                <dd>{e.environment}</dd>
              </>
            )}
            <dt>Received</dt>
            <dd>
              <Time at={e.received_at} long />
            </dd>
          </dl>
          <JsonView value={e.payload?.value} open={3} />
        </div>
      )}
    </li>
  );
}
