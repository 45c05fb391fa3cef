import { formatBase64, parseBase64 } from '../kit/encoding.ts';

/** One PEM block: the label between the dashes, the bytes inside, and the 1-based line it begins on. */
interface PemBlock {
  readonly label: string;
  readonly bytes: Uint8Array;
  readonly line: number;
}

/**
 * What `splitPem` found: the blocks in order, the lines outside of them, and the first line that is neither.
 * `loose`: bytes that could be anything without changing the rest, which are blanks, blank lines, and line ends that are
 * not like the others; one run of blanks that fills the end says nothing but its length.
 */
export interface PemParts {
  readonly blocks: readonly PemBlock[];
  readonly loose: number;
  readonly outside: readonly { readonly text: string; readonly line: number }[];
  readonly fault?: { readonly message: string; readonly line: number };
}

/**
 * Splits a text into PEM blocks and the non-blank lines between them.
 *
 * It refuses (as `fault`) a block without its end, a wrong label at the end, and anything but base64 inside.
 * CRLF, blanks at line ends, and base64 in one line or many are read. Whether text outside is allowed, and
 * which labels, is for the caller.
 */
export function splitPem(text: string): PemParts {
  const blocks: PemBlock[] = [];
  const outside: { text: string; line: number }[] = [];
  let open: { label: string; base64: string; line: number; width?: number; last: number } | undefined;

  const crlf = text.charCodeAt(text.indexOf('\n') - 1) === CR;
  let loose = 0;
  let line = 0;
  for (const raw of linesOf(unfilled(text))) {
    line++;
    const at = line;
    const content = trimBlanks(raw, 'end');
    loose += looseIn(raw, content, crlf);
    const fault = (message: string): PemParts => ({ blocks, outside, loose, fault: { message, line: at } });
    const edge = /^-----(BEGIN|END) ([A-Z0-9 ]+)-----$/.exec(content);

    if (open === undefined) {
      if (edge?.[1] === 'BEGIN') open = { label: edge[2] ?? '', base64: '', line, last: 0 };
      else if (edge) return fault(`"${content}" ends a block that never began`);
      else if (content !== '') outside.push({ text: content, line });
    } else if (edge === null) {
      const base64 = trimBlanks(content, 'both');
      loose += content.length - base64.length;
      if (base64 !== '') {
        // Lines are as long as the first, but for the last.
        if (open.width !== undefined && (open.last !== open.width || base64.length > open.width)) loose += 2;
        open.width ??= base64.length;
        open.last = base64.length;
      }
      open.base64 += base64;
    } else {
      if (edge[1] !== 'END' || edge[2] !== open.label) return fault(`the ${open.label} block is not ended`);
      const bytes = parseBase64(open.base64);
      if (bytes === undefined || bytes.length === 0) return fault(`the ${open.label} block is not base64`);
      blocks.push({ label: open.label, bytes, line: open.line });
      open = undefined;
    }
  }
  if (open)
    return {
      blocks,
      outside,
      loose,
      fault: { message: `the ${open.label} block is not ended`, line: open.line },
    };
  return { blocks, outside, loose };
}

/** A revocation list may have a million lines: they are not all kept at once. */
function* linesOf(text: string): Generator<string> {
  let from = 0;
  for (let to = text.indexOf('\n'); to >= 0; to = text.indexOf('\n', from)) {
    yield text.slice(from, to);
    from = to + 1;
  }
  if (from < text.length) yield text.slice(from);
}

/** The text without the blanks that fill its end, as ovftool writes them. */
function unfilled(text: string): string {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === BLANK) end--;
  return text.slice(0, end);
}

/** Bytes of a line that could be others: blanks around it, a blank line, a line end that differs. */
function looseIn(raw: string, content: string, crlf: boolean): number {
  const ending = crlf && raw.charCodeAt(raw.length - 1) === CR ? 1 : 0;
  const differs = crlf && ending === 0 ? 1 : 0;
  return raw.length - content.length - ending + differs + (content === '' ? 1 : 0);
}

/** The line without blanks, tabs and carriage returns around it; a regular expression would take quadratic time. */
function trimBlanks(line: string, where: 'end' | 'both'): string {
  let from = 0;
  let to = line.length;
  while (to > from && isBlank(line.charCodeAt(to - 1))) to--;
  while (where === 'both' && from < to && isBlank(line.charCodeAt(from))) from++;
  return line.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === BLANK || code === 0x09 || code === CR;
}

const BLANK = 0x20;
const CR = 0x0d;

/** The PEM text of bytes: 64 characters a line, LF. */
export function formatPem(label: string, bytes: Uint8Array): string {
  const body = formatBase64(bytes).replace(/.{64}(?!$)/g, '$&\n');
  return `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`;
}
