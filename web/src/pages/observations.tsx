import type { JSX } from "preact";
import { useAsked } from "../asked.ts";
import type { Bulk } from "../bulk/bulk.ts";
import { observationFields } from "../filters.ts";
import { setQuery } from "../router.ts";
import { observationSheet } from "../sheets.ts";
import { changed, filterOf } from "../terms.ts";
import type { Observation } from "../types.ts";
import { usePaged } from "../ui/paged.ts";
import { ListPage } from "./listpage.tsx";
import { CompactObservation, observationColumns, observationHref } from "./observationcolumns.tsx";

const NEWEST = "-start_time";
const previews = { previews: "true" };

// What people look for most: a filter and an order.
const questions: { title: string; filter?: string; sort: string }[] = [
  { title: "Newest", sort: NEWEST },
  { title: "Slowest calls", filter: "has:model", sort: "-latency_ms" },
  { title: "Failed tools", filter: "type:tool level:error", sort: NEWEST },
  { title: "Dearest prompts", filter: "has:cost", sort: "-total_cost" },
];

const bulk: Bulk<Observation> = {
  noun: "observation",
  sheet: observationSheet,
  subject: o => ({ trace: o.trace_id, observation: o.id, environment: o.environment }),
};
const each = { of: "observations" } as const;
const rowKey = (o: Observation): string => `${o.trace_id} ${o.id}`;

/** ObservationsPage lists single steps: calls, tools, spans. */
export function ObservationsPage(): JSX.Element {
  const asked = useAsked(observationFields);
  const sort = asked.query.get("sort") ?? NEWEST;
  const list = usePaged<Observation>("/v1/observations", { ...asked.params, sort }, previews);
  const filter = filterOf(asked.query, observationFields);
  return (
    <ListPage
      page="observations"
      title="Observations"
      icon="observations"
      asked={asked}
      list={list}
      bulk={bulk}
      counting={each}
      sort={sort}
      newest={NEWEST}
      fields={observationFields}
      columns={observationColumns}
      href={observationHref}
      compact={o => <CompactObservation observation={o} />}
      none="No observation passes these filters"
      search
      rowKey={rowKey}
      chart={
        <fieldset class="segments questions">
          <legend class="visually-hidden">What to look for</legend>
          {questions.map(q => (
            <button
              key={q.title}
              type="button"
              aria-pressed={sort === q.sort && filter === (q.filter ?? "")}
              onClick={() =>
                setQuery({
                  ...changed(q.filter ?? "", observationFields),
                  sort: q.sort === NEWEST ? undefined : q.sort,
                })
              }
            >
              {q.title}
            </button>
          ))}
        </fieldset>
      }
    />
  );
}
