// What of a payload nobody took: it is shown, too.
import { entriesOf, isObject, objectOf } from "../../json.ts";

export type Obj = Record<string, unknown>;

/** textOf is a text, or "" of anything else. */
export const textOf = (v: unknown): string => (typeof v === "string" ? v : "");

const DEEP = 3; // levels that are looked into for whether they say anything

/** silent says whether a value says nothing: null, "", and what holds no other. */
export function silent(v: unknown, deep = DEEP): boolean {
  if (v === null || v === undefined || v === "") return true;
  if (deep === 0) return false;
  if (Array.isArray(v)) return v.every(x => silent(x, deep - 1));
  return isObject(v) && entriesOf(v).every(([, x]) => silent(x, deep - 1));
}

/** Taking hands out the members of an object, each as it was sent, and knows which are left. */
export class Taking {
  #taken = new Set<string>();

  constructor(readonly of: Obj) {}

  /** peek looks at a member without taking it. */
  peek(name: string): unknown {
    return Object.hasOwn(this.of, name) ? this.of[name] : undefined;
  }

  take(name: string): unknown {
    this.#taken.add(name);
    return this.peek(name);
  }

  /** text takes the first of these members that is a text with something in it, "" without one. */
  text(...names: string[]): string {
    const name = names.find(n => textOf(this.peek(n)) !== "");
    return name === undefined ? "" : textOf(this.take(name));
  }

  /** first takes the first of these members that is there, and no null. */
  first(...names: string[]): unknown {
    const name = names.find(n => this.peek(n) !== undefined && this.peek(n) !== null);
    return name === undefined ? undefined : this.take(name);
  }

  /** object looks for the first of these members that is an object, which is then read on its own. */
  object(...names: string[]): [string, Obj] | undefined {
    for (const name of names) {
      const v = this.peek(name);
      if (isObject(v)) return [name, v];
    }
    return undefined;
  }

  /** all takes everything, and is the object. */
  all(): Obj {
    for (const [name] of entriesOf(this.of)) this.#taken.add(name);
    return this.of;
  }

  /** left are the members that nobody took and that say something; of a name that came twice the last one is taken. */
  left(): [string, unknown][] {
    const entries = entriesOf(this.of);
    const last = new Map(entries.map(([name], i) => [name, i]));
    return entries.filter(([name, v], i) => !silent(v) && (last.get(name) !== i || !this.#taken.has(name)));
  }
}

/** Left collects what is left of the objects that one thing is read from. */
export class Left {
  #all: [string, Taking][] = [];

  /** of begins to read an object; at says where it stands, such as content[1]. "" is the thing itself. */
  of(o: Obj, at = ""): Taking {
    const taking = new Taking(o);
    this.#all.push([at, taking]);
    return taking;
  }

  /** within begins to read an object that is a member of another one, which loses it. */
  within(outer: Taking, [name, o]: [string, Obj], at = ""): Taking {
    outer.take(name);
    return this.of(o, at === "" ? name : `${at}.${name}`);
  }

  /** more is all that is left, each under where it stood; undefined when that is nothing. */
  more(): Obj | undefined {
    const all = this.#all.flatMap(([at, taking]): [string, unknown][] => {
      const left = taking.left();
      if (at === "" || left.length === 0) return left;
      return [[at, objectOf(left)]];
    });
    return all.length > 0 ? objectOf(all) : undefined;
  }
}
