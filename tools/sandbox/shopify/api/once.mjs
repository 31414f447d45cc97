// One mutation under its idempotency key.
import { refuse } from './graphql.mjs';
import { fingerprintOf, keyOf, kMessages } from './idempotency.mjs';

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// `empty` is the payload beside userErrors; `coded` whether its user errors have a code ("plain UserError … has no code", 2.4).
export async function once({ info, args, context, empty, coded }, run) {
  const { keys } = context.shop;
  const key = keyOf(info, context.version);
  const begun = key === null ? { run: true } : keys.begin(key, fingerprintOf(info.fieldName, args));
  if (begun.code) {
    const error = { field: null, message: kMessages[begun.code] };
    return { ...empty, userErrors: [coded ? { ...error, code: begun.code } : error] };
  }
  if (begun.result) return begun.result;
  if (context.struck.commit_late) await wait(context.struck.commit_late.ms ?? 0);
  try {
    if (context.struck.internal_error) throw refuse('Internal error. Looks like something went wrong on our end.', 'INTERNAL_SERVER_ERROR');
    const result = context.shop.webhooks.act(run);
    if (key !== null) keys.finish(key, result);
    return result;
  } catch (error) {
    if (key !== null) keys.fail(key);
    throw error;
  }
}
