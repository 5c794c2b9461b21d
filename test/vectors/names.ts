// What sources call the same thing: one name for each, before a checker looks.
import { isObject, type Json } from './read.ts';

const inputs: Readonly<Record<string, readonly string[]>> = {
  ciphertext: ['encrypted', 'encrypted_text', 'encrypted_base64', 'cipher_text', 'ciphertext_base64', 'sealed'],
  response_body: ['raw', 'raw_response', 'raw_json', 'response_text'],
};

const expectations: Readonly<Record<string, readonly string[]>> = {
  plaintext: ['decrypted', 'decrypted_text', 'plain_text', 'cleartext'],
};

/** The name, and the others that an expectation may have. */
export const namesOf = (name: string): readonly string[] => [name, ...(expectations[name] ?? [])];

/** The inputs by the names that checkers know, what stands in a `resource` of its own among them. */
export function renamed(given: Json): Json {
  const { resource } = given;
  const inside = isObject(resource) && 'ciphertext' in resource ? resource : {};
  const renames = Object.entries(inputs).flatMap(([name, others]) => {
    const other = others.find((one) => given[one] !== undefined);
    return other === undefined ? [] : [[name, given[other]] as const];
  });
  return { ...inside, ...Object.fromEntries(renames), ...given };
}
