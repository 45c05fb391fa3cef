import { encodeUtf8 } from '../../../kit/encoding.ts';
import { BundleError } from '../../../kit/errors/errors.ts';
import type { Limits } from '../../../kit/limits.ts';
import { parseEnvelope } from '../envelope.ts';
import type { Found } from './found.ts';
import { isSettingKey, SETTING_KEYS } from './setting-keys.ts';
import { findSetting } from './settings.ts';
import { type PlacedXml, parsePlacedXml, type Span } from './xml-places.ts';
import { escapeXml, isXmlText } from './xml-text.ts';

/** What is to be in a descriptor: a key of `SETTING_KEYS`, and its value. */
export interface DescriptorSetting {
  readonly key: string;
  readonly value: string;
}

/** What has been changed; `old` is left out where there was no value. */
export interface DescriptorChange {
  readonly key: string;
  readonly old?: string;
  readonly new: string;
}

/** A descriptor with other values in it. */
export interface EditedDescriptor {
  readonly bytes: Uint8Array;
  readonly changes: readonly DescriptorChange[];
  /** what still names an old value */
  readonly notes: readonly string[];
}

/**
 * A descriptor with some values set, in its own text: every byte besides them stays as it is. [edit.1]
 *
 * Whether the result can be used is left to whoever reads it as a descriptor.
 * @throws {BundleError} `USAGE` for what is not there to be set, or stands there more than once; `DESCRIPTOR_SYNTAX`
 */
export function editDescriptor(
  bytes: Uint8Array,
  settings: readonly DescriptorSetting[],
  limits: Pick<Limits, 'xmlDepth' | 'xmlElements'>,
): EditedDescriptor {
  expectSettings(settings);
  let edited = bytes;
  const changes: DescriptorChange[] = [];
  const notes: string[] = [];
  const seen = new Map<string, string>();
  for (const setting of settings) {
    const document = parsePlacedXml(edited, limits);
    parseEnvelope(document.root);
    const found = findSetting(document, setting);
    const earlier = seen.get(found.what);
    if (earlier !== undefined) throw setTwice(`"${earlier}" and "${setting.key}" set the same`);
    for (const what of [found.what, found.becomes ?? found.what]) seen.set(what, setting.key);
    edited = encodeUtf8(changed(document, found, setting.value));
    const { old } = found;
    if (old !== setting.value)
      changes.push({ key: setting.key, ...(old !== undefined && { old }), new: setting.value });
    notes.push(...found.notes);
  }
  return { bytes: edited, changes, notes };
}

/** [edit.4] What can be told of settings before any descriptor is read. @throws {BundleError} `USAGE` */
export function expectSettings(settings: readonly DescriptorSetting[]): void {
  const seen = new Set<string>();
  for (const { key, value } of settings) {
    if (!isSettingKey(key)) {
      throw new BundleError('USAGE', `"${key}" is nothing that can be set in a descriptor`, {
        fix: `set one of ${SETTING_KEYS.join(', ')}; anything else: change the descriptor itself, and give it whole`,
      });
    }
    if (seen.has(key)) {
      throw setTwice(`"${key}" is set twice`);
    }
    seen.add(key);
    if (!isXmlText(value)) {
      throw new BundleError(
        'USAGE',
        `the value of "${key}" has a character that XML cannot hold, or a line end`,
        {
          fix: 'give text on one line',
        },
      );
    }
    if (!key.startsWith('property.') && (value === '' || value !== value.trim())) {
      throw new BundleError('USAGE', `the value of "${key}" is empty, or has blanks around it`, {
        fix: 'give a text, without blanks around it',
      });
    }
  }
}

function setTwice(message: string): BundleError {
  return new BundleError('USAGE', message, { fix: 'set it once' });
}

/** The text with the value in all of its places. */
function changed({ text }: PlacedXml, { places, old }: Found, value: string): string {
  if (old === value) return text;
  const raw = isAscii(text) ? asReferences(escapeXml(value)) : escapeXml(value);
  const edits = places
    .map(({ from, to, form }) => ({ from, to, raw: form ? form(raw) : quoted(text, to, raw) }))
    .sort((a, b) => a.from - b.from);
  let at = 0;
  const parts: string[] = [];
  for (const edit of edits) {
    parts.push(text.slice(at, edit.from), edit.raw);
    at = edit.to;
  }
  return [...parts, text.slice(at)].join('');
}

/** Where the value stands between single quotes, one in it would end it. */
function quoted(text: string, to: Span['to'], raw: string): string {
  return text.charAt(to) === "'" ? raw.replaceAll("'", '&apos;') : raw;
}

/** [edit.3] Whether the document says to be in ASCII: another character would make it one that nobody may read. */
function isAscii(text: string): boolean {
  return /^\uFEFF?<\?xml[^>]*encoding\s*=\s*["'](?:us-)?ascii/i.test(text);
}

function asReferences(raw: string): string {
  return raw.replace(
    /[^\0-\x7F]/gu,
    (char) => `&#x${(char.codePointAt(0) ?? 0).toString(16).toUpperCase()};`,
  );
}
