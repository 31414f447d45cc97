// The HTTP door: the Admin API of every shop, the grant of tokens, results of bulk operations; where faults strike.
//
// A shop is found by the port it listens on, by the Host header, or by the first part of the path (/<domain>/admin/…).
import fs from 'node:fs';
import http from 'node:http';
import { callNow, readRequest } from './api/call.mjs';
import { resolveVersion } from './api/graphql.mjs';
import { toJson } from './ids.mjs';

const kBodyMax = 16 * 1024 * 1024;
const kNotAuthorized = '[API] Invalid API key or access token (unrecognized login or wrong password)';
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

class ClientGone extends Error {}

export class Door {
  constructor({ shops, faults, counters, control, settings }) {
    Object.assign(this, { shops, faults, counters, control, settings });
    this.servers = [];
  }

  // Opens a port; requests there belong to `shop` unless their path or Host says otherwise.
  listen(host, port, shop = null) {
    const server = http.createServer((request, response) => this.serve(request, response, shop));
    server.on('connection', (socket) => {
      this.counters.connections += 1;
      if (this.faults.active('reset')) socket.resetAndDestroy();
    });
    this.servers.push(server);
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, 1024, () => {
        server.removeListener('error', reject);
        resolve(server.address().port);
      });
    });
  }
  close() {
    for (const server of this.servers) {
      server.close();
      server.closeAllConnections();
    }
  }

  shopOf(request, pathname, own) {
    const first = /^\/([a-z0-9.-]+)(\/(?:admin|bulk)\/.*)$/i.exec(pathname);
    if (first && this.shops.has(first[1])) return { shop: this.shops.get(first[1]), rest: first[2], prefix: `/${first[1]}` };
    const host = (request.headers.host ?? '').split(':')[0];
    const named = this.shops.get(host);
    if (named) return { shop: named, rest: pathname, prefix: '' };
    const only = this.shops.all().length === 1 ? this.shops.all()[0] : null;
    return { shop: own ?? only, rest: pathname, prefix: '' };
  }

  async serve(request, response, own) {
    const url = new URL(request.url, 'http://sandbox');
    try {
      const text = await readBody(request);
      if (url.pathname.startsWith('/_sandbox')) return await this.control(request, response, url, text);
      const { shop, rest, prefix } = this.shopOf(request, url.pathname, own);
      if (!shop) return this.send(response, 404, { errors: 'Not Found' });
      if (rest === '/admin/oauth/access_token' && request.method === 'POST') return await this.grant(request, response, shop, text);
      const bulk = /^\/bulk\/([0-9a-f-]+)\.jsonl$/.exec(rest);
      if (bulk) return this.bulkResult(response, shop, bulk[1]);
      const graphql = /^\/admin\/api\/([a-z0-9-]+)\/graphql\.json$/.exec(rest);
      if (!graphql) return this.send(response, 404, { errors: 'Not Found' });
      if (request.method !== 'POST') return this.send(response, 405, { errors: 'Method Not Allowed' });
      const secure = request.headers['x-forwarded-proto'] === 'https' ? 'https' : 'http';
      return await this.call(request, response, { shop, asked: graphql[1], text, baseUrl: `${secure}://${request.headers.host}${prefix}` });
    } catch (error) {
      if (error instanceof ClientGone) this.counters.clientsGone += 1;
      else {
        process.stderr.write(`${error.stack}\n`);
        this.send(response, error.httpStatus ?? 500, { errors: 'Internal Server Error' });
      }
      return undefined;
    }
  }

  async call(request, response, { shop, asked, text, baseUrl }) {
    const found = resolveVersion(asked, this.settings.oldestVersion);
    if (!found) return this.send(response, 404, { errors: 'Not Found' });
    const headers = { 'X-Shopify-API-Version': found.version };
    const begun = performance.now();
    this.counters.begin();
    let done = { status: 0, points: 0, operationName: 'unread' };
    try {
      const parsed = parse(text);
      const read = parsed === undefined ? { names: [], operationName: 'malformed' } : readRequest(parsed, found.schema);
      const struck = this.faults.draw('call', shop, read.names ?? []);
      if (struck.latency) await wait((struck.latency.ms ?? 0) + Math.floor(shop.random() * (struck.latency.jitter_ms ?? 0)));
      if (struck.stall) return undefined;
      if (struck.request_lost) return response.socket?.destroy();
      if (struck.http_error) {
        done = { ...done, status: struck.http_error.status ?? 500, operationName: read.operationName };
        return this.httpError(response, struck.http_error, headers);
      }
      const token = request.headers['x-shopify-access-token'];
      if (struck.expired_token) shop.tokens.expire(token);
      if (struck.expired_token || token === undefined || !shop.tokens.knows(token)) {
        done = { ...done, status: 401, operationName: read.operationName };
        return this.send(response, 401, { errors: kNotAuthorized }, headers);
      }
      if (!/^application\/json\b/i.test(request.headers['content-type'] ?? ''))
        done = { ...done, status: 415, body: { errors: 'Unsupported Media Type' }, headers: {} };
      else if (parsed === undefined)
        done = { ...done, status: 400, body: { errors: { query: 'Required parameter missing or invalid' } }, headers: {} };
      else done = read.refusal ?? (await callNow({ shop, version: found.version, schemaName: found.schema, read, request: parsed, struck, baseUrl }));
      this.noteCodes(done.body);
      if (struck.answer_lost) return response.socket?.destroy();
      if (struck.answer_late) await wait(struck.answer_late.ms ?? 0);
      const body = toJson(done.body);
      return this.sendText(response, done.status, struck.malformed ? body.slice(0, Math.floor(body.length / 2)) : body, {
        ...headers,
        ...done.headers,
      });
    } finally {
      this.counters.end(done.operationName, { status: done.status, points: done.points, milliseconds: performance.now() - begun });
    }
  }
  noteCodes(body) {
    if (Array.isArray(body.errors)) for (const { extensions } of body.errors) this.counters.code(extensions?.code ?? 'UNCODED');
    for (const payload of Object.values(body.data ?? {}))
      for (const error of payload?.userErrors ?? []) this.counters.code(error.code ?? 'USER_ERROR');
  }

  httpError(response, rule, headers) {
    const status = rule.status ?? 500;
    const extra = rule.retry_after === undefined ? {} : { 'Retry-After': String(rule.retry_after) };
    if (status < 500)
      return this.send(
        response,
        status,
        { errors: status === 429 ? 'Exceeded 2 calls per second for api client. Reduce request rates to resume uninterrupted service.' : 'Refused' },
        { ...headers, ...extra },
      );
    return this.sendText(
      response,
      status,
      `<!DOCTYPE html><html><head><title>${status}</title></head><body><h1>Something went wrong</h1></body></html>`,
      { ...headers, ...extra, 'Content-Type': 'text/html; charset=utf-8' },
    );
  }

  async grant(request, response, shop, text) {
    const json = /^application\/json\b/i.test(request.headers['content-type'] ?? '');
    const form = json ? (parse(text) ?? {}) : Object.fromEntries(new URLSearchParams(text));
    const struck = this.faults.draw('grant', shop, ['access_token']);
    if (struck.latency) await wait(struck.latency.ms ?? 0);
    if (struck.request_lost) return response.socket?.destroy();
    if (struck.http_error) return this.httpError(response, struck.http_error, {});
    const { status, body } = shop.tokens.grant(form);
    return this.send(response, status, body);
  }

  bulkResult(response, shop, secret) {
    const operation = shop.bulk.find(secret);
    if (!operation)
      return this.sendText(response, 404, '<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>', { 'Content-Type': 'application/xml' });
    const end = operation.cut ? Math.floor(operation.bytes * 0.7) : operation.bytes;
    // A cut result still states its whole length: the connection breaks off.
    response.writeHead(200, { 'Content-Type': 'application/jsonl', 'Content-Length': operation.bytes });
    const file = fs.createReadStream(operation.file, { end: Math.max(0, end - 1) });
    file.on('end', () => (operation.cut ? response.socket?.destroy() : response.end()));
    return file.pipe(response, { end: false });
  }

  send(response, status, value, extra = {}) {
    return this.sendText(response, status, toJson(value), extra);
  }
  sendText(response, status, text, extra = {}) {
    if (response.destroyed || response.headersSent) return;
    const body = Buffer.from(text);
    response.writeHead(status, {
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': body.length,
      'X-Request-Id': `sandbox-${(this.requests = (this.requests ?? 0) + 1)}`,
      ...extra,
    });
    response.end(body);
  }
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readBody(request) {
  return new Promise((resolve, reject) => {
    const chunks = [];
    let size = 0;
    const most = request.url.startsWith('/_sandbox') ? 64 * kBodyMax : kBodyMax;
    request.on('data', (chunk) => {
      size += chunk.length;
      if (size <= most) return chunks.push(chunk);
      return reject(Object.assign(new Error('the body is too large'), { httpStatus: 413 }));
    });
    request.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    request.on('error', () => reject(new ClientGone()));
    request.on('aborted', () => reject(new ClientGone()));
  });
}
