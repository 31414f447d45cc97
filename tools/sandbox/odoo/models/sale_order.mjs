// Quotations and sales orders: defaults, totals, confirm, cancel, lock, deliveries, and what a confirmed order refuses.
import { userError, valueError } from '../errors.mjs';
import { kNone } from '../orm.mjs';
import { documentTotals } from '../taxes.mjs';
import { now } from '../timezone.mjs';

// Where a line stood before a write, so that the order it leaves is computed again too.
const kOrderBefore = new WeakMap();
const kLineFigures = ['product_uom_qty', 'price_unit', 'discount', 'display_type', 'order_id'];

export function decimalsOf(env, currencyId) {
  return env.table('res.currency').get(currencyId)?.decimal_places ?? 2;
}

export function taxesOf(env, ids) {
  return ids.map((id) => {
    const tax = env.table('account.tax').get(id);
    return { id, amount: tax.amount, amountType: tax.amount_type, priceInclude: tax.price_include, includeBaseAmount: tax.include_base_amount };
  });
}

export function roundingMethod(env, companyId) {
  return env.table('res.company').get(companyId)?.tax_calculation_rounding_method ?? 'round_globally';
}

function linesOf(env, order) {
  return env.children(env.model('sale.order').fields.get('order_line'), order);
}

function pickingsOf(env, order) {
  return env.table('stock.picking').by('sale_id', order.id);
}

function isLocked(order) {
  return Boolean(order.locked) || order.state === 'done';
}

export function recompute(env, order) {
  const taxField = env.db.names.line_taxes;
  const lines = linesOf(env, order).filter((line) => !line.display_type);
  const totals = documentTotals(
    lines.map((line) => ({
      quantity: line.product_uom_qty,
      priceUnit: line.price_unit,
      discount: line.discount,
      taxes: taxesOf(env, line[taxField]),
    })),
    { method: roundingMethod(env, order.company_id), decimals: decimalsOf(env, order.currency_id) },
  );
  lines.forEach((line, at) => {
    const figures = totals.lines[at];
    if (line.price_subtotal !== figures.subtotal || line.price_total !== figures.total || line.price_tax !== figures.tax) {
      env.set('sale.order.line', line, { price_subtotal: figures.subtotal, price_tax: figures.tax, price_total: figures.total });
    }
  });
  env.set('sale.order', order, { amount_untaxed: totals.untaxed, amount_tax: totals.tax, amount_total: totals.total });
}

function currencyOf(env, order) {
  const pricelist = order.pricelist_id && env.table('product.pricelist').get(order.pricelist_id);
  return pricelist ? pricelist.currency_id : env.table('res.company').get(order.company_id).currency_id;
}

// ---- deliveries
function addToPicking(env, order, line, quantity) {
  const product = line.product_id && env.table('product.product').get(line.product_id);
  if (!product || product[env.db.names.product_type] !== 'consu' || quantity <= 0) return;
  let picking = pickingsOf(env, order).find((each) => each.state !== 'done' && each.state !== 'cancel');
  picking ??= env.create('stock.picking', {
    name: env.db.store.next('stock.picking', 'WH/OUT/', 5),
    origin: order.name,
    state: 'assigned',
    partner_id: order.partner_shipping_id,
    sale_id: order.id,
    scheduled_date: now(),
  });
  env.create('stock.move', { picking_id: picking.id, product_id: product.id, product_uom_qty: quantity, state: 'assigned', sale_line_id: line.id });
}

function validatePicking(env, picking) {
  if (picking.state === 'done') return;
  for (const move of env.table('stock.move').by('picking_id', picking.id)) {
    env.set('stock.move', move, { state: 'done', quantity: move.product_uom_qty, picked: true });
    const line = move.sale_line_id && env.table('sale.order.line').get(move.sale_line_id);
    if (line) env.set('sale.order.line', line, { qty_delivered: line.qty_delivered + move.product_uom_qty });
  }
  env.set('stock.picking', picking, { state: 'done', date_done: now(), write_date: now() });
}

// ---- state changes
function confirm(env, orders) {
  if (orders.some((order) => order.state !== 'draft' && order.state !== 'sent')) {
    throw userError('Some orders are not in a state requiring confirmation.');
  }
  for (const order of orders) {
    env.guard?.('sale.order', { record: order, values: {} });
    env.set('sale.order', order, { state: 'sale', date_order: now(), write_date: now() });
    for (const line of linesOf(env, order)) addToPicking(env, order, line, line.product_uom_qty);
  }
  return true;
}

function cancel(env, orders) {
  if (env.db.settings.major <= 18 && !env.context.disable_cancel_warning && orders.some((order) => order.state === 'sale')) {
    return { name: 'Cancel Sales Order', type: 'ir.actions.act_window', res_model: 'sale.order.cancel', view_mode: 'form', target: 'new' };
  }
  if (orders.some(isLocked)) throw userError('You cannot cancel a locked order. Please unlock it first.');
  for (const order of orders) {
    env.guard?.('sale.order', { record: order, values: {} });
    for (const picking of pickingsOf(env, order)) {
      if (picking.state === 'done') continue; // What has left stays delivered.
      env.set('stock.picking', picking, { state: 'cancel', write_date: now() });
      for (const move of env.table('stock.move').by('picking_id', picking.id)) env.set('stock.move', move, { state: 'cancel' });
    }
    env.set('sale.order', order, { state: 'cancel', write_date: now() });
  }
  return true;
}

function setLocked(locked) {
  return (env, orders) => {
    for (const order of orders) {
      env.set('sale.order', order, env.db.settings.major === 16 ? { state: locked ? 'done' : 'sale' } : { locked });
    }
    return true;
  };
}

function invoiceStatus(env, order) {
  if (order.state !== 'sale' && order.state !== 'done') return 'no';
  const lines = linesOf(env, order).filter((line) => !line.display_type);
  if (lines.length === 0) return 'no';
  if (lines.some((line) => line.qty_invoiced < line.product_uom_qty)) return 'to invoice';
  return 'invoiced';
}

function invoicesOf(env, order) {
  const found = new Set();
  for (const line of linesOf(env, order)) for (const id of line.invoiced_by) found.add(env.table('account.move.line').get(id)?.move_id);
  found.delete(undefined);
  return [...found];
}

export const saleOrder = {
  prepare(env, order, given) {
    order.name = given.name ?? env.db.store.next('sale.order', 'S', 5);
    order.state = 'draft';
    order.company_id = given.company_id ?? env.companyId;
    if (!('date_order' in given)) order.date_order = now();
    if (!('partner_invoice_id' in given)) order.partner_invoice_id = order.partner_id;
    if (!('partner_shipping_id' in given)) order.partner_shipping_id = order.partner_id;
    if (!('pricelist_id' in given)) order.pricelist_id = env.db.settings.defaultPricelist(env);
    if (!('warehouse_id' in given)) order.warehouse_id = env.db.settings.defaultWarehouse(env);
    if (!('user_id' in given)) order.user_id = env.uid;
    order.currency_id = currencyOf(env, order);
    order.currency_rate = 1;
  },
  created(env, order) {
    recompute(env, order);
  },
  mayWrite(env, order, plain) {
    env.guard?.('sale.order', { record: order, values: plain });
    delete plain.state;
    delete plain.currency_id;
    if (isLocked(order)) throw userError('It is forbidden to modify a locked order.');
    if (order.state === 'sale' && 'pricelist_id' in plain) throw userError('You cannot change the pricelist of a confirmed order !');
  },
  written(env, order, plain, children) {
    if ('pricelist_id' in plain) env.set('sale.order', order, { currency_id: currencyOf(env, order) });
    if ('pricelist_id' in plain || 'order_line' in children) recompute(env, order);
  },
  mayUnlink(env, order) {
    if (order.state !== 'draft' && order.state !== 'cancel') {
      throw userError('You can not delete a sent quotation or a confirmed sales order. You must first cancel it.');
    }
  },
  computes: {
    order_invoices: invoicesOf,
    order_invoice_count: (env, order) => invoicesOf(env, order).length,
    order_invoice_status: invoiceStatus,
    order_pickings: (env, order) => pickingsOf(env, order).map((picking) => picking.id),
    order_delivery_status(env, order) {
      const live = pickingsOf(env, order).filter((picking) => picking.state !== 'cancel');
      if (live.length === 0) return null;
      const done = live.filter((picking) => picking.state === 'done').length;
      if (done === live.length) return 'full';
      return done > 0 ? 'partial' : 'pending';
    },
  },
  methods: {
    action_confirm: confirm,
    action_cancel: cancel,
    action_lock: setLocked(true),
    action_unlock: setLocked(false),
    action_done: setLocked(true),
    action_draft(env, orders) {
      for (const order of orders) if (order.state === 'cancel' || order.state === 'sent') env.set('sale.order', order, { state: 'draft', write_date: now() });
      return true;
    },
  },
};

export const saleOrderLine = {
  prepare(env, line, given) {
    const order = env.existing('sale.order', given.order_id);
    if (isLocked(order)) throw userError('It is forbidden to modify a locked order.');
    const product = line.product_id && env.table('product.product').get(line.product_id);
    if (line.display_type) {
      Object.assign(line, { product_id: null, product_uom_qty: 0, price_unit: 0 });
    } else {
      if (line.product_id === null) {
        const error = valueError('Missing required fields on accountable sale order line.');
        error.odooName = 'psycopg2.errors.CheckViolation';
        throw error;
      }
      if (!('product_uom_qty' in given)) line.product_uom_qty = 1;
      if (!('price_unit' in given)) line.price_unit = product.lst_price;
      if (!(env.db.names.line_taxes in given)) line[env.db.names.line_taxes] = product.taxes_id;
      if (!(env.db.names.line_uom in given)) line[env.db.names.line_uom] = product.uom_id;
    }
    if (!('name' in given) && product) line.name = product.name;
    if (line.name === null) {
      // What an empty description is reported as.
      const error = valueError("Missing required value for the field 'Order Reference' (order_id)");
      error.odooName = 'psycopg2.errors.NotNullViolation';
      throw error;
    }
    if (!('sequence' in given)) line.sequence = 10;
  },
  // Totals are the order's business (saleOrder.created / written); a line created by itself brings them about here.
  created(env, line) {
    const order = env.table('sale.order').get(line.order_id);
    if (order.state === 'sale') addToPicking(env, order, line, line.product_uom_qty);
    if (env.tx.touched.get(order)?.before !== null) recompute(env, order);
  },
  mayWrite(env, line, plain) {
    const order = env.table('sale.order').get(line.order_id);
    if (order && isLocked(order)) throw userError('It is forbidden to modify the lines of a locked order.');
    if (plain.order_id && plain.order_id !== line.order_id && isLocked(env.existing('sale.order', plain.order_id))) {
      throw userError('It is forbidden to modify the lines of a locked order.');
    }
    if (order?.state === 'sale') {
      if ('product_id' in plain && plain.product_id !== line.product_id) throw userError('You cannot modify the product of this order line.');
      if ('product_uom_qty' in plain) {
        if (plain.product_uom_qty < line.qty_delivered) {
          throw userError('The ordered quantity cannot be decreased below the amount already delivered. Instead, create a return in your inventory.');
        }
        addToPicking(env, order, line, plain.product_uom_qty - line.product_uom_qty);
      }
    }
    kOrderBefore.set(line, line.order_id);
  },
  written(env, line, plain) {
    const left = kOrderBefore.get(line);
    if (!kLineFigures.some((field) => field in plain) && !(env.db.names.line_taxes in plain)) return;
    for (const id of new Set([left, line.order_id])) {
      const order = env.table('sale.order').get(id);
      if (order) recompute(env, order);
    }
  },
  mayUnlink(env, line) {
    const order = env.table('sale.order').get(line.order_id);
    if (order && (order.state === 'sale' || isLocked(order)) && !line.display_type) {
      throw userError(
        "Once a sales order is confirmed, you can't remove one of its lines (we need to track if something gets invoiced or delivered).\nSet the quantity to 0 instead.",
      );
    }
  },
  unlinked(env, line) {
    const order = env.table('sale.order').get(line.order_id);
    if (order) recompute(env, order);
  },
  computes: {
    line_state: (env, line) => env.table('sale.order').get(line.order_id)?.state,
    line_currency: (env, line) => env.table('sale.order').get(line.order_id)?.currency_id,
    line_company: (env, line) => env.table('sale.order').get(line.order_id)?.company_id,
    line_invoice_lines: (env, line) => line.invoiced_by.filter((id) => env.table('account.move.line').get(id)),
  },
  methods: {},
};

export const stockPicking = {
  prepare(env, picking) {
    picking.state ??= 'draft';
  },
  computes: {
    picking_moves: (env, picking) =>
      env
        .table('stock.move')
        .by('picking_id', picking.id)
        .map((move) => move.id),
  },
  methods: {
    button_validate(env, pickings) {
      for (const picking of pickings) validatePicking(env, picking);
      return true;
    },
    action_assign: () => true,
    action_cancel(env, pickings) {
      for (const picking of pickings) if (picking.state !== 'done') env.set('stock.picking', picking, { state: 'cancel', write_date: now() });
      return true;
    },
  },
};
