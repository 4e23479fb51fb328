// Parts of the page that are loaded when they are wanted first.
import type { ComponentType, JSX } from "preact";
import { Failure } from "./bits.tsx";
import { useLoad } from "./load.ts";

/** lazy is a component that is in a file of its own. */
export function lazy<P extends object>(load: () => Promise<ComponentType<P>>): (props: P) => JSX.Element | null {
  let loaded: ComponentType<P> | undefined;
  const read = async () => {
    try {
      loaded ??= await load();
      return loaded;
    } catch {
      // The browser does not ask for a module again that could not be loaded.
      throw new Error("A part of this page could not be loaded. Load the page again: the server may have a newer one.");
    }
  };
  return function Lazy(props: P) {
    const { data, error } = useLoad(read, []);
    const Of = loaded ?? data;
    if (error) return <Failure error={error} />;
    return Of ? <Of {...props} /> : null;
  };
}
