#include "domain/export_plan.h"

#include <syncline/core/hash.h>
#include <algorithm>
#include <array>
#include <charconv>

namespace order_export {
namespace {

using core::Error;
using core::ErrorKind;
using core::fail;
using core::Result;

constexpr std::size_t kNameBytesMax = 500;
constexpr int kPricePlaces = 6;  // price_unit keeps six decimals, quantities two (odoo.md §7.1).
constexpr int kQuantityPlaces = 2;

// Larger figures would be stored as sent and multiplied beyond what the target can hold.
bool too_large(const Decimal& value) {
    return value.abs() >= Decimal(1'000'000'000'000LL);
}

// Length-prefixed, so that no two different sequences of texts hash alike.
class Fingerprint {
public:
    Fingerprint& add(std::string_view text) {
        const auto length = std::to_string(text.size()) + ":";
        digest_.update(length);
        digest_.update(text);
        return *this;
    }
    Fingerprint& add(const Decimal& value) { return add(value.to_string()); }
    std::string finish() {
        const auto digest = digest_.finish();
        return core::hex_encode(core::bytes_of(digest).substr(0, 12));
    }

private:
    core::Sha256 digest_;
};

std::string hash_of(const DocumentLine& line) {
    Fingerprint print;
    print.add(line.key)
        .add(line.product)
        .add(line.sku.value())
        .add(line.name)
        .add(line.quantity)
        .add(line.unit_price)
        .add(line.note ? "n" : "l");
    for (const auto& tax : line.taxes) {
        print.add(tax);
    }
    return print.finish();
}

class Planner {
public:
    Planner(const Order& order, const Rules& rules) : order_(order), rules_(rules), shop_(shop_of(rules, order.key.shop)) {
        country_ = order.country.empty() ? shop_.country : order.country;
    }

    Result<SalesDocument> plan(const std::string& contacts_hash) {
        if (order_.lines.empty() && order_.shipping.empty()) {
            return fail(ErrorKind::rejected, "no_lines", "the order has no lines");
        }
        auto pricelist = pricelist_of(rules_, order_.currency);
        if (!pricelist) {
            return std::unexpected(std::move(pricelist.error()));
        }
        document_.pricelist = std::move(*pricelist);
        for (const auto& step : {&Planner::goods, &Planner::shipping, &Planner::order_level, &Planner::total}) {
            if (auto done = (this->*step)(); !done) {
                return std::unexpected(std::move(done.error()));
            }
        }
        document_.key = order_.key;
        document_.version = order_.version;
        document_.reference = line_name(order_.name, order_.key.id.text());
        document_.ordered_at = order_.placed_at;
        document_.company = shop_.company;
        document_.language = shop_.language;
        document_.warehouse = warehouse_of(rules_, order_);
        document_.contacts_hash = contacts_hash;
        Fingerprint header;
        header.add(document_.reference).add(document_.pricelist).add(document_.warehouse.value_or("")).add(document_.company);
        header.add(contacts_hash).add(std::to_string(order_.placed_at.time_since_epoch().count()));
        document_.header_hash = header.finish();
        Fingerprint all;
        all.add(document_.header_hash).add(document_.expected_total.amount).add(document_.expected_total.currency);
        for (auto& line : document_.lines) {
            line.hash = hash_of(line);
            all.add(line.hash);
        }
        document_.hash = all.finish();
        return std::move(document_);
    }

private:
    Result<void> goods() {
        std::uint64_t group = 0;
        for (const auto& line : order_.lines) {
            const auto quantity = document_quantity(line);
            if (!quantity) {
                return std::unexpected(quantity.error());
            }
            edited_ = edited_ || *quantity != line.quantity;
            if (quantity->sign() <= 0) {
                continue;
            }
            if (line.group_id != 0 && line.group_id != group) {
                note_of_group(line.group_id);
            }
            group = line.group_id;
            if (auto added = goods_line(line, *quantity); !added) {
                return added;
            }
        }
        return {};
    }

    // Edits and removals count, refunds do not.
    Result<Decimal> document_quantity(const OrderLine& line) const {
        Result<Decimal> quantity = line.current_quantity;
        for (const auto& refund : order_.refunds) {
            for (const auto& refunded : refund.lines) {
                if (refunded.line == line.id) {
                    quantity = quantity + Result<Decimal>(refunded.quantity);
                }
            }
        }
        if (quantity && *quantity > line.quantity && line.quantity.sign() > 0) {
            return line.quantity;
        }
        return quantity;
    }

    Result<void> goods_line(const OrderLine& line, const Decimal& quantity) {
        DocumentLine out{.key = "line_" + line.id.text(),
                         .product = {},
                         .sku = {},
                         .name = line_name(line.name, line.sku.value()),
                         .quantity = quantity,
                         .unit_price = line.unit_price,
                         .taxes = {},
                         .note = false,
                         .hash = {}};
        if (auto chosen = choose_product(line, out); !chosen) {
            return chosen;
        }
        auto taxes = taxes_of(line.taxes);
        if (!taxes) {
            return std::unexpected(std::move(taxes.error()));
        }
        out.taxes = *taxes;
        if (auto counted = count_taxes(line.taxes); !counted) {
            return counted;
        }
        if (auto added = add(std::move(out)); !added) {
            return added;
        }
        if (auto added = add_discount("line_" + line.id.text() + "_discount", line.name, line.discount, *taxes); !added) {
            return added;
        }
        if (order_.duties_included) {
            return {};
        }
        for (std::size_t i = 0; i < line.duties.size(); ++i) {
            const auto& duty = line.duties[i];
            has_duty_lines_ = true;
            if (auto added = add_extra(Extra::duty, "line_" + line.id.text() + "_duty_" + std::to_string(i + 1),
                                       "Duty: " + line.name, duty.amount, duty.taxes);
                !added) {
                return added;
            }
        }
        return {};
    }

    Result<void> choose_product(const OrderLine& line, DocumentLine& out) {
        const auto mapped = [&](Extra extra) -> Result<void> {
            auto product = extra_of(rules_, extra);
            if (!product) {
                return std::unexpected(std::move(product.error()));
            }
            out.product = std::move(*product);
            return {};
        };
        switch (line.kind) {
            case LineKind::custom:
                return mapped(Extra::custom);
            case LineKind::gift_card:
                return mapped(Extra::gift_card);
            case LineKind::tip:
                has_tip_lines_ = true;
                return mapped(Extra::tip);
            case LineKind::fee:
                has_fee_lines_ = true;
                return mapped(Extra::fee);
            case LineKind::product:
                break;
        }
        const auto variant = "variant:" + std::to_string(line.variant_id);
        for (const auto& key : {line.sku.value(), variant}) {
            if (const auto found = rules_.products.find(key); !key.empty() && found != rules_.products.end()) {
                out.product = found->second;
                return {};
            }
        }
        out.sku = line.sku.value().empty() ? core::Sku(variant) : line.sku;
        if (line.sku.value().empty() || !rules_.look_up_sku) {
            return std::unexpected(product_missing(out));
        }
        return {};
    }

    Result<void> shipping() {
        for (const auto& line : order_.shipping) {
            if (line.removed) {
                continue;
            }
            const auto key = "shipping_" + std::to_string(line.id);
            if (auto added = add_extra(Extra::shipping, key, line_name(line.title, "Shipping"), line.price, line.taxes); !added) {
                return added;
            }
            auto taxes = taxes_of(line.taxes);
            if (!taxes) {
                return std::unexpected(std::move(taxes.error()));
            }
            if (auto added = add_discount(key + "_discount", line.title, line.discount, *taxes); !added) {
                return added;
            }
        }
        return {};
    }

    // Totals of the order that no line carries.
    Result<void> order_level() {
        if (!has_tip_lines_ && !order_.tips.is_zero()) {
            if (auto added = add_extra(Extra::tip, "tip", "Tip", order_.tips, {}); !added) {
                return added;
            }
        }
        if (!has_fee_lines_ && !order_.fees.is_zero()) {
            if (auto added = add_extra(Extra::fee, "fee", "Additional fees", order_.fees, {}); !added) {
                return added;
            }
        }
        if (!has_duty_lines_ && !order_.duties_included && !order_.duties.is_zero()) {
            if (auto added = add_extra(Extra::duty, "duty", "Duties", order_.duties, {}); !added) {
                return added;
            }
        }
        if (!order_.cash_rounding.is_zero()) {
            return add_extra(Extra::rounding, "cash_rounding", "Cash rounding", order_.cash_rounding, {});
        }
        return {};
    }

    // As ordered; after an edit what is owed now, refunds added back because they are documents of their own.
    Result<void> total() {
        Result<Decimal> expected = edited_ ? order_.current_total : order_.total;
        if (edited_) {
            for (const auto& refund : order_.refunds) {
                for (const auto& line : refund.lines) {
                    expected = expected + Result<Decimal>(line.subtotal);
                    if (!order_.taxes_included) {
                        expected = expected + Result<Decimal>(line.tax);
                    }
                }
                for (const auto& shipping : refund.shipping) {
                    expected = expected + shipping.price(order_.taxes_included);
                    if (!order_.taxes_included) {
                        expected = expected + Result<Decimal>(shipping.tax);
                    }
                }
            }
        }
        expected = expected + Result<Decimal>(order_.cash_rounding) - Result<Decimal>(left_out_);
        if (!expected) {
            return std::unexpected(expected.error());
        }
        document_.expected_total = {.amount = *expected, .currency = order_.currency};
        auto allowance = rules_.totals.allowance_per_tax_line * Decimal(tax_lines_);
        if (!allowance) {
            return std::unexpected(allowance.error());
        }
        document_.allowance = *allowance;
        return {};
    }

    Result<std::vector<TargetId>> taxes_of(const std::vector<TaxLine>& taxes) {
        std::vector<TargetId> found;
        for (const auto& tax : taxes) {
            auto target = tax_of(rules_, country_, order_.province, tax);
            if (!target) {
                return std::unexpected(std::move(target.error()));
            }
            if (*target && std::ranges::find(found, **target) == found.end()) {
                found.push_back(**target);
            }
        }
        return found;
    }

    Result<void> add_extra(Extra extra, std::string key, std::string name, const Decimal& price,
                           const std::vector<TaxLine>& tax_lines) {
        auto product = extra_of(rules_, extra);
        if (!product) {
            return std::unexpected(std::move(product.error()));
        }
        auto taxes = taxes_of(tax_lines);
        if (!taxes) {
            return std::unexpected(std::move(taxes.error()));
        }
        if (auto counted = count_taxes(tax_lines); !counted) {
            return counted;
        }
        return add({.key = std::move(key),
                    .product = std::move(*product),
                    .sku = {},
                    .name = line_name(name, to_string(extra)),
                    .quantity = Decimal(1),
                    .unit_price = price,
                    .taxes = std::move(*taxes),
                    .note = false,
                    .hash = {}});
    }

    Result<void> add_discount(std::string key, std::string_view of, const Decimal& discount, const std::vector<TargetId>& taxes) {
        if (discount.is_zero()) {
            return {};
        }
        auto product = extra_of(rules_, Extra::discount);
        if (!product) {
            return std::unexpected(std::move(product.error()));
        }
        // Its tax is rounded by itself, so it adds to what may differ.
        tax_lines_ += static_cast<std::int64_t>(taxes.size());
        return add({.key = std::move(key),
                    .product = std::move(*product),
                    .sku = {},
                    .name = line_name("Discount: " + std::string(of), "Discount"),
                    .quantity = Decimal(1),
                    .unit_price = -discount,
                    .taxes = taxes,
                    .note = false,
                    .hash = {}});
    }

    void note_of_group(std::uint64_t id) {
        const auto group = std::ranges::find_if(order_.groups, [&](const LineGroup& g) { return g.id == id; });
        if (group == order_.groups.end()) {
            return;
        }
        document_.lines.push_back({.key = "group_" + std::to_string(id),
                                   .product = {},
                                   .sku = {},
                                   .name = line_name(group->title + " × " + group->quantity.to_string(), "Bundle"),
                                   .quantity = {},
                                   .unit_price = {},
                                   .taxes = {},
                                   .note = true,
                                   .hash = {}});
    }

    Result<void> add(DocumentLine line) {
        if (too_large(line.quantity) || too_large(line.unit_price)) {
            return fail(ErrorKind::rejected, "figure_out_of_range",
                        "a quantity or price of the order is larger than the target can hold");
        }
        if (line.quantity.places() > kQuantityPlaces) {
            return fail(ErrorKind::needs_decision, "quantity_precision",
                        "a quantity has more than two decimals; the target would round it");
        }
        if (line.unit_price.places() > kPricePlaces) {
            return fail(ErrorKind::needs_decision, "price_precision",
                        "a price has more than six decimals; the target would round it");
        }
        document_.lines.push_back(std::move(line));
        return {};
    }

    // Each tax line may differ by rounding; one that the mapping leaves out on purpose is not expected at all.
    Result<void> count_taxes(const std::vector<TaxLine>& taxes) {
        for (const auto& tax : taxes) {
            const auto target = tax_of(rules_, country_, order_.province, tax);
            if (!target) {
                return std::unexpected(target.error());
            }
            if (*target) {
                ++tax_lines_;
            } else if (!tax.included) {
                const auto sum = left_out_ + tax.amount;
                if (!sum) {
                    return std::unexpected(sum.error());
                }
                left_out_ = *sum;
            }
        }
        return {};
    }

    const Order& order_;
    const Rules& rules_;
    const ShopRule shop_;
    std::string country_;
    SalesDocument document_;
    std::int64_t tax_lines_ = 0;
    Decimal left_out_;  // Taxes that are on the receipt and, on purpose, not on the document.
    bool edited_ = false;
    bool has_tip_lines_ = false;
    bool has_fee_lines_ = false;
    bool has_duty_lines_ = false;
};

}  // namespace

std::string SalesDocument::stamp() const {
    return key.shop.value() + " " + reference + " [syncline " + std::to_string(version.updated_ns) + "." +
           std::to_string(version.observed_ns) + (version.fetched ? "f" : "p") + "/" + hash.substr(0, 12) + "]";
}

std::optional<SnapshotVersion> version_in_stamp(std::string_view stamp) {
    constexpr std::string_view kMark = "[syncline ";
    const auto at = stamp.rfind(kMark);
    if (at == std::string_view::npos) {
        return std::nullopt;
    }
    const char* p = stamp.data() + at + kMark.size();
    const char* const end = stamp.data() + stamp.size();
    SnapshotVersion version;
    const auto first = std::from_chars(p, end, version.updated_ns);
    if (first.ec != std::errc{} || first.ptr == end || *first.ptr != '.') {
        return std::nullopt;
    }
    const auto second = std::from_chars(first.ptr + 1, end, version.observed_ns);
    if (second.ec != std::errc{} || second.ptr == end || (*second.ptr != 'f' && *second.ptr != 'p')) {
        return std::nullopt;
    }
    version.fetched = *second.ptr == 'f';
    return version;
}

Result<SalesDocument> plan_order(const Order& order, const Rules& rules, const std::string& contacts_hash) {
    return Planner(order, rules).plan(contacts_hash);
}

Error product_missing(const DocumentLine& line) {
    Error error{.kind = ErrorKind::mapping_missing,
                .code = "product_unmapped",
                .message = "neither the mapping nor the target has the product " + line.sku.value(),
                .hint = "add it to the mapping file or to the target, then release the hold"};
    error.waits_for = "product:" + line.sku.value();
    return error;
}

TotalsVerdict compare_totals(const core::Money& expected, const Decimal& found, const Decimal& allowance) {
    const auto difference = expected.amount - found;
    if (difference && difference->is_zero()) {
        return TotalsVerdict::equal;
    }
    return difference && difference->abs() <= allowance ? TotalsVerdict::within_allowance : TotalsVerdict::differs;
}

Error totals_differ(std::string code, const core::Money& expected, const Decimal& found) {
    Error error{
        .kind = ErrorKind::needs_decision,
        .code = std::move(code),
        .message = "Shopify says " + expected.amount.to_string() + " " + expected.currency + ", the target " + found.to_string(),
        .hint = "correct the mapping or the document, then release; or override this code to accept the figures"};
    error.figures = {.expected = expected.amount.to_string(), .found = found.to_string(), .currency = expected.currency};
    return error;
}

Confirmation confirmation(const ConfirmRule& rule, FinancialStatus status, RiskLevel risk, bool silent) {
    if (!rule.enabled) {
        return Confirmation::not_by_rule;
    }
    if (!rule.statuses.contains(status)) {
        return Confirmation::wait_for_payment;
    }
    auto answer = RiskAnswer::confirm;
    if (risk != RiskLevel::unknown) {
        const auto found = rule.levels.find(risk);
        answer = found == rule.levels.end() ? RiskAnswer::confirm : found->second;
    } else if (rule.risk_wait.count() > 0) {
        if (!silent) {
            return Confirmation::wait_for_risk;
        }
        answer = rule.on_silence;
    }
    switch (answer) {
        case RiskAnswer::confirm:
            return Confirmation::now;
        case RiskAnswer::leave:
            return Confirmation::not_by_rule;
        case RiskAnswer::hold:
            break;
    }
    return Confirmation::hold_for_risk;
}

std::string line_name(std::string_view text, std::string_view otherwise) {
    const auto cleaned = [](std::string_view from) {
        std::string name;
        for (const char c : from.substr(0, kNameBytesMax)) {
            name += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
        }
        // A character cut in half at the end would make the whole call unreadable.
        if (from.size() > kNameBytesMax) {
            while (!name.empty() && (static_cast<unsigned char>(name.back()) & 0xC0U) == 0x80U) {
                name.pop_back();
            }
            if (!name.empty() && (static_cast<unsigned char>(name.back()) & 0x80U) != 0) {
                name.pop_back();
            }
        }
        const auto first = name.find_first_not_of(' ');
        const auto last = name.find_last_not_of(' ');
        return first == std::string::npos ? std::string{} : name.substr(first, last - first + 1);
    };
    auto name = cleaned(text);
    if (name.empty()) {
        name = cleaned(otherwise);
    }
    return name.empty() ? "-" : name;
}

}  // namespace order_export
