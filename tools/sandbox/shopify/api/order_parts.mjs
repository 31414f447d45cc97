// The parts of an order that several of its objects share: money, addresses, taxes, discounts, lines.
import { utcText } from '../clock.mjs';
import { gid } from '../ids.mjs';

// MoneyV2 prints "10.0" where webhooks print "10.00": Decimal is a string without a fixed number of digits (2.1).
export function decimalText(text) {
  if (text === null || text === undefined) return text;
  const [whole, fraction = ''] = String(text).split('.');
  return `${whole}.${fraction.replace(/0+$/, '') || '0'}`;
}
const v2 = (money) => money && { __typename: 'MoneyV2', amount: decimalText(money.amount), currencyCode: money.currency_code ?? money.currency };
export const bag = (set) => (set ? { shopMoney: v2(set.shop_money), presentmentMoney: v2(set.presentment_money ?? set.shop_money) } : null);
export const upper = (text) => (text === null || text === undefined ? null : String(text).toUpperCase());
export const time = (text) => (text ? utcText(Date.parse(text)) : null);
export const blank = (text) => (text === undefined || text === '' ? null : text);

const kApplications = {
  manual: 'ManualDiscountApplication',
  discount_code: 'DiscountCodeApplication',
  automatic: 'AutomaticDiscountApplication',
  script: 'ScriptDiscountApplication',
};

export class OrderParts {
  constructor(shop) {
    this.shop = shop;
  }

  zero(body) {
    const shop = { amount: '0.0', currencyCode: body.currency };
    return { shopMoney: shop, presentmentMoney: { amount: '0.0', currencyCode: body.presentment_currency ?? body.currency } };
  }

  address(address) {
    if (!address) return null;
    return {
      __typename: 'MailingAddress',
      id: gid('MailingAddress', '1'),
      address1: blank(address.address1),
      address2: blank(address.address2),
      city: blank(address.city),
      company: blank(address.company),
      country: blank(address.country),
      countryCode: blank(address.country_code),
      countryCodeV2: blank(address.country_code),
      firstName: blank(address.first_name),
      lastName: blank(address.last_name),
      name: blank(address.name),
      phone: blank(address.phone),
      province: blank(address.province),
      provinceCode: blank(address.province_code),
      zip: blank(address.zip),
      latitude: address.latitude ?? null,
      longitude: address.longitude ?? null,
      coordinatesValidated: false,
      formatted: () => [address.address1, address.city, address.country].filter(Boolean),
    };
  }

  customer(customer) {
    if (!customer) return null;
    return {
      __typename: 'Customer',
      id: gid('Customer', customer.id),
      legacyResourceId: String(customer.id),
      firstName: customer.first_name ?? null,
      lastName: customer.last_name ?? null,
      displayName: [customer.first_name, customer.last_name].filter(Boolean).join(' '),
      email: customer.email ?? null,
      phone: customer.phone ?? null,
      defaultEmailAddress: customer.email ? { emailAddress: customer.email } : null,
      defaultPhoneNumber: customer.phone ? { phoneNumber: customer.phone } : null,
      state: upper(customer.state ?? 'disabled'),
      note: customer.note ?? null,
      taxExempt: customer.tax_exempt ?? false,
      createdAt: time(customer.created_at) ?? utcText(0),
      updatedAt: time(customer.updated_at) ?? utcText(0),
      tags: [],
    };
  }

  taxLine(line, body) {
    return {
      title: line.title ?? '',
      rate: line.rate === null || line.rate === undefined ? null : Number(line.rate),
      ratePercentage: line.rate === null || line.rate === undefined ? null : Number(line.rate) * 100,
      price: line.price,
      priceSet: bag(line.price_set) ?? this.plain(line.price, body),
      channelLiable: line.channel_liable ?? null,
      source: line.source ?? null,
    };
  }
  plain(amount, body) {
    const money = { amount, currency_code: body.currency };
    return bag({ shop_money: money, presentment_money: money });
  }

  duty(duty, body) {
    const set = duty.price_set ?? duty.amount_set ?? { shop_money: duty.shop_money, presentment_money: duty.presentment_money };
    return {
      __typename: 'Duty',
      id: gid('Duty', duty.id),
      harmonizedSystemCode: duty.harmonized_system_code ?? null,
      countryCodeOfOrigin: duty.country_code_of_origin ?? null,
      price: bag(set),
      taxLines: (duty.tax_lines ?? []).map((line) => this.taxLine(line, body)),
    };
  }

  application(application, index) {
    const percentage = application.value_type === 'percentage';
    return {
      __typename: kApplications[application.type] ?? 'ManualDiscountApplication',
      index,
      allocationMethod: upper(application.allocation_method ?? 'across'),
      targetSelection: upper(application.target_selection ?? 'all'),
      targetType: upper(application.target_type ?? 'line_item'),
      value: percentage
        ? { __typename: 'PricingPercentageValue', percentage: Number(application.value) }
        : { __typename: 'MoneyV2', amount: decimalText(application.value), currencyCode: this.currency },
      code: application.code ?? '',
      title: application.title ?? '',
      description: application.description ?? null,
    };
  }
  allocations(line, body) {
    this.currency = body.currency;
    return (line.discount_allocations ?? []).map((allocation) => ({
      allocatedAmountSet: bag(allocation.amount_set) ?? this.plain(allocation.amount, body),
      discountApplication: this.application(
        body.discount_applications?.[allocation.discount_application_index] ?? {},
        allocation.discount_application_index,
      ),
    }));
  }

  line(line, record) {
    const { body } = record;
    const { stock } = this.shop;
    const item = line.variant_id ? stock.variantOf(gid('ProductVariant', line.variant_id)) : null;
    const group = (body.line_item_groups ?? []).find(({ id }) => id !== undefined && String(id) === String(line.sales_line_item_group_id));
    const fulfillable = line.fulfillable_quantity ?? line.quantity;
    return {
      __typename: 'LineItem',
      id: gid('LineItem', line.id),
      sku: line.sku ?? null,
      title: line.title,
      name: line.name ?? line.title,
      variantTitle: line.variant_title ?? null,
      vendor: line.vendor ?? null,
      quantity: line.quantity,
      currentQuantity: line.current_quantity ?? line.quantity,
      unfulfilledQuantity: fulfillable,
      fulfillableQuantity: fulfillable,
      nonFulfillableQuantity: Math.max(0, (line.current_quantity ?? line.quantity) - fulfillable),
      refundableQuantity: line.current_quantity ?? line.quantity,
      fulfillmentStatus: line.fulfillment_status ?? 'unfulfilled',
      isGiftCard: line.gift_card ?? false,
      requiresShipping: line.requires_shipping ?? false,
      taxable: line.taxable ?? false,
      restockable: item !== null,
      weight: line.grams === null || line.grams === undefined ? null : { value: line.grams, unit: 'GRAMS' },
      // What the catalogue here does not hold is shown by its id alone: imported bodies name products of elsewhere.
      variant: line.variant_id
        ? () =>
            item === null
              ? { __typename: 'ProductVariant', id: gid('ProductVariant', line.variant_id), legacyResourceId: String(line.variant_id) }
              : this.shop.stockNodes.variant(item)
        : null,
      product: line.product_id ? { __typename: 'Product', id: gid('Product', line.product_id), legacyResourceId: String(line.product_id) } : null,
      lineItemGroup: group
        ? {
            id: gid('LineItemGroup', group.id),
            title: group.title ?? '',
            quantity: group.quantity ?? 0,
            variantId: group.variant_id ? gid('ProductVariant', group.variant_id) : null,
            variantSku: group.variant_sku ?? group.sku ?? null,
            productId: null,
            customAttributes: [],
          }
        : null,
      originalUnitPriceSet: bag(line.price_set) ?? this.plain(line.price, body),
      totalDiscountSet: bag(line.total_discount_set) ?? this.zero(body),
      discountAllocations: this.allocations(line, body),
      taxLines: (line.tax_lines ?? []).map((tax) => this.taxLine(tax, body)),
      duties: (line.duties ?? []).map((duty) => this.duty(duty, body)),
      customAttributes: Array.isArray(line.properties)
        ? line.properties.map(({ name, value }) => ({ key: name, value: value === null ? null : String(value) }))
        : [],
    };
  }

  shippingLine(line, body) {
    return {
      id: gid('ShippingLine', line.id),
      title: line.title,
      code: line.code ?? null,
      source: line.source ?? null,
      phone: line.phone ?? null,
      carrierIdentifier: line.carrier_identifier ?? null,
      custom: false,
      isRemoved: line.is_removed ?? false,
      originalPriceSet: bag(line.price_set) ?? this.plain(line.price, body),
      discountedPriceSet: bag(line.discounted_price_set) ?? this.plain(line.discounted_price ?? line.price, body),
      currentDiscountedPriceSet: bag(line.current_discounted_price_set) ?? bag(line.discounted_price_set) ?? this.plain(line.price, body),
      discountAllocations: this.allocations(line, body),
      taxLines: (line.tax_lines ?? []).map((tax) => this.taxLine(tax, body)),
    };
  }
}
