// Search domains: prefix lists of [field, operator, value] with '&', '|' and '!'. An index answers one equality, the rest is filtered.
import { valueError } from './errors.mjs';

const kOperators = new Set([
  '=',
  '!=',
  '>',
  '>=',
  '<',
  '<=',
  'in',
  'not in',
  'like',
  'ilike',
  'not like',
  'not ilike',
  '=like',
  '=ilike',
  'child_of',
]);

// → a tree of {and: […]}, {or: […]}, {not: x}, {field, operator, value}
export function parseDomain(domain) {
  if (!Array.isArray(domain)) throw valueError(`Domain() invalid item in domain: ${JSON.stringify(domain)}`);
  let at = 0;
  const term = () => {
    if (at >= domain.length) throw valueError(`Domain ${JSON.stringify(domain)} is malformed`);
    const item = domain[at];
    at += 1;
    if (item === '&' || item === '|') {
      const left = term();
      const right = term();
      return item === '&' ? { and: [left, right] } : { or: [left, right] };
    }
    if (item === '!') return { not: term() };
    if (Array.isArray(item) && item.length === 3) {
      if (typeof item[0] === 'number') return { constant: item[0] === item[2] };
      if (!kOperators.has(item[1])) throw valueError(`Invalid operator ${JSON.stringify(item[1])} in domain term ${JSON.stringify(item)}`);
      return { field: String(item[0]), operator: item[1], value: item[2] };
    }
    throw valueError(`Domain() invalid item in domain: ${JSON.stringify(item)}`);
  };
  const terms = [];
  while (at < domain.length) terms.push(term());
  return { and: terms };
}

function likePattern(text, flags, anchored) {
  const escaped = text
    .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replace(/%/g, '.*')
    .replace(/_/g, '.');
  return new RegExp(anchored ? `^${escaped}$` : escaped, flags + 's');
}

const isEmpty = (value) => value === null || value === undefined || value === false || value === '' || (Array.isArray(value) && value.length === 0);

function compare(left, operator, right) {
  if (operator === '>') return left > right;
  if (operator === '>=') return left >= right;
  if (operator === '<') return left < right;
  return left <= right;
}

export class Matcher {
  constructor(env, model, domain) {
    this.env = env;
    this.model = model;
    this.tree = typeof domain.and === 'undefined' ? parseDomain(domain) : domain;
  }

  mentions(name, node = this.tree) {
    if (node.and || node.or) return (node.and ?? node.or).some((child) => this.mentions(name, child));
    if (node.not) return this.mentions(name, node.not);
    return node.field === name;
  }

  // Records an index can name; null when none helps.
  candidates() {
    const table = this.env.db.store.table(this.model.name);
    for (const term of this.tree.and) {
      if (!term.field || (term.operator !== '=' && term.operator !== 'in')) continue;
      const wanted = term.operator === '=' ? [term.value] : term.value;
      if (!Array.isArray(wanted) || wanted.some(isEmpty)) continue;
      if (term.field === 'id') return unique(wanted.map((id) => table.get(id)).filter(Boolean));
      if (table.indexes.has(term.field)) return unique(wanted.flatMap((key) => table.by(term.field, key)));
    }
    if (this.model.name === 'ir.model.data') return this.externalIdCandidates();
    return null;
  }

  externalIdCandidates() {
    const module = this.tree.and.find((term) => term.field === 'module' && term.operator === '=');
    const name = this.tree.and.find((term) => term.field === 'name' && (term.operator === '=' || term.operator === 'in'));
    if (!module || !name) return null;
    const names = name.operator === '=' ? [name.value] : name.value;
    return unique(names.map((each) => this.env.db.store.externalIds.find(`${module.value}.${each}`)).filter(Boolean));
  }

  matches(record, node = this.tree) {
    if (node.and) return node.and.every((child) => this.matches(record, child));
    if (node.or) return node.or.some((child) => this.matches(record, child));
    if (node.not) return !this.matches(record, node.not);
    if ('constant' in node) return node.constant;
    return this.matchesTerm(record, node);
  }

  matchesTerm(record, { field, operator, value }) {
    const [head, ...rest] = field.split('.');
    const spec = this.model.fields.get(head);
    if (!spec) throw valueError(`Invalid field ${this.model.name}.${head} in condition ('${head}', '${operator}', ...)`);
    const found = this.env.rawValue(this.model, record, head);
    if (rest.length > 0) {
      const related = this.env.db.schema.get(spec.relation);
      const inner = new Matcher(this.env, related, { and: [{ field: rest.join('.'), operator, value }] });
      const ids = Array.isArray(found) ? found : isEmpty(found) ? [] : [found];
      return ids.some((id) => inner.matches(this.env.db.store.table(spec.relation).get(id)));
    }
    if (operator === 'child_of') return this.childOf(spec, found, record, value);
    const number = spec.type === 'float' || spec.type === 'monetary' || spec.type === 'integer';
    const values = Array.isArray(found) ? found : [number && isEmpty(found) ? 0 : found];
    const equals = (left, right) =>
      isEmpty(right) && !number
        ? isEmpty(left)
        : left === right || (typeof right === 'string' && spec.relation && this.displayName(spec, left) === right);
    const any = (right) => (values.length === 0 ? isEmpty(right) : values.some((left) => equals(left, right)));
    switch (operator) {
      case '=':
        return Array.isArray(value) ? value.some(any) : any(value);
      case '!=':
        return Array.isArray(value) ? !value.some(any) : !any(value);
      case 'in':
        return (Array.isArray(value) ? value : [value]).some(any);
      case 'not in':
        return !(Array.isArray(value) ? value : [value]).some(any);
      case '>':
      case '>=':
      case '<':
      case '<=':
        return values.some((left) => (!isEmpty(left) || number ? compare(left, operator, value) : false));
      default:
        return this.matchesLike(spec, values, operator, value);
    }
  }

  matchesLike(spec, values, operator, value) {
    const negated = operator.startsWith('not ');
    const plain = negated ? operator.slice(4) : operator;
    const pattern = likePattern(String(value), plain.includes('ilike') ? 'i' : '', plain.startsWith('='));
    const hit = values.some((left) => !isEmpty(left) && pattern.test(spec.relation ? this.displayName(spec, left) : String(left)));
    return negated ? !hit : hit;
  }

  displayName(spec, id) {
    return isEmpty(id) ? '' : this.env.displayName(spec.relation, id);
  }

  childOf(spec, found, record, value) {
    const roots = new Set(Array.isArray(value) ? value : [value]);
    let id = spec.relation ? found : record.id;
    const table = this.env.db.store.table(spec.relation ?? this.model.name);
    for (let depth = 0; id && depth < 50; depth += 1) {
      if (roots.has(id)) return true;
      const row = table.get(id);
      id = row?.parent_id ?? row?.location_id; // A location's parent has another name.
    }
    return false;
  }

  search() {
    const known = this.candidates();
    const found = [];
    const rows = known ?? this.env.db.store.table(this.model.name).rows.values();
    const hideArchived = this.model.fields.has('active') && this.env.context.active_test !== false && !this.mentions('active');
    for (const record of rows) {
      if (hideArchived && record.active === false) continue;
      if (this.matches(record)) found.push(record);
    }
    return found;
  }
}

function unique(records) {
  return [...new Set(records)];
}

export function sortRecords(records, order) {
  const keys = String(order)
    .split(',')
    .map((part) => {
      const [name, direction = 'asc'] = part.trim().split(/\s+/);
      return { name, sign: direction.toLowerCase() === 'desc' ? -1 : 1 };
    });
  const rank = (value) => (value === null || value === undefined ? '' : value);
  return records.sort((a, b) => {
    for (const { name, sign } of keys) {
      const left = rank(a[name]);
      const right = rank(b[name]);
      if (left < right) return -sign;
      if (left > right) return sign;
    }
    return 0;
  });
}
