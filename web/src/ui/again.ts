// Asking again by itself while the server is away: it restarts, or a proxy before it does.
import { useEffect, useRef } from "preact/hooks";
import { away } from "../api.ts";

const FIRST = 1000; // milliseconds, and twice as many each time
const MOST = 15_000;

/** useAgain calls again while error says that the server is away, less and less often; at once when the network is back. */
export function useAgain(error: Error | undefined, busy: boolean, again: () => void): void {
  const wait = useRef(FIRST);
  const latest = useRef(again);
  latest.current = again;
  useEffect(() => {
    if (busy) return;
    if (!away(error)) {
      wait.current = FIRST;
      return;
    }
    const run = () => latest.current();
    const timer = setTimeout(run, wait.current);
    wait.current = Math.min(MOST, wait.current * 2);
    addEventListener("online", run);
    return () => {
      clearTimeout(timer);
      removeEventListener("online", run);
    };
  }, [error, busy]);
}
