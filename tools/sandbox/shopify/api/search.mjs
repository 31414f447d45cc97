// Shopify's search syntax: field:value, field:>=value, quotes, AND (also unsaid), OR, NOT and -, parentheses.
// "Quote times." (2.8) An unquoted time breaks at its colons, as there.

function* tokens(text) {
  const pattern =
    /\s+|\(|\)|-(?=[^\s])|([A-Za-z_][\w.]*):(<=|>=|<|>|=)?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\s()]*)|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\s()]+/gy;
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text);
    if (!match) return;
    if (match[0].trim() === '') continue;
    if (match[1] !== undefined) yield { field: match[1], operator: match[2] ?? ':', value: unquoted(match[3]) };
    else yield { word: match[0] };
  }
}
const unquoted = (text) => (/^(['"]).*\1$/s.test(text) ? text.slice(1, -1).replace(/\\(.)/g, '$1') : text);

// → {all: […]}, {any: […]}, {not: …}, {field, operator, value}, {text}; null for an empty query.
export function parseSearch(text) {
  const list = [...tokens(text ?? '')];
  let at = 0;
  const word = () => list[at]?.word;
  const any = () => {
    const parts = [all()];
    while (word() === 'OR') {
      at += 1;
      parts.push(all());
    }
    return parts.length === 1 ? parts[0] : { any: parts.filter(Boolean) };
  };
  const all = () => {
    const parts = [];
    while (at < list.length && word() !== ')' && word() !== 'OR') {
      if (word() === 'AND') at += 1;
      else parts.push(one());
    }
    return parts.length === 0 ? null : parts.length === 1 ? parts[0] : { all: parts };
  };
  const one = () => {
    const token = list[at];
    at += 1;
    if (token === undefined) return { all: [] };
    if (token.field !== undefined) return token;
    if (token.word === 'NOT' || token.word === '-') return { not: one() };
    if (token.word === '(') {
      const inner = any();
      if (word() === ')') at += 1;
      return inner ?? { all: [] };
    }
    return { text: unquoted(token.word) };
  };
  return any();
}

const kTime = /^\d{4}-\d\d-\d\d/;
function compared(actual, operator, wanted) {
  if (actual === null || actual === undefined) return false;
  if (Array.isArray(actual)) return actual.some((element) => compared(element, operator, wanted));
  let left = actual;
  let right = wanted;
  if (kTime.test(wanted) && (typeof actual === 'number' || kTime.test(actual))) {
    left = typeof actual === 'number' ? actual : Date.parse(actual);
    right = Date.parse(wanted);
  } else if (typeof actual === 'number' || (operator !== ':' && operator !== '=')) {
    left = Number(actual);
    right = Number(wanted);
  } else {
    left = String(actual).toLowerCase();
    right = wanted.toLowerCase();
    if (right.endsWith('*')) return left.startsWith(right.slice(0, -1));
  }
  if (operator === '<') return left < right;
  if (operator === '<=') return left <= right;
  if (operator === '>') return left > right;
  if (operator === '>=') return left >= right;
  return left === right;
}

// fields: name → function of the element. A field that is not searchable is passed over, as the real search does with a warning.
export function matcher(tree, fields, text = () => '') {
  if (tree === null) return () => true;
  if (tree.all) {
    const parts = tree.all.map((part) => matcher(part, fields, text));
    return (element) => parts.every((part) => part(element));
  }
  if (tree.any) {
    const parts = tree.any.map((part) => matcher(part, fields, text));
    return (element) => parts.some((part) => part(element));
  }
  if (tree.not) {
    const part = matcher(tree.not, fields, text);
    return (element) => !part(element);
  }
  if (tree.text !== undefined) return (element) => text(element).toLowerCase().includes(tree.text.toLowerCase());
  const read = fields[tree.field];
  if (!read) return () => true;
  return (element) => compared(read(element), tree.operator, tree.value);
}

// The SKUs of a query that is nothing but `sku:… OR sku:…`, or null.
export function onlyValues(tree, field) {
  const parts = tree?.any ?? (tree ? [tree] : []);
  if (
    parts.length === 0 ||
    !parts.every((part) => part.field === field && (part.operator === ':' || part.operator === '=') && !part.value.endsWith('*'))
  )
    return null;
  return parts.map(({ value }) => value);
}

// The bounds a query sets on a time at its top level: {from, to}, both inclusive of what may match.
export function bounds(tree, field) {
  const found = { from: -Infinity, to: Infinity };
  for (const part of tree?.all ?? (tree ? [tree] : [])) {
    if (part.field !== field || !kTime.test(part.value)) continue;
    const at = Date.parse(part.value);
    if (part.operator.startsWith('>')) found.from = Math.max(found.from, at);
    else if (part.operator.startsWith('<')) found.to = Math.min(found.to, at);
    else Object.assign(found, { from: at, to: at });
  }
  return found;
}
