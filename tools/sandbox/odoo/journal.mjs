// Keeps committed transactions across a kill: a file of JSON lines, written and fsynced before a request is answered.
// Transactions that commit while a sync runs share the next one. At start the file is replayed and rewritten as one snapshot.
import fs from 'node:fs';

const kSnapshotChunk = 2000;

export class Journal {
  constructor(file) {
    this.file = file;
    this.pending = [];
    this.syncing = false;
  }

  // Brings `store` to the state of the last commit; an incomplete last line (the kill came while it was written) is dropped.
  restore(store) {
    let text = '';
    if (fs.existsSync(this.file)) text = fs.readFileSync(this.file, 'utf8');
    const end = text.lastIndexOf('\n');
    let restored = 0;
    let from = 0;
    while (from <= end) {
      const to = text.indexOf('\n', from);
      store.apply(text.slice(from, to));
      restored += 1;
      from = to + 1;
    }
    this.rewrite(store);
    store.journal = this;
    return restored > 0;
  }

  rewrite(store) {
    const fresh = this.file + '.new';
    const out = fs.openSync(fresh, 'w');
    let rows = [];
    const flush = () => {
      fs.writeSync(out, JSON.stringify({ c: store.commits, s: store.sequences, r: rows }) + '\n');
      rows = [];
    };
    for (const [model, table] of store.tables) {
      for (const record of table.rows.values()) {
        rows.push([model, record]);
        if (rows.length >= kSnapshotChunk) flush();
      }
    }
    flush();
    fs.fsyncSync(out);
    fs.closeSync(out);
    fs.renameSync(fresh, this.file);
    this.out = fs.openSync(this.file, 'a');
  }

  append(line) {
    return new Promise((resolve, reject) => {
      this.pending.push({ line, resolve, reject });
      if (!this.syncing) this.sync();
    });
  }

  sync() {
    this.syncing = true;
    const batch = this.pending;
    this.pending = [];
    fs.appendFile(this.out, batch.map((entry) => entry.line + '\n').join(''), (writeError) => {
      if (writeError) return this.settle(batch, writeError);
      return fs.fdatasync(this.out, (syncError) => this.settle(batch, syncError));
    });
  }

  settle(batch, error) {
    for (const entry of batch) error ? entry.reject(error) : entry.resolve();
    this.syncing = false;
    if (this.pending.length > 0) this.sync();
  }
}
