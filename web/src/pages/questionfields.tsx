import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { type Params, query as written } from "../api.ts";
import { listed } from "../stats.ts";
import { readQuestion } from "./owncharts.tsx";

const MEAN = "score_avg:"; // and a name

const subjects = [
  { value: "traces", title: "traces" },
  { value: "observations", title: "steps" },
  { value: "scores", title: "scores" },
];

const metrics = [
  { value: "count", title: "how many", of: ["traces", "observations", "scores"] },
  { value: "cost", title: "cost", of: ["traces", "observations"] },
  { value: "tokens", title: "tokens", of: ["traces", "observations"] },
  { value: "error_rate", title: "share that failed", of: ["traces", "observations"] },
  { value: "latency_p50", title: "latency, median", of: ["traces", "observations"] },
  { value: "latency_p95", title: "latency, 95 %", of: ["traces", "observations"] },
  { value: "latency_p99", title: "latency, 99 %", of: ["traces", "observations"] },
  { value: MEAN, title: "mean of a score", of: ["traces", "observations", "scores"] },
];

const columns: { value: string; of: string[] }[] = [
  { value: "name", of: ["traces", "observations", "scores"] },
  { value: "user_id", of: ["traces", "observations", "scores"] },
  { value: "session_id", of: ["traces", "observations", "scores"] },
  { value: "environment", of: ["traces", "observations", "scores"] },
  { value: "release", of: ["traces", "observations", "scores"] },
  { value: "version", of: ["traces", "observations", "scores"] },
  { value: "model", of: ["observations", "scores"] },
  { value: "provider", of: ["observations", "scores"] },
  { value: "type", of: ["observations", "scores"] },
  { value: "level", of: ["observations", "scores"] },
  { value: "source", of: ["scores"] },
];

/** Asking is a question to statistics that somebody puts together. */
export interface Asking {
  of: string;
  what: string; // a metric, or MEAN
  score: string; // whose mean
  by: string; // "": all together
  filters: Params; // that the question had
  about: (subject: string) => void;
  setWhat: (v: string) => void;
  setScore: (v: string) => void;
  setBy: (v: string) => void;
}

/** useAsking begins with a question that there is. */
export function useAsking(question: string): Asking {
  const own = readQuestion(question);
  const isScore = own.metric.startsWith(MEAN);
  const [of, setOf] = useState(own.of);
  const [what, setWhat] = useState(isScore ? MEAN : own.metric);
  const [score, setScore] = useState(isScore ? own.metric.slice(MEAN.length) : "");
  const [by, setBy] = useState(own.by);
  // What another subject does not have is not asked of it.
  const about = (subject: string) => {
    setOf(subject);
    if (!metrics.some(m => m.value === what && m.of.includes(subject))) setWhat("count");
    if (!columns.some(x => x.value === by && x.of.includes(subject))) setBy("");
  };
  return { of, what, score, by, filters: own.filters, about, setWhat, setScore, setBy };
}

/** metricOf is the metric as rows have it. */
export const metricOf = (a: Asking): string => (a.what === MEAN ? MEAN + a.score.trim() : a.what);

/** questionOf writes the question with these filters, as the API keeps it. */
export function questionOf(a: Asking, filters: Params): string {
  const metrics = a.what === MEAN ? listed(metricOf(a)) : a.what;
  return written({ ...filters, of: a.of, metrics, group_by: a.by || undefined }).replace("?", "");
}

interface PickProps {
  id: string;
  label: string;
  value: string;
  set: (v: string) => void;
  options: { value: string; title: string }[];
}

/** Pick is one of some, with its label beside it. */
export function Pick({ id, label, value, set, options }: PickProps): JSX.Element {
  return (
    <div class="chart-choice">
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={e => set(e.currentTarget.value)}>
        {options.map(o => (
          <option key={o.value} value={o.value}>
            {o.title}
          </option>
        ))}
      </select>
    </div>
  );
}

/** QuestionFields ask for of what, what and by what. */
export function QuestionFields({ asking: a }: { asking: Asking }): JSX.Element {
  const mine = <T extends { of: string[] }>(all: T[]) => all.filter(x => x.of.includes(a.of));
  // What a program has asked for stays, though it is not offered.
  const also = (value: string, options: { value: string; title: string }[]) =>
    options.some(o => o.value === value) ? options : [{ value, title: value }, ...options];
  const groupings = mine(columns).map(x => ({ value: x.value, title: x.value }));
  return (
    <>
      <Pick id="ask-of" label="Of" value={a.of} set={a.about} options={also(a.of, subjects)} />
      <Pick id="ask-what" label="What" value={a.what} set={a.setWhat} options={also(a.what, mine(metrics))} />
      {a.what === MEAN && (
        <label>
          Name of the score
          <input type="text" required value={a.score} onInput={e => a.setScore(e.currentTarget.value)} />
        </label>
      )}
      <Pick
        id="ask-by"
        label="By"
        value={a.by}
        set={a.setBy}
        options={also(a.by, [{ value: "", title: "all together" }, ...groupings])}
      />
    </>
  );
}
