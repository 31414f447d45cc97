// The models the sandbox knows and their fields, with the names each Odoo version gives them.
// A field that no client of ours needs is left out: asking for it fails as an unknown field would.

const char = (string, extra = {}) => ({ type: 'char', string, ...extra });
const text = (string, extra = {}) => ({ type: 'text', string, ...extra });
const html = (string, extra = {}) => ({ type: 'html', string, ...extra });
const bool = (string, extra = {}) => ({ type: 'boolean', string, ...extra });
const integer = (string, extra = {}) => ({ type: 'integer', string, ...extra });
const float = (string, extra = {}) => ({ type: 'float', string, ...extra });
const money = (string, extra = {}) => ({ type: 'monetary', string, ...extra });
const date = (string, extra = {}) => ({ type: 'date', string, ...extra });
const datetime = (string, extra = {}) => ({ type: 'datetime', string, ...extra });
const selection = (string, values, extra = {}) => ({ type: 'selection', string, selection: values, ...extra });
const one = (string, relation, extra = {}) => ({ type: 'many2one', string, relation, ...extra });
const lines = (string, relation, inverse, extra = {}) => ({ type: 'one2many', string, relation, inverse, ...extra });
const many = (string, relation, extra = {}) => ({ type: 'many2many', string, relation, ...extra });
const readonly = { readonly: true };
const required = { required: true };
const computed = (compute) => ({ readonly: true, store: false, compute });

const kOrderStates = [
  ['draft', 'Quotation'],
  ['sent', 'Quotation Sent'],
  ['sale', 'Sales Order'],
  ['cancel', 'Cancelled'],
];
const kInvoiceStatus = [
  ['upselling', 'Upselling Opportunity'],
  ['invoiced', 'Fully Invoiced'],
  ['to invoice', 'To Invoice'],
  ['no', 'Nothing to Invoice'],
];
const kMoveTypes = ['entry', 'out_invoice', 'out_refund', 'in_invoice', 'in_refund', 'out_receipt', 'in_receipt'].map((name) => [name, name]);

export function buildSchema(major) {
  const models = new Map();
  const model = (name, description, fields, { indexed = [], order = 'id asc', rec_name = 'name' } = {}) => {
    models.set(name, {
      name,
      description,
      fields: new Map(
        Object.entries({
          id: integer('ID', readonly),
          ...fields,
          display_name: char('Display Name', computed(null)),
          create_date: datetime('Created on', readonly),
          write_date: datetime('Last Updated on', readonly),
        }),
      ),
      indexed,
      order,
      rec_name,
    });
  };

  model('ir.model.data', 'Model Data', {
    module: char('Module', computed('external_module')),
    name: char('External Identifier', computed('external_name')),
    complete_name: char('Complete ID', readonly),
    model: char('Model Name', required),
    res_id: integer('Record ID'),
    noupdate: bool('Non Updatable'),
  });
  model('res.company', 'Companies', {
    name: char('Company Name', required),
    currency_id: one('Currency', 'res.currency', required),
    country_id: one('Country', 'res.country'),
    partner_id: one('Partner', 'res.partner'),
    tax_calculation_rounding_method: selection('Tax Calculation Rounding Method', [
      ['round_per_line', 'Round per Line'],
      ['round_globally', 'Round Globally'],
    ]),
    ...(major >= 18
      ? {
          account_price_include: selection('Default Sales Price Include', [
            ['tax_included', 'Tax Included'],
            ['tax_excluded', 'Tax Excluded'],
          ]),
          sale_lock_date: date('Sales Lock Date'),
        }
      : {}),
    fiscalyear_lock_date: date('Global Lock Date'),
  });
  model(
    'res.currency',
    'Currency',
    {
      name: char('Currency', required),
      symbol: char('Symbol'),
      rounding: float('Rounding Factor'),
      decimal_places: integer('Decimal Places'),
      active: bool('Active'),
    },
    { indexed: ['name'] },
  );
  model('res.country', 'Country', { name: char('Country Name', required), code: char('Country Code') }, { indexed: ['code'] });
  model(
    'res.country.state',
    'Country state',
    { name: char('State Name', required), code: char('State Code', required), country_id: one('Country', 'res.country', required) },
    { indexed: ['code'] },
  );
  model('res.lang', 'Languages', { name: char('Name', required), code: char('Locale Code', required), active: bool('Active') });
  model('res.users', 'User', {
    name: char('Name'),
    login: char('Login', required),
    lang: char('Language'),
    tz: char('Timezone'),
    company_id: one('Company', 'res.company'),
    partner_id: one('Partner', 'res.partner'),
    [major >= 19 ? 'group_ids' : 'groups_id']: many('Groups', 'res.groups'),
  });
  model('res.groups', 'Access Groups', { name: char('Name', required) });
  model('crm.team', 'Sales Team', { name: char('Sales Team', required), company_id: one('Company', 'res.company') });
  model('crm.tag', 'CRM Tag', { name: char('Tag Name', required) });
  model('account.payment.term', 'Payment Terms', { name: char('Payment Terms', required) });
  model('account.fiscal.position', 'Fiscal Position', { name: char('Fiscal Position', required), company_id: one('Company', 'res.company') });
  model('uom.uom', 'Unit of Measure', { name: char('Unit', required) });
  model(
    'res.partner',
    'Contact',
    {
      name: char('Name'),
      email: char('Email'),
      email_normalized: char('Normalized Email', readonly),
      phone: char('Phone'),
      ...(major <= 18 ? { mobile: char('Mobile'), title: one('Title', 'res.partner.title') } : {}),
      is_company: bool('Is a Company'),
      company_name: char('Company Name'),
      parent_id: one('Related Company', 'res.partner'),
      type: selection('Address Type', [
        ['contact', 'Contact'],
        ['invoice', 'Invoice Address'],
        ['delivery', 'Delivery Address'],
        ['other', 'Other Address'],
      ]),
      street: char('Street'),
      street2: char('Street2'),
      city: char('City'),
      zip: char('Zip'),
      state_id: one('State', 'res.country.state'),
      country_id: one('Country', 'res.country'),
      vat: char('Tax ID'),
      ref: char('Reference'),
      lang: char('Language'),
      comment: html('Notes'),
      company_id: one('Company', 'res.company'),
      active: bool('Active'),
      property_account_position_id: one('Fiscal Position', 'account.fiscal.position'),
      property_payment_term_id: one('Customer Payment Terms', 'account.payment.term'),
      property_product_pricelist: one('Pricelist', 'product.pricelist'),
      category_id: many('Tags', 'res.partner.category'),
      child_ids: lines('Contact', 'res.partner', 'parent_id'),
      customer_rank: integer('Customer Rank'),
      commercial_partner_id: one('Commercial Entity', 'res.partner', readonly),
    },
    { indexed: ['email_normalized', 'email', 'ref', 'parent_id', 'vat'] },
  );
  model('res.partner.category', 'Partner Tags', { name: char('Name', required) });
  model(
    'product.product',
    'Product Variant',
    {
      default_code: char('Internal Reference'),
      barcode: char('Barcode'),
      name: char('Name', required),
      lst_price: float('Sales Price'),
      standard_price: float('Cost'),
      [major >= 18 ? 'type' : 'detailed_type']: selection('Product Type', [
        ['consu', 'Goods'],
        ['service', 'Service'],
        ['combo', 'Combo'],
      ]),
      ...(major >= 18 ? { is_storable: bool('Track Inventory') } : {}),
      taxes_id: many('Sales Taxes', 'account.tax'),
      uom_id: one('Unit', 'uom.uom'),
      weight: float('Weight'),
      sale_ok: bool('Sales'),
      active: bool('Active'),
      company_id: one('Company', 'res.company'),
    },
    { indexed: ['default_code', 'barcode'] },
  );
  model('product.pricelist', 'Pricelist', {
    name: char('Pricelist Name', required),
    currency_id: one('Currency', 'res.currency', required),
    company_id: one('Company', 'res.company'),
    active: bool('Active'),
  });
  model(
    'account.tax',
    'Tax',
    {
      name: char('Tax Name', required),
      amount: float('Amount'),
      amount_type: selection('Tax Computation', [
        ['percent', 'Percentage'],
        ['fixed', 'Fixed'],
        ['division', 'Percentage Tax Included'],
        ['group', 'Group of Taxes'],
      ]),
      type_tax_use: selection('Tax Type', [
        ['sale', 'Sales'],
        ['purchase', 'Purchases'],
        ['none', 'None'],
      ]),
      country_id: one('Country', 'res.country'),
      company_id: one('Company', 'res.company'),
      description: html('Description'),
      active: bool('Active'),
      include_base_amount: bool('Affect Base of Subsequent Taxes'),
      price_include: bool('Included in Price', major >= 18 ? readonly : {}),
      ...(major >= 18
        ? {
            price_include_override: selection('Included in Price', [
              ['tax_included', 'Tax Included'],
              ['tax_excluded', 'Tax Excluded'],
            ]),
          }
        : {}),
    },
    { order: 'id asc' },
  );
  model('stock.warehouse', 'Warehouse', {
    name: char('Warehouse', required),
    code: char('Short Name', required),
    company_id: one('Company', 'res.company'),
    lot_stock_id: one('Location Stock', 'stock.location'),
    active: bool('Active'),
  });
  model(
    'stock.location',
    'Inventory Locations',
    {
      name: char('Location Name', required),
      complete_name: char('Full Location Name', readonly),
      location_id: one('Parent Location', 'stock.location'),
      usage: selection('Location Type', [
        ['view', 'Virtual'],
        ['internal', 'Internal'],
        ['customer', 'Customer'],
        ['inventory', 'Inventory Loss'],
        ['transit', 'Transit'],
      ]),
      company_id: one('Company', 'res.company'),
      active: bool('Active'),
    },
    { rec_name: 'complete_name' },
  );
  model(
    'stock.quant',
    'Quants',
    {
      product_id: one('Product', 'product.product', required),
      location_id: one('Location', 'stock.location', required),
      owner_id: one('Owner', 'res.partner'),
      company_id: one('Company', 'res.company'),
      quantity: float('Quantity', { digits: 2 }),
      reserved_quantity: float('Reserved Quantity', { digits: 2 }),
      available_quantity: float('Available Quantity', computed('quant_available')),
    },
    { indexed: ['product_id'], rec_name: 'id' },
  );
  model(
    'stock.move.line',
    'Product Moves (Stock Move Line)',
    {
      product_id: one('Product', 'product.product', required),
      location_id: one('From', 'stock.location'),
      location_dest_id: one('To', 'stock.location'),
      [major >= 17 ? 'quantity' : 'qty_done']: float('Quantity', { digits: 2 }),
      state: selection('Status', [
        ['draft', 'New'],
        ['assigned', 'Available'],
        ['done', 'Done'],
        ['cancel', 'Cancelled'],
      ]),
      company_id: one('Company', 'res.company'),
    },
    { indexed: ['product_id'], rec_name: 'id' },
  );
  model(
    'sale.order',
    'Sales Order',
    {
      name: char('Order Reference', required),
      partner_id: one('Customer', 'res.partner', required),
      partner_invoice_id: one('Invoice Address', 'res.partner', required),
      partner_shipping_id: one('Delivery Address', 'res.partner', required),
      client_order_ref: char('Customer Reference'),
      origin: char('Source Document'),
      reference: char('Payment Ref.'),
      date_order: datetime('Order Date', required),
      commitment_date: datetime('Delivery Date'),
      validity_date: date('Expiration'),
      pricelist_id: one('Pricelist', 'product.pricelist'),
      currency_id: one('Currency', 'res.currency', readonly),
      currency_rate: float('Currency Rate', readonly),
      fiscal_position_id: one('Fiscal Position', 'account.fiscal.position'),
      payment_term_id: one('Payment Terms', 'account.payment.term'),
      company_id: one('Company', 'res.company', required),
      warehouse_id: one('Warehouse', 'stock.warehouse'),
      team_id: one('Sales Team', 'crm.team'),
      user_id: one('Salesperson', 'res.users'),
      tag_ids: many('Tags', 'crm.tag'),
      note: html('Terms and conditions'),
      order_line: lines('Order Lines', 'sale.order.line', 'order_id'),
      state: selection('Status', major === 16 ? [...kOrderStates, ['done', 'Locked']] : kOrderStates, readonly),
      ...(major >= 17 ? { locked: bool('Locked', readonly) } : {}),
      amount_untaxed: money('Untaxed Amount', readonly),
      amount_tax: money('Taxes', readonly),
      amount_total: money('Total', readonly),
      invoice_ids: many('Invoices', 'account.move', computed('order_invoices')),
      invoice_count: integer('Invoice Count', computed('order_invoice_count')),
      invoice_status: selection('Invoice Status', kInvoiceStatus, computed('order_invoice_status')),
      picking_ids: lines('Transfers', 'stock.picking', 'sale_id', computed('order_pickings')),
      delivery_status: selection(
        'Delivery Status',
        [
          ['pending', 'Not Delivered'],
          ['started', 'Started'],
          ['partial', 'Partially Delivered'],
          ['full', 'Fully Delivered'],
        ],
        computed('order_delivery_status'),
      ),
    },
    { indexed: ['name', 'client_order_ref', 'origin', 'partner_id'], order: 'date_order desc, id desc' },
  );
  model(
    'sale.order.line',
    'Sales Order Line',
    {
      order_id: one('Order Reference', 'sale.order', required),
      sequence: integer('Sequence'),
      product_id: one('Product', 'product.product'),
      name: text('Description', required),
      product_uom_qty: float('Quantity', { digits: 2 }),
      price_unit: float('Unit Price', { digits: 6 }),
      discount: float('Discount (%)', { digits: 2 }),
      [major >= 19 ? 'tax_ids' : 'tax_id']: many('Taxes', 'account.tax'),
      [major >= 19 ? 'product_uom_id' : 'product_uom']: one('Unit', 'uom.uom'),
      display_type: selection('Display Type', [
        ['line_section', 'Section'],
        ...(major >= 19 ? [['line_subsection', 'Subsection']] : []),
        ['line_note', 'Note'],
      ]),
      qty_delivered: float('Delivery Quantity'),
      qty_invoiced: float('Invoiced Quantity', readonly),
      price_subtotal: money('Subtotal', readonly),
      price_tax: float('Total Tax', readonly),
      price_total: money('Total', readonly),
      state: selection('Order Status', kOrderStates, computed('line_state')),
      currency_id: one('Currency', 'res.currency', computed('line_currency')),
      invoice_lines: many('Invoice Lines', 'account.move.line', computed('line_invoice_lines')),
      company_id: one('Company', 'res.company', computed('line_company')),
    },
    { indexed: ['order_id'], order: 'order_id, sequence, id' },
  );
  model(
    'stock.picking',
    'Transfer',
    {
      name: char('Reference', readonly),
      origin: char('Source Document'),
      state: selection(
        'Status',
        [
          ['draft', 'Draft'],
          ['waiting', 'Waiting'],
          ['confirmed', 'Waiting'],
          ['assigned', 'Ready'],
          ['done', 'Done'],
          ['cancel', 'Cancelled'],
        ],
        readonly,
      ),
      partner_id: one('Contact', 'res.partner'),
      sale_id: one('Sales Order', 'sale.order'),
      scheduled_date: datetime('Scheduled Date'),
      date_done: datetime('Date of Transfer', readonly),
      move_ids: lines('Stock Moves', 'stock.move', 'picking_id', computed('picking_moves')),
    },
    { indexed: ['sale_id'] },
  );
  model(
    'stock.move',
    'Stock Move',
    {
      picking_id: one('Transfer', 'stock.picking'),
      product_id: one('Product', 'product.product', required),
      product_uom_qty: float('Demand', { digits: 2 }),
      quantity: float('Quantity', { digits: 2 }),
      picked: bool('Picked'),
      state: selection(
        'Status',
        [
          ['draft', 'New'],
          ['confirmed', 'Waiting'],
          ['assigned', 'Available'],
          ['done', 'Done'],
          ['cancel', 'Cancelled'],
        ],
        readonly,
      ),
      sale_line_id: one('Sale Line', 'sale.order.line'),
    },
    { indexed: ['picking_id', 'sale_line_id'], rec_name: 'id' },
  );
  model('account.journal', 'Journal', {
    name: char('Journal Name', required),
    code: char('Short Code', required),
    type: selection('Type', [
      ['sale', 'Sales'],
      ['purchase', 'Purchase'],
      ['bank', 'Bank'],
      ['general', 'Miscellaneous'],
    ]),
    company_id: one('Company', 'res.company'),
  });
  model(
    'account.move',
    'Journal Entry',
    {
      name: char('Number', readonly),
      move_type: selection('Type', kMoveTypes, required),
      partner_id: one('Partner', 'res.partner'),
      invoice_date: date('Invoice Date'),
      invoice_date_due: date('Due Date'),
      date: date('Date'),
      ref: char('Reference'),
      invoice_origin: char('Origin'),
      payment_reference: char('Payment Reference'),
      journal_id: one('Journal', 'account.journal', required),
      currency_id: one('Currency', 'res.currency', required),
      company_id: one('Company', 'res.company', required),
      fiscal_position_id: one('Fiscal Position', 'account.fiscal.position'),
      narration: html('Terms and Conditions'),
      invoice_line_ids: lines('Invoice lines', 'account.move.line', 'move_id'),
      state: selection(
        'Status',
        [
          ['draft', 'Draft'],
          ['posted', 'Posted'],
          ['cancel', 'Cancelled'],
        ],
        readonly,
      ),
      payment_state: selection(
        'Payment Status',
        [
          ['not_paid', 'Not Paid'],
          ['in_payment', 'In Payment'],
          ['paid', 'Paid'],
          ['partial', 'Partially Paid'],
          ['reversed', 'Reversed'],
        ],
        readonly,
      ),
      amount_untaxed: money('Untaxed Amount', readonly),
      amount_tax: money('Tax', readonly),
      amount_total: money('Total', readonly),
      amount_residual: money('Amount Due', readonly),
      reversed_entry_id: one('Reversal of', 'account.move'),
      [major >= 18 ? 'reversal_move_ids' : 'reversal_move_id']: lines('Reversals', 'account.move', 'reversed_entry_id', computed('move_reversals')),
    },
    { indexed: ['name', 'ref', 'invoice_origin', 'reversed_entry_id'], order: 'date desc, name desc, id desc' },
  );
  model(
    'account.move.line',
    'Journal Item',
    {
      move_id: one('Journal Entry', 'account.move', required),
      sequence: integer('Sequence'),
      product_id: one('Product', 'product.product'),
      name: char('Label'),
      quantity: float('Quantity', { digits: 2 }),
      price_unit: float('Unit Price', { digits: 6 }),
      discount: float('Discount (%)', { digits: 2 }),
      tax_ids: many('Taxes', 'account.tax'),
      sale_line_ids: many('Sales Order Lines', 'sale.order.line'),
      display_type: selection('Display Type', [
        ['product', 'Product'],
        ['line_section', 'Section'],
        ['line_note', 'Note'],
      ]),
      price_subtotal: money('Subtotal', readonly),
      price_total: money('Total', readonly),
      account_id: one('Account', 'account.account'),
    },
    { indexed: ['move_id'], order: 'move_id, sequence, id' },
  );
  model('account.account', 'Account', { name: char('Account Name', required), code: char('Code', required) });
  model(
    'sale.advance.payment.inv',
    'Sales Advance Payment Invoice',
    {
      advance_payment_method: selection('Create Invoice', [
        ['delivered', 'Regular invoice'],
        ['percentage', 'Down payment (percentage)'],
        ['fixed', 'Down payment (fixed amount)'],
      ]),
      sale_order_ids: many('Sales Orders', 'sale.order'),
      consolidated_billing: bool('Consolidated Billing'),
    },
    { rec_name: 'id' },
  );
  return models;
}

// The names that changed, by what the sandbox calls them inside.
export function namesOf(major) {
  return {
    line_taxes: major >= 19 ? 'tax_ids' : 'tax_id',
    line_uom: major >= 19 ? 'product_uom_id' : 'product_uom',
    product_type: major >= 18 ? 'type' : 'detailed_type',
  };
}
