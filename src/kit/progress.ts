/** How far an operation is: bytes of the input handled so far, of `total` when that is known, and the member at hand. */
export interface ProgressEvent {
  readonly phase: 'read' | 'hash' | 'write';
  readonly bytes: number;
  readonly total?: number;
  readonly member?: string;
}

/** Told now and then, at least once a second while bytes flow; it must return at once: nobody waits for a promise, and one that rejects ends the work at the next event. */
export type OnProgress = (event: ProgressEvent) => void;
