// What a team would write first: Express 5, kafkajs, protobufjs. Verifies the signature over the raw body, parses, maps the order to
// the same Protobuf message as ingress, produces it with acks=all and answers when the brokers have it.
//
//   node server.mjs <folder of the .proto files> <brokers> <topic> <shops JSON: {"domain": {"alias": …, "secret": …}}>
// Prints its port on the first line of stdout.
import crypto from 'node:crypto';
import path from 'node:path';
import express from 'express';
import { Kafka, logLevel } from 'kafkajs';
import protobuf from 'protobufjs';

const [protoFolder, brokers, topic, shopsJson] = process.argv.slice(2);
const shops = new Map(Object.entries(JSON.parse(shopsJson)));

const root = new protobuf.Root();
root.resolvePath = (origin, target) =>
  target.startsWith('google/') ? null : path.isAbsolute(target) ? target : path.join(protoFolder, target);
await root.load(path.join(protoFolder, 'syncline/orders/v1/events.proto'));
const OrderChanged = root.lookupType('syncline.orders.v1.OrderChanged');

const kafka = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.ERROR });
const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 5, allowAutoTopicCreation: false });
await producer.connect();

const money = (value) => {
  const [units, fraction = ''] = value.amount.split('.');
  const sign = value.amount.startsWith('-') ? -1 : 1;
  return { currencyCode: value.currency_code, units: Number(units), nanos: sign * Number(fraction.padEnd(9, '0')) };
};
const pair = (set) => (set ? { shop: money(set.shop_money), presentment: money(set.presentment_money) } : null);
const time = (text) => {
  if (!text) return null;
  const milliseconds = Date.parse(text);
  return { seconds: Math.floor(milliseconds / 1000), nanos: (milliseconds % 1000) * 1e6 };
};
const decimal = (value) => ({ value: String(value) });
const taxes = (lines, included) =>
  lines.map((line) => ({
    title: line.title,
    rate: decimal(line.rate),
    amount: pair(line.price_set),
    included,
    channelLiable: line.channel_liable === true,
  }));
const allocations = (list) =>
  list.map((item) => ({ applicationIndex: item.discount_application_index, amount: pair(item.amount_set) }));
const address = (from) =>
  from && {
    firstName: from.first_name, lastName: from.last_name, company: from.company, address1: from.address1, address2: from.address2,
    city: from.city, zip: from.zip, provinceCode: from.province_code, countryCode: from.country_code, phone: from.phone,
    province: from.province, name: from.name, country: from.country,
  };

function toOrder(shop, order, observedAt) {
  return {
    shop, orderId: order.id, name: order.name, processedAt: time(order.processed_at), createdAt: time(order.created_at),
    sourceUpdatedAt: time(order.updated_at), observedAt: time(observedAt), cancelledAt: time(order.cancelled_at),
    cancelReason: order.cancel_reason, closedAt: time(order.closed_at), test: order.test, sourceName: order.source_name,
    financialStatus: order.financial_status === 'paid' ? 4 : 0, currencyCode: order.currency,
    presentmentCurrencyCode: order.presentment_currency, taxesIncluded: order.taxes_included, taxExempt: order.tax_exempt,
    dutiesIncluded: order.duties_included, discountCodes: order.discount_codes.map((item) => item.code),
    taxLines: taxes(order.tax_lines, order.taxes_included), totalLineItemsPrice: pair(order.total_line_items_price_set),
    subtotalPrice: pair(order.subtotal_price_set), totalDiscounts: pair(order.total_discounts_set),
    totalShippingPrice: pair(order.total_shipping_price_set), totalTax: pair(order.total_tax_set), totalPrice: pair(order.total_price_set),
    currentSubtotalPrice: pair(order.current_subtotal_price_set), currentTotalDiscounts: pair(order.current_total_discounts_set),
    currentShippingPrice: pair(order.current_shipping_price_set), currentTotalTax: pair(order.current_total_tax_set),
    currentTotalPrice: pair(order.current_total_price_set), paymentGatewayNames: order.payment_gateway_names,
    tags: order.tags ? order.tags.split(',').map((tag) => tag.trim()) : [], customerId: order.customer?.id, poNumber: order.po_number,
    customerLocale: order.customer_locale, orderNumber: order.order_number, confirmed: order.confirmed,
    totalWeightGrams: order.total_weight, destinationCountryCode: (order.shipping_address ?? order.billing_address)?.country_code,
    lines: order.line_items.map((line) => ({
      lineItemId: line.id, variantId: line.variant_id, productId: line.product_id, sku: line.sku, title: line.title,
      variantTitle: line.variant_title, name: line.name, vendor: line.vendor, quantity: decimal(line.quantity),
      currentQuantity: decimal(line.current_quantity), fulfillableQuantity: decimal(line.fulfillable_quantity),
      unitPrice: pair(line.price_set), totalDiscount: pair(line.total_discount_set),
      discountAllocations: allocations(line.discount_allocations), taxLines: taxes(line.tax_lines, order.taxes_included),
      taxable: line.taxable, requiresShipping: line.requires_shipping, giftCard: line.gift_card, kind: 1, grams: line.grams,
      productExists: line.product_exists,
    })),
    shippingLines: order.shipping_lines.map((line) => ({
      shippingLineId: line.id, title: line.title, code: line.code, source: line.source, price: pair(line.price_set),
      discountedPrice: pair(line.discounted_price_set), discountAllocations: allocations(line.discount_allocations),
      taxLines: taxes(line.tax_lines, order.taxes_included), removed: line.is_removed,
    })),
    personalData: {
      clear: {
        customer: order.customer && {
          firstName: order.customer.first_name, lastName: order.customer.last_name, email: order.customer.email, phone: order.customer.phone,
        },
        email: order.email, phone: order.phone, billingAddress: address(order.billing_address),
        shippingAddress: address(order.shipping_address), note: order.note,
      },
    },
  };
}

const app = express();
app.disable('x-powered-by');
app.post('/webhooks/shopify', express.raw({ type: 'application/json', limit: '8mb' }), async (request, response) => {
  const shop = shops.get(request.get('x-shopify-shop-domain'));
  const given = Buffer.from(request.get('x-shopify-hmac-sha256') ?? '', 'base64');
  const own = shop && crypto.createHmac('sha256', shop.secret).update(request.body).digest();
  if (!own || given.length !== own.length || !crypto.timingSafeEqual(given, own)) {
    return response.status(401).json({ code: 'bad_signature' });
  }
  const body = JSON.parse(request.body.toString('utf8'));
  const order = toOrder(shop.alias, body, request.get('x-shopify-triggered-at'));
  const value = OrderChanged.encode(OrderChanged.fromObject({ cause: 1, order })).finish();
  try {
    await producer.send({
      topic,
      acks: -1,
      messages: [
        {
          key: `${shop.alias}/${body.id}`,
          value: Buffer.from(value),
          headers: { 'content-type': 'application/protobuf', ce_type: 'syncline.orders.v1.OrderChanged', ce_id: crypto.randomUUID() },
        },
      ],
    });
    response.status(200).end();
  } catch {
    response.status(503).set('retry-after', '2').json({ code: 'no_acknowledgement' });
  }
});
const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.on('SIGTERM', async () => {
  server.close();
  await producer.disconnect();
  process.exit(0);
});
