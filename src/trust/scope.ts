/** True for `*` and for `vendor/name` in slug characters, where `*` stands for any run of them. [pub.5] */
export function isScope(text: string): boolean {
  const segments = text.split('/');
  if (text === '*') return true;
  return (
    segments.length === 2 &&
    segments.every((segment) => /^[\p{L}\p{M}\p{N}._*-]+$/u.test(segment)) &&
    text === text.normalize('NFKC').toLowerCase()
  );
}

/** True when the pattern covers the `vendor/name`. [pub.5] */
export function matchesScope(scope: string, scopeName: string): boolean {
  if (scope === '*') return true;
  const patterns = scope.split('/');
  const segments = scopeName.split('/');
  return (
    patterns.length === 2 && segments.length === 2 && patterns.every((p, i) => glob(p, segments[i] ?? ''))
  );
}

/** Whether `*` for any run of characters makes the pattern equal to the text; takes the leftmost fit, never backtracks. */
function glob(pattern: string, text: string): boolean {
  const [head = '', ...rest] = pattern.split('*');
  const tail = rest.pop();
  if (tail === undefined) return head === text;
  if (!text.startsWith(head)) return false;
  let position = head.length;
  for (const part of rest) {
    const found = text.indexOf(part, position);
    if (found < 0) return false;
    position = found + part.length;
  }
  return text.length - tail.length >= position && text.endsWith(tail);
}
