// Orders and what they do to stock; the two shapes of an order.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { fromJson } from '../ids.mjs';
import { item, kLocation, kSecondLocation, listener, start, until } from './support.mjs';

const kFixtures = new URL('../../../../tests/contracts/fixtures/shopify/', import.meta.url);
const sell = (client, quantity = 3, more = {}) => client.own('POST', 'checkout', { lines: [{ sku: 'SKU-0000001', quantity }], ...more });
async function shop(t, quantity = 10, options = {}) {
  const started = await start(t, options);
  started.seed({ count: 2, quantity });
  return started;
}

test('checkout: stock is taken before the webhook of the order leaves', async (t) => {
  const { client } = await shop(t);
  const hub = await listener(t);
  await client.own('POST', 'webhooks', { address: hub.url });
  await client.control('POST', 'faults', { kind: 'webhook_delay', topic: 'orders/create', ms: 300 });
  await sell(client);
  assert.deepEqual(await client.level(0), { available: 7, on_hand: 10, committed: 3 });
  assert.equal(hub.of('orders/create').length, 0);
  await until(() => hub.of('orders/create').length === 1, 'the webhook');
  assert.equal(hub.of('orders/create')[0].body.line_items[0].sku, 'SKU-0000001');
});

test('checkout: the first location by priority that has enough; a sale beyond stock is refused or oversells', async (t) => {
  const { client, seed } = await start(t);
  seed({ items: [{ sku: 'A', quantities: { Main: 2, Second: 5 } }] });
  const order = (quantity, more) => client.own('POST', 'checkout', { lines: [{ sku: 'A', quantity }], ...more });
  await order(3);
  assert.deepEqual(await client.level(0, kSecondLocation), { available: 2, on_hand: 5, committed: 3 });
  await assert.rejects(order(3), /out of stock/);
  await order(3, { oversell: true });
  assert.deepEqual(await client.level(0), { available: -1, on_hand: 2, committed: 3 });
  assert.deepEqual([(await client.own('GET', 'summary')).negative_levels, (await client.own('GET', 'summary')).lowest_available], [1, -1]);
});

test('fulfil: on_hand and committed fall, available stays; twice is refused', async (t) => {
  const { client } = await shop(t);
  const order = await sell(client);
  await client.own('POST', `orders/${order.id}/fulfil`, { lines: [{ line_item_id: order.lines[0].id, quantity: 2 }] });
  assert.deepEqual(await client.level(0), { available: 7, on_hand: 8, committed: 1 });
  await client.own('POST', `orders/${order.id}/fulfil`, {});
  assert.deepEqual(await client.level(0), { available: 7, on_hand: 7, committed: 0 });
  await assert.rejects(client.own('POST', `orders/${order.id}/fulfil`, {}), /nothing remains/);
  const { order: read } = await client.data(
    'query($id: ID!) { order(id: $id) { displayFulfillmentStatus fulfillments { totalQuantity } fulfillmentOrders(first: 5) { nodes { status } } } }',
    { id: `gid://shopify/Order/${order.id}` },
  );
  assert.deepEqual(read, {
    displayFulfillmentStatus: 'FULFILLED',
    fulfillments: [{ totalQuantity: 2 }, { totalQuantity: 1 }],
    fulfillmentOrders: { nodes: [{ status: 'CLOSED' }] },
  });
});

// "Without line items everything is fulfilled. No idempotency key: before a retry read remainingQuantity." (2.9)
test('fulfillmentCreate: what remains goes, a second time nothing does', async (t) => {
  const { client } = await shop(t);
  const order = await sell(client);
  const query =
    'mutation($f: FulfillmentInput!) { fulfillmentCreate(fulfillment: $f) { fulfillment { totalQuantity trackingInfo { number } } userErrors { message } } }';
  const f = {
    lineItemsByFulfillmentOrder: [{ fulfillmentOrderId: `gid://shopify/FulfillmentOrder/${order.fulfillment_orders[0].id}` }],
    trackingInfo: { number: 'JD01', company: 'DHL' },
  };
  assert.deepEqual((await client.data(query, { f })).fulfillmentCreate.fulfillment, { totalQuantity: 3, trackingInfo: [{ number: 'JD01' }] });
  const again = (await client.data(query, { f })).fulfillmentCreate;
  assert.equal(again.fulfillment, null);
  assert.equal(again.userErrors.length, 1);
  assert.deepEqual(await client.level(0), { available: 7, on_hand: 7, committed: 0 });
});

test('cancel: restocked stock can be sold again, without restock it is gone', async (t) => {
  const { client } = await shop(t);
  await client.own('POST', `orders/${(await sell(client)).id}/cancel`, { restock: true });
  assert.deepEqual(await client.level(0), { available: 10, on_hand: 10, committed: 0 });
  const second = await sell(client);
  await client.own('POST', `orders/${second.id}/cancel`, { restock: false });
  assert.deepEqual(await client.level(0), { available: 7, on_hand: 7, committed: 0 });
  await assert.rejects(client.own('POST', `orders/${second.id}/cancel`, {}), /cancelled already/);
  const { body } = await client.own('GET', `orders/${second.id}`);
  // "A cancelled order keeps total_price." (1.8)
  assert.deepEqual([body.total_price, body.current_total_price, body.line_items[0].current_quantity], ['30.00', '0.00', 0]);
});

// "restock_type: no_restock, cancel (unfulfilled), return (fulfilled)" (1.8)
test('refund: cancel gives unshipped stock back, return brings shipped stock in, no_restock leaves it', async (t) => {
  const { client } = await shop(t);
  const order = await sell(client, 5);
  const line = order.lines[0].id;
  const refund = (quantity, type, more = {}) =>
    client.own('POST', `orders/${order.id}/refund`, { lines: [{ line_item_id: line, quantity, restock_type: type, ...more }] });
  await refund(1, 'cancel');
  assert.deepEqual(await client.level(0), { available: 6, on_hand: 10, committed: 4 });
  await client.own('POST', `orders/${order.id}/fulfil`, { lines: [{ line_item_id: line, quantity: 3 }] });
  assert.deepEqual(await client.level(0), { available: 6, on_hand: 7, committed: 1 });
  await refund(1, 'return', { location: 'Second' });
  assert.deepEqual(await client.level(0, kSecondLocation), { available: 11, on_hand: 11, committed: 0 });
  await refund(1, 'no_restock');
  assert.deepEqual(await client.level(0), { available: 6, on_hand: 6, committed: 0 });
  await assert.rejects(refund(9, 'return'), /are left/);
  await assert.rejects(refund(1, 'cancel'), /unfulfilled/);
  const { body } = await client.own('GET', `orders/${order.id}`);
  assert.deepEqual(
    [body.refunds.length, body.line_items[0].current_quantity, body.financial_status, body.current_total_price],
    [3, 2, 'partially_refunded', '20.00'],
  );
});

test('refundCreate: needs a key, and the same key refunds once', async (t) => {
  const { client } = await shop(t);
  const order = await sell(client);
  const query = (directive) =>
    `mutation($i: RefundInput!) { refundCreate(input: $i) ${directive} { refund { id refundLineItems(first: 5) { nodes { quantity restockType } } } userErrors { message } } }`;
  const i = {
    orderId: `gid://shopify/Order/${order.id}`,
    refundLineItems: [{ lineItemId: `gid://shopify/LineItem/${order.lines[0].id}`, quantity: 1, restockType: 'CANCEL', locationId: kLocation }],
  };
  await assert.rejects(client.data(query(''), { i }), /BAD_REQUEST/);
  const first = await client.data(query('@idempotent(key: "r1")'), { i });
  assert.deepEqual(first.refundCreate.refund.refundLineItems.nodes, [{ quantity: 1, restockType: 'CANCEL' }]);
  assert.deepEqual(await client.data(query('@idempotent(key: "r1")'), { i }), first);
  assert.deepEqual(await client.level(0), { available: 8, on_hand: 10, committed: 2 });
});

// "routing, moves, splits and merges create new FO ids" (2.9)
test('move: what was committed moves with the fulfillment order, which gets a new id', async (t) => {
  const { client } = await shop(t);
  const order = await sell(client);
  const moved = await client.own('POST', `orders/${order.id}/move`, { location: 'Second' });
  assert.deepEqual(await client.level(0), { available: 10, on_hand: 10, committed: 0 });
  assert.deepEqual(await client.level(0, kSecondLocation), { available: 7, on_hand: 10, committed: 3 });
  assert.notEqual(moved.fulfillment_orders[1].id, order.fulfillment_orders[0].id);
  const { fulfillmentOrders } = await client.data(
    '{ fulfillmentOrders(first: 5) { nodes { status assignedLocation { location { id } } lineItems(first: 5) { nodes { remainingQuantity inventoryItemId } } } } }',
  );
  assert.deepEqual(fulfillmentOrders.nodes, [
    {
      status: 'OPEN',
      assignedLocation: { location: { id: kSecondLocation } },
      lineItems: { nodes: [{ remainingQuantity: 3, inventoryItemId: item(0) }] },
    },
  ]);
});

// "orders/edited … Its body is only a delta" (1.6)
test('edit: stock follows, orders/edited carries a delta alone', async (t) => {
  const { client } = await shop(t);
  const hub = await listener(t);
  await client.own('POST', 'webhooks', { address: hub.url, topics: ['orders/edited', 'orders/updated'] });
  const order = await sell(client);
  await client.own('POST', `orders/${order.id}/edit`, { line_item_id: order.lines[0].id, delta: 2 });
  assert.deepEqual(await client.level(0), { available: 5, on_hand: 10, committed: 5 });
  await client.own('POST', `orders/${order.id}/edit`, { line_item_id: order.lines[0].id, delta: -4 });
  assert.deepEqual(await client.level(0), { available: 9, on_hand: 10, committed: 1 });
  await until(() => hub.of('orders/edited').length === 2, 'both edits');
  assert.deepEqual(Object.keys(hub.of('orders/edited')[0].body), ['order_edit']);
});

test('delete: the order is gone from the API, its stock is free', async (t) => {
  const { client } = await shop(t);
  const order = await sell(client);
  await client.own('POST', `orders/${order.id}/delete`, {});
  assert.equal((await client.data('query($id: ID!) { order(id: $id) { id } }', { id: `gid://shopify/Order/${order.id}` })).order, null);
  assert.deepEqual(await client.level(0), { available: 10, on_hand: 10, committed: 0 });
});

// "Search filters … Quote times." (2.8); times have second precision (1.8).
test('orders: pages by updated_at are whole while orders change, equal seconds included', async (t) => {
  const { client, sandbox } = await shop(t, 1000);
  sandbox.clock.change({ hold_at: '2026-11-21T10:00:00Z' });
  const ids = [];
  for (let index = 0; index < 60; index += 1) {
    if (index % 20 === 0) sandbox.clock.change({ advance_ms: 1000 });
    ids.push((await sell(client, 1)).id);
  }
  const seen = [];
  let after = null;
  do {
    const { orders } = await client.data(
      `query($a: String) { orders(first: 7, after: $a, sortKey: UPDATED_AT, query: "updated_at:>='2026-11-21T10:00:02Z' AND updated_at:<'2026-11-21T10:01:00Z'") { nodes { legacyResourceId updatedAt } pageInfo { hasNextPage endCursor } } }`,
      { a: after },
    );
    seen.push(...orders.nodes.map(({ legacyResourceId }) => legacyResourceId));
    after = orders.pageInfo.hasNextPage ? orders.pageInfo.endCursor : null;
    if (seen.length === 7) await client.own('POST', `orders/${ids[0]}/touch`, {}); // moves into the window, behind the cursor
  } while (after);
  assert.deepEqual([...seen].sort(), [ids[0], ...ids.slice(20)].sort());
});

test('orders: the search index may lag, and read_orders reaches 60 days back', async (t) => {
  const { client, sandbox } = await shop(t, 10, { search_lag_ms: 60_000 });
  const order = await sell(client);
  const found = async (query) =>
    (await client.data('query($q: String) { orders(first: 5, query: $q, sortKey: UPDATED_AT) { nodes { id } } }', { q: query })).orders.nodes.length;
  assert.equal(await found("updated_at:>='2020-01-01T00:00:00Z'"), 0);
  sandbox.clock.change({ offset_ms: 120_000 });
  assert.equal(await found("updated_at:>='2020-01-01T00:00:00Z'"), 1);
  sandbox.clock.change({ offset_ms: 61 * 24 * 3600_000 });
  assert.equal(await found(undefined), 0);
  assert.equal((await client.data('query($id: ID!) { order(id: $id) { id } }', { id: `gid://shopify/Order/${order.id}` })).order, null);
  await client.own('POST', 'settings', { scopes: ['read_orders', 'read_all_orders'] });
  assert.equal(await found(undefined), 1);
});

test('orders: an imported webhook body is read back by GraphQL with its 64-bit ids', async (t) => {
  const { client, shop: eu } = await start(t, { scopes: ['read_orders', 'read_all_orders'] });
  for (const name of ['orders-create', 'orders-create.captured-1', 'orders-create.captured-2']) {
    const body = fromJson(fs.readFileSync(new URL(`${name}.json`, kFixtures), 'utf8'));
    const record = eu.orders.import(body, {});
    const { order } = await client.data(
      'query($id: ID!) { order(id: $id) { legacyResourceId name totalPriceSet { shopMoney { amount } } lineItems(first: 20) { nodes { id quantity taxLines { rate priceSet { shopMoney { amount } } } discountAllocations { discountApplication { index } } } } shippingLines(first: 5) { nodes { title } } } }',
      { id: `gid://shopify/Order/${record.id}` },
    );
    assert.equal(order.legacyResourceId, String(body.id));
    assert.equal(Number(order.totalPriceSet.shopMoney.amount), Number(body.total_price));
    assert.deepEqual(
      order.lineItems.nodes.map(({ id }) => id),
      body.line_items.map(({ id }) => `gid://shopify/LineItem/${id}`),
    );
  }
});

// "<= 25 a call, atomic; compareDigest: digest = must match, null = must not exist yet" (2.7)
test('metafields and tags: atomic, compared, and each change is an orders/updated', async (t) => {
  const { client } = await shop(t);
  const hub = await listener(t);
  const order = await sell(client);
  await client.own('POST', 'webhooks', { address: hub.url, topics: ['orders/updated'] });
  const id = `gid://shopify/Order/${order.id}`;
  const set = async (...m) =>
    (
      await client.data(
        'mutation($m: [MetafieldsSetInput!]!) { metafieldsSet(metafields: $m) { metafields { key compareDigest } userErrors { code field } } }',
        { m },
      )
    ).metafieldsSet;
  const field = (key, more = {}) => ({ ownerId: id, namespace: 'erp', key, type: 'single_line_text_field', value: 'SO-1', ...more });
  const made = await set(field('sales_order', { compareDigest: null }));
  assert.deepEqual(made.userErrors, []);
  assert.deepEqual(
    (await set(field('other'), field('sales_order', { compareDigest: null }))).userErrors.map(({ code }) => code),
    ['STALE_OBJECT'],
  );
  assert.equal(
    (await client.data('query($id: ID!) { order(id: $id) { metafield(namespace: "erp", key: "other") { value } } }', { id })).order.metafield,
    null,
  );
  assert.deepEqual((await set(field('sales_order', { value: 'SO-2', compareDigest: made.metafields[0].compareDigest }))).userErrors, []);
  assert.deepEqual(
    (await set(...Array.from({ length: 26 }, (ignored, index) => field(`key${index}`)))).userErrors.map(({ code }) => code),
    ['LESS_THAN_OR_EQUAL_TO'],
  );
  const tags = async (name, list) =>
    (
      await client.data(
        `mutation($id: ID!, $t: [String!]!) { ${name}(id: $id, tags: $t) { node { ... on Order { tags } } userErrors { message } } }`,
        { id, t: list },
      )
    )[name].node.tags;
  assert.deepEqual(await tags('tagsAdd', ['hold', 'b2b']), ['b2b', 'hold']);
  assert.deepEqual(await tags('tagsAdd', ['HOLD']), ['b2b', 'hold']);
  assert.deepEqual(await tags('tagsRemove', ['hold']), ['b2b']);
  await until(() => hub.of('orders/updated').length === 4, 'one for each change');
  assert.equal(hub.of('orders/updated').at(-1).body.tags, 'b2b');
});
