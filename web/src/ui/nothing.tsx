import type { JSX } from "preact";
import { get } from "../api.ts";
import type { Field } from "../filters.ts";
import type { Range } from "../range.ts";
import { setQuery, usePlace } from "../router.ts";
import { changed, filterOf } from "../terms.ts";
import type { Page, TraceSummary } from "../types.ts";
import { Empty, Spinner } from "./bits.tsx";
import { FirstEvent } from "./firstevent.tsx";
import type { IconName } from "./icon.tsx";
import { useLoad } from "./load.ts";
import { setPreset } from "./timerange.tsx";

interface Props {
  what: string; // plural, such as "sessions"
  icon: IconName;
  fields: Field[];
  range: Range;
  how?: string | undefined; // what a trace needs, so that there is one
  none?: string | undefined; // the title where filters leave nothing
}

/** Nothing stands where a page has nothing to show, and says what would help. */
export function Nothing({
  what,
  icon,
  fields,
  range,
  how,
  none = `No ${what} pass these filters`,
}: Props): JSX.Element {
  const { query } = usePlace();
  // Nothing now, or nothing ever? Only the second is where somebody begins.
  const any = useLoad(signal => get<Page<TraceSummary>>("/v1/traces", { limit: "1" }, signal), []);
  if (!any.data && !any.error) return <Spinner />;
  if (any.data?.data.length === 0) return <FirstEvent what={what} />;
  const filtered = filterOf(query, fields) !== "";
  return (
    <Empty icon={icon} title={filtered ? none : `No ${what} in this time`}>
      {how && <p>{how}</p>}
      <p class="actions">
        {range.preset !== "all" && (
          <button type="button" class="button primary" onClick={() => setPreset("all")}>
            Look at all time
          </button>
        )}
        {filtered && (
          <button type="button" class="button" onClick={() => setQuery(changed("", fields))}>
            Remove the filters
          </button>
        )}
      </p>
    </Empty>
  );
}
