import type { JSX } from "preact";
import { count } from "../format.ts";
import type { RefusedRequest } from "../types.ts";
import { Empty, Time } from "../ui/bits.tsx";
import { DataTable } from "../ui/datatable.tsx";

const heads = ["Request", "Times", "Answer", "Client", "Key", "Last"];

/** Refused lists requests that were refused as a whole, the latest first: a client whose path or key is wrong often says nothing. */
export function Refused({ rows }: { rows: RefusedRequest[] }): JSX.Element {
  if (rows.length === 0) {
    return (
      <Empty icon="check" title="No request was refused">
        <p>Since this node started, no client of this project sent to a wrong path or in a wrong way.</p>
      </Empty>
    );
  }
  return (
    <DataTable
      label="Refused requests"
      class="card audit-refused"
      heads={heads}
      rows={rows.map(r => ({
        key: [r.caller, r.method, r.path, r.status, r.code, r.client].join(" "),
        cells: [
          <code>
            {r.method} {r.path}
          </code>,
          count(r.count),
          <>
            <strong class="bad">{r.status}</strong> <code>{r.code}</code>
          </>,
          clients[r.client] ?? r.client,
          r.caller === "project" ? "one of this project" : "none that is known",
          <Time at={r.last} />,
        ],
      }))}
    />
  );
}

const clients: Record<string, string> = { none: "says no name", other: "another name" };
