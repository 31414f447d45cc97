// Large shops: a hundred thousand pairs are made, written and read in seconds, and a page costs the same whatever lies behind it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { item, kLocation, start } from './support.mjs';

test('scale: 100,000 pairs are seeded in under a second and read page by page without a scan', async (t) => {
  const { client, seed, shop } = await start(t);
  const begun = performance.now();
  assert.deepEqual(seed({ count: 100_000, quantity: { mod: 50 }, locations: ['Main'] }), { first_item: 0, items: 100_000, total: 100_000 });
  const seeded = performance.now() - begun;
  assert.ok(seeded < 1000, `${seeded} ms`);
  assert.deepEqual(await client.level(99_999), { available: 49, on_hand: 49, committed: 0 });
  assert.equal(shop.webhooks.counts['inventory_levels/update'], undefined);
  const read = performance.now();
  const data = await client.data('{ inventoryItems(first: 2, query: "sku:SKU-0099999 OR sku:SKU-0100000") { nodes { sku } } }');
  assert.equal(data.inventoryItems.nodes.length, 2);
  assert.ok(performance.now() - read < 200);
});

test('scale: 20,000 pairs are written in batches of 250, each pair once, for 10 points a batch', async (t) => {
  const { client, seed, shop } = await start(t);
  seed({ count: 20_000, quantity: 5, locations: ['Main'] });
  const begun = performance.now();
  const query =
    'mutation($i: InventorySetQuantitiesInput!, $k: String!) { inventorySetQuantities(input: $i) @idempotent(key: $k) { userErrors { code } } }';
  for (let first = 0; first < 20_000; first += 250) {
    const quantities = Array.from({ length: 250 }, (ignored, index) => ({
      inventoryItemId: item(first + index),
      locationId: kLocation,
      quantity: 9,
      changeFromQuantity: 5,
    }));
    const { inventorySetQuantities: done } = await client.data(query, {
      k: String(first),
      i: { name: 'available', reason: 'correction', quantities },
    });
    assert.deepEqual(done.userErrors, []);
  }
  assert.equal((await client.own('GET', 'summary')).pairs_written, 20_000);
  assert.equal(shop.budget.spent, 800);
  assert.ok(performance.now() - begun < 10_000);
});

test('scale: a bulk query over 50,000 items with their levels leaves the door open', async (t) => {
  const { client, seed } = await start(t);
  seed({ count: 50_000, quantity: 5 });
  const query =
    '{ inventoryItems { edges { node { id sku inventoryLevels { edges { node { id location { id } quantities(names: ["available", "on_hand"]) { name quantity } } } } } } } }';
  const { bulkOperationRunQuery: started } = await client.data(
    'mutation($q: String!) { bulkOperationRunQuery(query: $q) { bulkOperation { id } } }',
    { q: query },
  );
  const begun = performance.now();
  let slowest = 0;
  let operation;
  do {
    const asked = performance.now();
    operation = (await client.data('query($id: ID!) { bulkOperation(id: $id) { status objectCount } }', { id: started.bulkOperation.id }))
      .bulkOperation;
    slowest = Math.max(slowest, performance.now() - asked);
  } while (operation.status !== 'COMPLETED');
  assert.equal(operation.objectCount, '150000');
  const took = performance.now() - begun;
  assert.ok(slowest < took / 3, `a call waited ${slowest} ms of the ${took} ms the query took`);
});
