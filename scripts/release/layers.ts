// Compresses the layers of an OCI layout in one thread, by zlib: the bytes do not depend on how buildah divides the work.
import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** buildah may have compressed them all the same. */
const expanded = (layer: Buffer): Buffer => (layer.readUInt16BE() === 0x1f8b ? gunzipSync(layer) : layer);

/** In place; the manifest and the index follow. */
export function compressLayers(layout: string): void {
  const path = (digest: string): string => join(layout, 'blobs/sha256', digest.replace('sha256:', ''));
  const read = (digest: string): Buffer => readFileSync(path(digest));
  const replace = (old: Descriptor, bytes: Buffer, mediaType = old.mediaType): Descriptor => {
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    rmSync(path(old.digest));
    writeFileSync(path(digest), bytes);
    return { ...old, mediaType, digest, size: bytes.length };
  };
  const indexFile = join(layout, 'index.json');
  const index = JSON.parse(readFileSync(indexFile, 'utf8')) as { manifests: Descriptor[] };
  const manifests = index.manifests.map((old) => {
    const manifest = JSON.parse(read(old.digest).toString()) as { layers: Descriptor[] };
    const layers = manifest.layers.map((layer) =>
      replace(layer, gzipSync(expanded(read(layer.digest))), 'application/vnd.oci.image.layer.v1.tar+gzip'),
    );
    return replace(old, Buffer.from(JSON.stringify({ ...manifest, layers })));
  });
  writeFileSync(indexFile, JSON.stringify({ ...index, manifests }));
}
