import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Params } from "../api.ts";
import { exportTraces } from "../export.ts";
import { counted } from "../format.ts";
import { Item, Menu } from "../ui/menu.tsx";
import type { Choice } from "./tracecolumns.tsx";

interface ChooserProps {
  columns: Choice[];
  chosen: Record<string, boolean>;
  choose: (next: Record<string, boolean>) => void;
}

/** ColumnChooser shows and hides columns; the browser remembers. */
export function ColumnChooser({ columns, chosen, choose }: ChooserProps): JSX.Element {
  return (
    <Menu label="Columns" icon="columns" align="right">
      {() => (
        <>
          {columns.map(c => (
            <label key={c.key} class="item check">
              <input
                type="checkbox"
                checked={chosen[c.key] ?? c.shown}
                disabled={c.key === "name"}
                onChange={e => choose({ ...chosen, [c.key]: e.currentTarget.checked })}
              />
              {c.title}
            </label>
          ))}
          <button type="button" class="item" onClick={() => choose({})}>
            As at first
          </button>
        </>
      )}
    </Menu>
  );
}

/** ExportMenu saves everything the current filter finds, not only what is on screen. */
export function ExportMenu({ params }: { params: Params }): JSX.Element {
  const [rows, setRows] = useState<number | null>(null);
  const [error, setError] = useState("");
  const abort = useRef<AbortController | null>(null);
  useEffect(() => () => abort.current?.abort(), []);
  const start = async (form: "jsonl" | "csv") => {
    const a = new AbortController();
    abort.current = a;
    setRows(0);
    setError("");
    try {
      await exportTraces(form, params, setRows, a.signal);
    } catch (e) {
      if (!a.signal.aborted) setError((e as Error).message);
    } finally {
      setRows(null);
    }
  };
  if (rows !== null) {
    return (
      <button type="button" class="button" onClick={() => abort.current?.abort()}>
        {counted(rows, "row")}… Stop
      </button>
    );
  }
  return (
    <Menu label="Export" icon="download" align="right">
      {close => (
        <>
          <p class="panel-title">All traces of this filter</p>
          {(["jsonl", "csv"] as const).map(form => (
            <Item key={form} close={close} run={() => void start(form)}>
              {form === "jsonl" ? "JSON Lines" : "CSV"}
            </Item>
          ))}
          {error && <p class="field-error">{error}</p>}
        </>
      )}
    </Menu>
  );
}
