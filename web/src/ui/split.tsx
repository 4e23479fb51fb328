import type { ComponentChildren, JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { load, save } from "../storage.ts";

const LEAST = 25; // percent of a side

/** Split puts two things side by side with a border that moves, by pointer or arrow keys; the browser remembers where. */
export function Split({
  name,
  label,
  children,
}: {
  name: string;
  label: string;
  children: [ComponentChildren, ComponentChildren];
}): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const [share, set] = useState<number>(() => load(`split.${name}`, 48));
  const move = (to: number) => {
    const next = Math.round(Math.max(LEAST, Math.min(100 - LEAST, to)) * 10) / 10;
    set(next);
    save(`split.${name}`, next);
  };
  return (
    <div class="split" ref={box} style={{ "--split": `${share}%` }}>
      {children[0]}
      <div
        class="split-border"
        role="separator"
        aria-orientation="vertical"
        aria-label={label}
        aria-valuemin={LEAST}
        aria-valuemax={100 - LEAST}
        aria-valuenow={Math.round(share)}
        tabIndex={0}
        onPointerDown={e => e.currentTarget.setPointerCapture(e.pointerId)}
        onPointerMove={e => {
          const r = box.current?.getBoundingClientRect();
          if (r && e.currentTarget.hasPointerCapture(e.pointerId)) move(((e.clientX - r.left) / r.width) * 100);
        }}
        onKeyDown={e => {
          if (e.key === "ArrowLeft") move(share - 2);
          else if (e.key === "ArrowRight") move(share + 2);
        }}
      />
      {children[1]}
    </div>
  );
}
