import type { JSX } from "preact";
import { count } from "../format.ts";
import type { RefusedRequest } from "../types.ts";
import { Empty, Time } from "../ui/bits.tsx";

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
    // biome-ignore lint/a11y/noNoninteractiveTabindex: where it scrolls, keys must reach it (WCAG 2.1.1)
    <section class="card data-table audit-refused" aria-label="Refused requests, table" tabIndex={0}>
      <table>
        <thead>
          <tr>
            {heads.map(h => (
              <th key={h} scope="col">
                {h}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(r => (
            <Row key={[r.caller, r.method, r.path, r.status, r.code, r.client].join(" ")} row={r} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Row({ row: r }: { row: RefusedRequest }): JSX.Element {
  return (
    <tr>
      <th scope="row">
        <code>
          {r.method} {r.path}
        </code>
      </th>
      <td>{count(r.count)}</td>
      <td>
        <strong class="bad">{r.status}</strong> <code>{r.code}</code>
      </td>
      <td>{clients[r.client] ?? r.client}</td>
      <td>{r.caller === "project" ? "one of this project" : "none that is known"}</td>
      <td>
        <Time at={r.last} />
      </td>
    </tr>
  );
}

const clients: Record<string, string> = { none: "says no name", other: "another name" };
