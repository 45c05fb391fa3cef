/** What an input may cost. Every limit has its name and default here, and its own error. */
export interface Limits {
  /** members of an archive */
  readonly members: number;
  /** bytes of one member, and of all together; 2^53 − 1 is the largest size this program counts */
  readonly memberBytes: number;
  readonly totalBytes: number;
  /** bytes of the manifest, of the certificate file, and of the descriptor: they are held in memory */
  readonly manifestBytes: number;
  readonly certificateFileBytes: number;
  readonly descriptorBytes: number;
  /** bytes of a timestamp, of all signatures beside the manifest, and of all revocation information in a bundle together */
  readonly timestampBytes: number;
  readonly sidecarBytes: number;
  readonly evidenceBytes: number;
  /** bytes of all block digests in a bundle together; beyond it they are not used */
  readonly blocksBytes: number;
  /** CRLs and OCSP responses in a bundle, and in what the caller gives */
  readonly evidence: number;
  /** bytes of one pax header */
  readonly paxBytes: number;
  /** bytes of a member's name, UTF-8, and how many folders deep it may lie */
  readonly nameBytes: number;
  readonly nameDepth: number;
  /** zero bytes after the end-of-archive mark */
  readonly trailingZeros: number;
  /**
   * inflated bytes for each compressed byte, once there are more than `inflateFree`; zeros by the MiB are not counted,
   * since an empty disk is honest and takes no room
   */
  readonly inflateRatio: number;
  readonly inflateFree: number;
  /** bytes of a zip that comes from a pipe, and is kept in a private file until it has been read */
  readonly spoolBytes: number;
  /** certificates in a certificate file */
  readonly certificates: number;
  /** elements of a descriptor, and how deep they nest */
  readonly xmlElements: number;
  readonly xmlDepth: number;
  /** milliseconds without a byte from a pipe or the network */
  readonly idleMs: number;
  /** bytes that a pipe or the network must bring in each second, averaged over `idleMs` of waiting; 0 asks for none */
  readonly minimumRate: number;
  /** threads that hash at the same time, this one included; never more than there are cores */
  readonly threads: number;
  /** bytes that are worth a thread: a member that has so many is hashed apart from the others, where it can be */
  readonly laneBytes: number;
}

const MIB = 1024 * 1024;

/** The limits used where none are given. */
export const DEFAULT_LIMITS: Limits = Object.freeze({
  members: 256,
  memberBytes: Number.MAX_SAFE_INTEGER,
  totalBytes: Number.MAX_SAFE_INTEGER,
  manifestBytes: 4 * MIB,
  certificateFileBytes: MIB,
  descriptorBytes: 16 * MIB,
  timestampBytes: 64 * 1024,
  sidecarBytes: MIB,
  evidenceBytes: 16 * MIB,
  blocksBytes: 32 * MIB,
  evidence: 64,
  paxBytes: 64 * 1024,
  nameBytes: 512,
  nameDepth: 8,
  trailingZeros: MIB,
  inflateRatio: 200,
  inflateFree: 64 * MIB,
  spoolBytes: 64 * 1024 * MIB,
  certificates: 16,
  xmlElements: 100_000,
  xmlDepth: 64,
  idleMs: 60_000,
  minimumRate: 0,
  threads: 4,
  laneBytes: 32 * MIB,
});

/** The size of the buffers that bytes are read, hashed and written in: 1 MiB. */
export const CHUNK_BYTES = MIB;

/** The longest that a timer can wait, in milliseconds; one that is to wait longer fires at once. */
export const TIMER_MS = 2 ** 31 - 1;
