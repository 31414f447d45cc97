// The leaky bucket of a shop, and the log of those who wanted more than was in it.
//
// "Leaky bucket per (app, shop). Restore: Standard 100, Advanced 200, Plus 1000, Enterprise 2000 points/s. Bucket size is not
// published; read maximumAvailable (standard reports 2000 (u))." (2.3) Here a bucket holds twenty seconds of every plan.
export const kPlans = { standard: 100, advanced: 200, plus: 1000, enterprise: 2000 };
const kSeconds = 20;
const kLogMax = 10_000;

export class Budget {
  constructor({ clock, plan = 'standard', points_per_second: rate, bucket }) {
    this.clock = clock;
    if (!rate && !kPlans[plan]) throw new Error(`unknown plan "${plan}"; known: ${Object.keys(kPlans).join(', ')}`);
    this.rate = rate ?? kPlans[plan];
    this.maximum = bucket ?? this.rate * kSeconds;
    this.available = this.maximum;
    this.at = clock.steady();
    this.reset();
  }

  reset() {
    this.spent = 0;
    this.requested = 0;
    this.granted = 0;
    this.overruns = [];
    this.overrunCount = 0;
    this.provokedUntil = -Infinity;
    this.waitUntil = -Infinity;
  }

  refill() {
    const now = this.clock.steady();
    this.available = Math.min(this.maximum, this.available + (Math.max(0, now - this.at) / 1000) * this.rate);
    this.at = now;
    return this.available;
  }

  // Takes the requested cost, or notes the overrun. After a fault took points away or forced THROTTLED, an overrun is the fault's
  // (provoked) until the points are back; one before the wait of an earlier THROTTLED is over is hasty.
  take(requested, operation, forced = false) {
    this.refill();
    const now = this.clock.steady();
    if (forced) this.provokedUntil = Math.max(this.provokedUntil, now);
    if (!forced && requested <= this.available) {
      this.available -= requested;
      this.requested += requested;
      this.granted += 1;
      return true;
    }
    // "wait (requested - currentlyAvailable) / restoreRate s, at least 1 s" (2.3)
    const waitMs = Math.max(1000, ((requested - this.available) / this.rate) * 1000);
    this.overrunCount += 1;
    if (this.overruns.length < kLogMax)
      this.overruns.push({
        at: new Date(this.clock.now()).toISOString(),
        operation,
        requested,
        available: Math.floor(this.available),
        wait_ms: Math.ceil(waitMs),
        provoked: now <= this.provokedUntil,
        hasty: now < this.waitUntil,
      });
    this.waitUntil = now + waitMs;
    return false;
  }

  giveBack(requested, actual) {
    this.refill();
    this.available = Math.min(this.maximum, this.available + Math.max(0, requested - actual));
    this.spent += actual;
  }

  drain(points) {
    this.refill();
    this.available = Math.max(0, this.available - points);
    this.provokedUntil = this.clock.steady() + ((this.maximum - this.available) / this.rate) * 1000;
  }

  status() {
    this.refill();
    return { maximumAvailable: this.maximum, currentlyAvailable: Math.floor(this.available), restoreRate: this.rate };
  }

  report() {
    const unprovoked = this.overruns.filter(({ provoked }) => !provoked).length;
    return {
      ...this.status(),
      spent: this.spent,
      requested: this.requested,
      calls: this.granted,
      overrun_count: this.overrunCount,
      unprovoked_overruns: unprovoked,
      hasty_overruns: this.overruns.filter(({ hasty }) => hasty).length,
      overruns: this.overruns,
    };
  }
}
