// Orders and what they do to stock.
//
//   checkout     available −, committed + at one location a line, before the order's webhook leaves
//   fulfil       committed − (so on_hand falls), at the location of the fulfillment order
//   cancel       committed −; restocked: available +
//   refund       cancel: committed −, available +;  return: available +;  no_restock: committed − of what was not yet shipped
//   move         committed − and available + here, available − and committed + there; a new fulfillment order
import { toSecond, utcText } from '../clock.mjs';
import { gid, jsonId } from '../ids.mjs';
import { orderBody, setCurrent, transactionBody } from './body.mjs';
import { ofSet } from './money.mjs';
import { refund } from './refund.mjs';
import { OrderRefused } from './refused.mjs';

export { OrderRefused };

export class Orders {
  constructor({ shop, stock, clock, local, emit, firstOrderId = '5000000000001', firstNumber = 1001 }) {
    Object.assign(this, { shop, stock, clock, local, emit });
    this.records = new Map(); // id as text → record
    this.fulfillmentOrders = new Map();
    this.byLine = new Map(); // line item id → order id
    this.sorted = null;
    this.nextOrder = BigInt(firstOrderId);
    this.nextNumber = firstNumber;
    this.nextPart = this.nextOrder * 2n + 1n; // ids of lines, refunds, …: never those of an order
  }

  partId() {
    this.nextPart += 1n;
    return String(this.nextPart);
  }
  get(id) {
    const record = this.records.get(String(id).replace(/^gid:\/\/shopify\/Order\//, ''));
    if (!record) throw new OrderRefused(`no order "${id}"`);
    return record;
  }
  // Newest change last; made anew only when something has changed.
  byUpdate() {
    this.sorted ??= [...this.records.values()].sort((a, b) => a.updated - b.updated || (BigInt(a.id) < BigInt(b.id) ? -1 : 1));
    return this.sorted;
  }

  touch(record) {
    record.updated = Math.max(toSecond(this.clock.now()), record.updated ?? 0);
    record.body.updated_at = this.local.text(record.updated);
    this.sorted = null;
  }
  // orders/updated "fires for every change" (1.6).
  announce(record, ...topics) {
    for (const topic of topics) this.emit(topic, () => record.body);
  }

  // ---- checkout
  checkout(given) {
    const lines = (given.lines ?? []).map((line) => this.lineOf(line));
    if (lines.length === 0) throw new OrderRefused('an order needs lines: [{"sku", "quantity"}]');
    const places = lines.map((line) => (line.item === null ? null : this.placeOf(line, given)));
    const id = String(given.id ?? this.nextOrder);
    if (this.records.has(id)) throw new OrderRefused(`order ${id} exists`);
    if (given.id === undefined) this.nextOrder += 1n;
    const number = this.nextNumber;
    this.nextNumber += 1;
    const now = toSecond(this.clock.now());
    const body = orderBody({
      id,
      number,
      given,
      lines,
      nextId: () => this.partId(),
      currency: given.currency ?? this.shop.currency,
      at: now,
      local: (ms) => this.local.text(ms),
    });
    const record = { id, body, created: now, updated: now, transactions: [], edited: false };
    this.add(record);
    record.transactions.push(
      transactionBody({
        id: this.partId(),
        orderId: id,
        kind: body.financial_status === 'authorized' ? 'authorization' : 'sale',
        amount: ofSet(body.total_price_set, body.currency),
        currency: body.currency,
        gateway: body.payment_gateway_names[0],
        at: body.created_at,
        status: body.financial_status === 'pending' ? 'pending' : 'success',
      }),
    );
    this.route(
      record,
      lines.map(({ item }, index) => ({ line: body.line_items[index], item, location: places[index] })),
    );
    this.announce(record, 'orders/create', 'orders/updated', ...(body.financial_status === 'paid' ? ['orders/paid'] : []));
    this.emit('order_transactions/create', () => record.transactions[0]);
    return record;
  }

  lineOf({ sku = null, variant_id: variant, quantity = 1, ...rest }) {
    if (!Number.isInteger(quantity) || quantity <= 0) throw new OrderRefused(`quantity ${quantity} of ${sku}`);
    const { stock } = this;
    const item = variant ? stock.variantOf(gid('ProductVariant', variant)) : sku === null ? null : (stock.withSku(sku)[0] ?? null);
    if (item === null && sku !== null && !rest.custom) throw new OrderRefused(`no item with SKU "${sku}"`);
    return {
      sku: item === null ? sku : stock.skus[item],
      item,
      quantity,
      price: item === null ? '10.00' : stock.prices[item],
      title: item === null ? 'Custom item' : this.shop.titleOf(item),
      variant_id: item === null ? null : this.shop.variantNumber(item),
      product_id: item === null ? null : this.shop.productNumber(item),
      ...rest,
    };
  }

  // The first location by priority that has enough; without any the sale is refused unless it may oversell.
  placeOf({ item, quantity, sku, location }, given) {
    const wanted = location ?? given.location;
    const places = wanted !== undefined ? [this.stock.location(wanted)] : this.stock.byPriority();
    const stocked = places.filter(({ levels }) => levels.isActive(item));
    const found = stocked.find(({ levels }) => levels.get(item, 'available') >= quantity);
    if (found) return found;
    if (this.stock.untracked.has(item) || given.oversell) return stocked[0] ?? places[0];
    throw new OrderRefused(`out of stock: ${quantity} of "${sku}"`);
  }

  add(record) {
    this.records.set(record.id, record);
    for (const line of record.body.line_items ?? []) this.byLine.set(String(line.id), record.id);
    this.sorted = null;
  }

  // "An order is split into one FO per location and delivery method" (2.9)
  route(record, parts) {
    const groups = new Map();
    for (const part of parts) {
      if (part.line.requires_shipping === false && part.location === null) continue;
      const place = part.location ?? this.stock.byPriority()[0];
      if (!place) continue;
      if (!groups.has(place)) groups.set(place, []);
      groups.get(place).push(part);
      if (part.item !== null && !this.stock.untracked.has(part.item))
        this.stock.change(part.item, place, { available: -part.line.quantity, committed: part.line.quantity }, `checkout ${record.body.name}`);
    }
    for (const [place, group] of groups) {
      const order = this.addFulfillmentOrder(
        record,
        place,
        group.map(({ line, item }) => ({ lineId: String(line.id), item, quantity: line.quantity })),
      );
      this.emit('fulfillment_orders/order_routing_complete', () => ({
        fulfillment_order: { id: gid('FulfillmentOrder', order.id), status: 'open' },
      }));
    }
  }
  addFulfillmentOrder(record, location, lines) {
    const now = toSecond(this.clock.now());
    const order = {
      id: this.partId(),
      orderId: record.id,
      location,
      status: 'OPEN',
      requestStatus: 'UNSUBMITTED',
      created: now,
      updated: now,
      lines: lines.map(({ lineId, item, quantity }) => ({ id: this.partId(), lineId, item, total: quantity, remaining: quantity })),
      fulfillments: [],
    };
    this.fulfillmentOrders.set(order.id, order);
    (record.fulfillmentOrders ??= []).push(order);
    return order;
  }

  // An order made elsewhere, in the shape of a webhook body; `take_stock` routes and commits its lines by variant or SKU.
  import(body, { take_stock: takeStock = false, topics = [] } = {}) {
    const id = String(body.id);
    const at = Date.parse(body.updated_at ?? body.created_at);
    const old = this.records.get(id);
    const record = {
      id,
      body,
      created: Date.parse(body.created_at),
      updated: toSecond(at),
      transactions: old?.transactions ?? [],
      edited: false,
      fulfillmentOrders: old?.fulfillmentOrders,
    };
    this.add(record);
    if (takeStock && !old) {
      const parts = body.line_items.map((line) => {
        const item =
          (line.variant_id && this.stock.variantOf(gid('ProductVariant', line.variant_id))) ??
          (line.sku ? (this.stock.withSku(line.sku)[0] ?? null) : null);
        return {
          line,
          item: item === undefined ? null : item,
          location: item === null ? null : this.placeOf({ item, quantity: line.quantity, sku: line.sku }, { oversell: true }),
        };
      });
      this.route(record, parts);
    }
    this.announce(record, ...topics);
    return record;
  }

  lineIn(record, id) {
    const line = record.body.line_items.find((candidate) => String(candidate.id) === String(id).replace(/^gid:\/\/shopify\/LineItem\//, ''));
    if (!line) throw new OrderRefused(`order ${record.id} has no line ${id}`);
    return line;
  }
  release(part, order, quantity, restock, by) {
    part.remaining -= quantity;
    order.updated = toSecond(this.clock.now());
    if (part.item === null || this.stock.untracked.has(part.item)) return;
    this.stock.change(part.item, order.location, { committed: -quantity, available: restock ? quantity : 0 }, by);
  }
  settle(order) {
    if (order.lines.every(({ remaining }) => remaining === 0)) order.status = order.fulfillments.length ? 'CLOSED' : 'CANCELLED';
    else if (order.fulfillments.length) order.status = 'IN_PROGRESS';
  }

  // ---- fulfillment. parts: [{order, part, quantity}] of one location; all that remains without them.
  fulfil(record, parts, tracking = {}) {
    const wanted =
      parts ??
      (record.fulfillmentOrders ?? [])
        .filter(({ status }) => status === 'OPEN' || status === 'IN_PROGRESS')
        .flatMap((order) => order.lines.map((part) => ({ order, part, quantity: part.remaining })));
    const chosen = wanted.filter(({ quantity }) => quantity > 0);
    if (chosen.length === 0) throw new OrderRefused('nothing remains to be fulfilled');
    for (const { part, quantity } of chosen)
      if (!Number.isInteger(quantity) || quantity > part.remaining) throw new OrderRefused(`only ${part.remaining} of line ${part.lineId} remain`);
    const made = [];
    for (const location of new Set(chosen.map(({ order }) => order.location)))
      made.push(
        this.fulfilAt(
          record,
          location,
          chosen.filter(({ order }) => order.location === location),
          tracking,
        ),
      );
    this.setFulfillmentStatus(record);
    this.touch(record);
    for (const fulfillment of made) this.emit('fulfillments/create', () => fulfillment);
    this.announce(record, record.body.fulfillment_status === 'fulfilled' ? 'orders/fulfilled' : 'orders/partially_fulfilled', 'orders/updated');
    return made;
  }
  fulfilAt(record, location, chosen, { company = null, number = null, url = null } = {}) {
    const { body } = record;
    const at = this.local.text(toSecond(this.clock.now()));
    const id = this.partId();
    const fulfillment = {
      id: jsonId(id),
      admin_graphql_api_id: gid('Fulfillment', id),
      order_id: body.id,
      status: 'success',
      created_at: at,
      service: 'manual',
      updated_at: at,
      tracking_company: company,
      shipment_status: null,
      location_id: location.id,
      origin_address: null,
      email: body.email ?? null,
      destination: body.shipping_address ?? null,
      line_items: chosen.map(({ part, quantity }) => ({ ...this.lineIn(record, part.lineId), quantity })),
      tracking_number: number,
      tracking_numbers: number ? [number] : [],
      tracking_url: url,
      tracking_urls: url ? [url] : [],
      receipt: {},
      name: `${body.name}.${(body.fulfillments?.length ?? 0) + 1}`,
    };
    for (const { order, part, quantity } of chosen) {
      this.release(part, order, quantity, false, `fulfil ${body.name}`);
      this.lineIn(record, part.lineId).fulfillable_quantity -= quantity;
      if (!order.fulfillments.includes(fulfillment)) order.fulfillments.push(fulfillment);
      this.settle(order);
    }
    (body.fulfillments ??= []).push(fulfillment);
    return fulfillment;
  }
  setFulfillmentStatus(record) {
    const { body } = record;
    for (const line of body.line_items) {
      const shipped = this.shippedOf(record, line);
      line.fulfillment_status = shipped === 0 ? null : line.fulfillable_quantity === 0 ? 'fulfilled' : 'partial';
    }
    const some = (body.fulfillments ?? []).some(({ status }) => status === 'success');
    body.fulfillment_status = !some ? null : body.line_items.every(({ fulfillable_quantity: rest }) => rest === 0) ? 'fulfilled' : 'partial';
  }
  shippedOf(record, line) {
    return (record.body.fulfillments ?? [])
      .filter(({ status }) => status === 'success')
      .flatMap(({ line_items: lines }) => lines)
      .filter(({ id }) => String(id) === String(line.id))
      .reduce((total, { quantity }) => total + quantity, 0);
  }

  // ---- cancel
  cancel(record, { restock = true, reason = 'customer' } = {}) {
    const { body } = record;
    if (body.cancelled_at) throw new OrderRefused('the order is cancelled already');
    for (const order of record.fulfillmentOrders ?? []) {
      for (const part of order.lines) if (part.remaining > 0) this.release(part, order, part.remaining, restock, `cancel ${body.name}`);
      this.settle(order);
    }
    this.touch(record);
    for (const line of body.line_items) Object.assign(line, { current_quantity: this.shippedOf(record, line), fulfillable_quantity: 0 });
    Object.assign(body, { cancelled_at: body.updated_at, cancel_reason: reason, closed_at: body.updated_at });
    body.financial_status = body.financial_status === 'paid' ? 'refunded' : 'voided';
    setCurrent(body);
    this.announce(record, 'orders/cancelled', 'orders/updated');
  }

  refund(record, given) {
    return refund(this, record, given);
  }
  itemOfLine(line) {
    return line.variant_id ? this.stock.variantOf(gid('ProductVariant', line.variant_id)) : null;
  }
  returnPlace(record, line, location) {
    if (location !== undefined && location !== null) return this.stock.location(location);
    const order = (record.fulfillmentOrders ?? []).find(({ lines }) => lines.some(({ lineId }) => lineId === String(line.id)));
    return order?.location ?? this.stock.byPriority()[0];
  }

  // ---- move: "routing, moves, splits and merges create new FO ids" (2.9)
  move(order, location) {
    const record = this.get(order.orderId);
    const moved = order.lines.filter(({ remaining }) => remaining > 0);
    if (moved.length === 0) throw new OrderRefused('nothing remains to be moved');
    if (location === order.location) throw new OrderRefused('the fulfillment order is there already');
    const lines = moved.map((part) => ({ lineId: part.lineId, item: part.item, quantity: part.remaining }));
    for (const part of moved) this.release(part, order, part.remaining, true, `move ${record.body.name}`);
    order.status = order.fulfillments.length ? 'CLOSED' : 'CANCELLED';
    for (const { item, quantity } of lines)
      if (item !== null && !this.stock.untracked.has(item))
        this.stock.change(item, location, { available: -quantity, committed: quantity }, `move ${record.body.name}`);
    const target = this.addFulfillmentOrder(record, location, lines);
    this.touch(record);
    this.emit('fulfillment_orders/moved', () => ({
      original_fulfillment_order: { id: gid('FulfillmentOrder', order.id), status: order.status.toLowerCase() },
      moved_fulfillment_order: { id: gid('FulfillmentOrder', target.id), status: 'open' },
      destination_location_id: location.gid,
      fulfillment_order_line_items_requested: [],
      source_location: { id: order.location.gid },
    }));
    this.announce(record, 'orders/updated');
    return target;
  }

  // ---- edit of one line's quantity; orders/edited carries "only a delta" (1.6).
  edit(record, { line_item_id: id, delta }) {
    const { body } = record;
    const line = this.lineIn(record, id);
    const order = (record.fulfillmentOrders ?? []).find(({ lines }) => lines.some(({ lineId }) => lineId === String(line.id)));
    const part = order?.lines.find(({ lineId }) => lineId === String(line.id));
    if (!Number.isInteger(delta) || delta === 0 || line.fulfillable_quantity + delta < 0 || !part)
      throw new OrderRefused(`the line cannot change by ${delta}`);
    if (delta > 0) {
      part.total += delta;
      part.remaining += delta;
      line.quantity += delta;
      if (part.item !== null && !this.stock.untracked.has(part.item))
        this.stock.change(part.item, order.location, { available: -delta, committed: delta }, `edit ${body.name}`);
    } else {
      this.release(part, order, -delta, true, `edit ${body.name}`);
      this.settle(order);
    }
    line.current_quantity += delta;
    line.fulfillable_quantity += delta;
    record.edited = true;
    this.touch(record);
    setCurrent(body);
    const change = { id: line.id, delta: Math.abs(delta) };
    this.emit('orders/edited', () => ({
      order_edit: {
        id: jsonId(this.partId()),
        app_id: null,
        created_at: body.updated_at,
        notify_customer: false,
        order_id: body.id,
        staff_note: '',
        user_id: null,
        committed_at: body.updated_at,
        line_items: { additions: delta > 0 ? [change] : [], removals: delta < 0 ? [change] : [] },
        discounts: { line_item: { additions: [], removals: [] } },
        shipping_lines: { additions: [], removals: [] },
      },
    }));
    this.announce(record, 'orders/updated');
  }

  // "all */delete bodies have little more than ids" (1.6)
  delete(record) {
    if (!record.body.cancelled_at) this.releaseAll(record);
    this.records.delete(record.id);
    this.sorted = null;
    this.emit('orders/delete', () => ({ id: record.body.id }));
  }
  releaseAll(record) {
    for (const order of record.fulfillmentOrders ?? []) {
      for (const part of order.lines) if (part.remaining > 0) this.release(part, order, part.remaining, true, `delete ${record.body.name}`);
      this.fulfillmentOrders.delete(order.id);
    }
  }

  setTags(record, tags) {
    record.body.tags = tags.join(', ');
    this.touch(record);
    this.announce(record, 'orders/updated');
  }
  tagsOf(record) {
    return (record.body.tags ?? '')
      .split(',')
      .map((tag) => tag.trim())
      .filter(Boolean);
  }

  summary() {
    const count = { total: this.records.size, open: 0, cancelled: 0, fulfilled: 0 };
    for (const { body } of this.records.values()) {
      if (body.cancelled_at) count.cancelled += 1;
      else if (body.fulfillment_status === 'fulfilled') count.fulfilled += 1;
      else count.open += 1;
    }
    return count;
  }
  updatedText(record) {
    return utcText(record.updated);
  }
}
