import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { addTags } from "../act/record.ts";
import { ApiError, type Params, request } from "../api.ts";
import { exportAll, exportThese, type Form } from "../export.ts";
import { count, counted } from "../format.ts";
import { may, useSession } from "../signedin.ts";
import { Icon } from "../ui/icon.tsx";
import { lazy } from "../ui/lazy.tsx";
import { Item, Menu } from "../ui/menu.tsx";
import type { Selection } from "../ui/selection.ts";
import { type Bulk, type Outcome, oneByOne, told } from "./bulk.ts";
import { EraseThese, ScoreThese, TagThese } from "./dialogs.tsx";
import { type Runs, useRunning } from "./running.ts";

const AddToDataset = lazy(() => import("../dataset/add.tsx").then(m => m.AddToDataset));

/** Doing is what is done with many rows: it tells how far it is, ends when told to, and says what became of each. */
export type Doing<T> = (rows: T[], progress: (n: number) => void, signal: AbortSignal) => Promise<Outcome<T>>;

/** BarProps are what the bar needs to know. */
export interface BarProps<T> {
  bulk: Bulk<T>;
  selection: Selection<T>;
  params: Params; // what the list asks for
  total: number | undefined; // how many rows there are, where it is known
  changed: () => void; // loads the list again
}

/** Bar is what can be done with the rows that are chosen. */
export function Bar<T extends { id: string }>(props: BarProps<T>): JSX.Element | null {
  const { selection } = props;
  const runs = useRunning();
  const { running, said, forget } = runs;
  const none = selection.rows.length === 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is begun anew has nothing to do with what was said
  useEffect(() => {
    if (!none) forget();
  }, [none]);
  if (none && !said && !running) return null;
  const done = () => {
    forget();
    selection.clear();
  };
  return (
    <section class="bulk" aria-label="What is selected">
      <strong role="status">
        {running
          ? `${count(running.n)}${running.of === null ? "" : ` of ${count(running.of)}`} ${running.does}…`
          : `${count(selection.rows.length)} selected`}
      </strong>
      {running ? (
        <button type="button" class="button" onClick={runs.stop}>
          Stop
        </button>
      ) : (
        <>
          {!none && <Acts {...props} runs={runs} />}
          <button type="button" class="button quiet" onClick={done}>
            {none ? "Close" : "Select none"}
          </button>
        </>
      )}
      {said && (
        <p class={said.bad ? "bulk-said bad" : "bulk-said"} role={said.bad ? "alert" : "status"}>
          {said.text}
        </p>
      )}
    </section>
  );
}

type Asked = "tag" | "score" | "dataset" | "erase" | null;

function Acts<T extends { id: string }>(props: BarProps<T> & { runs: Runs }): JSX.Element {
  const { bulk, selection, params, total, changed, runs } = props;
  const session = useSession();
  const writes = may(session, "ingest");
  const [asked, ask] = useState<Asked>(null);
  const { rows } = selection;
  const { noun, subject, erase } = bulk;
  // What goes is not chosen any more, nor is what went well where some did not: these stay, to be tried again.
  const each = (did: string, doing: Doing<T>, goes = false) =>
    void runs.start(did, rows.length, async (progress, signal) => {
      const out = await doing(rows, progress, signal);
      const still = new Set([...out.failed.map(f => f.item), ...out.left]);
      if (goes || still.size > 0) selection.keep(row => still.has(row));
      if (out.done > 0) changed();
      return { text: told(out, noun, did), bad: still.size > 0 };
    });
  const save = (form: Form, all: boolean) => {
    if (!all) return exportThese(bulk.sheet, form, rows);
    void runs.start("read", total ?? null, async (progress, signal) => {
      await exportAll(bulk.sheet, form, params, progress, signal);
      return null;
    });
  };
  const [a, b] = rows;
  const two = bulk.compare && rows.length === 2 && a && b ? bulk.compare(a, b) : undefined;
  const what = counted(rows.length, noun);
  const close = () => ask(null);
  const act = (asks: Asked, title: string, danger = "") => (
    <button type="button" class={`button${danger}`} onClick={() => ask(asks)}>
      {title}
    </button>
  );
  return (
    <>
      <ExportThese save={save} rows={rows.length} noun={noun} total={total} />
      {bulk.tags && writes && act("tag", "Tag…")}
      {subject && writes && act("score", "Score…")}
      {bulk.dataset && writes && act("dataset", "Add to dataset…")}
      {two && (
        <a class="button" href={two}>
          Compare
        </a>
      )}
      {erase && may(session, "admin") && act("erase", "Erase…", " danger")}
      {asked === "tag" && subject && (
        <TagThese
          what={what}
          onClose={close}
          go={tag => each("tagged", (all, progress, signal) => addTags(all, subject, tag, progress, signal))}
        />
      )}
      {asked === "score" && subject && (
        <ScoreThese
          what={what}
          subject={subject}
          session={session}
          onClose={close}
          go={doing => each("scored", doing)}
        />
      )}
      {asked === "dataset" && bulk.dataset && (
        <AddToDataset what={what} onClose={close} traces={rows.map(bulk.dataset)} />
      )}
      {asked === "erase" && erase && (
        <EraseThese
          what={what}
          names={rows.map(r => r.id)}
          says={erase.says}
          onClose={close}
          go={() =>
            each("erased", (all, progress, signal) => oneByOne(all, r => remove(erase.path(r)), progress, signal), true)
          }
        />
      )}
    </>
  );
}

// remove erases one; what is gone already is gone.
async function remove(path: string): Promise<void> {
  try {
    await request(path, { method: "DELETE" });
  } catch (e) {
    if (!(e instanceof ApiError && e.status === 404)) throw e;
  }
}

interface ExportProps {
  save: (form: Form, all: boolean) => void;
  rows: number;
  noun: string;
  total: number | undefined;
}

const forms: [Form, string][] = [
  ["jsonl", "JSON Lines"],
  ["csv", "CSV"],
];

function ExportThese({ save, rows, noun, total }: ExportProps): JSX.Element {
  return (
    <Menu label="Export these" button="Export">
      {close => (
        <>
          <p class="panel-title">{counted(rows, `selected ${noun}`)}</p>
          {forms.map(([form, title]) => (
            <Item key={form} close={close} run={() => save(form, false)}>
              {title}
            </Item>
          ))}
          {(total === undefined || total > rows) && (
            <>
              <p class="panel-title">All{total === undefined ? "" : ` ${count(total)}`} that match</p>
              {forms.map(([form, title]) => (
                <Item key={form} close={close} run={() => save(form, true)}>
                  <Icon name="download" size={13} /> All as {title}
                </Item>
              ))}
            </>
          )}
        </>
      )}
    </Menu>
  );
}
