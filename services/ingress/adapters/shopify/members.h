// How the members of a JSON object become fields of a message: one table for each kind of object.
//
//   const MemberTable<TaxLine> kTaxLine{"tax_line",
//       {{"title", Into<TaxLine>::text<&TaxLine::mutable_title>}, {"price_set", Into<TaxLine>::pair<&TaxLine::mutable_amount>}},
//       {"admin_graphql_api_id"}};                       // known, and left out on purpose
//   kTaxLine.map(mapping, line, value);
//
// One pass over the object, one probe of a hash table a member: an order's body has 600 members, and looking each field up by
// name would cost more than all the rest of ingress. The same pass finds names that come twice (of which a reader could take
// either). The first thing that does not fit is kept in Mapping and ends the work.
#pragma once

#include <syncline/core/assert.h>
#include <syncline/core/error.h>
#include <syncline/json/document.h>
#include <bit>
#include <bitset>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace google::protobuf {
class Timestamp;
}
namespace syncline::common::v1 {
class Decimal;
class Money;
class MoneyPair;
class PersonalData;
}  // namespace syncline::common::v1

namespace ingress {

// What one mapping knows and finds: currencies, the first error, unknown members. Lives for one body, one thread.
class Mapping {
public:
    Mapping(std::string_view shop_currency, syncline::common::v1::PersonalData* personal)
        : shop_currency_(shop_currency), presentment_currency_(shop_currency), personal_(personal) {}

    // The currency of amounts that come as a bare text.
    [[nodiscard]] const std::string& shop_currency() const { return shop_currency_; }
    [[nodiscard]] const std::string& presentment_currency() const { return presentment_currency_; }
    void use_currencies(std::string_view shop, std::string_view presentment);

    // Whether the order's prices contain tax.
    [[nodiscard]] bool taxes_included() const { return taxes_included_; }
    void use_taxes_included(bool included) { taxes_included_ = included; }

    // The envelope's content; everything personal goes here.
    [[nodiscard]] syncline::common::v1::PersonalData& personal() { return *personal_; }

    [[nodiscard]] bool failed() const { return error_.has_value(); }
    // The first failure stands.
    void fail(syncline::json::Value where, std::string code, std::string_view what);
    void fail(syncline::core::Error error);
    void missing(syncline::json::Value object, std::string_view member);
    [[nodiscard]] syncline::core::Error take_error() { return std::move(*error_); }

    void unknown_member(std::string_view object, std::string_view member);
    [[nodiscard]] std::vector<std::string> take_unknown_members() { return std::move(unknown_members_); }

    // Readers. A wrong type fails the mapping; `value` is never null here.
    void text(syncline::json::Value value, std::string* to);
    // A text, or a number or truth value in its written form: what Shopify sends for app ids and what apps put into attributes.
    void any_text(syncline::json::Value value, std::string* to);
    [[nodiscard]] bool flag(syncline::json::Value value);
    [[nodiscard]] std::int64_t integer(syncline::json::Value value);
    // A positive id: a number, a text of digits, or the number at the end of a gid.
    [[nodiscard]] std::int64_t id(syncline::json::Value value);
    // Fails (code "not_this_resource") unless the value is a gid of that type: "gid://shopify/Location/1" is of "Location".
    void resource(syncline::json::Value value, std::string_view type);
    void time(syncline::json::Value value, google::protobuf::Timestamp* to);
    // Canonical decimal text.
    void decimal(syncline::json::Value value, syncline::common::v1::Decimal* to);
    // An amount (text or number) in `currency`.
    void amount(syncline::json::Value value, std::string_view currency, syncline::common::v1::Money* to);
    // {"amount": "1.00", "currency_code": "EUR"} or with "currency". ISO 4217 code of "no currency" is: left empty.
    void money(syncline::json::Value value, syncline::common::v1::Money* to);
    // {"shop_money": …, "presentment_money": …}; the second one is kept where it differs.
    void pair(syncline::json::Value value, syncline::common::v1::MoneyPair* to);
    // The elements of an array that are not null.
    template <typename Each>
    void each(syncline::json::Value array, Each&& apply) {
        if (!array.is_array()) {
            fail(array, "wrong_type", "should be a list");
            return;
        }
        for (const auto element : array.elements()) {
            if (failed()) {
                return;
            }
            if (!element.is_null()) {
                apply(element);
            }
        }
    }

private:
    struct Amount {
        std::string_view currency;  // Of the body, and a valid code.
        std::int64_t units = 0;
        std::int32_t nanos = 0;
    };
    // False: the mapping has failed.
    bool read_number(syncline::json::Value value, Amount& to);
    bool read_money(syncline::json::Value value, Amount& to);
    static void write(const Amount& amount, syncline::common::v1::Money* to);

    std::string shop_currency_;
    std::string presentment_currency_;
    bool taxes_included_ = false;
    syncline::common::v1::PersonalData* personal_;
    std::optional<syncline::core::Error> error_;
    std::vector<std::string> unknown_members_;
};

template <typename Target>
class MemberTable {
public:
    using Apply = void (*)(Mapping&, Target&, syncline::json::Value);

    MemberTable(std::string_view object, std::initializer_list<std::pair<std::string_view, Apply>> taken,
                std::initializer_list<std::string_view> left_out = {})
        : object_(object), places_(std::bit_ceil(2 * (taken.size() + left_out.size()) + 1), kFree) {
        SYNCLINE_ASSERT(taken.size() + left_out.size() <= kEntriesMax);
        entries_.reserve(taken.size() + left_out.size());
        for (const auto& [name, apply] : taken) {
            insert(name, apply);
        }
        for (const auto name : left_out) {
            insert(name, nullptr);
        }
    }

    void map(Mapping& mapping, Target& to, syncline::json::Value object) const {
        if (!object.is_object()) {
            mapping.fail(object, "wrong_type", "should be an object");
            return;
        }
        std::bitset<kEntriesMax> seen;
        for (const auto member : object.members()) {
            const Entry* entry = find(member.name);
            if (entry == nullptr) {
                mapping.unknown_member(object_, member.name);
                continue;
            }
            const auto at = static_cast<std::size_t>(entry - entries_.data());
            if (seen.test(at)) {
                mapping.fail(member.value, "duplicate_key", "comes twice");
                return;
            }
            seen.set(at);
            if (entry->apply != nullptr && !member.value.is_null()) {
                entry->apply(mapping, to, member.value);
                if (mapping.failed()) {
                    return;
                }
            }
        }
    }

private:
    // Fits a place's byte, and stays less than half of the places.
    static constexpr std::size_t kEntriesMax = 255;
    static constexpr std::uint8_t kFree = 255;
    struct Entry {
        std::string_view name;
        Apply apply = nullptr;
    };

    // Of length and both ends: spreads the names of one table well enough, and takes two reads for nearly all of them.
    static std::size_t hash(std::string_view name) {
        constexpr std::uint64_t kFirstMultiplier = 0x9E3779B97F4A7C15;
        constexpr std::uint64_t kLastMultiplier = 0xC2B2AE3D27D4EB4F;
        constexpr std::size_t kWord = sizeof(std::uint64_t);
        constexpr std::size_t kHalf = sizeof(std::uint32_t);
        std::uint64_t first = 0;
        std::uint64_t last = 0;
        if (name.size() >= kWord) {
            std::memcpy(&first, name.data(), kWord);
            std::memcpy(&last, name.data() + name.size() - kWord, kWord);
        } else if (name.size() >= kHalf) {
            std::memcpy(&first, name.data(), kHalf);
            std::memcpy(&last, name.data() + name.size() - kHalf, kHalf);
        } else if (!name.empty()) {
            first = static_cast<unsigned char>(name.front());
            last = static_cast<unsigned char>(name.back());
        }
        const std::uint64_t mixed = (first + name.size()) * kFirstMultiplier ^ last * kLastMultiplier;
        return static_cast<std::size_t>(mixed ^ mixed >> 32U) >> 16U;
    }

    // As ==, without a call for texts of a few words.
    static bool same(std::string_view a, std::string_view b) {
        constexpr std::size_t kWord = sizeof(std::uint64_t);
        if (a.size() != b.size()) {
            return false;
        }
        if (a.size() < kWord) {
            return a == b;
        }
        const auto differ = [&](std::size_t at) {
            std::uint64_t left = 0;
            std::uint64_t right = 0;
            std::memcpy(&left, a.data() + at, kWord);
            std::memcpy(&right, b.data() + at, kWord);
            return left != right;
        };
        for (std::size_t at = 0; at + kWord < a.size(); at += kWord) {
            if (differ(at)) {
                return false;
            }
        }
        return !differ(a.size() - kWord);
    }

    void insert(std::string_view name, Apply apply) {
        std::size_t at = hash(name) & (places_.size() - 1);
        while (places_[at] != kFree) {
            at = (at + 1) & (places_.size() - 1);
        }
        places_[at] = static_cast<std::uint8_t>(entries_.size());
        entries_.push_back({name, apply});
    }

    const Entry* find(std::string_view name) const {
        for (std::size_t at = hash(name) & (places_.size() - 1); places_[at] != kFree; at = (at + 1) & (places_.size() - 1)) {
            if (same(entries_[places_[at]].name, name)) {
                return &entries_[places_[at]];
            }
        }
        return nullptr;
    }

    std::string_view object_;
    std::vector<Entry> entries_;
    std::vector<std::uint8_t> places_;  // Open addressing, a power of two, at most half full: small, so that it stays at hand.
};

// Rules for the usual cases, by the message's accessor: Into<Order>::text<&Order::mutable_name>.
template <typename Target>
struct Into {
    using Value = syncline::json::Value;
    template <auto Mutable>
    static void text(Mapping& mapping, Target& to, Value value) {
        mapping.text(value, (to.*Mutable)());
    }
    template <auto Mutable>
    static void any_text(Mapping& mapping, Target& to, Value value) {
        mapping.any_text(value, (to.*Mutable)());
    }
    template <auto Set>
    static void flag(Mapping& mapping, Target& to, Value value) {
        (to.*Set)(mapping.flag(value));
    }
    template <auto Set>
    static void integer(Mapping& mapping, Target& to, Value value) {
        (to.*Set)(mapping.integer(value));
    }
    template <auto Set>
    static void id(Mapping& mapping, Target& to, Value value) {
        (to.*Set)(mapping.id(value));
    }
    template <auto Mutable>
    static void time(Mapping& mapping, Target& to, Value value) {
        mapping.time(value, (to.*Mutable)());
    }
    template <auto Mutable>
    static void decimal(Mapping& mapping, Target& to, Value value) {
        mapping.decimal(value, (to.*Mutable)());
    }
    template <auto Mutable>
    static void money(Mapping& mapping, Target& to, Value value) {
        mapping.money(value, (to.*Mutable)());
    }
    template <auto Mutable>
    static void pair(Mapping& mapping, Target& to, Value value) {
        mapping.pair(value, (to.*Mutable)());
    }
    // A list of objects, each mapped by its own function.
    template <auto Add, auto MapElement>
    static void list(Mapping& mapping, Target& to, Value value) {
        mapping.each(value, [&](Value element) { MapElement(mapping, *(to.*Add)(), element); });
    }
    // One object, mapped by its own function.
    template <auto Mutable, auto MapObject>
    static void object(Mapping& mapping, Target& to, Value value) {
        MapObject(mapping, *(to.*Mutable)(), value);
    }
};

// A bare amount in shop currency where the body has no *_set for it.
template <auto Has, auto Mutable, typename Target>
void fall_back(Mapping& mapping, Target& to, syncline::json::Value object, std::string_view member) {
    if (mapping.failed() || (to.*Has)()) {
        return;
    }
    if (const auto value = object.get_present(member)) {
        mapping.amount(*value, mapping.shop_currency(), (to.*Mutable)()->mutable_shop());
    }
}

}  // namespace ingress
