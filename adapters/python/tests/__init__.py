"""Against a sidecar and doubles of the platforms, which the project's own tests start: `node --test test/adapters/python.test.ts`."""
