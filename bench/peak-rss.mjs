// Preloaded into a measured process (node --import): leaves its peak memory, in KiB, in the file that
// PEAK_RSS_FILE names.
import { readFileSync, writeFileSync } from 'node:fs';

/** The most memory that this process has held: VmHWM where there is one, for maxRSS begins with the parent's. */
function peakKib() {
  try {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
  } catch {
    return process.resourceUsage().maxRSS;
  }
}

process.on('exit', () => {
  if (process.env.PEAK_RSS_FILE) writeFileSync(process.env.PEAK_RSS_FILE, String(peakKib()));
});
