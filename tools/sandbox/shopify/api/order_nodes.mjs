// Orders as GraphQL shows them, read from the stored webhook body, so that both shapes always tell the same.
import { utcText } from '../clock.mjs';
import { gid } from '../ids.mjs';
import { refuse } from './graphql.mjs';
import { bag, blank, decimalText, OrderParts, time, upper } from './order_parts.mjs';
import { listed } from './paging.mjs';

const kFulfillment = { partial: 'PARTIALLY_FULFILLED', fulfilled: 'FULFILLED', restocked: 'RESTOCKED' };

export class OrderNodes extends OrderParts {
  transaction(transaction, record) {
    const { body } = record;
    const amount = { amount: transaction.amount, currency_code: transaction.currency ?? body.currency };
    const money = (set) => (set ? bag(set) : null);
    return {
      __typename: 'OrderTransaction',
      id: gid('OrderTransaction', transaction.id),
      kind: upper(transaction.kind),
      status: upper(transaction.status),
      gateway: transaction.gateway ?? null,
      test: transaction.test ?? false,
      createdAt: time(transaction.created_at) ?? time(transaction.processed_at) ?? utcText(record.created),
      processedAt: time(transaction.processed_at),
      errorCode: upper(transaction.error_code),
      paymentId: transaction.payment_id ?? null,
      manualPaymentGateway: transaction.manual_payment_gateway ?? false,
      amountSet: money(transaction.amount_set) ?? bag({ shop_money: amount, presentment_money: amount }),
      amountRoundingSet: null,
      totalUnsettledSet: money(transaction.total_unsettled_set),
      parentTransaction: transaction.parent_id ? { __typename: 'OrderTransaction', id: gid('OrderTransaction', transaction.parent_id) } : null,
      location: transaction.location_id ? { id: gid('Location', transaction.location_id) } : null,
      fees: [],
      order: () => this.order(record),
    };
  }

  refund(refund, record) {
    const { body } = record;
    const total = (refund.transactions ?? []).filter(({ kind, status }) => kind === 'refund' && status === 'success');
    const cents = total.reduce((sum, { amount }) => sum + Math.round(Number(amount) * 1000), 0) / 1000;
    const page = (list, node) => (args, context, info) => listed(list ?? [], args, info, node);
    return {
      __typename: 'Refund',
      id: gid('Refund', refund.id),
      legacyResourceId: String(refund.id),
      createdAt: time(refund.created_at),
      processedAt: time(refund.processed_at) ?? time(refund.created_at),
      updatedAt: time(refund.processed_at) ?? time(refund.created_at),
      note: refund.note ?? null,
      order: () => this.order(record),
      return: refund.return?.id ? { __typename: 'Return', id: gid('Return', refund.return.id) } : null,
      totalRefundedSet: this.plain(String(cents), body),
      duties: (refund.duties ?? []).map((duty) => ({
        amountSet: bag(duty.amount_set ?? duty),
        originalDuty: this.duty({ ...duty, id: duty.duty_id ?? duty.id }, body),
      })),
      refundLineItems: page(refund.refund_line_items, (entry) => ({
        id: gid('RefundLineItem', entry.id),
        quantity: entry.quantity,
        restockType: upper(entry.restock_type),
        restocked: entry.restock_type !== 'no_restock',
        lineItem: { __typename: 'LineItem', id: gid('LineItem', entry.line_item_id) },
        location: entry.location_id ? { __typename: 'Location', id: gid('Location', entry.location_id) } : null,
        subtotalSet: bag(entry.subtotal_set) ?? this.plain(entry.subtotal, body),
        totalTaxSet: bag(entry.total_tax_set) ?? this.plain(entry.total_tax, body),
      })),
      orderAdjustments: page(refund.order_adjustments, (entry) => ({
        __typename: 'OrderAdjustment',
        id: gid('OrderAdjustment', entry.id),
        reason: entry.kind === 'refund_discrepancy' ? 'REFUND_DISCREPANCY' : null,
        amountSet: bag(entry.amount_set) ?? this.plain(entry.amount, body),
        taxAmountSet: bag(entry.tax_amount_set) ?? this.plain(entry.tax_amount ?? '0', body),
      })),
      refundShippingLines: page(refund.refund_shipping_lines, (entry) => ({
        __typename: 'RefundShippingLine',
        id: gid('RefundShippingLine', entry.id),
        shippingLine: this.shippingLine(
          (body.shipping_lines ?? []).find(({ id }) => String(id) === String(entry.shipping_line?.id ?? entry.shipping_line_id)) ?? {
            id: 0,
            title: '',
            price: '0',
          },
          body,
        ),
        subtotalAmountSet: bag(entry.subtotal_amount_set ?? entry.subtotal_set),
        taxAmountSet: bag(entry.tax_amount_set ?? entry.total_tax_set) ?? this.zero(body),
      })),
      transactions: page(refund.transactions, (transaction) => this.transaction(transaction, record)),
    };
  }

  fulfillment(fulfillment, record) {
    const lines = fulfillment.line_items ?? [];
    return {
      __typename: 'Fulfillment',
      id: gid('Fulfillment', fulfillment.id),
      legacyResourceId: String(fulfillment.id),
      name: fulfillment.name ?? record.body.name,
      status: upper(fulfillment.status === 'open' || fulfillment.status === 'pending' ? 'success' : fulfillment.status),
      displayStatus: fulfillment.shipment_status ? upper(fulfillment.shipment_status) : 'FULFILLED',
      createdAt: time(fulfillment.created_at),
      updatedAt: time(fulfillment.updated_at) ?? time(fulfillment.created_at),
      totalQuantity: lines.reduce((total, { quantity }) => total + quantity, 0),
      location: fulfillment.location_id ? { __typename: 'Location', id: gid('Location', fulfillment.location_id) } : null,
      order: () => this.order(record),
      trackingInfo: () => {
        const numbers = fulfillment.tracking_numbers?.length
          ? fulfillment.tracking_numbers
          : fulfillment.tracking_number
            ? [fulfillment.tracking_number]
            : [];
        return numbers.map((number, index) => ({
          company: fulfillment.tracking_company ?? null,
          number,
          url: fulfillment.tracking_urls?.[index] ?? null,
        }));
      },
      fulfillmentLineItems: (args, context, info) =>
        listed(lines, args, info, (line) => ({
          __typename: 'FulfillmentLineItem',
          id: gid('FulfillmentLineItem', `${line.id}`),
          quantity: line.quantity,
          lineItem: { __typename: 'LineItem', id: gid('LineItem', line.id) },
        })),
    };
  }

  fulfillmentOrder(order) {
    const record = this.shop.orders.records.get(order.orderId);
    const { location } = order;
    const open = ['OPEN', 'IN_PROGRESS'].includes(order.status);
    return {
      __typename: 'FulfillmentOrder',
      id: gid('FulfillmentOrder', order.id),
      status: order.status,
      requestStatus: order.requestStatus,
      createdAt: utcText(order.created),
      updatedAt: utcText(order.updated),
      fulfillAt: utcText(order.created),
      fulfillBy: null,
      orderId: gid('Order', order.orderId),
      orderName: record?.body.name ?? '',
      orderProcessedAt: time(record?.body.processed_at) ?? utcText(order.created),
      order: () => this.order(record),
      assignedLocation: {
        name: location.name,
        countryCode: location.address.countryCode ?? 'FR',
        address1: null,
        address2: null,
        city: null,
        phone: null,
        province: null,
        zip: null,
        location: () => this.shop.stockNodes.location(location),
      },
      deliveryMethod: { id: gid('DeliveryMethod', order.id), methodType: 'SHIPPING' },
      fulfillmentHolds: [],
      supportedActions: open ? [{ action: 'CREATE_FULFILLMENT' }, { action: 'MOVE' }] : [],
      lineItems: (args, context, info) =>
        listed(order.lines, args, info, (part) => ({
          __typename: 'FulfillmentOrderLineItem',
          id: gid('FulfillmentOrderLineItem', part.id),
          totalQuantity: part.total,
          remainingQuantity: part.remaining,
          sku: part.item === null ? null : this.shop.stock.skus[part.item],
          inventoryItemId: part.item === null ? null : gid('InventoryItem', this.shop.stock.itemId(part.item)),
          requiresShipping: true,
          productTitle: part.item === null ? '' : this.shop.titleOf(part.item),
          lineItem: () =>
            this.line(
              record.body.line_items.find(({ id }) => String(id) === part.lineId),
              record,
            ),
        })),
      fulfillments: (args, context, info) => listed(order.fulfillments, args, info, (fulfillment) => this.fulfillment(fulfillment, record)),
    };
  }

  purchasing(body) {
    const { company, customer } = body;
    if (!company) return customer ? this.customer(customer) : null;
    return {
      __typename: 'PurchasingCompany',
      company: { id: gid('Company', company.id), name: company.name ?? '', externalId: company.external_id ?? null },
      location: {
        id: gid('CompanyLocation', company.location_id),
        name: company.location_name ?? '',
        externalId: company.location_external_id ?? null,
      },
      contact: company.contact?.id ? { id: gid('CompanyContact', company.contact.id), customer: this.customer(customer) } : null,
    };
  }

  paymentTerms(body) {
    const terms = body.payment_terms;
    if (!terms) return null;
    const currency = body.presentment_currency ?? body.currency;
    const one = (amount, given) => ({ amount: decimalText(amount), currencyCode: given ?? currency });
    return {
      __typename: 'PaymentTerms',
      id: gid('PaymentTerms', terms.id ?? '1'),
      paymentTermsName: terms.payment_terms_name ?? String(terms),
      paymentTermsType: upper(terms.payment_terms_type ?? 'net'),
      translatedName: terms.payment_terms_name ?? '',
      dueInDays: terms.due_in_days ?? null,
      due: false,
      overdue: false,
      paymentSchedules: (args, context, info) =>
        listed(terms.payment_schedules ?? [], args, info, (schedule) => ({
          __typename: 'PaymentSchedule',
          id: gid('PaymentSchedule', schedule.id),
          dueAt: time(schedule.due_at),
          issuedAt: time(schedule.issued_at),
          completedAt: time(schedule.completed_at),
          due: false,
          balanceDue: one(schedule.completed_at ? '0' : schedule.amount, schedule.currency),
          totalBalance: one(schedule.amount, schedule.currency),
        })),
    };
  }

  returned(entry, record) {
    return {
      __typename: 'Return',
      id: gid('Return', entry.id),
      name: entry.name ?? `${record.body.name}-R1`,
      status: upper(entry.status ?? 'open'),
      order: () => this.order(record),
      totalQuantity: 0,
      exchangeLineItems: (args, context, info) =>
        listed(entry.exchange_line_items ?? [], args, info, (line) => ({
          id: gid('ExchangeLineItem', line.id),
          lineItems: line.line_item_id ? [{ __typename: 'LineItem', id: gid('LineItem', line.line_item_id) }] : [],
        })),
    };
  }

  order(record) {
    const { body } = record;
    const { orders, metafields } = this.shop;
    const sets = {
      currentShippingPriceSet: body.current_shipping_price_set ?? body.total_shipping_price_set,
      currentSubtotalPriceSet: body.current_subtotal_price_set,
      currentTotalDiscountsSet: body.current_total_discounts_set,
      currentTotalPriceSet: body.current_total_price_set,
      currentTotalTaxSet: body.current_total_tax_set,
      originalTotalPriceSet: body.total_price_set,
      totalPriceSet: body.total_price_set,
      totalShippingPriceSet: body.total_shipping_price_set,
      totalTipReceivedSet: body.total_tip_received_set,
      totalOutstandingSet:
        body.total_outstanding_set ??
        (body.total_outstanding === undefined ? null : { shop_money: { amount: body.total_outstanding, currency_code: body.currency } }),
    };
    const nullable = {
      currentTotalAdditionalFeesSet: body.current_total_additional_fees_set,
      currentTotalDutiesSet: body.current_total_duties_set,
      originalTotalAdditionalFeesSet: body.original_total_additional_fees_set,
      originalTotalDutiesSet: body.original_total_duties_set,
      subtotalPriceSet: body.subtotal_price_set,
      totalDiscountsSet: body.total_discounts_set,
      totalTaxSet: body.total_tax_set,
    };
    const id = gid('Order', record.id);
    const page =
      (list, node, keep = () => true) =>
      (args, context, info) =>
        listed(
          (list ?? []).filter((entry) => keep(entry, args)),
          args,
          info,
          node,
        );
    return {
      __typename: 'Order',
      id,
      legacyResourceId: record.id,
      name: body.name,
      number: body.order_number ?? body.number ?? 0,
      createdAt: utcText(record.created),
      processedAt: time(body.processed_at) ?? utcText(record.created),
      updatedAt: utcText(record.updated),
      cancelledAt: time(body.cancelled_at),
      cancelReason: upper(body.cancel_reason),
      closed: Boolean(body.closed_at),
      closedAt: time(body.closed_at),
      test: body.test ?? false,
      confirmed: body.confirmed ?? true,
      confirmationNumber: body.confirmation_number ?? null,
      edited: record.edited,
      sourceName: body.source_name ?? null,
      sourceIdentifier: body.source_identifier ?? null,
      poNumber: body.po_number ?? null,
      currencyCode: body.currency,
      presentmentCurrencyCode: body.presentment_currency ?? body.currency,
      taxesIncluded: body.taxes_included ?? false,
      taxExempt: body.tax_exempt ?? false,
      dutiesIncluded: body.duties_included ?? false,
      estimatedTaxes: body.estimated_taxes ?? false,
      displayFinancialStatus: upper(body.financial_status),
      displayFulfillmentStatus: kFulfillment[body.fulfillment_status] ?? 'UNFULFILLED',
      returnStatus: (body.returns ?? []).length === 0 ? 'NO_RETURN' : 'IN_PROGRESS',
      paymentGatewayNames: body.payment_gateway_names ?? [],
      tags: () => orders.tagsOf(record).sort(),
      totalWeight: String(body.total_weight ?? 0),
      currentTotalWeight: String(body.total_weight ?? 0),
      discountCode: body.discount_codes?.[0]?.code ?? null,
      discountCodes: (body.discount_codes ?? []).map(({ code }) => code),
      customerLocale: body.customer_locale ?? null,
      email: blank(body.email) ?? null,
      phone: blank(body.phone) ?? null,
      note: blank(body.note) ?? null,
      fullyPaid: body.financial_status === 'paid',
      customAttributes: (body.note_attributes ?? []).map(({ name, value }) => ({ key: name, value: value === null ? null : String(value) })),
      app: body.app_id ? { id: gid('App', body.app_id), name: 'Online Store' } : null,
      merchantOfRecordApp: body.merchant_of_record_app_id ? { id: gid('App', body.merchant_of_record_app_id) } : null,
      merchantBusinessEntity: { id: gid('BusinessEntity', body.merchant_business_entity_id ?? '1') },
      retailLocation: body.location_id ? { __typename: 'Location', id: gid('Location', body.location_id) } : null,
      customer: this.customer(body.customer),
      billingAddress: this.address(body.billing_address),
      shippingAddress: this.address(body.shipping_address),
      purchasingEntity: () => this.purchasing(body),
      paymentTerms: () => this.paymentTerms(body),
      ...Object.fromEntries(Object.entries(sets).map(([name, set]) => [name, bag(set) ?? this.zero(body)])),
      ...Object.fromEntries(Object.entries(nullable).map(([name, set]) => [name, bag(set)])),
      totalCashRoundingAdjustment: {
        paymentSet: bag(body.total_cash_rounding_payment_adjustment_set) ?? this.zero(body),
        refundSet: bag(body.total_cash_rounding_refund_adjustment_set) ?? this.zero(body),
      },
      taxLines: () => (body.tax_lines ?? []).map((line) => this.taxLine(line, body)),
      lineItems: page(body.line_items, (line) => this.line(line, record)),
      shippingLines: page(
        body.shipping_lines,
        (line) => this.shippingLine(line, body),
        ({ is_removed: removed }, { includeRemovals }) => includeRemovals || !removed,
      ),
      discountApplications: (args, context, info) => {
        this.currency = body.currency;
        const list = body.discount_applications ?? [];
        return listed(
          list.map((application, index) => ({ application, index })),
          args,
          info,
          ({ application, index }) => this.application(application, index),
          ({ index }) => index,
        );
      },
      returns: page(body.returns, (entry) => this.returned(entry, record)),
      refunds: ({ first }) => (body.refunds ?? []).slice(0, first ?? undefined).map((refund) => this.refund(refund, record)),
      fulfillments: ({ first }) => (body.fulfillments ?? []).slice(0, first ?? undefined).map((fulfillment) => this.fulfillment(fulfillment, record)),
      fulfillmentOrders: page(record.fulfillmentOrders, (order) => this.fulfillmentOrder(order)),
      transactions: ({ first }) => record.transactions.slice(0, first ?? undefined).map((transaction) => this.transaction(transaction, record)),
      ...metafields.membersOf(id),
    };
  }

  // A part of an order by its gid: Refund, Fulfillment, Return, PaymentTerms, LineItem.
  part(type, number) {
    for (const record of this.shop.orders.records.values()) {
      const { body } = record;
      const find = (list) => (list ?? []).find(({ id }) => String(id) === number);
      const found = {
        Refund: () => find(body.refunds) && this.refund(find(body.refunds), record),
        Fulfillment: () => find(body.fulfillments) && this.fulfillment(find(body.fulfillments), record),
        Return: () => find(body.returns) && this.returned(find(body.returns), record),
        PaymentTerms: () => (body.payment_terms && String(body.payment_terms.id) === number ? this.paymentTerms(body) : null),
        LineItem: () => find(body.line_items) && this.line(find(body.line_items), record),
      }[type];
      if (!found) throw refuse(`the sandbox does not play ${type} as a node`, 'SANDBOX_NOT_PLAYED');
      const node = found();
      if (node) return node;
    }
    return null;
  }
}
