// The tree of a trace, and what comes to it while it is looked at.
import { useMemo, useState } from "preact/hooks";
import { ask, idPath } from "../api.ts";
import { answer } from "../json.ts";
import { useLive } from "../live.ts";
import { usePlace } from "../router.ts";
import type { Trace } from "../types.ts";
import { useLoad } from "../ui/load.ts";
import { goesOn } from "./tree.ts";

interface Read {
  id: string;
  at: number; // when it came: the last one counts
  text: string;
  trace: Trace; // without what was sent
}

const read = async (id: string, signal: AbortSignal): Promise<Read> => {
  const text = await ask(idPath("/v1/traces", id, { fields: "tree" }), { signal });
  return { id, at: performance.now(), text, trace: answer(text) as Trace };
};

export interface Tree {
  trace: Trace | undefined;
  error: Error | undefined;
  live: boolean;
  turn: number; // rises when something may have come
  reload: () => void;
}

/** useTree loads a trace without what was sent. With live=1 in the address it follows what comes, and without live while a step is under way. */
export function useTree(id: string): Tree {
  const { data, error, reload } = useLoad(signal => read(id, signal), [id]);
  const [came, set] = useState<Read>();
  const [turn, next] = useState(0);
  const [shown] = [data, came].filter(r => r?.id === id).sort((a, b) => b!.at - a!.at);
  // biome-ignore lint/correctness/useExhaustiveDependencies: as it was when it was opened; its last step does not end it
  const underWay = useMemo(() => shown !== undefined && goesOn(shown.trace), [id, shown === undefined]);
  const said = usePlace().query.get("live");
  const live = said === null ? underWay : said === "1";
  useLive(
    live && shown !== undefined,
    async signal => {
      try {
        const newer = await read(id, signal);
        if (signal.aborted) return;
        if (newer.text !== shown?.text) set(newer);
        next(n => n + 1);
      } catch {
        // The next event asks again, and who loads again sees the error.
      }
    },
    { trace_id: id },
  );
  return { trace: shown?.trace, error, live, turn, reload };
}
