// What the sandbox saw: calls by operation, error codes, concurrency, clients that left.

export class Counters {
  constructor() {
    this.reset();
  }
  reset() {
    this.calls = new Map();
    this.codes = {};
    this.statuses = {};
    this.inFlight = 0;
    this.inFlightMax = 0;
    this.connections = 0;
    this.clientsGone = 0;
    this.since = new Date().toISOString();
  }
  begin() {
    this.inFlight += 1;
    this.inFlightMax = Math.max(this.inFlightMax, this.inFlight);
  }
  end(name, { status, points, milliseconds }) {
    this.inFlight = Math.max(0, this.inFlight - 1);
    let entry = this.calls.get(name);
    if (!entry) this.calls.set(name, (entry = { calls: 0, points: 0, milliseconds: 0, milliseconds_max: 0 }));
    entry.calls += 1;
    entry.points += points;
    entry.milliseconds += milliseconds;
    entry.milliseconds_max = Math.max(entry.milliseconds_max, milliseconds);
    this.statuses[status] = (this.statuses[status] ?? 0) + 1;
  }
  code(code) {
    this.codes[code] = (this.codes[code] ?? 0) + 1;
  }
  report() {
    const memory = process.memoryUsage();
    const cpu = process.cpuUsage();
    return {
      since: this.since,
      calls: Object.fromEntries([...this.calls].sort()),
      codes: this.codes,
      statuses: this.statuses,
      in_flight: this.inFlight,
      in_flight_max: this.inFlightMax,
      connections: this.connections,
      clients_gone: this.clientsGone,
      cpu_seconds: (cpu.user + cpu.system) / 1e6,
      rss_bytes: memory.rss,
    };
  }
}
