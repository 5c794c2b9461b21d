// The process that a PKCS#11 module is loaded in: answers questions of the sidecar that started it, and ends with it.
import { faultOf, FaultError } from './fault-error.ts';
import { loadModule, type Module } from './module.ts';
import { Token } from './token.ts';
import type { Place, Question, Reply, Start } from './words.ts';

let module: Module | undefined;
const tokens = new Map<string, Token>();

async function start({ module: path, tokens: configured, salt, refusedPins }: Start): Promise<Reply> {
  module = await loadModule(path);
  const refused = new Map(Object.entries(refusedPins));
  for (const { label, pinFile } of configured)
    tokens.set(label, new Token(module, { label, pinFile, salt, refusedPins: refused }));
  return { started: true };
}

function tokenOf({ token }: Place): Token {
  const found = tokens.get(token);
  if (found === undefined) throw new FaultError('refused', `the token ${token} is not configured`);
  return found;
}

async function reply(question: Question): Promise<Reply> {
  if (question.ask === 'start') return start(question);
  const token = tokenOf(question.place);
  if (question.ask === 'use') return token.use(question, 'use the key');
  const { publicHalf, opens } = await token.key(question.place, 'read the key');
  return { found: { publicHalf, opens } };
}

process.on('message', ({ id, ...question }: Question & { readonly id: number }) => {
  reply(question)
    .catch((error: unknown): Reply => ({ fault: faultOf(error, question.ask).fault }))
    .then((said) => process.send?.({ id, ...said }))
    .catch(() => process.exit());
});

// Signals to the group of a terminal are for the sidecar, which needs signatures until it ends.
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => undefined);

process.on('disconnect', () => {
  try {
    // Tokens have few sessions, and some keep those of a process that ended without a word.
    module?.pkcs11.C_Finalize();
  } finally {
    process.exit();
  }
});
