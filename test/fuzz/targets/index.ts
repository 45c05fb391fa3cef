import type { Target } from '../target.ts';
import { BLOCKS } from './blocks.ts';
import { CERTIFICATE_FILE } from './certificate-file.ts';
import { CMS } from './cms.ts';
import { CRL } from './crl.ts';
import { DER } from './der.ts';
import { GZIP } from './gzip.ts';
import { MANIFEST } from './manifest.ts';
import { OCSP } from './ocsp.ts';
import { PATHS } from './paths.ts';
import { SIGNING_ROOM } from './signing-room.ts';
import { TAR } from './tar.ts';
import { TSP } from './tsp.ts';
import { X509 } from './x509.ts';
import { ZIP } from './zip.ts';

/** Everything that is fed with foreign bytes. A new format gets its file beside the others and its line here. */
export const TARGETS: readonly Target[] = [
  DER,
  X509,
  CRL,
  OCSP,
  CMS,
  TSP,
  PATHS,
  MANIFEST,
  CERTIFICATE_FILE,
  SIGNING_ROOM,
  BLOCKS,
  TAR,
  GZIP,
  ZIP,
];
