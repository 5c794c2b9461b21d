// Receives what the platforms post, and answers each as it wants to be answered. Beside paycert.mjs: PORT=8080 node receiver.mjs DIRECTORY
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { ask, Refused } from './paycert.mjs';

const xml = (code) => `<xml><return_code>${code}</return_code></xml>`;
const platforms = {
  '/wechatpay': { credential: 'wechat-main', success: [204, ''], failure: '{"code":"FAIL"}' },
  '/wechatpay-v2': { credential: 'wechat-v2', success: [200, xml('SUCCESS')], failure: xml('FAIL') },
  '/alipay': { credential: 'alipay-main', success: [200, 'success'], failure: 'fail' },
};

/** Yours: act once for each id, and only then return. Here a file is the order book. */
const store = ({ id, eventType, resource }) =>
  writeFile(join(process.argv[2], `${encodeURIComponent(id)}.json`), JSON.stringify({ eventType, resource }));

/** 401: it is forged. 500: it may be genuine, and the fault is here. 503: paycert is not ready. All three make the platform send it again. */
async function receive(credential, headers, raw) {
  let notification;
  try {
    notification = await ask(credential, 'notification', { headers, bodyBase64: raw.toString('base64') });
  } catch (error) {
    console.error(error.code ?? error.name);
    if (!(error instanceof Refused) || error.status >= 500) return 503;
    return /^(signature|timestamp|message)-/.test(error.code) ? 401 : 500;
  }
  try {
    await store(notification);
    return 200;
  } catch (error) {
    console.error(error);
    return 500;
  }
}

/** The bytes as they came: parsed and written again they would not verify. */
async function rawBody(request) {
  let raw = Buffer.alloc(0);
  for await (const chunk of request) {
    raw = Buffer.concat([raw, chunk]);
    if (raw.length > 1 << 19) return undefined;
  }
  return raw;
}

const server = createServer(async (request, response) => {
  const platform = platforms[request.url];
  if (platform === undefined) return response.writeHead(404).end();
  const raw = await rawBody(request);
  const status = raw === undefined ? 413 : await receive(platform.credential, request.headers, raw);
  const [code, text] = status === 200 ? platform.success : [status, platform.failure];
  response.writeHead(code).end(text);
});
server.listen(process.env.PORT, () => console.log(`:${server.address().port}`));
