// POST /stock/<source>: what the warehouse tells, in batches, dropped, repeated, late and out of order as ordered.
//
// A batch that is not taken (no answer, 429, 5xx) is sent again with the same bytes until it is; one that is refused (4xx) is kept in
// `refused` and given up, as a real WMS would after its operator has looked.
import crypto from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { generator } from '../shopify/random.mjs';

export const kKinds = {
  callback_drop: 'a record is never told',
  callback_duplicate: 'a record is told `copies` more times, in later batches',
  callback_delay: 'a record is told `ms` (and up to `jitter_ms`) later, so that others overtake it',
  batch_repeat: 'a batch that was taken is sent once more, as after a lost answer',
};
const kPausesMs = [50, 100, 200, 400, 800, 1600];
const kTimeoutMs = 15_000; // "Answer 2xx within 15 s"

export class Callbacks {
  constructor({ url = null, apiKey = null, hmacSecret = null, batchMax = 500, flushMs = 20, seed = 1 }) {
    Object.assign(this, { url, apiKey, hmacSecret, batchMax, flushMs });
    this.random = generator(seed);
    this.rules = [];
    this.nextRule = 1;
    this.waiting = { reports: [], adjustments: [] };
    this.delayed = 0;
    this.sending = 0;
    this.held = false;
    this.timer = null;
    this.counts = { told: 0, dropped: 0, duplicated: 0, delayed: 0, batches: 0, taken: 0, attempts: 0, refused: 0 };
    this.refused = [];
    this.agents = { 'http:': new http.Agent({ keepAlive: true, maxSockets: 4 }), 'https:': new https.Agent({ keepAlive: true, maxSockets: 4 }) };
  }

  addRule(rule) {
    if (!(rule.kind in kKinds)) throw new Error(`unknown kind "${rule.kind}"; known: ${Object.keys(kKinds).join(', ')}`);
    const stored = { probability: 1, after: 0, times: Infinity, ...rule, id: this.nextRule, seen: 0, struck: 0, random: generator(rule.seed ?? 1) };
    this.nextRule += 1;
    this.rules.push(stored);
    return stored;
  }
  draw(kinds) {
    const struck = {};
    for (const rule of this.rules) {
      if (!kinds.includes(rule.kind)) continue;
      rule.seen += 1;
      if (rule.seen <= rule.after || rule.struck >= rule.times || rule.random() >= rule.probability) continue;
      rule.struck += 1;
      struck[rule.kind] = rule;
    }
    return struck;
  }

  tell({ level, adjustment }) {
    if (level) this.record('reports', level);
    if (adjustment) this.record('adjustments', adjustment);
  }
  record(list, record) {
    this.counts.told += 1;
    const struck = this.draw(['callback_drop', 'callback_duplicate', 'callback_delay']);
    if (struck.callback_drop) {
      this.counts.dropped += 1;
      return;
    }
    const late = struck.callback_delay ? (struck.callback_delay.ms ?? 0) + Math.floor(this.random() * (struck.callback_delay.jitter_ms ?? 0)) : 0;
    if (late > 0) this.counts.delayed += 1;
    this.put(list, record, late);
    for (let copy = 0; struck.callback_duplicate && copy < (struck.callback_duplicate.copies ?? 1); copy += 1) {
      this.counts.duplicated += 1;
      this.put(list, record, late + this.flushMs * (copy + 1) + Math.floor(this.random() * (struck.callback_duplicate.jitter_ms ?? 0)));
    }
  }
  put(list, record, ms) {
    if (ms > 0) {
      this.delayed += 1;
      setTimeout(() => {
        this.delayed -= 1;
        this.put(list, record, 0);
      }, ms);
      return;
    }
    this.waiting[list].push(record);
    this.schedule();
  }
  schedule() {
    if (this.held) return;
    if (this.waiting.reports.length + this.waiting.adjustments.length >= this.batchMax) this.flush();
    else this.timer ??= setTimeout(() => this.flush(), this.flushMs);
  }

  // Holds everything back, as a warehouse whose line is down, or lets it go.
  hold(held) {
    this.held = held;
    if (!held) this.schedule();
  }

  flush() {
    clearTimeout(this.timer);
    this.timer = null;
    while (this.waiting.reports.length + this.waiting.adjustments.length > 0) {
      const reports = this.waiting.reports.splice(0, this.batchMax);
      const adjustments = this.waiting.adjustments.splice(0, this.batchMax - reports.length);
      this.counts.batches += 1;
      this.send({ ...(reports.length ? { reports } : {}), ...(adjustments.length ? { adjustments } : {}) });
    }
  }

  async send(body) {
    if (!this.url) return;
    const bytes = Buffer.from(JSON.stringify(body));
    this.sending += 1;
    try {
      for (let attempt = 0; ; attempt += 1) {
        this.counts.attempts += 1;
        const { status, text } = await this.post(bytes);
        if (status >= 200 && status < 300) {
          this.counts.taken += 1;
          if (this.draw(['batch_repeat']).batch_repeat) await this.post(bytes);
          return;
        }
        if (status >= 400 && status < 500 && status !== 408 && status !== 429) {
          this.counts.refused += 1;
          this.refused.push({ status, text: text.slice(0, 2000), body });
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, kPausesMs[Math.min(attempt, kPausesMs.length - 1)]));
        if (this.closed) return;
      }
    } finally {
      this.sending -= 1;
    }
  }
  headers(bytes) {
    const headers = { 'Content-Type': 'application/json', 'Content-Length': bytes.length };
    if (this.apiKey) headers.Authorization = `Bearer ${this.apiKey}`;
    if (this.hmacSecret) headers['X-Syncline-Hmac-Sha256'] = crypto.createHmac('sha256', this.hmacSecret).update(bytes).digest('base64');
    return headers;
  }
  post(bytes) {
    return new Promise((resolve) => {
      const url = new URL(this.url);
      const library = url.protocol === 'https:' ? https : http;
      const request = library.request(
        url,
        { method: 'POST', headers: this.headers(bytes), agent: this.agents[url.protocol], timeout: kTimeoutMs },
        (response) => {
          const chunks = [];
          response.on('data', (chunk) => chunks.push(chunk));
          response.on('end', () => resolve({ status: response.statusCode, text: Buffer.concat(chunks).toString('utf8') }));
          response.on('error', () => resolve({ status: 0, text: '' }));
        },
      );
      request.on('timeout', () => request.destroy());
      request.on('error', () => resolve({ status: 0, text: '' }));
      request.end(bytes);
    });
  }

  report() {
    return {
      ...this.counts,
      waiting: this.waiting.reports.length + this.waiting.adjustments.length,
      delayed_now: this.delayed,
      sending: this.sending,
      held: this.held,
      refused_bodies: this.refused.slice(-20),
    };
  }
  close() {
    this.closed = true;
    clearTimeout(this.timer);
    for (const agent of Object.values(this.agents)) agent.destroy();
  }
}
