import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { type Params, request } from "../api.ts";
import type { AlertDestination, AlertRow } from "../types.ts";
import { Failure } from "../ui/bits.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { useDoing } from "../ui/doing.ts";
import { Icon } from "../ui/icon.tsx";
import { alertPath } from "./alertitem.tsx";
import { metricOf, Pick, QuestionFields, questionOf, useAsking } from "./questionfields.tsx";

/** Begun is what a form begins with: an alert that there is, or a question. */
export interface Begun {
  rule?: AlertRow;
  question?: string;
  name?: string; // of the chart that asks it
}

interface Props {
  begun: Begun;
  onClose: () => void;
  onSaved: (row: AlertRow) => void;
}

const windows = ["1m", "5m", "15m", "1h", "6h", "1d", "7d", "30d"];
const lags = ["0s", "30s", "1m", "5m", "15m", "1h"];
const everys = ["30s", "1m", "5m", "15m", "1h", "1d"];
const meanings = [
  { value: "keep", title: "nothing: the state stays" },
  { value: "ok", title: "ok" },
  { value: "warning", title: "a warning" },
  { value: "alert", title: "an alert" },
];
const MOST = 5; // destinations

// offered are times to choose from, with the one that there is.
const offered = (all: string[], own: string) =>
  (all.includes(own) ? all : [own, ...all]).map(value => ({ value, title: value }));

// nameFrom makes a name of a chart's.
const nameFrom = (text: string) =>
  text
    .toLowerCase()
    .replaceAll(/[^a-z0-9_.]+/g, "-")
    .replaceAll(/^[-_.]+|-+$/g, "")
    .slice(0, 64);

const number = (text: string) => (text.trim() === "" ? undefined : Number(text));

// unitOf says in what thresholds are.
function unitOf(metric: string): string {
  if (metric.startsWith("latency")) return "In milliseconds.";
  if (metric.startsWith("cost")) return "In US dollars.";
  return metric === "error_rate" ? "A share: 0.05 is 5 %." : "";
}

/** AlertForm asks what is watched, what of it is told, and where. */
export function AlertForm({ begun, onClose, onSaved }: Props): JSX.Element {
  const r = begun.rule;
  const asking = useAsking(r?.question ?? begun.question ?? "");
  const { filter: line = "", ...rest } = asking.filters; // other filters stay as they are
  const [filter, setFilter] = useState(String(line));
  const [name, setName] = useState(r?.name ?? nameFrom(begun.name ?? ""));
  const [says, setSays] = useState(r?.description ?? "");
  const [window, setWindow] = useState(r?.window ?? "5m");
  const [comparison, setComparison] = useState(r?.comparison ?? "above");
  const [warning, setWarning] = useState(r?.warning === undefined ? "" : String(r.warning));
  const [alert, setAlert] = useState(r?.alert === undefined ? "" : String(r.alert));
  const [lag, setLag] = useState(r?.lag ?? "1m");
  const [every, setEvery] = useState(r?.every ?? "1m");
  const [times, setTimes] = useState(String(r?.for ?? 1));
  const [noData, setNoData] = useState(r?.no_data ?? "keep");
  const [disabled, setDisabled] = useState(r?.disabled ?? false);
  const [destinations, setDestinations] = useState<AlertDestination[]>(r?.destinations ?? []);
  const { busy, error, run } = useDoing();
  // Which groups there are is known by their data alone.
  const means = asking.by ? meanings.slice(0, 2) : meanings;
  const meaning = means.some(m => m.value === noData) ? noData : "keep";
  const save = () =>
    run(async () => {
      const filters: Params = { ...rest, filter: filter.trim() || undefined };
      const body = {
        question: questionOf(asking, filters),
        description: says.trim() || undefined,
        window,
        lag,
        every,
        comparison,
        warning: number(warning),
        alert: number(alert),
        for: Number(times),
        no_data: meaning,
        destinations: destinations.map(d => ({ ...d, secret: d.secret || undefined, url: d.url?.trim() || undefined })),
        disabled: disabled || undefined,
      };
      onSaved(await request<AlertRow>(alertPath(name.trim()), { method: "PUT", body }));
    });
  return (
    <Dialog title={r ? `Change ${r.name}` : "Add an alert"} onClose={onClose}>
      <form
        class="key-form"
        onSubmit={e => {
          e.preventDefault();
          void save();
        }}
      >
        <label for="alert-name">Name</label>
        <input
          id="alert-name"
          type="text"
          required
          maxLength={64}
          disabled={r !== undefined}
          placeholder="errors-in-production"
          title="1 to 64 of a-z, 0-9, dash, underscore and dot"
          value={name}
          onInput={e => setName(e.currentTarget.value)}
        />
        <QuestionFields asking={asking} />
        <div class="chart-choice">
          <label for="alert-filter">Filter</label>
          <input
            id="alert-filter"
            type="text"
            spellcheck={false}
            placeholder="env:production -name:test*"
            value={filter}
            onInput={e => setFilter(e.currentTarget.value)}
          />
        </div>
        <Pick id="alert-window" label="Over" value={window} set={setWindow} options={offered(windows, window)} />
        <Pick
          id="alert-comparison"
          label="When"
          value={comparison}
          set={setComparison}
          options={[
            { value: "above", title: "above" },
            { value: "below", title: "below" },
          ]}
        />
        <div class="definition-range">
          <label>
            Warning
            <input type="number" step="any" value={warning} onInput={e => setWarning(e.currentTarget.value)} />
          </label>
          <label>
            Alert
            <input type="number" step="any" value={alert} onInput={e => setAlert(e.currentTarget.value)} />
          </label>
        </div>
        {unitOf(metricOf(asking)) && <p class="muted small">{unitOf(metricOf(asking))}</p>}
        <Where all={destinations} set={setDestinations} />
        <details>
          <summary>More</summary>
          <div class="key-form">
            <Pick id="alert-every" label="Every" value={every} set={setEvery} options={offered(everys, every)} />
            <Pick id="alert-lag" label="Late by" value={lag} set={setLag} options={offered(lags, lag)} />
            <p class="muted small">The time that is looked at ends so long ago, so that what comes late counts.</p>
            <div class="chart-choice">
              <label for="alert-for">Looks</label>
              <input
                id="alert-for"
                type="number"
                min={1}
                max={100}
                required
                value={times}
                onInput={e => setTimes(e.currentTarget.value)}
              />
            </div>
            <p class="muted small">So many in a row must say so before the state changes.</p>
            <Pick id="alert-nodata" label="No data" value={meaning} set={setNoData} options={means} />
            <label>
              What it means, and what to do
              <textarea rows={3} maxLength={2000} value={says} onInput={e => setSays(e.currentTarget.value)} />
            </label>
            <label class="item check">
              <input type="checkbox" checked={disabled} onChange={e => setDisabled(e.currentTarget.checked)} /> Disabled
            </label>
          </div>
        </details>
        {error && <Failure error={error} />}
        <p class="actions">
          <button type="submit" class="button primary" disabled={busy || !name.trim()}>
            Save
          </button>
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
        </p>
      </form>
    </Dialog>
  );
}

const kinds = [
  { value: "webhook", title: "a webhook, signed" },
  { value: "slack", title: "Slack, or what takes its form" },
  { value: "command", title: "a command of the server" },
];

interface WhereProps {
  all: AlertDestination[];
  set: (all: AlertDestination[]) => void;
}

// Where asks for destinations.
function Where({ all, set }: WhereProps): JSX.Element {
  const change = (i: number, to: AlertDestination) => set(all.map((d, k) => (k === i ? to : d)));
  return (
    <fieldset>
      <legend>Told to</legend>
      {all.map((d, i) => (
        <div class="alert-where" key={d.id ?? i}>
          <select
            aria-label={`Kind of destination ${i + 1}`}
            value={d.kind}
            disabled={d.id !== undefined}
            onChange={e => change(i, { kind: e.currentTarget.value })}
          >
            {kinds.map(k => (
              <option key={k.value} value={k.value}>
                {k.title}
              </option>
            ))}
          </select>
          {d.kind === "command" ? (
            <input
              type="text"
              required
              aria-label={`Command ${i + 1}`}
              placeholder="its name in --alert-command"
              value={d.command ?? ""}
              onInput={e => change(i, { ...d, command: e.currentTarget.value })}
            />
          ) : (
            <input
              type="text"
              required
              inputMode="url"
              spellcheck={false}
              aria-label={`Address ${i + 1}`}
              placeholder="https://chat.example/hooks/1"
              value={d.url ?? ""}
              onInput={e => change(i, { ...d, url: e.currentTarget.value })}
            />
          )}
          <button
            type="button"
            class="icon-button"
            aria-label={`Remove destination ${i + 1}`}
            onClick={() => set(all.filter((_, k) => k !== i))}
          >
            <Icon name="close" size={14} />
          </button>
        </div>
      ))}
      {all.length < MOST && (
        <p class="actions">
          <button type="button" class="button quiet" onClick={() => set([...all, { kind: "webhook" }])}>
            <Icon name="plus" /> Add a destination
          </button>
        </p>
      )}
    </fieldset>
  );
}
