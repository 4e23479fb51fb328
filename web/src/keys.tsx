// Keyboard shortcuts: each page says which it has, "?" shows them all.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Dialog } from "./ui/dialog.tsx";

export interface Shortcut {
  key: string; // as KeyboardEvent.key says it
  label: string;
  run: () => void;
  unlisted?: boolean; // another one speaks for it
}

const active = new Set<{ current: Shortcut[] }>();

/** useKeys adds shortcuts while the component is on screen. The latest list counts. */
export function useKeys(list: Shortcut[]): void {
  const ref = useRef(list);
  ref.current = list;
  useEffect(() => {
    active.add(ref);
    return () => {
      active.delete(ref);
    };
  }, []);
}

function typing(target: EventTarget | null): boolean {
  const el = target as HTMLElement | null;
  return !!el?.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable], dialog");
}

/** Keys listens for shortcuts and shows the list of them. */
export function Keys(): JSX.Element | null {
  const [shown, show] = useState(false);
  useEffect(() => {
    const listen = (e: KeyboardEvent) => {
      if (e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey || typing(e.target)) return;
      if (e.key === "?") {
        e.preventDefault();
        show(true);
        return;
      }
      for (const ref of [...active].reverse()) {
        const found = ref.current.find(s => s.key === e.key);
        if (!found) continue;
        e.preventDefault();
        found.run();
        return;
      }
    };
    document.addEventListener("keydown", listen);
    return () => document.removeEventListener("keydown", listen);
  }, []);
  if (!shown) return null;
  const all = [...active].flatMap(ref => ref.current).filter(s => !s.unlisted);
  return (
    <Dialog title="Keyboard" onClose={() => show(false)}>
      <dl class="keys">
        {[{ key: "?", label: "Show this list" }, ...all].map(s => (
          <div key={s.key + s.label}>
            <dt>
              <kbd>{named(s.key)}</kbd>
            </dt>
            <dd>{s.label}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}

function named(key: string): string {
  const names: Record<string, string> = {
    ArrowLeft: "←",
    ArrowRight: "→",
    ArrowUp: "↑",
    ArrowDown: "↓",
    Escape: "Esc",
  };
  return names[key] ?? key;
}
