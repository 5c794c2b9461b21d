// The health script for Argo CD that docs/operator.md gives, run in Lua on an object, as Argo CD runs it.
import { LuaFactory } from 'wasmoon';
import { parse } from 'yaml';
import { read } from '../agreement/documents.ts';

const [, block = ''] = /```yaml\n(data:\n {2}resource\.customizations\.health[\s\S]*?)```/.exec(read('docs/operator.md')) ?? []; // prettier-ignore
const { data } = parse(block) as { data: Record<string, string> };
const script = data['resource.customizations.health.paycert.dev_PaymentCredential']!;

/** JSON as a table of Lua, as Argo CD gives an object to its scripts. */
function toLua(value: unknown): string {
  if (Array.isArray(value)) return `{${value.map(toLua).join(',')}}`;
  if (value === undefined || value === null) return 'nil';
  if (typeof value !== 'object') return JSON.stringify(value);
  return `{${Object.entries(value).map(([name, member]) => `[${JSON.stringify(name)}]=${toLua(member)}`).join(',')}}`; // prettier-ignore
}

export interface Health {
  readonly status: string;
  readonly message: string;
}

export async function healthOf(object: object): Promise<Health> {
  const lua = await new LuaFactory().createEngine();
  try {
    return (await lua.doString(`obj = ${toLua(object)}\n${script}`)) as Health;
  } finally {
    lua.global.close();
  }
}
