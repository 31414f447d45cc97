// Totals of a document as Odoo 19 computes them, in doubles, for both company settings:
//   round_per_line   net and each tax are rounded on every line, the document adds the lines up
//   round_globally   (the default) nothing is rounded before the document's sums; lines show figures of their own that need not add up
//
// A line is {quantity, priceUnit, discount, taxes: [{id, amount, amountType, priceInclude, includeBaseAmount}]}.
import { roundHalfUp } from './rounding.mjs';

// One line, unrounded under round_globally. Taxes inside the price are taken out together, those on top are added afterwards.
function lineDetails(line, perLine, decimals) {
  const discounted = line.priceUnit * (1 - (line.discount || 0) / 100.0);
  let gross = line.quantity * discounted;
  if (perLine) gross = roundHalfUp(gross, decimals);
  const settle = (amount) => (perLine ? roundHalfUp(amount, decimals) : amount);

  const inside = line.taxes.filter((tax) => tax.priceInclude);
  const onTop = line.taxes.filter((tax) => !tax.priceInclude);
  const parts = [];
  let net = gross;
  for (const tax of inside) {
    if (tax.amountType === 'fixed') {
      const amount = settle(line.quantity * tax.amount);
      parts.push({ tax, amount });
      net -= amount;
    }
  }
  const percentInside = inside.filter((tax) => tax.amountType === 'percent');
  const rateInside = percentInside.reduce((sum, tax) => sum + tax.amount, 0) / 100.0;
  const taxable = net;
  for (const tax of percentInside) {
    const amount = settle((taxable * tax.amount) / 100.0 / (1 + rateInside));
    parts.push({ tax, amount });
    net -= amount;
  }
  let base = net;
  for (const tax of onTop) {
    const amount = settle(tax.amountType === 'fixed' ? line.quantity * tax.amount : (base * tax.amount) / 100.0);
    parts.push({ tax, amount });
    if (tax.includeBaseAmount) base += amount;
  }
  return { net, parts };
}

// → {untaxed, tax, total, lines: [{subtotal, tax, total}], perTax: Map(tax id → amount)}
export function documentTotals(lines, { method, decimals }) {
  const perLine = method === 'round_per_line';
  const taxSums = new Map();
  const shown = [];
  let netSum = 0;
  let shownNetSum = 0;
  let anyOnTop = false;
  for (const line of lines) {
    const { net, parts } = lineDetails(line, perLine, decimals);
    const subtotal = roundHalfUp(net, decimals);
    let total = subtotal;
    netSum += net;
    shownNetSum += subtotal;
    for (const { tax, amount } of parts) {
      total += roundHalfUp(amount, decimals);
      taxSums.set(tax.id, (taxSums.get(tax.id) ?? 0) + amount);
      if (!tax.priceInclude) anyOnTop = true;
    }
    total = roundHalfUp(total, decimals);
    // A float column, not a monetary one: the difference of two doubles stays as it is (1.8499999999999996).
    shown.push({ subtotal, tax: total - subtotal, total });
  }
  let tax = 0;
  let rawTax = 0;
  for (const [id, amount] of taxSums) {
    rawTax += amount;
    taxSums.set(id, roundHalfUp(amount, decimals));
    tax += taxSums.get(id);
  }
  tax = roundHalfUp(tax, decimals);
  let untaxed;
  if (perLine) {
    untaxed = roundHalfUp(shownNetSum, decimals);
  } else if (anyOnTop) {
    untaxed = roundHalfUp(netSum, decimals);
  } else {
    // Everything inside the price: what the customer pays is rounded, the net is the rest.
    untaxed = roundHalfUp(roundHalfUp(netSum + rawTax, decimals) - tax, decimals);
  }
  return { untaxed, tax, total: roundHalfUp(untaxed + tax, decimals), lines: shown, perTax: taxSums };
}
