import { useEffect, useRef } from "preact/hooks";
import { type Params, query } from "./api.ts";
import { link } from "./base.ts";

const SOON = 250; // ms: the warehouse follows the log by about that much
const LATER = [1200, 5000]; // ms after the last event, for what came in between, and for a warehouse that is behind
const POLL = 2000; // ms, where the server does not stream

/**
 * useLive calls tick whenever events may have come in: when the project's
 * stream opens, when it brings some (at most about four times a second), and a
 * little after the last one. It polls if there is no stream. One tick runs at
 * a time; what asks for one meanwhile is answered by another one after it. The
 * signal of tick says that nobody wants its answer any more. of restricts the stream.
 */
export function useLive(on: boolean, tick: (signal: AbortSignal) => Promise<void>, of: Params = {}): void {
  const latest = useRef(tick);
  latest.current = tick;
  const filter = query(of);
  useEffect(() => {
    if (!on) return;
    const left = new AbortController();
    let running = false;
    let again = false;
    const run = async () => {
      again = true;
      if (running) return;
      running = true;
      while (again && !document.hidden && !left.signal.aborted) {
        again = false;
        await latest.current(left.signal);
      }
      running = false;
    };
    let soon: ReturnType<typeof setTimeout> | undefined;
    let later: ReturnType<typeof setTimeout>[] = [];
    let poll: ReturnType<typeof setInterval> | undefined;
    const came = () => {
      soon ??= setTimeout(() => {
        soon = undefined;
        void run();
      }, SOON);
      later.forEach(clearTimeout);
      later = LATER.map(ms => setTimeout(run, ms));
    };
    const stream = new EventSource(link(`/v1/telemetry/stream${filter}`));
    stream.onopen = came; // a stream begins with what comes after it opened
    stream.onmessage = came;
    stream.addEventListener("event", came);
    stream.onerror = () => {
      if (stream.readyState === EventSource.CLOSED) poll ??= setInterval(run, POLL);
    };
    document.addEventListener("visibilitychange", run);
    void run();
    return () => {
      left.abort();
      stream.close();
      clearTimeout(soon);
      later.forEach(clearTimeout);
      clearInterval(poll);
      document.removeEventListener("visibilitychange", run);
    };
  }, [on, filter]);
}
