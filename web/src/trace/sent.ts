// What was sent of a trace and of its observations: the tree comes without, and asks for it where it is looked at.
import { useRef } from "preact/hooks";
import { idPath, request } from "../api.ts";
import type { Observation, Trace } from "../types.ts";
import { useLoad } from "../ui/load.ts";
import { before, goesOn } from "./earlier.ts";

const KEPT = 24; // observations; those before a call are looked at with it

/** Payloads are those of one trace that were asked for lately. */
export class Payloads {
  readonly #known = new Map<string, { row: string; whole: Observation }>();

  constructor(readonly trace: string) {}

  /** known is the observation with all that was sent, or the row itself where that was not asked for since the row changed. */
  known = (row: Observation): Observation => {
    const at = this.#known.get(row.id);
    return at?.row === written(row) ? { ...at.whole, children: row.children ?? [] } : row;
  };

  /** of is the observation with all that was sent. */
  async of(row: Observation, signal: AbortSignal): Promise<Observation> {
    const known = this.known(row);
    if (known !== row) return known;
    const whole = await request<Observation>(idPath("/v1/observations", row.id, { trace_id: this.trace }), { signal });
    this.#known.delete(row.id);
    this.#known.set(row.id, { row: written(row), whole });
    for (const [oldest] of this.#known) {
      if (this.#known.size <= KEPT) break;
      this.#known.delete(oldest);
    }
    return this.known(row);
  }

  /** withBefore asks for the calls before one, too, as far as it takes to know which messages are news. */
  async withBefore(row: Observation, trace: Trace, signal: AbortSignal): Promise<Observation> {
    const whole = await this.of(row, signal);
    const calls = before(whole, row, trace);
    for (const [i, call] of calls.entries()) {
      if (i === 1) {
        await Promise.all(calls.slice(1).map(c => this.of(c, signal))); // what goes on does so where the nearest was, nearly always
        break;
      }
      if (goesOn(whole, await this.of(call, signal))) break;
    }
    return whole;
  }

  /** forget asks again for an observation, or for all. */
  forget(id?: string): void {
    if (id === undefined) this.#known.clear();
    else this.#known.delete(id);
  }
}

const written = (row: Observation): string => JSON.stringify({ ...row, children: undefined });

export interface Whole {
  of: Observation | Trace | undefined; // with what was sent; undefined while it is on its way
  error: Error | undefined;
  reload: () => void;
}

/** useWhole is an observation (null: the trace itself) with what was sent. turn changes when it is to be asked for again. */
export function useWhole(o: Observation | null, trace: Trace, payloads: Payloads, turn: number): Whole {
  const key = o ? `o ${o.id}` : "";
  const asked = useRef(turn);
  const { data, error, reload } = useLoad(
    async signal => {
      if (asked.current !== turn) payloads.forget(o?.id);
      asked.current = turn;
      const of = o
        ? await payloads.withBefore(o, trace, signal)
        : { ...trace, ...own(await request<Trace>(idPath("/v1/traces", trace.id, { fields: "trace" }), { signal })) };
      return { key, of };
    },
    [key, trace, turn],
  );
  return { of: data?.key === key ? data.of : undefined, error: data?.key === key ? undefined : error, reload };
}

const own = ({ input, output, metadata }: Trace): Pick<Trace, "input" | "output" | "metadata"> => ({
  input,
  output,
  metadata,
});
