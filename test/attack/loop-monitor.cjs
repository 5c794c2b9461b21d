// Loaded into the process that is attacked: the longest turn of its event loop, in CPU of its main thread, and what of it was garbage collection.
const { PerformanceObserver, performance } = require('node:perf_hooks');

/** A timer is due in every turn that takes longer, so that between two of its calls lies one turn. */
const everyMilliseconds = 1;

const cpuNow = () => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};

const none = { milliseconds: 0, from: 0, to: 0 };
let worst = none;
/** Of the turns since the last look. */
let collections = [];
let [cpu, at] = [cpuNow(), performance.now()];

setInterval(() => {
  const [nextCpu, to] = [cpuNow(), performance.now()];
  if (nextCpu - cpu > worst.milliseconds) worst = { milliseconds: nextCpu - cpu, from: at, to };
  [cpu, at] = [nextCpu, to];
}, everyMilliseconds).unref();

const collected = new PerformanceObserver((list) => collections.push(...list.getEntries()));
collected.observe({ entryTypes: ['gc'] });

process.on('message', () => {
  // Those of the last turns are not reported yet.
  collections.push(...collected.takeRecords());
  const within = collections.filter(({ startTime }) => startTime >= worst.from && startTime <= worst.to);
  const collecting = within.reduce((sum, { duration }) => sum + duration, 0);
  process.send({ milliseconds: worst.milliseconds, collecting });
  [worst, collections] = [none, []];
});
process.channel.unref();
