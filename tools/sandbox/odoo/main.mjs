#!/usr/bin/env node
// Plays an Odoo server. Prints one JSON line with its addresses when it is ready, then serves until SIGTERM or SIGINT.
import fs from 'node:fs';
import http from 'node:http';
import { parseArgs } from 'node:util';
import { defaultProducts, defaultTaxes, seed } from './catalogue.mjs';
import { controlDoor, listCatalogue } from './control.mjs';
import { Counters } from './counters.mjs';
import { Door } from './door.mjs';
import { Faults } from './faults.mjs';
import { Journal } from './journal.mjs';
import { behaviours } from './models/index.mjs';
import { Database } from './orm.mjs';
import { buildSchema, namesOf } from './schema.mjs';
import { Store } from './store.mjs';

const kHelp = `Usage: node tools/sandbox/odoo/main.mjs [options]

Plays Odoo 16-19: JSON-2 (19), JSON-RPC, with the behaviours seen on a real server. Prints {"ready":true,"port":…,"control_port":…}.

  --host ADDRESS          address to listen on                       (127.0.0.1)
  --port N                port of the server, 0 = any                (0)
  --control-port N        port of the control door alone, 0 = any    (0)
  --version N.N           16.0, 17.0, 18.0 or 19.0                   (19.0)
  --database NAME         name of its database                       (sandbox)
  --login NAME            login of the integration user              (syncline)
  --api-key TEXT          its API key                                (sandbox-key)
  --api-key-file FILE     the same, from a file
  --limited-api-key TEXT  key of a user with few rights              (sandbox-limited-key)
  --latency-ms N          time each call takes                       (0)
  --workers N             calls carried out at once, 0 = any number  (0)
  --rounding METHOD       round_globally or round_per_line           (round_globally)
  --user-tz ZONE          time zone of the user                      (Europe/Brussels)
  --products N            products SKU-0001 … beside the fixed ones  (500)
  --catalogue FILE        products, taxes, pricelists, warehouses    (built in)
  --state FILE            keep what was committed across a kill
  --print-catalogue       print what the catalogue holds as JSON and end
  --help                  this text

Control: GET http://…/_sandbox/ lists what there is: faults, dumps, counters.
`;

const { values: options } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '0' },
    'control-port': { type: 'string', default: '0' },
    version: { type: 'string', default: '19.0' },
    database: { type: 'string', default: 'sandbox' },
    login: { type: 'string', default: 'syncline' },
    'api-key': { type: 'string', default: 'sandbox-key' },
    'api-key-file': { type: 'string' },
    'limited-api-key': { type: 'string', default: 'sandbox-limited-key' },
    'latency-ms': { type: 'string', default: '0' },
    workers: { type: 'string', default: '0' },
    rounding: { type: 'string', default: 'round_globally' },
    'user-tz': { type: 'string', default: 'Europe/Brussels' },
    products: { type: 'string', default: '500' },
    catalogue: { type: 'string' },
    state: { type: 'string' },
    'print-catalogue': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function stop(message) {
  process.stderr.write(`sandbox odoo: ${message}\n`);
  process.exit(2);
}

if (options.help) {
  process.stdout.write(kHelp);
  process.exit(0);
}
if (!/^1[6-9]\.\d$/.test(options.version)) stop(`--version ${options.version}: known are 16.0 to 19.0`);
if (!['round_globally', 'round_per_line'].includes(options.rounding)) stop(`--rounding ${options.rounding}: round_globally or round_per_line`);

const [major, minor] = options.version.split('.').map(Number);
const first = (model, matches) => (env) => [...env.table(model).rows.values()].find(matches)?.id ?? null;
const settings = {
  version: options.version,
  major,
  versionInfo: [major, minor, 0, 'final', 0, ''],
  database: options.database,
  login: options.login,
  apiKey: options['api-key-file'] ? fs.readFileSync(options['api-key-file'], 'utf8').trim() : options['api-key'],
  limitedApiKey: options['limited-api-key'],
  latencyMs: Number(options['latency-ms']),
  workers: Number(options.workers),
  userTimeZone: options['user-tz'],
  defaultPricelist: first('product.pricelist', () => true),
  defaultWarehouse: first('stock.warehouse', () => true),
  defaultJournal: first('account.journal', (journal) => journal.type === 'sale'),
  defaultTaxes: (env) => [...env.table('account.tax').rows.values()].slice(0, 1).map((tax) => tax.id),
};

const store = new Store();
const db = new Database({ schema: buildSchema(major), names: namesOf(major), store, behaviours, settings });
const given = options.catalogue ? JSON.parse(fs.readFileSync(options.catalogue, 'utf8')) : {};
const catalogue = {
  products: [...defaultProducts(Number(options.products)), ...(given.products ?? [])],
  taxes: [...defaultTaxes(), ...(given.taxes ?? [])],
  pricelists: given.pricelists ?? ['EUR', 'USD', 'GBP', 'CHF', 'CAD', 'JPY', 'SEK', 'KWD'],
  warehouses: given.warehouses ?? [
    { code: 'WH', name: 'Main warehouse' },
    { code: 'WH2', name: 'Second warehouse' },
  ],
  roundingMethod: options.rounding,
};

const journal = options.state ? new Journal(options.state) : null;
if (!journal?.restore(store)) {
  store.journal = null;
  seed(db, catalogue);
  if (journal) {
    journal.rewrite(store);
    store.journal = journal;
  }
}

if (options['print-catalogue']) {
  const text = `${JSON.stringify(listCatalogue(db, settings), null, 1)}\n`;
  // A pipe takes 64 KiB at once; the process may only end when all of it is written.
  await new Promise((written) => process.stdout.write(text, written));
  process.exit(0);
}

const faults = new Faults();
const counters = new Counters();
const control = controlDoor({ db, faults, counters, settings });
const door = new Door({ db, faults, counters, control, settings });
const controlServer = http.createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => control(request, response, new URL(request.url, 'http://sandbox'), Buffer.concat(chunks).toString('utf8')));
});

for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));

try {
  const port = await door.listen(options.host, Number(options.port));
  controlServer.listen(Number(options['control-port']), options.host, () => {
    const ready = {
      ready: true,
      url: `http://${options.host}:${port}`,
      port,
      control_url: `http://${options.host}:${controlServer.address().port}/_sandbox`,
      control_port: controlServer.address().port,
      version: options.version,
      database: options.database,
      login: options.login,
      pid: process.pid,
      orders: store.table('sale.order').rows.size,
    };
    process.stdout.write(`${JSON.stringify(ready)}\n`);
  });
} catch (error) {
  stop(`cannot listen on ${options.host}:${options.port}: ${error.message}`);
}
