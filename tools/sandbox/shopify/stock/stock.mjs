// Items, variants, products and what lies where, of one shop. Numbers in, numbers out; no GraphQL, no HTTP.
//
// An item is an index; its ids follow from it, so that a million items need no million objects.
import { toSecond } from '../clock.mjs';
import { gid, numberOf } from '../ids.mjs';
import { kNames, kStored, Levels } from './levels.mjs';

export const kBases = {
  InventoryItem: 40_000_000_000_000,
  ProductVariant: 45_000_000_000_000,
  Product: 8_000_000_000_000,
  Location: 70_000_000_000,
  // Deliberately not the location's number: the gid of a level is opaque (1.8).
  InventoryLevel: 90_000_000_000,
};
const kHistoryMax = 100_000;

export class Stock {
  // onChange(item, location, names) is called after each change of a level, onItem(item, what) after one of an item.
  constructor({ clock, onChange = () => {}, onItem = () => {} }) {
    Object.assign(this, { clock, onChange, onItem });
    this.skus = [];
    this.prices = [];
    this.products = []; // product index of each item
    this.untracked = new Set();
    this.bundles = new Set(); // "NON_MUTABLE_INVENTORY_ITEM (bundle parent)"
    this.deleted = new Set();
    this.itemChanged = new Map();
    this.titles = new Map();
    this.productItems = []; // first item and count of each product
    this.bySku = new Map();
    this.locations = [];
    this.history = [];
    this.created = toSecond(clock.now());
  }

  // ---- items
  get count() {
    return this.skus.length;
  }

  addProduct(items, { title } = {}) {
    const product = this.productItems.length;
    this.productItems.push({ first: this.skus.length, count: items.length });
    if (title) this.titles.set(product, title);
    for (const { sku = null, price = '10.00', tracked = true, bundle = false } of items) {
      const item = this.skus.length;
      this.skus.push(sku);
      this.prices.push(price);
      this.products.push(product);
      if (!tracked) this.untracked.add(item);
      if (bundle) this.bundles.add(item);
      this.index(item, sku);
      this.onItem(item, 'create');
    }
    return product;
  }

  // SKU "is case-sensitive in the field, not unique; search can return near matches" (2.6): the index knows lower case only.
  index(item, sku) {
    if (sku === null) return;
    const key = sku.toLowerCase();
    const found = this.bySku.get(key);
    if (found === undefined) this.bySku.set(key, item);
    else if (typeof found === 'number') this.bySku.set(key, [found, item]);
    else found.push(item);
  }

  // Items whose SKU matches as the search sees it.
  nearSku(sku) {
    const found = this.bySku.get(sku.toLowerCase());
    const items = found === undefined ? [] : typeof found === 'number' ? [found] : found;
    return items.filter((item) => !this.deleted.has(item));
  }
  withSku(sku) {
    return this.nearSku(sku).filter((item) => this.skus[item] === sku);
  }

  itemOf(gidText) {
    const number = numberOf(gidText, 'InventoryItem');
    return number === null ? null : this.known(Number(number) - kBases.InventoryItem);
  }
  variantOf(gidText) {
    const number = numberOf(gidText, 'ProductVariant');
    return number === null ? null : this.known(Number(number) - kBases.ProductVariant);
  }
  known(item) {
    return Number.isInteger(item) && item >= 0 && item < this.skus.length && !this.deleted.has(item) ? item : null;
  }
  itemId(item) {
    return kBases.InventoryItem + item;
  }
  itemUpdatedAt(item) {
    return this.itemChanged.get(item) ?? this.created;
  }

  setSku(item, sku) {
    const before = this.skus[item];
    if (before !== null) {
      const key = before.toLowerCase();
      const rest = this.nearSku(before).filter((other) => other !== item);
      if (rest.length === 0) this.bySku.delete(key);
      else this.bySku.set(key, rest);
    }
    this.skus[item] = sku;
    this.index(item, sku);
    this.itemChanged.set(item, toSecond(this.clock.now()));
    this.onItem(item, 'update');
  }

  deleteItem(item) {
    for (const location of this.locations) if (location.levels.isActive(item)) this.disconnect(item, location);
    this.deleted.add(item);
    this.onItem(item, 'delete');
  }

  // ---- locations
  addLocation({ name, priority, active = true, address = {}, fulfills_online_orders: online = true }) {
    const index = this.locations.length;
    const location = {
      index,
      id: kBases.Location + index,
      gid: gid('Location', kBases.Location + index),
      name: name ?? `Location ${index + 1}`,
      priority: priority ?? index,
      active,
      online,
      address,
      created: toSecond(this.clock.now()),
      updated: toSecond(this.clock.now()),
      levels: new Levels(),
    };
    this.locations.push(location);
    return location;
  }
  locationOf(gidText) {
    const number = numberOf(gidText, 'Location');
    return number === null ? null : (this.locations[Number(number) - kBases.Location] ?? null);
  }
  // By number, gid or name.
  location(key) {
    const found = this.locations.find((location) => String(location.id) === String(key) || location.gid === key || location.name === key);
    if (!found) throw new Error(`no location "${key}"; known: ${this.locations.map(({ name }) => name).join(', ')}`);
    return found;
  }
  byPriority() {
    return this.locations.filter(({ active, online }) => active && online).sort((a, b) => a.priority - b.priority || a.index - b.index);
  }

  // ---- levels
  connect(item, location, available = 0) {
    location.levels.connect(item, toSecond(this.clock.now()));
    if (available !== 0) location.levels.add(item, 'available', available);
    this.onChange(item, location, ['connect', 'available']);
  }
  disconnect(item, location) {
    location.levels.active[item] = 0;
    for (const name of kStored) location.levels.columns[name][item] = 0;
    this.onChange(item, location, ['disconnect']);
  }

  // Changes several states of one level at once; the history tells who did it.
  change(item, location, deltas, by) {
    const { levels } = location;
    if (!levels.isActive(item)) levels.connect(item, toSecond(this.clock.now()));
    const before = levels.get(item, 'available');
    const names = [];
    for (const [name, delta] of Object.entries(deltas)) {
      if (delta === 0) continue;
      levels.add(item, name, delta);
      names.push(name);
    }
    if (names.length === 0) return false;
    levels.changed[item] = toSecond(this.clock.now());
    if (this.history.length >= kHistoryMax) this.history.splice(0, kHistoryMax / 2);
    this.history.push({
      at: this.clock.now(),
      item,
      location: location.index,
      by,
      from: before,
      to: levels.get(item, 'available'),
      on_hand: levels.get(item, 'on_hand'),
      names,
    });
    this.onChange(item, location, names);
    return true;
  }

  // Sets available or on_hand: what belongs to on_hand beside available stays, available takes the difference.
  set(item, location, name, quantity, by) {
    const delta = quantity - location.levels.get(item, name);
    this.change(item, location, { available: delta }, by);
    return delta;
  }

  quantities(item, location) {
    return Object.fromEntries(kNames.map((name) => [name, location.levels.get(item, name)]));
  }
}
