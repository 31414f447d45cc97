// Full snapshots as files, CSV and XML, whole or damaged as ordered.
//
// A file is complete when it has its name (written beside and renamed), or when <name>.done is there. CSV ends, if asked, with the
// line `#end rows=<n> sha256=<hex>` over all bytes before it.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

export const kFlaws = {
  truncated: 'breaks off in the middle of a row, without trailer',
  unfinished: 'stays under its temporary name',
  empty: 'has no byte',
  header_only: 'has a header and no rows',
  duplicated: 'has every tenth row twice',
  utf16: 'is UTF-16 with a byte order mark',
  latin1: 'is Latin-1, with a letter in a SKU that is not UTF-8',
  delimiter: 'has tabs where it should have the delimiter',
  shrunken: 'has a tenth of the rows',
};

const kChunkBytes = 512 * 1024;
const xml = (text) => String(text).replace(/[<>&"']/g, (letter) => `&#${letter.charCodeAt(0)};`);

function* csvLines(rows, { delimiter, observedAt, unit }) {
  const field = (value) => (/["\r\n]/.test(value) || String(value).includes(delimiter) ? `"${String(value).replaceAll('"', '""')}"` : value);
  yield `${['sku', 'location', 'quantity', 'unit', 'observed_at'].join(delimiter)}\n`;
  for (const [place, sku, quantity] of rows)
    yield `${field(sku)}${delimiter}${field(place)}${delimiter}${quantity}${delimiter}${unit}${delimiter}${observedAt}\n`;
}
function* xmlLines(rows, { observedAt, unit, snapshotId }) {
  yield `<?xml version="1.0" encoding="UTF-8"?>\n<stock snapshot="${xml(snapshotId)}" observed_at="${observedAt}">\n`;
  let count = 0;
  for (const [place, sku, quantity] of rows) {
    count += 1;
    yield `  <level sku="${xml(sku)}" location="${xml(place)}" quantity="${quantity}" unit="${unit}"/>\n`;
  }
  yield `  <end rows="${count}"/>\n</stock>\n`;
}

function* damaged(rows, flaw) {
  let count = 0;
  for (const row of rows) {
    count += 1;
    if (flaw === 'header_only' || (flaw === 'shrunken' && count % 10 !== 1)) continue;
    yield flaw === 'latin1' && count === 1 ? [row[0], `${row[1]}\u00e9`, row[2]] : row;
    if (flaw === 'duplicated' && count % 10 === 1) yield row;
  }
}

// Writes a snapshot of `warehouse`; returns {path, rows, bytes, sha256, complete}. Synchronous: nothing changes meanwhile.
export function writeSnapshot(warehouse, { file, format = 'csv', delimiter = ',', trailer = false, done = false, flaw = null }) {
  if (!['csv', 'xml'].includes(format)) throw new Error(`format "${format}"; known: csv, xml`);
  if (flaw !== null && !(flaw in kFlaws)) throw new Error(`flaw "${flaw}"; known: ${Object.keys(kFlaws).join(', ')}`);
  const observedAt = warehouse.observedAt();
  const options = {
    delimiter: flaw === 'delimiter' ? '\t' : delimiter,
    observedAt,
    unit: warehouse.unit ?? 'piece',
    snapshotId: `${warehouse.name}-${observedAt}`,
  };
  let rows = 0;
  const counted = function* () {
    for (const row of damaged(warehouse.rows(), flaw)) {
      rows += 1;
      yield row;
    }
  };
  const lines = format === 'csv' ? csvLines(counted(), options) : xmlLines(counted(), options);
  const part = path.join(path.dirname(file), `.${path.basename(file)}.part`);
  const digest = crypto.createHash('sha256');
  const encoding = flaw === 'utf16' ? 'utf16le' : flaw === 'latin1' ? 'latin1' : 'utf8';
  const out = fs.openSync(part, 'w');
  let bytes = 0;
  const put = (text) => {
    const chunk = Buffer.from(text, encoding);
    digest.update(chunk);
    bytes += fs.writeSync(out, chunk);
  };
  try {
    if (flaw !== 'empty') {
      if (flaw === 'utf16') put('\ufeff');
      let text = '';
      for (const line of lines) {
        text += line;
        if (text.length >= kChunkBytes) {
          put(text);
          text = '';
        }
      }
      put(text);
      const sha256 = digest.copy().digest('hex');
      if (trailer && format === 'csv' && flaw !== 'truncated') put(`#end rows=${rows} sha256=${sha256}\n`);
    }
    if (flaw === 'truncated') {
      bytes = Math.max(1, bytes - 7);
      fs.ftruncateSync(out, bytes);
    }
    fs.fsyncSync(out);
  } finally {
    fs.closeSync(out);
  }
  if (flaw === 'unfinished') return { path: part, rows, bytes, complete: false };
  fs.renameSync(part, file);
  if (done) fs.writeFileSync(`${file}.done`, '');
  return { path: file, rows, bytes, complete: true };
}
