// Another caller, in a process of its own: signs all the time, and notes how long it waited.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Asked {
  readonly socket: string;
  readonly path: string;
}

export interface Waited {
  readonly calls: number;
  readonly failures: number;
  /** The longest wait for one signature. */
  readonly worstMilliseconds: number;
}

type FromCaller = { readonly ready: true } | Waited;

export class Caller {
  readonly #process: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#process = child;
  }

  static async start(asked: Asked): Promise<Caller> {
    const child = fork(import.meta.filename, ['caller'], { execArgv: [] });
    child.send(asked);
    await once(child, 'message');
    return new Caller(child);
  }

  /** What there was since the last look, with the call that is under way. */
  async look(): Promise<Waited> {
    this.#process.send('look');
    const [waited] = (await once(this.#process, 'message')) as [Waited];
    return waited;
  }

  stop(): void {
    this.#process.kill('SIGKILL');
  }
}

const pauseMilliseconds = 2;
/** A caller of ours gives up when his customer has. */
const patienceMilliseconds = 30_000;

function callOnce({ socket, path }: Asked, agent: Agent): Promise<boolean> {
  return new Promise((resolve) => {
    const headers = { 'Content-Type': 'application/json' };
    const options = { socketPath: socket, path, method: 'POST', agent, headers, timeout: patienceMilliseconds };
    const call = request(options, (response) => {
      response.resume().on('end', () => resolve(response.statusCode === 200));
    });
    call.on('timeout', () => call.destroy()).on('error', () => resolve(false));
    call.end('{"message":"bQ=="}');
  });
}

async function serve(asked: Asked): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const none = { calls: 0, failures: 0, worstMilliseconds: 0 };
  let now: Waited = none;
  const looks: unknown[] = [];
  process.on('message', (look) => looks.push(look));
  process.send?.({ ready: true } satisfies FromCaller);
  for (;;) {
    const started = performance.now();
    const isGood = await callOnce(asked, agent);
    now = {
      calls: now.calls + 1,
      failures: now.failures + Number(!isGood),
      worstMilliseconds: Math.max(now.worstMilliseconds, performance.now() - started),
    };
    if (looks.pop() !== undefined) {
      process.send?.(now satisfies FromCaller);
      now = none;
    }
    await sleep(pauseMilliseconds);
  }
}

if (process.argv[2] === 'caller') process.once('message', (asked: Asked) => void serve(asked));
