// The HTTP door: JSON-2, JSON-RPC, version and health, with the statuses and bodies of the real server.
import http from 'node:http';
import { accessDenied, errorBody, htmlError, kCouldNotSerialize, OdooError, serializationFailure, unauthorized, valueError } from './errors.mjs';
import { recordGuard } from './guard.mjs';
import { bindByName, bindByPosition, execute, findMethod } from './methods.mjs';
import { toJson } from './rounding.mjs';

const kBodyMax = 128 * 1024 * 1024;
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Door {
  constructor({ db, faults, counters, control, settings }) {
    Object.assign(this, { db, faults, counters, control, settings });
    this.waiting = [];
    this.busy = 0;
    this.server = http.createServer((request, response) => this.serve(request, response));
    this.server.keepAliveTimeout = 1000;
    this.server.on('connection', (socket) => {
      this.counters.connections += 1;
      if (this.faults.active('reset')) socket.resetAndDestroy();
    });
    faults.onChange = () => this.followRefusal();
  }

  listen(host, port) {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, host, 1024, () => {
        this.server.removeListener('error', reject);
        this.address = { host, port: this.server.address().port };
        resolve(this.address.port);
      });
    });
  }

  // The rule `refuse` closes the port and its removal opens it again.
  followRefusal() {
    const refuse = Boolean(this.faults.active('refuse'));
    if (refuse && this.server.listening) {
      this.server.close();
      this.server.closeAllConnections?.();
    } else if (!refuse && !this.server.listening && this.address) {
      this.server.listen(this.address.port, this.address.host, 1024);
    }
  }

  async serve(request, response) {
    const url = new URL(request.url, 'http://sandbox');
    try {
      if (url.pathname.startsWith('/_sandbox')) return await this.control(request, response, url, await readBody(request));
      if (this.faults.active('reset')) return request.socket.destroy();
      return await this.route(request, response, url);
    } catch (error) {
      if (!(error instanceof ClientGone)) this.html(response, error.httpStatus ?? 500);
      return undefined;
    }
  }

  route(request, response, url) {
    const { pathname } = url;
    if (pathname === '/web/health') {
      const down = url.searchParams.has('db_server_status') && this.faults.active('database_down');
      return this.send(response, down ? 500 : 200, 'application/json', `{"status": "${down ? 'fail' : 'pass'}"}`);
    }
    if ((pathname === '/web/version' || pathname === '/json/version') && this.settings.major >= 19) {
      return this.send(
        response,
        200,
        'application/json; charset=utf-8',
        toJson({ version_info: this.settings.versionInfo, version: this.settings.version }),
      );
    }
    if (pathname === '/jsonrpc' && request.method === 'POST') return this.jsonRpc(request, response);
    const json2 = /^\/json\/2\/([^/]+)\/([^/]+)$/.exec(pathname);
    if (json2 && this.settings.major >= 19) {
      if (request.method !== 'POST') return this.html(response, 405);
      return this.json2(request, response, decodeURIComponent(json2[1]), decodeURIComponent(json2[2]));
    }
    return this.html(response, 404);
  }

  // ---- JSON-2
  async json2(request, response, modelName, methodName) {
    const startedAt = this.db.store.commits;
    const text = await readBody(request);
    if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) return this.html(response, 415);
    if (!this.knowsDatabase(request.headers['x-odoo-database'])) return this.html(response, 404);
    const key = /^bearer\s+(.+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (!this.isKey(key)) {
      this.counters.unauthorized += 1;
      return this.fail(response, unauthorized('Invalid apikey'));
    }
    let body;
    try {
      body = text === '' ? {} : JSON.parse(text);
    } catch {
      return this.fail(response, new OdooError('werkzeug.exceptions.BadRequest', 400, 'could not parse the body as json'));
    }
    return this.call({
      request,
      response,
      modelName,
      methodName,
      startedAt,
      limited: key === this.settings.limitedApiKey,
      bind: (spec) => bindByName(spec, modelName, methodName, body),
      answer: (result) => this.send(response, 200, 'application/json; charset=utf-8', toJson(result)),
      refuse: (error) => this.fail(response, error),
    });
  }

  // ---- JSON-RPC
  async jsonRpc(request, response) {
    const startedAt = this.db.store.commits;
    const text = await readBody(request);
    let envelope;
    try {
      envelope = JSON.parse(text);
      if (typeof envelope.params !== 'object' || envelope.params === null) throw new Error('params');
    } catch {
      return this.send(response, 400, 'text/plain; charset=utf-8', 'Invalid JSON data');
    }
    const { id = null, params } = envelope;
    const answer = (result) =>
      this.send(
        response,
        200,
        'application/json',
        result === undefined || result === null ? toJson({ jsonrpc: '2.0', id }) : toJson({ jsonrpc: '2.0', id, result }),
      );
    const refuse = (error) =>
      this.send(
        response,
        200,
        'application/json',
        toJson({ jsonrpc: '2.0', id, error: { code: this.settings.major >= 19 ? 0 : 200, message: 'Odoo Server Error', data: errorBody(error) } }),
      );
    const { service, method, args = [] } = params;
    if (service === 'common') return this.common(method, args, answer, refuse);
    if (service !== 'object' || (method !== 'execute_kw' && method !== 'execute'))
      return refuse(new OdooError('builtins.KeyError', 500, String(service)));
    const [database, uid, password, modelName, methodName, ...rest] = args;
    if (!this.knowsDatabase(database))
      return refuse(new OdooError('psycopg2.OperationalError', 500, `FATAL:  database "${database}" does not exist`));
    if (uid !== 2 || !this.isKey(password)) {
      this.counters.unauthorized += 1;
      return refuse(accessDenied());
    }
    const positional = method === 'execute_kw' ? (rest[0] ?? []) : rest;
    const keyword = method === 'execute_kw' ? (rest[1] ?? {}) : {};
    return this.call({
      request,
      response,
      modelName,
      methodName,
      startedAt,
      limited: password === this.settings.limitedApiKey,
      bind: (spec) => bindByPosition(spec, positional, keyword),
      answer,
      refuse: (error) => refuse(error.odooName?.startsWith('werkzeug') ? asServerError(error, modelName) : error),
    });
  }

  common(method, args, answer, refuse) {
    if (method === 'version')
      return answer({
        server_version: this.settings.version,
        server_version_info: this.settings.versionInfo,
        server_serie: this.settings.version,
        protocol_version: 1,
      });
    if (method === 'authenticate' || method === 'login') {
      const [database, login, key] = args;
      if (!this.knowsDatabase(database))
        return refuse(new OdooError('psycopg2.OperationalError', 500, `FATAL:  database "${database}" does not exist`));
      return answer(login === this.settings.login && this.isKey(key) ? 2 : false);
    }
    return refuse(new OdooError('builtins.AttributeError', 500, `module has no attribute '${method}'`));
  }

  // ---- one call
  async call(work) {
    const { response, modelName, methodName } = work;
    const struck = this.faults.draw(modelName, methodName);
    if (struck.database_down) return this.html(response, 404);
    if (struck.request_lost) return response.socket?.destroy();
    if (struck.stall) return undefined;
    if (struck.unauthorized) return this.fail(response, unauthorized('Invalid apikey'));
    if (struck.http_error) return this.refuseWith(response, struck.http_error);
    response.on('close', () => {
      if (!response.writableFinished) this.counters.clientsGone += 1;
    });
    const begun = performance.now();
    this.counters.begin();
    let failed = false;
    let records = 0;
    try {
      await this.takeWorker();
      const { latency } = struck;
      const delay =
        this.settings.latencyMs +
        (latency ? (latency.ms ?? 0) + (latency.jitter_ms ? latency.random() * latency.jitter_ms : 0) : 0) +
        (struck.execute_late?.delay_ms ?? 0);
      if (delay > 0) await wait(delay);
      const outcome = await this.run(work, struck);
      failed = outcome.error !== undefined || outcome.result?.ids === false;
      records = outcome.records;
      if (struck.answer_lost) return response.socket?.destroy();
      if (struck.malformed) return this.malformed(response);
      return outcome.error ? work.refuse(outcome.error) : work.answer(outcome.result);
    } finally {
      this.giveWorker();
      this.counters.end(`${modelName}.${methodName}`, { records, failed, milliseconds: performance.now() - begun });
    }
  }

  async run(work, struck) {
    const { modelName, methodName } = work;
    let records = 0;
    try {
      const spec = findMethod(this.db, modelName, methodName);
      const bound = work.bind(spec);
      records = Math.max(bound.ids.length, bound.args.data?.length ?? 0, bound.args.vals_list?.length ?? 0);
      if (struck.serialization) {
        if (methodName !== 'load') throw serializationFailure();
        return {
          records,
          result: { ids: false, messages: [{ type: 'error', message: kCouldNotSerialize, record: 0, rows: { from: 0, to: 0 } }], nextrow: 0 },
        };
      }
      // Only load tells its client of a collision; every other method is repeated by the server and then sees the other's commit.
      const startedAt = methodName === 'load' ? work.startedAt : this.db.store.commits;
      const guard = recordGuard(this.db, this.faults, { model: modelName, method: methodName });
      const { result, saved } = execute(this.db, { spec, modelName, methodName, bound, limited: work.limited, startedAt, guard });
      if (methodName === 'load' && result.ids) records = result.ids.length;
      if (saved) await saved;
      return { records, result };
    } catch (error) {
      return { records, error: error.odooName ? error : asInternal(error) };
    }
  }

  takeWorker() {
    if (!this.settings.workers || this.busy < this.settings.workers) {
      this.busy += 1;
      return undefined;
    }
    return new Promise((resolve) => this.waiting.push(resolve));
  }
  giveWorker() {
    const next = this.waiting.shift();
    if (next) next();
    else this.busy -= 1;
  }

  // ---- answers
  knowsDatabase(name) {
    return name === undefined || name === this.settings.database;
  }
  isKey(key) {
    return key !== undefined && (key === this.settings.apiKey || key === this.settings.limitedApiKey);
  }
  fail(response, error) {
    return this.send(response, error.status ?? 500, 'application/json; charset=utf-8', toJson(errorBody(error)));
  }
  refuseWith(response, rule) {
    const status = rule.status ?? 500;
    const extra = rule.retry_after === undefined ? {} : { 'Retry-After': String(rule.retry_after) };
    if (rule.name)
      return this.send(
        response,
        status,
        'application/json; charset=utf-8',
        toJson(errorBody(new OdooError(rule.name, status, rule.message ?? rule.name))),
        extra,
      );
    return this.send(response, status, 'text/html; charset=utf-8', htmlError(status), extra);
  }
  malformed(response) {
    return this.send(response, 200, 'application/json; charset=utf-8', '{"ids": [1, 2');
  }
  html(response, status) {
    return this.send(response, status, 'text/html; charset=utf-8', htmlError(status));
  }
  send(response, status, type, text, extra = {}) {
    if (response.destroyed || response.headersSent) return;
    const body = Buffer.from(text);
    response.writeHead(status, { 'Content-Type': type, 'Content-Length': body.length, Connection: 'close', ...extra });
    response.end(body);
  }
}

class ClientGone extends Error {}

function readBody(request) {
  return new Promise((resolve, reject) => {
    const chunks = [];
    let size = 0;
    request.on('data', (chunk) => {
      size += chunk.length;
      if (size <= kBodyMax) return chunks.push(chunk);
      const error = new Error('the body is too large');
      error.httpStatus = 413;
      return reject(error);
    });
    request.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    request.on('error', () => reject(new ClientGone()));
    request.on('aborted', () => reject(new ClientGone()));
  });
}

function asInternal(error) {
  process.stderr.write(`${error.stack}\n`);
  const wrapped = valueError(error.message);
  wrapped.odooName = `builtins.${error instanceof TypeError ? 'TypeError' : 'RuntimeError'}`;
  return wrapped;
}

// The older door knows no HTTP exceptions: an unknown model is a KeyError-like failure of the object service.
function asServerError(error, modelName) {
  if (error.status === 404) return new OdooError('builtins.KeyError', 500, modelName);
  return new OdooError('builtins.TypeError', 500, error.message);
}
