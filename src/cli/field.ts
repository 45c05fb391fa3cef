import { printable } from '../kit/encoding.ts';

/** A line under a headline: a label in a column of its own, and text that is safe to show. */
export function field(label: string, text: string): string {
  return `  ${label.padEnd(12)} ${printable(text)}`;
}

/** A file, address or `-` as people call it. */
export function inputName(name: string): string {
  return name === '-' ? 'standard input' : name;
}
