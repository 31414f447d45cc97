// Orders in the shape of the webhook: the one shape that is stored. The GraphQL view (view.mjs) reads it.
import { gid, jsonId } from '../ids.mjs';
import { money, moneySet, ofSet, rateOf, scaled, taxOf, toMinor, toText } from './money.mjs';

const kAddress = {
  first_name: 'Ada',
  address1: '1 Rue du Test',
  phone: '+33 1 00 00 00 00',
  city: 'Lyon',
  zip: '69001',
  province: null,
  country: 'France',
  last_name: 'Sandbox',
  address2: null,
  company: null,
  latitude: null,
  longitude: null,
  name: 'Ada Sandbox',
  country_code: 'FR',
  province_code: null,
};

function taxLines(amount, rate, currency, included) {
  if (!rate) return [];
  const tax = taxOf(amount, rateOf(rate), included);
  return [{ price: toText(tax, currency), rate: Number(rate), title: 'VAT', price_set: moneySet(tax, currency), channel_liable: false }];
}

// `given`: what the checkout asks for; lines carry {item, variant…} found before.
export function orderBody({ id, number, given, lines, nextId, currency, at, local }) {
  const included = given.taxes_included ?? false;
  const applications = [];
  const items = lines.map((line) => {
    const price = toMinor(line.price, currency);
    const gross = price * BigInt(line.quantity);
    const discount = line.discount ? toMinor(line.discount, currency) : 0n;
    const lineId = nextId();
    const allocations = [];
    if (discount > 0n) {
      allocations.push({
        amount: toText(discount, currency),
        amount_set: moneySet(discount, currency),
        discount_application_index: applications.length,
      });
      applications.push({
        target_type: 'line_item',
        type: 'manual',
        value: toText(discount, currency),
        value_type: 'fixed_amount',
        allocation_method: 'each',
        target_selection: 'explicit',
        title: 'Discount',
        description: 'Discount',
      });
    }
    return {
      id: jsonId(lineId),
      admin_graphql_api_id: gid('LineItem', lineId),
      current_quantity: line.quantity,
      fulfillable_quantity: line.quantity,
      fulfillment_service: 'manual',
      fulfillment_status: null,
      gift_card: false,
      grams: line.grams ?? 100,
      name: line.title,
      price: toText(price, currency),
      price_set: moneySet(price, currency),
      product_exists: line.product_id !== null,
      product_id: line.product_id,
      properties: line.properties ?? [],
      quantity: line.quantity,
      requires_shipping: line.requires_shipping ?? true,
      sku: line.sku,
      taxable: true,
      title: line.title,
      total_discount: '0.00',
      total_discount_set: moneySet(0n, currency),
      variant_id: line.variant_id,
      variant_inventory_management: line.variant_id === null ? null : 'shopify',
      variant_title: null,
      vendor: null,
      tax_lines: taxLines(gross - discount, line.tax_rate ?? given.tax_rate, currency, included),
      duties: [],
      discount_allocations: allocations,
    };
  });
  const shipping = given.shipping ? [shippingLine(given.shipping, nextId(), currency, included, given.shipping.tax_rate ?? given.tax_rate)] : [];
  const customer =
    given.customer === null
      ? null
      : { id: jsonId(given.customer?.id ?? '7000000000001'), ...defaultCustomer(given, currency, local(at)), ...given.customer };
  const address = given.shipping_address === null ? null : { ...kAddress, ...given.shipping_address };
  const time = local(at);
  const body = {
    id: jsonId(id),
    admin_graphql_api_id: gid('Order', id),
    app_id: 580111,
    browser_ip: null,
    buyer_accepts_marketing: false,
    cancel_reason: null,
    cancelled_at: null,
    cart_token: null,
    checkout_token: null,
    client_details: null,
    closed_at: null,
    company: given.company ?? null,
    confirmation_number: `S${number}`,
    confirmed: true,
    contact_email: given.email ?? 'ada@example.com',
    created_at: time,
    currency,
    customer_locale: given.customer_locale ?? 'en',
    device_id: null,
    discount_codes: (given.discount_codes ?? []).map((code) => ({ code, amount: '0.00', type: 'fixed_amount' })),
    duties_included: false,
    email: given.email ?? 'ada@example.com',
    estimated_taxes: false,
    financial_status: given.financial_status ?? 'paid',
    fulfillment_status: null,
    landing_site: null,
    location_id: given.location_id ?? null,
    merchant_business_entity_id: 'MTU0ODM4MDAwOQ',
    merchant_of_record_app_id: null,
    name: `#${number}`,
    note: given.note ?? null,
    note_attributes: given.note_attributes ?? [],
    number: number - 1000,
    order_number: number,
    original_total_additional_fees_set: null,
    original_total_duties_set: null,
    payment_gateway_names: [given.gateway ?? 'shopify_payments'],
    phone: null,
    po_number: given.po_number ?? null,
    presentment_currency: currency,
    processed_at: time,
    reference: null,
    source_identifier: given.source_identifier ?? null,
    source_name: given.source_name ?? 'web',
    tags: given.tags ?? '',
    tax_exempt: false,
    tax_lines: [],
    taxes_included: included,
    test: false,
    total_tip_received: '0.00',
    total_tip_received_set: moneySet(0n, currency),
    total_cash_rounding_payment_adjustment_set: moneySet(0n, currency),
    total_cash_rounding_refund_adjustment_set: moneySet(0n, currency),
    total_weight: lines.reduce((grams, line) => grams + (line.grams ?? 100) * line.quantity, 0),
    updated_at: time,
    user_id: null,
    billing_address: given.billing_address === null ? null : { ...kAddress, ...given.billing_address },
    shipping_address: address,
    customer,
    discount_applications: applications,
    fulfillments: [],
    line_items: items,
    payment_terms: null,
    refunds: [],
    returns: [],
    shipping_lines: shipping,
  };
  setTotals(body);
  setCurrent(body);
  return body;
}

function defaultCustomer(given, currency, time) {
  const id = given.customer?.id ?? '7000000000001';
  return {
    created_at: time,
    updated_at: time,
    first_name: 'Ada',
    last_name: 'Sandbox',
    state: 'disabled',
    note: null,
    verified_email: true,
    tax_exempt: false,
    email: given.email ?? 'ada@example.com',
    phone: null,
    currency,
    tax_exemptions: [],
    admin_graphql_api_id: gid('Customer', id),
  };
}

function shippingLine({ title = 'Standard', code = 'standard', price = '0.00' }, id, currency, included, rate) {
  const amount = toMinor(price, currency);
  return {
    id: jsonId(id),
    carrier_identifier: null,
    code,
    current_discounted_price_set: moneySet(amount, currency),
    discounted_price: toText(amount, currency),
    discounted_price_set: moneySet(amount, currency),
    is_removed: false,
    phone: null,
    price: toText(amount, currency),
    price_set: moneySet(amount, currency),
    requested_fulfillment_service_id: null,
    source: 'shopify',
    title,
    tax_lines: taxLines(amount, rate, currency, included),
    discount_allocations: [],
  };
}

const sum = (list, read) => list.reduce((total, element) => total + read(element), 0n);
function put(body, name, minor) {
  body[name] = toText(minor, body.currency);
  body[`${name}_set`] = moneySet(minor, body.currency);
}
const allocated = (line, currency) => sum(line.discount_allocations, ({ amount_set: set }) => ofSet(set, currency));
const taxed = (line, currency) => sum(line.tax_lines, ({ price_set: set }) => ofSet(set, currency));

// "Total = Σ price×quantity − Σ discount_allocations + shipping (+ tax if not included)" (1.8)
function setTotals(body) {
  const { currency } = body;
  const goods = sum(body.line_items, (line) => ofSet(line.price_set, currency) * BigInt(line.quantity));
  const discounts = sum(body.line_items, (line) => allocated(line, currency)) + sum(body.shipping_lines, (line) => allocated(line, currency));
  const shipping = sum(body.shipping_lines, (line) => ofSet(line.price_set, currency));
  const tax = sum(body.line_items, (line) => taxed(line, currency)) + sum(body.shipping_lines, (line) => taxed(line, currency));
  put(body, 'total_line_items_price', goods);
  put(body, 'total_discounts', discounts);
  put(body, 'subtotal_price', goods - discounts);
  body.total_shipping_price_set = moneySet(shipping, currency);
  put(body, 'total_tax', tax);
  put(body, 'total_price', goods - discounts + shipping + (body.taxes_included ? 0n : tax));
  body.total_outstanding = body.financial_status === 'paid' ? toText(0n, currency) : body.total_price;
  if (tax > 0n) {
    const rates = new Map();
    for (const line of [...body.line_items, ...body.shipping_lines])
      for (const { title, rate, price_set: set } of line.tax_lines)
        rates.set(rate, { title, rate, minor: (rates.get(rate)?.minor ?? 0n) + ofSet(set, currency) });
    body.tax_lines = [...rates.values()].map(({ title, rate, minor }) => ({
      price: toText(minor, currency),
      rate,
      title,
      price_set: moneySet(minor, currency),
      channel_liable: false,
    }));
  }
}

// "current_* and current_quantity are after edits, removals, refunds. A cancelled order keeps total_price." (1.8)
export function setCurrent(body) {
  const { currency } = body;
  const part = (minor, line) => scaled(minor, BigInt(line.current_quantity), BigInt(line.quantity));
  const goods = sum(body.line_items, (line) => ofSet(line.price_set, currency) * BigInt(line.current_quantity));
  const discounts = sum(body.line_items, (line) => part(allocated(line, currency), line));
  const refundedShipping = sum(body.refunds ?? [], (refund) =>
    sum(refund.refund_shipping_lines ?? [], ({ subtotal_amount_set: set }) => ofSet(set, currency)),
  );
  const shipping = sum(body.shipping_lines, (line) => ofSet(line.price_set, currency)) - refundedShipping;
  const tax =
    sum(body.line_items, (line) => part(taxed(line, currency), line)) +
    (refundedShipping > 0n ? 0n : sum(body.shipping_lines, (line) => taxed(line, currency)));
  put(body, 'current_subtotal_price', goods - discounts);
  put(body, 'current_total_discounts', discounts);
  body.current_shipping_price_set = moneySet(shipping, currency);
  put(body, 'current_total_tax', tax);
  put(body, 'current_total_price', goods - discounts + shipping + (body.taxes_included ? 0n : tax));
  body.current_total_duties_set ??= null;
  body.current_total_additional_fees_set ??= null;
}

// One entry of refunds[].refund_line_items. ".subtotal, .total_tax" are JSON numbers (1.8).
export function refundLine({ id, line, quantity, restockType, locationId, body }) {
  const { currency } = body;
  const share = (minor) => scaled(minor, BigInt(quantity), BigInt(line.quantity));
  const subtotal = ofSet(line.price_set, currency) * BigInt(quantity) - share(allocated(line, currency));
  const tax = share(taxed(line, currency));
  return {
    id: jsonId(id),
    line_item_id: line.id,
    location_id: locationId,
    quantity,
    restock_type: restockType,
    subtotal: Number(toText(subtotal, currency)),
    subtotal_set: moneySet(subtotal, currency),
    total_tax: Number(toText(tax, currency)),
    total_tax_set: moneySet(tax, currency),
    line_item: line,
  };
}

export function transactionBody({ id, orderId, kind, amount, currency, gateway, at, parent = null, status = 'success' }) {
  return {
    id: jsonId(id),
    order_id: jsonId(orderId),
    kind,
    gateway,
    status,
    message: null,
    created_at: at,
    processed_at: at,
    test: false,
    authorization: null,
    location_id: null,
    user_id: null,
    parent_id: parent,
    source_name: 'web',
    error_code: null,
    currency,
    amount: toText(amount, currency),
    payment_id: `#${orderId}.1`,
    manual_payment_gateway: false,
    total_unsettled_set: { presentment_money: { amount: '0.0', currency }, shop_money: { amount: '0.0', currency } },
    amount_set: { shop_money: money(amount, currency), presentment_money: money(amount, currency) },
    admin_graphql_api_id: gid('OrderTransaction', id),
  };
}
