// Connections. "Paging: first <= 250; not beyond 25,000 objects" (2.3). A cursor holds the key of its element, so that a page goes on
// where the last ended whatever has changed before it.
import { refuse } from './graphql.mjs';

const kPageMax = 250;
const kObjectsMax = 25_000;

const encode = (cursor) => Buffer.from(JSON.stringify(cursor)).toString('base64url');
function decode(text) {
  try {
    const cursor = JSON.parse(Buffer.from(text, 'base64url').toString());
    if (Array.isArray(cursor) && cursor.length === 2) return cursor;
  } catch {
    // falls through: any text that is not a cursor of ours
  }
  throw refuse(`Invalid cursor for current pagination sort.`, 'BAD_REQUEST');
}

function sizeOf({ first, last }, name) {
  if (first === undefined && last === undefined) throw refuse(`you must provide one of first or last`, 'BAD_REQUEST', { fieldName: name });
  if (first !== undefined && last !== undefined) throw refuse(`providing both first and last is not supported`, 'BAD_REQUEST', { fieldName: name });
  const size = first ?? last;
  if (size < 0 || size > kPageMax)
    throw refuse(`${first === undefined ? 'last' : 'first'} cannot exceed ${kPageMax}`, size < 0 ? 'BAD_REQUEST' : 'MAX_PAGE_SIZE_EXCEEDED');
  return size;
}

// source: {after(key) → iterator of elements behind the key (all without one), keyOf(element), node(element)}.
// A source of `reversed` elements is given as such by its maker.
export class Connection {
  constructor(source, args, info) {
    this.source = source;
    if (args.everything) return; // bulk operations page by themselves
    const size = sizeOf(args, info?.fieldName);
    const from = args.after ? decode(args.after) : null;
    const before = args.before ? decode(args.before) : null;
    this.ordinal = from ? from[0] : 0;
    this.elements = [];
    this.hasNextPage = false;
    this.hasPreviousPage = from !== null;
    if (args.last !== undefined) return this.fromTheEnd(size, from, before);
    if (this.ordinal + size > kObjectsMax + kPageMax)
      throw refuse(`Pagination is limited to ${kObjectsMax} objects. Use a bulk operation or a narrower query.`, 'BAD_REQUEST');
    for (const element of source.after(from?.[1])) {
      if (before && JSON.stringify(source.keyOf(element)) === JSON.stringify(before[1])) break;
      if (this.elements.length === size) {
        this.hasNextPage = true;
        break;
      }
      this.elements.push(element);
    }
  }
  fromTheEnd(size, from, before) {
    for (const element of this.source.after(from?.[1])) {
      if (before && JSON.stringify(this.source.keyOf(element)) === JSON.stringify(before[1])) {
        this.hasNextPage = true;
        break;
      }
      this.elements.push(element);
    }
    this.hasPreviousPage = this.elements.length > size;
    this.ordinal += Math.max(0, this.elements.length - size);
    this.elements = size === 0 ? [] : this.elements.slice(-size);
  }

  cursor(index) {
    return encode([this.ordinal + index + 1, this.source.keyOf(this.elements[index])]);
  }
  get nodes() {
    return this.elements.map((element) => this.source.node(element));
  }
  get edges() {
    return this.elements.map((element, index) => ({ cursor: this.cursor(index), node: this.source.node(element) }));
  }
  get pageInfo() {
    const { length } = this.elements;
    return {
      hasNextPage: this.hasNextPage,
      hasPreviousPage: this.hasPreviousPage,
      startCursor: length ? this.cursor(0) : null,
      endCursor: length ? this.cursor(length - 1) : null,
    };
  }
  get totalCount() {
    return this.elements.length;
  }
  *all() {
    for (const element of this.source.after(undefined)) yield this.source.node(element);
  }
}

// A list that is at hand, in its order; keys are positions unless the elements have better ones.
export function listed(list, args, info, node = (element) => element, keyOf = undefined) {
  const elements = args.reverse ? [...list].reverse() : list;
  const key = keyOf ?? ((element) => elements.indexOf(element));
  return new Connection(
    {
      keyOf: key,
      node,
      *after(from) {
        let start = 0;
        if (from !== undefined) {
          const wanted = JSON.stringify(from);
          start = elements.findIndex((element) => JSON.stringify(key(element)) === wanted) + 1;
        }
        for (let index = start; index < elements.length; index += 1) yield elements[index];
      },
    },
    args,
    info,
  );
}
