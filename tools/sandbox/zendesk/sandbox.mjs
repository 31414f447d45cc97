// Zendesk's door /api/v2 and the control door /_sandbox, on a port each; the control door is on both.
//
//   GET    /_sandbox/health, /_sandbox/counters
//   GET    /_sandbox/tickets       with their comments      DELETE ?id= deletes one as an agent does
//   POST   /_sandbox/tickets       {"id", "status"}: what a person does to a ticket (closed included)
//   GET    /_sandbox/users
//   GET    /_sandbox/faults        POST adds one, DELETE removes all
//   POST   /_sandbox/settings      {"per_minute", "updates_per_minute", "updates_per_ticket", "key_seconds"}
//   POST   /_sandbox/reset         forgets everything
import http from 'node:http';
import { Desk, Refusal } from './desk.mjs';
import { Faults } from './faults.mjs';

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function readBody(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

const kErrors = {
  401: { error: "Couldn't authenticate you" },
  403: { error: { title: 'Forbidden', message: 'You do not have access to this page. Please contact the account owner.' } },
  409: { error: 'Conflict', description: 'Somebody else is changing this record' },
  422: { error: 'RecordInvalid', description: 'Record validation errors', details: { base: [{ description: 'Form: a required field is missing', error: 'BlankValue' }] } },
};

export class Sandbox {
  constructor({ email = 'agent@example.com', token = 'sandbox-token', ...options } = {}) {
    this.credentials = `Basic ${Buffer.from(`${email}/token:${token}`).toString('base64')}`;
    this.desk = new Desk(options);
    this.faults = new Faults();
    this.faults.onChange = () => this.followRefusal();
    this.server = http.createServer((request, response) => this.serve(request, response));
    this.controlServer = http.createServer((request, response) => this.serve(request, response));
  }

  async listen({ host = '127.0.0.1', port = 0, controlPort = 0 } = {}) {
    const open = (server, at) => new Promise((resolve, reject) => server.once('error', reject).listen(at, host, () => resolve(server.address().port)));
    this.address = { host, port: await open(this.server, port) };
    const control = await open(this.controlServer, controlPort);
    return { url: `http://${host}:${this.address.port}`, port: this.address.port, control_url: `http://${host}:${control}`, control_port: control };
  }

  close() {
    for (const server of [this.server, this.controlServer]) {
      server.close();
      server.closeAllConnections();
    }
  }

  followRefusal() {
    const refuse = this.faults.active('refuse');
    if (refuse && this.server.listening) {
      this.server.close();
      this.server.closeAllConnections();
    } else if (!refuse && !this.server.listening && this.address) {
      this.server.listen(this.address.port, this.address.host);
    }
  }

  async serve(request, response) {
    const url = new URL(request.url, 'http://sandbox');
    try {
      const raw = await readBody(request);
      if (url.pathname.startsWith('/_sandbox')) return this.control(request, response, url, raw);
      return await this.answer(request, response, url, raw);
    } catch (error) {
      return this.send(response, error instanceof SyntaxError ? 422 : 500, { error: error.message });
    }
  }

  // Which call of the API it is, and what it does.
  route(method, { pathname, searchParams }, headers, raw) {
    const path = pathname.replace(/^\/api\/v2/, '').replace(/\.json$/, '');
    const body = () => JSON.parse(raw);
    const ticket = /^\/tickets\/(\d+)$/.exec(path);
    const audits = /^\/tickets\/(\d+)\/audits$/.exec(path);
    if (method === 'POST' && path === '/tickets') return ['create_ticket', () => this.desk.createTicket(body(), headers['idempotency-key'], raw)];
    if (method === 'GET' && path === '/tickets') return ['find_ticket', () => this.desk.findTickets(searchParams.get('external_id'))];
    if (method === 'PUT' && ticket) return ['update_ticket', () => this.desk.updateTicket(Number(ticket[1]), body())];
    if (method === 'GET' && audits)
      return ['list_audits', () => this.desk.listAudits(Number(audits[1]), Math.min(100, Number(searchParams.get('page[size]') ?? 100)), searchParams.get('page[after]'))];
    if (method === 'POST' && path === '/users/create_or_update') return ['create_or_update_user', () => this.desk.createOrUpdateUser(body())];
    return ['unknown', () => { throw new Refusal(404, { error: 'InvalidEndpoint', description: 'Not found' }); }];
  }

  async answer(request, response, url, raw) {
    const [call, run] = this.route(request.method, url, request.headers, raw);
    const struck = this.faults.draw(call);
    if (struck.latency) await wait(struck.latency.ms);
    if (struck.request_lost) return request.socket.destroy();
    if (struck.http_error) {
      const { status, retry_after: after } = struck.http_error;
      return this.send(response, status, kErrors[status] ?? `<html><body>${status}</body></html>`, after === undefined ? {} : { 'Retry-After': String(after) });
    }
    let made;
    try {
      if (request.headers.authorization !== this.credentials) throw new Refusal(401, kErrors[401]);
      this.desk.admit(call);
      if (raw && !/^application\/json\b/i.test(request.headers['content-type'] ?? '')) throw new Refusal(415, { error: 'UnsupportedMediaType' });
      made = run();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      made = error;
    }
    if (struck.answer_lost) return request.socket.destroy();
    if (struck.stall) return undefined;
    const headers = { ...made.headers, ...this.desk.limitHeaders(), ...(made.location && { Location: made.location }) };
    if (struck.malformed) return this.send(response, made.status, JSON.stringify(made.body).slice(0, 20), headers, 'application/json; charset=utf-8');
    return this.send(response, made.status, made.body, headers);
  }

  send(response, status, body, headers = {}, type = typeof body === 'string' ? 'text/plain' : 'application/json; charset=utf-8') {
    response.writeHead(status, { 'Content-Type': type, ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  }

  control(request, response, url, raw) {
    const name = `${request.method} ${url.pathname.replace(/^\/_sandbox\/?/, '')}`;
    const body = raw ? JSON.parse(raw) : {};
    const { desk, faults } = this;
    const written = (ticket) => ({
      ...desk.shown(ticket),
      comments: ticket.audits.flatMap((audit) => audit.events.filter((event) => event.type === 'Comment').map((event) => event.body)),
    });
    const routes = {
      'GET health': () => ({ ready: true }),
      'GET counters': () => ({ calls: desk.calls, tickets: desk.tickets.size, users: desk.users.size }),
      'GET tickets': () => [...desk.tickets.values()].map(written),
      'POST tickets': () => Object.assign(desk.tickets.get(body.id), { status: body.status }) && {},
      'DELETE tickets': () => ({ deleted: desk.tickets.delete(Number(url.searchParams.get('id'))) }),
      'GET users': () => [...desk.users.values()],
      'GET faults': () => faults.rules,
      'POST faults': () => faults.add(body),
      'DELETE faults': () => faults.clear() ?? {},
      'POST settings': () => {
        const names = { per_minute: 'perMinute', updates_per_minute: 'updatesPerMinute', updates_per_ticket: 'updatesPerTicket', key_seconds: 'keySeconds' };
        for (const [given, value] of Object.entries(body)) desk[names[given]] = value;
        return {};
      },
      'POST reset': () => desk.reset() ?? faults.clear() ?? {},
    };
    if (!routes[name]) return this.send(response, 404, { error: `${name}: there is ${Object.keys(routes).join(', ')}` });
    return this.send(response, 200, routes[name]());
  }
}
