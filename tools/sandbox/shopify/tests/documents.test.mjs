// Every GraphQL document of libs/shopify is played here: with good variables it has no error and stays below 1,000 points.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { item, kLocation, listener, start } from './support.mjs';

const kFolder = new URL('../../../../libs/shopify/graphql/', import.meta.url);
const files = fs.existsSync(kFolder) ? fs.readdirSync(kFolder).filter((name) => name.endsWith('.graphql')) : [];

function documentOf(name) {
  const text = fs.readFileSync(new URL(name, kFolder), 'utf8');
  const imports = (/^# import: (.+)$/m.exec(text)?.[1] ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean);
  return [text, ...imports.map((part) => fs.readFileSync(new URL(`fragments/${part}.graphql`, kFolder), 'utf8'))].join('\n');
}

// What an order with everything an order may have needs: two lines, shipping, discount, tax, refund, shipment.
async function full(t) {
  const { client, seed, shop } = await start(t);
  seed({ count: 5, quantity: 100 });
  const hub = await listener(t);
  const order = await client.own('POST', 'checkout', {
    lines: [
      { sku: 'SKU-0000001', quantity: 3, price: '19.99', discount: '2.00', tax_rate: 0.2, properties: [{ name: 'engraving', value: 'x' }] },
      { sku: 'SKU-0000002', quantity: 1 },
    ],
    shipping: { title: 'Express', price: '4.90', tax_rate: 0.2 },
    discount_codes: ['SUMMER'],
    company: { id: 11, location_id: 12, name: 'Acme', contact: { id: 13 } },
    tags: 'vip, b2b',
  });
  const { body } = await client.own('GET', `orders/${order.id}`);
  shop.orders.get(order.id).body.payment_terms = {
    id: 900,
    payment_terms_name: 'Net 30',
    due_in_days: 30,
    payment_schedules: [{ id: 901, amount: body.total_price, currency: 'EUR', due_at: body.created_at }],
  };
  shop.orders.get(order.id).body.returns = [
    { id: 902, name: '#1001-R1', status: 'open', exchange_line_items: [{ id: 903, line_item_id: body.line_items[0].id }] },
  ];
  await client.own('POST', `orders/${order.id}/fulfil`, {
    lines: [{ line_item_id: order.lines[0].id, quantity: 2 }],
    tracking: { number: 'JD01', company: 'DHL' },
  });
  const { refund } = await client.own('POST', `orders/${order.id}/refund`, {
    shipping: '4.90',
    lines: [{ line_item_id: order.lines[0].id, quantity: 1, restock_type: 'return' }],
  });
  const { fulfillments } = (await client.own('GET', `orders/${order.id}`)).body;
  const { webhookSubscriptionCreate: made } = await client.data(
    'mutation($u: String!) { webhookSubscriptionCreate(topic: ORDERS_CREATE, webhookSubscription: {uri: $u}) { webhookSubscription { id } } }',
    { u: hub.url },
  );
  const { bulkOperationRunQuery: bulk } = await client.data(
    'mutation { bulkOperationRunQuery(query: "{ inventoryItems { edges { node { id sku } } } }") { bulkOperation { id } } }',
  );
  const id = `gid://shopify/Order/${order.id}`;
  return {
    client,
    ids: {
      order: id,
      refund: `gid://shopify/Refund/${refund}`,
      fulfillment: `gid://shopify/Fulfillment/${fulfillments[0].id}`,
      fulfillmentOrder: `gid://shopify/FulfillmentOrder/${order.fulfillment_orders[0].id}`,
      subscription: made.webhookSubscription.id,
      bulk: bulk.bulkOperation.id,
    },
  };
}

function variablesOf(name, { order, refund, fulfillment, fulfillmentOrder, subscription, bulk }) {
  const id = /^Refund|^OrderRefunds/.test(name)
    ? refund
    : /^FulfillmentOrderLine/.test(name)
      ? fulfillmentOrder
      : /^Fulfillment|^OrderFulfillments\./.test(name)
        ? fulfillment
        : /^PaymentTerms/.test(name)
          ? 'gid://shopify/PaymentTerms/900'
          : /^Return/.test(name)
            ? 'gid://shopify/Return/902'
            : /^InventoryItem/.test(name)
              ? item(0)
              : /BulkOperation/.test(name)
                ? bulk
                : /WebhookSubscription/.test(name)
                  ? subscription
                  : order;
  return {
    id,
    order,
    item: item(1),
    items: [item(0), item(1)],
    location: kLocation,
    name: 'on_hand',
    key: `key-${name}`,
    query: name.startsWith('Orders')
      ? "updated_at:>='2026-01-01T00:00:00Z'"
      : name.startsWith('RunBulk')
        ? '{ orders { edges { node { id } } } }'
        : "sku:'SKU-0000001'",
    tags: ['hold'],
    topic: 'ORDERS_UPDATED',
    subscription: { uri: 'https://hub.example.com/' },
    metafields: [{ ownerId: order, namespace: 'erp', key: 'sales_order', type: 'single_line_text_field', value: 'SO-1' }],
    input: {
      name: 'available',
      reason: 'correction',
      quantities: [{ inventoryItemId: item(0), locationId: kLocation, quantity: 5, changeFromQuantity: null }],
    },
  };
}

test('documents: libs/shopify has documents', () => assert.ok(files.length > 10, `${files.length} found`));
// Deleting comes last: the others need what it deletes.
for (const name of files)
  test(`documents: ${name} is answered without errors and within 1,000 points`, async (t) => {
    const { client, ids } = await full(t);
    const text = documentOf(name);
    const declared = new Set([...(/\(([^)]*)\)\s*\{/s.exec(text)?.[1] ?? '').matchAll(/\$(\w+)/g)].map(([, variable]) => variable));
    const variables = Object.fromEntries(Object.entries(variablesOf(name, ids)).filter(([variable]) => declared.has(variable)));
    const { body } = await client.post(text, variables);
    assert.equal(body.errors, undefined, JSON.stringify(body.errors));
    assert.ok(body.extensions.cost.requestedQueryCost <= 1000);
    assert.ok(
      Object.values(body.data).every((value) => value !== null),
      JSON.stringify(body.data),
    );
  });
