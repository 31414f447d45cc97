// Faults that a test orders through POST /_sandbox/faults. A rule is one JSON object:
//
//   kind          what happens, see kKinds
//   model,method  only calls of these; absent = every call
//   probability   0..1, drawn from `seed` (default 1: always)
//   after, times  skip the first `after` matching calls, strike at most `times`
//   …             what the kind needs (below)
//
// Rules are tried in the order they came; every matching rule that strikes takes effect.

export const kKinds = {
  latency: 'adds `ms` (and up to `jitter_ms`) before the call runs',
  http_error:
    'answers `status` (429 with `retry_after` seconds, 500, 502, 503, 504) as HTML without running the call; `name` makes it a JSON error of that exception',
  request_lost: 'closes the connection; the call does not run',
  answer_lost: 'runs and commits the call, then closes the connection without an answer',
  serialization: 'a load answers ids:false with "could not serialize…"; any other call 500 SerializationFailure',
  malformed: 'runs the call and cuts its answer in the middle',
  execute_late: 'runs the call `delay_ms` later, whether its client is still there or not',
  stall: 'reads the request and never answers it; the call does not run',
  database_down: 'answers 404 with HTML, as Odoo does when PostgreSQL has stopped',
  reset: 'resets every new connection at once',
  refuse: 'closes the listening port until the rule is gone (reach the sandbox by its control port)',
  unauthorized: 'answers 401',
  refuse_record: 'a UserError (`message`) for the records with one of `external_ids` or `refs` (client_order_ref), on load, write, confirm, post',
  lock_record:
    'somebody holds a lock on the records (default model res.partner) with one of `external_ids` or `emails`: whatever touches them, orders of that customer included, fails with LockNotAvailable (a message of load) or LockError',
};

// xorshift32: small, seeded, the same on every machine.
function generator(seed) {
  let state = seed >>> 0 || 0x9e3779b9;
  return () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 0x100000000;
  };
}

export class Faults {
  constructor() {
    this.rules = [];
    this.nextId = 1;
    this.onChange = () => {};
  }

  add(rule) {
    if (!(rule.kind in kKinds)) throw new Error(`unknown kind "${rule.kind}"; known: ${Object.keys(kKinds).join(', ')}`);
    const stored = { probability: 1, after: 0, times: Infinity, ...rule, id: this.nextId, seen: 0, struck: 0, random: generator(rule.seed ?? 1) };
    this.nextId += 1;
    this.rules.push(stored);
    this.onChange();
    return stored;
  }

  remove(id) {
    this.rules = id === undefined ? [] : this.rules.filter((rule) => rule.id !== id);
    this.onChange();
  }

  list() {
    return this.rules.map(({ random, times, ...rule }) => ({ ...rule, times: Number.isFinite(times) ? times : null }));
  }

  active(kind) {
    return this.rules.find((rule) => rule.kind === kind && rule.struck < rule.times);
  }

  // The rules that strike this call, by kind.
  draw(model, method) {
    const struck = {};
    for (const rule of this.rules) {
      if (rule.kind === 'refuse_record' || rule.kind === 'lock_record') continue;
      if ((rule.model && rule.model !== model) || (rule.method && rule.method !== method)) continue;
      rule.seen += 1;
      if (rule.seen <= rule.after || rule.struck >= rule.times || rule.random() >= rule.probability) continue;
      rule.struck += 1;
      struck[rule.kind] = rule;
    }
    return struck;
  }

  recordRules() {
    return this.rules.filter((rule) => (rule.kind === 'refuse_record' || rule.kind === 'lock_record') && rule.struck < rule.times);
  }
}
