// Records in memory: tables with indexes, transactions with undo, external ids.
//
// The process has one thread and every transaction runs to its end without waiting, so isolation needs no locks; what two
// overlapping requests of a real server would do to each other is decided by `startedAt` (see ExternalIds.collides).

export class Transaction {
  // startedAt: the store's commit counter when the request began.
  constructor(store, startedAt = store.commits) {
    this.store = store;
    this.startedAt = startedAt;
    this.touched = new Map(); // record → {table, before}; before === null for a created record
    this.removed = new Map(); // record → table
    this.bound = new Set(); // external ids made by this transaction
  }
  get dirty() {
    return this.touched.size > 0 || this.removed.size > 0;
  }
  // A point to return to: undo() takes back everything after it.
  savepoint() {
    const outer = { touched: this.touched, removed: this.removed };
    this.touched = new Map();
    this.removed = new Map();
    return outer;
  }
  keep(outer) {
    for (const [record, entry] of this.touched) if (!outer.touched.has(record)) outer.touched.set(record, entry);
    for (const [record, table] of this.removed) outer.removed.set(record, table);
    this.touched = outer.touched;
    this.removed = outer.removed;
  }
  undo(outer) {
    for (const [record, table] of this.removed) table.attach(record);
    for (const [record, { table, before }] of this.touched) {
      if (before === null) {
        table.detach(record);
      } else {
        table.unindex(record);
        Object.assign(record, before);
        table.index(record);
      }
    }
    this.touched = outer ? outer.touched : new Map();
    this.removed = outer ? outer.removed : new Map();
  }
}

export class Table {
  // `indexed`: fields whose values lead to their records.
  constructor(model, indexed) {
    this.model = model;
    this.rows = new Map();
    this.nextId = 1;
    this.indexes = new Map(indexed.map((field) => [field, new Map()]));
  }
  get(id) {
    return this.rows.get(id);
  }
  insert(tx, record) {
    record.id = this.nextId;
    this.nextId += 1;
    this.attach(record);
    tx.touched.set(record, { table: this, before: null });
    return record;
  }
  // Every change of a stored record goes through here; lists are replaced, never changed in place.
  update(tx, record, values) {
    if (!tx.touched.has(record)) tx.touched.set(record, { table: this, before: { ...record } });
    let reindex = false;
    for (const field of this.indexes.keys()) if (field in values && values[field] !== record[field]) reindex = true;
    if (reindex) this.unindex(record);
    Object.assign(record, values);
    if (reindex) this.index(record);
  }
  remove(tx, record) {
    if (!this.rows.has(record.id)) return;
    const known = tx.touched.get(record);
    if (known && known.before === null) {
      tx.touched.delete(record);
    } else {
      tx.removed.set(record, this);
    }
    this.detach(record);
  }
  attach(record) {
    this.rows.set(record.id, record);
    if (record.id >= this.nextId) this.nextId = record.id + 1;
    this.index(record);
  }
  detach(record) {
    this.unindex(record);
    this.rows.delete(record.id);
  }
  index(record) {
    for (const [field, index] of this.indexes) {
      const key = record[field];
      if (key === null || key === undefined || key === false || key === '') continue;
      const found = index.get(key);
      if (found === undefined) index.set(key, record);
      else if (Array.isArray(found)) found.push(record);
      else index.set(key, [found, record]);
    }
  }
  unindex(record) {
    for (const [field, index] of this.indexes) {
      const key = record[field];
      const found = index.get(key);
      if (found === undefined) continue;
      if (Array.isArray(found)) {
        const at = found.indexOf(record);
        if (at >= 0) found.splice(at, 1);
        if (found.length === 0) index.delete(key);
      } else if (found === record) {
        index.delete(key);
      }
    }
  }
  // Records whose indexed field has that value.
  by(field, key) {
    const found = this.indexes.get(field).get(key);
    if (found === undefined) return [];
    return Array.isArray(found) ? found : [found];
  }
}

// ir.model.data: rows with complete_name (module.name), model, res_id, noupdate and `committed`, the commit that made them.
class ExternalIdTable extends Table {
  constructor() {
    super('ir.model.data', ['complete_name']);
    this.targets = new Map(); // model → Map(record id → row)
  }
  index(row) {
    super.index(row);
    let ofModel = this.targets.get(row.model);
    if (!ofModel) this.targets.set(row.model, (ofModel = new Map()));
    ofModel.set(row.res_id, row);
  }
  unindex(row) {
    super.unindex(row);
    const ofModel = this.targets.get(row.model);
    if (ofModel?.get(row.res_id) === row) ofModel.delete(row.res_id);
  }
  move(tx, row, model, resId) {
    this.update(tx, row, {}); // Remembers how it was.
    this.unindex(row);
    Object.assign(row, { model, res_id: resId });
    this.index(row);
  }
}

export class ExternalIds {
  constructor(store) {
    this.store = store;
    this.table = new ExternalIdTable();
  }
  find(completeName) {
    return this.table.by('complete_name', completeName)[0];
  }
  of(model, id) {
    return this.table.targets.get(model)?.get(id);
  }
  bind(tx, completeName, model, resId, noupdate) {
    const existing = this.find(completeName);
    if (existing) {
      this.table.move(tx, existing, model, resId);
      return existing;
    }
    const entry = this.table.insert(tx, { id: 0, complete_name: completeName, model, res_id: resId, noupdate, committed: this.store.commits + 1 });
    tx.bound.add(entry);
    return entry;
  }
  // Created by a transaction that committed after `tx` began: under repeatable read `tx` does not see it and fails on the index.
  collides(tx, entry) {
    return entry.committed > tx.startedAt && !tx.bound.has(entry);
  }
  forget(tx, model, id) {
    const entry = this.of(model, id);
    if (entry) this.table.remove(tx, entry);
  }
}

export class Store {
  constructor() {
    this.commits = 0;
    this.tables = new Map();
    this.sequences = {};
    this.externalIds = new ExternalIds(this);
    this.tables.set('ir.model.data', this.externalIds.table);
    this.journal = null;
  }
  addTable(model, indexed) {
    const table = new Table(model, indexed);
    this.tables.set(model, table);
    return table;
  }
  table(model) {
    return this.tables.get(model);
  }
  next(sequence, prefix, width) {
    this.sequences[sequence] = (this.sequences[sequence] ?? 0) + 1;
    return prefix + String(this.sequences[sequence]).padStart(width, '0');
  }
  // Makes the transaction's changes final. Resolves when they are on disk (at once without a journal).
  commit(tx) {
    if (!tx.dirty) return undefined;
    this.commits += 1;
    if (!this.journal) return undefined;
    const changes = [];
    for (const [record, { table }] of tx.touched) changes.push([table.model, record]);
    for (const [record, table] of tx.removed) changes.push([table.model, record.id]);
    return this.journal.append(JSON.stringify({ c: this.commits, s: this.sequences, r: changes }));
  }
  // Replays one journal line.
  apply(line) {
    const entry = JSON.parse(line);
    this.commits = entry.c;
    this.sequences = entry.s;
    for (const [model, change] of entry.r) {
      const table = this.tables.get(model);
      if (!table) continue;
      const id = typeof change === 'number' ? change : change.id;
      const known = table.rows.get(id);
      if (known) table.detach(known);
      if (typeof change !== 'number') table.attach(change);
    }
  }
}
