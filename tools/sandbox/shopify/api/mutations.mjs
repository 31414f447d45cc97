// The other mutations: metafields, tags, orders, fulfillment, refunds, webhook subscriptions, bulk queries.
import { gid, numberOf, typeOf } from '../ids.mjs';
import { OrderRefused } from '../orders/orders.mjs';
import { once } from './once.mjs';
import { subscriptionNode } from './query.mjs';
import { stockMutations } from './stock_mutations.mjs';

const kTagMax = 40;

// What a business rule refuses becomes a user error.
function attempt(empty, work) {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof OrderRefused)) throw error;
    return { ...empty, userErrors: [{ field: null, message: error.message }] };
  }
}

function changeTags({ id, tags }, { shop }, change) {
  const error = (field, message) => ({ node: null, userErrors: [{ field: [field], message }] });
  if (!shop.exists(id)) return error('id', 'Resource does not exist.');
  if (tags.some((tag) => tag.length > kTagMax && typeOf(id) === 'Order')) return error('tags', `Tag exceeds ${kTagMax} characters.`);
  const wanted = tags
    .flatMap((tag) => tag.split(','))
    .map((tag) => tag.trim())
    .filter(Boolean);
  if (typeOf(id) !== 'Order') {
    if (!shop.tags.has(id)) shop.tags.set(id, new Set());
    for (const tag of wanted) change === 'add' ? shop.tags.get(id).add(tag) : shop.tags.get(id).delete(tag);
    return { node: shop.stockNodes.productOf(id), userErrors: [] };
  }
  const record = shop.orders.get(id);
  const same = (a) => (b) => a.toLowerCase() === b.toLowerCase();
  const before = shop.orders.tagsOf(record);
  const after = change === 'add' ? [...before, ...wanted.filter((tag) => !before.some(same(tag)))] : before.filter((tag) => !wanted.some(same(tag)));
  // A tag that is there already changes nothing and sends no webhook.
  if (after.length !== before.length) shop.webhooks.act(() => shop.orders.setTags(record, after));
  return { node: shop.orderNodes.order(record), userErrors: [] };
}

function metafieldsSet({ metafields }, { shop }) {
  const { metafields: set, errors } = shop.metafields.set(metafields, (owner) => shop.exists(owner));
  if (errors.length > 0) return { metafields: null, userErrors: errors.map((error) => ({ ...error, elementIndex: null })) };
  const owners = new Set(metafields.filter((ignored, index) => set[index].changed).map(({ ownerId }) => ownerId));
  shop.webhooks.act(() => {
    for (const owner of owners) {
      if (typeOf(owner) !== 'Order') continue;
      const record = shop.orders.get(owner);
      shop.orders.touch(record);
      shop.orders.announce(record, 'orders/updated');
    }
  });
  return { metafields: set, userErrors: [] };
}

function fulfillmentCreate({ fulfillment: input }, { shop }) {
  return attempt({ fulfillment: null }, () => {
    const groups = input.lineItemsByFulfillmentOrder.map(({ fulfillmentOrderId, fulfillmentOrderLineItems: lines }) => {
      const order = shop.orders.fulfillmentOrders.get(numberOf(fulfillmentOrderId, 'FulfillmentOrder') ?? '');
      if (!order) throw new OrderRefused('Fulfillment order does not exist.');
      if (!['OPEN', 'IN_PROGRESS'].includes(order.status))
        throw new OrderRefused(`Fulfillment order ${order.id} has an unfulfillable status= ${order.status.toLowerCase()}.`);
      // "Without line items everything is fulfilled." (2.9)
      if (!lines?.length) return order.lines.map((part) => ({ order, part, quantity: part.remaining }));
      return lines.map(({ id, quantity }) => {
        const part = order.lines.find((candidate) => gid('FulfillmentOrderLineItem', candidate.id) === id);
        if (!part || quantity <= 0 || quantity > part.remaining) throw new OrderRefused('Invalid fulfillment order line item quantity requested.');
        return { order, part, quantity };
      });
    });
    const parts = groups.flat();
    const orders = new Set(parts.map(({ order }) => order.orderId));
    const places = new Set(parts.map(({ order }) => order.location));
    // "All fulfillment orders of one call: same order, same location." (2.9)
    if (orders.size > 1 || places.size > 1) throw new OrderRefused('All fulfillment orders must belong to the same order and location.');
    const record = shop.orders.get([...orders][0]);
    const [made] = shop.webhooks.act(() => shop.orders.fulfil(record, parts, input.trackingInfo ?? {}));
    return { fulfillment: shop.orderNodes.fulfillment(made, record), userErrors: [] };
  });
}

function fulfillmentOrderMove({ id, newLocationId }, { shop }) {
  const empty = { originalFulfillmentOrder: null, movedFulfillmentOrder: null, remainingFulfillmentOrder: null };
  return attempt(empty, () => {
    const order = shop.orders.fulfillmentOrders.get(numberOf(id, 'FulfillmentOrder') ?? '');
    const location = shop.stock.locationOf(newLocationId);
    if (!order || !location) throw new OrderRefused('Fulfillment order or location does not exist.');
    const moved = shop.webhooks.act(() => shop.orders.move(order, location));
    return {
      originalFulfillmentOrder: shop.orderNodes.fulfillmentOrder(order),
      movedFulfillmentOrder: shop.orderNodes.fulfillmentOrder(moved),
      remainingFulfillmentOrder: null,
      userErrors: [],
    };
  });
}

function refundCreate(args, context, info) {
  const { input } = args;
  const { shop } = context;
  return once({ info, args, context, empty: { refund: null, order: null }, coded: false }, () =>
    attempt({ refund: null, order: null }, () => {
      const record = shop.orders.get(input.orderId);
      const refund = shop.orders.refund(record, {
        note: input.note ?? null,
        shipping: input.shipping?.amount,
        money: (input.transactions ?? []).length > 0, // "No transactions = restock/record without money." (2.10)
        lines: (input.refundLineItems ?? []).map(({ lineItemId, quantity, restockType, locationId }) => ({
          line_item_id: lineItemId,
          quantity,
          restock_type: (restockType ?? 'NO_RESTOCK').toLowerCase(),
          location: locationId,
        })),
      });
      return { refund: shop.orderNodes.refund(refund, record), order: shop.orderNodes.order(record), userErrors: [] };
    }),
  );
}

function orderCancel({ orderId, reason, restock }, { shop }) {
  const answer = attempt({ job: null }, () => {
    shop.webhooks.act(() => shop.orders.cancel(shop.orders.get(orderId), { restock, reason: reason.toLowerCase() }));
    return { job: { id: gid('Job', '1'), done: true }, userErrors: [] };
  });
  return { ...answer, orderCancelUserErrors: answer.userErrors.map((error) => ({ ...error, code: 'INVALID' })) };
}

function orderUpdate({ input }, { shop }) {
  return attempt({ order: null }, () => {
    const record = shop.orders.get(input.id);
    shop.webhooks.act(() => {
      if (input.note !== undefined) record.body.note = input.note;
      if (input.poNumber !== undefined) record.body.po_number = input.poNumber;
      if (input.tags) return shop.orders.setTags(record, input.tags);
      shop.orders.touch(record);
      return shop.orders.announce(record, 'orders/updated');
    });
    return { order: shop.orderNodes.order(record), userErrors: [] };
  });
}

// ---- webhook subscriptions (1.5)
function addressError(uri) {
  if (!uri) return "Address can't be blank";
  if (/^https:\/\/[^/]+/.test(uri) || /^pubsub:\/\/[^:]+:.+/.test(uri) || /^arn:aws:events:/.test(uri)) return null;
  // Only here: a listener of this machine needs no certificate.
  if (/^http:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(\/|$)/.test(uri)) return null;
  return 'Address protocol http:// is not supported';
}
function subscriptionErrors(shop, topic, input, own = null) {
  const error = (field, message) => [{ field: ['webhookSubscription', field], message }];
  const bad = addressError(input.uri);
  if (bad) return error('uri', bad);
  if (input.name && !/^[A-Za-z0-9_-]{1,50}$/.test(input.name))
    return error('name', 'Name can only contain alphanumeric characters, underscores, and hyphens, and at most 50 of them');
  const taken = [...shop.webhooks.subscriptions.values()].some(
    (other) =>
      !other.fromApp && other.id !== own && other.topic === topic && other.uri === input.uri && (other.filter ?? null) === (input.filter ?? null),
  );
  return taken ? error('uri', 'Address for this topic has already been taken') : [];
}
const subscriptionOf = (input) => ({
  uri: input.uri ?? input.callbackUrl,
  format: input.format ?? 'JSON',
  filter: input.filter ?? null,
  includeFields: input.includeFields ?? [],
  name: input.name ?? null,
  metafieldNamespaces: input.metafieldNamespaces ?? [],
});

function webhookSubscriptionCreate({ topic, webhookSubscription: input }, { shop, version }) {
  const wanted = subscriptionOf(input);
  const userErrors = subscriptionErrors(shop, topic, wanted);
  if (userErrors.length > 0) return { webhookSubscription: null, userErrors };
  return { webhookSubscription: subscriptionNode(shop.webhooks.subscribe(topic, wanted, { version })), userErrors };
}
function ownSubscription(shop, id) {
  const found = shop.webhooks.subscriptions.get(id);
  return found && !found.fromApp ? found : null;
}
const kNoSubscription = [{ field: ['id'], message: 'Webhook subscription does not exist' }];
function webhookSubscriptionUpdate({ id, webhookSubscription: input }, { shop }) {
  const found = ownSubscription(shop, id);
  if (!found) return { webhookSubscription: null, userErrors: kNoSubscription };
  const wanted = { ...found, ...Object.fromEntries(Object.entries(input)) };
  const userErrors = subscriptionErrors(shop, found.topic, wanted, id);
  if (userErrors.length > 0) return { webhookSubscription: null, userErrors };
  Object.assign(found, subscriptionOf(wanted), { updatedAt: new Date(Math.floor(shop.clock.now() / 1000) * 1000).toISOString().replace('.000', '') });
  return { webhookSubscription: subscriptionNode(found), userErrors };
}
function webhookSubscriptionDelete({ id }, { shop }) {
  if (!ownSubscription(shop, id)) return { deletedWebhookSubscriptionId: null, userErrors: kNoSubscription };
  shop.webhooks.subscriptions.delete(id);
  return { deletedWebhookSubscriptionId: id, userErrors: [] };
}

// ---- bulk
function bulkOperationRunQuery({ query }, { shop, schemaName, baseUrl }) {
  const { operation, errors } = shop.bulk.start(query, schemaName, baseUrl);
  return { bulkOperation: operation ? shop.bulk.node(operation) : null, userErrors: errors ?? [] };
}
function bulkOperationCancel({ id }, { shop }) {
  const operation = shop.bulk.operations.get(id);
  if (!operation) return { bulkOperation: null, userErrors: [{ field: ['id'], message: 'Bulk operation does not exist' }] };
  if (operation.completedAt !== null)
    return {
      bulkOperation: shop.bulk.node(operation),
      userErrors: [{ field: null, message: 'A bulk operation cannot be canceled when it is completed' }],
    };
  shop.bulk.cancel(operation);
  return { bulkOperation: shop.bulk.node(operation), userErrors: [] };
}

// Every mutation without a key of its own can be struck by internal_error too.
const plain = (work) => (args, context, info) => once({ info, args, context, empty: {}, coded: false }, () => work(args, context, info));

export const mutationRoot = {
  ...stockMutations,
  refundCreate,
  ...Object.fromEntries(
    Object.entries({
      metafieldsSet,
      fulfillmentCreate,
      fulfillmentOrderMove,
      orderCancel,
      orderUpdate,
      webhookSubscriptionCreate,
      webhookSubscriptionUpdate,
      webhookSubscriptionDelete,
      bulkOperationRunQuery,
      bulkOperationCancel,
      tagsAdd: (args, context) => changeTags(args, context, 'add'),
      tagsRemove: (args, context) => changeTags(args, context, 'remove'),
    }).map(([name, work]) => [name, plain(work)]),
  ),
};
