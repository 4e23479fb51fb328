import type { ComponentChildren, JSX } from "preact";
import { count, percent } from "../format.ts";

interface Row {
  key: string;
  cells: ComponentChildren[];
}

interface Share {
  key: string;
  name: string;
  count: number;
}

interface Props {
  label: string;
  heads: string[];
  rows: Row[];
  class?: string;
}

/** DataTable is a small table: its first column names the rows. It scrolls by itself where it is too wide. */
export function DataTable({ label, heads, rows, class: more }: Props): JSX.Element {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: where it scrolls, keys must reach it (WCAG 2.1.1)
    <section class={`data-table${more ? ` ${more}` : ""}`} aria-label={`${label}, table`} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {heads.map((h, i) => (
              <th key={i} scope="col">
                {h}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(r => (
            <tr key={r.key}>{r.cells.map((c, i) => (i === 0 ? <th scope="row">{c}</th> : <td>{c}</td>))}</tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** Shares is a table of how many scores have each value, beside the most and of all. */
export function Shares({ of }: { of: Share[] }): JSX.Element {
  const total = of.reduce((n, s) => n + s.count, 0);
  const most = Math.max(1, ...of.map(s => s.count));
  const rows = of.map(s => ({
    key: s.key,
    cells: [
      s.name,
      <Bar key="bar" share={s.count / most}>
        {count(s.count)}
      </Bar>,
      percent(s.count / total),
    ],
  }));
  return <DataTable label="Distribution" heads={["Value", "Scores", "Share"]} rows={rows} />;
}

const within = (share: number): number => (Number.isFinite(share) ? Math.max(0, Math.min(1, share)) * 100 : 0);

/** Bar is a number with its share of the largest; mark is a share that is marked. */
export function Bar({
  share,
  mark,
  color = "--accent",
  children,
}: {
  share: number;
  mark?: number | undefined;
  color?: string;
  children: ComponentChildren;
}): JSX.Element {
  return (
    <span class="share">
      <span class="share-track">
        <span class="share-fill" style={{ width: `${within(share)}%`, background: `var(${color})` }} />
        {mark !== undefined && <span class="share-mark" style={{ left: `${within(mark)}%` }} />}
      </span>
      <span class="share-text">{children}</span>
    </span>
  );
}

/** Tile is a number with its name. */
export interface Tile {
  title: string;
  value: string;
  more?: string;
  change?: { mark: string; words: string; before: string } | undefined; // since the period before, and what it was
}

/** Tiles are the numbers that a page begins with. */
export function Tiles({ tiles }: { tiles: Tile[] }): JSX.Element {
  return (
    <dl class="tiles">
      {tiles.map(t => (
        <div key={t.title} class="card tile">
          <dt>{t.title}</dt>
          <dd>
            <strong>{t.value}</strong>
            {t.more && <span class="muted small">{t.more}</span>}
            {t.change && (
              <span class="tile-change small" title={`Before: ${t.change.before}`}>
                <span aria-hidden="true">{t.change.mark}</span> {t.change.words}
              </span>
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** Card is a box with a title; actions stand at its right. */
export function Card({
  title,
  total,
  actions,
  children,
}: {
  title: string;
  total?: string;
  actions?: ComponentChildren;
  children: ComponentChildren;
}): JSX.Element {
  return (
    <section class="card chart-card" aria-label={title}>
      <header class="card-head">
        <h2>{title}</h2>
        {total && <span class="card-total">{total}</span>}
        {actions && <span class="spacer" />}
        {actions}
      </header>
      {children}
    </section>
  );
}
