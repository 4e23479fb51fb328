import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { useAgain } from "./again.ts";

export interface Loaded<T> {
  data: T | undefined; // of the load before, while the next is on its way
  error: Error | undefined;
  busy: boolean;
  reload: () => void;
}

/** useLoad runs load when deps change; an answer that comes after a newer question is dropped. */
export function useLoad<T>(load: (signal: AbortSignal) => Promise<T>, deps: unknown[]): Loaded<T> {
  const [state, set] = useState<{ data?: T; error?: Error; busy: boolean }>({ busy: true });
  const [turn, again] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the caller names what it depends on; turn asks again
  useEffect(() => {
    const abort = new AbortController();
    set(s => ({ ...s, busy: true }));
    latest.current(abort.signal).then(
      data => {
        if (!abort.signal.aborted) set({ data, busy: false });
      },
      error => {
        if (!abort.signal.aborted) set(s => ({ ...s, error: error as Error, busy: false }));
      },
    );
    return () => abort.abort();
  }, [...deps, turn]);
  const reload = useCallback(() => again(n => n + 1), []);
  useAgain(state.error, state.busy, reload);
  return { data: state.data, error: state.error, busy: state.busy, reload };
}

/** useMedia follows a media query. */
export function useMedia(text: string): boolean {
  const [matches, set] = useState(() => matchMedia(text).matches);
  useEffect(() => {
    const media = matchMedia(text);
    const f = () => set(media.matches);
    f();
    media.addEventListener("change", f);
    return () => media.removeEventListener("change", f);
  }, [text]);
  return matches;
}

/** NARROW is a telephone: tables become two-line rows. */
export const NARROW = "(max-width: 640px)";
