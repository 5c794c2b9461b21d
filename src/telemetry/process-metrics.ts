// What every dashboard of a process starts with.
import { Counter, Gauge, type Registry } from 'prom-client';

/** prom-client's own have the garbage collector's observers with them, which cost each collection. */
export function addProcessMetrics(registry: Registry, version: string): void {
  const registers = [registry];
  const buildInfo = new Gauge({
    name: 'paycert_build_info',
    help: 'Always 1: which version runs, on which Node.',
    labelNames: ['version', 'node'],
    registers,
  });
  buildInfo.set({ version, node: process.version }, 1);
  new Gauge({
    name: 'process_resident_memory_bytes',
    help: 'Resident memory.',
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'User and system CPU time spent.',
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  const startedAt = new Gauge({ name: 'process_start_time_seconds', help: 'When the process started.', registers });
  startedAt.set(Math.round(Date.now() / 1000 - process.uptime()));
}
