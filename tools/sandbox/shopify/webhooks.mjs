// Webhooks of one shop: subscriptions, and deliveries that are signed, repeated, late and lost as ordered.
//
// "At least once, unordered" (1.3); "Connection timeout 1 s; whole request 5 s. Only 2xx is success"; "8 retries over 4 hours …
// Retries carry the original payload of the trigger time"; "After 8 consecutive failures a subscription made with the Admin API is
// deleted" (1.2). Here an hour of retries takes four seconds unless retry_pauses_ms says otherwise.
import crypto from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { matcher, parseSearch } from './api/search.mjs';
import { utcText } from './clock.mjs';
import { gid, toJson } from './ids.mjs';
import { uuidFrom } from './random.mjs';

const kRequestMs = 5000;
const kFailuresMax = 8;
const kLogMax = 20_000;
const kInFlightMax = 16;

export const topicOf = (name) => {
  const resources = [
    'INVENTORY_LEVELS',
    'INVENTORY_ITEMS',
    'ORDER_TRANSACTIONS',
    'FULFILLMENT_ORDERS',
    'FULFILLMENT_EVENTS',
    'BULK_OPERATIONS',
    'COMPANY_LOCATIONS',
    'COMPANY_CONTACTS',
    'DRAFT_ORDERS',
    'PAYMENT_TERMS',
    'APP',
  ];
  const resource = resources.find((known) => name.startsWith(`${known}_`)) ?? name.split('_')[0];
  return `${resource}/${name.slice(resource.length + 1)}`.toLowerCase();
};
export const enumOf = (topic) => topic.replaceAll('/', '_').toUpperCase();

export class Webhooks {
  constructor({ shop, clock, faults, random, secret, routes = {}, retryPausesMs = [50, 100, 200, 400, 800, 1600, 3000, 5000] }) {
    Object.assign(this, { shop, clock, faults, random, secret, routes, retryPausesMs });
    this.subscriptions = new Map(); // id → subscription
    this.nextId = 1_000_000;
    this.log = [];
    this.counts = {};
    this.ready = [];
    this.inFlight = 0;
    this.pending = 0;
    this.eventId = null;
    this.sequence = 0;
    this.agents = {
      'http:': new http.Agent({ keepAlive: true, maxSockets: kInFlightMax }),
      'https:': new https.Agent({ keepAlive: true, maxSockets: kInFlightMax }),
    };
  }

  // App-specific subscriptions (of the configuration file) are not in the API's list and are never deleted (1.2).
  subscribe(
    topic,
    { uri, format = 'JSON', filter = null, includeFields = [], name = null, metafieldNamespaces = [] },
    { fromApp = false, version } = {},
  ) {
    this.nextId += 1;
    const now = utcText(this.clock.now());
    const subscription = {
      number: this.nextId,
      id: gid('WebhookSubscription', this.nextId),
      topic,
      uri,
      format,
      filter,
      includeFields,
      name,
      metafieldNamespaces,
      fromApp,
      version,
      failures: 0,
      createdAt: now,
      updatedAt: now,
    };
    this.subscriptions.set(subscription.id, subscription);
    return subscription;
  }
  wanted(topic) {
    const name = enumOf(topic);
    return [...this.subscriptions.values()].filter((subscription) => subscription.topic === name);
  }

  // All webhooks triggered inside share one X-Shopify-Event-Id.
  act(work) {
    const outer = this.eventId;
    this.eventId ??= uuidFrom(this.random);
    try {
      return work();
    } finally {
      this.eventId = outer;
    }
  }

  // `body` is a function: it is only made when somebody wants it.
  emit(topic, body) {
    const subscriptions = this.wanted(topic);
    if (subscriptions.length === 0) {
      this.count(topic, 'unsubscribed');
      return;
    }
    const value = body();
    const eventId = this.eventId ?? uuidFrom(this.random);
    for (const subscription of subscriptions) {
      if (subscription.filter && !this.passes(subscription.filter, value)) continue;
      this.trigger(topic, subscription, value, eventId);
    }
  }
  passes(filter, value) {
    const path = (name) => (element) => name.split('.').reduce((at, key) => (Array.isArray(at) ? at.map((part) => part?.[key]) : at?.[key]), element);
    const fields = new Proxy({}, { get: (target, name) => path(name) });
    return matcher(parseSearch(filter), fields)(value);
  }

  trigger(topic, subscription, value, eventId) {
    const kept = subscription.includeFields.length
      ? Object.fromEntries(Object.entries(value).filter(([key]) => subscription.includeFields.includes(key)))
      : value;
    this.sequence = (this.sequence + 1) % 1_000_000;
    const delivery = {
      id: uuidFrom(this.random),
      event_id: eventId,
      topic,
      subscription,
      uri: subscription.uri,
      body: Buffer.from(toJson(kept)),
      triggered_at: `${new Date(this.clock.now()).toISOString().slice(0, -1)}${String(this.sequence).padStart(6, '0')}Z`,
      resource: value.admin_graphql_api_id ?? (value.id === undefined ? null : String(value.id)),
      state: 'pending',
      attempts: 0,
      status: null,
    };
    this.remember(delivery);
    const struck = this.faults.draw('webhook', this.shop, [topic]);
    if (struck.webhook_drop) {
      this.finish(delivery, 'dropped');
      return;
    }
    const delay = struck.webhook_delay;
    const late = delay ? (delay.ms ?? 0) + Math.floor(this.random() * (delay.jitter_ms ?? 0)) : 0;
    this.later(delivery, late);
    const twice = struck.webhook_duplicate;
    for (let copy = 0; twice && copy < (twice.copies ?? 1); copy += 1) {
      this.count(topic, 'duplicates');
      this.later({ ...delivery, copy: true }, late + Math.floor(this.random() * (twice.jitter_ms ?? 0)));
    }
  }
  remember(delivery) {
    if (this.log.length >= kLogMax) this.log.splice(0, kLogMax / 2);
    this.log.push(delivery);
    this.count(delivery.topic, 'triggered');
  }
  count(topic, what) {
    const entry = (this.counts[topic] ??= {});
    entry[what] = (entry[what] ?? 0) + 1;
  }
  finish(delivery, state) {
    delivery.state = state;
    this.count(delivery.topic, state);
  }

  later(delivery, ms) {
    this.pending += 1;
    if (ms > 0) setTimeout(() => this.enqueue(delivery), ms).unref();
    else this.enqueue(delivery);
  }
  enqueue(delivery) {
    this.ready.push(delivery);
    this.pump();
  }
  pump() {
    while (this.inFlight < kInFlightMax && this.ready.length > 0) {
      const delivery = this.ready.shift();
      this.inFlight += 1;
      this.attempt(delivery).then((status) => {
        this.inFlight -= 1;
        this.settle(delivery, status);
        this.pump();
      });
    }
  }
  settle(delivery, status) {
    const { subscription } = delivery;
    delivery.status = status;
    this.pending -= 1;
    if (status >= 200 && status < 300) {
      subscription.failures = 0;
      this.finish(delivery, 'delivered');
      return;
    }
    subscription.failures += 1;
    this.count(delivery.topic, 'failed_attempts');
    if (subscription.failures >= kFailuresMax && !subscription.fromApp && this.subscriptions.delete(subscription.id))
      this.count(delivery.topic, 'subscriptions_deleted');
    const pause = this.retryPausesMs[delivery.attempts - 1];
    if (pause === undefined || !this.subscriptions.has(subscription.id)) this.finish(delivery, 'given_up');
    else this.later(delivery, pause);
  }

  headers(delivery) {
    const headers = {
      'Content-Type': 'application/json',
      'Content-Length': delivery.body.length,
      'X-Shopify-Topic': delivery.topic,
      'X-Shopify-Hmac-Sha256': crypto.createHmac('sha256', this.secret).update(delivery.body).digest('base64'),
      'X-Shopify-Shop-Domain': this.shop.domain,
      'X-Shopify-API-Version': delivery.subscription.version ?? '2026-10',
      'X-Shopify-Webhook-Id': delivery.id,
      'X-Shopify-Event-Id': delivery.event_id,
      'X-Shopify-Triggered-At': delivery.triggered_at,
    };
    if (delivery.subscription.name) headers['X-Shopify-Name'] = delivery.subscription.name;
    return headers;
  }
  // Where an address of the outside leads on this machine.
  address(uri) {
    for (const [from, to] of Object.entries(this.routes)) if (uri.startsWith(from)) return to + uri.slice(from.length);
    return uri;
  }

  // The status, 0 when there was none. Never rejects.
  attempt(delivery) {
    delivery.attempts += 1;
    return new Promise((resolve) => {
      let url;
      try {
        url = new URL(this.address(delivery.uri));
      } catch {
        return resolve(0);
      }
      const library = { 'http:': http, 'https:': https }[url.protocol];
      if (!library) return resolve(0);
      const request = library.request(
        url,
        { method: 'POST', headers: this.headers(delivery), agent: this.agents[url.protocol], timeout: kRequestMs },
        (response) => {
          response.resume();
          response.on('end', () => resolve(response.statusCode));
          response.on('error', () => resolve(0));
        },
      );
      request.on('timeout', () => request.destroy());
      request.on('error', () => resolve(0));
      return request.end(delivery.body);
    });
  }

  // Sends a logged delivery once more, dropped ones too.
  resend(delivery) {
    this.later({ ...delivery, attempts: 0, copy: true }, 0);
  }
  list({ topic, state, limit = 1000 } = {}) {
    return this.log
      .filter((delivery) => (!topic || delivery.topic === topic) && (!state || delivery.state === state))
      .slice(-limit)
      .map(({ subscription, body, ...rest }) => ({
        ...rest,
        subscription: subscription.id,
        bytes: body.length,
        resource: /^\{"id":\s*(\d+)/.exec(String(body))?.[1] ?? null,
      }));
  }
  close() {
    for (const agent of Object.values(this.agents)) agent.destroy();
  }
}
