#include "src/order_builder.h"

#include <fmt/format.h>

#include <algorithm>

namespace loadgen {
namespace {

constexpr std::uint64_t kOrderIds = 6'100'000'000'000ULL;  // Thirteen digits, as Shopify's are now.
constexpr std::uint64_t kPartIds = 9'100'000'000'000'000ULL;
constexpr std::uint64_t kPartsOfAnOrder = 2'000;
constexpr std::uint64_t kTransactionIds = 9'800'000'000'000'000ULL;
constexpr std::uint64_t kRefundIds = 9'900'000'000'000'000ULL;
constexpr std::uint64_t kLocationId = 9'990'000'000'000'001ULL;
constexpr std::uint64_t kCompanyIds = 9'995'000'000'000'000ULL;
constexpr std::uint64_t kUnmappedVariant = 999'999;
constexpr std::size_t kLargeLines = 500;

class Builder {
public:
    Builder(const Shop& shop, Kind kind, const OrderSeed& seed) : random_(seed.seed, seed.index, shop.alias), seed_(seed) {
        order_.shop = shop;
        order_.kind = kind;
        order_.id = order_id_of(seed.index);
        order_.number = 1001 + seed.index;
        order_.presentment_currency = shop.currency;
        order_.presentment_decimals = shop.decimals;
        order_.taxes_included = shop.taxes_included;
        order_.created = seed.placed;
        order_.updated = seed.placed;
    }

    Order build() {
        currency();
        place();
        people();
        goods();
        shipping();
        special();
        discounts();
        compute_taxes(order_);
        return std::move(order_);
    }

private:
    [[nodiscard]] bool is(Kind kind) const { return order_.kind == kind; }

    void currency() {
        if (!is(Kind::foreign_currency)) {
            return;
        }
        const auto& foreign = random_.one_of(foreign_currencies(order_.shop));
        order_.presentment_currency = foreign.code;
        order_.presentment_decimals = foreign.decimals;
        per_million_ = foreign.per_million;
    }

    // A price of the shop as the customer sees it.
    [[nodiscard]] Amount priced(Minor shop) const {
        std::int64_t numerator = per_million_;
        std::int64_t denominator = 1'000'000;
        for (int i = order_.shop.decimals; i > order_.presentment_decimals; --i) {
            denominator *= 10;
        }
        for (int i = order_.shop.decimals; i < order_.presentment_decimals; ++i) {
            numerator *= 10;
        }
        return {shop, share_of(shop, numerator, denominator)};
    }

    void place() {
        order_.place = random_.one_of(order_.shop.places);
        if (is(Kind::several_taxes)) {
            order_.place = place_of_several_taxes(order_.shop);
            order_.taxes_included = false;
        }
        if (is(Kind::unmapped_tax)) {
            order_.place = place_of_unmapped_tax();
            order_.taxes_included = true;
        }
        if (is(Kind::tax_excluded) || is(Kind::b2b) || is(Kind::duties)) {
            order_.taxes_included = false;
        }
        if (is(Kind::marketplace)) {
            for (auto& tax : order_.place.taxes) {
                tax.channel_liable = true;
            }
            order_.merchant_of_record = "9990001";
        }
    }

    void people() {
        // A few customers order often, most once or twice.
        const auto customers = std::max<std::uint64_t>(seed_.customers, 1);
        const auto number =
            random_.chance(200'000) ? random_.below(std::max<std::uint64_t>(customers / 20, 1)) : random_.below(customers);
        order_.buyer = person_of(order_.shop, number);
        order_.email = order_.buyer->email;
        order_.phone = random_.chance(300'000) ? order_.buyer->phone : "";
        if (is(Kind::pos)) {
            order_.source = "pos";
            order_.location_id = kLocationId;
            order_.buyer.reset();
            order_.email.clear();
            order_.phone.clear();
            return;
        }
        if (is(Kind::guest)) {
            order_.email = fmt::format("zz.guest.{}.{}@example.com", order_.shop.alias, number);
            order_.buyer->email = order_.email;
            return;
        }
        order_.customer = order_.buyer;
        if (is(Kind::b2b)) {
            order_.company_id = kCompanyIds + number % 50;
            order_.company_location_id = order_.company_id + 1'000;
            order_.company_name = fmt::format("Zzworks {} GmbH", number % 50);
            order_.po_number = fmt::format("PO-{}", 10'000 + random_.below(90'000));
            order_.payment_terms = true;
        }
        if (random_.chance(100'000)) {
            order_.note = "Please ring at Zzannah's door";
        }
    }

    Line& add_line(const Product& product, std::int64_t quantity) {
        auto& line = order_.lines.emplace_back();
        line.id = part_id_of(seed_.index, order_.lines.size());
        line.product = product;
        line.price = priced(product.price);
        line.quantity = quantity;
        line.rates = order_.place.taxes;
        return line;
    }

    void goods() {
        std::size_t count = 1 + random_.below(4);
        if (is(Kind::large)) {
            count = kLargeLines;
        }
        if (is(Kind::automatic_discount) || is(Kind::reduced_tax) || is(Kind::edited) || is(Kind::fulfilled)) {
            count += 1;
        }
        auto number = 1 + random_.below(kProducts);
        for (std::size_t i = 0; i < count; ++i) {
            add_line(product_of(number), random_.between(1, is(Kind::edited) || is(Kind::refund_partial) ? 4 : 3));
            // Steps that are prime to the number of products: no line twice until all have come.
            number = 1 + (number + 6) % kProducts;
        }
        if (is(Kind::refund_partial) || is(Kind::edited)) {
            order_.lines.front().quantity = 3;
        }
        if (is(Kind::reduced_tax)) {
            order_.lines.back().rates = order_.place.reduced;
        }
        if (is(Kind::no_tax)) {
            for (auto& line : order_.lines) {
                line.rates.clear();
            }
        }
    }

    void shipping() {
        if (is(Kind::pos)) {
            return;
        }
        auto& line = order_.shipping.emplace_back();
        line.id = part_id_of(seed_.index, 1'500);
        line.title = random_.chance(700'000) ? "Standard" : "Express";
        line.code = line.title;
        line.price = priced(line.title == "Standard" ? 490 : 1'290);
        line.rates = is(Kind::no_tax) || order_.shop.currency == "USD" ? std::vector<TaxRate>{} : order_.place.taxes;
    }

    void special() {
        switch (order_.kind) {
            case Kind::custom_line: {
                Product custom;
                custom.title = "Engraving";
                custom.price = 750;
                add_line(custom, 1).what = Line::What::custom;
                break;
            }
            case Kind::gift_card: {
                Product card = product_of(1);
                card.sku = "GIFT-CARD";
                card.title = "Gift card";
                card.variant_title = "50.00";
                card.price = 5'000;
                card.grams = 0;
                auto& line = add_line(card, 1);
                line.what = Line::What::gift_card;
                line.rates.clear();
                break;
            }
            case Kind::tip:
                order_.tip = priced(static_cast<Minor>(100 + random_.below(900)));
                break;
            case Kind::fee:
                order_.fee = priced(150);
                break;
            case Kind::duties:
                for (std::size_t i = 0; i < order_.lines.size(); ++i) {
                    auto& line = order_.lines[i];
                    line.duty = Duty{part_id_of(seed_.index, 1'600 + i), "9403.60", "VN", share_of(line.gross(), 4, 100)};
                }
                break;
            case Kind::bundle: {
                Product bundle = product_of(2);
                bundle.title = "Starter set";
                order_.groups.push_back({part_id_of(seed_.index, 1'900), bundle.title, 1, bundle});
                for (std::size_t i = 0; i < 2; ++i) {
                    add_line(product_of(10 + i + 2 * random_.below(200)), 1).group = order_.groups.front().id;
                }
                break;
            }
            case Kind::pos:
                order_.cash_rounding = {2, 2};
                break;
            case Kind::draft:
                order_.source = "shopify_draft_order";
                break;
            case Kind::test:
                order_.test = true;
                break;
            case Kind::unmapped_product: {
                Product unknown = product_of(3);
                unknown.variant_id = kUnmappedVariant;
                unknown.sku = "SKU-UNKNOWN";
                add_line(unknown, 1);
                break;
            }
            default:
                break;
        }
    }

    // Spreads `total` over the lines that `takes` accepts.
    template <typename Takes>
    void allocate(std::size_t application, Amount total, Takes takes) {
        std::vector<Amount> weights;
        for (std::size_t i = 0; i < order_.lines.size(); ++i) {
            weights.push_back(takes(i) ? order_.lines[i].net() : Amount{});
        }
        const auto parts = spread(total, weights);
        for (std::size_t i = 0; i < parts.size(); ++i) {
            if (!parts[i].is_zero()) {
                order_.lines[i].allocations.push_back({application, parts[i]});
            }
        }
    }

    void discount_shipping(std::size_t application, Amount amount) {
        for (auto& line : order_.shipping) {
            line.allocations.push_back({application, amount});
        }
    }

    void discounts() {
        const auto goods_total = [&] {
            Amount total;
            for (const auto& line : order_.lines) {
                total += line.net();
            }
            return total;
        };
        const auto everywhere = [](std::size_t) {
            return true;
        };
        switch (order_.kind) {
            case Kind::shipping_discount: {
                const bool free = random_.chance(500'000);
                order_.applications.push_back({"discount_code", free ? "percentage" : "fixed_amount", free ? "100.0" : "2.0",
                                               "each", "shipping_line", "all", "", "SHIPIT"});
                discount_shipping(0, free ? order_.shipping.front().price : priced(200));
                break;
            }
            case Kind::code_percent:
                order_.applications.push_back(
                    {"discount_code", "percentage", "15.0", "across", "line_item", "all", "", "FRIDAY15"});
                allocate(0, share_of(goods_total(), 15, 100), everywhere);
                break;
            case Kind::code_fixed: {
                Amount off = priced(1'000);
                const Amount most = goods_total();
                off = {std::min(off.shop, most.shop), std::min(off.presentment, most.presentment)};
                order_.applications.push_back(
                    {"discount_code", "fixed_amount", "10.0", "across", "line_item", "all", "", "TENOFF"});
                allocate(0, off, everywhere);
                break;
            }
            case Kind::automatic_discount:
                order_.applications.push_back(
                    {"automatic", "percentage", "20.0", "across", "line_item", "entitled", "Second one cheaper", ""});
                order_.applications.push_back(
                    {"discount_code", "percentage", "5.0", "across", "line_item", "all", "", "FRIEND5"});
                allocate(0, share_of(order_.lines.back().net(), 20, 100),
                         [&](std::size_t i) { return i + 1 == order_.lines.size(); });
                allocate(1, share_of(goods_total(), 5, 100), everywhere);
                break;
            case Kind::zero_total:
                order_.applications.push_back(
                    {"discount_code", "percentage", "100.0", "across", "line_item", "all", "", "SORRY100"});
                order_.applications.push_back(
                    {"automatic", "percentage", "100.0", "each", "shipping_line", "all", "Free shipping", ""});
                allocate(0, goods_total(), everywhere);
                discount_shipping(1, order_.shipping.front().price);
                break;
            default:
                break;
        }
    }

    Random random_;
    const OrderSeed& seed_;
    Order order_;
    std::int64_t per_million_ = 1'000'000;
};

}  // namespace

Order build_order(const Shop& shop, Kind kind, const OrderSeed& seed) {
    return Builder(shop, kind, seed).build();
}

std::uint64_t order_id_of(std::uint64_t index) {
    return kOrderIds + index;
}
std::uint64_t part_id_of(std::uint64_t index, std::uint64_t part) {
    return kPartIds + index * kPartsOfAnOrder + part;
}
std::uint64_t transaction_id_of(std::uint64_t index, std::uint64_t part) {
    return kTransactionIds + index * 10 + part;
}
std::uint64_t refund_id_of(std::uint64_t index, std::uint64_t part) {
    return kRefundIds + index * 50 + part;
}

}  // namespace loadgen
