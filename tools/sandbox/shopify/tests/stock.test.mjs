// Stock: states, compare-and-set, idempotency, all or nothing.
import assert from 'node:assert/strict';
import test from 'node:test';
import { item, kLocation, kSecondLocation, start } from './support.mjs';

const entry = (index, quantity, changeFromQuantity = null, locationId = kLocation) => ({
  inventoryItemId: item(index),
  locationId,
  quantity,
  changeFromQuantity,
});
const codes = ({ userErrors }) => userErrors.map(({ code }) => code);

test('stock: on_hand is available + committed + reserved + damaged + safety_stock + quality_control, incoming stands outside', async (t) => {
  const { client, seed } = await start(t);
  seed({
    items: [
      { sku: 'A', quantities: { Main: { available: 5, committed: 3, reserved: 2, damaged: 1, safety_stock: 4, quality_control: 6, incoming: 100 } } },
    ],
  });
  assert.deepEqual(await client.level(0), { available: 5, on_hand: 21, committed: 3 });
});

test('stock: setting on_hand leaves committed and moves available by the difference', async (t) => {
  const { client, seed } = await start(t);
  seed({ items: [{ sku: 'A', quantities: { Main: { available: 5, committed: 3 } } }] });
  const done = await client.set([entry(0, 20, 8)], { name: 'on_hand' });
  assert.deepEqual(done.userErrors, []);
  assert.deepEqual(done.inventoryAdjustmentGroup.changes, [
    { name: 'available', delta: 12, quantityAfterChange: 17 },
    { name: 'on_hand', delta: 12, quantityAfterChange: 20 },
  ]);
  assert.deepEqual(await client.level(0), { available: 17, on_hand: 20, committed: 3 });
});

test('stock: on_hand below committed makes available negative: Shopify subtracts its own orders at once', async (t) => {
  const { client, seed } = await start(t);
  seed({ items: [{ sku: 'A', quantities: { Main: { available: 5, committed: 3 } } }] });
  await client.set([entry(0, 1, 8)], { name: 'on_hand' });
  assert.deepEqual(await client.level(0), { available: -2, on_hand: 1, committed: 3 });
});

// "changeFromQuantity: expected present value; mismatch -> CHANGE_FROM_QUANTITY_STALE" (2.5)
test('compare-and-set: a stale compare changes nothing of the whole batch', async (t) => {
  const { client, seed } = await start(t);
  seed({ count: 3, quantity: 10 });
  const done = await client.set([entry(0, 1, 10), entry(1, 1, 9), entry(2, 1, 10)]);
  assert.deepEqual(done.userErrors, [
    { code: 'CHANGE_FROM_QUANTITY_STALE', field: ['input', 'quantities', '1', 'changeFromQuantity'], message: done.userErrors[0].message },
  ]);
  assert.equal(done.inventoryAdjustmentGroup, null);
  for (const index of [0, 1, 2]) assert.equal((await client.level(index)).available, 10);
});

test('compare-and-set: on_hand is compared with on_hand, available with available', async (t) => {
  const { client, seed } = await start(t);
  seed({ items: [{ sku: 'A', quantities: { Main: { available: 5, committed: 3 } } }] });
  assert.deepEqual(codes(await client.set([entry(0, 9, 5)], { name: 'on_hand' })), ['CHANGE_FROM_QUANTITY_STALE']);
  assert.deepEqual(codes(await client.set([entry(0, 9, 8)], { name: 'available' })), ['CHANGE_FROM_QUANTITY_STALE']);
});

test('compare-and-set: a sale between read and write is seen', async (t) => {
  const { client, seed } = await start(t);
  seed({ count: 1, quantity: 10 });
  await client.own('POST', 'checkout', { lines: [{ sku: 'SKU-0000001', quantity: 1 }] });
  assert.deepEqual(codes(await client.set([entry(0, 12, 10)])), ['CHANGE_FROM_QUANTITY_STALE']);
  assert.equal((await client.level(0)).available, 9);
});

test('a pair that spoils its batch and is not named', async (t) => {
  const { client, seed } = await start(t);
  seed({ count: 2, quantity: 10 });
  await client.control('POST', 'faults', { kind: 'unnamed_pair', sku: 'SKU-0000002' });
  const errors = await client.set([entry(0, 12, 10), entry(1, 12, 10)]);
  assert.deepEqual(codes(errors), ['INVALID_LOCATION']);
  assert.equal((await client.level(0)).available, 10);
  await client.set([entry(0, 12, 10)]);
  assert.equal((await client.level(0)).available, 12);
});

// "From 2026-04 the member must be present: integer = check, null = no check, missing = error." (2.5)
test('compare-and-set: without the member the call fails as a whole, null checks nothing', async (t) => {
  const { client, seed } = await start(t);
  seed({ count: 1, quantity: 10 });
  await assert.rejects(client.set([{ inventoryItemId: item(0), locationId: kLocation, quantity: 3 }]), /INVALID_FIELD_ARGUMENTS/);
  assert.equal((await client.level(0)).available, 10);
  assert.deepEqual(codes(await client.set([entry(0, 3, null)])), []);
  assert.equal((await client.own('GET', 'summary')).writes_without_compare, 1);
});

test('compare-and-set: 2026-01 has compareQuantity and ignoreCompareQuantity, and needs no key', async (t) => {
  const { client, seed } = await start(t);
  seed({ count: 1, quantity: 10 });
  const query = 'mutation($i: InventorySetQuantitiesInput!) { inventorySetQuantities(input: $i) { userErrors { code } } }';
  const set = async (input) =>
    codes((await client.data(query, { i: { name: 'available', reason: 'correction', ...input } }, { version: '2026-01' })).inventorySetQuantities);
  const place = { inventoryItemId: item(0), locationId: kLocation };
  assert.deepEqual(await set({ quantities: [{ ...place, quantity: 4 }] }), ['COMPARE_QUANTITY_REQUIRED']);
  assert.deepEqual(await set({ quantities: [{ ...place, quantity: 4, compareQuantity: 9 }] }), ['COMPARE_QUANTITY_STALE']);
  assert.deepEqual(await set({ quantities: [{ ...place, quantity: 4, compareQuantity: 10 }] }), []);
  assert.deepEqual(await set({ ignoreCompareQuantity: true, quantities: [{ ...place, quantity: 5 }] }), []);
});

// "each (item, location) once (NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR), quantity within ±1,000,000,000" and the codes of 2.6.
test('set: every code of a bad entry is named at its place, and nothing is done', async (t) => {
  const { client, seed } = await start(t);
  seed({ count: 6, quantity: 10, locations: ['Main'] });
  seed({ items: [{ sku: 'bundle', bundle: true, quantities: { Main: 0 } }] });
  const done = await client.set([
    entry(0, -1, 10),
    entry(1, 1_000_000_001, 10),
    entry(2, -1_000_000_001, 10),
    { ...entry(3, 1, 10), inventoryItemId: 'gid://shopify/InventoryItem/1' },
    { ...entry(4, 1, 10), locationId: 'gid://shopify/Location/1' },
    entry(5, 1, 10),
    entry(5, 2, 10),
    entry(6, 1, 0),
    entry(0, 1, 0, kSecondLocation),
  ]);
  assert.deepEqual(
    done.userErrors.map(({ code, field }) => [code, field[2]]),
    [
      ['INVALID_QUANTITY_NEGATIVE', '0'],
      ['INVALID_QUANTITY_TOO_HIGH', '1'],
      ['INVALID_QUANTITY_TOO_LOW', '2'],
      ['INVALID_INVENTORY_ITEM', '3'],
      ['INVALID_LOCATION', '4'],
      ['NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR', '6'],
      ['NON_MUTABLE_INVENTORY_ITEM', '7'],
      ['INVALID_LOCATION', '8'],
    ],
  );
  assert.equal((await client.level(5)).available, 10);
  assert.deepEqual(codes(await client.set([entry(0, 1, 10)], { name: 'committed' })), ['INVALID_NAME']);
  assert.deepEqual(codes(await client.set([entry(0, 1, 10)], { reason: 'because' })), ['INVALID_REASON']);
  assert.deepEqual(codes(await client.set([entry(0, 1, 10)], { uri: 'gid://syncline/Sync' })), ['INVALID_REFERENCE_DOCUMENT']);
});

// "Input arrays: max 250 items for all APIs" (2.3)
test('set: 250 pairs go, 251 do not', async (t) => {
  const { client, seed } = await start(t);
  seed({ count: 251, quantity: 10 });
  const pairs = (count) => Array.from({ length: count }, (ignored, index) => entry(index, 7, 10));
  await assert.rejects(client.set(pairs(251)), /MAX_INPUT_SIZE_EXCEEDED/);
  assert.equal((await client.level(250)).available, 10);
  assert.deepEqual(codes(await client.set(pairs(250))), []);
  assert.equal((await client.level(249)).available, 7);
});

test('set: what does not change keeps its updatedAt and sends no webhook', async (t) => {
  const { client, seed, shop } = await start(t);
  seed({ count: 1, quantity: 10 });
  assert.equal((await client.set([entry(0, 10, 10)])).inventoryAdjustmentGroup, null);
  assert.equal(shop.webhooks.counts['inventory_levels/update'], undefined);
});

// "@idempotent … Required at runtime from 2026-04 (the schema does not show it)" (2.5)
test('idempotency: without a key the call is refused from 2026-04 on, a blank one too', async (t) => {
  const { client, seed } = await start(t);
  seed({ count: 1, quantity: 10 });
  const query = (directive) =>
    `mutation($i: InventorySetQuantitiesInput!) { inventorySetQuantities(input: $i) ${directive} { userErrors { code } } }`;
  const variables = { i: { name: 'available', reason: 'correction', quantities: [entry(0, 1, 10)] } };
  for (const directive of ['', '@idempotent(key: " ")']) {
    const { status, body } = await client.post(query(directive), variables);
    assert.equal(status, 200);
    assert.equal(body.errors[0].extensions.code, 'BAD_REQUEST');
  }
  assert.equal((await client.level(0)).available, 10);
});

// "Same key + same variables -> the first result again." (2.5)
test('idempotency: the same key with the same variables gives the first result and changes nothing again', async (t) => {
  const { client, seed } = await start(t);
  seed({ count: 1, quantity: 10 });
  const first = await client.set([entry(0, 7, 10)], { key: 'k' });
  await client.own('POST', 'checkout', { lines: [{ sku: 'SKU-0000001', quantity: 2 }] });
  const second = await client.set([entry(0, 7, 10)], { key: 'k' });
  assert.deepEqual(second, first);
  assert.equal((await client.level(0)).available, 5);
});

test('idempotency: a refusal is the first result too: its key never writes', async (t) => {
  const { client, seed } = await start(t);
  seed({ count: 1, quantity: 10 });
  assert.deepEqual(codes(await client.set([entry(0, 7, 9)], { key: 'k' })), ['CHANGE_FROM_QUANTITY_STALE']);
  await client.own('POST', 'levels', { sku: 'SKU-0000001', location: 'Main', quantity: 9 });
  assert.deepEqual(codes(await client.set([entry(0, 7, 9)], { key: 'k' })), ['CHANGE_FROM_QUANTITY_STALE']);
  assert.deepEqual(codes(await client.set([entry(0, 7, 9)], { key: 'k2' })), []);
});

test('idempotency: 5 → 3 → 5 arrives with new keys; the old key with other variables is PARAMETER_MISMATCH', async (t) => {
  const { client, seed } = await start(t);
  seed({ count: 1, quantity: 5 });
  await client.set([entry(0, 3, 5)], { key: 'a' });
  assert.deepEqual(codes(await client.set([entry(0, 5, 3)], { key: 'a' })), ['IDEMPOTENCY_KEY_PARAMETER_MISMATCH']);
  assert.equal((await client.level(0)).available, 3);
  await client.set([entry(0, 5, 3)], { key: 'b' });
  assert.equal((await client.level(0)).available, 5);
  assert.deepEqual((await client.own('GET', 'summary')).idempotency, { first: 2, replayed: 0, concurrent: 0, mismatch: 1, previous_failed: 0 });
});

test('idempotency: while the first runs the same key is CONCURRENT_REQUEST, then its result', async (t) => {
  const { client, seed } = await start(t);
  seed({ count: 1, quantity: 10 });
  await client.control('POST', 'faults', { kind: 'commit_late', ms: 150, times: 1 });
  const first = client.set([entry(0, 7, 10)], { key: 'k' });
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(codes(await client.set([entry(0, 7, 10)], { key: 'k' })), ['IDEMPOTENCY_CONCURRENT_REQUEST']);
  assert.deepEqual(codes(await first), []);
  assert.deepEqual(codes(await client.set([entry(0, 7, 10)], { key: 'k' })), []);
});

// "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED (use a new key)" (2.5)
test('idempotency: after an internal error the key is burnt', async (t) => {
  const { client, seed } = await start(t);
  seed({ count: 1, quantity: 10 });
  await client.control('POST', 'faults', { kind: 'internal_error', times: 1 });
  await assert.rejects(client.set([entry(0, 7, 10)], { key: 'k' }), /INTERNAL_SERVER_ERROR/);
  assert.deepEqual(codes(await client.set([entry(0, 7, 10)], { key: 'k' })), ['IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED']);
  assert.deepEqual(codes(await client.set([entry(0, 7, 10)], { key: 'k2' })), []);
});

test('idempotency: keys are remembered for 24 hours', async (t) => {
  const { client, seed, sandbox } = await start(t);
  seed({ count: 1, quantity: 10 });
  sandbox.clock.change({ hold_at: '2026-11-21T10:00:00Z' });
  await client.set([entry(0, 7, 10)], { key: 'k' });
  sandbox.clock.change({ advance_ms: 23 * 3600_000 });
  assert.deepEqual(codes(await client.set([entry(0, 6, 7)], { key: 'k' })), ['IDEMPOTENCY_KEY_PARAMETER_MISMATCH']);
  sandbox.clock.change({ advance_ms: 2 * 3600_000 });
  assert.deepEqual(codes(await client.set([entry(0, 6, 7)], { key: 'k' })), []);
});

// "ledgerDocumentUri per change: required for every quantity name except available, must not be gid://shopify/*"; "committed cannot be written" (2.6)
test('adjust: deltas, with their rules of documents and names', async (t) => {
  const { client, seed } = await start(t);
  seed({ count: 1, quantity: 10 });
  const query =
    'mutation($i: InventoryAdjustQuantitiesInput!, $k: String!) { inventoryAdjustQuantities(input: $i) @idempotent(key: $k) { inventoryAdjustmentGroup { changes { name delta quantityAfterChange } } userErrors { code } } }';
  let key = 0;
  const adjust = async (name, change) => {
    key += 1;
    const input = { name, reason: 'received', changes: [{ inventoryItemId: item(0), locationId: kLocation, changeFromQuantity: null, ...change }] };
    return (await client.data(query, { i: input, k: String(key) })).inventoryAdjustQuantities;
  };
  assert.deepEqual((await adjust('available', { delta: 7 })).inventoryAdjustmentGroup.changes[0], {
    name: 'available',
    delta: 7,
    quantityAfterChange: 17,
  });
  assert.deepEqual(codes(await adjust('available', { delta: 1, changeFromQuantity: 10 })), ['CHANGE_FROM_QUANTITY_STALE']);
  assert.deepEqual(codes(await adjust('committed', { delta: 1, ledgerDocumentUri: 'gid://wms/Doc/1' })), ['INVALID_QUANTITY_NAME']);
  assert.deepEqual(codes(await adjust('reserved', { delta: 1 })), ['INVALID_QUANTITY_DOCUMENT']);
  assert.deepEqual(codes(await adjust('reserved', { delta: 1, ledgerDocumentUri: 'gid://shopify/Order/1' })), ['INTERNAL_LEDGER_DOCUMENT']);
  assert.deepEqual(codes(await adjust('reserved', { delta: 4, ledgerDocumentUri: 'gid://wms/Doc/1' })), []);
  assert.deepEqual(await client.level(0), { available: 17, on_hand: 21, committed: 0 });
});

test('move: between states at one location on_hand stays', async (t) => {
  const { client, seed } = await start(t);
  seed({ count: 1, quantity: 10 });
  const query = 'mutation($i: InventoryMoveQuantitiesInput!) { inventoryMoveQuantities(input: $i) @idempotent(key: "m") { userErrors { code } } }';
  const terminal = (name) => ({
    locationId: kLocation,
    name,
    changeFromQuantity: null,
    ledgerDocumentUri: name === 'available' ? null : 'gid://wms/Doc/1',
  });
  await client.data(query, {
    i: {
      reason: 'damaged',
      referenceDocumentUri: 'gid://wms/Doc/1',
      changes: [{ inventoryItemId: item(0), quantity: 4, from: terminal('available'), to: terminal('damaged') }],
    },
  });
  assert.deepEqual(await client.level(0), { available: 6, on_hand: 10, committed: 0 });
});

// "An item not stocked at the location must be activated first" (2.6); inventoryActivate has a plain UserError without code (2.4).
test('activate: stocks an item at a location; again with a quantity is refused', async (t) => {
  const { client, seed } = await start(t);
  seed({ count: 1, quantity: 10, locations: ['Main'] });
  const query =
    'mutation($k: String!, $n: Int) { inventoryActivate(inventoryItemId: "' +
    item(0) +
    '", locationId: "' +
    kSecondLocation +
    '", available: $n) @idempotent(key: $k) { inventoryLevel { isActive } userErrors { field message } } }';
  assert.deepEqual(codes(await client.set([entry(0, 1, null, kSecondLocation)])), ['INVALID_LOCATION']);
  assert.equal((await client.data(query, { k: '1', n: 4 })).inventoryActivate.inventoryLevel.isActive, true);
  assert.equal((await client.level(0, kSecondLocation)).available, 4);
  assert.equal((await client.data(query, { k: '2', n: 9 })).inventoryActivate.userErrors.length, 1);
  assert.equal((await client.level(0, kSecondLocation)).available, 4);
});

// "SKU is case-sensitive in the field, not unique (duplicateSkuCount); search can return near matches -> compare exactly" (2.6)
test('items: a search by SKU also finds other spellings, and doubles', async (t) => {
  const { client, seed } = await start(t);
  seed({ items: [{ sku: 'abc-1' }, { sku: 'ABC-1' }, { sku: 'ABC-1' }, { sku: null }, { sku: "o'x" }] });
  const found = async (query) =>
    (await client.data('query($q: String!) { inventoryItems(first: 10, query: $q) { nodes { sku duplicateSkuCount } } }', { q: query }))
      .inventoryItems.nodes;
  assert.deepEqual(await found("sku:'ABC-1' OR sku:'nope'"), [
    { sku: 'abc-1', duplicateSkuCount: 0 },
    { sku: 'ABC-1', duplicateSkuCount: 1 },
    { sku: 'ABC-1', duplicateSkuCount: 1 },
  ]);
  assert.equal((await found("sku:'o\\'x'")).length, 1);
});

test('items: pages of all items are whole and without doubles; beyond 25,000 there is no page', async (t) => {
  const { client, seed, shop } = await start(t);
  seed({ count: 600 });
  const seen = [];
  let after = null;
  do {
    const { inventoryItems: page } = await client.data(
      'query($a: String) { inventoryItems(first: 250, after: $a) { nodes { sku } pageInfo { hasNextPage endCursor } } }',
      { a: after },
    );
    seen.push(...page.nodes.map(({ sku }) => sku));
    after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
  } while (after);
  assert.equal(new Set(seen).size, 600);
  assert.equal(seen.length, 600);
  const cursor = Buffer.from(JSON.stringify([25_100, 500])).toString('base64url');
  const { body } = await client.post('query($a: String) { inventoryItems(first: 250, after: $a) { nodes { sku } } }', { a: cursor });
  assert.match(body.errors[0].message, /25000/);
  assert.equal(shop.stock.count, 600);
});

test('items: a connection without first, and first beyond 250, are errors', async (t) => {
  const { client } = await start(t);
  for (const args of ['', '(first: 251)']) assert.ok((await client.post(`{ inventoryItems${args} { nodes { id } } }`)).body.errors);
});

test('locations: inactive ones are listed on demand, and take no stock', async (t) => {
  const { client, seed } = await start(t);
  seed({ count: 1, quantity: 10 });
  await client.own('POST', 'locations/70000000001/deactivate');
  const names = async (args) =>
    (await client.data(`{ locations(first: 10${args}) { nodes { name isActive } } }`)).locations.nodes.map(({ name }) => name);
  assert.deepEqual([await names(''), await names(', includeInactive: true')], [['Main'], ['Main', 'Second']]);
  assert.deepEqual(codes(await client.set([entry(0, 1, null, kSecondLocation)])), ['INVALID_LOCATION']);
});

test("by hand: a value changed behind everybody's back sends no webhook and is in the history", async (t) => {
  const { client, seed, shop } = await start(t);
  seed({ count: 1, quantity: 10 });
  await client.own('POST', 'levels', { sku: 'SKU-0000001', location: 'Main', quantity: 99, quiet: true });
  assert.equal((await client.level(0)).available, 99);
  assert.deepEqual(shop.webhooks.counts, {});
  assert.deepEqual(
    (await client.own('GET', 'history?sku=SKU-0000001')).map(({ by, from, to }) => [by, from, to]),
    [['by hand', 10, 99]],
  );
});
