#!/usr/bin/env node
// Plays Shopify's Admin API for one or more shops. Prints one JSON line with its addresses when it is ready, then serves until SIGTERM or SIGINT.
import fs from 'node:fs';
import { parseArgs } from 'node:util';
import { schemaOf, kVersions } from './api/graphql.mjs';
import { Sandbox } from './sandbox.mjs';
import { seedItems } from './seed.mjs';

const kHelp = `Usage: node tools/sandbox/shopify/main.mjs [options]

Plays Shopify's Admin API on the published schema: stock, orders, fulfillment, webhooks, bulk queries, throttling.
Prints {"ready":true,"url":…,"control_url":…,"shops":[{"domain","alias","url"}]}. Every shop has a port of its own.

  --host ADDRESS        address to listen on                             (127.0.0.1)
  --port N              port of all shops (by Host or path), 0 = any     (0)
  --control-port N      port of the control door alone, 0 = any          (0)
  --shop DOMAIN         a shop with what is usual; may be repeated       (sandbox.myshopify.com)
  --shops FILE          shops as JSON: [{"domain", "plan", "locations", "tokens", "webhook_secret", "webhooks", …}]
  --plan NAME           standard, advanced, plus or enterprise           (standard)
  --items N             items SKU-0000001 … in every shop                (0)
  --quantity N          of each at every location                        (0)
  --clock-offset-ms N   how far Shopify's clock is from this machine's   (0)
  --oldest-version V    older versions of the API fall forward to it     (${kVersions[0]})
  --help                this text

Control: GET http://…/_sandbox/ lists what there is: seed, sell, ship, refund, faults, webhooks, budget.
`;

const { values: options } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '0' },
    'control-port': { type: 'string', default: '0' },
    shop: { type: 'string', multiple: true },
    shops: { type: 'string' },
    plan: { type: 'string', default: 'standard' },
    items: { type: 'string', default: '0' },
    quantity: { type: 'string', default: '0' },
    'clock-offset-ms': { type: 'string', default: '0' },
    'oldest-version': { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

function stop(message) {
  process.stderr.write(`sandbox shopify: ${message}\n`);
  process.exit(2);
}

if (options.help) {
  process.stdout.write(kHelp);
  process.exit(0);
}
if (options['oldest-version'] && !kVersions.includes(options['oldest-version']))
  stop(`--oldest-version ${options['oldest-version']}: known are ${kVersions.join(', ')}`);

let sandbox;
try {
  const given = options.shops
    ? JSON.parse(fs.readFileSync(options.shops, 'utf8'))
    : (options.shop ?? ['sandbox.myshopify.com']).map((domain) => ({ domain }));
  const shops = given.map((shop) => ({ plan: options.plan, ...shop }));
  sandbox = new Sandbox({ shops, oldestVersion: options['oldest-version'], offsetMs: Number(options['clock-offset-ms']) });
  schemaOf(kVersions.at(-1)); // The third of a second a schema needs is spent before the ready line.
  if (Number(options.items) > 0)
    for (const shop of sandbox.shops.all()) seedItems(shop, { count: Number(options.items), quantity: Number(options.quantity) });
  const ready = await sandbox.listen({ host: options.host, port: Number(options.port), controlPort: Number(options['control-port']) });
  process.stdout.write(`${JSON.stringify(ready)}\n`);
} catch (error) {
  stop(error.message);
}

for (const signal of ['SIGTERM', 'SIGINT'])
  process.on(signal, () => {
    sandbox.close();
    process.exit(0);
  });
