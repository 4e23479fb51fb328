import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { idPath, type Params, request, query as written } from "../api.ts";
import type { SavedChart } from "../types.ts";
import { Failure } from "../ui/bits.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { useDoing } from "../ui/doing.ts";
import { Pick, QuestionFields, questionOf, useAsking } from "./questionfields.tsx";

const looks = [
  { value: "line", title: "lines" },
  { value: "bars", title: "bars" },
  { value: "table", title: "a table" },
];

interface Props {
  chart: SavedChart | undefined; // undefined: a new one
  params: Params; // the filters of the dashboard, which a new chart can keep
  onClose: () => void;
  onSaved: () => void;
}

/** ChartForm asks what a chart shows. */
export function ChartForm({ chart: c, params, onClose, onSaved }: Props): JSX.Element {
  const asking = useAsking(c?.question ?? "");
  const [name, setName] = useState(c?.name ?? "");
  const [look, setLook] = useState(c?.look ?? "line");
  const [log, setLog] = useState(c?.log ?? false);
  const { from: _from, to: _to, ...here } = params;
  const filters = c ? asking.filters : here;
  const [keep, setKeep] = useState(true);
  const { busy, error, run } = useDoing();
  const act = async (f: () => Promise<unknown>) => {
    if (await run(f)) onSaved();
  };
  const path = idPath("/v1/charts", name.trim());
  const save = () => {
    const question = questionOf(asking, keep ? filters : {});
    return request(path, { method: "PUT", body: { question, look, log: log || undefined } });
  };
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
        <QuestionFields asking={asking} />
        <Pick id="chart-look" label="As" value={look} set={setLook} options={looks} />
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
