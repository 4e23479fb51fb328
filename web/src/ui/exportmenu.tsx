import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Params } from "../api.ts";
import { exportAll, type Form, type Sheet } from "../export.ts";
import { counted } from "../format.ts";
import { Item, Menu } from "./menu.tsx";

interface Props<T> {
  sheet: Sheet<T>;
  params: Params;
}

/** ExportMenu saves everything the current filter finds, not only what is on screen. */
export function ExportMenu<T>({ sheet, params }: Props<T>): JSX.Element {
  const [rows, setRows] = useState<number | null>(null);
  const [error, setError] = useState("");
  const abort = useRef<AbortController | null>(null);
  useEffect(() => () => abort.current?.abort(), []);
  const start = async (form: Form) => {
    const a = new AbortController();
    abort.current = a;
    setRows(0);
    setError("");
    try {
      await exportAll(sheet, form, params, setRows, a.signal);
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
    <>
      <Menu label="Export" icon="download" align="right">
        {close => (
          <>
            <p class="panel-title">All {sheet.name} of this filter</p>
            {(["jsonl", "csv"] as const).map(form => (
              <Item key={form} close={close} run={() => void start(form)}>
                {form === "jsonl" ? "JSON Lines" : "CSV"}
              </Item>
            ))}
          </>
        )}
      </Menu>
      {error && (
        <span class="field-error" role="alert">
          {error}
        </span>
      )}
    </>
  );
}
