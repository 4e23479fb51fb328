import { useEffect, useRef } from "preact/hooks";

const SOON = 250; // ms: the warehouse follows the log by about that much
const LATER = 1200; // ms after the last event, for what came in between
const POLL = 2000; // ms, where the server does not stream

/**
 * useLive calls tick whenever events came in, at most about four times a
 * second: it listens to the project's stream, and polls if there is none.
 */
export function useLive(on: boolean, tick: () => void): void {
  const latest = useRef(tick);
  latest.current = tick;
  useEffect(() => {
    if (!on) return;
    let soon: ReturnType<typeof setTimeout> | undefined;
    let later: ReturnType<typeof setTimeout> | undefined;
    let poll: ReturnType<typeof setInterval> | undefined;
    const run = () => {
      if (!document.hidden) latest.current();
    };
    const came = () => {
      soon ??= setTimeout(() => {
        soon = undefined;
        run();
      }, SOON);
      clearTimeout(later);
      later = setTimeout(run, LATER);
    };
    const stream = new EventSource("/v1/telemetry/stream");
    stream.onmessage = came;
    stream.addEventListener("event", came);
    stream.onerror = () => {
      if (stream.readyState === EventSource.CLOSED) poll ??= setInterval(run, POLL);
    };
    document.addEventListener("visibilitychange", run);
    run();
    return () => {
      stream.close();
      clearTimeout(soon);
      clearTimeout(later);
      clearInterval(poll);
      document.removeEventListener("visibilitychange", run);
    };
  }, [on]);
}
