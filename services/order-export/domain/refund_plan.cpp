#include "domain/refund_plan.h"

#include <syncline/core/parse.h>
#include <algorithm>

namespace order_export {
namespace {

using core::ErrorKind;
using core::fail;
using core::Result;

class RefundPlanner {
public:
    RefundPlanner(const Refund& refund, const CreditedOrder& order, const Rules& rules)
        : refund_(refund), order_(order), rules_(rules) {}

    Result<CreditNote> plan() {
        for (const auto& step :
             {&RefundPlanner::goods, &RefundPlanner::shipping, &RefundPlanner::duties, &RefundPlanner::difference}) {
            if (auto done = (this->*step)(); !done) {
                return std::unexpected(std::move(done.error()));
            }
        }
        if (!total_) {
            return std::unexpected(total_.error());
        }
        note_.order = order_.key;
        note_.refund = refund_.id;
        note_.order_name = order_.reference;
        note_.reference = "Refund " + refund_.id.text() + " of " + order_.reference;
        note_.date = refund_.processed_at;
        note_.company = order_.company;
        note_.journal = rules_.refund_journal;
        note_.expected_total = {.amount = *total_, .currency = order_.currency};
        const auto allowance = rules_.totals.allowance_per_tax_line * Decimal(tax_lines_);
        if (!allowance) {
            return std::unexpected(allowance.error());
        }
        note_.allowance = *allowance;
        return std::move(note_);
    }

private:
    [[nodiscard]] const KnownLine* known(const std::string& key) const {
        const auto found = std::ranges::find_if(order_.lines, [&](const KnownLine& line) { return line.key == key; });
        return found == order_.lines.end() ? nullptr : &*found;
    }

    void count(const Decimal& net, const Decimal& tax) {
        total_ = total_ + Result<Decimal>(net);
        if (!order_.taxes_included) {
            total_ = total_ + Result<Decimal>(tax);
        }
    }

    Result<void> goods() {
        for (const auto& line : refund_.lines) {
            if (line.subtotal.is_zero() && line.tax.is_zero()) {
                continue;
            }
            const auto* const of = known("line_" + line.line.text());
            if (of == nullptr && !line.tax.is_zero()) {
                return fail(ErrorKind::needs_decision, "refund_line_unknown",
                            "a taxed line of the refund is on no document, so its taxes are not known");
            }
            count(line.subtotal, line.tax);
            DocumentLine out{.key = "line_" + std::to_string(line.id),
                             .product = {},
                             .sku = {},
                             .name = of == nullptr ? "Refunded line" : of->name,
                             .quantity = line.quantity,
                             .unit_price = {},
                             .taxes = of == nullptr ? std::vector<TargetId>{} : of->taxes,
                             .note = false,
                             .hash = {}};
            if (of != nullptr) {
                out.product = of->product;
            } else {
                auto product = extra_of(rules_, Extra::custom);
                if (!product) {
                    return std::unexpected(std::move(product.error()));
                }
                out.product = std::move(*product);
            }
            price(out, line.quantity, line.subtotal);
            push(std::move(out));
        }
        return {};
    }

    // The price of one unit where it is exact, else the whole as one: the target must not round what Shopify has paid.
    static void price(DocumentLine& out, const Decimal& quantity, const Decimal& subtotal) {
        if (quantity.sign() > 0 && quantity.places() <= 2) {
            const auto unit = subtotal.divided_by(quantity, 6, core::Rounding::half_up);
            const auto back = unit ? *unit * quantity : unit;
            if (back && *back == subtotal) {
                out.unit_price = *unit;
                return;
            }
        }
        out.name = quantity.to_string() + " × " + out.name;
        out.quantity = Decimal(1);
        out.unit_price = subtotal;
    }

    Result<void> shipping() {
        for (const auto& line : refund_.shipping) {
            if (line.amount.is_zero() && line.tax.is_zero()) {
                continue;
            }
            const auto of = std::ranges::find_if(order_.lines, [&](const KnownLine& candidate) {
                return line.shipping_line_id != 0
                           ? candidate.key == "shipping_" + std::to_string(line.shipping_line_id)
                           : candidate.key.starts_with("shipping_") && !candidate.key.ends_with("_discount");
            });
            const bool found = of != order_.lines.end();
            if (!found && !line.tax.is_zero()) {
                return fail(ErrorKind::needs_decision, "refund_line_unknown",
                            "taxed shipping of the refund is on no document, so its taxes are not known");
            }
            const auto price = line.price(order_.taxes_included);
            if (!price) {
                return std::unexpected(price.error());
            }
            count(*price, line.tax);
            if (auto added = extra(Extra::shipping, "shipping_" + std::to_string(line.id), found ? of->name : "Shipping", *price,
                                   found ? of->taxes : std::vector<TargetId>{});
                !added) {
                return added;
            }
        }
        return {};
    }

    Result<void> duties() {
        std::size_t number = 0;
        for (const auto& duty : refund_.duties) {
            if (duty.amount.is_zero()) {
                continue;
            }
            count(duty.amount, Decimal{});
            if (auto added = extra(Extra::duty, "duty_" + std::to_string(++number), "Duty", duty.amount, {}); !added) {
                return added;
            }
        }
        return {};
    }

    Result<void> difference() {
        if (refund_.discrepancy.is_zero()) {
            return {};
        }
        total_ = total_ - Result<Decimal>(refund_.discrepancy);
        return extra(Extra::adjustment, "adjustment", "Difference between goods and refund", -refund_.discrepancy, {});
    }

    Result<void> extra(Extra what, std::string key, std::string name, const Decimal& amount, std::vector<TargetId> taxes) {
        auto product = extra_of(rules_, what);
        if (!product) {
            return std::unexpected(std::move(product.error()));
        }
        push({.key = std::move(key),
              .product = std::move(*product),
              .sku = {},
              .name = line_name(name, to_string(what)),
              .quantity = Decimal(1),
              .unit_price = amount,
              .taxes = std::move(taxes),
              .note = false,
              .hash = {}});
        return {};
    }

    void push(DocumentLine line) {
        tax_lines_ += static_cast<std::int64_t>(line.taxes.size());
        note_.lines.push_back(std::move(line));
    }

    const Refund& refund_;
    const CreditedOrder& order_;
    const Rules& rules_;
    CreditNote note_;
    Result<Decimal> total_ = Decimal{};
    std::int64_t tax_lines_ = 0;
};

// Whether the money has moved as the refund says.
Result<void> money_moved(const Refund& refund, const OrderKey& order, const core::Money& total) {
    if (refund.transactions.empty()) {
        return {};
    }
    Result<Decimal> paid = Decimal{};
    std::optional<std::uint64_t> pending;
    bool failed = false;
    bool known = true;
    for (const auto& transaction : refund.transactions) {
        if (transaction.state == MoneyState::pending) {
            pending = transaction.id;
        }
        failed = failed || transaction.state == MoneyState::failed;
        if (transaction.state == MoneyState::success) {
            known = known && transaction.shop_amount.has_value();
            paid = paid + Result<Decimal>(transaction.shop_amount.value_or(Decimal{}));
        }
    }
    if (!paid) {
        return std::unexpected(paid.error());
    }
    // A second attempt may have paid all: then the first one's failure does not matter.
    if (known && *paid == total.amount) {
        return {};
    }
    if (pending) {
        core::Error error{.kind = ErrorKind::needs_decision,
                          .code = "refund_money_pending",
                          .message = "the refund's money has not moved yet",
                          .hint = "goes on by itself when Shopify reports success"};
        error.waits_for = money_key(order, *pending);
        return std::unexpected(std::move(error));
    }
    if (failed) {
        return fail(ErrorKind::needs_decision, "refund_money_failed", "the refund's money could not be paid back",
                    "repeat the refund in Shopify or discard it here");
    }
    if (known) {
        return std::unexpected(totals_differ("refund_amount_differs", total, *paid));
    }
    return {};
}

// Shopify documents an adjustment's tax as added to its amount, and some shops whose prices contain tax send an amount that
// contains it already. The money that moved decides: nothing unless it is exactly the sum read that way.
std::optional<CreditNote> with_tax_contained(Refund refund, const CreditedOrder& order, const Rules& rules) {
    if (!order.taxes_included) {
        return std::nullopt;
    }
    bool reads_otherwise = false;
    for (auto& shipping : refund.shipping) {
        reads_otherwise = reads_otherwise || (shipping.tax_added && !shipping.tax.is_zero());
        shipping.tax_added = false;
    }
    auto note = reads_otherwise ? RefundPlanner(refund, order, rules).plan() : Result<CreditNote>(std::unexpect, core::Error{});
    if (!note || refund.transactions.empty() || !money_moved(refund, order.key, note->expected_total)) {
        return std::nullopt;
    }
    return std::move(*note);
}

}  // namespace

std::string money_key(const OrderKey& order, std::uint64_t transaction) {
    return "money:" + order.text() + "/" + std::to_string(transaction);
}

std::optional<AwaitedMoney> awaited_money(std::string_view waits_for) {
    constexpr std::string_view kMark = "money:";
    if (!waits_for.starts_with(kMark)) {
        return std::nullopt;
    }
    waits_for.remove_prefix(kMark.size());
    const auto first = waits_for.find('/');
    const auto second = waits_for.find('/', first == std::string_view::npos ? first : first + 1);
    if (second == std::string_view::npos) {
        return std::nullopt;
    }
    const auto id = core::parse_int<std::uint64_t>(waits_for.substr(first + 1, second - first - 1));
    const auto transaction = core::parse_int<std::uint64_t>(waits_for.substr(second + 1));
    if (!id || !transaction) {
        return std::nullopt;
    }
    return AwaitedMoney{.order = {.shop = core::ShopAlias(std::string(waits_for.substr(0, first))), .id = core::OrderId(*id)},
                        .transaction = *transaction};
}

Result<std::variant<NoCreditNote, CreditNote>> plan_refund(const Refund& refund, const CreditedOrder& order, const Rules& rules,
                                                           bool amount_accepted) {
    auto note = RefundPlanner(refund, order, rules).plan();
    if (!note) {
        return std::unexpected(std::move(note.error()));
    }
    if (note->expected_total.amount.is_zero()) {
        return NoCreditNote{"refund_without_amount"};
    }
    if (note->expected_total.amount.sign() < 0) {
        return fail(ErrorKind::needs_decision, "refund_negative", "the refund's parts add up to less than nothing");
    }
    if (!amount_accepted) {
        if (auto moved = money_moved(refund, order.key, note->expected_total); !moved) {
            if (auto other = with_tax_contained(refund, order, rules); other) {
                return std::move(*other);
            }
            return std::unexpected(std::move(moved.error()));
        }
    }
    return std::move(*note);
}

}  // namespace order_export
