// A sandbox in this process, a client for it, and a listener that plays the receiver of webhooks.
import crypto from 'node:crypto';
import http from 'node:http';
import { Sandbox } from '../sandbox.mjs';
import { seedItems } from '../seed.mjs';

export const kLocation = 'gid://shopify/Location/70000000000';
export const kSecondLocation = 'gid://shopify/Location/70000000001';
export const item = (index) => `gid://shopify/InventoryItem/${40_000_000_000_000 + index}`;

export async function start(t, shop = {}, more = {}) {
  const sandbox = new Sandbox({
    shops: [
      {
        domain: 'eu.myshopify.com',
        locations: [{ name: 'Main' }, { name: 'Second' }],
        plan: 'enterprise',
        retry_pauses_ms: [5, 5, 5, 5, 5, 5, 5, 5],
        ...shop,
      },
    ],
    ...more,
  });
  const ready = await sandbox.listen();
  t.after(() => sandbox.close());
  const eu = sandbox.shops.find('eu');
  const client = new Client(eu.url, ready.control_url);
  return { sandbox, shop: eu, client, ready, seed: (given) => seedItems(eu, given) };
}

export class Client {
  constructor(url, controlUrl) {
    Object.assign(this, { url, controlUrl, token: 'shpat_sandbox', version: '2026-10' });
  }
  // {status, headers, body}
  async post(query, variables = {}, { version = this.version, token = this.token, headers = {} } = {}) {
    const answer = await fetch(`${this.url}/admin/api/${version}/graphql.json`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Shopify-Access-Token': token, ...headers },
      body: JSON.stringify({ query, variables }),
    });
    const text = await answer.text();
    let body = null;
    try {
      body = JSON.parse(text);
    } catch {
      // HTML, or cut: the test looks at the text
    }
    return { status: answer.status, headers: answer.headers, body, text };
  }
  async data(query, variables, more) {
    const { body } = await this.post(query, variables, more);
    if (body.errors) throw new Error(JSON.stringify(body.errors));
    return body.data;
  }
  async control(method, path, body) {
    const answer = await fetch(`${this.controlUrl}/${path}`, { method, body: body === undefined ? undefined : JSON.stringify(body) });
    const value = await answer.json();
    if (answer.status !== 200) throw new Error(value.error);
    return value;
  }
  own(method, path, body) {
    return this.control(method, `shops/eu/${path}`, body);
  }

  async set(quantities, { key = crypto.randomUUID(), name = 'available', reason = 'correction', uri, version } = {}) {
    const query = `mutation Set($input: InventorySetQuantitiesInput!, $key: String!) {
      inventorySetQuantities(input: $input) @idempotent(key: $key) {
        inventoryAdjustmentGroup { id changes { name delta quantityAfterChange } } userErrors { code field message } } }`;
    const input = { name, reason, quantities, ...(uri ? { referenceDocumentUri: uri } : {}) };
    return (await this.data(query, { input, key }, version ? { version } : {})).inventorySetQuantities;
  }
  async level(index, location = kLocation) {
    const data = await this.data(
      'query($i: ID!, $l: ID!) { inventoryItem(id: $i) { inventoryLevel(locationId: $l) { updatedAt quantities(names: ["available", "on_hand", "committed"]) { name quantity } } } }',
      { i: item(index), l: location },
    );
    return Object.fromEntries(data.inventoryItem.inventoryLevel.quantities.map(({ name, quantity }) => [name, quantity]));
  }
}

// Collects what is posted to it; `answer` may be replaced by a function of the request → status.
export async function listener(t) {
  const found = { received: [], answer: () => 200 };
  const server = http.createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const raw = Buffer.concat(chunks);
      const entry = {
        headers: request.headers,
        raw,
        topic: request.headers['x-shopify-topic'],
        body: raw.length ? JSON.parse(raw.toString('utf8')) : null,
        at: Date.now(),
      };
      found.received.push(entry);
      const status = found.answer(entry);
      if (status === 0) return request.socket.destroy();
      response.writeHead(status);
      return response.end();
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  found.url = `http://127.0.0.1:${server.address().port}/webhooks/shopify`;
  found.of = (topic) => found.received.filter((entry) => entry.topic === topic);
  return found;
}

export async function until(condition, what, ms = 5000) {
  const deadline = Date.now() + ms;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
