import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { query as written } from "../api.ts";
import { link } from "../base.ts";
import { navigate, setQuery } from "../router.ts";
import type { SavedView, ViewColumn } from "../types.ts";
import { Failure } from "../ui/bits.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { useDoing } from "../ui/doing.ts";
import { type ListName, putView, readViews, removeView } from "./views.ts";
import type { ViewAct } from "./viewsmenu.tsx";

interface Props {
  act: ViewAct;
  page: ListName;
  view: SavedView | undefined; // that is looked at
  query: string; // what is shown
  columns: ViewColumn[] | undefined;
  onClose: () => void;
}

/** ViewDialog saves what is shown as a view, or changes one. */
export function ViewDialog(props: Props): JSX.Element {
  const { act } = props;
  const [view] = useState(props.view); // as it was: it is gone before the dialog is, once it is deleted
  if (view && (act === "over" || act === "delete")) return <Sure {...props} view={view} />;
  return <Name {...props} view={view} />;
}

// none is an error when the name is taken: what somebody else saved must not go because two had one idea.
async function none(name: string): Promise<void> {
  const views = await readViews();
  const taken = views.find(v => v.name === name);
  if (taken) throw new Error(`There is a view “${name}” already, of ${taken.page}. Names are unique in a project.`);
}

function Name({ act, page, view, query, columns, onClose }: Props): JSX.Element {
  const renamed = act === "rename" ? view : undefined;
  const [name, set] = useState(renamed?.name ?? "");
  const field = useRef<HTMLInputElement>(null);
  const { busy, error, run } = useDoing();
  useEffect(() => field.current?.select(), []);
  const keep = async () => {
    const as = name.trim();
    await none(as);
    if (!renamed) {
      await putView({ name: as, page, query, ...(columns ? { columns } : {}) });
      navigate(link(`/${page}${written({ view: as })}`));
      return;
    }
    const { name: old, query: its, columns: own } = renamed;
    await putView({ name: as, page, query: its, ...(own ? { columns: own } : {}) });
    setQuery({ view: as }, true); // while both are there, what is shown stays
    await removeView(old);
  };
  const send = async () => {
    if (await run(keep)) onClose();
  };
  return (
    <Dialog title={renamed ? `Rename “${renamed.name}”` : "Save this view"} onClose={onClose}>
      <form
        class="key-form"
        onSubmit={e => {
          e.preventDefault();
          if (name.trim()) void send();
        }}
      >
        <label for="view-name">Name</label>
        <input
          id="view-name"
          ref={field}
          type="text"
          required
          maxLength={200}
          autocomplete="off"
          value={name}
          onInput={e => set(e.currentTarget.value)}
        />
        {!renamed && (
          <p class="muted small">
            The filters, the time, the order and the columns, for all of the project, at an address of their own.
          </p>
        )}
        {error && <Failure error={error} />}
        <p class="actions">
          <button type="submit" class="button primary" disabled={busy || !name.trim() || name.trim() === renamed?.name}>
            {renamed ? "Rename" : "Save"}
          </button>
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
        </p>
      </form>
    </Dialog>
  );
}

function Sure({ act, page, view, query, columns, onClose }: Props & { view: SavedView }): JSX.Element {
  const over = act === "over";
  const { busy, error, run } = useDoing();
  const keep = async () => {
    if (over) await putView({ name: view.name, page, query, ...(columns ? { columns } : {}) });
    setQuery(over ? {} : { view: undefined }, true); // what is shown stays
    if (!over) await removeView(view.name);
  };
  const send = async () => {
    if (await run(keep)) onClose();
  };
  return (
    <Dialog title={over ? `Save over “${view.name}”?` : `Delete “${view.name}”?`} onClose={onClose}>
      <p>
        {over
          ? "All of the project see it as it is shown now."
          : "All of the project lose it; its address says so then. Nothing else is deleted."}
      </p>
      {error && <Failure error={error} />}
      <p class="actions">
        <button
          type="button"
          class={`button ${over ? "primary" : "danger"}`}
          disabled={busy}
          onClick={() => void send()}
        >
          {over ? "Save" : "Delete"}
        </button>
        <button type="button" class="button" onClick={onClose}>
          Keep it
        </button>
      </p>
    </Dialog>
  );
}
