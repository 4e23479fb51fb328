import { Component, type JSX } from "preact";

/** memo makes a component of a function that is drawn again only when one of its properties is another one. */
export function memo<P extends object>(draw: (props: P) => JSX.Element) {
  return class extends Component<P> {
    override shouldComponentUpdate(next: Readonly<P>): boolean {
      const now: Readonly<P> = this.props;
      const names = Object.keys(next) as (keyof P)[];
      return names.length !== Object.keys(now).length || names.some(name => next[name] !== now[name]);
    }

    render(): JSX.Element {
      return draw(this.props);
    }
  };
}
