// The numbers of orders to ask about: lines of a file or of standard input, or what an endpoint of the application lists.
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { readBytes, request } from '../../system/request.ts';
import { usageError } from '../command.ts';

/** Of no platform is one longer. */
const maxNumber = 64;

/** One number in each line; empty lines are none. Read as there is room for them. */
export async function* readOrders(file: string | undefined): AsyncGenerator<string> {
  const stream = file === undefined || file === '-' ? process.stdin : createReadStream(file);
  try {
    for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) {
      const number = line.trim();
      if (number !== '') yield number;
    }
  } catch {
    throw usageError(`${file ?? 'standard input'} cannot be read`);
  }
}

const maxBytes = 16 * 1024 * 1024;
const silenceMilliseconds = 30_000;

/** The application lists its open orders as a JSON array of texts. @throws PaycertError `usage` */
export async function fetchOrders(
  address: string,
  token: string | undefined,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const url = URL.parse(address);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw usageError('--orders is an address such as http://shop/open-orders');
  const headers = { Accept: 'application/json', ...(token !== undefined && { Authorization: `Bearer ${token}` }) };
  const listed = await listAt(url, headers, signal);
  const isList =
    Array.isArray(listed) && listed.every((one) => typeof one === 'string' && one !== '' && one.length <= maxNumber);
  if (!isList) throw usageError(`${url.host} lists no orders: expected a JSON array of order numbers, as texts`);
  return listed as readonly string[];
}

async function listAt(url: URL, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<unknown> {
  const sending = { silenceMilliseconds, mayRepeat: true };
  try {
    const response = await request(url, { headers }, sending, signal);
    const bytes = await readBytes(response, maxBytes, signal);
    return response.statusCode === 200 ? (JSON.parse(bytes.toString()) as unknown) : undefined;
  } catch {
    // Whatever it is, the address is what somebody has to look at.
    throw usageError(`${url.host} cannot be asked for open orders`);
  }
}
