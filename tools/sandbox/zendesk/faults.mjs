// Faults that a test orders through POST /_sandbox/faults. A rule: {"kind", "call"?, "after"?, "times"?, …}; `call` is one of kCalls.

export const kCalls = ['create_ticket', 'update_ticket', 'find_ticket', 'list_audits', 'create_or_update_user'];
export const kKinds = {
  latency: 'adds `ms` before the call runs',
  http_error: 'answers `status` (401, 403, 409, 413, 422, 429, 500, 502, 503, 504), with `retry_after` seconds where given; the call does not run',
  request_lost: 'closes the connection; the call does not run',
  answer_lost: 'runs the call, then closes the connection without an answer',
  stall: 'runs the call and never answers it',
  malformed: 'runs the call and cuts its answer in the middle',
  refuse: 'closes the listening port until the rule is gone (reach the sandbox by its control port)',
};

export class Faults {
  constructor() {
    this.rules = [];
    this.onChange = () => {};
  }

  add(rule) {
    if (!(rule.kind in kKinds)) throw new Error(`unknown kind "${rule.kind}"; known: ${Object.keys(kKinds).join(', ')}`);
    if (rule.call !== undefined && !kCalls.includes(rule.call)) throw new Error(`unknown call "${rule.call}"; known: ${kCalls.join(', ')}`);
    const stored = { after: 0, times: null, ...rule, seen: 0, struck: 0 };
    this.rules.push(stored);
    this.onChange();
    return stored;
  }

  clear() {
    this.rules = [];
    this.onChange();
  }

  active(kind) {
    return this.rules.some((rule) => rule.kind === kind);
  }

  // The rules that strike this call, by kind.
  draw(call) {
    const struck = {};
    for (const rule of this.rules) {
      if (rule.kind === 'refuse' || (rule.call && rule.call !== call)) continue;
      rule.seen += 1;
      if (rule.seen <= rule.after || (rule.times !== null && rule.struck >= rule.times)) continue;
      rule.struck += 1;
      struck[rule.kind] = rule;
    }
    return struck;
  }
}
