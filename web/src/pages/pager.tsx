import type { JSX } from "preact";
import { count } from "../format.ts";

/** Pager goes through numbered pages. With one page there is nothing. */
export function Pager({
  page,
  pages,
  go,
}: {
  page: number;
  pages: number;
  go: (p: number) => void;
}): JSX.Element | null {
  if (pages <= 1) return null;
  return (
    <nav class="pager" aria-label="Pages">
      <button type="button" class="button" disabled={page <= 1} onClick={() => go(page - 1)}>
        Before
      </button>
      <span class="muted small">
        Page {count(page)} of {count(pages)}
      </span>
      <button type="button" class="button" disabled={page >= pages} onClick={() => go(page + 1)}>
        Next
      </button>
    </nav>
  );
}
