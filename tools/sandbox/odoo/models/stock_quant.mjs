// What lies where. A quant that falls to nothing is deleted, as the server's own clean-up does, and only its move tells of it.
import { now } from '../timezone.mjs';

export const stockQuant = {
  prepare(env, record) {
    record.company_id ??= env.table('stock.location').get(record.location_id)?.company_id ?? env.companyId;
  },
  computes: {
    quant_available: (env, record) => record.quantity - record.reserved_quantity,
  },
  methods: {},
};

const moveQuantity = (env) => (env.db.settings.major >= 17 ? 'quantity' : 'qty_done');

function productOf(env, sku) {
  const product = env.table('product.product').by('default_code', sku)[0];
  if (!product) throw new Error(`no product has the internal reference "${sku}"`);
  return product;
}

// The stock of a warehouse, or a shelf below it, which is made when it is first named.
function locationOf(env, code, shelf) {
  const warehouse = [...env.table('stock.warehouse').rows.values()].find((each) => each.code === code);
  if (!warehouse) throw new Error(`no warehouse has the code "${code}"`);
  if (!shelf) return warehouse.lot_stock_id;
  const name = `${code}/Stock/${shelf}`;
  const known = [...env.table('stock.location').rows.values()].find((each) => each.complete_name === name);
  return (
    known ??
    env.create('stock.location', { name: shelf, complete_name: name, usage: 'internal', location_id: warehouse.lot_stock_id, company_id: warehouse.company_id })
  ).id;
}

// What people and movements do to stock, for tests: {"do": "set" | "reserve" | "vanish" | "archive" | "delete", "sku", "warehouse",
// "shelf", "quantity", "owner"}.
export function changeStock(env, order) {
  const product = productOf(env, order.sku);
  const quants = env.table('stock.quant').by('product_id', product.id).slice();
  if (order.do === 'archive') {
    env.write('product.product', [product.id], { active: order.active ?? false });
    return {};
  }
  if (order.do === 'delete') {
    for (const quant of quants) env.unlink('stock.quant', [quant.id]);
    for (const line of env.table('stock.move.line').by('product_id', product.id).slice()) env.unlink('stock.move.line', [line.id]);
    env.unlink('product.product', [product.id]);
    return {};
  }
  const location = locationOf(env, order.warehouse ?? 'WH', order.shelf);
  const owner = order.owner ?? null;
  const here = quants.find((quant) => quant.location_id === location && (quant.owner_id ?? null) === owner);
  if (order.do === 'vanish') {
    if (here) env.unlink('stock.quant', [here.id]);
    return {};
  }
  if (order.do === 'reserve') {
    env.write('stock.quant', [here.id], { reserved_quantity: order.quantity });
    return { id: here.id };
  }
  if (order.do !== 'set') throw new Error(`"${order.do}" is nothing that can be done to stock`);
  env.create('stock.move.line', {
    product_id: product.id,
    location_id: location,
    [moveQuantity(env)]: Math.abs(order.quantity - (here?.quantity ?? 0)),
    state: 'done',
  });
  if (here && order.quantity === 0) {
    env.unlink('stock.quant', [here.id]);
    return { at: now() };
  }
  if (here) env.write('stock.quant', [here.id], { quantity: order.quantity });
  else env.create('stock.quant', { product_id: product.id, location_id: location, quantity: order.quantity, ...(owner ? { owner_id: owner } : {}) });
  return { at: now() };
}
