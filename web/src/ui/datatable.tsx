import type { ComponentChildren, JSX } from "preact";

interface Row {
  key: string;
  cells: ComponentChildren[];
}

/** DataTable is a small table: its first column names the rows, the others are numbers. It scrolls by itself where it is too wide. */
export function DataTable({ label, heads, rows }: { label: string; heads: string[]; rows: Row[] }): JSX.Element {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: where it scrolls, keys must reach it (WCAG 2.1.1)
    <section class="data-table" aria-label={`${label}, table`} tabIndex={0}>
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

/** Bar is a number with its share of the largest. */
export function Bar({
  share,
  color = "--accent",
  children,
}: {
  share: number;
  color?: string;
  children: ComponentChildren;
}): JSX.Element {
  const width = Number.isFinite(share) ? Math.max(0, Math.min(1, share)) * 100 : 0;
  return (
    <span class="share">
      <span class="share-track">
        <span class="share-fill" style={{ width: `${width}%`, background: `var(${color})` }} />
      </span>
      <span class="share-text">{children}</span>
    </span>
  );
}

/** Tiles are the numbers that a page begins with. */
export function Tiles({ tiles }: { tiles: { title: string; value: string; more?: string }[] }): JSX.Element {
  return (
    <dl class="tiles">
      {tiles.map(t => (
        <div key={t.title} class="card tile">
          <dt>{t.title}</dt>
          <dd>
            <strong>{t.value}</strong>
            {t.more && <span class="muted small">{t.more}</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** Card is a box with a title. */
export function Card({
  title,
  total,
  children,
}: {
  title: string;
  total?: string;
  children: ComponentChildren;
}): JSX.Element {
  return (
    <section class="card chart-card" aria-label={title}>
      <header class="card-head">
        <h2>{title}</h2>
        {total && <span class="card-total">{total}</span>}
      </header>
      {children}
    </section>
  );
}
