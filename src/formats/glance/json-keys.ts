/**
 * The first key that an object of a JSON text has twice; undefined when there is none.
 *
 * JSON readers take the first, the last or none of two, so one verifier could judge another signature than the next.
 * `text` must be JSON: it has been parsed.
 */
export function repeatedKey(text: string): string | undefined {
  const objects: (Set<string> | undefined)[] = [];
  const tokens = text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/gs);
  for (const [token, colon] of tokens) {
    if (token === '{') objects.push(new Set());
    else if (token === '[') objects.push(undefined);
    else if (token === '}' || token === ']') objects.pop();
    else if (colon !== undefined) {
      const key: string = JSON.parse(token.slice(0, -colon.length));
      const keys = objects.at(-1);
      if (keys?.has(key)) return key;
      keys?.add(key);
    }
  }
  return undefined;
}
