// Bulk queries: rules, lines, links, failures.
import assert from 'node:assert/strict';
import test from 'node:test';
import { listener, start, until } from './support.mjs';

const kLevels =
  '{ inventoryItems { edges { node { id sku inventoryLevels { edges { node { id location { id } quantities(names: ["available", "on_hand"]) { name quantity } } } } } } } }';
async function run(client, query) {
  const { bulkOperationRunQuery: done } = await client.data(
    'mutation($q: String!) { bulkOperationRunQuery(query: $q, groupObjects: false) { bulkOperation { id status } userErrors { code field message } } }',
    { q: query },
  );
  return done;
}
const poll = async (client, id) =>
  (
    await client.data(
      'query($id: ID!) { bulkOperation(id: $id) { status errorCode objectCount rootObjectCount fileSize url partialDataUrl completedAt } }',
      { id },
    )
  ).bulkOperation;
async function finished(client, id) {
  let last;
  await until(async () => ['COMPLETED', 'FAILED', 'CANCELED'].includes((last = await poll(client, id)).status), 'the end of the operation');
  return last;
}
const lines = async (url) =>
  (await (await fetch(url)).text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

// "Nested objects are separate lines with __parentId" (2.13)
test('bulk: one line a node, nested connections with their parent, and a finish webhook without URL', async (t) => {
  const { client, seed } = await start(t);
  const hub = await listener(t);
  await client.own('POST', 'webhooks', { address: hub.url, topics: ['bulk_operations/finish'] });
  seed({ count: 500, quantity: { mod: 9 } });
  const started = await run(client, kLevels);
  assert.deepEqual([started.userErrors, started.bulkOperation.status], [[], 'CREATED']);
  const operation = await finished(client, started.bulkOperation.id);
  assert.deepEqual([operation.status, operation.objectCount, operation.rootObjectCount, operation.errorCode], ['COMPLETED', '1500', '500', null]);
  const found = await lines(operation.url);
  assert.equal(found.length, 1500);
  assert.equal((await (await fetch(operation.url)).arrayBuffer()).byteLength, Number(operation.fileSize));
  const [parent, first, second] = found;
  assert.deepEqual(Object.keys(parent), ['id', 'sku']);
  assert.deepEqual([first.__parentId, second.__parentId], [parent.id, parent.id]);
  assert.deepEqual(found[3 * 8 + 1].quantities, [
    { name: 'available', quantity: 8 },
    { name: 'on_hand', quantity: 8 },
  ]);
  await until(() => hub.received.length === 1, 'the webhook');
  const { admin_graphql_api_id: id, ...rest } = hub.received[0].body;
  assert.equal(id, started.bulkOperation.id);
  assert.deepEqual(Object.keys(rest), ['completed_at', 'created_at', 'error_code', 'status', 'type']);
  assert.deepEqual([rest.status, rest.type], ['completed', 'query']);
});

test('bulk: orders with their lines, filtered', async (t) => {
  const { client, seed } = await start(t);
  seed({ count: 2, quantity: 100 });
  for (let index = 0; index < 3; index += 1)
    await client.own('POST', 'checkout', {
      lines: [
        { sku: 'SKU-0000001', quantity: 1 },
        { sku: 'SKU-0000002', quantity: 2 },
      ],
    });
  const query =
    '{ orders(query: "updated_at:>=\'2026-01-01T00:00:00Z\'") { edges { node { id name lineItems { edges { node { id sku quantity } } } } } } }';
  const operation = await finished(client, (await run(client, query)).bulkOperation.id);
  assert.deepEqual((await lines(operation.url)).map(({ name, sku }) => name ?? sku).slice(0, 4), ['#1001', 'SKU-0000001', 'SKU-0000002', '#1002']);
});

// "one top-level connection, <= 5 connections, <= 2 levels deep, nested connection nodes need id, no top-level node/nodes" (2.13)
test('bulk: what breaks the rules is INVALID and starts nothing', async (t) => {
  const { client, shop } = await start(t);
  for (const query of [
    '{ shop { name } }',
    '{ node(id: "gid://shopify/Order/1") { id } }',
    '{ orders { edges { node { id } } } products { edges { node { id } } } }',
    '{ inventoryItems { edges { node { sku inventoryLevels { edges { node { id } } } } } } }',
    '{ inventoryItems { edges { node { id inventoryLevels { edges { node { updatedAt } } } } } } }',
    '{ products { edges { node { id variants { edges { node { id inventoryItem { id inventoryLevels { edges { node { id location { inventoryLevels { edges { node { id } } } } } } } } } } } } } } }',
    '{ orders { nonsense } }',
    'mutation { tagsAdd(id: "x", tags: []) { node { id } } }',
    '{',
  ])
    assert.deepEqual(
      (await run(client, query)).userErrors.map(({ code }) => code),
      ['INVALID'],
      query,
    );
  assert.equal(shop.bulk.operations.size, 0);
});

// "from 2026-01 5 concurrent queries per app and shop"
test('bulk: five at a time, the sixth is LIMIT_REACHED; one can be cancelled', async (t) => {
  const { client, seed } = await start(t);
  seed({ count: 1 });
  await client.control('POST', 'faults', { kind: 'bulk_slow', ms: 60_000 });
  const started = [];
  for (let index = 0; index < 5; index += 1) started.push((await run(client, kLevels)).bulkOperation.id);
  assert.deepEqual(
    (await run(client, kLevels)).userErrors.map(({ code }) => code),
    ['LIMIT_REACHED'],
  );
  const { bulkOperationCancel: cancelled } = await client.data(
    'mutation($id: ID!) { bulkOperationCancel(id: $id) { bulkOperation { status } userErrors { message } } }',
    { id: started[0] },
  );
  assert.equal(cancelled.bulkOperation.status, 'CANCELED');
  assert.equal((await run(client, kLevels)).userErrors.length, 0);
});

test('bulk: a failure has its code and what was written so far; a cut result breaks off', async (t) => {
  const { client, seed } = await start(t);
  seed({ count: 1000, quantity: 1 });
  await client.control('POST', 'faults', { kind: 'bulk_fail', after_roots: 10, times: 1 });
  const failed = await finished(client, (await run(client, kLevels)).bulkOperation.id);
  assert.deepEqual([failed.status, failed.errorCode, failed.url], ['FAILED', 'INTERNAL_SERVER_ERROR', null]);
  assert.equal((await lines(failed.partialDataUrl)).length, 30);
  await client.control('POST', 'faults', { kind: 'bulk_cut', times: 1 });
  const cut = await finished(client, (await run(client, kLevels)).bulkOperation.id);
  assert.equal(cut.status, 'COMPLETED');
  await assert.rejects(async () => (await fetch(cut.url)).text());
});

test('bulk: nothing found has no file, and a link ends after seven days', async (t) => {
  const { client, seed, sandbox } = await start(t);
  const empty = await finished(client, (await run(client, kLevels)).bulkOperation.id);
  assert.deepEqual([empty.status, empty.objectCount, empty.url], ['COMPLETED', '0', null]);
  seed({ count: 1 });
  const { url } = await finished(client, (await run(client, kLevels)).bulkOperation.id);
  sandbox.clock.change({ offset_ms: 8 * 24 * 3600_000 });
  assert.equal((await fetch(url)).status, 404);
});

test('bulk: the levels of locations, those that changed since a time alone', async (t) => {
  const { client, seed } = await start(t);
  seed({ count: 20, quantity: 3 });
  const query = (since) =>
    `{ locations { edges { node { id inventoryLevels(query: "updated_at:>='${since}'") { edges { node { id item { sku } quantities(names: ["available"]) { quantity } } } } } } } }`;
  const all = await finished(client, (await run(client, query('2020-01-01T00:00:00Z'))).bulkOperation.id);
  const none = await finished(client, (await run(client, query('2200-01-01T00:00:00Z'))).bulkOperation.id);
  const locations = (await lines(none.url)).length;
  assert.ok(locations > 0);
  assert.equal(Number(none.objectCount), locations);
  assert.equal(Number(all.objectCount), locations + 20 * locations);
});
