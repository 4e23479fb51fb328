import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon, type IconName } from "./icon.tsx";

interface Props {
  label: string; // what the button is called
  icon?: IconName; // stands before the label, alone on a telephone
  button?: ComponentChildren; // in the place of icon and label
  class?: string;
  align?: "left" | "right";
  children: (close: () => void) => ComponentChildren;
}

/** Menu is a button that opens a panel below it; Escape, a click elsewhere or leaving with Tab closes it. */
export function Menu({
  label,
  icon,
  button,
  class: className = "button",
  align = "left",
  children,
}: Props): JSX.Element {
  const [open, set] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const trigger = useRef<HTMLButtonElement>(null);
  const close = () => {
    set(false);
    trigger.current?.focus();
  };
  useEffect(() => {
    if (!open) return;
    const panel = box.current?.querySelector<HTMLElement>(".panel");
    panel?.querySelector<HTMLElement>("input, button, select, a")?.focus();
    const outside = (e: Event) => {
      if (!box.current?.contains(e.target as Node)) set(false);
    };
    document.addEventListener("pointerdown", outside);
    document.addEventListener("focusin", outside);
    return () => {
      document.removeEventListener("pointerdown", outside);
      document.removeEventListener("focusin", outside);
    };
  }, [open]);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Escape and arrows are for the controls inside
    <div class="menu" ref={box} onKeyDown={e => onKey(e, open, close)}>
      <button
        type="button"
        ref={trigger}
        class={className}
        aria-label={label}
        title={label}
        aria-expanded={open}
        onClick={() => set(!open)}
      >
        {button ?? (
          <>
            {icon && <Icon name={icon} />} <span class="wide-only">{label}</span>
          </>
        )}
      </button>
      {open && <div class={`panel panel-${align}`}>{children(close)}</div>}
    </div>
  );
}

interface ItemProps {
  close: () => void; // of the menu
  run: () => void;
  pressed?: boolean;
  children: ComponentChildren;
}

/** Item is a line of a menu: it closes the menu and does something. */
export function Item({ close, run, pressed, children }: ItemProps): JSX.Element {
  const onClick = () => {
    close();
    run();
  };
  return (
    <button type="button" class="item" aria-pressed={pressed} onClick={onClick}>
      {children}
    </button>
  );
}

// onKey closes on Escape and moves among the items of class "item" with the arrows.
function onKey(e: KeyboardEvent & { currentTarget: HTMLElement }, open: boolean, close: () => void): void {
  if (!open) return;
  if (e.key === "Escape") {
    e.stopPropagation();
    close();
    return;
  }
  if (e.key !== "ArrowDown" && e.key !== "ArrowUp") return;
  const items = [...e.currentTarget.querySelectorAll<HTMLElement>(".panel .item")];
  if (items.length === 0) return;
  e.preventDefault();
  const at = items.indexOf(document.activeElement as HTMLElement);
  const step = e.key === "ArrowDown" ? 1 : -1;
  items[(at + step + items.length) % items.length]?.focus();
}
