// The clients of examples/clients send exactly what was signed, or fail, whatever the address, the body and the response look like.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { type Language, languages, runProgram } from '../support/clients.ts';
import { makeDirectory } from '../support/directories.ts';
import { type RawPlatform, startRawPlatform } from '../support/raw-platform.ts';
import { type ProviderSidecar, startProviders } from '../support/provider-sidecar.ts';

/** Sends each of the requests in REQUESTS, and prints a line for each: the response, or `{"failed": …}`. */
const programs: Readonly<Record<string, string>> = {
  sh: `. ./paycert.sh
while IFS= read -r request; do
  { said=$(send "$CREDENTIAL" "$request" 2>&1) && jq -c '{response: .}' <<<"$said"; } || jq -cn --arg failed "$said" '{failed: $failed}'
done < <(jq -c '.[]' <<<"$REQUESTS")`,
  go: `package main

import (
	"encoding/json"
	"os"
)

func main() {
	var requests []Request
	if err := json.Unmarshal([]byte(os.Getenv("REQUESTS")), &requests); err != nil {
		panic(err)
	}
	for _, request := range requests {
		response, err := Send(os.Getenv("CREDENTIAL"), request)
		result := map[string]any{"response": response}
		if err != nil {
			result = map[string]any{"failed": err.Error()}
		}
		json.NewEncoder(os.Stdout).Encode(result)
	}
}`,
  java: `import java.util.List;
import java.util.Map;

public class Pay {
  @SuppressWarnings("unchecked")
  public static void main(String[] args) {
    var all = (List<Map<String, Object>>) Json.read("{\\"all\\":" + System.getenv("REQUESTS") + "}").get("all");
    for (var request : all) {
      Map<String, Object> result;
      try {
        result = Map.of("response", Paycert.send(System.getenv("CREDENTIAL"), request));
      } catch (Exception failed) {
        result = Map.of("failed", failed.toString());
      }
      System.out.println(Json.write(result));
    }
  }
}`,
  python: `import json, os
from paycert import send

for request in json.loads(os.environ["REQUESTS"]):
    try:
        result = {"response": send(os.environ["CREDENTIAL"], request)}
    except Exception as error:
        result = {"failed": str(error)}
    print(json.dumps(result))`,
  js: `import { send } from './paycert.mjs';

for (const request of JSON.parse(process.env.REQUESTS)) {
  const result = await send(process.env.CREDENTIAL, request).then((response) => ({ response }), (error) => ({ failed: String(error) }));
  console.log(JSON.stringify(result));
}`,
};

/** Addresses that some HTTP client rewrites. */
const targets = [
  '/v3/a',
  '/v3/a?x=[1-3]&y={a,b}',
  '/v3/{a,b}/[1-3]',
  '/v3/a/./b/../c',
  '/v3/a/%2e%2e/%2F',
  "/v3/it's?q='",
  '/v3/a?x="<>"',
  '/v3/a?',
  '/v3/a??b=?',
  '/v3/%e4%b8%ad?x=%E4%B8%AD',
  '/v3/a;b=1,2:@!$&*()~',
  '/v3/a?x=|^`\\',
  '/v3/a?x=a+b%20c&x=&=&&',
  '//v3//a',
  '?x=1',
  '',
  '/v3/a#b',
  '/v3/a?x=1#',
  '/.',
  '/..;/a',
  '/%',
  '/v3/a%zz',
  '/@b/c',
  '/v3/%2e/%2e%2e',
  '/v3/a?x=http://b/c',
  '/v3/a?x=%0d%0a',
  '/v3/a?x=`id`$HOME\\n',
];

/** Bodies that some language or shell changes. */
const bodies = [
  '{"a":1}',
  '@/etc/hostname',
  'a=b&c=%20+',
  'line\r\nline\n',
  '\n\n',
  '"quoted" \\n \'$HOME\' `id`',
  '中文 😀  ',
  '12345678901234567890.10',
  '-- -X POST',
];

/** What a platform may respond with; its body comes back unchanged. */
const responses: readonly { readonly head: string; readonly body: Buffer }[] = [
  { head: 'HTTP/1.1 200 OK\r\nX-Sign: a=b; c\r\nContent-Length: 7', body: Buffer.from('{"a":1}') },
  { head: 'HTTP/1.1 200 OK\r\nContent-Length: 0', body: Buffer.alloc(0) },
  { head: 'HTTP/1.1 204 No Content', body: Buffer.alloc(0) },
  { head: 'HTTP/1.1 400 Bad Request\r\nContent-Length: 4', body: Buffer.from([0, 255, 10, 13]) },
  { head: 'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 3', body: Buffer.from('中') },
  { head: 'HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 2', body: Buffer.from('no') },
  { head: 'HTTP/1.1 200 OK\r\nContent-Length: 21', body: Buffer.from('{"n":9007199254740993}\n').subarray(0, 21) },
  { head: 'HTTP/1.0 200 OK', body: Buffer.from('until the end\n\n') },
];

const whole = 'HTTP/1.1 200 OK\r\nConnection: close\r\n';
/** Responses that end too early. */
const halves = [
  `${whole}Content-Length: 10\r\n\r\n12345`,
  `${whole}Transfer-Encoding: chunked\r\n\r\na\r\n12345`,
  `${whole}Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n`,
  '',
];

interface Result {
  readonly failed?: string;
  readonly response?: { status: number; url: string; headers: Record<string, string>; bodyBase64: string };
}

interface Running {
  readonly providers: ProviderSidecar;
  readonly platform: RawPlatform;
}

async function sendAll(
  t: TestContext,
  language: Language,
  { providers, platform }: Running,
  requests: readonly object[],
  more: Readonly<Record<string, string>> = {},
) {
  const before = platform.requests.length;
  const env = {
    ...more,
    PAYCERT_SOCKET: providers.sidecar.socket,
    // ASCII: Java reads its environment in the locale's alphabet.
    REQUESTS: JSON.stringify(requests).replace(
      /[^ -~]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
    ),
    CREDENTIAL: 'partner-pss',
  };
  const { code, stdout, stderr } = await runProgram(await makeDirectory(t), language, programs[language.info]!, env);
  assert.equal(code, 0, stderr);
  const results = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Result);
  assert.equal(results.length, requests.length, stdout);
  return { results, requests: platform.requests.slice(before) };
}

// It closes after each: a client that keeps connections must know.
const small = 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

it('every client of examples/clients', { timeout: 900_000, concurrency: languages.length }, async (suite) => {
  const running: Running = { providers: await startProviders(suite), platform: await startRawPlatform(suite) };
  for (const language of languages) {
    const guarantee = (title: string, run: (t: TestContext) => Promise<void>) =>
      suite.test(`${language.info} ${title}`, { skip: language.skip }, run);

    await guarantee('sends the address that was signed, or nothing', async (t) => {
      running.platform.respond(small);
      const { origin } = running.platform;
      const { results, requests } = await sendAll(
        t,
        language,
        running,
        targets.map((target) => ({ method: 'GET', url: origin + target })),
      );
      const sent = [...requests];
      for (const [index, { failed }] of results.entries()) {
        const target = targets[index]!;
        if (failed !== undefined) continue;
        const wanted = target.startsWith('/') ? target : `/${target}`;
        assert.equal(sent.shift()?.line, `GET ${wanted} HTTP/1.1`, target);
      }
      assert.deepEqual(sent, [], 'what failed was not sent');
      assert.equal(results[0]?.failed, undefined, 'an ordinary address is sent');
      const failed = results.flatMap((result, index) => (result.failed === undefined ? [] : [targets[index]]));
      t.diagnostic(`refused: ${JSON.stringify(failed)}`);
      assert.ok(failed.length <= 12, JSON.stringify(results));
      assert.ok(failed.includes('/v3/a#b'), 'a fragment is signed by nobody');
    });

    await guarantee('sends the body that was signed', async (t) => {
      running.platform.respond(small);
      const url = `${running.platform.origin}/pay`;
      const { results, requests } = await sendAll(
        t,
        language,
        running,
        bodies.map((body) => ({ method: 'POST', url, body, headers: { 'Content-Type': 'application/json' } })),
      );
      assert.deepEqual(
        results.filter(({ failed }) => failed !== undefined),
        [],
      );
      assert.deepEqual(
        requests.map(({ body }) => body.toString()),
        bodies,
      );
      for (const { headers } of requests) assert.equal(headers['content-type'], 'application/json');
    });

    await guarantee('sends bytes that are no text, and a body of many kilobytes', async (t) => {
      running.platform.respond(small);
      const [url, bytes] = [`${running.platform.origin}/pay`, Buffer.from([0, 255, 10, 13, 128, 0])];
      const inputs = [{ bodyBase64: bytes.toString('base64') }, { body: '中'.repeat(10_000) }];
      const { results, requests } = await sendAll(
        t,
        language,
        running,
        inputs.map((input) => ({ method: 'POST', url, headers: { 'Content-Type': 'x/y' }, ...input })),
      );
      for (const { failed } of results) assert.equal(failed, undefined);
      assert.deepEqual(
        requests.map(({ body }) => body),
        [bytes, Buffer.from('中'.repeat(10_000))],
      );
    });

    await guarantee('says that a body is empty, and waits for none after HEAD', async (t) => {
      running.platform.respond(
        `${whole}Content-Length: 5\r\nX-A: b\r\n\r\n`,
        ...Array.from({ length: 4 }, () => small),
      );
      const url = `${running.platform.origin}/`;
      const methods = ['HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];
      const { results, requests } = await sendAll(
        t,
        language,
        running,
        methods.map((method) => ({ method, url })),
      );
      assert.deepEqual(
        results.map(({ failed, response }) => [failed, response?.status, response?.bodyBase64]),
        methods.map(() => [undefined, 200, '']),
      );
      const lengths = requests.map(({ line, headers }) => [line.split(' ')[0], headers['content-length']]);
      assert.deepEqual(lengths.slice(1, 4), [['POST', '0'], ['PUT', '0'], ['PATCH', '0']]); // prettier-ignore
    });

    await guarantee(
      'sends headers as they were signed, without a value too, and no name or password of an address',
      async (t) => {
        running.platform.respond(small);
        const headers = { 'X-Empty': '', 'X-Odd': '@a "b" \\ %41; c: d', 'x-lower': 'a,b' };
        const { host } = new URL(running.platform.origin);
        const inputs = [{ url: `http://${host}/`, headers }, { url: `http://me:secret@${host}/` }];
        const { results, requests } = await sendAll(t, language, running, inputs.map((input) => ({ method: 'GET', ...input }))); // prettier-ignore
        assert.equal(results[0]?.failed, undefined);
        for (const [name, value] of Object.entries(headers)) assert.equal(requests[0]?.headers[name.toLowerCase()], value, name); // prettier-ignore
        assert.match(results[1]?.failed ?? '', /url has a name or password/);
        assert.equal(requests.length, 1);
      },
    );

    await guarantee('hands on no half of a response', async (t) => {
      running.platform.respond(...halves);
      const url = `${running.platform.origin}/`;
      const { results } = await sendAll(t, language, running, halves.map(() => ({ method: 'GET', url }))); // prettier-ignore
      for (const [index, { failed }] of results.entries()) assert.notEqual(failed, undefined, halves[index]);
    });

    await guarantee(
      'reads chunks with extensions and trailers, and the first of headers that come twice',
      async (t) => {
        const chunks = '3;a=b\r\n{"a\r\n4\r\n":1}\r\n0\r\nX-Late: 1\r\n\r\n';
        running.platform.respond(
          `${whole}X-Sign: first\r\nX-Sign: second\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`,
        );
        const { results } = await sendAll(t, language, running, [
          { method: 'GET', url: `${running.platform.origin}/` },
        ]);
        const { headers = {}, bodyBase64 = '' } = results[0]?.response ?? {};
        assert.equal(Buffer.from(bodyBase64, 'base64').toString(), '{"a":1}', JSON.stringify(results));
        const named = Object.entries(headers).filter(([name]) => name.toLowerCase() === 'x-sign');
        assert.deepEqual(named.map(([, value]) => value), ['first']); // prettier-ignore
      },
    );

    await guarantee('takes no hint of a platform for its response', async (t) => {
      running.platform.respond(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${small}`);
      const { results } = await sendAll(t, language, running, [{ method: 'GET', url: `${running.platform.origin}/` }]);
      const [{ failed, response } = {}] = results;
      assert.ok(failed !== undefined || response?.status === 200, JSON.stringify(results));
    });

    await guarantee('asks its sidecar and no proxy that the environment names', async (t) => {
      running.platform.respond(small);
      const names = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'];
      const proxies = Object.fromEntries(names.map((name) => [name, 'http://127.0.0.1:1']));
      const env = { ...proxies, no_proxy: '127.0.0.1', NO_PROXY: '127.0.0.1' };
      const { results } = await sendAll(t, language, running, [{ method: 'GET', url: `${running.platform.origin}/` }], env); // prettier-ignore
      assert.equal(results[0]?.response?.status, 200, JSON.stringify(results));
    });

    await guarantee('hands on the bytes of a response', async (t) => {
      running.platform.respond(
        ...responses.map(({ head, body }) =>
          Buffer.concat([Buffer.from(`${head}\r\nConnection: close\r\n\r\n`), body]),
        ),
      );
      const request = { method: 'GET', url: `${running.platform.origin}/` };
      const { results } = await sendAll(
        t,
        language,
        running,
        responses.map(() => request),
      );
      for (const [index, { head, body }] of responses.entries()) {
        const { response } = results[index]!;
        assert.equal(response?.status, Number(head.split(' ')[1]), `${head} ${JSON.stringify(results[index])}`);
        assert.deepEqual(Buffer.from(response.bodyBase64, 'base64'), body, head);
      }
    });

    await guarantee('says what to do when paycert refuses', async (t) => {
      const { results } = await sendAll(t, language, running, [{ method: 'GET', url: 'nonsense' }]);
      assert.match(results[0]?.failed ?? '', /request-invalid/);
      assert.match(results[0]?.failed ?? '', /see the field that is named|Correct|hint|Check|Call/i);
    });
  }

  // Together, since each waits for ten seconds of its own.
  await Promise.all(
    languages.map((language) =>
      suite.test(
        `${language.info} gives up on a sidecar that accepts and stays silent`,
        { skip: language.skip },
        async (t) => {
          const directory = await makeDirectory(t);
          const server = createServer(() => undefined).listen(join(directory, 'silent.sock'));
          await once(server, 'listening');
          t.after(() => server.close());
          const env = {
            PAYCERT_SOCKET: join(directory, 'silent.sock'),
            REQUESTS: '[{"method":"GET","url":"/"}]',
            CREDENTIAL: 'a',
          };
          const { stdout } = await runProgram(directory, language, programs[language.info]!, env);
          assert.notEqual((JSON.parse(stdout) as Result).failed, undefined);
        },
      ),
    ),
  );
});
