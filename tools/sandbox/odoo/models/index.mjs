import { accountMove, accountMoveLine, advancePayment } from './account_move.mjs';
import { partner } from './partner.mjs';
import { saleOrder, saleOrderLine, stockPicking } from './sale_order.mjs';
import { stockQuant } from './stock_quant.mjs';

// price_include follows price_include_override and the company's default (18+).
const tax = {
  prepare(env, record, given) {
    record.company_id ??= env.companyId;
    record.type_tax_use ??= 'sale';
    record.amount_type ??= 'percent';
    if ('price_include_override' in record) record.price_include = included(env, record, given);
  },
  written(env, record, plain) {
    if ('price_include_override' in plain) env.set('account.tax', record, { price_include: included(env, record, plain) });
  },
  computes: {},
  methods: {},
};

function included(env, record, given) {
  const chosen =
    given.price_include_override ?? record.price_include_override ?? env.table('res.company').get(record.company_id)?.account_price_include;
  return chosen === 'tax_included';
}

// A product created over RPC takes the sales taxes of all companies.
const product = {
  prepare(env, record, given) {
    const { product_type: type } = env.db.names;
    record[type] ??= 'consu';
    if (!('sale_ok' in given)) record.sale_ok = true;
    if (!('uom_id' in given)) record.uom_id = 1;
    if (!('taxes_id' in given)) record.taxes_id = env.db.settings.defaultTaxes(env);
  },
  computes: {},
  methods: {},
};

const externalId = {
  computes: {
    external_module: (env, row) => row.complete_name.slice(0, row.complete_name.indexOf('.')),
    external_name: (env, row) => row.complete_name.slice(row.complete_name.indexOf('.') + 1),
  },
  methods: {},
};

export const behaviours = {
  'ir.model.data': externalId,
  'sale.order': saleOrder,
  'sale.order.line': saleOrderLine,
  'stock.picking': stockPicking,
  'stock.quant': stockQuant,
  'account.move': accountMove,
  'account.move.line': accountMoveLine,
  'sale.advance.payment.inv': advancePayment,
  'res.partner': partner,
  'account.tax': tax,
  'product.product': product,
};
