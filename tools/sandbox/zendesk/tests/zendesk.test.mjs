// What the account does, each case after a line of what Zendesk documents about itself.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Sandbox } from '../sandbox.mjs';

async function start(t, options = {}) {
  const sandbox = new Sandbox(options);
  const { url, control_url: control } = await sandbox.listen();
  t.after(() => sandbox.close());
  const headers = { authorization: sandbox.credentials, 'content-type': 'application/json' };
  const call = async (method, path, body, more = {}) => {
    const answer = await fetch(`${url}/api/v2${path}`, { method, headers: { ...headers, ...more }, body: body && JSON.stringify(body) });
    const raw = await answer.text();
    return { status: answer.status, headers: answer.headers, raw, body: raw.startsWith('{') ? JSON.parse(raw) : null };
  };
  const order = (path, body, method = 'POST') => fetch(`${control}/_sandbox/${path}`, { method, body: body && JSON.stringify(body) });
  const user = (await call('POST', '/users/create_or_update', { user: { external_id: 'syncline.main', name: 'Syncline', email: 'ops@example.com' } })).body.user.id;
  const ticket = { ticket: { subject: 's', external_id: 'x.1', requester_id: user, comment: { body: 'first', public: false } } };
  return { sandbox, call, order, ticket, user };
}

test('"The first answer carries x-idempotency-lookup: miss, a replay hit with the same body"', async (t) => {
  const { call, ticket, sandbox } = await start(t);
  const first = await call('POST', '/tickets', ticket, { 'idempotency-key': 'k' });
  assert.equal(first.status, 201);
  assert.equal(first.headers.get('x-idempotency-lookup'), 'miss');
  assert.ok(first.headers.get('location'));
  const again = await call('POST', '/tickets', ticket, { 'idempotency-key': 'k' });
  assert.equal(again.status, 201);
  assert.equal(again.headers.get('x-idempotency-lookup'), 'hit');
  assert.equal(again.raw, first.raw);
  assert.equal(sandbox.desk.tickets.size, 1);
});

test('"The same key with other parameters gives 400 IdempotentRequestError"; "keys expire after about 2 hours"', async (t) => {
  let now = 1_800_000_000_000;
  const { call, ticket, sandbox } = await start(t, { now: () => now });
  await call('POST', '/tickets', ticket, { 'idempotency-key': 'k' });
  const other = { ticket: { ...ticket.ticket, subject: 'another' } };
  const refused = await call('POST', '/tickets', other, { 'idempotency-key': 'k' });
  assert.equal(refused.status, 400);
  assert.equal(refused.body.error, 'IdempotentRequestError');
  now += 7_199_000;
  assert.equal((await call('POST', '/tickets', ticket, { 'idempotency-key': 'k' })).headers.get('x-idempotency-lookup'), 'hit');
  now += 2_000;
  assert.equal((await call('POST', '/tickets', ticket, { 'idempotency-key': 'k' })).headers.get('x-idempotency-lookup'), 'miss');
  assert.equal(sandbox.desk.tickets.size, 2);
});

test('"external_id is not unique: several tickets may come back"', async (t) => {
  const { call, ticket } = await start(t);
  await call('POST', '/tickets', ticket);
  await call('POST', '/tickets', ticket);
  assert.equal((await call('GET', '/tickets?external_id=x.1')).body.tickets.length, 2);
  assert.equal((await call('GET', '/tickets?external_id=x.2')).body.count, 0);
});

test('"comments are appended twice on a blind retry"; "GET /tickets/{id}/audits" by cursor', async (t) => {
  const { call, ticket } = await start(t);
  const { id } = (await call('POST', '/tickets', ticket)).body.ticket;
  const change = { ticket: { status: 'solved', comment: { body: 'again', public: false } } };
  for (let i = 0; i < 2; i += 1) assert.equal((await call('PUT', `/tickets/${id}`, change)).status, 200);
  const first = (await call('GET', `/tickets/${id}/audits?page%5Bsize%5D=2`)).body;
  assert.equal(first.meta.has_more, true);
  const rest = (await call('GET', `/tickets/${id}/audits?page%5Bsize%5D=2&page%5Bafter%5D=${encodeURIComponent(first.meta.after_cursor)}`)).body;
  assert.equal(rest.meta.has_more, false);
  const comments = [...first.audits, ...rest.audits].flatMap(({ events }) => events).filter(({ type }) => type === 'Comment');
  assert.deepEqual(comments.map(({ body }) => body), ['first', 'again', 'again']);
});

test('"Closed tickets cannot be changed (422): create a follow-up with via_followup_source_id"; "404 RecordNotFound"', async (t) => {
  const { call, ticket, order } = await start(t);
  const { id } = (await call('POST', '/tickets', ticket)).body.ticket;
  const followUp = { ticket: { ...ticket.ticket, via_followup_source_id: id } };
  assert.equal((await call('POST', '/tickets', followUp)).status, 422);
  await order('tickets', { id, status: 'closed' });
  const refused = await call('PUT', `/tickets/${id}`, { ticket: { status: 'open' } });
  assert.equal(refused.status, 422);
  assert.match(refused.body.details.status[0].description, /closed prevents ticket update/);
  assert.equal((await call('POST', '/tickets', followUp)).status, 201);
  await order(`tickets?id=${id}`, undefined, 'DELETE');
  assert.equal((await call('PUT', `/tickets/${id}`, { ticket: {} })).body.error, 'RecordNotFound');
});

test('"match by email or external_id; 201 created, 200 existing"; "Email already used elsewhere: 422 DuplicateValue"', async (t) => {
  const { call, user } = await start(t);
  const same = await call('POST', '/users/create_or_update', { user: { external_id: 'SYNCLINE.main', name: 'New name' } });
  assert.equal(same.status, 200);
  assert.equal(same.body.user.id, user);
  assert.equal((await call('POST', '/users/create_or_update', { user: { email: 'b@example.com', name: 'B', external_id: 'b' } })).status, 201);
  const taken = await call('POST', '/users/create_or_update', { user: { external_id: 'b', email: 'ops@example.com' } });
  assert.equal(taken.status, 422);
  assert.equal(taken.body.details.email[0].error, 'DuplicateValue');
});

test('"Over the limit: 429 + Retry-After (seconds), body may be plain text"; "30 per 10 min per user and ticket"', async (t) => {
  const { call, ticket, order } = await start(t);
  const { id } = (await call('POST', '/tickets', ticket)).body.ticket;
  for (let i = 0; i < 30; i += 1) assert.equal((await call('PUT', `/tickets/${id}`, { ticket: {} })).status, 200);
  const refused = await call('PUT', `/tickets/${id}`, { ticket: {} });
  assert.equal(refused.status, 429);
  assert.ok(Number(refused.headers.get('retry-after')) > 500);
  assert.equal(refused.body, null);
  await order('settings', { per_minute: 1 });
  assert.equal((await call('GET', '/tickets?external_id=x')).status, 429);
});

test('401 without the token, and the faults that are ordered', async (t) => {
  const { call, order, ticket, sandbox } = await start(t);
  assert.equal((await call('GET', '/tickets?external_id=x', undefined, { authorization: 'Basic eA==' })).status, 401);
  await order('faults', { kind: 'http_error', call: 'create_ticket', status: 503, retry_after: 2, times: 1 });
  const away = await call('POST', '/tickets', ticket);
  assert.equal(away.status, 503);
  assert.equal(away.headers.get('retry-after'), '2');
  await order('faults', { kind: 'answer_lost', call: 'create_ticket', times: 1 });
  await assert.rejects(call('POST', '/tickets', ticket));
  assert.equal(sandbox.desk.tickets.size, 1);
  await order('faults', { kind: 'refuse' });
  await assert.rejects(call('GET', '/tickets?external_id=x'));
  await order('faults', undefined, 'DELETE');
  assert.equal((await call('GET', '/tickets?external_id=x')).status, 200);
  assert.equal((await order('faults', { kind: 'nonsense' })).status, 500);
});
