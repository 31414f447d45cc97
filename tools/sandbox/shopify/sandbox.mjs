// The whole sandbox in one object, for the command line and for tests.
import http from 'node:http';
import { queryRoot } from './api/query.mjs';
import { Clock } from './clock.mjs';
import { controlDoor } from './control.mjs';
import { Counters } from './counters.mjs';
import { Door } from './door.mjs';
import { Faults } from './faults.mjs';
import { Shop } from './shop.mjs';

class Shops {
  constructor() {
    this.byName = new Map();
    this.list = [];
  }
  add(shop) {
    if (this.byName.has(shop.domain) || this.byName.has(shop.alias)) throw new Error(`two shops are called ${shop.domain} or ${shop.alias}`);
    this.list.push(shop);
    this.byName.set(shop.domain, shop).set(shop.alias, shop);
  }
  has(name) {
    return this.byName.has(name);
  }
  get(name) {
    return this.byName.get(name);
  }
  find(name) {
    const shop = this.byName.get(name);
    if (!shop) throw new Error(`no shop "${name}"; known: ${this.list.map(({ domain }) => domain).join(', ')}`);
    return shop;
  }
  all() {
    return this.list;
  }
}

export class Sandbox {
  constructor({ shops, oldestVersion, offsetMs = 0 }) {
    this.clock = new Clock();
    this.clock.offsetMs = offsetMs;
    this.faults = new Faults();
    this.counters = new Counters();
    this.settings = { oldestVersion };
    this.shops = new Shops();
    for (const given of shops) {
      const shop = new Shop(given, this);
      shop.queryRoot = queryRoot(shop);
      this.shops.add(shop);
    }
    this.control = controlDoor(this);
    this.door = new Door(this);
  }

  // Opens a port for all shops, one for each, and one for the control door alone. Returns the ready line.
  async listen({ host = '127.0.0.1', port = 0, controlPort = 0 } = {}) {
    const common = await this.door.listen(host, port);
    for (const shop of this.shops.all()) shop.url = `http://${host}:${await this.door.listen(host, shop.given.port ?? 0, shop)}`;
    this.controlServer = http.createServer((request, response) => {
      const chunks = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => this.control(request, response, new URL(request.url, 'http://sandbox'), Buffer.concat(chunks).toString('utf8')));
    });
    await new Promise((resolve, reject) => {
      this.controlServer.once('error', reject);
      this.controlServer.listen(controlPort, host, resolve);
    });
    const control = this.controlServer.address().port;
    return {
      ready: true,
      url: `http://${host}:${common}`,
      port: common,
      control_url: `http://${host}:${control}/_sandbox`,
      control_port: control,
      shops: this.shops.all().map(({ domain, alias, url }) => ({ domain, alias, url })),
      pid: process.pid,
    };
  }

  close() {
    this.door.close();
    this.controlServer?.close();
    this.controlServer?.closeAllConnections();
    for (const shop of this.shops.all()) {
      shop.webhooks.close();
      shop.bulk.close();
    }
  }
}
