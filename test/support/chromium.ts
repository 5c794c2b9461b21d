// A real browser that loads one page and follows what the page does. Debian's Chromium; tests skip by name where it is missing.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

const path = '/usr/bin/chromium';

export const noChromium: string | false = existsSync(path) ? false : `no ${path} here`;

const switches = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
  ...['--disable-background-networking', '--disable-component-update', '--dump-dom', '--virtual-time-budget=20000'],
];

/** Loads the address, lets its scripts and forms run, and returns the document that stands there in the end. */
export async function browse(url: string): Promise<string> {
  const profile = await mkdtemp(join(tmpdir(), 'paycert-chromium-'));
  try {
    const child = spawn(path, [...switches, `--user-data-dir=${profile}`, url], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [dom] = await Promise.all([text(child.stdout), once(child, 'close')]);
    return dom;
  } finally {
    // Its other processes end after it, and write until they do.
    await rm(profile, { recursive: true, force: true, maxRetries: 20 });
  }
}
