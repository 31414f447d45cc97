// The shop's time. Wall time may stand off from the machine's (clock skew) or be held still and moved by hand; points refill by it too.
export class Clock {
  constructor() {
    this.offsetMs = 0;
    this.held = null;
    this.steadyOffset = 0;
    this.steadyHeld = 0;
  }
  // Milliseconds since 1970 as Shopify would tell them.
  now() {
    return this.held ?? Date.now() + this.offsetMs;
  }
  // What the bucket of points refills by: never goes back, stands still while time is held, moves with advance_ms alone.
  steady() {
    return this.held === null ? performance.now() + this.steadyOffset : this.steadyHeld;
  }
  change({ offset_ms: offset, hold_at: holdAt, advance_ms: advance, release }) {
    if (offset !== undefined) this.offsetMs = offset;
    if (holdAt !== undefined) {
      this.steadyHeld = this.steady();
      this.held = typeof holdAt === 'number' ? holdAt : Date.parse(holdAt);
    }
    if (release && this.held !== null) {
      this.steadyOffset = this.steadyHeld - performance.now();
      this.held = null;
    }
    if (advance !== undefined) {
      if (this.held === null) throw new Error('advance_ms needs a clock that is held (hold_at)');
      this.held += advance;
      this.steadyHeld += Math.max(0, advance);
    }
    return { now: new Date(this.now()).toISOString(), offset_ms: this.offsetMs, held: this.held !== null };
  }
}

// "Times: ISO 8601 … second precision" (1.8): everything is stored cut to the second.
export const toSecond = (ms) => Math.floor(ms / 1000) * 1000;
// "DateTime ISO 8601 UTC" (2.1).
export const utcText = (ms) => (ms === null || ms === undefined ? null : `${new Date(ms).toISOString().slice(0, 19)}Z`);

// "with the shop's UTC offset" (1.8), summer time included.
export class LocalTime {
  constructor(zone) {
    this.format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    this.offsets = new Map();
  }
  offsetMinutes(ms) {
    const quarter = Math.floor(ms / 900_000); // No zone changes its offset within a quarter of an hour.
    let offset = this.offsets.get(quarter);
    if (offset === undefined) {
      const part = Object.fromEntries(this.format.formatToParts(quarter * 900_000).map(({ type, value }) => [type, Number(value)]));
      offset = (Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second) - quarter * 900_000) / 60_000;
      if (this.offsets.size > 10_000) this.offsets.clear();
      this.offsets.set(quarter, offset);
    }
    return offset;
  }
  text(ms) {
    if (ms === null || ms === undefined) return null;
    const offset = this.offsetMinutes(ms);
    const two = (number) => String(Math.trunc(Math.abs(number))).padStart(2, '0');
    return `${new Date(ms + offset * 60_000).toISOString().slice(0, 19)}${offset < 0 ? '-' : '+'}${two(offset / 60)}:${two(offset % 60)}`;
  }
}
