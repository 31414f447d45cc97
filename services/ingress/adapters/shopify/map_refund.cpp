#include <syncline/common/v1/personal_data.pb.h>
#include <syncline/orders/v1/order.pb.h>

#include "adapters/shopify/map_parts.h"

namespace ingress {

namespace json = syncline::json;
using namespace syncline::orders::v1;

namespace {

RestockType restock_type_from(Mapping& mapping, json::Value value) {
    const auto text = value.string();
    if (!text) {
        mapping.fail(text.error());
        return RESTOCK_TYPE_UNSPECIFIED;
    }
    if (*text == "no_restock") {
        return RESTOCK_TYPE_NO_RESTOCK;
    }
    if (*text == "cancel") {
        return RESTOCK_TYPE_CANCEL;
    }
    if (*text == "return") {
        return RESTOCK_TYPE_RETURN;
    }
    if (*text == "legacy_restock") {
        return RESTOCK_TYPE_LEGACY_RESTOCK;
    }
    mapping.unknown_member("restock_type", "new_value");
    return RESTOCK_TYPE_UNSPECIFIED;
}

void map_refund_line(Mapping& mapping, RefundLine& to, json::Value from) {
    using Line = Into<RefundLine>;
    static const MemberTable<RefundLine> kTable{"refund_line_item",
                                                {{"id", Line::id<&RefundLine::set_refund_line_id>},
                                                 {"line_item_id", Line::id<&RefundLine::set_line_item_id>},
                                                 {"quantity", Line::decimal<&RefundLine::mutable_quantity>},
                                                 {"restock_type",
                                                  [](Mapping& m, RefundLine& line, json::Value v) {
                                                      line.set_restock_type(restock_type_from(m, v));
                                                  }},
                                                 {"location_id", Line::id<&RefundLine::set_location_id>},
                                                 {"subtotal_set", Line::pair<&RefundLine::mutable_subtotal>},
                                                 {"total_tax_set", Line::pair<&RefundLine::mutable_total_tax>}},
                                                {"line_item", "subtotal", "total_tax", "admin_graphql_api_id"}};
    kTable.map(mapping, to, from);
    fall_back<&RefundLine::has_subtotal, &RefundLine::mutable_subtotal>(mapping, to, from, "subtotal");
    fall_back<&RefundLine::has_total_tax, &RefundLine::mutable_total_tax>(mapping, to, from, "total_tax");
    if (mapping.failed()) {
        return;
    }
    if (to.line_item_id() == 0) {
        mapping.missing(from, "line_item_id");
    } else if (!to.has_quantity()) {
        mapping.missing(from, "quantity");
    } else if (!to.has_subtotal()) {
        mapping.missing(from, "subtotal");
    }
}

void map_adjustment(Mapping& mapping, RefundAdjustment& to, json::Value from) {
    using Part = Into<RefundAdjustment>;
    static const MemberTable<RefundAdjustment> kTable{"order_adjustment",
                                                      {{"id", Part::id<&RefundAdjustment::set_adjustment_id>},
                                                       {"kind", Part::text<&RefundAdjustment::mutable_kind>},
                                                       {"reason", Part::text<&RefundAdjustment::mutable_reason>},
                                                       {"amount_set", Part::pair<&RefundAdjustment::mutable_amount>},
                                                       {"tax_amount_set", Part::pair<&RefundAdjustment::mutable_tax_amount>}},
                                                      {"amount", "tax_amount", "order_id", "refund_id", "admin_graphql_api_id"}};
    kTable.map(mapping, to, from);
    fall_back<&RefundAdjustment::has_amount, &RefundAdjustment::mutable_amount>(mapping, to, from, "amount");
    fall_back<&RefundAdjustment::has_tax_amount, &RefundAdjustment::mutable_tax_amount>(mapping, to, from, "tax_amount");
    if (!mapping.failed() && !to.has_amount()) {
        mapping.missing(from, "amount");
    }
}

void map_refund_shipping_line(Mapping& mapping, RefundShippingLine& to, json::Value from) {
    using Line = Into<RefundShippingLine>;
    static const MemberTable<RefundShippingLine> kTable{
        "refund_shipping_line",
        {{"id", Line::id<&RefundShippingLine::set_refund_shipping_line_id>},
         {"shipping_line_id", Line::id<&RefundShippingLine::set_shipping_line_id>},
         {"shipping_line",
          [](Mapping& m, RefundShippingLine& line, json::Value v) {
              if (const auto id = v.get_present("id")) {
                  line.set_shipping_line_id(m.id(*id));
              }
          }},
         // Shopify's name of the amount is not the same in all its descriptions of this object.
         {"subtotal_set", Line::pair<&RefundShippingLine::mutable_subtotal>},
         {"subtotal_amount_set", Line::pair<&RefundShippingLine::mutable_subtotal>},
         {"amount_set", Line::pair<&RefundShippingLine::mutable_subtotal>},
         {"total_tax_set", Line::pair<&RefundShippingLine::mutable_total_tax>},
         {"tax_amount_set", Line::pair<&RefundShippingLine::mutable_total_tax>}},
        {"subtotal", "subtotal_amount", "amount", "total_tax", "tax_amount", "transaction_group_id", "admin_graphql_api_id"}};
    kTable.map(mapping, to, from);
    for (const auto* name : {"subtotal", "subtotal_amount", "amount"}) {
        fall_back<&RefundShippingLine::has_subtotal, &RefundShippingLine::mutable_subtotal>(mapping, to, from, name);
    }
    for (const auto* name : {"total_tax", "tax_amount"}) {
        fall_back<&RefundShippingLine::has_total_tax, &RefundShippingLine::mutable_total_tax>(mapping, to, from, name);
    }
    if (!mapping.failed() && !to.has_subtotal()) {
        mapping.missing(from, "subtotal_set");
    }
}

TransactionStatus transaction_status_from(Mapping& mapping, json::Value value) {
    const auto text = value.string();
    if (!text) {
        mapping.fail(text.error());
        return TRANSACTION_STATUS_UNSPECIFIED;
    }
    if (*text == "success") {
        return TRANSACTION_STATUS_SUCCESS;
    }
    if (*text == "pending" || *text == "awaiting_response") {
        return TRANSACTION_STATUS_PENDING;
    }
    if (*text == "failure") {
        return TRANSACTION_STATUS_FAILURE;
    }
    if (*text == "error") {
        return TRANSACTION_STATUS_ERROR;
    }
    mapping.unknown_member("transaction_status", "new_value");
    return TRANSACTION_STATUS_UNSPECIFIED;
}

}  // namespace

void map_transaction(Mapping& mapping, PaymentTransaction& to, json::Value from) {
    using Part = Into<PaymentTransaction>;
    static const MemberTable<PaymentTransaction> kTable{
        "transaction",
        {{"id", Part::id<&PaymentTransaction::set_transaction_id>},
         {"order_id", Part::id<&PaymentTransaction::set_order_id>},
         {"parent_id", Part::id<&PaymentTransaction::set_parent_id>},
         {"kind", Part::text<&PaymentTransaction::mutable_kind>},
         {"status",
          [](Mapping& m, PaymentTransaction& transaction, json::Value v) {
              transaction.set_status(transaction_status_from(m, v));
          }},
         {"gateway", Part::text<&PaymentTransaction::mutable_gateway>},
         {"processed_at", Part::time<&PaymentTransaction::mutable_processed_at>},
         {"created_at", Part::time<&PaymentTransaction::mutable_created_at>},
         {"test", Part::flag<&PaymentTransaction::set_test>},
         {"error_code", Part::text<&PaymentTransaction::mutable_error_code>},
         {"location_id", Part::id<&PaymentTransaction::set_location_id>},
         {"source_name", Part::any_text<&PaymentTransaction::mutable_source_name>},
         {"payment_id", Part::any_text<&PaymentTransaction::mutable_payment_id>},
         {"manual_payment_gateway", Part::flag<&PaymentTransaction::set_manual_gateway>},
         {"total_unsettled_set", Part::pair<&PaymentTransaction::mutable_total_unsettled>},
         {"amount_set",
          [](Mapping& m, PaymentTransaction& transaction, json::Value v) {
              if (const auto shop = v.get_present("shop_money")) {
                  m.money(*shop, transaction.mutable_shop_amount());
              }
          }}},
        // Free texts and everything that tells how a card was read stay here.
        {"admin_graphql_api_id", "amount", "currency", "message", "authorization", "authorization_expires_at", "user_id",
         "device_id", "payment_details", "receipt", "amount_rounding", "currency_exchange_adjustment",
         "extended_authorization_attributes", "payments_refund_attributes", "maximum_refundable", "total_unsettled",
         "accounts_receivable"}};
    kTable.map(mapping, to, from);
    if (mapping.failed()) {
        return;
    }
    if (to.has_total_unsettled() && !to.total_unsettled().has_shop()) {
        to.clear_total_unsettled();
    }
    // A transaction runs in the customer's currency; without one it is the order's.
    std::string currency = mapping.presentment_currency();
    if (const auto given = from.get_present("currency")) {
        mapping.text(*given, &currency);
    }
    if (const auto amount = from.get_present("amount")) {
        mapping.amount(*amount, currency, to.mutable_amount());
    }
    if (const auto rounding = from.get_present("amount_rounding"); rounding && !mapping.failed()) {
        mapping.amount(*rounding, currency, to.mutable_amount_rounding());
    }
    if (mapping.failed()) {
        return;
    }
    if (to.transaction_id() == 0) {
        mapping.missing(from, "id");
    } else if (to.kind().empty()) {
        mapping.missing(from, "kind");
    } else if (!from.get_present("status")) {
        mapping.missing(from, "status");
    } else if (!to.has_amount()) {
        mapping.missing(from, "amount");
    }
}

void map_refund(Mapping& mapping, Refund& to, json::Value from, std::int64_t order_id) {
    using Part = Into<Refund>;
    static const MemberTable<Refund> kTable{
        "refund",
        {{"id", Part::id<&Refund::set_refund_id>},
         {"order_id", Part::id<&Refund::set_order_id>},
         {"created_at", Part::time<&Refund::mutable_created_at>},
         {"processed_at", Part::time<&Refund::mutable_processed_at>},
         {"restock", Part::flag<&Refund::set_restock>},
         {"refund_line_items", Part::list<static_cast<RefundLine* (Refund::*)()>(&Refund::add_lines), map_refund_line>},
         {"order_adjustments",
          Part::list<static_cast<RefundAdjustment* (Refund::*)()>(&Refund::add_adjustments), map_adjustment>},
         {"refund_shipping_lines",
          Part::list<static_cast<RefundShippingLine* (Refund::*)()>(&Refund::add_shipping_lines), map_refund_shipping_line>},
         {"transactions", Part::list<static_cast<PaymentTransaction* (Refund::*)()>(&Refund::add_transactions), map_transaction>},
         {"duties", Part::list<static_cast<Duty* (Refund::*)()>(&Refund::add_duties), map_duty>},
         {"total_duties_set", Part::pair<&Refund::mutable_total_duties>},
         {"return",
          [](Mapping& m, Refund& refund, json::Value v) {
              if (const auto id = v.get_present("id")) {
                  refund.set_return_id(m.id(*id));
              } else if (const auto gid = v.get_present("admin_graphql_api_id")) {
                  refund.set_return_id(m.id(*gid));
              }
          }}},
        {"note", "user_id", "admin_graphql_api_id"}};
    kTable.map(mapping, to, from);
    if (mapping.failed()) {
        return;
    }
    if (to.order_id() == 0) {
        to.set_order_id(order_id);
    }
    if (to.refund_id() == 0) {
        mapping.missing(from, "id");
    } else if (to.order_id() == 0) {
        mapping.missing(from, "order_id");
    } else if (order_id == 0 && !from.get_present("refund_line_items")) {
        // Any other signed body sent again as refunds/create has an id too, but not this.
        mapping.missing(from, "refund_line_items");
    }
    if (mapping.failed()) {
        return;
    }
    for (auto& transaction : *to.mutable_transactions()) {
        if (transaction.order_id() == 0) {
            transaction.set_order_id(to.order_id());
        }
    }
    if (const auto note = from.get_present("note")) {
        auto& kept = *mapping.personal().add_refund_notes();
        kept.set_refund_id(to.refund_id());
        mapping.text(*note, kept.mutable_note());
    }
}

}  // namespace ingress
