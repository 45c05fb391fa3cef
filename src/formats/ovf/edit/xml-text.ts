/** True for text on one line that XML 1.0 can hold (its production 2, without tab and line ends). */
export function isXmlText(text: string): boolean {
  return /^[\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]*$/u.test(text);
}

/** A text as it stands in an element, or between double quotes. */
export function escapeXml(text: string): string {
  const names: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (char) => names[char] ?? char);
}
