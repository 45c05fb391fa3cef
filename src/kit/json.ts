import { decodeUtf8, UNSEEN } from './encoding.ts';

/**
 * The JSON of a value, on a line or indented by two. [show.1]
 *
 * What is not text that can be seen is escaped as `\u` and four digits, which changes no value: who looks at it in a terminal
 * sees all of it, in its order.
 */
export function formatJson(value: unknown, form: 'line' | 'indented' = 'indented'): string {
  const text = JSON.stringify(value, undefined, form === 'line' ? undefined : 2);
  if (/^[\n\x20-\x7e]*$/.test(text)) return text;
  return text.replace(new RegExp(UNSEEN, 'gu'), (char) => (char === '\n' ? char : escaped(char)));
}

/** Each half of a pair by itself, as JSON wants it. */
function escaped(char: string): string {
  return char
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}

/**
 * The value of a JSON document that every program reads alike: UTF-8, no member twice, each text and number as `formatJson` writes it,
 * with any blanks between them; undefined for all others.
 */
export function parseJson(bytes: Uint8Array): { readonly value: unknown } | undefined {
  const text = decodeUtf8(bytes);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    const bare = text.replace(/("[^"\\]*(?:\\.[^"\\]*)*")|[ \t\r\n]+/g, '$1');
    return bare === formatJson(value, 'line') ? { value } : undefined;
  } catch {
    return undefined; // nested so deep that it cannot be read, too
  }
}
