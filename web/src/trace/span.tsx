import type { JSX } from "preact";
import { query, seg } from "../api.ts";
import { link } from "../base.ts";
import { count } from "../format.ts";
import { entriesOf, isObject, type Sent } from "../json.ts";
import type { Observation } from "../types.ts";
import { Folded } from "../ui/folded.tsx";
import { Icon } from "../ui/icon.tsx";
import { JsonView } from "../ui/json.tsx";

/** SpanParts are what was in a span beside its input and output. */
export function SpanParts({ o }: { o: Observation }): JSX.Element {
  return (
    <>
      <div class="folded-rows">
        <Part title="Attributes" sent={o.attributes} />
        <Part title="Resource" sent={o.resource} />
        <Part title="Events" sent={o.events} />
        <Part title="Links" sent={o.links} />
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
