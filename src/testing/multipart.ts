// The parts of multipart/form-data, as a platform double reads an upload (RFC 7578): names, whether a part is a file, bytes.

export interface Part {
  readonly name: string;
  readonly isFile: boolean;
  readonly content: Buffer;
}

/** Nothing where the body is not of that type. */
export function readMultipart(contentType: string | undefined, body: Uint8Array): readonly Part[] | undefined {
  const [, quoted, plain] =
    /^multipart\/form-data\s*;.*?boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(contentType ?? '') ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined) return undefined;
  const text = `\r\n${Buffer.from(body).toString('latin1')}`;
  return text
    .split(`\r\n--${boundary}`)
    .slice(1, -1)
    .flatMap((part) => {
      const [head = '', ...rest] = part.replace(/^\r\n/, '').split('\r\n\r\n');
      const name = /;\s*name="?([^";\r\n]+)"?/i.exec(head)?.[1];
      if (name === undefined) return [];
      return [{ name, isFile: /;\s*filename\*?=/i.test(head), content: Buffer.from(rest.join('\r\n\r\n'), 'latin1') }];
    });
}
