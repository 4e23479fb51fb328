import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { link } from "../base.ts";
import { importText, listDatasets, makeDataset, toldOf } from "../dataset/api.ts";
import { count } from "../format.ts";
import { navigate } from "../router.ts";
import { may, useSession } from "../signedin.ts";
import type { ImportTold } from "../types.ts";
import { Empty, Failure, PageHead, Spinner, Time } from "../ui/bits.tsx";
import { DataTable } from "../ui/datatable.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { useDoing } from "../ui/doing.ts";
import { Icon } from "../ui/icon.tsx";
import { useLoad } from "../ui/load.ts";

/** DatasetsPage lists the datasets of the project. */
export function DatasetsPage(): JSX.Element {
  const { data, error, reload } = useLoad(signal => listDatasets(signal), []);
  const writes = may(useSession(), "ingest");
  const [making, make] = useState(false);
  return (
    <div class="page">
      <PageHead title="Datasets">
        <span class="spacer" />
        <a class="button" href={link("/experiments")}>
          Experiments
        </a>
        {writes && (
          <button type="button" class="button" onClick={() => make(true)}>
            <Icon name="plus" /> New dataset
          </button>
        )}
      </PageHead>
      {error && <Failure error={error} again={reload} />}
      {!data && !error && <Spinner />}
      {data?.data.length === 0 && (
        <Empty icon="datasets" title="No datasets yet">
          <p>
            A dataset is items with an input and what is expected. Make one of a file, add traces to it from their list,
            or <code>brokle datasets import</code>. Package <code>brokleeval</code> runs experiments over it in{" "}
            <code>go test</code>.
          </p>
        </Empty>
      )}
      {data && data.data.length > 0 && (
        <DataTable
          label="Datasets"
          class="texts"
          heads={["Name", "Items", "Version", "Updated", "Description"]}
          rows={data.data.map(d => ({
            key: d.id,
            cells: [
              <a key="name" href={link(`/datasets/${d.id}`)}>
                {d.name}
              </a>,
              count(d.item_count),
              d.current_version === null ? d.latest_version : `${d.current_version} of ${d.latest_version}`,
              <Time key="at" at={d.updated_at} />,
              d.description ?? "",
            ],
          }))}
        />
      )}
      {making && <NewDataset onClose={() => make(false)} />}
    </div>
  );
}

// NewDataset asks for a name, and for a file with the first items.
function NewDataset({ onClose }: { onClose: () => void }): JSX.Element {
  const name = useRef<HTMLInputElement>(null);
  const description = useRef<HTMLInputElement>(null);
  const file = useRef<HTMLInputElement>(null);
  const [made, setMade] = useState<{ id: string; told: ImportTold } | null>(null);
  const { busy, error, run } = useDoing();
  const go = () =>
    run(async () => {
      const d = await makeDataset(name.current?.value.trim() ?? "", description.current?.value.trim() ?? "");
      const chosen = file.current?.files?.[0];
      const told = chosen && (await importText(d.id, await chosen.text(), /\.csv$/i.test(chosen.name), ""));
      if (told && told.errors.length > 0) setMade({ id: d.id, told });
      else navigate(link(`/datasets/${d.id}`));
    });
  if (made) return <Told {...made} />;
  return (
    <Dialog title="New dataset" onClose={onClose}>
      <form
        class="key-form"
        onSubmit={e => {
          e.preventDefault();
          if (!busy) void go();
        }}
      >
        <label for="dataset-name">Name</label>
        <input id="dataset-name" ref={name} type="text" required maxLength={200} autocomplete="off" />
        <label for="dataset-says">Description</label>
        <input id="dataset-says" ref={description} type="text" maxLength={2000} autocomplete="off" />
        <label for="dataset-file">Items: a file of JSON Lines or CSV with input, and expected where there is one</label>
        <input id="dataset-file" ref={file} type="file" accept=".jsonl,.ndjson,.csv" />
        {error && <Failure error={error} />}
        <p class="actions">
          <button type="submit" class="button primary" disabled={busy}>
            Make it
          </button>
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
        </p>
      </form>
    </Dialog>
  );
}

function Told({ id, told }: { id: string; told: ImportTold }): JSX.Element {
  const go = () => navigate(link(`/datasets/${id}`));
  return (
    <Dialog title="Some rows were not taken" onClose={go}>
      <p>{toldOf(told)}</p>
      <ul class="small">
        {told.errors.map(e => (
          <li key={e}>{e}</li>
        ))}
      </ul>
      <p class="actions">
        <button type="button" class="button primary" onClick={go}>
          To the dataset
        </button>
      </p>
    </Dialog>
  );
}
