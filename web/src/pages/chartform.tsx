import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { idPath, type Params, request, query as written } from "../api.ts";
import { listed } from "../stats.ts";
import type { SavedChart } from "../types.ts";
import { Failure } from "../ui/bits.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { useDoing } from "../ui/doing.ts";
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

interface Props {
  chart: SavedChart | undefined; // undefined: a new one
  params: Params; // the filters of the dashboard, which a new chart can keep
  onClose: () => void;
  onSaved: () => void;
}

/** ChartForm asks what a chart shows. */
export function ChartForm({ chart: c, params, onClose, onSaved }: Props): JSX.Element {
  const own = readQuestion(c?.question ?? "");
  const isScore = own.metric.startsWith(MEAN);
  const [name, setName] = useState(c?.name ?? "");
  const [of, setOf] = useState(own.of);
  const [what, setWhat] = useState(isScore ? MEAN : own.metric);
  const [score, setScore] = useState(isScore ? own.metric.slice(MEAN.length) : "");
  const [by, setBy] = useState(own.by);
  const [look, setLook] = useState(c?.look ?? "line");
  const [log, setLog] = useState(c?.log ?? false);
  const { from: _from, to: _to, ...here } = params;
  const filters = c ? own.filters : here;
  const [keep, setKeep] = useState(true);
  const { busy, error, run } = useDoing();
  const act = async (f: () => Promise<unknown>) => {
    if (await run(f)) onSaved();
  };
  // What another subject does not have is not asked of it.
  const about = (subject: string) => {
    setOf(subject);
    if (!metrics.some(m => m.value === what && m.of.includes(subject))) setWhat("count");
    if (!columns.some(x => x.value === by && x.of.includes(subject))) setBy("");
  };
  const path = idPath("/v1/charts", name.trim());
  const save = () => {
    const metrics = what === MEAN ? listed(MEAN + score.trim()) : what;
    const question = written({ ...(keep ? filters : {}), of, metrics, group_by: by || undefined }).replace("?", "");
    return request(path, { method: "PUT", body: { question, look, log: log || undefined } });
  };
  const pick = (
    label: string,
    value: string,
    set: (v: string) => void,
    options: { value: string; title: string }[],
  ) => (
    <div class="chart-choice">
      <label for={`chart-${label}`}>{label}</label>
      <select id={`chart-${label}`} value={value} onChange={e => set(e.currentTarget.value)}>
        {options.map(o => (
          <option key={o.value} value={o.value}>
            {o.title}
          </option>
        ))}
      </select>
    </div>
  );
  const groupings = columns.filter(x => x.of.includes(of)).map(x => ({ value: x.value, title: x.value }));
  return (
    <Dialog title={c ? `Change ${c.name}` : "Add a chart"} onClose={onClose}>
      <form
        class="key-form"
        onSubmit={e => {
          e.preventDefault();
          void act(save);
        }}
      >
        <label for="chart-name">Name</label>
        <input
          id="chart-name"
          type="text"
          required
          maxLength={200}
          disabled={c !== undefined}
          placeholder="Cost by user"
          value={name}
          onInput={e => setName(e.currentTarget.value)}
        />
        {pick("Of", of, about, subjects)}
        {pick(
          "What",
          what,
          setWhat,
          metrics.filter(m => m.of.includes(of)),
        )}
        {what === MEAN && (
          <label>
            Name of the score
            <input type="text" required value={score} onInput={e => setScore(e.currentTarget.value)} />
          </label>
        )}
        {pick("By", by, setBy, [{ value: "", title: "all together" }, ...groupings])}
        {pick("As", look, setLook, [
          { value: "line", title: "lines" },
          { value: "bars", title: "bars" },
          { value: "table", title: "a table" },
        ])}
        {look === "line" && (
          <label class="item check">
            <input type="checkbox" checked={log} onChange={e => setLog(e.currentTarget.checked)} /> A logarithmic axis
          </label>
        )}
        {written(filters) !== "" && (
          <label class="item check">
            <input type="checkbox" checked={keep} onChange={e => setKeep(e.currentTarget.checked)} />
            <span>
              Only what passes <code>{decodeURIComponent(written(filters).replace("?", ""))}</code>
            </span>
          </label>
        )}
        {error && <Failure error={error} />}
        <p class="actions">
          <button type="submit" class="button primary" disabled={busy || !name.trim()}>
            Save
          </button>
          {c && (
            <button
              type="button"
              class="button"
              disabled={busy}
              onClick={() => void act(() => request(path, { method: "DELETE" }))}
            >
              Remove
            </button>
          )}
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
        </p>
      </form>
    </Dialog>
  );
}
