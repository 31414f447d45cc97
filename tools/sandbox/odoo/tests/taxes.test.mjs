// The sandbox's totals: what was observed of Odoo, and the rule it was compared with, computed here in exact integers.
import assert from 'node:assert/strict';
import test from 'node:test';
import { pythonFloatText, roundHalfUp, toJson, PyFloat } from '../rounding.mjs';
import { documentTotals } from '../taxes.mjs';

const tax = (amount, priceInclude = false, id = amount) => ({ id, amount, amountType: 'percent', priceInclude, includeBaseAmount: false });
const line = (priceUnit, quantity, discount, ...taxes) => ({ priceUnit, quantity, discount, taxes });
const repeat = (count, made) => Array.from({ length: count }, () => ({ ...made }));

// Net and tax rounded on each line, half up, in exact fractions of 1e-12.
const kScale = 10n ** 12n;
const exact = (number) => {
  const [whole, fraction = ''] = String(number).split('.');
  return BigInt(whole + fraction.padEnd(12, '0')) * 1n;
};
function divided(value, by) {
  const sign = value < 0n ? -1n : 1n;
  return sign * ((sign * value * 2n + by) / (2n * by));
}
const toCents = (value) => divided(value, 10n ** 10n); // 1e-12 → 0.01, half away from zero
function perLineTotal(lines) {
  let total = 0n;
  for (const { priceUnit, quantity, discount, taxes } of lines) {
    const gross = (exact(priceUnit) * exact(quantity) * (exact(100) - exact(discount))) / (kScale * exact(100));
    const cents = toCents(gross);
    total += cents;
    for (const { amount, priceInclude } of taxes) if (!priceInclude) total += divided(cents * exact(amount), exact(100));
  }
  return Number(total) / 100;
}

const kCases = [
  ['3 lines of 0.99 and 20 %', repeat(3, line(0.99, 1, 0, tax(20))), 3.57, 3.56],
  ['5 lines of 1.02 and 20 %', repeat(5, line(1.02, 1, 0, tax(20))), 6.1, 6.12],
  ['10 lines of 19.99 with 20 % inside, less 10 %', repeat(10, line(19.99, 1, 10, tax(20, true))), 179.9, 179.91],
  ['one line of 9.99 with 20 % inside', [line(9.99, 1, 0, tax(20, true))], 9.99, 9.99],
  ['100 and 20 %', [line(100, 1, 0, tax(20))], 120, 120],
  ['3 × 33.33 and 7 %', [line(33.33, 3, 0, tax(7))], 106.99, 106.99],
  ['no tax', [line(12.34, 3, 0)], 37.02, 37.02],
  ['two taxes on top', [line(49.95, 2, 0, tax(5), tax(9.975))], 114.87, 114.87],
  ['two taxes on two lines', [line(10.01, 1, 0, tax(5), tax(9.975)), line(10.01, 1, 0, tax(5), tax(9.975))], 23.02, 23.02],
  ['19 % inside, three prices', [line(11.9, 1, 0, tax(19, true)), line(5.95, 3, 0, tax(19, true)), line(0.01, 1, 0, tax(19, true))], 29.76, 29.76],
  ['a discount line', [line(50, 1, 0, tax(20)), line(-12.34, 1, 0, tax(20))], 45.19, 45.19],
  ['a discount line inside', [line(50, 1, 0, tax(20, true)), line(-5.01, 1, 0, tax(20, true))], 44.99, 44.99],
  ['2 × 0.05 and 8.875 %', [line(0.05, 2, 0, tax(8.875))], 0.11, 0.11],
  ['8 lines of 0.10 and 5 %', repeat(8, line(0.1, 1, 0, tax(5))), 0.88, 0.84],
  ['7 × 14.95 less 15 % and 21 %', [line(14.95, 7, 15, tax(21))], 107.63, 107.63],
  ['rates mixed', [line(19.99, 1, 0, tax(20)), line(4.49, 2, 0, tax(5.5)), line(2.5, 1, 0)], 35.96, 35.96],
  ['10 % inside and shipping', [line(24.95, 2, 0, tax(10, true)), line(4.9, 1, 0, tax(10, true))], 54.8, 54.8],
  ['1,000 × 0.01 and 20 %', [line(0.01, 1000, 0, tax(20))], 12, 12],
];

for (const [name, lines, perLine, globally] of kCases) {
  test(`totals: ${name} is ${perLine} rounded per line, which is the rule computed exactly`, () => {
    assert.equal(documentTotals(lines, { method: 'round_per_line', decimals: 2 }).total, perLine);
    assert.equal(perLineTotal(lines), perLine);
  });
  test(`totals: ${name} is ${globally} rounded globally`, () => {
    assert.equal(documentTotals(lines, { method: 'round_globally', decimals: 2 }).total, globally);
  });
}

test('totals: under round_globally a 9.99 line with tax inside reads 10.0 while the order says 9.99', () => {
  const { total, lines } = documentTotals([line(9.99, 1, 0, tax(20, true))], { method: 'round_globally', decimals: 2 });
  assert.deepEqual([total, lines[0].total, lines[0].subtotal], [9.99, 10, 8.33]);
});

test('totals: the tax of a line is the difference of two doubles', () => {
  const { lines } = documentTotals([line(9.25, 1, 0, tax(20))], { method: 'round_per_line', decimals: 2 });
  assert.equal(pythonFloatText(lines[0].tax), '1.8499999999999996');
});

test('totals: yen have no decimals, dinars three', () => {
  assert.equal(documentTotals([line(12.5, 1, 0, tax(10))], { method: 'round_globally', decimals: 0 }).total, 14);
  assert.equal(documentTotals([line(1.2345, 1, 0)], { method: 'round_globally', decimals: 3 }).total, 1.235);
});

test('rounding: half goes away from zero, also where the double lies just below', () => {
  assert.deepEqual(
    [1.005, 2.675, -1.005, 0.285, 1.0049].map((value) => roundHalfUp(value, 2)),
    [1.01, 2.68, -1.01, 0.29, 1],
  );
});

test('printing: floats as Python prints them', () => {
  assert.deepEqual([10, 0.1, 1e16, 1e24, 0.00001, 123456789012345, -0.5, 5e-7].map(pythonFloatText), [
    '10.0',
    '0.1',
    '1e+16',
    '1e+24',
    '1e-05',
    '123456789012345.0',
    '-0.5',
    '5e-07',
  ]);
  assert.equal(toJson({ a: new PyFloat(2), b: [1, 'x"', null, true] }), '{"a": 2.0, "b": [1, "x\\"", null, true]}');
});
