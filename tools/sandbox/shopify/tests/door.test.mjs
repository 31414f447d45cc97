// The door: versions, tokens, cost and throttling, errors, faults.
import assert from 'node:assert/strict';
import test from 'node:test';
import { item, kLocation, start } from './support.mjs';

const kShop = '{ shop { name } }';
const setQuery =
  'mutation Set($i: InventorySetQuantitiesInput!, $k: String!) { inventorySetQuantities(input: $i) @idempotent(key: $k) { userErrors { code } } }';
const setOf = (quantity, k, from = null) => ({
  k,
  i: {
    name: 'available',
    reason: 'correction',
    quantities: [{ inventoryItemId: item(0), locationId: kLocation, quantity, changeFromQuantity: from }],
  },
});

// "An unsupported version falls forward to the oldest supported one: check response header X-Shopify-API-Version." (2.1)
test('versions: each is answered by itself, a gone one by the oldest, nonsense by 404', async (t) => {
  const { client } = await start(t);
  for (const [asked, answered] of [
    ['2026-10', '2026-10'],
    ['2026-07', '2026-07'],
    ['2025-10', '2026-01'],
    ['2024-04', '2026-01'],
    ['2027-01', '2027-01'],
    ['unstable', 'unstable'],
  ])
    assert.equal((await client.post(kShop, {}, { version: asked })).headers.get('x-shopify-api-version'), answered);
  for (const asked of ['2026-11', '2031-01', 'latest']) assert.equal((await client.post(kShop, {}, { version: asked })).status, 404);
  await client.control('POST', 'settings', { oldest_version: '2026-07' });
  assert.equal((await client.post(kShop, {}, { version: '2026-04' })).headers.get('x-shopify-api-version'), '2026-07');
});

// "X-Shopify-API-Deprecated-Reason lists deprecated members used." (2.1)
test('versions: deprecated members are named in a header', async (t) => {
  const { client, seed } = await start(t);
  seed({ count: 1 });
  const deprecated = await client.post('query($i: ID!) { inventoryItem(id: $i) { variant { id } } }', { i: item(0) });
  assert.equal(deprecated.headers.get('x-shopify-api-deprecated-reason'), 'InventoryItem.variant');
  assert.equal((await client.post(kShop)).headers.get('x-shopify-api-deprecated-reason'), null);
});

test('versions: a member that the schema of the version does not have is an error with HTTP 200', async (t) => {
  const { client } = await start(t);
  const old = 'mutation($i: InventorySetQuantitiesInput!) { inventorySetQuantities(input: $i) @idempotent(key: "k") { userErrors { code } } }';
  const { status, body } = await client.post(old, { i: { name: 'available', reason: 'correction', ignoreCompareQuantity: true, quantities: [] } });
  assert.equal(status, 200);
  assert.match(body.errors[0].message, /ignoreCompareQuantity/);
  assert.match((await client.post('{ shop { nonsense } }')).body.errors[0].message, /nonsense/);
  assert.ok((await client.post('{ shop {')).body.errors);
  assert.equal((await client.post(undefined)).status, 400);
});

// "Client credentials: grant_type=client_credentials … {access_token, scope, expires_in: 86399}" (2.2)
test('tokens: client credentials give one that ends; what is unknown or over is 401', async (t) => {
  const { client, sandbox } = await start(t);
  const grant = async (form) => {
    const answer = await fetch(`${client.url}/admin/oauth/access_token`, { method: 'POST', body: new URLSearchParams(form) });
    return { status: answer.status, ...(await answer.json()) };
  };
  const credentials = { grant_type: 'client_credentials', client_id: 'sandbox-client', client_secret: 'sandbox-client-secret' };
  const { access_token: token, expires_in: seconds, status } = await grant(credentials);
  assert.deepEqual([status, seconds], [200, 86_399]);
  assert.equal((await client.post(kShop, {}, { token })).status, 200);
  const other = await client.post(kShop, {}, { token: 'shpat_wrong' });
  assert.deepEqual([other.status, other.body], [401, { errors: '[API] Invalid API key or access token (unrecognized login or wrong password)' }]);
  assert.equal((await grant({ ...credentials, client_secret: 'no' })).status, 401);
  await client.control('POST', 'faults', [
    { kind: 'http_error', status: 429, times: 1 },
    { kind: 'http_error', status: 429, operation: 'access_token', times: 1 },
  ]);
  assert.deepEqual([(await grant(credentials)).status, (await grant(credentials)).status], [429, 200]);
  assert.deepEqual([(await client.post(kShop)).status, (await client.post(kShop)).status], [429, 200]);
  sandbox.clock.change({ offset_ms: 86_400_000 });
  assert.equal((await client.post(kShop, {}, { token })).status, 401);
  assert.equal((await client.post(kShop)).status, 200);
});

// "Refresh … new access + new refresh token"; "One current expiring token per app and shop"; "Old refresh token stays usable until the new one is used" (2.2)
test('tokens: a refresh gives a new pair and ends the token before', async (t) => {
  const { client } = await start(t);
  const { refresh_token: first } = await client.own('POST', 'tokens', { issue_refresh: true });
  const refresh = async (token) =>
    (
      await fetch(`${client.url}/admin/oauth/access_token`, {
        method: 'POST',
        body: new URLSearchParams({
          grant_type: 'refresh_token',
          refresh_token: token,
          client_id: 'sandbox-client',
          client_secret: 'sandbox-client-secret',
        }),
      })
    ).json();
  const a = await refresh(first);
  assert.equal(a.expires_in, 3600);
  const b = await refresh(first);
  assert.equal((await client.post(kShop, {}, { token: a.access_token })).status, 401);
  assert.equal((await client.post(kShop, {}, { token: b.access_token })).status, 200);
  await refresh(b.refresh_token);
  assert.equal((await refresh(first)).error, 'invalid_grant');
});

test('tokens: an expired token in the middle is 401 once, then a new one is let in', async (t) => {
  const { client } = await start(t);
  await client.control('POST', 'faults', { kind: 'expired_token', times: 1 });
  assert.equal((await client.post(kShop)).status, 401);
  assert.equal((await client.post(kShop)).status, 200);
});

// "Cost: scalar/enum 0, object 1, interface/union max of selections, connection sized by first/last, mutation 10 … refunded down to actualQueryCost" (2.3)
test('cost: requested by size, refunded to what came back', async (t) => {
  const { client, seed } = await start(t);
  seed({ count: 3, quantity: 1 });
  const cost = async (query, variables) => {
    const { requestedQueryCost, actualQueryCost } = (await client.post(query, variables)).body.extensions.cost;
    return [requestedQueryCost, actualQueryCost];
  };
  assert.deepEqual(await cost(kShop), [1, 1]);
  assert.deepEqual(await cost('{ inventoryItems(first: 10) { nodes { id sku } pageInfo { hasNextPage } } }'), [10, 3]);
  assert.deepEqual(
    await cost(
      '{ inventoryItems(first: 10) { edges { node { id inventoryLevels(first: 4) { nodes { location { id } quantities(names: ["available", "on_hand"]) { quantity } } } } } } }',
    ),
    [10 * (1 + 4 * 4), 3 * (1 + 2 * 4)],
  );
  assert.deepEqual(
    await cost('query($i: [ID!]!) { nodes(ids: $i) { ... on InventoryItem { id variants(first: 1) { nodes { id } } } ... on Location { id } } }', {
      i: [item(0), item(1)],
    }),
    [4, 4],
  );
  assert.deepEqual(await cost(setQuery, setOf(1, 'a')), [10, 10]);
  // List elements are charged: who selects the changes pays for them.
  assert.deepEqual(
    await cost(
      setQuery.replace('userErrors { code }', 'inventoryAdjustmentGroup { changes { name item { id } } } userErrors { code }'),
      setOf(2, 'b'),
    ),
    [13, 15 - 2],
  );
});

// "One query may request at most 1000 points." (2.3)
test('cost: above 1000 points a query is refused and costs nothing', async (t) => {
  const { client, shop } = await start(t);
  const before = shop.budget.available;
  const { status, body } = await client.post('{ inventoryItems(first: 250) { nodes { id inventoryLevels(first: 5) { nodes { id } } } } }');
  assert.deepEqual([status, body.errors[0].extensions.code, body.errors[0].extensions.cost], [200, 'MAX_COST_EXCEEDED', 1500]);
  assert.equal(shop.budget.available, before);
});

// "Throttled: HTTP 200, errors[0].extensions.code = "THROTTLED"" (2.3)
test('throttling: an empty bucket refuses, refills by the plan, and the overrun is on record', async (t) => {
  const { client, sandbox, shop } = await start(t, { points_per_second: 100, bucket: 200 });
  sandbox.clock.change({ hold_at: '2026-11-21T10:00:00Z' });
  const hundred = '{ inventoryItems(first: 100) { nodes { id } } }'; // No items: 100 requested, all of it refunded.
  shop.budget.refill(); // What passed before time was held is in.
  shop.budget.available = 150;
  assert.equal((await client.post(hundred)).body.extensions.cost.throttleStatus.currentlyAvailable, 150);
  shop.budget.available = 40;
  const { status, body } = await client.post(hundred);
  assert.deepEqual([status, body.data, body.errors[0].extensions.code], [200, undefined, 'THROTTLED']);
  assert.deepEqual(body.extensions.cost, {
    requestedQueryCost: 100,
    actualQueryCost: null,
    throttleStatus: { maximumAvailable: 200, currentlyAvailable: 40, restoreRate: 100 },
  });
  sandbox.clock.change({ advance_ms: 500 });
  assert.equal((await client.post(hundred)).body.errors[0].extensions.code, 'THROTTLED');
  sandbox.clock.change({ advance_ms: 100 });
  assert.equal((await client.post(hundred)).body.errors, undefined);
  const report = await client.own('GET', 'budget');
  assert.deepEqual([report.overrun_count, report.unprovoked_overruns, report.hasty_overruns], [2, 2, 1]);
  assert.deepEqual(
    report.overruns.map(({ requested, available, wait_ms: wait }) => [requested, available, wait]),
    [
      [100, 40, 1000],
      [100, 90, 1000],
    ],
  );
});

test('throttling: what a fault took is provoked until the points are back', async (t) => {
  const { client, sandbox } = await start(t, { points_per_second: 100, bucket: 200 });
  sandbox.clock.change({ hold_at: '2026-11-21T10:00:00Z' });
  await client.control('POST', 'faults', { kind: 'drain', points: 190, times: 1 });
  const hundred = '{ inventoryItems(first: 100) { nodes { id } } }';
  assert.equal((await client.post(hundred)).body.errors[0].extensions.code, 'THROTTLED');
  assert.equal((await client.own('GET', 'budget')).unprovoked_overruns, 0);
  sandbox.clock.change({ advance_ms: 10_000 });
  await client.control('POST', 'faults', { kind: 'throttled', times: 1 });
  assert.equal((await client.post(hundred)).body.errors[0].extensions.code, 'THROTTLED');
  assert.equal((await client.own('GET', 'budget')).unprovoked_overruns, 0);
});

test('throttling: plans restore 100, 200, 1000 and 2000 points a second', async (t) => {
  for (const [plan, rate] of [
    ['standard', 100],
    ['advanced', 200],
    ['plus', 1000],
    ['enterprise', 2000],
  ]) {
    const { shop } = await start(t, { plan });
    assert.deepEqual([shop.budget.rate, shop.budget.maximum], [rate, rate * 20]);
  }
});

test('faults: 429, 5xx, 200 with errors and partial errors do what they say', async (t) => {
  const { client, seed } = await start(t);
  seed({ count: 2, quantity: 10 });
  const order = (rule) => client.control('POST', 'faults', { times: 1, ...rule });
  await order({ kind: 'http_error', status: 429, retry_after: 2 });
  const busy = await client.post(kShop);
  assert.deepEqual([busy.status, busy.headers.get('retry-after')], [429, '2']);
  await order({ kind: 'http_error', status: 502 });
  const bad = await client.post(kShop);
  assert.deepEqual([bad.status, bad.body], [502, null]);
  await order({ kind: 'graphql_error', operation: 'Set' });
  assert.equal((await client.post(kShop)).body.errors, undefined);
  const failed = await client.post(setQuery, setOf(1, 'a'));
  assert.deepEqual([failed.status, failed.body.data, failed.body.errors[0].extensions.code], [200, undefined, 'INTERNAL_SERVER_ERROR']);
  assert.equal((await client.level(0)).available, 10);
  await order({ kind: 'partial_error', field: 'sku', code: 'ACCESS_DENIED' });
  const partial = await client.post('{ inventoryItems(first: 2) { nodes { id sku } } }');
  assert.deepEqual(
    partial.body.data.inventoryItems.nodes.map(({ sku }) => sku),
    [null, null],
  );
  assert.deepEqual(
    partial.body.errors.map(({ path, extensions }) => [path.join('.'), extensions.code]),
    [
      ['inventoryItems.nodes.0.sku', 'ACCESS_DENIED'],
      ['inventoryItems.nodes.1.sku', 'ACCESS_DENIED'],
    ],
  );
});

test('faults: an answer is lost after the commit, a request before it; the key tells which', async (t) => {
  const { client, seed } = await start(t);
  seed({ count: 1, quantity: 10 });
  const set = (quantity, key) => client.post(setQuery, setOf(quantity, key));
  await client.control('POST', 'faults', { kind: 'request_lost', times: 1 });
  await assert.rejects(set(1, 'a'));
  assert.equal((await client.level(0)).available, 10);
  await client.control('POST', 'faults', { kind: 'answer_lost', times: 1 });
  await assert.rejects(set(2, 'b'));
  assert.equal((await client.level(0)).available, 2);
  assert.deepEqual((await set(2, 'b')).body.data.inventorySetQuantities.userErrors, []);
  await client.control('POST', 'faults', { kind: 'malformed', times: 1 });
  assert.equal((await set(3, 'c')).body, null);
  assert.equal((await client.level(0)).available, 3);
});

test('faults: probability is seeded', async (t) => {
  const { client } = await start(t);
  const pattern = async () => {
    await client.control('POST', 'faults', { kind: 'http_error', status: 503, probability: 0.3, seed: 7 });
    const found = [];
    for (let index = 0; index < 40; index += 1) found.push((await client.post(kShop)).status === 503);
    await client.control('DELETE', 'faults');
    return found;
  };
  const first = await pattern();
  assert.deepEqual(await pattern(), first);
  const struck = first.filter(Boolean).length;
  assert.ok(struck >= 4 && struck <= 20, String(struck));
});

test('shops: found by port, by Host and by path; each has its own stock, tokens and points', async (t) => {
  const { Sandbox } = await import('../sandbox.mjs');
  const sandbox = new Sandbox({ shops: [{ domain: 'eu.myshopify.com' }, { domain: 'us.myshopify.com', currency: 'USD', tokens: ['shpat_us'] }] });
  const ready = await sandbox.listen();
  t.after(() => sandbox.close());
  const ask = async (url, token, headers = {}) => {
    const answer = await fetch(`${url}/admin/api/2026-10/graphql.json`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Shopify-Access-Token': token, ...headers },
      body: JSON.stringify({ query: '{ shop { myshopifyDomain currencyCode } }' }),
    });
    return answer.status === 200 ? (await answer.json()).data.shop.currencyCode : answer.status;
  };
  assert.equal(await ask(ready.shops[1].url, 'shpat_us'), 'USD');
  assert.equal(await ask(ready.shops[0].url, 'shpat_sandbox'), 'EUR');
  assert.equal(await ask(`${ready.url}/us.myshopify.com`, 'shpat_us'), 'USD');
  assert.equal(await ask(`${ready.url}/us.myshopify.com`, 'shpat_sandbox'), 401);
  assert.equal(await ask(ready.url, 'shpat_us'), 404);
  const http = await import('node:http');
  const byHost = await new Promise((resolve, reject) => {
    const request = http.request(
      {
        port: ready.port,
        method: 'POST',
        path: '/admin/api/2026-10/graphql.json',
        headers: { Host: 'us.myshopify.com', 'Content-Type': 'application/json', 'X-Shopify-Access-Token': 'shpat_us' },
      },
      (response) => {
        response.setEncoding('utf8');
        let text = '';
        response.on('data', (part) => (text += part)).on('end', () => resolve(JSON.parse(text)));
      },
    );
    request.on('error', reject);
    request.end(JSON.stringify({ query: '{ shop { myshopifyDomain } }' }));
  });
  assert.equal(byHost.data.shop.myshopifyDomain, 'us.myshopify.com');
});

test('what is not played is an error, never a silent null', async (t) => {
  const { client } = await start(t);
  const { body } = await client.post('{ giftCards(first: 1) { nodes { id } } }');
  assert.equal(body.errors[0].extensions.code, 'SANDBOX_NOT_PLAYED');
});
