// What the company owns before the first order comes: currencies, countries, taxes, pricelists, warehouses, products.
//
// Every seeded record has an external id `sandbox.<kind>_<key>` and, as long as the catalogue is the same, the same database id.
// --catalogue FILE replaces or extends the lists: {"products": [{"sku", "name", "price", "type"}], "taxes": [{"key", "name", "country",
// "rate", "included"}], "pricelists": ["EUR", …], "warehouses": [{"code", "name"}], "currencies": [...]}.
import { Env } from './orm.mjs';
import { Transaction } from './store.mjs';

const kCurrencies = [
  ['EUR', 2],
  ['USD', 2],
  ['GBP', 2],
  ['CHF', 2],
  ['SEK', 2],
  ['DKK', 2],
  ['NOK', 2],
  ['PLN', 2],
  ['CZK', 2],
  ['CAD', 2],
  ['AUD', 2],
  ['NZD', 2],
  ['JPY', 0],
  ['KRW', 0],
  ['VND', 0],
  ['KWD', 3],
  ['BHD', 3],
  ['TND', 3],
];
const kCountries = {
  AT: 'Austria',
  AU: 'Australia',
  BE: 'Belgium',
  CA: 'Canada',
  CH: 'Switzerland',
  CZ: 'Czech Republic',
  DE: 'Germany',
  DK: 'Denmark',
  ES: 'Spain',
  FI: 'Finland',
  FR: 'France',
  GB: 'United Kingdom',
  IE: 'Ireland',
  IT: 'Italy',
  JP: 'Japan',
  KR: 'South Korea',
  KW: 'Kuwait',
  LU: 'Luxembourg',
  MX: 'Mexico',
  NL: 'Netherlands',
  NO: 'Norway',
  NZ: 'New Zealand',
  PL: 'Poland',
  PT: 'Portugal',
  SE: 'Sweden',
  US: 'United States',
  VN: 'Vietnam',
};
const kStates = {
  US: {
    AL: 'Alabama',
    CA: 'California',
    FL: 'Florida',
    IL: 'Illinois',
    KY: 'Kentucky',
    MA: 'Massachusetts',
    NY: 'New York',
    OR: 'Oregon',
    TX: 'Texas',
    WA: 'Washington',
  },
  CA: { AB: 'Alberta', BC: 'British Columbia', ON: 'Ontario', QC: 'Quebec' },
  AU: { NSW: 'New South Wales', QLD: 'Queensland', VIC: 'Victoria' },
  IT: { MI: 'Milano', RM: 'Roma' },
  ES: { B: 'Barcelona', M: 'Madrid' },
};
// country → rates in percent, each as a tax on top and a tax inside the price.
const kRates = {
  AT: [20, 10],
  BE: [21, 6],
  CH: [8.1, 2.6],
  DE: [19, 7],
  DK: [25],
  ES: [21, 10],
  FI: [25.5],
  FR: [20, 10, 5.5],
  GB: [20, 5],
  IE: [23],
  IT: [22, 10],
  JP: [10, 8],
  LU: [17],
  NL: [21, 9],
  NO: [25],
  PL: [23, 8],
  PT: [23],
  SE: [25, 12],
  CA: [5, 8, 9.975, 13],
  AU: [10],
  NZ: [15],
  US: [4, 4.5, 6, 6.25, 6.5, 7, 7.25, 8, 8.25, 8.875, 10.25],
  KR: [10],
  MX: [16],
  VN: [10],
  KW: [5],
};

const slug = (text) =>
  String(text)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_|_$/g, '');

export const taxKey = (country, rate, included) => `${country.toLowerCase()}_${slug(rate)}${included ? '_incl' : ''}`;

export function defaultTaxes() {
  const taxes = [];
  for (const [country, rates] of Object.entries(kRates)) {
    for (const rate of rates) {
      for (const included of [false, true])
        taxes.push({ key: taxKey(country, rate, included), name: `${country} ${rate}%${included ? ' incl.' : ''}`, country, rate, included });
    }
  }
  return taxes;
}

export function defaultProducts(count) {
  const products = [
    { sku: 'SHIPPING', name: 'Shipping', price: 0, type: 'service' },
    { sku: 'DISCOUNT', name: 'Discount', price: 0, type: 'service' },
    { sku: 'GIFT-CARD', name: 'Gift card', price: 0, type: 'service' },
    { sku: 'TIP', name: 'Tip', price: 0, type: 'service' },
    { sku: 'FEE', name: 'Fee', price: 0, type: 'service' },
    { sku: 'DUTY', name: 'Duty', price: 0, type: 'service' },
    { sku: 'ROUNDING', name: 'Rounding', price: 0, type: 'service' },
    { sku: 'CUSTOM', name: 'Custom item', price: 0, type: 'consu' },
    { sku: 'ADJUSTMENT', name: 'Adjustment', price: 0, type: 'service' },
  ];
  for (let i = 1; i <= count; i += 1) {
    const number = String(i).padStart(4, '0');
    products.push({ sku: `SKU-${number}`, name: `Product ${number}`, price: 5 + (i % 200) / 2, type: 'consu' });
  }
  return products;
}

export function seed(db, { products, taxes, pricelists, warehouses, roundingMethod }) {
  const tx = new Transaction(db.store);
  const env = new Env(db, tx, {});
  const put = (model, key, values) => {
    const record = env.create(model, values);
    db.store.externalIds.bind(tx, `sandbox.${model.replaceAll('.', '_')}_${key}`, model, record.id, true);
    return record;
  };
  // The company first: creating anything else asks for it.
  const currencies = new Map(
    kCurrencies.map(([name, decimals]) => [
      name,
      put('res.currency', name.toLowerCase(), { name, symbol: name, decimal_places: decimals, rounding: 10 ** -decimals, active: true }).id,
    ]),
  );
  const currency = (name) => {
    if (!currencies.has(name))
      currencies.set(name, put('res.currency', slug(name), { name, symbol: name, decimal_places: 2, rounding: 0.01, active: true }).id);
    return currencies.get(name);
  };
  const countries = new Map(Object.entries(kCountries).map(([code, name]) => [code, put('res.country', code.toLowerCase(), { name, code }).id]));
  for (const [country, states] of Object.entries(kStates)) {
    for (const [code, name] of Object.entries(states))
      put('res.country.state', `${country}_${code}`.toLowerCase(), { name, code, country_id: countries.get(country) });
  }
  for (const [key, name, currencyName] of [
    ['1', 'Sandbox Company', 'EUR'],
    ['2', 'Sandbox Company US', 'USD'],
  ]) {
    const values = { name, currency_id: currency(currencyName), country_id: countries.get('FR'), tax_calculation_rounding_method: roundingMethod };
    if (db.schema.get('res.company').fields.has('account_price_include')) values.account_price_include = 'tax_excluded';
    put('res.company', key, values);
  }
  put('uom.uom', 'unit', { name: 'Units' });
  for (const code of ['en_US', 'fr_FR', 'de_DE', 'nl_NL', 'it_IT', 'es_ES']) put('res.lang', slug(code), { name: code, code, active: true });
  put('res.partner', 'company', { name: 'Sandbox Company', is_company: true });
  put('res.users', 'public', { name: 'OdooBot', login: '__system__' });
  put('res.users', 'admin', { name: 'Integration', login: db.settings.login, tz: db.settings.userTimeZone, company_id: 1 });
  put('crm.team', 'web', { name: 'Website' });
  put('account.payment.term', 'immediate', { name: 'Immediate Payment' });
  put('account.payment.term', '30_days', { name: '30 Days' });
  for (const [code, name, type] of [
    ['INV', 'Customer Invoices', 'sale'],
    ['BILL', 'Vendor Bills', 'purchase'],
    ['BNK1', 'Bank', 'bank'],
    ['MISC', 'Miscellaneous Operations', 'general'],
  ]) {
    put('account.journal', code.toLowerCase(), { name, code, type, company_id: 1 });
  }
  put('stock.location', 'inventory', { name: 'Inventory adjustment', complete_name: 'Virtual Locations/Inventory adjustment', usage: 'inventory' });
  for (const { code, name } of warehouses) {
    const stock = put('stock.location', `${slug(code)}_stock`, { name: 'Stock', complete_name: `${code}/Stock`, usage: 'internal', company_id: 1 });
    put('stock.warehouse', slug(code), { code, name, company_id: 1, lot_stock_id: stock.id });
  }
  for (const name of pricelists) put('product.pricelist', slug(name), { name: `${name} prices`, currency_id: currency(name) });
  const inclusion = db.schema.get('account.tax').fields.has('price_include_override')
    ? (included) => ({ price_include_override: included ? 'tax_included' : 'tax_excluded' })
    : (included) => ({ price_include: included });
  for (const tax of taxes) {
    put('account.tax', tax.key ?? taxKey(tax.country, tax.rate, tax.included), {
      name: tax.name,
      amount: tax.rate,
      amount_type: tax.amount_type ?? 'percent',
      type_tax_use: 'sale',
      country_id: countries.get(tax.country) ?? false,
      company_id: 1,
      ...inclusion(Boolean(tax.included)),
    });
  }
  const { product_type: type } = db.names;
  for (const product of products) {
    put('product.product', slug(product.sku), {
      default_code: product.sku,
      name: product.name ?? product.sku,
      lst_price: product.price ?? 0,
      [type]: product.type ?? 'consu',
      barcode: product.barcode ?? false,
      ...(db.schema.get('product.product').fields.has('is_storable') ? { is_storable: (product.type ?? 'consu') === 'consu' } : {}),
    });
  }
  db.store.commit(tx);
}
