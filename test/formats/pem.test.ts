import { describe, expect, it, test } from 'vitest';
import { formatPem, splitPem } from '../../src/formats/pem.ts';
import { soon } from '../factory/growth.ts';

const block = (body = 'AAEC', label = 'CERTIFICATE') =>
  `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`;

describe('splitPem', () => {
  it('[cert.5] gives label, bytes and line of each block, and the text between them', () => {
    const text = `first\n${block()}\n  second\n${block('//4=', 'X509 CRL')}`;
    expect(splitPem(text)).toEqual({
      loose: 1,
      blocks: [
        { label: 'CERTIFICATE', bytes: Uint8Array.of(0, 1, 2), line: 2 },
        { label: 'X509 CRL', bytes: Uint8Array.of(255, 254), line: 7 },
      ],
      outside: [
        { text: 'first', line: 1 },
        { text: '  second', line: 6 },
      ],
    });
  });

  test.each([
    ['CRLF', block().replaceAll('\n', '\r\n')],
    ['no line end at the end', block().trimEnd()],
    ['blanks and tabs at line ends', block().replaceAll('\n', ' \t \n')],
    ['base64 in many lines', block('A\nAE\n\nC')],
    ['base64 indented', block('  AA\n\tEC')],
    ['empty lines around', `\n \n${block()}\n\t\n`],
  ])('[cert.7] reads %s', (_, text) => {
    const { blocks, outside, fault } = splitPem(text);
    expect(fault).toBeUndefined();
    expect(outside).toEqual([]);
    expect(blocks.map(({ bytes }) => [...bytes])).toEqual([[0, 1, 2]]);
  });

  test.each([
    ['nothing', block(), 0],
    ['CRLF', block().replaceAll('\n', '\r\n'), 0],
    ['no line end at the end', block().trimEnd(), 0],
    ['blanks that fill the end', `${block()}${' '.repeat(100_000)}`, 0],
    ['lines of one length', block('AA\nEC\nAw\n=='), 0],
    ['a shorter line at the end', block('AAEC\nA'), 0],
    ['blanks behind a line', block('AAEC \t'), 2],
    ['blanks before a line', block(' \tAAEC'), 2],
    ['a blank line', `\n${block()}`, 1],
    ['a blank line with blanks', ` \n${block()}`, 2],
    ['tabs that fill the end', `${block()}\t\t`, 3],
    ['a carriage return among others that have none', block('AAEC\r'), 1],
    ['none among others that have one', block('AAEC').replace('\n', '\r\n'), 2],
    ['a shorter line before a longer', block('A\nAEC'), 2],
    ['lines of any length', block('AA\nE\nC\nAA'), 4],
  ])('[bundle.9] counts what could be anything: %s', (_, text, loose) => {
    expect(splitPem(text).loose).toBe(loose);
  });

  test.each([
    ['a block without end', '\n-----BEGIN CERTIFICATE-----\nAAEC\n', 2, 'the CERTIFICATE block is not ended'],
    ['an end without block', 'x\n-----END CERTIFICATE-----\n', 2, /never began/],
    ['a block inside a block', `-----BEGIN CERTIFICATE-----\n${block()}`, 2, /not ended/],
    ['an end with another label', block().replace('END CERTIFICATE', 'END CMS'), 3, /not ended/],
    ['an empty block', block(''), 3, /not base64/],
    ['other characters', block('AA-_'), 3, /not base64/],
    ['a blank inside a line', block('AA EC'), 3, /not base64/],
    ['missing padding', block('AAE'), 3, /not base64/],
    ['padding in the middle', block('AA==\nAAEC'), 4, /not base64/],
    ['low bits that no encoder writes', block('AB=='), 3, /not base64/],
    ['headers inside', block('Proc-Type: 4,ENCRYPTED\n\nAAEC'), 5, /not base64/],
    ['a comment inside', block('# comment\nAAEC'), 4, /not base64/],
    ['a form feed inside', block('AAEC\f'), 3, /not base64/],
    ['a no-break space inside', block('AAEC\u00a0'), 3, /not base64/],
    ['a NUL inside', block('AAEC\0'), 3, /not base64/],
  ])('[cert.5] refuses %s', (_, text, line, message) => {
    const { fault } = splitPem(text);
    expect(fault?.line).toBe(line);
    expect(fault?.message).toMatch(message);
  });

  test.each([
    ['an indented border', block().replace('-----BEGIN', ' -----BEGIN')],
    ['four dashes', block().replace('-----BEGIN', '----BEGIN')],
    ['text behind a border', block().replace('CERTIFICATE-----\nA', 'CERTIFICATE----- x\nA')],
    ['a label in lower case', block('AAEC', 'certificate')],
    ['a no-break space alone', '\u00a0\n'],
    ['a form feed alone', '\f\n'],
  ])('[cert.4] takes %s for text', (_, text) => {
    const { outside, fault } = splitPem(text);
    expect(outside.length + (fault ? 1 : 0)).toBeGreaterThan(0);
  });

  test.each([' ', '\t', '\r', '-', '-----BEGIN ', '-----BEGIN A', 'A', '\n', '=', ' \n'])(
    '[arc.3] answers at once for a megabyte of %j',
    (piece) => {
      const filler = piece.repeat(1_000_000 / piece.length);
      for (const text of [filler, `${filler}x`, `x${filler}`, block(filler), `${block(`${filler}x`)}`])
        soon(() => splitPem(text));
    },
  );
});

describe('formatPem', () => {
  test.each([1, 47, 48, 49, 95, 96, 97, 1000])('[cert.8] writes %d bytes as they are read', (length) => {
    const bytes = Uint8Array.from({ length }, (_, i) => i * 7);
    const text = formatPem('CERTIFICATE', bytes);
    expect(splitPem(text)).toEqual({
      blocks: [{ label: 'CERTIFICATE', bytes, line: 1 }],
      outside: [],
      loose: 0,
    });
    const lines = text.split('\n').slice(1, -2);
    expect(lines.slice(0, -1).every((line) => line.length === 64)).toBe(true);
    expect(lines.at(-1)?.length).toBeLessThanOrEqual(64);
  });
});
