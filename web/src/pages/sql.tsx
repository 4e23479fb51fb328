// A question in SQL: its text, which is in the address, the answer as a table, and a chart of it where its columns make one.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { query, request } from "../api.ts";
import { link } from "../base.ts";
import { offer } from "../export.ts";
import { count, counted, duration } from "../format.ts";
import { pretty } from "../json.ts";
import { navigate, usePlace } from "../router.ts";
import type { SQLAnswer } from "../types.ts";
import { Failure, PageHead, Spinner } from "../ui/bits.tsx";
import { Card, DataTable } from "../ui/datatable.tsx";
import { SqlChart } from "./sqlchart.tsx";
import { questions } from "./sqlquestions.ts";

const SHOWN = 1000; // rows

/** SqlPage asks what its text says when it is told to. */
export function SqlPage(): JSX.Element {
  const asked = usePlace().query.get("sql") ?? "";
  const field = useRef<HTMLTextAreaElement>(null);
  const [found, set] = useState<SQLAnswer | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const asking = useRef<AbortController | null>(null);
  const [busy, setBusy] = useState(false);
  const stop = () => asking.current?.abort();
  const run = async (text: string) => {
    stop();
    if (!text.trim()) return;
    const mine = new AbortController();
    asking.current = mine;
    setBusy(true);
    setError(null);
    try {
      set(
        await request<SQLAnswer>("/v1/sql", {
          method: "POST",
          body: { query: text, limit: SHOWN },
          signal: mine.signal,
        }),
      );
    } catch (e) {
      if (!mine.signal.aborted) {
        set(null);
        setError(e as Error);
      }
    }
    if (asking.current === mine) setBusy(false);
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: the address alone says what is asked
  useEffect(() => {
    if (field.current) field.current.value = asked;
    void run(asked);
    return stop;
  }, [asked]);
  const go = (text: string) => {
    if (text === asked) void run(text);
    else navigate(link(`/sql${query({ sql: text })}`));
  };
  return (
    <div class="page">
      <PageHead title="SQL" />
      <form
        class="card sql-ask"
        onSubmit={e => {
          e.preventDefault();
          go(field.current?.value ?? "");
        }}
      >
        <label for="sql-text">One SELECT from the views traces, observations, scores, events and sessions</label>
        <textarea
          id="sql-text"
          ref={field}
          rows={6}
          spellcheck={false}
          autocomplete="off"
          onKeyDown={e => {
            if (e.key !== "Enter" || !(e.ctrlKey || e.metaKey)) return;
            e.preventDefault();
            go(e.currentTarget.value);
          }}
        />
        <div class="sql-actions">
          <button type="submit" class="button primary" title="Ctrl Enter">
            Ask
          </button>
          {busy && (
            <button
              type="button"
              class="button"
              onClick={() => {
                stop();
                setBusy(false);
              }}
            >
              Stop
            </button>
          )}
          <select
            aria-label="Questions to begin with"
            value=""
            onChange={e => {
              const chosen = questions[Number(e.currentTarget.value)];
              e.currentTarget.value = "";
              if (chosen) go(chosen.sql);
            }}
          >
            <option value="">Questions to begin with …</option>
            {questions.map((q, i) => (
              <option key={q.title} value={i}>
                {q.title}
              </option>
            ))}
          </select>
        </div>
      </form>
      <div aria-live="polite">
        {busy && <Spinner label="Asking" />}
        {error && <Failure error={error} />}
      </div>
      {!busy && found && <Answer of={found} sql={asked} />}
    </div>
  );
}

function Answer({ of, sql }: { of: SQLAnswer; sql: string }): JSX.Element {
  const [error, setError] = useState<Error | null>(null);
  const save = async (accept: string, name: string) => {
    setError(null);
    try {
      offer([await fileOf(sql, accept)], name, accept);
    } catch (e) {
      setError(e as Error);
    }
  };
  const total = `${counted(of.rows.length, "row")}${of.truncated ? ", and there are more" : ""}, ${duration(of.took_ms)}`;
  const rows = of.rows.map((row, i) => ({ key: String(i), cells: row.map(cellOf) }));
  return (
    <>
      <SqlChart of={of} />
      <Card
        title="Answer"
        total={total}
        actions={
          <>
            <button type="button" class="button quiet" onClick={() => void save("text/csv", "answer.csv")}>
              CSV
            </button>
            <button
              type="button"
              class="button quiet"
              onClick={() => void save("application/vnd.apache.parquet", "answer.parquet")}
            >
              Parquet
            </button>
          </>
        }
      >
        {error && <Failure error={error} />}
        {rows.length > 0 ? (
          <DataTable label="Answer" class="sql-answer" heads={of.columns.map(c => c.name)} rows={rows} />
        ) : (
          <p class="card-none muted">No rows</p>
        )}
      </Card>
    </>
  );
}

/** fileOf asks once more, for a file with as many rows as an answer may have. */
async function fileOf(sql: string, accept: string): Promise<Blob> {
  const res = await fetch(link("/v1/sql"), {
    method: "POST",
    credentials: "same-origin",
    headers: { "Content-Type": "application/json", Accept: accept },
    body: JSON.stringify({ query: sql, limit: 10_000 }),
  });
  if (!res.ok) throw new Error(`The server answered ${res.status}.`);
  return res.blob();
}

/** cellOf writes a value. */
export function cellOf(v: unknown): string {
  if (v === null || v === undefined) return "–";
  if (typeof v === "string") return v;
  if (typeof v === "number") return Number.isInteger(v) ? count(v) : String(Number(v.toPrecision(10)));
  return pretty(v, "");
}
