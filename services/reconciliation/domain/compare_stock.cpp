#include "domain/compare_stock.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace reconciliation {
namespace {

// Of one SKU: more places than any shop has. Beyond it a difference is classed by what is known so far.
constexpr std::size_t kPendingMax = 10'000;
// Warehouses that feed one location, or items that share a SKU.
constexpr std::size_t kPartsMax = 256;

// One side: rows of the same key as one group. The row behind the group is read already, so the key is a copy unless the side
// keeps the row before.
class Side {
public:
    Side(StockRows& rows, SameKey same_key, std::string_view not_sorted, std::uint64_t& repeated)
        : rows_(rows), kept_(rows.keeps_previous()), same_key_(same_key), not_sorted_(not_sorted), repeated_(repeated) {}

    core::Result<void> start() {
        auto first = rows_.next();
        if (!first) {
            return std::unexpected(first.error());
        }
        ahead_ = *first;
        return load();
    }

    [[nodiscard]] bool ended() const { return ended_; }
    [[nodiscard]] std::string_view sku() const { return sku_; }
    [[nodiscard]] std::string_view location() const { return location_; }
    [[nodiscard]] const SideValue& value() const { return value_; }
    [[nodiscard]] std::int64_t item_id() const { return item_id_; }
    [[nodiscard]] bool several_items() const { return several_items_; }
    [[nodiscard]] std::uint64_t levels() const { return levels_; }

    // The next group.
    core::Result<void> load() {
        if (ahead_ == nullptr) {
            ended_ = true;
            return {};
        }
        sku_ = ahead_->sku;
        location_ = ahead_->location;
        if (!kept_) {
            copy_key();
        }
        value_ = {.quantity = ahead_->quantity, .observed_at_ns = ahead_->observed_at_ns, .duplicate = false};
        item_id_ = ahead_->item_id;
        several_items_ = false;
        levels_ += location_.empty() ? 0 : 1;
        parts_.clear();
        for (;;) {
            auto next = rows_.next();
            if (!next) {
                return std::unexpected(next.error());
            }
            ahead_ = *next;
            if (ahead_ == nullptr) {
                return {};
            }
            const int order = same_text(ahead_->sku, sku_) ? ahead_->location.compare(location_) : ahead_->sku.compare(sku_);
            if (order > 0) {
                return {};
            }
            // Of a group of several rows the first is more than one row back.
            copy_key();
            if (order < 0) {
                return core::fail(core::ErrorKind::malformed, std::string(not_sorted_), "the rows are not in order");
            }
            levels_ += location_.empty() ? 0 : 1;
            if (parts_.empty()) {
                parts_.emplace_back(item_id_, value_.quantity);
            }
            const auto same = std::ranges::find_if(parts_, [&](const auto& part) { return part.first == ahead_->item_id; });
            if (same != parts_.end()) {
                if (same->second == ahead_->quantity) {
                    ++repeated_;
                } else {
                    value_.duplicate = true;
                }
                continue;
            }
            if (parts_.size() >= kPartsMax) {
                value_.duplicate = true;
                continue;
            }
            parts_.emplace_back(ahead_->item_id, ahead_->quantity);
            if (same_key_ == SameKey::several_items) {
                several_items_ = true;
                value_.duplicate = true;
                continue;
            }
            const auto sum = value_.quantity + ahead_->quantity;
            if (!sum) {
                return std::unexpected(sum.error());
            }
            value_.quantity = *sum;
            value_.observed_at_ns = std::max(value_.observed_at_ns, ahead_->observed_at_ns);
        }
    }

private:
    void copy_key() {
        sku_copy_.assign(sku_);
        location_copy_.assign(location_);
        sku_ = sku_copy_;
        location_ = location_copy_;
    }

    StockRows& rows_;
    bool kept_;
    SameKey same_key_;
    std::string_view not_sorted_;
    std::uint64_t& repeated_;
    const StockRow* ahead_ = nullptr;
    std::string_view sku_;
    std::string_view location_;
    std::string sku_copy_;
    std::string location_copy_;
    SideValue value_;
    std::int64_t item_id_ = 0;
    bool several_items_ = false;
    std::vector<std::pair<std::int64_t, core::Decimal>> parts_;  // Of a group of several rows.
    std::uint64_t levels_ = 0;
    bool ended_ = false;
};

class Comparison {
public:
    Comparison(StockRows& shopify, StockRows& other, const CompareOptions& options, const DifferenceSink& sink)
        : options_(options),
          rules_(options.rules),
          sink_(sink),
          shopify_(shopify, SameKey::several_items, kShopifyNotSorted, totals_.repeated),
          other_(other, options.other_same_key, kOtherNotSorted, totals_.repeated) {}

    core::Result<CompareTotals> run() {
        if (auto started = shopify_.start(); !started) {
            return std::unexpected(started.error());
        }
        if (auto started = other_.start(); !started) {
            return std::unexpected(started.error());
        }
        while (!shopify_.ended() || !other_.ended()) {
            if (auto stepped = step(); !stepped) {
                return std::unexpected(stepped.error());
            }
        }
        if (auto flushed = flush(); !flushed) {
            return std::unexpected(flushed.error());
        }
        totals_.shopify_rows = shopify_.levels();
        totals_.other_rows = other_.levels();
        return totals_;
    }

private:
    core::Result<void> step() {
        int order = 0;
        if (shopify_.ended() || other_.ended()) {
            order = shopify_.ended() ? 1 : -1;
        } else {
            order = same_text(shopify_.sku(), other_.sku()) ? 0 : shopify_.sku().compare(other_.sku());
            if (order == 0 && !same_text(shopify_.location(), other_.location())) {
                order = shopify_.location().compare(other_.location());
            }
        }
        const bool has_shopify = order <= 0;
        const bool has_other = order >= 0;
        if (const auto sku = has_shopify ? shopify_.sku() : other_.sku(); !same_text(sku, sku_)) {
            if (auto flushed = flush(); !flushed) {
                return flushed;
            }
            sku_.assign(sku);
            known_ = false;
            item_id_ = 0;
            several_items_ = false;
        }
        if (has_shopify) {
            several_items_ = several_items_ || shopify_.several_items() || (known_ && shopify_.item_id() != item_id_);
            item_id_ = known_ ? item_id_ : shopify_.item_id();
            known_ = true;
        }
        const bool only_names_item = has_shopify && shopify_.location().empty();
        if (!only_names_item) {
            if (auto compared = compare(has_shopify, has_other); !compared) {
                return compared;
            }
        }
        if (has_shopify) {
            if (auto loaded = shopify_.load(); !loaded) {
                return loaded;
            }
        }
        return has_other ? other_.load() : core::Result<void>{};
    }

    core::Result<void> compare(bool has_shopify, bool has_other) {
        ++totals_.pairs;
        // What nearly all pairs are.
        if (options_.policy_of) {
            const auto& side = has_shopify ? shopify_ : other_;
            rules_.policy = options_.policy_of(side.sku(), side.location());
        }
        if (has_shopify && has_other && !several_items_ && agree(shopify_.value(), other_.value())) {
            return {};
        }
        std::optional<SideValue> shopify;
        std::optional<SideValue> other;
        if (has_shopify) {
            shopify = shopify_.value();
            shopify->duplicate = shopify->duplicate || several_items_;
        }
        if (has_other) {
            other = other_.value();
        }
        const auto verdict = classify(shopify, other, true, rules_);
        if (!verdict) {
            return std::unexpected(verdict.error());
        }
        if (!*verdict) {
            return {};
        }
        Difference difference{.sku = sku_,
                              .location = std::string(has_shopify ? shopify_.location() : other_.location()),
                              .shopify = has_shopify ? std::optional(shopify_.value().quantity) : std::nullopt,
                              .other = has_other ? std::optional(other_.value().quantity) : std::nullopt,
                              .kind = (**verdict).kind,
                              .cause = (**verdict).cause,
                              .wanted = (**verdict).wanted,
                              .observed_at_ns = std::max(has_shopify ? shopify_.value().observed_at_ns : 0,
                                                         has_other ? other_.value().observed_at_ns : 0),
                              .item_id = has_shopify ? shopify_.item_id() : item_id_};
        // Whether the shop knows the SKU is certain only behind its last row.
        if (difference.kind == DivergenceClass::missing_in_shopify) {
            pending_.push_back(std::move(difference));
            return pending_.size() < kPendingMax ? core::Result<void>{} : flush();
        }
        return emit(difference);
    }

    // Equal, and nothing to say of them.
    [[nodiscard]] bool agree(const SideValue& shopify, const SideValue& other) const {
        const auto& policy = rules_.policy;
        return shopify.quantity == other.quantity && !shopify.duplicate && !other.duplicate && shopify.quantity.sign() >= 0 &&
               shopify.quantity.places() == 0 && policy.buffer.is_zero() &&
               (policy.hide_below.is_zero() || shopify.quantity >= policy.hide_below) &&
               (policy.minimum.is_zero() || shopify.quantity >= policy.minimum);
    }

    core::Result<void> flush() {
        for (auto& difference : pending_) {
            if (!known_) {
                difference.kind = DivergenceClass::unknown_sku;
                difference.cause = {};
            }
            difference.item_id = item_id_;
            if (auto emitted = emit(difference); !emitted) {
                return emitted;
            }
        }
        pending_.clear();
        return {};
    }

    core::Result<void> emit(const Difference& difference) {
        ++totals_.by_class[static_cast<std::size_t>(difference.kind)];
        return sink_(difference);
    }

    const CompareOptions& options_;
    ClassifyRules rules_;  // With the policy of the pair at hand.
    const DifferenceSink& sink_;
    CompareTotals totals_;
    Side shopify_;
    Side other_;
    std::string sku_;
    bool known_ = false;  // Shopify has an item with sku_.
    bool several_items_ = false;
    std::int64_t item_id_ = 0;
    std::vector<Difference> pending_;
};

}  // namespace

core::Result<CompareTotals> compare_stock(StockRows& shopify, StockRows& other, const CompareOptions& options,
                                          const DifferenceSink& sink) {
    return Comparison(shopify, other, options, sink).run();
}

}  // namespace reconciliation
