// Ids and JSON. "Ids are JSON integers up to 64 bit; Shopify's own samples exceed 2^53" (1.8): such a number travels here as BigInt.

export const gid = (type, id) => `gid://shopify/${type}/${id}`;

// The number of a gid of that type as text, or null.
export function numberOf(text, type) {
  const match = /^gid:\/\/shopify\/([A-Za-z]+)\/(\d+)(\?.*)?$/.exec(text ?? '');
  return match && (type === undefined || match[1] === type) ? match[2] : null;
}
export const typeOf = (text) => /^gid:\/\/shopify\/([A-Za-z]+)\//.exec(text ?? '')?.[1] ?? null;

// A decimal id as JSON writes it: a number while that is exact.
export const jsonId = (text) => (text === null || text === undefined ? null : Number.isSafeInteger(Number(text)) ? Number(text) : BigInt(text));

const kMark = '\u0001';
export const toJson = (value) =>
  JSON.stringify(value, (key, member) => (typeof member === 'bigint' ? `${kMark}${member}` : member)).replace(/"\\u0001(-?\d+)"/g, '$1');

// JSON with integers of any length: those that a double cannot hold become BigInt.
export function fromJson(text) {
  const marked = text.replace(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (token) =>
    token[0] !== '"' && /^-?\d{16,}$/.test(token) ? `"\\u0001${token}"` : token,
  );
  return JSON.parse(marked, (key, value) => {
    if (typeof value !== 'string' || value[0] !== kMark) return value;
    const number = BigInt(value.slice(1));
    return BigInt(Number(number)) === number && Number.isSafeInteger(Number(number)) ? Number(number) : number;
  });
}
