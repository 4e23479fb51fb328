import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { get, seg } from "../api.ts";
import { link } from "../base.ts";
import { navigate, usePlace } from "../router.ts";
import type { Observation } from "../types.ts";
import { Failure, PageHead, Spinner, Time } from "../ui/bits.tsx";
import { Icon } from "../ui/icon.tsx";
import { useLoad } from "../ui/load.ts";

const hrefOf = (o: Observation): string => link(`/traces/${seg(o.trace_id)}?observation=${seg(o.id)}`);

/**
 * ObservationPage goes to an observation in its trace, for who has its id. An id is its own
 * only within a trace: where the address names no trace and several have the id, it says so.
 */
export function ObservationPage({ id }: { id: string }): JSX.Element {
  const traceID = usePlace().query.get("trace_id") ?? undefined;
  const { data, error, reload } = useLoad(
    signal => get<Observation>(`/v1/observations/${seg(id)}`, { trace_id: traceID }, signal),
    [id, traceID],
  );
  useEffect(() => {
    if (data?.trace_id && !data.ambiguous) navigate(hrefOf(data), true);
  }, [data]);
  return (
    <div class="page">
      <PageHead title="Observation" />
      {error && <Failure error={error} again={reload} />}
      {!data && !error && <Spinner />}
      {data?.ambiguous && (
        <p class="notice" role="status">
          <Icon name="search" />
          <span>
            Other traces have an observation of this id, too. The newest, {data.name || data.id} of{" "}
            <Time at={data.start_time} long />, is in the trace <a href={hrefOf(data)}>{data.trace_id}</a>.
          </span>
        </p>
      )}
      {data && !data.trace_id && (
        <p class="notice" role="status">
          <Icon name="search" />
          <span>
            {data.name || data.id} belongs to no trace: nothing that came of it names one. The API has it:{" "}
            <a href={link(`/v1/observations/${seg(id)}`)} target="_blank" rel="noreferrer">
              JSON
            </a>
          </span>
        </p>
      )}
    </div>
  );
}
