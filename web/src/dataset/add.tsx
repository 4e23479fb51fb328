import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { link } from "../base.ts";
import type { Dataset, ImportTold } from "../types.ts";
import { Failure, Spinner } from "../ui/bits.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { useDoing } from "../ui/doing.ts";
import { useLoad } from "../ui/load.ts";
import { addSpan, addTraces, listDatasets, makeDataset, toldOf } from "./api.ts";

interface Props {
  what: string; // how many of what
  traces: string[]; // their ids
  span?: string; // of one trace: the observation that is added instead
  onClose: () => void;
}

const NEW = "";

/** AddToDataset asks to which dataset something is added, makes that when it is to be a new one, and says what became of it. */
export function AddToDataset({ what, traces, span, onClose }: Props): JSX.Element {
  const { data, error, reload } = useLoad(signal => listDatasets(signal), []);
  const add = (of: string) => (span && traces[0] ? addSpan(of, traces[0], span) : addTraces(of, traces));
  const [told, tell] = useState<{ of: Dataset; told: ImportTold } | null>(null);
  return (
    <Dialog title={`Add ${what} to a dataset`} onClose={onClose}>
      {error && <Failure error={error} again={reload} />}
      {!data && !error && <Spinner />}
      {data && !told && <Which all={data.data} add={add} onClose={onClose} done={(of, t) => tell({ of, told: t })} />}
      {told && (
        <>
          <p role="status">
            {toldOf(told.told)} <a href={link(`/datasets/${told.of.id}`)}>To {told.of.name}</a>
          </p>
          {told.told.errors.length > 0 && (
            <ul class="small">
              {told.told.errors.map(e => (
                <li key={e}>{e}</li>
              ))}
            </ul>
          )}
          <p class="actions">
            <button type="button" class="button primary" onClick={onClose}>
              Close
            </button>
          </p>
        </>
      )}
    </Dialog>
  );
}

interface WhichProps {
  all: Dataset[];
  add: (dataset: string) => Promise<ImportTold>;
  onClose: () => void;
  done: (of: Dataset, told: ImportTold) => void;
}

function Which({ all, add, onClose, done }: WhichProps): JSX.Element {
  const [id, choose] = useState(all[0]?.id ?? NEW);
  const [name, call] = useState("");
  const { busy, error, run } = useDoing();
  const ready = id !== NEW || name.trim() !== "";
  const go = () =>
    run(async () => {
      const of = all.find(d => d.id === id) ?? (await makeDataset(name.trim(), ""));
      done(of, await add(of.id));
    });
  return (
    <form
      class="key-form"
      onSubmit={e => {
        e.preventDefault();
        if (ready && !busy) void go();
      }}
    >
      <label for="add-dataset">Dataset</label>
      <select id="add-dataset" value={id} onChange={e => choose(e.currentTarget.value)}>
        {all.map(d => (
          <option key={d.id} value={d.id}>
            {d.name}
          </option>
        ))}
        <option value={NEW}>A new one…</option>
      </select>
      {id === NEW && (
        <>
          <label for="add-name">Name of the new dataset</label>
          <input
            id="add-name"
            type="text"
            required
            maxLength={200}
            autocomplete="off"
            value={name}
            onInput={e => call(e.currentTarget.value)}
          />
        </>
      )}
      <p class="muted small">What went in becomes the input, what came out what is expected.</p>
      {error && <Failure error={error} />}
      <p class="actions">
        <button type="submit" class="button primary" disabled={!ready || busy}>
          Add
        </button>
        <button type="button" class="button" onClick={onClose}>
          Cancel
        </button>
      </p>
    </form>
  );
}
