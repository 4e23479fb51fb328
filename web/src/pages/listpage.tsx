import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { useAsked } from "../asked.ts";
import type { Field } from "../filters.ts";
import { count } from "../format.ts";
import { useKeys } from "../keys.tsx";
import { rangeParams } from "../range.ts";
import { setQuery, usePlace } from "../router.ts";
import { Failure, PageHead, Spinner } from "../ui/bits.tsx";
import { FilterBar } from "../ui/filterbar.tsx";
import type { IconName } from "../ui/icon.tsx";
import { Nothing } from "../ui/nothing.tsx";
import { usePaged } from "../ui/paged.ts";
import { type Column, Table } from "../ui/table.tsx";
import { TimeRange } from "../ui/timerange.tsx";

interface Props<T> {
  title: string;
  path: string; // of the API
  icon: IconName;
  fields: Field[];
  columns: Column<T>[];
  href: (row: T) => string;
  compact: (row: T) => ComponentChildren;
  how: string; // what makes a trace count here
}

const NEWEST = "-last_seen";

/** ListPage is a list of what traces add up to: sessions, users. What it shows is in the address. */
export function ListPage<T extends { id: string }>(props: Props<T>): JSX.Element {
  const { query } = usePlace();
  const [turn, setTurn] = useState(0);
  const { range, params } = useAsked(query, props.fields, turn);
  const sort = query.get("sort") ?? NEWEST;
  const list = usePaged<T>(props.path, { ...params, sort });
  const reload = () => setTurn(n => n + 1);
  useKeys([{ key: "r", label: "Load again", run: reload }]);
  const none = list.loaded && list.rows.length === 0 && !list.error;
  return (
    <div class="page page-fill">
      <PageHead title={props.title}>
        <span class="muted small" aria-live="polite">
          {list.loaded && `${count(list.rows.length)}${list.end ? "" : "+"} shown`}
        </span>
        <span class="spacer" />
        <TimeRange range={range} />
      </PageHead>
      <FilterBar query={query} fields={props.fields} range={rangeParams(range)} />
      {list.error && <Failure error={list.error} again={reload} />}
      {none ? (
        <Nothing
          what={props.title.toLowerCase()}
          icon={props.icon}
          fields={props.fields}
          range={range}
          how={props.how}
        />
      ) : (
        <Table
          label={props.title}
          rows={list.rows}
          columns={props.columns}
          rowKey={r => r.id}
          href={props.href}
          compact={props.compact}
          sort={sort}
          onSort={s => setQuery({ sort: s === NEWEST ? undefined : s })}
          more={list.more}
          foot={list.busy ? <Spinner /> : undefined}
        />
      )}
    </div>
  );
}
