import { copyBytes } from '../../kit/bytes.ts';
import { asked } from '../../kit/errors/asked.ts';
import { callback, face, needed, type Rule } from '../../kit/shape.ts';
import type { PublishedMember } from '../../storage/output/staging.ts';
import type { BundleSink } from '../../verdict/walk/member.ts';
import { bundleSink } from '../../verdict/walk/sink-rule.ts';

/**
 * Where a program wants the members of an import, in place of a folder: they come into it as they are read, before anything is
 * known of them, and count when it is told so. Once an import has begun, either `publish` or `discard` is called, and that once. [import.11]
 */
export interface ImportSink extends BundleSink {
  /**
   * The bundle is accepted, and these count: members, and properties of images that were signed here. What else has come is to go. When
   * it throws it has to undo what it began: no `discard` follows.
   */
  publish(members: readonly PublishedMember[]): Promise<void>;
  /** Nothing of what has come counts, and all of it is to go. */
  discard(): Promise<void>;
}

const ends = face<Pick<ImportSink, 'publish' | 'discard'>>(
  {
    publish: needed(callback<ImportSink['publish']>()),
    discard: needed(callback<ImportSink['discard']>()),
  },
  'an ImportSink: an object with create(), store(), publish() and discard()',
);

const PUBLISHING = 'see what it says, and what publish() has done before it: nothing undoes that';

/** A sink of a program's, each of its calls by the rules of `BundleSink`. [api.2] */
export const importSink: Rule<ImportSink> = (value, name) => {
  const { publish, discard } = ends(value, name);
  return {
    ...bundleSink(value, name),
    publish: (members) => asked(`${name}.publish()`, () => publish(members.map(copied)), PUBLISHING),
    discard: () => asked(`${name}.discard()`, discard),
  };
};

function copied({ name, bytes }: PublishedMember): PublishedMember {
  return { name, ...(bytes !== undefined && { bytes: copyBytes(bytes) }) };
}
