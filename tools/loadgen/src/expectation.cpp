// What must stand in the ERP when everything has come through: computed from the order alone, with none of the connector's code.
#include <syncline/json/writer.h>

#include "src/story.h"

namespace loadgen {
namespace {

using syncline::json::Writer;

class ExpectationWriter {
public:
    explicit ExpectationWriter(const Story& story) : story_(story), order_(story.order) {}

    std::string write() {
        const auto& ending = story_.ending;
        out_.begin_object().member("shop", order_.shop.alias).member("order_id", order_.id).member("name", order_.name());
        out_.member("kind", to_string(order_.kind)).member("fate", ending.fate).member("reason", ending.reason);
        out_.member("waits_for", ending.waits_for).member("state", ending.state).member("absent_allowed", ending.absent_allowed);
        out_.member("financial_status", order_.financial_status).member("currency", order_.shop.currency);
        out_.member("taxes_included", order_.taxes_included).member("country", order_.place.country);
        out_.key("customer_id").unsigned_integer(order_.customer ? order_.customer->id : 0);
        out_.member("total", text(document_total())).key("lines").begin_array();
        for (const auto& line : order_.lines) {
            goods(line);
        }
        for (const auto& line : order_.shipping) {
            const auto key = "shipping_" + std::to_string(line.id);
            entry(key, "", 1, line.price, line.rates, line.net(), line.tax());
            discount(key, line.discount(), line.rates);
        }
        extra("tip", order_.tip);
        extra("fee", order_.fee);
        out_.end_array().key("refunds").begin_array();
        for (std::size_t i = 0; i < order_.refunds.size(); ++i) {
            refund(order_.refunds[i], ending.held_refunds.at(i));
        }
        out_.end_array().member("webhooks", static_cast<std::int64_t>(story_.webhooks.size())).end_object();
        return std::move(out_).take();
    }

private:
    [[nodiscard]] std::string text(Amount amount) const { return amount_text(amount.shop, order_.shop.decimals); }

    // As ordered, less what edits took away; refunds are documents of their own.
    [[nodiscard]] Amount document_total() const {
        auto total = totals_of(order_).total;
        for (const auto& line : order_.lines) {
            const auto removed = removed_of(order_, line);
            total = total - removed.net - (order_.taxes_included ? Amount{} : removed.tax);
        }
        return total;
    }

    void entry(const std::string& key, const std::string& sku, std::int64_t quantity, Amount price,
               const std::vector<TaxRate>& rates, Amount net, Amount tax) {
        out_.begin_object().member("key", key).member("sku", sku).member("quantity", quantity).member("unit_price", text(price));
        // Of the line and its discount together.
        out_.member("net", text(net)).member("tax", text(tax)).key("taxes").begin_array();
        for (const auto& rate : rates) {
            out_.begin_object()
                .member("country", order_.place.country)
                .member("title", rate.title)
                .member("percent", percent_text(rate.rate));
            out_.member("included", order_.taxes_included).member("channel_liable", rate.channel_liable).end_object();
        }
        out_.end_array().end_object();
    }

    void discount(const std::string& key, Amount amount, const std::vector<TaxRate>& rates) {
        if (!amount.is_zero()) {
            entry(key + "_discount", "", 1, -amount, rates, {}, {});
        }
    }

    void extra(const std::string& key, Amount amount) {
        if (!amount.is_zero()) {
            entry(key, "", 1, amount, {}, amount, {});
        }
    }

    void goods(const Line& line) {
        if (line.quantity == line.removed) {
            return;
        }
        const auto key = "line_" + std::to_string(line.id);
        const auto removed = removed_of(order_, line);
        const std::string sku = line.what == Line::What::product ? line.product.sku : "";
        entry(key, sku, line.quantity - line.removed, line.price, line.rates, line.net() - removed.net, line.tax() - removed.tax);
        discount(key, line.discount(), line.rates);
        if (line.duty) {
            entry(key + "_duty_1", "", 1, line.duty->amount, {}, line.duty->amount, {});
        }
    }

    void refund(const Refund& refund, const std::string& held) {
        out_.begin_object().member("refund_id", refund.id).member("total", text(amount_of(order_, refund)));
        const bool nothing = amount_of(order_, refund).shop == 0;
        out_.member("fate", held.empty() ? (nothing ? "skipped" : "credit_note") : "held").member("reason", held);
        out_.member("restock", !refund.lines.empty() && refund.lines.front().restock != "no_restock").key("lines").begin_array();
        for (const auto& line : refund.lines) {
            out_.begin_object().key("line_id").unsigned_integer(order_.lines.at(line.line).id).member("quantity", line.quantity);
            out_.member("subtotal", text(line.subtotal))
                .member("tax", text(line.tax))
                .member("restock", line.restock)
                .end_object();
        }
        out_.end_array().member("shipping", text(refund.shipping)).member("shipping_tax", text(refund.shipping_tax));
        out_.member("discrepancy", text(refund.discrepancy)).end_object();
    }

    const Story& story_;
    const Order& order_;
    Writer out_;
};

}  // namespace

std::string expectation(const Story& story) {
    return ExpectationWriter(story).write();
}

}  // namespace loadgen
