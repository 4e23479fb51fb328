import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ask as fetchText, query, seg } from "../api.ts";
import { Digits, isObject, pretty, read } from "../json.ts";
import type { Observation } from "../types.ts";
import { Failure, Spinner } from "../ui/bits.tsx";
import { Icon } from "../ui/icon.tsx";
import { useLoad } from "../ui/load.ts";

/** Question asks why fields of an observation are what they are. */
export interface Question {
  title: string;
  fields: string[]; // none: all
}

/** Rule says which one gave a field its value, and from which event it came. */
export interface Rule {
  field: string;
  value: string;
  rule: string;
  event: string;
}

/** rulesOf reads the answer of …/explain. Values are written as JSON, texts as they are. */
export function rulesOf(text: string): { dialect: string; rules: Rule[] } {
  const answer = read(text);
  if (!isObject(answer)) return { dialect: "", rules: [] };
  const list = Array.isArray(answer.why) ? answer.why.filter(isObject) : [];
  return {
    dialect: said(answer.dialect),
    rules: list.map(w => ({
      field: said(w.field),
      value: said(w.value),
      rule: said(w.rule),
      event: said(w.event_id),
    })),
  };
}

function said(v: unknown): string {
  if (v === undefined || v === null) return "";
  if (typeof v === "string") return v;
  if (v instanceof Digits) return v.text;
  return pretty(v, "").replaceAll("\n", "");
}

/** Ask is the small button beside a fact. */
export function Ask({ title, onAsk }: { title: string; onAsk: () => void }): JSX.Element {
  return (
    <button type="button" class="ask" title="Why?" aria-label={`Why: ${title}`} onClick={onAsk}>
      ?
    </button>
  );
}

interface WhyProps {
  o: Observation;
  question: Question;
  onClose: () => void;
}

/** Why shows the rules that gave an observation its fields. */
export function Why({ o, question: q, onClose }: WhyProps): JSX.Element {
  const [all, set] = useState(false);
  const { data, error, reload } = useLoad(
    async signal =>
      rulesOf(await fetchText(`/v1/observations/${seg(o.id)}/explain${query({ trace_id: o.trace_id })}`, { signal })),
    [o.id, o.trace_id],
  );
  const shown = data?.rules.filter(r => all || q.fields.includes(r.field)) ?? [];
  return (
    <section class="why" aria-label={`Why: ${q.title}`} aria-live="polite">
      <header class="section-head">
        <strong>{all ? "Why: every field" : `Why: ${q.title}`}</strong>
        {data?.dialect && <span class="muted small">read as {data.dialect}</span>}
        <span class="spacer" />
        {data && data.rules.length > 0 && (
          <button type="button" class="json-more" aria-pressed={all} onClick={() => set(!all)}>
            {all ? "Only this" : "Every field"}
          </button>
        )}
        <button type="button" class="icon-button" aria-label="Close the reasons" onClick={onClose}>
          <Icon name="close" size={13} />
        </button>
      </header>
      {error && <Failure error={error} again={reload} />}
      {!data && !error && <Spinner />}
      {data && shown.length === 0 && <p class="muted">Nothing that came says anything about it.</p>}
      {shown.length > 0 && (
        <dl class="rules">
          {shown.map(r => (
            <div key={r.field}>
              <dt>
                <code>{r.field}</code> {r.value && <span class="rule-value">{r.value}</span>}
              </dt>
              <dd title={r.event ? `event ${r.event}` : undefined}>{r.rule}</dd>
            </div>
          ))}
        </dl>
      )}
    </section>
  );
}
