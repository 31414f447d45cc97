// Webhooks: signature, headers, repeats, losses, subscriptions.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import test from 'node:test';
import { listener, start, until } from './support.mjs';

async function subscribed(t, topics, more = {}) {
  const started = await start(t, { webhook_secret: 'shhh', ...more });
  started.seed({ count: 20, quantity: 100 });
  const hub = await listener(t);
  await started.client.own('POST', 'webhooks', { address: hub.url, topics });
  return { ...started, hub };
}
const change = (client, index, quantity) =>
  client.own('POST', 'levels', { sku: `SKU-${String(index + 1).padStart(7, '0')}`, location: 'Main', quantity });

// "base64(HMAC_SHA256(key = app client secret, message = raw body bytes))" (1.1)
test('webhooks: signed over the raw bytes, with the headers of Shopify', async (t) => {
  const { client, hub } = await subscribed(t, ['inventory_levels/update', 'orders/create', 'orders/paid']);
  await change(client, 0, 7);
  await until(() => hub.received.length === 1, 'the webhook');
  const { headers, raw, body } = hub.received[0];
  assert.equal(headers['x-shopify-hmac-sha256'], crypto.createHmac('sha256', 'shhh').update(raw).digest('base64'));
  assert.equal(headers['x-shopify-shop-domain'], 'eu.myshopify.com');
  assert.match(headers['x-shopify-triggered-at'], /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
  // "inventory_levels/update body: {inventory_item_id, location_id, available, updated_at, admin_graphql_api_id}" (1.6)
  assert.deepEqual(Object.keys(body), ['inventory_item_id', 'location_id', 'available', 'updated_at', 'admin_graphql_api_id']);
  assert.equal(body.available, 7);
  assert.match(body.updated_at, /[+-]\d\d:\d\d$/);
  // "X-Shopify-Event-Id shared by all deliveries caused by the same merchant action" (1.1)
  await client.own('POST', 'checkout', { lines: [{ sku: 'SKU-0000001', quantity: 1 }] });
  await until(() => hub.received.length === 4, 'order, payment and level');
  const [, ...sale] = hub.received;
  assert.equal(new Set(sale.map((entry) => entry.headers['x-shopify-event-id'])).size, 1);
  assert.equal(new Set(sale.map((entry) => entry.headers['x-shopify-webhook-id'])).size, 3);
});

// "Retries carry the original payload of the trigger time"; the same Webhook-Id (1.2, 1.3).
test('webhooks: what is not answered 2xx comes again, the same bytes and id', async (t) => {
  const { client, hub } = await subscribed(t, ['inventory_levels/update']);
  const answers = [503, 0, 302, 200];
  hub.answer = () => answers.shift() ?? 200;
  await change(client, 0, 7);
  await until(() => hub.received.length === 4, 'three retries');
  assert.equal(new Set(hub.received.map(({ raw, headers }) => `${raw} ${headers['x-shopify-webhook-id']}`)).size, 1);
  await until(async () => (await client.own('GET', 'webhooks?state=delivered')).length === 1, 'delivered');
});

// "After 8 consecutive failures a subscription made with the Admin API is deleted … App-specific subscriptions are not deleted." (1.2)
test('webhooks: eight failures delete a subscription of the API, not one of the app', async (t) => {
  const { client, hub, shop } = await subscribed(t, ['inventory_levels/update']);
  const create =
    'mutation($u: String!) { webhookSubscriptionCreate(topic: INVENTORY_LEVELS_UPDATE, webhookSubscription: {uri: $u}) { webhookSubscription { id uri } userErrors { field message } } }';
  assert.deepEqual((await client.data(create, { u: `${hub.url}/api` })).webhookSubscriptionCreate.userErrors, []);
  hub.answer = () => 500;
  await change(client, 0, 7);
  await until(() => shop.webhooks.pending === 0, 'given up');
  assert.equal((await client.data('{ webhookSubscriptions(first: 10) { nodes { id } } }')).webhookSubscriptions.nodes.length, 0);
  assert.equal(shop.webhooks.subscriptions.size, 1);
});

test('webhooks: the next ten are swallowed and stay swallowed, later ones arrive', async (t) => {
  const { client, hub, shop } = await subscribed(t, ['inventory_levels/update']);
  await client.control('POST', 'faults', { kind: 'webhook_drop', topic: 'inventory_levels/update', times: 10 });
  for (let index = 0; index < 12; index += 1) await change(client, index, 5);
  await until(() => hub.received.length === 2, 'two of twelve');
  assert.equal((await client.own('GET', 'webhooks?state=dropped')).length, 10);
  assert.deepEqual(shop.webhooks.counts['inventory_levels/update'], { triggered: 12, dropped: 10, delivered: 2 });
  assert.equal((await client.own('POST', 'webhooks/resend', { state: 'dropped' })).sent, 10);
  await until(() => hub.received.length === 12, 'sent again by hand');
});

// "At least once, unordered" (1.3)
test('webhooks: duplicates have one id, delays overtake each other, and the seed repeats it', async (t) => {
  const order = async () => {
    const { client, hub } = await subscribed(t, ['inventory_levels/update'], { seed: 7 });
    await client.control('POST', 'faults', [
      { kind: 'webhook_duplicate', times: 3, copies: 2 },
      { kind: 'webhook_delay', ms: 0, jitter_ms: 300, seed: 3 },
    ]);
    for (let index = 0; index < 10; index += 1) await change(client, index, 5);
    await until(() => hub.received.length === 16, 'ten and six copies');
    const items = hub.received.map(({ body }) => body.inventory_item_id);
    assert.notDeepEqual(items, [...items].sort());
    return hub.received.map(({ headers }) => headers['x-shopify-webhook-id']).sort();
  };
  const first = await order();
  assert.equal(new Set(first).size, 10);
  assert.deepEqual(await order(), first);
});

test('subscriptions: created, listed, changed, deleted; one address once a topic', async (t) => {
  const { client } = await start(t);
  const create = async (input, topic = 'ORDERS_UPDATED') =>
    (
      await client.data(
        'mutation($t: WebhookSubscriptionTopic!, $s: WebhookSubscriptionInput!) { webhookSubscriptionCreate(topic: $t, webhookSubscription: $s) { webhookSubscription { id topic uri includeFields name format apiVersion { handle } } userErrors { field message } } }',
        { t: topic, s: input },
      )
    ).webhookSubscriptionCreate;
  const uri = 'https://hub.example.com/shopify';
  const { webhookSubscription: made } = await create({ uri, name: 'orders-updated-eu', includeFields: ['id', 'updated_at'] });
  assert.deepEqual([made.topic, made.uri, made.format, made.apiVersion.handle], ['ORDERS_UPDATED', uri, 'JSON', '2026-10']);
  assert.match((await create({ uri })).userErrors[0].message, /already been taken/);
  assert.equal((await create({ uri: 'http://hub.example.com/x' })).userErrors.length, 1);
  assert.equal((await create({ uri, name: 'not allowed!' }, 'ORDERS_CREATE')).userErrors.length, 1);
  const update = await client.data(
    'mutation($id: ID!) { webhookSubscriptionUpdate(id: $id, webhookSubscription: {uri: "https://other.example.com/"}) { webhookSubscription { uri includeFields } userErrors { message } } }',
    { id: made.id },
  );
  assert.deepEqual(update.webhookSubscriptionUpdate.webhookSubscription, { uri: 'https://other.example.com/', includeFields: ['id', 'updated_at'] });
  const remove = async () =>
    (
      await client.data('mutation($id: ID!) { webhookSubscriptionDelete(id: $id) { deletedWebhookSubscriptionId userErrors { message } } }', {
        id: made.id,
      })
    ).webhookSubscriptionDelete;
  assert.equal((await remove()).deletedWebhookSubscriptionId, made.id);
  assert.equal((await remove()).userErrors.length, 1);
});

// "filter: search syntax over payload fields … unknown field -> subscription is created but nothing is ever delivered" (1.5)
test('subscriptions: includeFields and filter shape what is sent; an address of the outside leads to this machine', async (t) => {
  const { client, seed } = await start(t, { webhook_routes: {} });
  const hub = await listener(t);
  seed({ count: 3, quantity: 50 });
  await client.own('POST', 'settings', { webhook_routes: { 'https://hub.example.com/shopify': hub.url } });
  const create =
    'mutation($s: WebhookSubscriptionInput!) { webhookSubscriptionCreate(topic: INVENTORY_LEVELS_UPDATE, webhookSubscription: $s) { userErrors { message } } }';
  await client.data(create, {
    s: { uri: 'https://hub.example.com/shopify', filter: 'available:<10', includeFields: ['inventory_item_id', 'available'] },
  });
  await client.data(create, { s: { uri: 'https://hub.example.com/shopify', filter: 'nothing:1' } });
  await change(client, 0, 40);
  await change(client, 1, 4);
  await until(() => hub.received.length === 1, 'the one that passes');
  assert.deepEqual(Object.keys(hub.received[0].body), ['inventory_item_id', 'available']);
  assert.equal(hub.received[0].body.available, 4);
});

test('times: webhooks carry the offset of the shop, summer time included', async (t) => {
  const { client, hub, sandbox } = await subscribed(t, ['inventory_levels/update'], { timezone: 'Europe/Paris' });
  for (const [at, offset] of [
    ['2026-10-25T00:59:59Z', '+02:00'],
    ['2026-10-25T01:00:00Z', '+01:00'],
    ['2026-03-29T01:00:00Z', '+02:00'],
  ]) {
    sandbox.clock.change({ hold_at: at });
    const count = hub.received.length + 1;
    await change(client, 0, count);
    await until(() => hub.received.length === count, at);
    const { updated_at: text } = hub.received.at(-1).body;
    assert.equal(text.slice(-6), offset);
    assert.equal(Date.parse(text), Date.parse(at));
  }
});
