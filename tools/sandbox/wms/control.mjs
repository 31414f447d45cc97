// The control door /_sandbox of a warehouse.
//
//   GET    /_sandbox/health, /_sandbox/counters    what was told, dropped, repeated, taken, refused
//   POST   /_sandbox/seed          {"count", "prefix", "places", "quantity", "rows"}: nobody is told
//   GET    /_sandbox/stock         ?place= ?sku=
//   POST   /_sandbox/receive | ship | count | reserve | release     {"place", "sku", "quantity", "quiet"}, or a list
//   POST   /_sandbox/report        {"place"?, "skus"?}: tells the levels once more
//   POST   /_sandbox/snapshot      {"file", "format", "trailer", "done", "flaw"}: a full snapshot as a file
//   POST   /_sandbox/push_snapshot a full snapshot by callbacks, all levels under one snapshot_id
//   POST   /_sandbox/restart       {"keep_epoch"}: the sequence begins anew
//   POST   /_sandbox/settings      {"url", "mode", "clock_offset_ms", "hold"}
//   GET    /_sandbox/faults        POST adds one (or a list), DELETE removes all
import { kKinds } from './callbacks.mjs';
import { writeSnapshot } from './snapshot.mjs';
import { kModes } from './warehouse.mjs';

export function controlDoor({ warehouse, callbacks, clock }) {
  const act = (what) => (query, body) => (Array.isArray(body) ? body.map((entry) => warehouse.act(what, entry)) : warehouse.act(what, body));
  const positions = (query) => {
    const found = [];
    for (const [place, sku, quantity] of warehouse.rows())
      if ((!query.has('place') || query.get('place') === place) && (!query.has('sku') || query.get('sku') === sku))
        found.push({ place, sku, quantity });
    return found;
  };
  const routes = {
    'GET health': () => ({ ready: true }),
    'GET counters': () => ({ ...callbacks.report(), positions: warehouse.size, epoch: warehouse.epoch, sequence: warehouse.sequence }),
    'POST seed': (query, body) => warehouse.seed(body),
    'GET stock': positions,
    ...Object.fromEntries(['receive', 'ship', 'count', 'reserve', 'release'].map((what) => [`POST ${what}`, act(what)])),
    'POST report': (query, { place: wanted, skus }) => {
      let told = 0;
      for (const [place, sku] of warehouse.rows()) {
        if ((wanted !== undefined && wanted !== place) || (skus && !skus.includes(sku))) continue;
        callbacks.tell({ level: warehouse.level(place, sku) });
        told += 1;
      }
      return { told };
    },
    'POST snapshot': (query, body) => writeSnapshot(warehouse, body),
    'POST push_snapshot': () => {
      const observedAt = warehouse.observedAt();
      const id = `${warehouse.name}-${observedAt}`;
      let told = 0;
      for (const [place, sku] of warehouse.rows()) {
        callbacks.tell({ level: warehouse.level(place, sku, observedAt, { snapshot_id: id }) });
        told += 1;
      }
      return { told, snapshot_id: id };
    },
    'POST restart': (query, body) => {
      warehouse.restart(body);
      return { epoch: warehouse.epoch };
    },
    'POST settings': (query, { url, mode, clock_offset_ms: offset, hold }) => {
      if (mode !== undefined && !kModes.includes(mode)) throw new Error(`mode "${mode}"; known: ${kModes.join(', ')}`);
      if (url !== undefined) callbacks.url = url;
      if (mode !== undefined) warehouse.mode = mode;
      if (offset !== undefined) clock.offsetMs = offset;
      if (hold !== undefined) callbacks.hold(hold);
      return { url: callbacks.url, mode: warehouse.mode, clock_offset_ms: clock.offsetMs, hold: callbacks.held };
    },
    'GET faults': () => ({
      rules: callbacks.rules.map(({ random, times, ...rule }) => ({ ...rule, times: Number.isFinite(times) ? times : null })),
      kinds: kKinds,
    }),
    'POST faults': (query, body) => ({ ids: (Array.isArray(body) ? body : [body]).map((rule) => callbacks.addRule(rule).id) }),
    'DELETE faults': () => {
      callbacks.rules = [];
      return {};
    },
  };

  return (request, response, url, text) => {
    const send = (status, value) => {
      const body = Buffer.from(JSON.stringify(value));
      response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': body.length, Connection: 'close' });
      response.end(body);
    };
    const route = routes[`${request.method} ${url.pathname.replace(/^\/_sandbox\/?/, '').replace(/\/$/, '')}`];
    if (!route) return send(404, { error: 'no such control', routes: Object.keys(routes) });
    try {
      return send(200, route(url.searchParams, text ? JSON.parse(text) : {}) ?? {});
    } catch (error) {
      return send(400, { error: error.message });
    }
  };
}
