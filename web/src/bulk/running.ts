import { useEffect, useRef, useState } from "preact/hooks";

/** Running is what is being done: how far it is. */
export interface Running {
  does: string;
  of: number | null; // how many; null: nobody knows
  n: number;
}

/** Said is what became of it. */
export interface Said {
  text: string;
  bad: boolean;
}

/** Long is something that takes its time: it tells how far it is, and ends when the signal says so. It returns what to say of it. */
export type Long = (progress: (n: number) => void, signal: AbortSignal) => Promise<Said | null>;

/** Runs runs one thing after another. */
export interface Runs {
  running: Running | null;
  said: Said | null; // of the last
  start: (does: string, of: number | null, long: Long) => Promise<void>;
  stop: () => void;
  forget: () => void; // what was said
}

/** useRunning is for what is done with many rows; who leaves the page ends it. */
export function useRunning(): Runs {
  const [running, run] = useState<Running | null>(null);
  const [said, say] = useState<Said | null>(null);
  const abort = useRef<AbortController | null>(null);
  useEffect(() => () => abort.current?.abort(), []);
  const start = async (does: string, of: number | null, long: Long) => {
    const a = new AbortController();
    abort.current = a;
    say(null);
    run({ does, of, n: 0 });
    try {
      say(await long(n => run({ does, of, n }), a.signal));
    } catch (e) {
      say(a.signal.aborted ? { text: "Stopped.", bad: false } : { text: (e as Error).message, bad: true });
    } finally {
      run(null);
    }
  };
  return { running, said, start, stop: () => abort.current?.abort(), forget: () => say(null) };
}
