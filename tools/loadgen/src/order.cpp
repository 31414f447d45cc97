#include "src/order.h"

#include <syncline/core/assert.h>

#include <numeric>

namespace loadgen {
namespace {

Amount sum(const std::vector<Allocation>& allocations) {
    Amount total;
    for (const auto& allocation : allocations) {
        total += allocation.amount;
    }
    return total;
}

Amount sum(const std::vector<TaxLine>& taxes) {
    Amount total;
    for (const auto& line : taxes) {
        total += line.amount;
    }
    return total;
}

std::vector<TaxLine> taxes_on(Amount net, const std::vector<TaxRate>& rates, bool included) {
    const Rate all =
        std::accumulate(rates.begin(), rates.end(), Rate{0}, [](Rate total, const TaxRate& tax) { return total + tax.rate; });
    std::vector<TaxLine> taxes;
    for (const auto& tax : rates) {
        taxes.push_back({tax, share_of(net, tax.rate, included ? kWhole + all : kWhole)});
    }
    return taxes;
}

}  // namespace

Amount Line::discount() const {
    return sum(allocations);
}
Amount Line::tax() const {
    return sum(taxes);
}
Amount ShippingLine::discount() const {
    return sum(allocations);
}
Amount ShippingLine::tax() const {
    return sum(taxes);
}

void compute_taxes(Order& order) {
    for (auto& line : order.lines) {
        line.taxes = taxes_on(line.net(), line.rates, order.taxes_included);
    }
    for (auto& line : order.shipping) {
        line.taxes = taxes_on(line.net(), line.rates, order.taxes_included);
    }
}

Removed removed_of(const Order& order, const Line& line) {
    if (line.removed == 0) {
        return {};
    }
    const auto left = line.quantity - line.removed;
    const Amount discount_left = share_of(line.discount(), left, line.quantity);
    const Amount net_left = line.price * left - discount_left;
    return {line.discount() - discount_left, line.net() - net_left,
            line.tax() - sum(taxes_on(net_left, line.rates, order.taxes_included))};
}

Totals totals_of(const Order& order) {
    Totals totals;
    Amount line_tax;
    Amount shipping_tax;
    Amount removed_net;
    Amount removed_tax;
    Amount removed_discount;
    for (const auto& line : order.lines) {
        totals.line_items += line.gross();
        totals.discounts += line.discount();
        totals.subtotal += line.net();
        line_tax += line.tax();
        totals.duties += line.duty ? line.duty->amount : Amount{};
        const auto removed = removed_of(order, line);
        removed_net += removed.net;
        removed_tax += removed.tax;
        removed_discount += removed.discount;
    }
    for (const auto& line : order.shipping) {
        totals.discounts += line.discount();
        totals.shipping += line.net();
        shipping_tax += line.tax();
    }
    totals.tax = line_tax + shipping_tax;
    const auto owed = [&](Amount subtotal, Amount shipping, Amount tax) {
        return subtotal + shipping + (order.taxes_included ? Amount{} : tax) + totals.duties + order.tip + order.fee;
    };
    totals.total = owed(totals.subtotal, totals.shipping, totals.tax);

    totals.current_discounts = totals.discounts - removed_discount;
    totals.current_subtotal = totals.subtotal - removed_net;
    totals.current_shipping = totals.shipping;
    totals.current_tax = totals.tax - removed_tax;
    for (const auto& refund : order.refunds) {
        for (const auto& line : refund.lines) {
            totals.current_subtotal += -line.subtotal;
            totals.current_tax += -line.tax;
        }
        totals.current_shipping += -refund.shipping;
        totals.current_tax += -refund.shipping_tax;
    }
    totals.current_total = owed(totals.current_subtotal, totals.current_shipping, totals.current_tax);
    return totals;
}

RefundLine refund_line(Order& order, std::uint64_t id, std::size_t index, std::int64_t quantity, std::string restock) {
    auto& line = order.lines.at(index);
    SYNCLINE_ASSERT(quantity > 0 && quantity <= line.current_quantity());
    const auto removed = removed_of(order, line);
    Amount net_left = line.net() - removed.net;
    Amount tax_left = line.tax() - removed.tax;
    const auto units = line.quantity - line.removed;
    RefundLine refund{.id = id, .line = index, .quantity = quantity, .restock = std::move(restock), .subtotal = {}, .tax = {}};
    if (quantity == line.current_quantity()) {
        // The last units take what rounding has left.
        for (const auto& earlier : order.refunds) {
            for (const auto& other : earlier.lines) {
                if (other.line == index) {
                    net_left = net_left - other.subtotal;
                    tax_left = tax_left - other.tax;
                }
            }
        }
        refund.subtotal = net_left;
        refund.tax = tax_left;
    } else {
        refund.subtotal = share_of(net_left, quantity, units);
        refund.tax = share_of(tax_left, quantity, units);
    }
    line.refunded += quantity;
    return refund;
}

Amount amount_of(const Order& order, const Refund& refund) {
    Amount amount = refund.shipping - refund.discrepancy;
    Amount tax = refund.shipping_tax;
    for (const auto& line : refund.lines) {
        amount += line.subtotal;
        tax += line.tax;
    }
    return order.taxes_included ? amount : amount + tax;
}

}  // namespace loadgen
