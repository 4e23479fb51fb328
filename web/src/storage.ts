// What the person arranged on this browser. Nothing else is kept there.

export function load<T>(key: string, otherwise: T): T {
  try {
    const text = localStorage.getItem(`brokle.${key}`);
    return text === null ? otherwise : (JSON.parse(text) as T);
  } catch {
    return otherwise;
  }
}

export function save(key: string, value: unknown): void {
  try {
    localStorage.setItem(`brokle.${key}`, JSON.stringify(value));
  } catch {
    // Full or refused: the arrangement lasts as long as the page.
  }
}
