// What the sandbox saw: calls by method, concurrency, clients that left.

export class Counters {
  constructor() {
    this.reset();
  }
  reset() {
    this.calls = new Map();
    this.inFlight = 0;
    this.inFlightMax = 0;
    this.connections = 0;
    this.clientsGone = 0;
    this.unauthorized = 0;
    this.since = new Date().toISOString();
  }
  begin() {
    this.inFlight += 1;
    this.inFlightMax = Math.max(this.inFlightMax, this.inFlight);
  }
  end(name, { records, failed, milliseconds }) {
    this.inFlight -= 1;
    let entry = this.calls.get(name);
    if (!entry) this.calls.set(name, (entry = { calls: 0, records: 0, failed: 0, milliseconds: 0, milliseconds_max: 0 }));
    entry.calls += 1;
    entry.records += records;
    entry.failed += failed ? 1 : 0;
    entry.milliseconds += milliseconds;
    entry.milliseconds_max = Math.max(entry.milliseconds_max, milliseconds);
  }
  report() {
    const memory = process.memoryUsage();
    const cpu = process.cpuUsage();
    return {
      since: this.since,
      calls: Object.fromEntries([...this.calls].sort()),
      in_flight: this.inFlight,
      in_flight_max: this.inFlightMax,
      connections: this.connections,
      clients_gone: this.clientsGone,
      unauthorized: this.unauthorized,
      cpu_seconds: (cpu.user + cpu.system) / 1e6,
      rss_bytes: memory.rss,
    };
  }
}
