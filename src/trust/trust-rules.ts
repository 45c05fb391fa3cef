import { namedBytes } from '../kit/given-bytes.ts';
import { list, moment, needed, oneOf, positive, type Rule, refuse, shape, text } from '../kit/shape.ts';
import {
  isPublisherName,
  isSubjectPattern,
  type RequiredKind,
  type RevocationMode,
  type TimestampMode,
} from './publisher.ts';
import { isScope } from './scope.ts';
import type { TrustedPublisher } from './trust.ts';

/** [api.1] What a program may hand in to say whom it trusts. */

export const revocationMode = oneOf<RevocationMode>({ require: true, 'if-present': true, off: true });
export const timestampMode = oneOf<TimestampMode>({ require: true, prefer: true, ignore: true });

const requiredKind = oneOf<RequiredKind>({ 'post-quantum': true });

/** A publisher as data, held to what its file would be. [pub.2] [pub.3] */
export const trustedPublisher: Rule<TrustedPublisher> = shape<TrustedPublisher>({
  name: needed(words(isPublisherName, 'up to 64 lower-case letters, digits, ".", "_" and "-"')),
  anchors: needed(atLeastOne(namedBytes, 'at least one certificate')),
  scopes: atLeastOne(
    words(isScope, '"*", or "vendor/name" in lower case'),
    'at least one scope, or leave it out',
  ),
  subjects: atLeastOne(
    words(isSubjectPattern, 'a subject like "CN=Acme Release,O=Acme"'),
    'at least one subject, or leave it out',
  ),
  threshold: (value, name) => {
    const signers = positive(value, name);
    return signers <= MAX_THRESHOLD ? signers : refuse(name, value, `a number up to ${MAX_THRESHOLD}`);
  },
  from: moment,
  until: moment,
  revocation: revocationMode,
  timestamp: timestampMode,
  require: atLeastOne(requiredKind, 'at least one kind, or leave it out'),
});

const MAX_THRESHOLD = 16;

/** An empty list would be somebody who is trusted for nothing, or for everything. [pub.3] */
function atLeastOne<T>(item: Rule<T>, what: string): Rule<readonly T[]> {
  return (value, name) => {
    const items = list(item)(value, name);
    return items.length > 0 ? items : refuse(name, value, what);
  };
}

function words(test: (text: string) => boolean, what: string): Rule<string> {
  return (value, name) => {
    const word = text(value, name);
    return test(word) ? word : refuse(name, value, what);
  };
}
