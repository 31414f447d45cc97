// Invoices and credit notes: totals, posting, and what a credit note does to the order lines it is linked to.
import { userError } from '../errors.mjs';
import { documentTotals } from '../taxes.mjs';
import { now, today } from '../timezone.mjs';
import { decimalsOf, roundingMethod, taxesOf } from './sale_order.mjs';

const kLineFigures = ['quantity', 'price_unit', 'discount', 'tax_ids', 'display_type', 'move_id'];

function linesOf(env, move) {
  return env.children(env.model('account.move').fields.get('invoice_line_ids'), move);
}

function recompute(env, move) {
  const lines = linesOf(env, move).filter((line) => !line.display_type || line.display_type === 'product');
  const totals = documentTotals(
    lines.map((line) => ({ quantity: line.quantity, priceUnit: line.price_unit, discount: line.discount, taxes: taxesOf(env, line.tax_ids) })),
    { method: roundingMethod(env, move.company_id), decimals: decimalsOf(env, move.currency_id) },
  );
  lines.forEach((line, at) => env.set('account.move.line', line, { price_subtotal: totals.lines[at].subtotal, price_total: totals.lines[at].total }));
  env.set('account.move', move, {
    amount_untaxed: totals.untaxed,
    amount_tax: totals.tax,
    amount_total: totals.total,
    amount_residual: totals.total,
  });
}

function nameOf(env, move) {
  const prefix = move.move_type.endsWith('refund') ? 'RINV' : move.move_type === 'entry' ? 'MISC' : 'INV';
  const year = (move.date ?? today()).slice(0, 4);
  return env.db.store.next(`account.move.${prefix}.${year}`, `${prefix}/${year}/`, 5);
}

function lockedUntil(env, move) {
  const company = env.table('res.company').get(move.company_id);
  return [company.fiscalyear_lock_date, company.sale_lock_date].filter(Boolean).sort().pop() ?? '';
}

function post(env, moves) {
  for (const move of moves) {
    if (move.state !== 'draft') throw userError(`The entry ${move.name ?? '/'} (id ${move.id}) must be in draft.`);
    if (move.amount_total < 0) {
      throw userError(
        'You cannot validate a document with a negative total amount. You should create a credit note instead. Use the action menu to transform it into a credit note or refund.',
      );
    }
    if (env.table('res.currency').get(move.currency_id).active === false) {
      throw userError(`You cannot validate a document with an inactive currency: ${env.displayName('res.currency', move.currency_id)}`);
    }
    if (linesOf(env, move).length === 0) throw userError('You need to add a line before posting.');
    env.guard?.('account.move', { record: move, values: {} });
  }
  for (const move of moves) {
    const invoiceDate = move.invoice_date ?? today();
    const date = invoiceDate <= lockedUntil(env, move) ? today() : invoiceDate;
    env.set('account.move', move, { invoice_date: invoiceDate, date });
    env.set('account.move', move, { name: nameOf(env, move), state: 'posted', payment_state: 'not_paid', write_date: now() });
    if (move.reversed_entry_id) reconcile(env, move, env.table('account.move').get(move.reversed_entry_id));
  }
  return false; // Success: the method has nothing to say.
}

function reconcile(env, refund, invoice) {
  if (!invoice || invoice.state !== 'posted' || invoice.move_type !== 'out_invoice') return;
  const settled = Math.min(refund.amount_residual, invoice.amount_residual);
  const rest = (residual) => Math.round((residual - settled) * 1e6) / 1e6;
  const state = (residual) => (residual === 0 ? 'reversed' : 'partial');
  env.set('account.move', invoice, { amount_residual: rest(invoice.amount_residual), payment_state: state(rest(invoice.amount_residual)) });
  env.set('account.move', refund, {
    amount_residual: rest(refund.amount_residual),
    payment_state: rest(refund.amount_residual) === 0 ? 'paid' : 'partial',
  });
}

// A document line counts in its order lines as soon as it exists; a credit note takes back.
function countInOrder(env, line, sign) {
  for (const id of line.sale_line_ids) {
    const orderLine = env.table('sale.order.line').get(id);
    if (!orderLine) continue;
    const move = env.table('account.move').get(line.move_id);
    const factor = move.move_type === 'out_refund' ? -1 : 1;
    const linked = orderLine.invoiced_by.filter((each) => each !== line.id);
    env.set('sale.order.line', orderLine, {
      qty_invoiced: orderLine.qty_invoiced + sign * factor * line.quantity,
      invoiced_by: sign > 0 ? [...linked, line.id] : linked,
    });
  }
}

export const accountMove = {
  prepare(env, move, given) {
    move.state = 'draft';
    move.payment_state = 'not_paid';
    move.company_id = given.company_id ?? env.companyId;
    if (!('journal_id' in given)) move.journal_id = env.db.settings.defaultJournal(env);
    if (!('currency_id' in given)) move.currency_id = env.table('res.company').get(move.company_id).currency_id;
    move.date = given.date ?? given.invoice_date ?? today();
  },
  created(env, move) {
    recompute(env, move);
  },
  mayWrite(env, move, plain, children) {
    env.guard?.('account.move', { record: move, values: plain });
    delete plain.state;
    if (move.state === 'posted' && (Object.keys(children).length > 0 || 'partner_id' in plain || 'currency_id' in plain || 'invoice_date' in plain)) {
      throw userError('You cannot modify a posted entry of this journal because it is in strict mode.');
    }
  },
  written(env, move, plain, children) {
    if ('invoice_line_ids' in children || 'currency_id' in plain) recompute(env, move);
  },
  mayUnlink(env, move) {
    if (move.state === 'posted') throw userError('You cannot delete a posted entry.');
    for (const line of linesOf(env, move)) countInOrder(env, line, -1);
  },
  computes: {
    move_reversals: (env, move) =>
      env
        .table('account.move')
        .by('reversed_entry_id', move.id)
        .map((each) => each.id),
  },
  methods: {
    action_post: post,
    button_draft(env, moves) {
      for (const move of moves) env.set('account.move', move, { state: 'draft' });
      return undefined;
    },
    button_cancel(env, moves) {
      for (const move of moves) {
        if (move.state === 'posted') throw userError('You cannot cancel a posted entry.');
        env.set('account.move', move, { state: 'cancel' });
      }
      return undefined;
    },
  },
};

export const accountMoveLine = {
  prepare(env, line, given) {
    const product = line.product_id && env.table('product.product').get(line.product_id);
    if (!('quantity' in given)) line.quantity = 1;
    if (!('price_unit' in given) && product) line.price_unit = product.lst_price;
    if (!('tax_ids' in given) && product) line.tax_ids = product.taxes_id;
    if (!('name' in given) && product) line.name = product.name;
    line.display_type ??= 'product';
  },
  created(env, line) {
    countInOrder(env, line, 1);
    const move = env.table('account.move').get(line.move_id);
    if (env.tx.touched.get(move)?.before !== null) recompute(env, move);
  },
  mayWrite(env, line) {
    if (env.table('account.move').get(line.move_id)?.state === 'posted')
      throw userError('You cannot do this modification on a posted journal entry.');
    countInOrder(env, line, -1);
  },
  written(env, line, plain) {
    countInOrder(env, line, 1);
    if (kLineFigures.some((field) => field in plain)) recompute(env, env.table('account.move').get(line.move_id));
  },
  mayUnlink(env, line) {
    countInOrder(env, line, -1);
  },
  computes: {},
  methods: {},
};

// The invoicing wizard: without consolidated_billing=false the orders of one customer share an invoice.
export const advancePayment = {
  prepare(env, wizard, given) {
    if (!('consolidated_billing' in given)) wizard.consolidated_billing = true;
  },
  computes: {},
  methods: {
    create_invoices(env, wizards) {
      const created = [];
      for (const wizard of wizards) created.push(...invoiceOrders(env, wizard));
      return { type: 'ir.actions.act_window', res_model: 'account.move', res_id: created[0] ?? false, domain: [['id', 'in', created]] };
    },
  },
};

function invoiceOrders(env, wizard) {
  const groups = new Map();
  for (const id of wizard.sale_order_ids) {
    const order = env.existing('sale.order', id);
    const key = wizard.consolidated_billing === false ? `order ${id}` : `${order.partner_invoice_id} ${order.currency_id}`;
    groups.set(key, [...(groups.get(key) ?? []), order]);
  }
  const created = [];
  for (const orders of groups.values()) {
    const commands = orders.flatMap((order) => invoiceLines(env, order));
    if (commands.length === 0) throw userError('Cannot create an invoice. No items are available to invoice.');
    const [order] = orders;
    created.push(
      env.create('account.move', {
        move_type: 'out_invoice',
        partner_id: order.partner_invoice_id,
        currency_id: order.currency_id,
        company_id: order.company_id,
        invoice_origin: orders.map((each) => each.name).join(', '),
        ref: order.client_order_ref,
        invoice_line_ids: commands,
      }).id,
    );
  }
  return created;
}

function invoiceLines(env, order) {
  if (order.state !== 'sale' && order.state !== 'done') return [];
  const lines = env.children(env.model('sale.order').fields.get('order_line'), order);
  const open = lines.filter((line) => !line.display_type && line.product_uom_qty !== line.qty_invoiced);
  return open.map((line) => [
    0,
    0,
    {
      product_id: line.product_id,
      name: line.name,
      quantity: line.product_uom_qty - line.qty_invoiced,
      price_unit: line.price_unit,
      discount: line.discount,
      tax_ids: [[6, 0, line[env.db.names.line_taxes].slice()]],
      sale_line_ids: [[6, 0, [line.id]]],
    },
  ]);
}
