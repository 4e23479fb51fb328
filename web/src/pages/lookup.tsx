import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, get, seg } from "../api.ts";
import { usePlace } from "../router.ts";
import type { EventReceipt } from "../types.ts";
import { Failure, Time } from "../ui/bits.tsx";

type Found = { id: string; receipt: EventReceipt | null };

/** Lookup asks for the receipt of one event by its id, which may be in the address. */
export function Lookup(): JSX.Element {
  const wanted = usePlace().query.get("event") ?? "";
  const field = useRef<HTMLInputElement>(null);
  const [found, set] = useState<Found | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const ask = async () => {
    const id = field.current?.value.trim();
    if (!id) return;
    setError(null);
    try {
      set({ id, receipt: await get<EventReceipt>(`/v1/telemetry/events/${seg(id)}`) });
    } catch (e) {
      if (e instanceof ApiError && e.status === 404) set({ id, receipt: null });
      else setError(e as Error);
    }
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked for once for each address
  useEffect(() => {
    if (!wanted || !field.current) return;
    field.current.value = wanted;
    field.current.scrollIntoView({ block: "nearest" });
    void ask();
  }, [wanted]);
  return (
    <div class="card audit-lookup">
      <form
        onSubmit={e => {
          e.preventDefault();
          void ask();
        }}
      >
        <label for="event-id">Event id</label>
        <input id="event-id" ref={field} type="text" spellcheck={false} autocomplete="off" />
        <button type="submit" class="button">
          Look
        </button>
      </form>
      <div aria-live="polite">{found && <Receipt {...found} />}</div>
      {error && <Failure error={error} />}
    </div>
  );
}

function Receipt({ id, receipt: r }: Found): JSX.Element {
  if (!r) {
    return (
      <p>
        <code>{id}</code> never came to this project, or it was erased.
      </p>
    );
  }
  return (
    <p>
      <span class={`badge ${r.status === "stored" ? "badge-ok" : "badge-error"}`}>{r.status}</span>{" "}
      <code>{r.event_id}</code> {r.event_type && `(${r.event_type})`} <Time at={r.at} long />
      {r.batch_id && (
        <>
          , batch <code>{r.batch_id}</code>
        </>
      )}
      {r.error && <span class="audit-error">: {r.error.error}</span>}
    </p>
  );
}
