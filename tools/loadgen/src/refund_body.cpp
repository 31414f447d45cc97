#include <fmt/format.h>

#include <algorithm>

#include "src/body_writer.h"

namespace loadgen {

std::string BodyWriter::refund(const Refund& refund) {
    refund_object(refund);
    return std::move(out_).take();
}

std::string BodyWriter::transaction(const Transaction& transaction) {
    transaction_object(transaction);
    return std::move(out_).take();
}

void BodyWriter::transaction_object(const Transaction& transaction) {
    out_.begin_object().member("id", transaction.id).member("order_id", order_.id).member("kind", transaction.kind);
    out_.member("gateway", gateway()).member("status", transaction.status).key("message").null();
    out_.member("created_at", local_time(order_.shop, transaction.at)).member("test", order_.test).key("authorization").null();
    id_or_null("location_id", order_.location_id);
    out_.key("user_id").null();
    id_or_null("parent_id", transaction.parent);
    out_.member("processed_at", local_time(order_.shop, transaction.at)).key("device_id").null().key("error_code").null();
    out_.member("source_name", order_.source).key("receipt").begin_object().end_object();
    out_.member("amount", presentment_text(transaction.amount)).member("currency", order_.presentment_currency);
    out_.member("payment_id", fmt::format("{}.{}", order_.name(), transaction.id % 10));
    out_.key("total_unsettled_set").begin_object().key("presentment_money").begin_object().member("amount", presentment_text({}));
    out_.member("currency", order_.presentment_currency)
        .end_object()
        .key("shop_money")
        .begin_object()
        .member("amount", shop_text({}));
    out_.member("currency", order_.shop.currency).end_object().end_object();
    out_.member("manual_payment_gateway", false).key("amount_rounding").null();
    out_.member("admin_graphql_api_id", gid("OrderTransaction", transaction.id)).end_object();
}

void BodyWriter::refund_object(const Refund& refund) {
    out_.begin_object().member("id", refund.id).member("admin_graphql_api_id", gid("Refund", refund.id));
    out_.member("created_at", local_time(order_.shop, refund.at));
    optional("note", refund.note);
    out_.member("order_id", order_.id).member("processed_at", local_time(order_.shop, refund.at));
    out_.member("restock",
                std::ranges::any_of(refund.lines, [](const RefundLine& line) { return line.restock != "no_restock"; }));
    set("total_duties_set", {});
    out_.key("user_id").null().key("duties").begin_array().end_array().key("return");
    if (came_back(refund)) {
        out_.begin_object().member("id", return_id_of(refund));
        out_.member("admin_graphql_api_id", gid("Return", return_id_of(refund))).end_object();
    } else {
        out_.null();
    }
    out_.key("order_adjustments").begin_array();
    if (refund.as_adjustment && !refund.shipping.is_zero()) {
        // Here tax is always beside the amount, whatever the order's prices contain.
        const Amount net = order_.taxes_included ? refund.shipping - refund.shipping_tax : refund.shipping;
        adjustment(refund, 1, "shipping_refund", "Shipping refund", -net, -refund.shipping_tax);
    }
    if (!refund.discrepancy.is_zero()) {
        adjustment(refund, 2, "refund_discrepancy", "Refund discrepancy", refund.discrepancy, {});
    }
    out_.end_array().key("refund_line_items").begin_array();
    for (const auto& line : refund.lines) {
        refund_line(line);
    }
    out_.end_array().key("refund_shipping_lines").begin_array();
    if (!refund.as_adjustment && !refund.shipping.is_zero()) {
        out_.begin_object().member("id", refund.id + 5).member("shipping_line_id", order_.shipping.front().id);
        set("subtotal_amount_set", refund.shipping);
        set("tax_amount_set", refund.shipping_tax);
        out_.key("shipping_line").begin_object().member("id", order_.shipping.front().id).end_object().end_object();
    }
    out_.end_array().key("transactions").begin_array();
    for (const auto& transaction : refund.transactions) {
        transaction_object(transaction);
    }
    out_.end_array().end_object();
}

bool BodyWriter::came_back(const Refund& refund) {
    return !refund.lines.empty() && refund.lines.front().restock == "return";
}

std::uint64_t BodyWriter::return_id_of(const Refund& refund) {
    return refund.id + 9;
}

void BodyWriter::adjustment(const Refund& refund, std::uint64_t part, std::string_view kind, std::string_view reason,
                            Amount amount, Amount tax) {
    out_.begin_object().member("id", refund.id + 5 + part).member("order_id", order_.id).member("refund_id", refund.id);
    out_.member("amount", shop_text(amount)).member("tax_amount", shop_text(tax)).member("kind", kind).member("reason", reason);
    set("amount_set", amount);
    set("tax_amount_set", tax);
    out_.end_object();
}

void BodyWriter::refund_line(const RefundLine& line) {
    const auto& of = order_.lines.at(line.line);
    const bool restocked = line.restock != "no_restock";
    out_.begin_object().member("id", line.id).member("line_item_id", of.id).member("quantity", line.quantity);
    id_or_null("location_id", restocked ? 9'990'000'000'000'001ULL : 0);
    out_.member("restock_type", line.restock);
    // These two are numbers in live bodies, everything else is text.
    out_.key("subtotal").number(shop_text(line.subtotal)).key("total_tax").number(shop_text(line.tax));
    set("subtotal_set", line.subtotal);
    set("total_tax_set", line.tax);
    out_.key("line_item");
    line_item(of);
    out_.end_object();
}

}  // namespace loadgen
