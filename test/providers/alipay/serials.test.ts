// Serial numbers (SN) as alipay-sdk-java computes them: the reference is what Java printed for the same certificate.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { serialOf } from '../../../src/providers/alipay/serials.ts';

/** Issued by `C=CN, O=蚂蚁, Ltd, CN=Ant é`: the last two are BMPStrings, which hold UTF-16. */
const utf16 = [
  'MIIBZzCCAQ0CChI0VniQq83vEjQwCgYIKoZIzj0EAwIwOzELMAkGA1UEBhMCQ04xFzAVBgNVBAoeDoaChoEALAAgAEwAdABkMRMwEQYDVQQDHg',
  'oAQQBuAHQAIADpMB4XDTI2MTEyNzA5MDI1NVoXDTM2MTEyNDA5MDI1NVowOzELMAkGA1UEBhMCQ04xFzAVBgNVBAoeDoaChoEALAAgAEwAdABk',
  'MRMwEQYDVQQDHgoAQQBuAHQAIADpMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEHIctZMBeuoLf8a1qhhOHqV8WQoH5iW0oXomNvegF4alNNE',
  'H+2imHpRfpTWfUBkpocG687ThZxvV4y1AU5pTXATAKBggqhkjOPQQDAgNIADBFAiEAh2OuyBKLhy+EmWf9ewQ9y7rQCWdDhKb4n48mlbckTnkC',
  'IGFAplsaea6RbFEqwAU+crgcJX4RKSKsQgKKxZyCwPQW',
].join('');

describe('the SN of a certificate', () => {
  it('is that of alipay-sdk-java where the issuer is named in UTF-16', () => {
    assert.equal(serialOf(new X509Certificate(Buffer.from(utf16, 'base64'))), '4174dea8a6f69324226da17f0fe37f26');
  });
});
