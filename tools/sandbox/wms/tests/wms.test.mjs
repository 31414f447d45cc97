// The warehouse: what it holds, what it tells, and how its telling goes wrong.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { Sandbox } from '../sandbox.mjs';

async function listener(t) {
  const hub = { received: [], answer: () => 202 };
  const server = http.createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const raw = Buffer.concat(chunks);
      const entry = { headers: request.headers, raw, body: JSON.parse(raw), path: request.url };
      hub.received.push(entry);
      const status = hub.answer(entry);
      if (status === 0) return request.socket.destroy();
      response.writeHead(status);
      return response.end();
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  hub.url = `http://127.0.0.1:${server.address().port}/stock/wms-north`;
  hub.reports = () => hub.received.flatMap(({ body }) => body.reports ?? []);
  hub.adjustments = () => hub.received.flatMap(({ body }) => body.adjustments ?? []);
  return hub;
}
async function start(t, options = {}) {
  const hub = await listener(t);
  const sandbox = new Sandbox({ name: 'north', url: hub.url, flushMs: 5, ...options });
  const ready = await sandbox.listen();
  t.after(() => sandbox.close());
  const control = async (method, name, body) => {
    const answer = await fetch(`${ready.control_url}/${name}`, { method, body: body === undefined ? undefined : JSON.stringify(body) });
    const value = await answer.json();
    if (answer.status !== 200) throw new Error(value.error);
    return value;
  };
  return { hub, sandbox, control };
}
async function until(condition, what, ms = 5000) {
  const deadline = Date.now() + ms;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
const at = (quantity, more = {}) => ({ place: 'main', sku: 'A', quantity, ...more });

test('wms: receiving, shipping and counting change what lies there, and each is told as a level in sequence', async (t) => {
  const { hub, control } = await start(t, { unit: 'piece' });
  await control('POST', 'receive', at(10));
  await control('POST', 'ship', at(3));
  await control('POST', 'count', at(6));
  await until(() => hub.reports().length === 3, 'three reports');
  assert.deepEqual(
    hub.reports().map(({ quantity, sequence, epoch }) => [quantity, sequence, epoch]),
    [
      [10, 1, 'north-1'],
      [7, 2, 'north-1'],
      [6, 3, 'north-1'],
    ],
  );
  // The body of POST /stock/<source> is strict: no member but these.
  assert.deepEqual(Object.keys(hub.reports()[0]), ['location', 'sku', 'quantity', 'unit', 'observed_at', 'epoch', 'sequence']);
  assert.match(hub.reports()[0].observed_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.equal(hub.received[0].path, '/stock/wms-north');
});

test('wms: adjustments are deltas with ids of their own; both tells each change both ways', async (t) => {
  const { hub, control } = await start(t, { mode: 'adjustments' });
  await control('POST', 'receive', at(10));
  await control('POST', 'ship', at('0.125'));
  await until(() => hub.adjustments().length === 2, 'two adjustments');
  assert.deepEqual(
    hub.adjustments().map(({ id, delta }) => [id, delta]),
    [
      ['north-adj-1', 10],
      ['north-adj-2', '-0.125'],
    ],
  );
  assert.deepEqual(hub.reports(), []);
  await control('POST', 'settings', { mode: 'both' });
  await control('POST', 'ship', at('0.375'));
  await until(() => hub.adjustments().length === 3 && hub.reports().length === 1, 'one of each');
  assert.equal(hub.reports()[0].quantity, '9.5');
});

test('wms: a physical source states the shelf, a net one the shelf less its reservations', async (t) => {
  for (const [basis, stated] of [
    ['physical', [10, 10]],
    ['net', [10, 6]],
  ]) {
    const { hub, control } = await start(t, { basis });
    await control('POST', 'receive', at(10));
    await control('POST', 'reserve', at(4));
    await control('POST', 'report', {});
    await until(() => hub.reports().length >= 2, 'the reports');
    assert.deepEqual([hub.reports()[0].quantity, hub.reports().at(-1).quantity], stated);
  }
});

test('wms: quantities add up exactly, and more than three decimals are refused', async (t) => {
  const { control } = await start(t, { url: null });
  for (let index = 0; index < 10; index += 1) await control('POST', 'receive', at('0.1'));
  assert.deepEqual(await control('GET', 'stock?sku=A'), [{ place: 'main', sku: 'A', quantity: 1 }]);
  await assert.rejects(control('POST', 'receive', at('0.0001')), /three decimals/);
});

test('wms: an API key goes as bearer, a secret signs the raw body', async (t) => {
  const keyed = await start(t, { apiKey: 'key-1' });
  await keyed.control('POST', 'receive', at(1));
  await until(() => keyed.hub.received.length === 1, 'the callback');
  assert.equal(keyed.hub.received[0].headers.authorization, 'Bearer key-1');
  const signed = await start(t, { hmacSecret: 'shhh' });
  await signed.control('POST', 'receive', at(1));
  await until(() => signed.hub.received.length === 1, 'the callback');
  const { headers, raw } = signed.hub.received[0];
  assert.equal(headers['x-syncline-hmac-sha256'], crypto.createHmac('sha256', 'shhh').update(raw).digest('base64'));
});

test('wms: records go in batches; a batch not taken comes again with the same bytes, a refused one is kept', async (t) => {
  const { hub, control } = await start(t, { batchMax: 50 });
  const answers = [503, 0, 429];
  hub.answer = () => answers.shift() ?? 202;
  await control(
    'POST',
    'receive',
    Array.from({ length: 120 }, (ignored, index) => ({ place: 'main', sku: `S${index}`, quantity: 1 })),
  );
  await until(() => new Set(hub.reports().map(({ sku }) => sku)).size === 120 && hub.received.length === 6, 'all of it');
  assert.equal(new Set(hub.received.map(({ raw }) => raw.toString())).size, 3);
  hub.answer = () => 422;
  await control('POST', 'ship', at(1));
  await until(() => hub.received.length === 7, 'the refused one');
  const { refused, refused_bodies: bodies } = await control('GET', 'counters');
  assert.deepEqual([refused, bodies[0].status], [1, 422]);
});

test('wms: callbacks are dropped, repeated and overtaken as ordered, the same with the same seed', async (t) => {
  const once = async () => {
    const { hub, control } = await start(t);
    await control('POST', 'faults', [
      { kind: 'callback_drop', probability: 0.2, seed: 5 },
      { kind: 'callback_duplicate', probability: 0.2, seed: 6, jitter_ms: 20 },
      { kind: 'callback_delay', probability: 0.3, seed: 7, jitter_ms: 60 },
    ]);
    for (let index = 0; index < 100; index += 1) await control('POST', 'receive', at(1));
    const { dropped, duplicated } = await control('GET', 'counters');
    await until(() => hub.reports().length === 100 - dropped + duplicated, 'all that was not dropped');
    const sequences = hub.reports().map(({ sequence }) => sequence);
    assert.notDeepEqual(
      sequences,
      [...sequences].sort((a, b) => a - b),
    );
    assert.ok(dropped > 5 && duplicated > 5);
    return [...sequences].sort((a, b) => a - b);
  };
  assert.deepEqual(await once(), await once());
});

test('wms: after a restart the sequence begins anew under a new epoch, or under the old one where it breaks the rule', async (t) => {
  const { hub, control } = await start(t);
  await control('POST', 'receive', at(1));
  await control('POST', 'restart', {});
  await control('POST', 'receive', at(1));
  await control('POST', 'restart', { keep_epoch: true });
  await control('POST', 'receive', at(1));
  await until(() => hub.reports().length === 3, 'three reports');
  assert.deepEqual(
    hub.reports().map(({ epoch, sequence }) => [epoch, sequence]),
    [
      ['north-1', 1],
      ['north-2', 1],
      ['north-2', 1],
    ],
  );
});

test('wms: its clock may be off, and its line may be down', async (t) => {
  const { hub, control } = await start(t, { clockOffsetMs: -120_000 });
  await control('POST', 'settings', { hold: true });
  await control('POST', 'receive', at(1));
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(hub.received.length, 0);
  await control('POST', 'settings', { hold: false });
  await until(() => hub.received.length === 1, 'the held one');
  const off = Date.parse(hub.reports()[0].observed_at) - Date.now();
  assert.ok(off < -119_000 && off > -125_000, String(off));
});

test('wms: quiet acts are told to nobody; a pushed snapshot has one id and one time', async (t) => {
  const { hub, control } = await start(t);
  await control('POST', 'seed', { count: 30, places: ['main', 'till'], quantity: { mod: 7 } });
  await control('POST', 'ship', { place: 'main', sku: 'SKU-0000003', quantity: 1, quiet: true });
  assert.equal(hub.received.length, 0);
  await control('POST', 'push_snapshot', {});
  await until(() => hub.reports().length === 60, 'all positions');
  assert.equal(new Set(hub.reports().map(({ snapshot_id: id, observed_at: time }) => `${id} ${time}`)).size, 1);
  assert.equal(hub.reports().find(({ sku, location }) => sku === 'SKU-0000003' && location === 'main').quantity, 1);
});

function folder(t) {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), 'wms-test-'));
  t.after(() => fs.rmSync(made, { recursive: true }));
  return made;
}

test('snapshot: CSV sorted by place and SKU, quoted where it must be, with a trailer that holds; XML likewise', async (t) => {
  const { control } = await start(t, { url: null });
  const target = folder(t);
  await control('POST', 'seed', {
    rows: [
      { place: 'main', sku: 'B', quantity: 2 },
      { place: 'main', sku: 'A,"1"', quantity: '1.5' },
      { place: 'aux', sku: 'Z&<é', quantity: -1 },
    ],
  });
  const csv = await control('POST', 'snapshot', { file: path.join(target, 'stock.csv'), trailer: true, done: true });
  assert.deepEqual([csv.rows, csv.complete, fs.existsSync(`${csv.path}.done`)], [3, true, true]);
  const text = fs.readFileSync(csv.path, 'utf8');
  const lines = text.trimEnd().split('\n');
  assert.equal(lines[0], 'sku,location,quantity,unit,observed_at');
  assert.deepEqual(
    lines.slice(1, 4).map((line) => line.replace(/,[^,]*$/, '')),
    ['Z&<é,aux,-1,piece', '"A,""1""",main,1.5,piece', 'B,main,2,piece'],
  );
  const before = text.slice(0, text.lastIndexOf('#end'));
  assert.equal(lines.at(-1), `#end rows=3 sha256=${crypto.createHash('sha256').update(before).digest('hex')}`);
  const xml = await control('POST', 'snapshot', { file: path.join(target, 'stock.xml'), format: 'xml' });
  const body = fs.readFileSync(xml.path, 'utf8');
  assert.match(body, /<level sku="Z&#38;&#60;é" location="aux" quantity="-1" unit="piece"\/>/);
  assert.match(body, /<end rows="3"\/>\n<\/stock>\n$/);
});

test('snapshot: every flaw is the one ordered', async (t) => {
  const { control } = await start(t, { url: null });
  const target = folder(t);
  await control('POST', 'seed', { count: 100, quantity: 5 });
  const write = async (flaw, more = {}) => {
    const done = await control('POST', 'snapshot', { file: path.join(target, `${flaw}.csv`), flaw, trailer: true, ...more });
    return { ...done, bytes: fs.readFileSync(done.path) };
  };
  const rowsOf = ({ bytes }) =>
    bytes
      .toString('utf8')
      .split('\n')
      .filter((line) => line.startsWith('SKU-'));
  const truncated = await write('truncated');
  assert.ok(!truncated.bytes.toString().endsWith('\n') && !truncated.bytes.includes('#end'));
  const unfinished = await write('unfinished');
  assert.deepEqual([unfinished.complete, fs.existsSync(path.join(target, 'unfinished.csv'))], [false, false]);
  assert.equal((await write('empty')).bytes.length, 0);
  assert.equal(rowsOf(await write('header_only')).length, 0);
  const duplicated = rowsOf(await write('duplicated'));
  assert.deepEqual([duplicated.length, new Set(duplicated).size], [110, 100]);
  assert.deepEqual([...(await write('utf16')).bytes.subarray(0, 4)], [0xff, 0xfe, 's'.charCodeAt(0), 0]);
  const latin = await write('latin1');
  assert.throws(() => new TextDecoder('utf-8', { fatal: true }).decode(latin.bytes), TypeError);
  assert.match((await write('delimiter', { delimiter: ';' })).bytes.toString(), /^sku\tlocation\t/);
  assert.equal(rowsOf(await write('shrunken')).length, 10);
  await assert.rejects(write('nonsense'), /known: truncated/);
});
