#include "src/story.h"

#include <fmt/format.h>
#include <syncline/core/hash.h>
#include <syncline/core/time.h>

#include "src/bodies.h"

namespace loadgen {
namespace {

namespace core = syncline::core;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

class Teller {
public:
    Teller(Order order, std::uint64_t index, const StoryOptions& options)
        : story_{.order = std::move(order), .ending = {}, .webhooks = {}},
          index_(index),
          options_(options),
          random_(options.seed, index, story_.order.shop.alias + "/story"),
          now_(story_.order.created) {}

    Story tell() {
        begin();
        middle();
        end();
        return std::move(story_);
    }

private:
    Order& order() { return story_.order; }
    [[nodiscard]] bool real() const { return options_.mix == Mix::real; }

    // Time goes on and something has changed.
    void happens() {
        const auto step = options_.step.count();
        now_ += milliseconds(step / 2 + static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(step) + 1)));
        now_ += nanoseconds(1 + random_.below(999'999));
        order().updated = now_;
        ++action_;
    }

    void send(std::string topic, std::string body) {
        // Webhooks of one action are triggered one shortly after the other.
        now_ += nanoseconds(1'000'000 + random_.below(1'000'000));
        auto& webhook = story_.webhooks.emplace_back();
        webhook.at = std::chrono::duration_cast<milliseconds>(now_ - options_.start);
        webhook.shop = order().shop.alias;
        webhook.domain = order().shop.domain;
        webhook.topic = std::move(topic);
        const auto name = fmt::format("{}/{}/{}", options_.seed, order().key(), story_.webhooks.size());
        webhook.webhook_id = core::uuid_v5(core::kSynclineNamespace, name + "/webhook");
        webhook.event_id =
            core::uuid_v5(core::kSynclineNamespace, fmt::format("{}/{}/action/{}", options_.seed, order().key(), action_));
        webhook.triggered_at = core::format_rfc3339_utc(now_);
        webhook.key = order().key();
        webhook.body = std::move(body);
    }
    void send_order(std::string topic) { send(std::move(topic), order_body(order())); }

    Transaction& transact(std::string kind, Amount amount) {
        auto& transactions = order().transactions;
        const auto part = transactions.size() + 1;
        transactions.push_back({.id = transaction_id_of(index_, part),
                                .parent = transactions.empty() ? 0 : transactions.front().id,
                                .kind = std::move(kind),
                                .status = "success",
                                .amount = amount,
                                .at = now_});
        return transactions.back();
    }

    void pay() {
        const auto total = totals_of(order()).total;
        order().financial_status = "paid";
        if (!total.is_zero()) {
            transact("sale", total);
        }
    }

    void begin() {
        switch (order().kind) {
            case Kind::b2b:
                story_.ending.state = "quotation";
                send_order("orders/create");
                return;
            case Kind::cancelled_unpaid:
            case Kind::risk_high:
                order().financial_status = "authorized";
                transact("authorization", totals_of(order()).total);
                send_order("orders/create");
                return;
            case Kind::cancelled_before_export:
                return;
            default:
                break;
        }
        if (!real() || order().kind == Kind::pos) {
            pay();
            send_order("orders/create");
            return;
        }
        send_order("orders/create");
        happens();
        pay();
        if (!order().transactions.empty()) {
            send("order_transactions/create", transaction_body(order(), order().transactions.back()));
        }
        send_order("orders/paid");
        send_order("orders/updated");
        happens();
        order().tags = "picked";
        send_order("orders/updated");
    }

    void middle() {
        switch (order().kind) {
            case Kind::fulfilled:
                ship();
                break;
            case Kind::edited:
                edit();
                break;
            case Kind::cancelled:
            case Kind::cancelled_unpaid:
            case Kind::cancelled_before_export:
                cancel();
                break;
            case Kind::refund_full:
            case Kind::refund_partial:
            case Kind::refund_shipping:
            case Kind::refund_no_restock:
            case Kind::refund_discrepancy:
            case Kind::refund_settles:
            case Kind::refund_pending:
                refunds();
                break;
            case Kind::risk_low:
            case Kind::risk_high:
                assess();
                break;
            case Kind::deleted:
                happens();
                send("orders/delete", delete_body(order()));
                break;
            default:
                break;
        }
    }

    void ship() {
        const auto part = [&](bool first) {
            Fulfillment fulfillment{
                .id = part_id_of(index_, first ? 1'950 : 1'951),
                .name = fmt::format("{}.{}", order().name(), first ? 1 : 2),
                .tracking_number = fmt::format("JD{:010}", order().id % 10'000'000'000ULL * 2 + (first ? 0 : 1)),
                .at = now_,
                .lines = {}};
            for (std::size_t i = 0; i < order().lines.size(); ++i) {
                if ((i == 0) == first) {
                    auto& line = order().lines[i];
                    line.shipped = line.quantity;
                    fulfillment.lines.emplace_back(i, line.quantity);
                }
            }
            order().fulfillments.push_back(std::move(fulfillment));
        };
        happens();
        part(true);
        send_order("orders/partially_fulfilled");
        happens();
        part(false);
        send_order("orders/fulfilled");
    }

    void edit() {
        happens();
        auto& first = order().lines.front();
        first.removed = 1;
        // Cheaper than what was removed, so that nothing is owed.
        Product added = product_of(1 + (index_ * 7) % kProducts);
        added.price = std::max<Minor>(first.price.shop / 2, 1);
        auto& line = order().lines.emplace_back();
        line.id = part_id_of(index_, order().lines.size() + 1'000);
        line.product = added;
        line.price = {added.price, added.price};
        line.rates = order().lines.front().rates;
        compute_taxes(order());
        send("orders/edited", edit_body(order(), part_id_of(index_, 1'990), {line.id, 1}, {order().lines.front().id, 1}, now_));
        send_order("orders/updated");
    }

    void cancel() {
        happens();
        if (order().kind == Kind::cancelled_before_export) {
            order().financial_status = "authorized";
            transact("authorization", totals_of(order()).total);
        }
        const bool paid = order().financial_status == "paid";
        order().cancelled = now_;
        order().closed = now_;
        order().cancel_reason = random_.chance(700'000) ? "customer" : "inventory";
        story_.ending.state = "cancelled";
        story_.ending.absent_allowed = true;
        if (order().kind == Kind::cancelled_before_export) {
            story_.ending.fate = "skipped";
            story_.ending.reason = "cancelled_before_export";
        }
        if (paid) {
            auto refund = new_refund(1);
            for (std::size_t i = 0; i < order().lines.size(); ++i) {
                refund.lines.push_back(refund_line(order(), refund.id + 1 + i, i, order().lines[i].current_quantity(), "cancel"));
            }
            give_shipping(refund);
            settle(std::move(refund), "success");
            order().financial_status = "refunded";
        } else {
            transact("void", order().transactions.front().amount);
            order().financial_status = "voided";
        }
        send_order("orders/cancelled");
        if (!order().refunds.empty()) {
            send("refunds/create", refund_body(order(), order().refunds.back()));
        }
        send_order("orders/updated");
    }

    Refund new_refund(std::uint64_t part) {
        Refund refund;
        refund.id = refund_id_of(index_, part * 10);
        refund.at = now_;
        refund.note = part == 1 ? "Zzannah sent it back" : "";
        refund.as_adjustment = index_ % 2 == 0;
        return refund;
    }

    void give_shipping(Refund& refund) {
        for (const auto& line : order().shipping) {
            refund.shipping += line.net();
            refund.shipping_tax += line.tax();
        }
    }

    // Adds the money and the refund to the order.
    void settle(Refund refund, std::string status) {
        const auto amount = amount_of(order(), refund);
        if (!amount.is_zero()) {
            refund.transactions.push_back({.id = transaction_id_of(index_, 5 + order().refunds.size()),
                                           .parent = order().transactions.empty() ? 0 : order().transactions.front().id,
                                           .kind = "refund",
                                           .status = std::move(status),
                                           .amount = amount,
                                           .at = now_});
        }
        order().refunds.push_back(std::move(refund));
        story_.ending.held_refunds.emplace_back();
    }

    void announce_refund() {
        const auto& refund = order().refunds.back();
        send("refunds/create", refund_body(order(), refund));
        if (real() && !refund.transactions.empty() && refund.transactions.front().status == "success") {
            send("order_transactions/create", transaction_body(order(), refund.transactions.front()));
        }
        send_order("orders/updated");
    }

    void refunds() {
        happens();
        auto refund = new_refund(1);
        auto& lines = order().lines;
        switch (order().kind) {
            case Kind::refund_full:
                for (std::size_t i = 0; i < lines.size(); ++i) {
                    refund.lines.push_back(refund_line(order(), refund.id + 1 + i, i, lines[i].current_quantity(), "return"));
                }
                give_shipping(refund);
                order().financial_status = "refunded";
                break;
            case Kind::refund_shipping:
                give_shipping(refund);
                order().financial_status = "partially_refunded";
                break;
            case Kind::refund_no_restock:
                refund.lines.push_back(refund_line(order(), refund.id + 1, 0, lines[0].current_quantity(), "no_restock"));
                order().financial_status = "partially_refunded";
                break;
            case Kind::refund_discrepancy:
                refund.lines.push_back(refund_line(order(), refund.id + 1, 0, 1, "return"));
                refund.discrepancy = share_of(refund.lines.front().subtotal, 10, 100);
                order().financial_status = "partially_refunded";
                break;
            default:
                refund.lines.push_back(refund_line(order(), refund.id + 1, 0, 1, "return"));
                order().financial_status = "partially_refunded";
                break;
        }
        const bool waits = order().kind == Kind::refund_settles || order().kind == Kind::refund_pending;
        settle(std::move(refund), waits ? "pending" : "success");
        announce_refund();
        if (order().kind == Kind::refund_partial) {
            happens();
            auto second = new_refund(2);
            second.lines.push_back(refund_line(order(), second.id + 1, 0, order().lines[0].current_quantity(), "return"));
            settle(std::move(second), "success");
            announce_refund();
        }
        if (order().kind == Kind::refund_settles) {
            happens();
            auto& transaction = order().refunds.back().transactions.front();
            transaction.status = "success";
            send("order_transactions/create", transaction_body(order(), transaction));
            send_order("orders/updated");
        }
        if (order().kind == Kind::refund_pending) {
            story_.ending.held_refunds.back() = "refund_money_pending";
        }
    }

    void assess() {
        happens();
        const bool high = order().kind == Kind::risk_high;
        send("orders/risk_assessment_changed", risk_body(order(), high ? "high" : "low", now_));
        if (high) {
            // Paid before it is known to be risky, it would be confirmed.
            story_.ordered = true;
            story_.ending.fate = "held";
            story_.ending.reason = "risk_high";
            story_.ending.state = "quotation";
            happens();
            pay();
            send_order("orders/paid");
        }
    }

    void end() {
        auto& ending = story_.ending;
        const auto without_document = [&](std::string fate, std::string reason) {
            ending.fate = std::move(fate);
            ending.reason = std::move(reason);
            ending.state.clear();
        };
        switch (order().kind) {
            case Kind::test:
                without_document("skipped", "test_order");
                break;
            case Kind::pos:
                without_document("skipped", "pos_order");
                break;
            case Kind::cancelled_before_export:
                without_document("skipped", "cancelled_before_export");
                break;
            case Kind::unmapped_tax:
            case Kind::marketplace:
                without_document("held", "tax_unmapped");
                ending.waits_for =
                    fmt::format("tax:{}/{}/{}{}", order().place.country, percent_text(order().place.taxes.front().rate),
                                order().taxes_included ? "incl" : "excl", order().kind == Kind::marketplace ? "/channel" : "");
                break;
            case Kind::unmapped_product:
                without_document("held", "product_unmapped");
                ending.waits_for = "product:SKU-UNKNOWN";
                break;
            case Kind::deleted:
                ending.fate = "held";
                ending.reason = "deletion_unconfirmed";
                break;
            default:
                break;
        }
    }

    Story story_;
    std::uint64_t index_;
    const StoryOptions& options_;
    Random random_;
    SystemTime now_;
    int action_ = 1;
};

}  // namespace

Story tell(Order order, std::uint64_t index, const StoryOptions& options) {
    return Teller(std::move(order), index, options).tell();
}

}  // namespace loadgen
