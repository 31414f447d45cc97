// What physically lies where, and what the warehouse would say about it. Numbers only: no HTTP, no files.
//
// Quantities are kept in thousandths, so that 0.1 kg ten times is 1 kg. A change is told as a level (absolute, "stock messages are
// absolute values with a time: ignore older ones"), as an adjustment (delta with an id of its own), or as both.
export const kModes = ['levels', 'adjustments', 'both'];
export const kBases = ['physical', 'net'];

const kScale = 1000;
export function toThousandths(quantity) {
  const value = Math.round(Number(quantity) * kScale);
  if (!Number.isSafeInteger(value) || Math.abs(value - Number(quantity) * kScale) > 1e-6)
    throw new Error(`"${quantity}" is not a quantity of at most three decimals`);
  return value;
}
// As a number where it is whole, else as text: a receiver must take both.
export function toQuantity(thousandths) {
  if (thousandths % kScale === 0) return thousandths / kScale;
  const sign = thousandths < 0 ? '-' : '';
  const all = String(Math.abs(thousandths)).padStart(4, '0');
  return `${sign}${all.slice(0, -3)}.${all.slice(-3).replace(/0+$/, '')}`;
}

export class Warehouse {
  // onChange({level?, adjustment?}) receives what is to be told of each change.
  constructor({ name = 'wms', mode = 'levels', basis = 'physical', unit = null, now = () => Date.now(), onChange = () => {} } = {}) {
    if (!kModes.includes(mode)) throw new Error(`mode "${mode}"; known: ${kModes.join(', ')}`);
    if (!kBases.includes(basis)) throw new Error(`basis "${basis}"; known: ${kBases.join(', ')}`);
    Object.assign(this, { name, mode, basis, unit, now, onChange });
    this.places = new Map(); // place → Map(sku → {lies, reserved})
    this.started = 0;
    this.changes = 0;
    this.restart();
  }

  // "a restarted sequence needs a new epoch": a warehouse that keeps its epoch over a restart is one that breaks the rule.
  restart({ keep_epoch: keepEpoch = false } = {}) {
    if (!keepEpoch) this.started += 1;
    this.epoch = `${this.name}-${this.started}`;
    this.sequence = 0;
  }

  position(place, sku) {
    if (!this.places.has(place)) this.places.set(place, new Map());
    const rows = this.places.get(place);
    if (!rows.has(sku)) rows.set(sku, { lies: 0, reserved: 0 });
    return rows.get(sku);
  }
  // What the warehouse states: the shelf, or the shelf less what its own orders have reserved.
  stated({ lies, reserved }) {
    return this.basis === 'net' ? lies - reserved : lies;
  }
  quantity(place, sku) {
    return toQuantity(this.stated(this.position(place, sku)));
  }
  observedAt() {
    return new Date(this.now()).toISOString();
  }
  level(place, sku, observedAt = this.observedAt(), extra = {}) {
    this.sequence += 1;
    return {
      location: place,
      sku,
      quantity: this.quantity(place, sku),
      ...(this.unit ? { unit: this.unit } : {}),
      observed_at: observedAt,
      epoch: this.epoch,
      sequence: this.sequence,
      ...extra,
    };
  }

  // what: receive (+), ship (−), count (=), reserve, release. `quiet`: nobody is told.
  act(what, { place, sku, quantity, quiet = false }) {
    if (typeof place !== 'string' || typeof sku !== 'string') throw new Error('an act needs place and sku');
    const amount = toThousandths(quantity);
    const row = this.position(place, sku);
    const before = this.stated(row);
    if (what === 'receive') row.lies += amount;
    else if (what === 'ship') row.lies -= amount;
    else if (what === 'count') row.lies = amount;
    else if (what === 'reserve') row.reserved += amount;
    else if (what === 'release') row.reserved -= amount;
    else throw new Error(`act "${what}"; known: receive, ship, count, reserve, release`);
    const delta = this.stated(row) - before;
    if (!quiet && (delta !== 0 || what === 'count')) this.tell(place, sku, delta);
    return { place, sku, quantity: this.quantity(place, sku) };
  }
  tell(place, sku, delta) {
    this.changes += 1;
    const observedAt = this.observedAt();
    const told = {};
    if (this.mode !== 'adjustments') told.level = this.level(place, sku, observedAt);
    if (this.mode !== 'levels' && delta !== 0)
      told.adjustment = {
        id: `${this.name}-adj-${this.changes}`,
        location: place,
        sku,
        delta: toQuantity(delta),
        ...(this.unit ? { unit: this.unit } : {}),
        observed_at: observedAt,
        epoch: this.epoch,
      };
    this.onChange(told);
  }

  // {count, prefix, digits, places, quantity}: quantity a number or {"mod": n}. Nobody is told.
  seed({ count = 0, prefix = 'SKU-', digits = 7, places = ['main'], quantity = 0, rows = [] }) {
    for (const place of places)
      for (let index = 0; index < count; index += 1) {
        const sku = `${prefix}${String(index + 1).padStart(digits, '0')}`;
        this.position(place, sku).lies = toThousandths(typeof quantity === 'object' ? index % quantity.mod : quantity);
      }
    for (const { place, sku, quantity: lies, reserved = 0 } of rows)
      Object.assign(this.position(place, sku), { lies: toThousandths(lies), reserved: toThousandths(reserved) });
    return { positions: this.size };
  }
  get size() {
    let size = 0;
    for (const rows of this.places.values()) size += rows.size;
    return size;
  }

  // Every position as [place, sku, quantity], by place and SKU in byte order.
  *rows() {
    for (const place of [...this.places.keys()].sort()) {
      const rows = this.places.get(place);
      for (const sku of [...rows.keys()].sort()) yield [place, sku, toQuantity(this.stated(rows.get(sku)))];
    }
  }
}
