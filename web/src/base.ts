// Where the page is served: at the root of a host, or below a path that a proxy
// gave it. Nobody tells it; it is where its own script came from.

/** base is the path before all addresses of this page and of the API: "" at the root of a host, else such as "/brokle". */
export const base: string =
  typeof document === "undefined" ? "" : new URL(import.meta.url).pathname.replace(/\/assets\/[^/]*$/, "");

/** link is the address of a path of this page, as a link has it. */
export const link = (path: string): string => base + path;

/** inside is the path of an address, without base; undefined for one that is not of this page. */
export function inside(pathname: string): string | undefined {
  if (pathname === base) return "/";
  return pathname.startsWith(`${base}/`) ? pathname.slice(base.length) : undefined;
}
