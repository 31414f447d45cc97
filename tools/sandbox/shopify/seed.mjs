// Items by the thousand. A count makes items <prefix>000001 …; a list names each.
import { toSecond } from './clock.mjs';

// {count, prefix, variants_per_product, price, quantity, locations} or {items: [{sku, price, tracked, bundle, title, quantities}]}.
// `quantity` is available at every location named (all without), or {"mod": n}: index modulo n, so that values differ.
// Quiet unless `webhooks` is true: no inventory webhooks for what was there from the beginning.
export function seedItems(shop, given) {
  const { stock } = shop;
  const first = stock.count;
  shop.quiet = !given.webhooks;
  try {
    if (given.count !== undefined) seedMany(shop, given);
    for (const entry of given.items ?? []) seedOne(stock, entry);
  } finally {
    shop.quiet = false;
  }
  return { first_item: first, items: stock.count - first, total: stock.count };
}

function seedMany(
  { stock, quiet },
  { count, prefix = 'SKU-', digits = 7, variants_per_product: perProduct = 1, price, quantity = 0, locations, tracked },
) {
  const places = locations ? locations.map((key) => stock.location(key)) : stock.locations;
  const base = stock.count;
  for (let made = 0; made < count; made += perProduct) {
    const variants = [];
    for (let index = made; index < Math.min(count, made + perProduct); index += 1)
      variants.push({ sku: `${prefix}${String(base + index + 1).padStart(digits, '0')}`, price, tracked });
    stock.addProduct(variants);
  }
  for (const place of places) {
    const of = (index) => (typeof quantity === 'object' ? index % quantity.mod : quantity);
    if (quiet) place.levels.connectMany(base, count, toSecond(stock.clock.now()), of);
    else for (let index = 0; index < count; index += 1) stock.connect(base + index, place, of(index));
  }
}

function seedOne(stock, { title, quantities = {}, ...variant }) {
  const product = stock.addProduct([variant], { title });
  const item = stock.productItems[product].first;
  for (const [key, states] of Object.entries(quantities)) {
    const place = stock.location(key);
    const given = typeof states === 'number' ? { available: states } : states;
    stock.connect(item, place, given.available ?? 0);
    const { available, ...rest } = given;
    if (Object.keys(rest).length > 0) stock.change(item, place, rest, 'seed');
  }
}
