// An account: its tickets with their histories, users, idempotency keys and limits. Times are those of the clock it is given.
import crypto from 'node:crypto';

const kStatuses = ['new', 'open', 'pending', 'hold', 'solved', 'closed'];
const kPriorities = ['low', 'normal', 'high', 'urgent'];

// An answer that is no success: status, headers and the body Zendesk sends.
export class Refusal extends Error {
  constructor(status, body, headers = {}) {
    super(`HTTP ${status}`);
    Object.assign(this, { status, body, headers });
  }
}

const invalid = (field, description, error) =>
  new Refusal(422, { error: 'RecordInvalid', description: 'Record validation errors', details: { [field]: [{ description, ...(error && { error }) }] } });
const notFound = () => new Refusal(404, { error: 'RecordNotFound', description: 'Not found' });
const badRequest = (message) => new Refusal(400, { error: { title: 'Bad Request', message } });

// Counts events of the last `ms`.
class Window {
  constructor(ms) {
    Object.assign(this, { ms, times: [] });
  }

  used(now) {
    while (this.times.length && this.times[0] <= now - this.ms) this.times.shift();
    return this.times.length;
  }

  secondsLeft(now) {
    return Math.max(1, Math.ceil((this.times[0] + this.ms - now) / 1000));
  }
}

export class Desk {
  constructor({ perMinute = 400, updatesPerMinute = 100, updatesPerTicket = 30, keySeconds = 7200, now = Date.now } = {}) {
    Object.assign(this, { perMinute, updatesPerMinute, updatesPerTicket, keySeconds, now });
    this.reset();
  }

  reset() {
    this.tickets = new Map();
    this.users = new Map();
    this.keys = new Map();
    this.nextId = 1000;
    this.calls = {};
    this.account = new Window(60_000);
    this.updates = new Window(60_000);
    this.ticketUpdates = new Map();
  }

  time() {
    return `${new Date(this.now()).toISOString().slice(0, 19)}Z`;
  }

  // ---- Limits: 429 with Retry-After and a plain text.
  spend(window, limit, words) {
    const now = this.now();
    if (window.used(now) >= limit) throw new Refusal(429, words, { 'Retry-After': String(window.secondsLeft(now)) });
    window.times.push(now);
  }

  admit(call) {
    this.calls[call] = (this.calls[call] ?? 0) + 1;
    this.spend(this.account, this.perMinute, 'Number of allowed API requests per minute exceeded');
  }

  limitHeaders() {
    return { 'X-Rate-Limit': String(this.perMinute), 'X-Rate-Limit-Remaining': String(Math.max(0, this.perMinute - this.account.used(this.now()))) };
  }

  // ---- Users
  createOrUpdateUser(body) {
    const given = body?.user;
    if (!given || typeof given !== 'object') throw badRequest('user is missing');
    const same = (a, b) => a !== undefined && b !== undefined && String(a).toLowerCase() === String(b).toLowerCase();
    const all = [...this.users.values()];
    const byExternal = all.find((user) => same(user.external_id, given.external_id));
    const byEmail = all.find((user) => same(user.email, given.email));
    if (byExternal && byEmail && byExternal !== byEmail) throw invalid('email', 'Email: is already in use', 'DuplicateValue');
    const known = byExternal ?? byEmail;
    if (!known && !given.name) throw invalid('name', 'Name: is too short (minimum one character)', 'BlankValue');
    const user = known ?? { id: (this.nextId += 1), role: 'end-user', created_at: this.time() };
    const { skip_verify_email: quiet, ...members } = given;
    Object.assign(user, members, { updated_at: this.time() });
    if (!known) user.mails = quiet ? 0 : 1;
    this.users.set(user.id, user);
    return { status: known ? 200 : 201, location: `/api/v2/users/${user.id}`, body: { user } };
  }

  // ---- Tickets
  check(given) {
    if (given.status !== undefined && !kStatuses.includes(given.status)) throw invalid('status', 'Status: is not valid', 'InvalidValue');
    if (given.priority !== undefined && !kPriorities.includes(given.priority)) throw invalid('priority', 'Priority: is not valid', 'InvalidValue');
    if (given.requester_id !== undefined && !this.users.has(given.requester_id)) throw invalid('requester', 'Requester: does not exist', 'InvalidValue');
  }

  createTicket(body, key, raw) {
    const now = this.now();
    const digest = crypto.createHash('sha256').update(raw).digest('hex');
    if (key) {
      const known = this.keys.get(key);
      if (known && now - known.at < this.keySeconds * 1000) {
        if (known.digest !== digest)
          throw new Refusal(400, { error: 'IdempotentRequestError', description: 'Request parameters do not match the ones first sent with this key' });
        return { ...known.answer, headers: { 'x-idempotency-lookup': 'hit' } };
      }
    }
    const given = body?.ticket;
    if (!given?.comment?.body) throw invalid('base', 'Description: cannot be blank', 'BlankValue');
    this.check(given);
    if (given.via_followup_source_id !== undefined && this.tickets.get(given.via_followup_source_id)?.status !== 'closed')
      throw invalid('via_followup_source_id', 'Source ticket: is not closed', 'InvalidValue');
    const { comment, ...members } = given;
    const ticket = { id: (this.nextId += 1), status: 'new', priority: null, tags: [], external_id: null, ...members, created_at: this.time(), updated_at: this.time() };
    ticket.audits = [];
    this.tickets.set(ticket.id, ticket);
    const audit = this.audit(ticket, comment, [{ type: 'Create', field_name: 'status', value: ticket.status }]);
    const answer = { status: 201, location: `/api/v2/tickets/${ticket.id}`, body: { ticket: this.shown(ticket), audit } };
    if (key) this.keys.set(key, { at: now, digest, answer });
    return { ...answer, headers: key ? { 'x-idempotency-lookup': 'miss' } : {} };
  }

  updateTicket(id, body) {
    const ticket = this.tickets.get(id);
    if (!ticket) throw notFound();
    if (ticket.status === 'closed') throw invalid('status', 'Status: closed prevents ticket update');
    const given = body?.ticket;
    if (!given) throw badRequest('ticket is missing');
    this.check(given);
    this.spend(this.updates, this.updatesPerMinute, 'Number of allowed ticket updates per minute exceeded');
    if (!this.ticketUpdates.has(id)) this.ticketUpdates.set(id, new Window(600_000));
    this.spend(this.ticketUpdates.get(id), this.updatesPerTicket, 'Number of allowed updates of this ticket exceeded');
    const { comment, ...members } = given;
    const changed = Object.entries(members).filter(([name, value]) => ticket[name] !== value);
    const events = changed.map(([name, value]) => ({ type: 'Change', field_name: name, previous_value: ticket[name], value }));
    Object.assign(ticket, members, { updated_at: this.time() });
    const audit = this.audit(ticket, comment, events);
    return { status: 200, body: { ticket: this.shown(ticket), audit } };
  }

  audit(ticket, comment, events) {
    const audit = { id: (this.nextId += 1), ticket_id: ticket.id, created_at: this.time(), author_id: 1, metadata: { system: {}, custom: {} }, events: [] };
    if (comment) audit.events.push({ id: (this.nextId += 1), type: 'Comment', body: comment.body, public: comment.public !== false });
    for (const event of events) audit.events.push({ id: (this.nextId += 1), ...event });
    ticket.audits.push(audit);
    return audit;
  }

  shown({ audits, ...ticket }) {
    return { ...ticket, description: audits[0]?.events.find((event) => event.type === 'Comment')?.body };
  }

  findTickets(externalId) {
    const found = [...this.tickets.values()].filter((ticket) => ticket.external_id === externalId);
    return { status: 200, body: { tickets: found.map((ticket) => this.shown(ticket)), next_page: null, previous_page: null, count: found.length } };
  }

  listAudits(id, size, after) {
    const ticket = this.tickets.get(id);
    if (!ticket) throw notFound();
    const start = after ? Number(Buffer.from(after, 'base64').toString()) : 0;
    const page = ticket.audits.slice(start, start + size);
    const end = start + page.length;
    const more = end < ticket.audits.length;
    const cursor = Buffer.from(String(end)).toString('base64');
    return { status: 200, body: { audits: page, meta: { has_more: more, after_cursor: cursor }, links: { next: null, prev: null } } };
  }
}
