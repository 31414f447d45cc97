// Inventory levels of one location, a column a state, so that a million items need some tens of megabytes.
//
// "on_hand = available + committed + reserved + damaged + safety_stock + quality_control" (2.6); incoming stands outside.

export const kStored = ['available', 'committed', 'incoming', 'reserved', 'damaged', 'safety_stock', 'quality_control'];
export const kNames = ['available', 'on_hand', 'committed', 'incoming', 'reserved', 'damaged', 'safety_stock', 'quality_control'];
const kOnHand = kStored.filter((name) => name !== 'incoming');

export class Levels {
  constructor() {
    this.size = 0;
    this.columns = Object.fromEntries(kStored.map((name) => [name, new Int32Array(0)]));
    this.active = new Uint8Array(0);
    this.changed = new Float64Array(0);
    this.connected = new Float64Array(0);
  }

  reserve(size) {
    if (size <= this.size) return;
    const wanted = Math.max(size, Math.ceil(this.size * 1.5), 1024);
    const grown = (from, Type) => {
      const to = new Type(wanted);
      to.set(from);
      return to;
    };
    for (const name of kStored) this.columns[name] = grown(this.columns[name], Int32Array);
    this.active = grown(this.active, Uint8Array);
    this.changed = grown(this.changed, Float64Array);
    this.connected = grown(this.connected, Float64Array);
    this.size = wanted;
  }

  isActive(item) {
    return item < this.size && this.active[item] === 1;
  }

  // Has the item ever been stocked here?
  isKnown(item) {
    return item < this.size && this.connected[item] !== 0;
  }

  connect(item, now) {
    this.reserve(item + 1);
    this.active[item] = 1;
    if (this.connected[item] === 0) this.connected[item] = now;
    this.changed[item] = now;
  }

  // `count` items from `first` on, with what of(index) says is available.
  connectMany(first, count, now, of) {
    const end = first + count;
    this.reserve(end);
    this.active.fill(1, first, end);
    this.connected.fill(now, first, end);
    this.changed.fill(now, first, end);
    for (let index = 0; index < count; index += 1) this.columns.available[first + index] = of(index);
  }

  get(item, name) {
    if (item >= this.size) return 0;
    if (name !== 'on_hand') return this.columns[name][item];
    let sum = 0;
    for (const part of kOnHand) sum += this.columns[part][item];
    return sum;
  }

  add(item, name, delta) {
    this.columns[name][item] += delta;
  }
}
