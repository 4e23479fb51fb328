import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { link } from "../base.ts";
import {
  dropDataset,
  dropItem,
  exportPath,
  getDataset,
  ITEMS,
  importText,
  listItems,
  listVersions,
  putItem,
  toldOf,
  written,
} from "../dataset/api.ts";
import { count, counted } from "../format.ts";
import { Sent } from "../json.ts";
import { navigate, setQuery, usePlace } from "../router.ts";
import { may, useSession } from "../signedin.ts";
import type { Dataset, DatasetItem } from "../types.ts";
import { Empty, Failure, PageHead, Spinner, Time } from "../ui/bits.tsx";
import { Card, DataTable } from "../ui/datatable.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { useDoing } from "../ui/doing.ts";
import { Icon } from "../ui/icon.tsx";
import { useLoad } from "../ui/load.ts";
import { Experiments } from "./experimentlist.tsx";
import { Pager } from "./pager.tsx";

/** DatasetPage is one dataset: its items, in any of its versions, and the experiments over it. */
export function DatasetPage({ id }: { id: string }): JSX.Element {
  const { data, error, reload } = useLoad(signal => getDataset(id, signal), [id]);
  if (error) return <Failure error={error} again={reload} />;
  return data ? <Of dataset={data} changed={reload} /> : <Spinner />;
}

function Of({ dataset, changed }: { dataset: Dataset; changed: () => void }): JSX.Element {
  const session = useSession();
  const [sure, ask] = useState(false);
  return (
    <div class="page dataset-page">
      <PageHead title={dataset.name}>
        <span class="muted">
          {counted(dataset.item_count, "item")}, version {dataset.current_version ?? dataset.latest_version}
        </span>
        <span class="spacer" />
        <a class="button" href={link("/datasets")}>
          All datasets
        </a>
        {may(session, "admin") && (
          <button type="button" class="button danger" onClick={() => ask(true)}>
            Delete…
          </button>
        )}
      </PageHead>
      {dataset.description && <p>{dataset.description}</p>}
      <Experiments dataset={dataset.id} />
      <Items dataset={dataset} writes={may(session, "ingest")} changed={changed} />
      {sure && <Delete dataset={dataset} onClose={() => ask(false)} />}
    </div>
  );
}

function Items({ dataset, writes, changed }: { dataset: Dataset; writes: boolean; changed: () => void }): JSX.Element {
  const { query } = usePlace();
  const version = query.get("version");
  const page = Math.max(1, Number(query.get("page")) || 1);
  const { data, error, reload } = useLoad(
    signal => listItems(dataset.id, version, page, signal),
    [dataset.id, version, page, dataset.latest_version],
  );
  const [edited, edit] = useState<DatasetItem | "new" | null>(null);
  const total = data?.meta.pagination.total ?? 0;
  const done = () => {
    edit(null);
    changed();
    reload();
  };
  return (
    <Card
      title="Items"
      total={data ? count(total) : ""}
      actions={
        <>
          <Versions dataset={dataset} version={version} />
          {["jsonl", "csv"].map(form => (
            <a
              key={form}
              class="button"
              href={link(exportPath(dataset.id, version, form))}
              download={`${dataset.name}.${form}`}
            >
              <Icon name="download" size={13} /> {form === "csv" ? "CSV" : "JSON Lines"}
            </a>
          ))}
          {writes && <Import dataset={dataset} done={done} />}
          {writes && (
            <button type="button" class="button" onClick={() => edit("new")}>
              <Icon name="plus" /> Add an item
            </button>
          )}
        </>
      }
    >
      {error && <Failure error={error} again={reload} />}
      {!data && !error && <Spinner />}
      {data && total === 0 && (
        <Empty icon="datasets" title="No items yet">
          <p>Add some here, from a file, or from the list of traces.</p>
        </Empty>
      )}
      {data && total > 0 && (
        <DataTable
          label="Items"
          class="dataset-items"
          heads={["Id", "Input", "Expected", "From", "Added"]}
          rows={data.data.map(it => ({
            key: it.id,
            cells: [
              writes ? (
                <button key="id" type="button" class="linklike mono" onClick={() => edit(it)}>
                  {it.id}
                </button>
              ) : (
                <code key="id">{it.id}</code>
              ),
              <Value key="in" of={it.input} />,
              <Value key="out" of={it.expected} />,
              it.source_trace_id ? (
                <a key="from" href={link(`/traces/${encodeURIComponent(it.source_trace_id)}`)}>
                  {it.source}
                </a>
              ) : (
                it.source
              ),
              <Time key="at" at={it.created_at} />,
            ],
          }))}
        />
      )}
      <Pager page={page} pages={Math.ceil(total / ITEMS)} go={p => setQuery({ page: p > 1 ? String(p) : undefined })} />
      {edited && (
        <EditItem
          key={edited === "new" ? "" : edited.id}
          dataset={dataset}
          item={edited === "new" ? null : edited}
          onClose={() => edit(null)}
          done={done}
        />
      )}
    </Card>
  );
}

/** Value is JSON in a cell: a text as it is. */
function Value({ of }: { of: unknown }): JSX.Element {
  return <span class="dataset-value">{written(of)}</span>;
}

function Versions({ dataset, version }: { dataset: Dataset; version: string | null }): JSX.Element {
  const { data } = useLoad(signal => listVersions(dataset.id, signal), [dataset.id, dataset.latest_version]);
  return (
    <label>
      <span class="visually-hidden">Version</span>
      <select
        value={version ?? ""}
        onChange={e => setQuery({ version: e.currentTarget.value || undefined, page: undefined })}
      >
        <option value="">{dataset.current_version === null ? "Latest version" : "Pinned version"}</option>
        {data?.data.map(v => (
          <option key={v.id} value={String(v.version)}>
            Version {v.version}: {counted(v.item_count, "item")}
            {v.description ? `, ${v.description}` : ""}
          </option>
        ))}
      </select>
    </label>
  );
}

// Import asks for a file.
function Import({ dataset, done }: { dataset: Dataset; done: () => void }): JSX.Element {
  const [said, say] = useState<{ text: string; errors: string[] } | null>(null);
  const { busy, error, run } = useDoing();
  const take = (file: File) =>
    run(async () => {
      const told = await importText(dataset.id, await file.text(), /\.csv$/i.test(file.name), "");
      say({ text: toldOf(told), errors: told.errors });
    });
  return (
    <>
      <label class={`button${busy ? " busy" : ""}`}>
        Import a file
        <input
          class="visually-hidden"
          type="file"
          accept=".jsonl,.ndjson,.csv"
          disabled={busy}
          onChange={e => {
            const file = e.currentTarget.files?.[0];
            e.currentTarget.value = "";
            if (file) void take(file);
          }}
        />
      </label>
      {error && (
        <Dialog title="Nothing was imported" onClose={() => void run(async () => {})}>
          <Failure error={error} />
        </Dialog>
      )}
      {said && (
        <Dialog
          title="Imported"
          onClose={() => {
            say(null);
            done();
          }}
        >
          <p role="status">{said.text}</p>
          <ul class="small">
            {said.errors.map(e => (
              <li key={e}>{e}</li>
            ))}
          </ul>
        </Dialog>
      )}
    </>
  );
}

// jsonOf is what a text says, as JSON: itself where it looks so, else a text. A value whose text was not touched stays as it was.
function jsonOf(text: string, was: unknown): string | undefined {
  if (text.trim() === "") return undefined;
  if (was !== undefined && was !== null && text === written(was, 2))
    return was instanceof Sent ? was.text : JSON.stringify(was);
  const wasText = was instanceof Sent ? typeof was.value === "string" : typeof was === "string";
  if (wasText) return JSON.stringify(text);
  try {
    JSON.parse(text);
    return text;
  } catch {
    return JSON.stringify(text);
  }
}

const quoted = (s: string | undefined): string | undefined => (s ? JSON.stringify(s) : undefined);

interface EditProps {
  dataset: Dataset;
  item: DatasetItem | null;
  onClose: () => void;
  done: () => void;
}

function EditItem({ dataset, item, onClose, done }: EditProps): JSX.Element {
  const [input, setInput] = useState(written(item?.input, 2));
  const [expected, setExpected] = useState(written(item?.expected, 2));
  const { busy, error, run } = useDoing();
  const save = async () => {
    const body = {
      id: quoted(item?.id),
      source: quoted(item?.source),
      source_trace_id: quoted(item?.source_trace_id),
      source_span_id: quoted(item?.source_span_id),
      metadata: item?.metadata instanceof Sent ? item.metadata.text : undefined,
      input: jsonOf(input, item?.input),
      expected: jsonOf(expected, item?.expected),
    };
    if (await run(() => putItem(dataset.id, body))) done();
  };
  const drop = async () => {
    if (item && (await run(() => dropItem(dataset.id, item.id)))) done();
  };
  const area = (id: string, label: string, value: string, set: (s: string) => void, required: boolean) => (
    <>
      <label for={id}>{label}</label>
      <textarea id={id} rows={6} required={required} value={value} onInput={e => set(e.currentTarget.value)} />
    </>
  );
  return (
    <Dialog title={item ? `Item ${item.id}` : "Add an item"} onClose={onClose}>
      <form
        class="key-form say"
        onSubmit={e => {
          e.preventDefault();
          if (!busy) void save();
        }}
      >
        {area("item-input", "Input: a text, or JSON", input, setInput, true)}
        {area("item-expected", "Expected", expected, setExpected, false)}
        <p class="muted small">A change makes a new version; the versions before stay as they are.</p>
        {error && <Failure error={error} />}
        <p class="actions">
          <button type="submit" class="button primary" disabled={busy || input.trim() === ""}>
            Save
          </button>
          {item && (
            <button type="button" class="button danger" disabled={busy} onClick={() => void drop()}>
              Take it out
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

function Delete({ dataset, onClose }: { dataset: Dataset; onClose: () => void }): JSX.Element {
  const { busy, error, run } = useDoing();
  const go = async () => {
    if (await run(() => dropDataset(dataset.id))) navigate(link("/datasets"));
  };
  return (
    <Dialog title={`Delete ${dataset.name}`} onClose={onClose}>
      <p>
        {counted(dataset.item_count, "item")} go, and all {count(dataset.latest_version)} versions. The experiments over
        it and their traces stay.
      </p>
      {error && <Failure error={error} />}
      <p class="actions">
        <button type="button" class="button danger" disabled={busy} onClick={() => void go()}>
          Delete
        </button>
        <button type="button" class="button" onClick={onClose}>
          Cancel
        </button>
      </p>
    </Dialog>
  );
}
