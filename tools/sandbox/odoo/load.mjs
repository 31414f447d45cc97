// load(fields, data): the import door of Odoo, with what it was seen to do.
//
//   context mode=update with noupdate=true   create once: a known external id answers its id and nothing changes
//   otherwise                                an upsert that overwrites
//   any message of type error                everything is rolled back, ids is false, the status stays 200
//
// An error that is a UserError is listed twice: once at record 0 (the failed attempt for the whole batch is put down to its first
// record) and once at the record it belongs to. A collision with a transaction that committed meanwhile is a message too.
import { assertionError, kCouldNotSerialize, kTransactionAborted, serializationFailure, validationError, valueError } from './errors.mjs';
import { parseFloatStrict } from './orm.mjs';
import { fromZone, isDate, isDatetime } from './timezone.mjs';

const kErrorsMax = 10;
const kTooMany = 'Found more than 10 errors and more than one error per 10 records, interrupted to avoid showing too many errors.';
const kTrue = new Set(['1', 'true', 'yes']);
const kFalse = new Set(['0', 'false', 'no']);

const isEmptyCell = (cell) => cell === '' || cell === false || cell === null || cell === undefined;

class CellError extends Error {
  constructor(message, field, path) {
    super(message);
    this.field = field;
    this.path = path;
  }
}

// Header → {own: [column], lines: Map(field → {spec, columns, plan})}; a column is {at, name, spec, by}.
function compile(env, modelName, fields) {
  const model = env.model(modelName);
  const plan = { own: [], lines: new Map() };
  fields.forEach((header, at) => addColumn(env, model, plan, header.split('/'), at));
  return plan;
}

function addColumn(env, model, plan, [name, ...rest], at) {
  if (name === 'id' || name === '.id') {
    plan.own.push({ at, name, by: name === 'id' ? 'external' : 'database' });
    return;
  }
  const spec = model.fields.get(name);
  if (!spec) throw valueError(`Invalid field '${name}' on model '${model.name}'`);
  if (spec.type === 'one2many') {
    if (rest.length === 0) throw valueError(`Invalid field '${name}' on model '${model.name}'`);
    if (!plan.lines.has(name)) plan.lines.set(name, { spec, columns: [], plan: { own: [], lines: new Map() } });
    const nested = plan.lines.get(name);
    nested.columns.push(at);
    addColumn(env, env.model(spec.relation), nested.plan, rest, at);
    return;
  }
  const by = rest.length === 0 ? 'value' : rest[0] === 'id' ? 'external' : rest[0] === '.id' ? 'database' : undefined;
  if (by === undefined || (rest.length > 0 && !spec.relation))
    throw valueError(`Invalid field '${[name, ...rest].join('/')}' on model '${model.name}'`);
  plan.own.push({ at, name, spec, by });
}

// Rows of each record: a row that fills only line columns continues the record above.
function* extract(plan, data) {
  const lineColumns = [...plan.lines.values()].flatMap((nested) => nested.columns);
  let from = 0;
  while (from < data.length) {
    let to = from;
    while (to + 1 < data.length && continues(plan, lineColumns, data[to + 1])) to += 1;
    yield { from, to };
    from = to + 1;
  }
}

function continues(plan, lineColumns, row) {
  return lineColumns.some((at) => !isEmptyCell(row[at])) && plan.own.every((column) => isEmptyCell(row[column.at]));
}

export class Loader {
  constructor(env, modelName, fields) {
    this.env = env;
    this.modelName = modelName;
    this.plan = compile(env, modelName, fields);
    this.module = env.context.module || '__import__';
    this.createOnce = env.context.mode === 'update';
    this.noupdate = Boolean(env.context.noupdate);
    this.zone = env.context.tz ?? env.db.settings.userTimeZone;
    this.messages = [];
  }

  run(data) {
    const all = this.env.tx.savepoint();
    const ids = [];
    let firstRefusal = null;
    let firstRows = null;
    let aborted = false;
    let record = 0;
    for (const rows of extract(this.plan, data)) {
      firstRows ??= rows;
      const info = { rows: { from: rows.from, to: rows.to }, record };
      record += 1;
      if (aborted) {
        this.messages.push({ ...info, type: 'error', message: kTransactionAborted });
      } else {
        const one = this.env.tx.savepoint();
        try {
          ids.push(this.loadRecord(this.convert(this.modelName, this.plan, data, rows)));
          this.env.tx.keep(one);
        } catch (error) {
          this.env.tx.undo(one);
          if (!this.listed(error, info)) {
            this.env.tx.undo(all);
            throw error;
          }
          if (error.isUserError) firstRefusal ??= error.message;
          aborted = error.message === kCouldNotSerialize;
        }
      }
      if (this.messages.length >= kErrorsMax) {
        this.messages.push({ type: 'warning', message: kTooMany });
        break;
      }
    }
    if (this.messages.length === 0) {
      this.env.tx.keep(all);
      return { ids, messages: [], nextrow: 0 };
    }
    if (firstRefusal !== null && !this.messages.some((each) => each.record === 0 && each.message === firstRefusal)) {
      this.messages.unshift({ rows: { from: firstRows.from, to: firstRows.to }, record: 0, type: 'error', message: firstRefusal });
    }
    this.env.tx.undo(all);
    return { ids: false, messages: this.messages, nextrow: 0 };
  }

  // Whether the error is one that load reports as a message instead of failing.
  listed(error, info) {
    if (error instanceof CellError) {
      this.messages.push({ ...info, type: 'error', message: error.message, field: error.field, field_path: error.path });
      return true;
    }
    if (error.odooName === undefined) return false;
    const database = error.odooName.startsWith('psycopg2.');
    if (error.isUserError || database) {
      this.messages.push({ ...info, type: 'error', message: error.message });
      return true;
    }
    return false;
  }

  // ---- from cells to values
  convert(modelName, plan, data, rows) {
    const row = data[rows.from];
    const converted = { externalId: null, databaseId: null, values: {}, lines: {} };
    for (const column of plan.own) this.convertCell(modelName, column, row[column.at], converted, [column.name]);
    for (const [name, nested] of plan.lines) {
      converted.lines[name] = [];
      for (let at = rows.from; at <= rows.to; at += 1) {
        if (nested.columns.every((column) => isEmptyCell(data[at][column]))) continue;
        const line = { externalId: null, databaseId: null, values: {}, lines: {} };
        for (const column of nested.plan.own) this.convertCell(nested.spec.relation, column, data[at][column.at], line, [name, column.name]);
        converted.lines[name].push(line);
      }
    }
    return converted;
  }

  convertCell(modelName, column, cell, converted, path) {
    const text = isEmptyCell(cell) ? '' : String(cell);
    if (text.includes('\u0000')) throw valueError('A string literal cannot contain NUL (0x00) characters.');
    if (column.name === 'id') {
      if (text !== '') converted.externalId = text.includes('.') ? text : `${this.module}.${text}`;
      return;
    }
    if (column.name === '.id') {
      if (text !== '') converted.databaseId = Number(text);
      return;
    }
    const { spec } = column;
    const refuse = (message) => {
      throw new CellError(message, path[0], path);
    };
    converted.values[column.name] = this.convertValue(modelName, column, spec, text, refuse);
  }

  convertValue(modelName, column, spec, text, refuse) {
    if (spec.relation) {
      if (text === '') return spec.type === 'many2many' ? [] : false;
      if (spec.type === 'many2many') return text.split(',').map((part) => this.resolve(column, spec, part.trim(), refuse));
      return this.resolve(column, spec, text, refuse);
    }
    if (text === '') {
      if (spec.type === 'datetime' && spec.required) throw assertionError('');
      return false;
    }
    switch (spec.type) {
      case 'float':
      case 'monetary': {
        const value = parseFloatStrict(text);
        return value === undefined ? refuse(`'${text}' does not seem to be a number for field '${spec.string}'`) : value;
      }
      case 'integer':
        return /^\s*[-+]?\d+\s*$/.test(text) ? Number(text) : refuse(`'${text}' does not seem to be an integer for field '${spec.string}'`);
      case 'boolean':
        if (kTrue.has(text.toLowerCase())) return true;
        return kFalse.has(text.toLowerCase()) ? false : refuse(`Unknown value '${text}' for boolean field '${spec.string}'`);
      case 'date':
        return isDate(text) ? text : refuse(`'${text}' does not seem to be a valid date for field '${spec.string}'`);
      case 'datetime':
        return isDatetime(text) ? fromZone(text, this.zone) : refuse(`'${text}' does not seem to be a valid datetime for field '${spec.string}'`);
      case 'selection': {
        const found = spec.selection.find(([key, label]) => key === text || label === text);
        return found ? found[0] : refuse(`Value '${text}' not found in selection field '${spec.string}'`);
      }
      default:
        return text;
    }
  }

  resolve(column, spec, text, refuse) {
    if (column.by === 'external') {
      const name = text.includes('.') ? text : `${this.module}.${text}`;
      const entry = this.env.db.store.externalIds.find(name);
      if (!entry || entry.model !== spec.relation || !this.env.table(spec.relation).get(entry.res_id)) {
        return refuse(`No matching record found for external id '${text}' in field '${spec.string}'`);
      }
      return entry.res_id;
    }
    if (column.by === 'database') {
      if (!/^\d+$/.test(text)) return refuse(`Invalid database id '${text}' for the field '${spec.string}'`);
      if (!this.env.table(spec.relation).get(Number(text)))
        return refuse(`No matching record found for database id '${text}' in field '${spec.string}'`);
      return Number(text);
    }
    const [found] = this.byName(spec.relation, text);
    return found ?? refuse(`No matching record found for name '${text}' in field '${spec.string}'`);
  }

  // Countries and states answer to their code as well.
  byName(relation, text) {
    const table = this.env.table(relation);
    if (table.indexes.has('code')) {
      const coded = table.by('code', text.toUpperCase());
      if (coded.length > 0) return coded.map((record) => record.id);
    }
    return this.env.search(relation, [[this.env.model(relation).rec_name, '=', text]], { limit: 2, order: 'id' });
  }

  // ---- from values to records
  loadRecord({ externalId, databaseId, values, lines }) {
    const { env, modelName } = this;
    const commands = {};
    const known = this.known(externalId, modelName);
    env.guard?.(modelName, { externalId, values, record: known });
    if (known && this.createOnce && env.db.store.externalIds.find(externalId).noupdate) return known.id;
    for (const [name, list] of Object.entries(lines)) {
      const spec = env.model(modelName).fields.get(name);
      commands[name] = list.map((line) => this.lineCommand(spec, line));
    }
    if (known || databaseId) {
      const id = known ? known.id : databaseId;
      env.write(modelName, [id], { ...values, ...commands });
      if (!known && externalId) env.db.store.externalIds.bind(env.tx, externalId, modelName, id, this.noupdate);
      return id;
    }
    if (externalId && externalId.includes(' ')) this.refuseSpace();
    const record = env.create(modelName, { ...values, ...commands });
    if (externalId) env.db.store.externalIds.bind(env.tx, externalId, modelName, record.id, this.noupdate);
    return record.id;
  }

  known(externalId, modelName) {
    if (!externalId) return null;
    const { externalIds } = this.env.db.store;
    const entry = externalIds.find(externalId);
    if (!entry) return null;
    if (externalIds.collides(this.env.tx, entry)) throw serializationFailure();
    if (entry.model !== modelName) {
      throw validationError(
        `For external id ${externalId} when trying to create/update a record of model ${modelName} found record of different model ${entry.model} (${entry.res_id})`,
      );
    }
    return this.env.table(modelName).get(entry.res_id) ?? null;
  }

  // A line whose external id exists is moved here and overwritten, wherever it was and whatever its flag says.
  lineCommand(spec, { externalId, values }) {
    const known = this.known(externalId, spec.relation);
    if (known) return [1, known.id, { ...values }, externalId];
    if (externalId && externalId.includes(' ')) this.refuseSpace();
    return [0, 0, values, externalId && { externalId, noupdate: this.noupdate }];
  }

  refuseSpace() {
    const error = valueError('External IDs cannot contain spaces');
    error.odooName = 'psycopg2.errors.CheckViolation';
    throw error;
  }
}
