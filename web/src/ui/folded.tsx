import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { Icon } from "./icon.tsx";

interface Props {
  title: string;
  note?: string; // beside the title
  children: () => ComponentChildren; // made when it is opened
}

/** Folded is a row that is closed at first. */
export function Folded({ title, note, children }: Props): JSX.Element {
  const [open, set] = useState(false);
  return (
    <section class="folded-row">
      <button type="button" class="section-toggle" aria-expanded={open} onClick={() => set(!open)}>
        <Icon name={open ? "down" : "right"} size={12} />
        <strong>{title}</strong>
        {note && <span class="muted small">{note}</span>}
      </button>
      {open && <div class="folded-body">{children()}</div>}
    </section>
  );
}
