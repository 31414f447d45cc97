// Records as a client sees them: search, read, create, write, unlink, with the coercions and refusals of the server.
import { Matcher, sortRecords } from './domain.mjs';
import { accessError, missingError, valueError } from './errors.mjs';
import { PyFloat, roundHalfUp } from './rounding.mjs';
import { isDate, isDatetime, now } from './timezone.mjs';

export const kNone = Object.freeze([]);

export class Database {
  constructor({ schema, names, store, behaviours, settings }) {
    this.schema = schema;
    this.names = names;
    this.store = store;
    this.behaviours = behaviours;
    this.settings = settings;
    this.rows = new Map();
    for (const [name, model] of schema) {
      if (!store.table(name)) store.addTable(name, model.indexed);
      const blank = { id: 0 };
      for (const [field, spec] of model.fields) {
        if (field === 'id' || spec.store === false || spec.type === 'one2many') continue;
        blank[field] = blankValue(spec);
      }
      if (model.fields.has('active')) blank.active = true;
      if (name === 'sale.order.line') blank.invoiced_by = kNone;
      this.rows.set(name, rowMaker(blank));
    }
  }
}

// A constructor that sets every stored field, so that all rows of a model share one shape (an object literal spread does not).
function rowMaker(blank) {
  const fields = Object.keys(blank).map((field) => `this.${field} = ${blank[field] === kNone ? 'none' : JSON.stringify(blank[field])};`);
  return new Function('none', `return function Row() { ${fields.join(' ')} };`)(kNone);
}

function blankValue(spec) {
  if (spec.type === 'float' || spec.type === 'monetary' || spec.type === 'integer') return 0;
  if (spec.type === 'boolean') return false;
  if (spec.type === 'many2many') return kNone;
  return null;
}

export class Env {
  constructor(db, tx, { context = {}, limited = false, uid = 2 } = {}) {
    this.db = db;
    this.tx = tx;
    this.context = context;
    this.limited = limited;
    this.uid = uid;
    this.companyId = this.checkedCompany();
  }

  checkedCompany() {
    const allowed = this.context.allowed_company_ids;
    if (!Array.isArray(allowed) || allowed.length === 0) return 1;
    const companies = this.db.store.table('res.company');
    if (allowed.some((id) => !companies.get(id))) throw accessError('Access to unauthorized or invalid companies.');
    return allowed[0];
  }

  model(name) {
    return this.db.schema.get(name);
  }
  table(name) {
    return this.db.store.table(name);
  }
  behaviour(name) {
    return this.db.behaviours[name] ?? {};
  }
  field(model, name) {
    const spec = model.fields.get(name);
    if (!spec) throw valueError(`Invalid field '${name}' in '${model.name}'`);
    return spec;
  }
  existing(model, id) {
    const record = this.table(model).get(id);
    if (!record) throw missingError(model, id, this.uid);
    return record;
  }

  // The stored or computed value of a field, unformatted.
  rawValue(model, record, name) {
    const spec = model.fields.get(name);
    if (spec.compute) return this.behaviour(model.name).computes[spec.compute](this, record);
    if (name === 'display_name') return this.displayName(model.name, record.id);
    if (spec.type === 'one2many') return this.children(spec, record).map((child) => child.id);
    return record[name];
  }

  children(spec, record) {
    const model = this.model(spec.relation);
    return sortRecords(this.table(spec.relation).by(spec.inverse, record.id).slice(), model.fields.has('sequence') ? 'sequence, id' : 'id');
  }

  displayName(modelName, id) {
    const record = this.table(modelName)?.get(id);
    if (!record) return '';
    const name = record[this.model(modelName).rec_name];
    if (modelName === 'product.product' && record.default_code) return `[${record.default_code}] ${name}`;
    return name === null || name === undefined ? '' : String(name);
  }

  // A value as the API shows it.
  shown(model, record, name) {
    const spec = model.fields.get(name);
    const value = this.rawValue(model, record, name);
    switch (spec.type) {
      case 'many2one':
        return value ? [value, this.displayName(spec.relation, value)] : false;
      case 'one2many':
      case 'many2many':
        return value ?? kNone;
      case 'float':
      case 'monetary':
        return new PyFloat(value ?? 0);
      case 'integer':
        return value ?? 0;
      case 'boolean':
        return Boolean(value);
      default:
        return value === null || value === undefined || value === '' ? false : value;
    }
  }

  // ---- reading
  read(modelName, ids, fields) {
    const model = this.model(modelName);
    const names = fields && fields.length > 0 ? fields : [...model.fields.keys()];
    for (const name of names) this.field(model, name);
    const rows = [];
    for (const id of ids) {
      const record = this.table(modelName).get(id);
      if (!record) continue; // Ids that are gone are left out without a word.
      const row = { id };
      for (const name of names) if (name !== 'id') row[name] = this.shown(model, record, name);
      rows.push(row);
    }
    return rows;
  }

  search(modelName, domain, { offset = 0, limit, order } = {}) {
    if (modelName === 'ir.model.data' && this.limited) {
      throw accessError(
        "You are not allowed to access 'Model Data' (ir.model.data) records.\n\nThis operation is allowed for the following groups:\n\t- Administration/Access Rights",
      );
    }
    const model = this.model(modelName);
    const found = sortRecords(new Matcher(this, model, domain).search(), order || model.order);
    return found.slice(offset || 0, limit ? (offset || 0) + limit : undefined).map((record) => record.id);
  }

  nameSearch(modelName, name, { domain = [], operator = 'ilike', limit = 100 } = {}) {
    const model = this.model(modelName);
    const terms = name === '' ? domain : [...domain, [model.rec_name, operator, name]];
    return this.search(modelName, terms, { limit }).map((id) => [id, this.displayName(modelName, id)]);
  }

  fieldsGet(modelName, allfields, attributes) {
    const model = this.model(modelName);
    const described = {};
    for (const name of allfields && allfields.length > 0 ? allfields : model.fields.keys()) {
      const spec = model.fields.get(name);
      if (!spec) continue;
      const all = {
        type: spec.type,
        string: spec.string,
        required: Boolean(spec.required),
        readonly: Boolean(spec.readonly),
        store: spec.store !== false,
        searchable: spec.store !== false,
        name,
      };
      if (spec.relation) all.relation = spec.relation;
      if (spec.inverse) all.relation_field = spec.inverse;
      if (spec.selection) all.selection = spec.selection;
      const keep = attributes && attributes.length > 0 ? attributes : Object.keys(all);
      described[name] = Object.fromEntries(keep.filter((key) => key in all).map((key) => [key, all[key]]));
    }
    return described;
  }

  // ---- writing
  // Values of plain fields, checked; x2many lines are returned apart as {field: commands}.
  coerceAll(modelName, values) {
    const model = this.model(modelName);
    const plain = {};
    const children = {};
    for (const [name, value] of Object.entries(values)) {
      if (name === 'id') continue;
      const spec = this.field(model, name);
      if (spec.type === 'one2many') {
        if (Array.isArray(value) && !spec.compute) children[name] = value;
        continue;
      }
      if (spec.store === false) continue;
      plain[name] = this.coerce(model, name, spec, value);
    }
    return { plain, children };
  }

  coerce(model, name, spec, value) {
    const empty = value === false || value === null || value === undefined;
    switch (spec.type) {
      case 'char':
      case 'text':
      case 'html': {
        if (empty || value === '') return null;
        const text = String(value);
        if (text.includes('\u0000')) throw valueError('A string literal cannot contain NUL (0x00) characters.');
        return text;
      }
      case 'integer':
        if (empty) return 0;
        if (!Number.isInteger(Number(value))) throw valueError(`invalid literal for int() with base 10: '${value}'`);
        return Number(value);
      case 'float':
      case 'monetary': {
        if (empty) return 0;
        const number = typeof value === 'number' ? value : parseFloatStrict(value);
        if (number === undefined) throw valueError(`could not convert string to float: '${value}'`);
        return spec.digits === undefined ? number : roundHalfUp(number, spec.digits);
      }
      case 'boolean':
        return Boolean(value);
      case 'date':
      case 'datetime':
        if (empty || value === '') return null;
        if (!(spec.type === 'date' ? isDate : isDatetime)(String(value))) {
          throw valueError(`time data '${value}' does not match format '${spec.type === 'date' ? '%Y-%m-%d' : '%Y-%m-%d %H:%M:%S'}'`);
        }
        return value;
      case 'selection':
        if (empty || value === '') return null;
        if (!spec.selection.some(([key]) => key === value)) throw valueError(`Wrong value for ${model.name}.${name}: '${value}'`);
        return value;
      case 'many2one':
        if (empty) return null;
        if (!Number.isInteger(value)) throw valueError(`Wrong value for ${model.name}.${name}: ${JSON.stringify(value)}`);
        this.existing(spec.relation, value);
        return value;
      case 'many2many':
        return this.linked(spec, value);
      default:
        return value;
    }
  }

  linked(spec, value) {
    if (value === false || value === null) return kNone;
    if (!Array.isArray(value)) throw valueError(`Wrong value for a list of ${spec.relation}: ${JSON.stringify(value)}`);
    let ids = [];
    for (const item of value) {
      if (Number.isInteger(item)) ids.push(item);
      else if (item[0] === 6) ids = item[2].slice();
      else if (item[0] === 5) ids = [];
      else if (item[0] === 4) ids.push(item[1]);
      else if (item[0] === 3) ids = ids.filter((id) => id !== item[1]);
      else throw valueError(`Wrong value for a list of ${spec.relation}: ${JSON.stringify(item)}`);
    }
    for (const id of ids) this.existing(spec.relation, id);
    return ids;
  }

  create(modelName, values) {
    const behaviour = this.behaviour(modelName);
    if (behaviour.mayCreate) behaviour.mayCreate(this, values);
    const { plain, children } = this.coerceAll(modelName, values);
    const stamp = now();
    const Row = this.db.rows.get(modelName);
    const record = Object.assign(new Row(), plain);
    record.create_date = stamp;
    record.write_date = stamp;
    if (behaviour.prepare) behaviour.prepare(this, record, plain);
    this.checkRequired(modelName, record);
    this.table(modelName).insert(this.tx, record);
    for (const [name, commands] of Object.entries(children)) this.applyLines(modelName, record, name, commands, true);
    if (behaviour.created) behaviour.created(this, record, plain);
    return record;
  }

  checkRequired(modelName, record) {
    for (const [name, spec] of this.model(modelName).fields) {
      if (spec.required && spec.store !== false && (record[name] === null || record[name] === undefined)) {
        const error = valueError(`Missing required value for the field '${spec.string}' (${name})`);
        error.odooName = 'psycopg2.errors.NotNullViolation';
        throw error;
      }
    }
  }

  write(modelName, ids, values) {
    const records = ids.map((id) => this.existing(modelName, id));
    const behaviour = this.behaviour(modelName);
    const { plain, children } = this.coerceAll(modelName, values);
    for (const record of records) {
      if (behaviour.mayWrite) behaviour.mayWrite(this, record, plain, children);
      this.set(modelName, record, { ...plain, write_date: now() });
      for (const [name, commands] of Object.entries(children)) this.applyLines(modelName, record, name, commands, false);
      if (behaviour.written) behaviour.written(this, record, plain, children);
    }
    return true;
  }

  // A change without the rules of write(): the server's own bookkeeping.
  set(modelName, record, values) {
    this.table(modelName).update(this.tx, record, values);
  }

  applyLines(modelName, record, name, commands, creating) {
    const spec = this.model(modelName).fields.get(name);
    for (const command of commands) {
      const [code, id, values, external] = command;
      if (code === 0) this.createLine(spec, record, values, external);
      else if (code === 1) this.write(spec.relation, [id], external ? { ...values, [spec.inverse]: record.id } : values);
      else if (code === 2 || code === 3) this.unlink(spec.relation, [id]);
      else if (code === 4) this.write(spec.relation, [id], { [spec.inverse]: record.id });
      else if (code === 5 && !creating)
        this.unlink(
          spec.relation,
          this.children(spec, record).map((child) => child.id),
        );
      else if (code === 6) for (const each of values) this.write(spec.relation, [each], { [spec.inverse]: record.id });
    }
  }

  // `external` comes from load() only: the external id of the new line.
  createLine(spec, record, values, external) {
    const line = this.create(spec.relation, { ...values, [spec.inverse]: record.id });
    if (external) this.db.store.externalIds.bind(this.tx, external.externalId, spec.relation, line.id, external.noupdate);
    return line;
  }

  unlink(modelName, ids) {
    const records = ids.map((id) => this.existing(modelName, id));
    const behaviour = this.behaviour(modelName);
    for (const record of records) {
      if (behaviour.mayUnlink) behaviour.mayUnlink(this, record);
      for (const spec of this.model(modelName).fields.values()) {
        if (spec.type === 'one2many' && !spec.compute && spec.relation !== modelName) {
          for (const child of this.children(spec, record)) this.drop(spec.relation, child);
        }
      }
      this.drop(modelName, record);
      if (behaviour.unlinked) behaviour.unlinked(this, record);
    }
    return true;
  }

  drop(modelName, record) {
    this.table(modelName).remove(this.tx, record);
    this.db.store.externalIds.forget(this.tx, modelName, record.id);
  }
}

const kFloat = /^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$/;

export function parseFloatStrict(text) {
  return kFloat.test(String(text)) ? Number(text) : undefined;
}
