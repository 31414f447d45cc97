// Keys of @idempotent. "Same key + same variables -> the first result again. Codes: IDEMPOTENCY_CONCURRENT_REQUEST (still running:
// retry same key), IDEMPOTENCY_KEY_PARAMETER_MISMATCH (bug), IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED (use a new key). Keys are
// remembered 24 h (u)." (2.5)
import { graphql, refuse } from './graphql.mjs';

const kRememberedMs = 24 * 3600 * 1000;

// "Required at runtime from 2026-04 … for" (2.5)
export const kRequired = new Set([
  'inventorySetQuantities',
  'inventoryAdjustQuantities',
  'inventoryMoveQuantities',
  'inventorySetOnHandQuantities',
  'inventoryActivate',
  'refundCreate',
  'locationActivate',
  'locationDeactivate',
]);

// The key of the field, null where it needs none; throws as Shopify's runtime does.
export function keyOf(info, version) {
  const directive = info.schema.getDirective('idempotent');
  const key = directive && graphql.getDirectiveValues(directive, info.fieldNodes[0], info.variableValues)?.key;
  if (key === undefined) {
    if (kRequired.has(info.fieldName) && version >= '2026-04')
      throw refuse('The @idempotent directive is required for this mutation but was not provided.', 'BAD_REQUEST');
    return null;
  }
  if (key.trim() === '') throw refuse('The idempotency key cannot be blank.', 'BAD_REQUEST');
  return key;
}

export class IdempotencyKeys {
  constructor(clock) {
    this.clock = clock;
    this.entries = new Map();
    this.counts = { first: 0, replayed: 0, concurrent: 0, mismatch: 0, previous_failed: 0 };
  }

  // {run: true} the first time, else {result} or {code}.
  begin(key, fingerprint) {
    const now = this.clock.now();
    const known = this.entries.get(key);
    if (!known || now - known.at > kRememberedMs) {
      this.entries.delete(key);
      this.forgetOld(now);
      this.entries.set(key, { fingerprint, at: now, state: 'running' });
      this.counts.first += 1;
      return { run: true };
    }
    const answer = (count, code) => {
      this.counts[count] += 1;
      return { code };
    };
    if (known.fingerprint !== fingerprint) return answer('mismatch', 'IDEMPOTENCY_KEY_PARAMETER_MISMATCH');
    if (known.state === 'running') return answer('concurrent', 'IDEMPOTENCY_CONCURRENT_REQUEST');
    if (known.state === 'failed') return answer('previous_failed', 'IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED');
    this.counts.replayed += 1;
    return { result: known.result };
  }
  finish(key, result) {
    Object.assign(this.entries.get(key), { state: 'done', result });
  }
  fail(key) {
    this.entries.get(key).state = 'failed';
  }
  forgetOld(now) {
    for (const [key, { at }] of this.entries) {
      if (now - at <= kRememberedMs) return;
      this.entries.delete(key);
    }
  }
}

export const kMessages = {
  IDEMPOTENCY_CONCURRENT_REQUEST: 'Another request with the same idempotency key is currently being processed.',
  IDEMPOTENCY_KEY_PARAMETER_MISMATCH: 'The idempotency key was already used with different parameters.',
  IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED: 'The previous attempt with this idempotency key failed. Use a new key.',
};

// The same arguments in the same words, whatever the order of their members.
export function fingerprintOf(name, args) {
  const sorted = (value) => {
    if (Array.isArray(value)) return value.map(sorted);
    if (value && typeof value === 'object')
      return Object.fromEntries(
        Object.keys(value)
          .sort()
          .map((key) => [key, sorted(value[key])]),
      );
    return value;
  };
  return `${name} ${JSON.stringify(sorted(args))}`;
}
