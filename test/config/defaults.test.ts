// Durations, as the configuration writes them.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { milliseconds } from '../../src/config/defaults.ts';

describe('durations', () => {
  it('are counted in milliseconds, seconds, minutes, hours and days', () => {
    const durations = {
      '500ms': 500,
      '10s': 10_000,
      '5m': 300_000,
      '12h': 43_200_000,
      '7d': 604_800_000,
      '010s': 10_000,
    };
    for (const [text, value] of Object.entries(durations)) assert.equal(milliseconds(text), value, text);
  });
});
