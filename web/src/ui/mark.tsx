import type { JSX } from "preact";

/** Mark is the product's sign and name. */
export function Mark(): JSX.Element {
  return (
    <span class="mark">
      <svg width="22" height="22" viewBox="0 0 32 32" aria-hidden="true">
        <rect width="32" height="32" rx="7" class="mark-box" />
        <path d="M8 9.500h10M8 16h16M13 22.500h11" class="mark-lines" />
      </svg>
      <span>Brokle</span>
    </span>
  );
}
