// Exact amounts: minor units in BigInt, text outside.
const kDigits = { JPY: 0, KRW: 0, VND: 0, CLP: 0, KWD: 3, BHD: 3, TND: 3 };
export const digitsOf = (currency) => kDigits[currency] ?? 2;

export function toMinor(text, currency) {
  const digits = digitsOf(currency);
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(String(text));
  if (!match) throw new Error(`"${text}" is not an amount`);
  const fraction = (match[3] ?? '').padEnd(digits, '0');
  const value = BigInt(match[2] + fraction.slice(0, digits)) + (fraction[digits] >= '5' ? 1n : 0n);
  return match[1] ? -value : value;
}
export function toText(minor, currency) {
  const digits = digitsOf(currency);
  const sign = minor < 0n ? '-' : '';
  const text = String(minor < 0n ? -minor : minor).padStart(digits + 1, '0');
  return digits === 0 ? sign + text : `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}
// a × numerator ÷ denominator, half away from zero.
export function scaled(minor, numerator, denominator) {
  if (denominator === 0n) return 0n;
  const product = minor * numerator;
  const sign = product < 0n !== denominator < 0n ? -1n : 1n;
  const abs = (value) => (value < 0n ? -value : value);
  return sign * ((abs(product) * 2n + abs(denominator)) / (2n * abs(denominator)));
}
const kRate = 1_000_000n;
export const rateOf = (rate) => BigInt(Math.round(Number(rate) * Number(kRate)));
// The tax on, or in, an amount.
export const taxOf = (minor, rate, included) => (included ? scaled(minor, rate, kRate + rate) : scaled(minor, rate, kRate));

export const money = (minor, currency) => ({ amount: toText(minor, currency), currency_code: currency });
// "*_set {shop_money{amount,currency_code}, presentment_money{…}}" (1.8)
export const moneySet = (minor, currency) => ({ shop_money: money(minor, currency), presentment_money: money(minor, currency) });
export const ofSet = (set, currency) => (set ? toMinor(set.shop_money.amount, currency) : 0n);
