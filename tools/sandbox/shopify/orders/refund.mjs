// Refunds: what comes back, where to, and the money.
import { gid, jsonId } from '../ids.mjs';
import { refundLine, setCurrent, transactionBody } from './body.mjs';
import { moneySet, ofSet, toMinor } from './money.mjs';
import { OrderRefused } from './refused.mjs';

// given: {lines: [{line_item_id, quantity, restock_type, location}], shipping, note, money}; each line once.
export function refund(orders, record, { lines = [], shipping, note = null, money = true } = {}) {
  const { body } = record;
  if (new Set(lines.map(({ line_item_id: id }) => String(id))).size !== lines.length) throw new OrderRefused('a line comes twice');
  const plan = lines.map(({ line_item_id: id, quantity = 1, restock_type: type = 'no_restock', location }) => {
    const line = orders.lineIn(record, id);
    if (!['return', 'cancel', 'no_restock'].includes(type)) throw new OrderRefused(`restock_type "${type}"`);
    if (!Number.isInteger(quantity) || quantity <= 0 || quantity > line.current_quantity)
      throw new OrderRefused(`only ${line.current_quantity} of line ${id} are left`);
    if (type === 'cancel' && quantity > line.fulfillable_quantity)
      throw new OrderRefused(`only ${line.fulfillable_quantity} of line ${id} are unfulfilled`);
    if (type === 'return' && quantity > orders.shippedOf(record, line))
      throw new OrderRefused(`only ${orders.shippedOf(record, line)} of line ${id} were fulfilled`);
    return { line, quantity, type, place: type === 'return' ? orders.returnPlace(record, line, location) : null };
  });
  orders.touch(record);
  const id = orders.partId();
  const made = {
    id: jsonId(id),
    admin_graphql_api_id: gid('Refund', id),
    order_id: body.id,
    created_at: body.updated_at,
    processed_at: body.updated_at,
    note,
    user_id: null,
    restock: plan.some(({ type }) => type !== 'no_restock'),
    duties: [],
    order_adjustments: [],
    refund_shipping_lines: [],
    return: null,
    total_duties_set: moneySet(0n, body.currency),
    transactions: [],
    refund_line_items: plan.map((step) => refundStep(orders, record, step)),
  };
  settleMoney(orders, record, made, { shipping, money });
  (body.refunds ??= []).push(made);
  setCurrent(body);
  orders.setFulfillmentStatus(record);
  orders.emit('refunds/create', () => made);
  orders.announce(record, 'orders/updated');
  return made;
}

function refundStep(orders, record, { line, quantity, type, place }) {
  const by = `refund ${record.body.name}`;
  const item = orders.itemOfLine(line);
  let location = place;
  const unfulfilled = type === 'return' ? 0 : Math.min(quantity, line.fulfillable_quantity);
  let left = unfulfilled;
  for (const order of record.fulfillmentOrders ?? [])
    for (const part of order.lines) {
      if (part.lineId !== String(line.id) || left === 0) continue;
      const step = Math.min(left, part.remaining);
      if (step > 0) orders.release(part, order, step, type === 'cancel', by);
      left -= step;
      if (step > 0 && type === 'cancel') location = order.location;
      orders.settle(order);
    }
  if (type === 'return' && item !== null && !orders.stock.untracked.has(item)) orders.stock.change(item, place, { available: quantity }, by);
  line.current_quantity -= quantity;
  line.fulfillable_quantity -= unfulfilled;
  return refundLine({ id: orders.partId(), line, quantity, restockType: type, locationId: location?.id ?? null, body: record.body });
}

function settleMoney(orders, record, refund, { shipping, money }) {
  const { body } = record;
  const { currency } = body;
  let amount = refund.refund_line_items.reduce(
    (total, entry) => total + ofSet(entry.subtotal_set, currency) + (body.taxes_included ? 0n : ofSet(entry.total_tax_set, currency)),
    0n,
  );
  if (shipping) {
    const minor = toMinor(shipping, currency);
    amount += minor;
    refund.refund_shipping_lines.push({
      id: jsonId(orders.partId()),
      shipping_line: { id: body.shipping_lines[0]?.id ?? null },
      subtotal_amount_set: moneySet(minor, currency),
      tax_amount_set: moneySet(0n, currency),
    });
  }
  if (!money || amount === 0n) return;
  const transaction = transactionBody({
    id: orders.partId(),
    orderId: record.id,
    kind: 'refund',
    amount,
    currency,
    gateway: body.payment_gateway_names?.[0] ?? 'manual',
    at: body.updated_at,
    parent: record.transactions[0]?.id ?? null,
  });
  refund.transactions.push(transaction);
  record.transactions.push(transaction);
  const before = (body.refunds ?? [])
    .flatMap(({ transactions }) => transactions)
    .reduce((total, { amount_set: set }) => total + ofSet(set, currency), 0n);
  body.financial_status = before + amount >= ofSet(body.total_price_set, currency) ? 'refunded' : 'partially_refunded';
}
