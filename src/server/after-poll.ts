// When the system has been asked once more what has come: callers that left before that are then known to have left.

let waiting: Promise<void> | undefined;

/**
 * Resolves after the event loop has polled every connection once since the call; all who ask in the same turn share it. A body and
 * the end of its connection may be there together, after a pause of this process or at once, and Node reads the end later.
 */
export const afterPoll = (): Promise<void> =>
  (waiting ??= new Promise((resolve) => {
    // The first may come at the end of the poll that is under way; between it and the second lies a whole one.
    setImmediate(() => {
      waiting = undefined;
      setImmediate(resolve);
    });
  }));
