import { useState } from "preact/hooks";

export interface Doing {
  busy: boolean;
  error: Error | null;
  /** run does something, and says whether it went well; what went wrong is in error until the next. */
  run: (f: () => Promise<unknown>) => Promise<boolean>;
}

/** useDoing is for what a person does and the server answers: one at a time, with what went wrong. */
export function useDoing(): Doing {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const run = async (f: () => Promise<unknown>) => {
    setBusy(true);
    setError(null);
    try {
      await f();
      return true;
    } catch (e) {
      setError(e as Error);
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, error, run };
}
