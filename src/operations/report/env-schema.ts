import { z } from 'zod';

const FOUND = z.strictObject({ version: z.string(), file: z.string() });
const COUNT = z.int().nonnegative();

/** Of `env`. */
export const ENV_RESULT = z.strictObject({
  bulla: FOUND,
  node: FOUND,
  openssl: z.string().describe('the version of the library within Node'),
  system: z.string(),
  threads: COUNT.describe('how many files are hashed at a time'),
  folders: z
    .array(
      z.strictObject({
        folder: z.string(),
        from: z.string().describe('a variable, or why it is this one'),
        exists: z.boolean(),
        publishers: z.array(
          z.strictObject({
            name: z.string(),
            kind: z.enum(['publisher', 'timestamp authority']),
            certificates: COUNT,
            problem: z.string().exactOptional().describe('why it cannot be used'),
          }),
        ),
        lists: COUNT.describe('revocation lists and OCSP responses'),
        settings: z.string().exactOptional().describe('the file of settings, where there is one'),
      }),
    )
    .describe('of trust and settings; the last is the own one of the user'),
  defaults: z.array(
    z.strictObject({
      option: z.string(),
      value: z.string().describe('of an address without what may let somebody in'),
      from: z.string().describe('a variable, or a file'),
    }),
  ),
  variables: z.array(
    z.strictObject({ name: z.string(), value: z.string().exactOptional().describe('left out for secrets') }),
  ),
  programs: z.array(
    z.strictObject({
      name: z.string(),
      file: z.string().exactOptional().describe('left out when not found'),
    }),
  ),
});
