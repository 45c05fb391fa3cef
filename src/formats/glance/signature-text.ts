import type { Told } from '../../kit/errors/advice.ts';
import { decodeStrictBase64 } from './base64.ts';

/** What is wrong with the text of a signature, in words, and what helps. */
export interface TextProblem {
  readonly problem: string;
  readonly fix?: Told;
}

/** The bytes of a signature, or what is wrong with its text, by name where the mistake is a known one. [glance.9] [glance.13] */
export function readSignatureText(text: string): Uint8Array | TextProblem {
  if (text.trim() === '') return { problem: 'is empty' };
  if (/^b(['"])[A-Za-z0-9+/=\s]*\1$/.test(text.trim())) {
    return {
      problem: "is written as Python writes bytes (b'…'), as openstack image create --sign-key-path does",
      fix: {
        text: 'sign with bulla, or set the property to what stands between the quotes; Glance refuses it as it is',
        advice: 'write-signature-again',
      },
    };
  }
  const plain = text.replace(/[ \t\r\n]/g, '');
  if (/[^\x20-\x7e]/.test(plain)) return { problem: 'has characters that are no ASCII' };
  if (/^-----BEGIN/.test(text.trim())) {
    return { problem: 'is PEM', fix: 'give the base64 alone, without the lines of dashes' };
  }
  if (/^([0-9a-f]{2}){24,}$/i.test(plain)) {
    return { problem: 'is hexadecimal', fix: 'encode the signature in base64: xxd -r -p SIG | base64 -w0' };
  }
  if (/^[A-Za-z0-9_-]+={0,2}$/.test(plain) && /[-_]/.test(plain)) {
    return {
      problem: 'is url-safe base64 (with - and _), whose characters Glance skips',
      fix: "translate it: tr '_-' '/+'",
    };
  }
  const body = plain.replace(/=+$/, '');
  if (/^[A-Za-z0-9+/]+$/.test(body) && plain.length % 4 !== 0) {
    const padded = body.length % 4 !== 1 && plain === body;
    return {
      problem: padded
        ? 'ends without its padding (=), or is cut short'
        : 'is cut short, or has a character too many',
      fix: 'copy all of it: base64 -w0 SIG prints it in one line',
    };
  }
  if (/=[^=]/.test(plain)) return { problem: 'goes on behind its padding (=), where Glance stops reading' };
  const bytes = decodeStrictBase64(text);
  return bytes ?? { problem: 'has characters that are not base64, which Glance skips' };
}
