// The control door /_sandbox: what tests use to look inside, to seed, to sell and ship, and to order faults. Not part of Shopify.
//
//   GET    /_sandbox/                     this list                  GET /_sandbox/health   {"ready": true}
//   GET    /_sandbox/counters             calls, codes, statuses     DELETE resets
//   GET    /_sandbox/faults               rules and kinds            POST adds one (or a list), DELETE removes all, DELETE ?id= one
//   GET    /_sandbox/clock                                           POST {"offset_ms" | "hold_at" | "advance_ms" | "release"}
//   POST   /_sandbox/settings             {"oldest_version"}: versions before it fall forward
//   GET    /_sandbox/shops                domains, addresses
//   and below /_sandbox/shops/<alias or domain>/
//   GET    summary                        items, orders, webhooks, oversold levels, keys, stale compares
//   GET    budget                         bucket, points, overruns   DELETE fills it and forgets, POST {"points_per_second", "bucket", "available"}
//   POST   items                          seed: see seed.mjs         DELETE items?sku=
//   GET    levels                         ?sku= ?location= as JSON;  ?format=csv streams all: sku,item,location,available,on_hand,committed
//   POST   levels                         [{"sku" | "item", "location", "name", "quantity" | "delta", "quiet"}]: changed by hand
//   GET    history                        ?sku= what changed levels, and who
//   POST   locations                      {"name", "priority"}       POST locations/<id>/activate, …/deactivate
//   POST   checkout                       {"lines": [{"sku", "quantity"}], …}, or a list of them: sells
//   GET    orders                         ?ids=1 ids alone           GET orders/<id>: webhook body and fulfillment orders
//   POST   orders/import                  {"body", "take_stock", "topics"}: an order in webhook shape
//   POST   orders/<id>/fulfil | cancel | refund | move | edit | touch | delete
//   GET    webhooks                       ?topic= ?state= ?limit=    DELETE forgets the log; POST {"address", "topics"} subscribes the app
//   GET    webhooks/counts                by topic                   POST webhooks/resend {"topic", "state"}
//   GET    subscriptions                  all of them                DELETE subscriptions?topic= those of the Admin API, as after eight failures
//   POST   tokens                         {"expire": "all" | token, "issue_refresh": true, "lifetime_s"}
//   POST   settings                       {"search_lag_ms", "scopes", "webhook_routes"}
import { kKinds } from './faults.mjs';
import { fromJson, gid, toJson } from './ids.mjs';
import { seedItems } from './seed.mjs';
import { enumOf } from './webhooks.mjs';

export function controlDoor({ shops, faults, counters, clock, settings }) {
  const itemOf = (shop, { sku, item }) => {
    const found =
      sku !== undefined
        ? shop.stock.withSku(sku)[0]
        : (shop.stock.itemOf(String(item).startsWith('gid:') ? item : gid('InventoryItem', item)) ?? undefined);
    if (found === undefined) throw new Error(`no item ${sku ?? item}`);
    return found;
  };
  const levelOf = (shop, item, location) => ({
    sku: shop.stock.skus[item],
    item: shop.itemNumber(item),
    location: location.id,
    location_name: location.name,
    active: location.levels.isActive(item),
    ...shop.stock.quantities(item, location),
    updated_at: new Date(location.levels.changed[item] || 0).toISOString(),
  });

  function* csv(shop) {
    yield 'sku,item,location,available,on_hand,committed\n';
    let text = '';
    for (const location of shop.stock.locations)
      for (let item = 0; item < shop.stock.count; item += 1) {
        const { levels } = location;
        if (!levels.isActive(item)) continue;
        text += `${shop.stock.skus[item] ?? ''},${shop.itemNumber(item)},${location.id},${levels.get(item, 'available')},${levels.get(item, 'on_hand')},${levels.get(item, 'committed')}\n`;
        if (text.length > 200_000) {
          yield text;
          text = '';
        }
      }
    yield text;
  }

  function levels(shop, query) {
    if (query.get('format') === 'csv') return { stream: csv(shop) };
    const places = query.has('location') ? [shop.stock.location(query.get('location'))] : shop.stock.locations;
    const items = query.has('sku') ? shop.stock.withSku(query.get('sku')) : Array.from({ length: shop.stock.count }, (ignored, item) => item);
    return items.flatMap((item) => places.filter((place) => place.levels.isKnown(item)).map((place) => levelOf(shop, item, place)));
  }

  // A count by hand, or a value changed behind everybody's back (quiet: no webhook).
  function changeLevels(shop, body) {
    const changed = (Array.isArray(body) ? body : [body]).map((entry) => {
      const item = itemOf(shop, entry);
      const location = shop.stock.location(entry.location ?? shop.stock.byPriority()[0].id);
      const { name = 'available', quantity, delta, quiet = false, by = 'by hand' } = entry;
      const step = delta ?? quantity - location.levels.get(item, name);
      shop.quiet = quiet;
      try {
        shop.webhooks.act(() => shop.stock.change(item, location, { [name === 'on_hand' ? 'available' : name]: step }, by));
      } finally {
        shop.quiet = false;
      }
      return levelOf(shop, item, location);
    });
    return { levels: changed };
  }

  const sold = (record) => ({
    id: record.id,
    name: record.body.name,
    updated_at: record.body.updated_at,
    lines: record.body.line_items.map(({ id, sku, quantity }) => ({ id: String(id), sku, quantity })),
    fulfillment_orders: (record.fulfillmentOrders ?? []).map(fulfillmentOrder),
  });
  const fulfillmentOrder = (order) => ({
    id: order.id,
    location: order.location.id,
    status: order.status,
    lines: order.lines.map(({ id, lineId, total, remaining }) => ({ id, line_item_id: lineId, total, remaining })),
  });

  // In a list the refused ones are told beside the others; a single one that is refused is an error.
  function checkout(shop, body) {
    const one = (given) => shop.webhooks.act(() => sold(shop.orders.checkout(given)));
    if (!Array.isArray(body)) return one(body);
    return body.map((given) => {
      try {
        return one(given);
      } catch (error) {
        return { refused: error.message };
      }
    });
  }

  const kActs = {
    fulfil: (shop, record, { lines, tracking } = {}) => {
      const wanted = lines?.map(({ line_item_id: id, quantity }) => {
        for (const order of record.fulfillmentOrders ?? []) {
          const part = order.lines.find((candidate) => candidate.lineId === String(id) && candidate.remaining > 0);
          if (part) return { order, part, quantity: quantity ?? part.remaining };
        }
        throw new Error(`nothing of line ${id} remains`);
      });
      return { fulfillments: shop.orders.fulfil(record, wanted, tracking).map(({ id }) => String(id)) };
    },
    cancel: (shop, record, given) => shop.orders.cancel(record, given),
    refund: (shop, record, given) => ({ refund: String(shop.orders.refund(record, given).id) }),
    edit: (shop, record, given) => shop.orders.edit(record, given),
    delete: (shop, record) => shop.orders.delete(record),
    touch: (shop, record) => {
      shop.orders.touch(record);
      shop.orders.announce(record, 'orders/updated');
    },
    move: (shop, record, { fulfillment_order: id, location }) => {
      const order = id ? shop.orders.fulfillmentOrders.get(String(id)) : record.fulfillmentOrders.find(({ status }) => status === 'OPEN');
      return fulfillmentOrder(shop.orders.move(order, shop.stock.location(location)));
    },
  };

  function orderAct(shop, id, what, body) {
    const act = kActs[what];
    if (!act) throw new Error(`no act "${what}"; known: ${Object.keys(kActs).join(', ')}`);
    const record = shop.orders.get(id);
    const result = shop.webhooks.act(() => act(shop, record, body)) ?? {};
    return { ...sold(record), ...result };
  }

  const fieldsOf = (shop, record) =>
    Object.fromEntries(shop.metafields.of(gid('Order', record.id)).map(({ namespace, key, value }) => [`${namespace}.${key}`, value]));
  const orderOf = (shop, record) => ({ ...sold(record), body: record.body, transactions: record.transactions, metafields: fieldsOf(shop, record) });

  function summary(shop) {
    let negative = 0;
    for (const { levels: place } of shop.stock.locations)
      for (let item = 0; item < shop.stock.count; item += 1) if (place.isActive(item) && place.get(item, 'available') < 0) negative += 1;
    return {
      domain: shop.domain,
      items: shop.stock.count,
      locations: shop.stock.locations.map(({ id, name, active, priority }) => ({ id, name, active, priority })),
      orders: shop.orders.summary(),
      webhooks: { pending: shop.webhooks.pending, subscriptions: shop.webhooks.subscriptions.size, counts: shop.webhooks.counts },
      negative_levels: negative,
      went_below_zero: shop.oversold.levels,
      lowest_available: shop.oversold.lowest,
      idempotency: shop.keys.counts,
      stale_compares: shop.stale ?? 0,
      writes_without_compare: shop.uncheckedWrites ?? 0,
      pairs_written: shop.pairsWritten ?? 0,
      tokens: { grants: shop.tokens.grants, refusals: shop.tokens.refusals },
    };
  }

  function changeBudget(shop, { points_per_second: rate, bucket, available }) {
    const { budget } = shop;
    budget.refill();
    if (rate !== undefined) budget.rate = rate;
    if (bucket !== undefined) budget.maximum = bucket;
    budget.available = Math.min(available ?? budget.available, budget.maximum);
    return budget.report();
  }

  function changeLocation(shop, id, what) {
    const location = shop.stock.location(id);
    if (!['activate', 'deactivate'].includes(what)) throw new Error(`no act "${what}"`);
    location.active = what === 'activate';
    shop.locationChanged(location, `locations/${what}`);
    return { id: location.id, active: location.active };
  }

  function changeTokens(shop, { expire, issue_refresh: issue, lifetime_s: lifetime }) {
    if (expire === 'all') shop.tokens.expireAll();
    else if (expire) shop.tokens.expire(expire);
    if (lifetime !== undefined) shop.tokens.lifetime = lifetime;
    return issue ? { refresh_token: shop.tokens.issueRefresh() } : {};
  }

  function resend(shop, { topic, state }) {
    const chosen = shop.webhooks.log.filter((delivery) => (!topic || delivery.topic === topic) && (!state || delivery.state === state));
    for (const delivery of chosen) shop.webhooks.resend(delivery);
    return { sent: chosen.length };
  }

  const shopRoutes = {
    'GET summary': (shop) => summary(shop),
    'GET budget': (shop) => shop.budget.report(),
    'DELETE budget': (shop) => {
      shop.budget.reset();
      shop.budget.available = shop.budget.maximum;
      return shop.budget.report();
    },
    'POST budget': (shop, query, body) => changeBudget(shop, body),
    'POST items': (shop, query, body) => seedItems(shop, body),
    'DELETE items': (shop, query) => {
      shop.webhooks.act(() => shop.stock.deleteItem(itemOf(shop, { sku: query.get('sku') })));
      return {};
    },
    'GET levels': (shop, query) => levels(shop, query),
    'POST levels': (shop, query, body) => changeLevels(shop, body),
    'GET history': (shop, query) => {
      const items = query.has('sku') ? new Set(shop.stock.withSku(query.get('sku'))) : null;
      return shop.stock.history
        .filter(({ item }) => !items || items.has(item))
        .map((entry) => ({ ...entry, at: new Date(entry.at).toISOString(), sku: shop.stock.skus[entry.item] }));
    },
    'POST locations': (shop, query, body) => {
      const location = shop.stock.addLocation(body);
      shop.locationChanged(location, 'locations/create');
      return { id: location.id, gid: location.gid };
    },
    'POST checkout': (shop, query, body) => checkout(shop, body),
    'GET orders': (shop, query) => [...shop.orders.records.values()].map((record) => (query.has('ids') ? record.id : orderOf(shop, record))),
    'POST orders/import': (shop, query, body) => {
      const list = (Array.isArray(body) ? body : [body]).map((entry) => shop.webhooks.act(() => shop.orders.import(entry.body, entry)).id);
      return { ids: list };
    },
    'GET webhooks': (shop, query) =>
      shop.webhooks.list({ topic: query.get('topic'), state: query.get('state'), limit: Number(query.get('limit') ?? 1000) }),
    'DELETE webhooks': (shop) => {
      shop.webhooks.log = [];
      shop.webhooks.counts = {};
      return {};
    },
    'POST webhooks': (shop, query, body) => shop.setWebhooks(body) ?? {},
    'GET webhooks/counts': (shop) => ({ pending: shop.webhooks.pending, topics: shop.webhooks.counts }),
    'POST webhooks/resend': (shop, query, body) => resend(shop, body),
    'GET subscriptions': (shop) =>
      [...shop.webhooks.subscriptions.values()].map(({ id, topic, uri, fromApp }) => ({ id, topic, uri, from_app: fromApp })),
    'DELETE subscriptions': (shop, query) => {
      const gone = [...shop.webhooks.subscriptions.values()].filter(({ topic, fromApp }) => !fromApp && topic === enumOf(query.get('topic') ?? ''));
      for (const { id } of gone) shop.webhooks.subscriptions.delete(id);
      return { deleted: gone.length };
    },
    'POST tokens': (shop, query, body) => changeTokens(shop, body),
    'POST settings': (shop, query, body) => {
      if (body.search_lag_ms !== undefined) shop.searchLagMs = body.search_lag_ms;
      if (body.scopes !== undefined) shop.scopes = body.scopes;
      if (body.webhook_routes !== undefined) shop.webhooks.routes = body.webhook_routes;
      return {};
    },
  };

  const routes = {
    'GET /_sandbox/health': () => ({ ready: true }),
    'GET /_sandbox/counters': () => counters.report(),
    'DELETE /_sandbox/counters': () => counters.reset() ?? {},
    'GET /_sandbox/faults': () => ({ rules: faults.list(), kinds: kKinds }),
    'POST /_sandbox/faults': (query, body) => ({ ids: (Array.isArray(body) ? body : [body]).map((rule) => faults.add(rule).id) }),
    'DELETE /_sandbox/faults': (query) => faults.remove(query.has('id') ? Number(query.get('id')) : undefined) ?? {},
    'GET /_sandbox/clock': () => clock.change({}),
    'POST /_sandbox/clock': (query, body) => clock.change(body),
    'POST /_sandbox/settings': (query, body) => {
      if (body.oldest_version !== undefined) settings.oldestVersion = body.oldest_version;
      return { oldest_version: settings.oldestVersion };
    },
    'GET /_sandbox/shops': () => shops.all().map(({ domain, alias, url }) => ({ domain, alias, url })),
  };

  function route(method, pathname) {
    const own = routes[`${method} ${pathname.replace(/\/$/, '')}`];
    if (own) return own;
    const below = /^\/_sandbox\/shops\/([^/]+)\/(.+?)\/?$/.exec(pathname);
    if (!below) return null;
    const shop = shops.find(below[1]);
    const [first, id, act] = below[2].split('/');
    const direct = shopRoutes[`${method} ${below[2]}`];
    if (direct) return (query, body) => direct(shop, query, body);
    if (first === 'orders' && id && !act && method === 'GET') return () => orderOf(shop, shop.orders.get(id));
    if (first === 'orders' && act && method === 'POST') return (query, body) => orderAct(shop, id, act, body);
    if (first === 'locations' && act && method === 'POST') return () => changeLocation(shop, id, act);
    return null;
  }

  return async (request, response, url, text) => {
    const send = (status, value) => {
      const body = Buffer.from(toJson(value));
      response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': body.length, Connection: 'close' });
      response.end(body);
    };
    try {
      const found = route(request.method, url.pathname);
      if (!found)
        return send(404, {
          error: 'no such control',
          routes: [...Object.keys(routes), ...Object.keys(shopRoutes).map((name) => name.replace(' ', ' /_sandbox/shops/<shop>/'))],
        });
      const value = await found(url.searchParams, text ? fromJson(text) : {});
      if (!value?.stream) return send(200, value);
      response.writeHead(200, { 'Content-Type': 'text/csv', Connection: 'close' });
      for (const part of value.stream) if (!response.write(part)) await new Promise((resolve) => response.once('drain', resolve));
      return response.end();
    } catch (error) {
      return send(400, { error: error.message });
    }
  };
}
