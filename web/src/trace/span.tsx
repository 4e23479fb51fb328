import type { JSX } from "preact";
import { get, query, seg } from "../api.ts";
import { link } from "../base.ts";
import { count } from "../format.ts";
import { entriesOf, isObject, type Sent } from "../json.ts";
import type { Observation, Trace } from "../types.ts";
import { Failure, Spinner } from "../ui/bits.tsx";
import { Folded } from "../ui/folded.tsx";
import { Icon } from "../ui/icon.tsx";
import { JsonView } from "../ui/json.tsx";
import { useLoad } from "../ui/load.ts";
import { Exchange, type Mode } from "./payload.tsx";

// complete says whether the trace's answer has all of it.
const complete = (o: Observation): boolean => [o.attributes, o.resource, o.messages_in].some(v => v !== undefined);

interface Props {
  o: Observation;
  trace: Trace;
  mode: Mode;
}

/** SpanPayloads shows an observation that came as a span: messages, and all else that was in it. */
export function SpanPayloads({ o, trace, mode }: Props): JSX.Element {
  const { data, error, reload } = useLoad(
    async signal =>
      complete(o) ? o : get<Observation>(`/v1/observations/${seg(o.id)}`, { trace_id: o.trace_id }, signal),
    [o.id, o.trace_id],
  );
  if (!data && !error) return <Spinner />;
  const whole = data ?? o;
  const some = [whole.input, whole.output, whole.messages_in, whole.messages_out].some(Boolean);
  return (
    <>
      {error && <Failure error={error} again={reload} />}
      {!some && <p class="muted">No input and no output were sent.</p>}
      <Exchange of={whole} trace={trace} mode={mode} />
      <div class="folded-rows">
        <Part title="Attributes" sent={whole.attributes} />
        <Part title="Resource" sent={whole.resource} />
        <Part title="Events" sent={whole.events} />
        <Part title="Links" sent={whole.links} />
      </div>
      <Origin o={o} />
    </>
  );
}

function Part({ title, sent }: { title: string; sent: Sent | null | undefined }): JSX.Element | null {
  const n = sent ? sizeOf(sent.value) : 0;
  if (!sent || n === 0) return null;
  return (
    <Folded title={title} note={count(n)}>
      {() => <JsonView value={sent.value} open={2} />}
    </Folded>
  );
}

function sizeOf(v: unknown): number {
  if (Array.isArray(v)) return v.length;
  return isObject(v) ? entriesOf(v).length : 0;
}

// Origin says who sent it, and leads to the span as it was received.
function Origin({ o }: { o: Observation }): JSX.Element {
  const { door, scope, scope_version, sdk } = o.source!;
  return (
    <p class="origin muted small">
      <span>
        Came by <code>{door}</code>
        {scope && (
          <>
            {" "}
            from <code>{[scope, scope_version].filter(Boolean).join(" ")}</code>
          </>
        )}
        {sdk && (
          <>
            {" "}
            with <code>{sdk}</code>
          </>
        )}
      </span>
      <a
        href={link(`/v1/observations/${seg(o.id)}/span${query({ trace_id: o.trace_id })}`)}
        target="_blank"
        rel="noreferrer"
      >
        <Icon name="link" size={12} /> Show span
      </a>
    </p>
  );
}
