// The theme: what the system prefers, unless the person chose one.
export type Theme = "system" | "light" | "dark";

const KEY = "brokle.theme";

export function storedTheme(): Theme {
  try {
    const t = localStorage.getItem(KEY);
    return t === "light" || t === "dark" ? t : "system";
  } catch {
    return "system";
  }
}

export function applyTheme(t: Theme): void {
  if (t === "system") document.documentElement.removeAttribute("data-theme");
  else document.documentElement.setAttribute("data-theme", t);
  window.dispatchEvent(new Event("brokle:theme"));
}

export function setTheme(t: Theme): void {
  try {
    if (t === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, t);
  } catch {
    // Private windows may refuse storage: the choice then lasts as long as the page.
  }
  applyTheme(t);
}

/** isDark says what is on screen now. */
export function isDark(): boolean {
  const chosen = document.documentElement.getAttribute("data-theme");
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

/** onTheme calls f whenever the colours on screen may have changed; it returns how to stop. */
export function onTheme(f: () => void): () => void {
  const media = matchMedia("(prefers-color-scheme: dark)");
  media.addEventListener("change", f);
  window.addEventListener("brokle:theme", f);
  return () => {
    media.removeEventListener("change", f);
    window.removeEventListener("brokle:theme", f);
  };
}
