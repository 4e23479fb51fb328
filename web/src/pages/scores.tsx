import type { JSX } from "preact";
import type { Params } from "../api.ts";
import { useAsked } from "../asked.ts";
import { scoreFields } from "../filters.ts";
import { count, percent } from "../format.ts";
import { type Range, rangeParams } from "../range.ts";
import { setQuery } from "../router.ts";
import { ViewNotice } from "../saved/viewed.tsx";
import { aboutScore, type ScoreKind, scoreKinds } from "../scorestats.ts";
import { Failure, PageHead, Spinner } from "../ui/bits.tsx";
import { FilterBar, filterError } from "../ui/filterbar.tsx";
import { useLoad } from "../ui/load.ts";
import { Nothing } from "../ui/nothing.tsx";
import { TimeRange } from "../ui/timerange.tsx";
import { Categories, CategoriesByModel, CategoriesOverTime } from "./scorecategories.tsx";
import { meanText, ScoreList } from "./scorelist.tsx";
import { ByModel, Distribution, OverTime } from "./scorenumbers.tsx";

/** ScoresPage shows which scores there are, and of one of them distribution, course and models. */
export function ScoresPage(): JSX.Element {
  const { query, range, params, key, reload } = useAsked(scoreFields);
  const { data, error } = useLoad(signal => scoreKinds(params, signal), [key]);
  const name = query.get("name");
  const type = query.get("data_type");
  const chosen = data?.find(k => k.name === name && (!type || k.type === type)) ?? (name ? undefined : data?.[0]);
  return (
    <div class="page">
      <PageHead title="Scores">
        <span class="spacer" />
        <TimeRange range={range} />
      </PageHead>
      <FilterBar query={query} fields={scoreFields} range={rangeParams(range)} error={error} words="comment" />
      <ViewNotice page="scores" />
      {error && !filterError(error) && <Failure error={error} again={reload} />}
      {!data && !error && <Spinner />}
      {data?.length === 0 && (
        <Nothing
          what="scores"
          icon="scores"
          fields={scoreFields}
          range={range}
          how="Send quality_score_create with a name and a value, for a trace or an observation."
        />
      )}
      {data && data.length > 0 && <Names kinds={data} chosen={chosen} />}
      {data && data.length > 0 && name && !chosen && <p class="card-none muted">No score “{name}” in this time</p>}
      {chosen && <One key={chosen.name + chosen.type} kind={chosen} params={params} range={range} turn={key} />}
    </div>
  );
}

function Names({ kinds, chosen }: { kinds: ScoreKind[]; chosen: ScoreKind | undefined }): JSX.Element {
  return (
    <ul class="score-names" aria-label="Scores">
      {kinds.map(k => (
        <li key={`${k.name} ${k.type}`}>
          <button
            type="button"
            class="card score-name"
            aria-pressed={k === chosen}
            onClick={() => setQuery({ name: k.name, data_type: k.type })}
          >
            <span class="ellipsis">{k.name}</span>
            <strong>{meanText(k)}</strong>
            <span class="muted small">
              {k.type.toLowerCase()}, {k.top ? `${percent(k.top.share)} of ` : ""}
              {count(k.count)}
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}

interface OneProps {
  kind: ScoreKind;
  params: Params;
  range: Range;
  turn: string;
}

function One({ kind, params, range, turn }: OneProps): JSX.Element {
  const { data, error, reload } = useLoad(signal => aboutScore(kind, params, range, signal), [turn]);
  if (error) return <Failure error={error} again={reload} />;
  if (!data) return <Spinner />;
  return (
    <>
      <div class="cards cards-three">
        {kind.type === "CATEGORICAL" ? (
          <>
            <Categories answers={data} />
            <CategoriesOverTime answers={data} range={range} />
            <CategoriesByModel answers={data} />
          </>
        ) : (
          <>
            <Distribution kind={kind} answers={data} />
            <OverTime kind={kind} answers={data} range={range} />
            <ByModel kind={kind} answers={data} />
          </>
        )}
      </div>
      <ScoreList kind={kind} params={params} fields={scoreFields} />
    </>
  );
}
