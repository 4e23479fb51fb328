import type { ComponentChildren, JSX } from "preact";
import type { Asked } from "../asked.ts";
import type { Field } from "../filters.ts";
import { count } from "../format.ts";
import { rangeParams } from "../range.ts";
import { setQuery } from "../router.ts";
import { ViewNotice } from "../saved/viewed.tsx";
import { Failure, PageHead } from "../ui/bits.tsx";
import { FilterBar, filterError } from "../ui/filterbar.tsx";
import type { IconName } from "../ui/icon.tsx";
import { Nothing } from "../ui/nothing.tsx";
import type { Paged } from "../ui/paged.ts";
import { Table } from "../ui/table.tsx";
import { TimeRange } from "../ui/timerange.tsx";
import { type Listed, shownText, useListing } from "./listing.tsx";

interface Props<T> extends Listed<T> {
  title: string;
  icon: IconName;
  asked: Asked;
  list: Paged<T>;
  params?: Asked["params"]; // of the list, when they are not those of the address
  sort: string;
  newest: string; // the order of a list that nobody has sorted
  fields: Field[];
  href: (row: T) => string;
  compact: (row: T) => ComponentChildren;
  how?: string; // what makes a trace count here
  none?: string; // the title where filters leave nothing, when it is not the usual one
  search?: boolean; // words are looked for
  words?: string; // the field that words are looked for in
  rowKey?: (row: T) => string; // where ids are not enough
  fresh?: Set<string>; // ids of rows that just came in
  buttons?: ComponentChildren; // beside the time
  chart?: ComponentChildren; // above the rows
}

/** ListPage is a page that is a list: of traces, sessions, users. What it shows is in the address. */
export function ListPage<T extends { id: string }>(props: Props<T>): JSX.Element {
  const { title, asked, list, fields } = props;
  const { query, range } = asked;
  const listing = useListing({ ...props, params: props.params ?? asked.params });
  const { total } = listing;
  return (
    <div class="page page-fill">
      <PageHead title={title}>
        <span class="muted small" aria-live="polite">
          {list.loaded && shownText(count(list.rows.length), list.end, total === undefined ? undefined : count(total))}
        </span>
        <span class="spacer" />
        {props.buttons}
        <TimeRange range={range} />
      </PageHead>
      <FilterBar
        query={query}
        fields={fields}
        range={rangeParams(range)}
        error={list.error}
        search={props.search}
        words={props.words}
      >
        {listing.tools}
      </FilterBar>
      <ViewNotice page={props.page} />
      {props.chart}
      {list.error && !filterError(list.error) && <Failure error={list.error} again={asked.reload} />}
      {list.loaded && list.rows.length === 0 && !list.error ? (
        <Nothing
          what={title.toLowerCase()}
          icon={props.icon}
          fields={fields}
          range={range}
          how={props.how}
          none={props.none}
        />
      ) : (
        <Table
          label={title}
          list={list}
          columns={listing.columns}
          href={props.href}
          compact={props.compact}
          sort={props.sort}
          onSort={s => setQuery({ sort: s === props.newest ? undefined : s, live: undefined })}
          fresh={props.fresh}
          rowKey={props.rowKey}
          fields={fields}
          selection={listing.selection}
          onWidth={listing.onWidth}
        />
      )}
      {listing.bar}
    </div>
  );
}
