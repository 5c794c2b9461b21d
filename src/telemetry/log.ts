// Events → log lines on an output, sampled. The only importer of pino.
import { pino, type DestinationStream, type Logger } from 'pino';
import type { Observe } from '../events.ts';
import { describeEvent, isOfEachCall, type LogLevel } from './log-lines.ts';
import { kindOf, Sampling, whatItSays } from './sampling.ts';

/** `now` tells which lines come within one minute. */
export function createLog(level: LogLevel, destination: DestinationStream, now: () => Date): Observe {
  const options = {
    level,
    base: {},
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const logger: Logger = pino(options, destination);
  const sampling = new Sampling(now);
  return (event) => {
    // At any event, with a line or without: a flood that is over is reported within a poll.
    for (const { kind, lines: omitted, last } of sampling.end(event.type === 'stopping'))
      logger.warn({ event: 'lines-omitted', ...kind, lines: omitted, last }, 'more lines of this kind were left out');
    if (level !== 'debug' && isOfEachCall(event)) return;
    const line = describeEvent(event);
    if (line === undefined) return;
    const [lineLevel, message, fields = {}] = line;
    // A reader of debug lines wants each of them.
    if (lineLevel === 'debug' || sampling.admit({ kind: kindOf(event), fields, says: whatItSays(event) }))
      logger[lineLevel]({ event: event.type, ...fields }, message);
  };
}
