import { render } from "preact";
import { App } from "./app.tsx";
import { followLinks } from "./router.ts";

// The icon is asked for again when the address changes: its own must not move with it.
for (const icon of document.querySelectorAll<HTMLLinkElement>("link[rel=icon]")) icon.setAttribute("href", icon.href);

const root = document.getElementById("app");
if (root) {
  followLinks(root);
  render(<App />, root);
}
