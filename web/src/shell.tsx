import type { ComponentChildren, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { link } from "./base.ts";
import { useKeys } from "./keys.tsx";
import { forgetVisits } from "./recent.ts";
import { navigate, usePlace } from "./router.ts";
import { match, views } from "./routes.tsx";
import { forgetViews } from "./saved/views.ts";
import { signOut } from "./session.ts";
import { SignedIn } from "./signedin.ts";
import { isDark, onTheme, setTheme, storedTheme } from "./theme.ts";
import { themes } from "./themes.ts";
import type { Session } from "./types.ts";
import { Icon, type IconName } from "./ui/icon.tsx";
import { lazy } from "./ui/lazy.tsx";
import { Mark } from "./ui/mark.tsx";
import { Item, Menu } from "./ui/menu.tsx";

const Palette = lazy(() => import("./palette/palette.tsx").then(m => m.Palette));

interface Props {
  session: Session;
  onSignedOut: () => void;
}

/** Shell is what stays around the pages: navigation, theme, who is signed in. */
export function Shell({ session, onSignedOut }: Props): JSX.Element {
  const place = usePlace();
  const [open, setOpen] = useState(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another page closes the menu
  useEffect(() => setOpen(false), [place.path]);
  useEffect(() => {
    if (place.path === "/") navigate(link("/traces"), true);
  }, [place.path]);
  const [going, go] = useState(false);
  useKeys([
    { key: "t", label: "Light or dark", run: () => setTheme(isDark() ? "light" : "dark") },
    { key: "Ctrl K", label: "Go to a page, an id, a user or a session", run: () => {} }, // below: it counts in fields, too
  ]);
  useEffect(() => {
    const listen = (e: KeyboardEvent) => {
      if (e.key.toLowerCase() !== "k" || !(e.ctrlKey || e.metaKey) || e.altKey || e.shiftKey) return;
      e.preventDefault();
      if (!document.querySelector("dialog[open]")) go(true);
    };
    document.addEventListener("keydown", listen);
    return () => {
      document.removeEventListener("keydown", listen);
      forgetViews();
      forgetVisits();
    };
  }, []);
  const leave = async () => {
    try {
      await signOut();
    } finally {
      onSignedOut();
    }
  };
  const here = `/${place.path.split("/")[1] ?? ""}`;
  return (
    <div class={`shell${open ? " nav-open" : ""}`}>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <header class="top">
        <button
          type="button"
          class="icon-button"
          aria-label="Navigation"
          aria-expanded={open}
          onClick={() => setOpen(!open)}
        >
          <Icon name={open ? "close" : "menu"} />
        </button>
        <Mark />
        <span class="spacer" />
        <button type="button" class="icon-button" aria-label="Go to" onClick={() => go(true)}>
          <Icon name="search" />
        </button>
      </header>
      <div class="side">
        <a class="side-mark" href={link("/traces")} aria-label="Brokle, to the traces">
          <Mark />
        </a>
        <button
          type="button"
          class="side-button side-go"
          title="Go to a page, an id, a user or a session"
          onClick={() => go(true)}
        >
          <Icon name="search" />
          <span>Go to</span>
          <kbd>{/Mac|iP/.test(navigator.platform) ? "⌘K" : "Ctrl K"}</kbd>
        </button>
        <nav aria-label="Pages">
          <ul>
            {views
              .filter(v => v.nav)
              .map(v => (
                <li key={v.path}>
                  <a href={link(v.path)} aria-current={here === v.path ? "page" : undefined}>
                    <Icon name={v.nav!.icon} />
                    <span>{v.nav!.title}</span>
                  </a>
                </li>
              ))}
          </ul>
        </nav>
        <div class="side-foot">
          <ThemeMenu />
          <Menu
            label={`Signed in to ${session.project}`}
            class="side-button"
            button={
              <>
                <Icon name="users" />
                <span class="ellipsis">{session.project}</span>
              </>
            }
          >
            {() => (
              <>
                <dl class="facts">
                  <dt>Project</dt>
                  <dd>{session.project}</dd>
                  <dt>Key</dt>
                  <dd title={session.key_id}>{session.key_name || session.key_id}</dd>
                  <dt>Scopes</dt>
                  <dd>{session.scopes.join(", ")}</dd>
                </dl>
                <button type="button" class="item" onClick={() => void leave()}>
                  <Icon name="out" /> Sign out
                </button>
              </>
            )}
          </Menu>
        </div>
      </div>
      <main id="main" tabIndex={-1}>
        <SignedIn.Provider value={session}>{match(place.path, session, () => void leave())}</SignedIn.Provider>
      </main>
      {going && <Palette onClose={() => go(false)} />}
    </div>
  );
}

function ThemeMenu(): JSX.Element {
  const [chosen, set] = useState(storedTheme());
  useEffect(() => onTheme(() => set(storedTheme())), []);
  const now = themes.find(t => t.value === chosen) ?? themes[0]!;
  return (
    <Menu label="Theme" class="side-button" button={<Labelled icon={now.icon}>Theme</Labelled>}>
      {close =>
        themes.map(t => (
          <Item key={t.value} close={close} run={() => setTheme(t.value)} pressed={t.value === chosen}>
            <Icon name={t.icon} /> {t.title}
          </Item>
        ))
      }
    </Menu>
  );
}

function Labelled({ icon, children }: { icon: IconName; children: ComponentChildren }): JSX.Element {
  return (
    <>
      <Icon name={icon} />
      <span>{children}</span>
    </>
  );
}
