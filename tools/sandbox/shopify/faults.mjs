// Faults that a test orders through POST /_sandbox/faults. A rule is one JSON object:
//
//   kind          what happens, see kKinds
//   shop          only this shop (domain or alias); absent = every shop
//   operation     calls: only this operation name or root field; absent = every call. access_token: the grant of tokens (http_error, latency, request_lost)
//   topic         webhooks: only this topic; absent = every topic
//   probability   0..1, drawn from `seed` (default 1: always)
//   after, times  skip the first `after` matching calls, strike at most `times`
//   …             what the kind needs (below)
//
// Rules are tried in the order they came; every matching rule that strikes takes effect.
import { generator } from './random.mjs';

export const kKinds = {
  latency: 'adds `ms` (and up to `jitter_ms`) before the call runs',
  answer_late: 'runs and commits the call, then waits `ms` before it answers',
  http_error: 'answers `status` (429 with `retry_after` seconds, 402, 403, 404, 423, 500, 502, 503, 504) without running the call',
  graphql_error: 'answers HTTP 200 with `errors` of `code` (INTERNAL_SERVER_ERROR) and `message`; the call does not run',
  partial_error: 'every field named `field` fails with `code` while the call runs: HTTP 200, data with holes and `errors`',
  internal_error: 'the mutation starts, changes nothing and fails with INTERNAL_SERVER_ERROR; its idempotency key is burnt',
  unnamed_pair: 'inventorySetQuantities refuses every batch with the item of `sku` as a whole, with an error that names no entry',
  throttled: 'answers THROTTLED whatever the budget is',
  drain: 'takes `points` from the bucket before the call, as another process of the app would',
  request_lost: 'closes the connection; the call does not run',
  answer_lost: 'runs and commits the call, then closes the connection without an answer',
  commit_late: 'the mutation runs `ms` later; meanwhile its idempotency key is taken (IDEMPOTENCY_CONCURRENT_REQUEST)',
  malformed: 'runs the call and cuts its answer in the middle',
  stall: 'reads the request and never answers it; the call does not run',
  expired_token: 'answers 401 and forgets the token of the call, so that only a new one is let in (static tokens stay known)',
  reset: 'resets every new connection at once',
  webhook_drop: 'a webhook is never sent (drop the next ten: times 10)',
  webhook_delay: 'a webhook is sent `ms` (and up to `jitter_ms`) later',
  webhook_duplicate: 'a webhook is sent `copies` more times with the same id, up to `jitter_ms` later',
  bulk_fail: 'the bulk operation ends FAILED with `code` (INTERNAL_SERVER_ERROR) and a partial result',
  bulk_slow: 'the bulk operation needs `ms` more',
  bulk_cut: 'the result of the bulk operation breaks off in the middle of a line when it is fetched',
};

const kWebhooks = new Set(['webhook_drop', 'webhook_delay', 'webhook_duplicate']);
const kBulk = new Set(['bulk_fail', 'bulk_slow', 'bulk_cut']);
const scopeOf = ({ kind, operation }) =>
  kWebhooks.has(kind) ? 'webhook' : kBulk.has(kind) ? 'bulk' : operation === 'access_token' ? 'grant' : 'call';

export class Faults {
  constructor() {
    this.rules = [];
    this.nextId = 1;
  }

  add(rule) {
    if (!(rule.kind in kKinds)) throw new Error(`unknown kind "${rule.kind}"; known: ${Object.keys(kKinds).join(', ')}`);
    const stored = { probability: 1, after: 0, times: Infinity, ...rule, id: this.nextId, seen: 0, struck: 0, random: generator(rule.seed ?? 1) };
    this.nextId += 1;
    this.rules.push(stored);
    return stored;
  }

  remove(id) {
    this.rules = id === undefined ? [] : this.rules.filter((rule) => rule.id !== id);
  }

  list() {
    return this.rules.map(({ random, times, ...rule }) => ({ ...rule, times: Number.isFinite(times) ? times : null }));
  }

  active(kind) {
    return this.rules.find((rule) => rule.kind === kind && rule.struck < rule.times);
  }

  // The rules that strike, by kind. `names` are the operation's name and root fields, or the topic.
  draw(scope, shop, names) {
    const struck = {};
    for (const rule of this.rules) {
      if (scopeOf(rule) !== scope) continue;
      if (rule.shop && rule.shop !== shop.domain && rule.shop !== shop.alias) continue;
      const wanted = scope === 'webhook' ? rule.topic : rule.operation;
      if (wanted && !names.includes(wanted)) continue;
      rule.seen += 1;
      if (rule.seen <= rule.after || rule.struck >= rule.times || rule.random() >= rule.probability) continue;
      rule.struck += 1;
      struck[rule.kind] = rule;
    }
    return struck;
  }
}
