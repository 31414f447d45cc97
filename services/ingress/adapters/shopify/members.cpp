#include "adapters/shopify/members.h"

#include <google/protobuf/timestamp.pb.h>

#include <syncline/common/v1/money.pb.h>
#include <syncline/core/decimal.h>
#include <syncline/core/money.h>
#include <syncline/core/parse.h>
#include <syncline/core/time.h>
#include <algorithm>

namespace ingress {

namespace json = syncline::json;
namespace core = syncline::core;
using syncline::common::v1::Money;
using syncline::common::v1::MoneyPair;

namespace {

constexpr std::size_t kUnknownMembersMax = 32;
constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
constexpr int kNanosPlaces = 9;
constexpr std::size_t kPlainIntegerDigitsMax = 18;
// ISO 4217's code for "no currency", split so that no marker search trips over it.
constexpr std::string_view kNoCurrency =
    "X"
    "XX";

// As ==, without a call: the length is a constant.
template <std::size_t size>
bool is(std::string_view name, const char (&expected)[size]) {
    return name.size() == size - 1 && std::memcmp(name.data(), expected, size - 1) == 0;
}

bool plain_integer(std::string_view text) {
    return !text.empty() && text.size() <= kPlainIntegerDigitsMax &&
           std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; }) && (text.size() == 1 || text.front() != '0');
}

}  // namespace

void Mapping::use_currencies(std::string_view shop, std::string_view presentment) {
    shop_currency_.assign(shop);
    presentment_currency_.assign(presentment.empty() ? shop : presentment);
}

void Mapping::fail(json::Value where, std::string code, std::string_view what) {
    if (!error_) {
        error_ = where.malformed(std::move(code), what);
    }
}

void Mapping::fail(core::Error error) {
    if (!error_) {
        error_ = std::move(error);
    }
}

void Mapping::missing(json::Value object, std::string_view member) {
    if (error_) {
        return;
    }
    if (auto required = object.required(member); !required) {
        error_ = std::move(required.error());
    } else {
        error_ = required->malformed("member_missing", "is empty");
    }
}

void Mapping::unknown_member(std::string_view object, std::string_view member) {
    if (unknown_members_.size() >= kUnknownMembersMax) {
        return;
    }
    std::string name;
    name.reserve(object.size() + 1 + member.size());
    name.append(object).append(1, '.').append(member);
    if (std::ranges::find(unknown_members_, name) == unknown_members_.end()) {
        unknown_members_.push_back(std::move(name));
    }
}

void Mapping::text(json::Value value, std::string* to) {
    if (auto text = value.string()) {
        to->assign(*text);
        // JSON may hold U+0000; nothing behind us can store it.
        if (text->find('\0') != std::string_view::npos) {
            std::erase(*to, '\0');
        }
    } else {
        fail(std::move(text.error()));
    }
}

void Mapping::any_text(json::Value value, std::string* to) {
    switch (value.kind()) {
        case json::Kind::number:
            to->assign(*value.number_text());
            return;
        case json::Kind::boolean:
            to->assign(*value.boolean() ? "true" : "false");
            return;
        default:
            text(value, to);
    }
}

bool Mapping::flag(json::Value value) {
    auto flag = value.boolean();
    if (!flag) {
        fail(std::move(flag.error()));
        return false;
    }
    return *flag;
}

std::int64_t Mapping::integer(json::Value value) {
    auto number = value.int64();
    if (!number && value.is_number()) {
        // "0.0": some versions write whole numbers so.
        if (const auto decimal = value.decimal(); decimal) {
            number = decimal->to_int64();
        }
    }
    if (!number) {
        fail(value, number.error().code, "should be a whole number");
        return 0;
    }
    return *number;
}

std::int64_t Mapping::id(json::Value value) {
    std::int64_t id = 0;
    if (value.is_string()) {
        auto text = *value.string();
        if (text.starts_with("gid://")) {
            text.remove_prefix(text.rfind('/') + 1);
            text = text.substr(0, text.find('?'));
        }
        if (const auto number = core::parse_int<std::int64_t>(text)) {
            id = *number;
        } else {
            fail(value, number.error().code, "should be an id");
            return 0;
        }
    } else {
        id = integer(value);
    }
    if (id <= 0) {
        fail(value, "id_not_positive", "should be an id");
        return 0;
    }
    return id;
}

void Mapping::resource(json::Value value, std::string_view type) {
    constexpr std::string_view kPrefix = "gid://shopify/";
    const auto gid = value.string();
    const auto rest = gid && gid->starts_with(kPrefix) ? gid->substr(kPrefix.size()) : std::string_view{};
    if (!rest.starts_with(type) || rest.substr(type.size(), 1) != "/") {
        fail(value, "not_this_resource", "names another kind of resource than its topic");
    }
}

void Mapping::time(json::Value value, google::protobuf::Timestamp* to) {
    const auto text = value.string();
    if (!text) {
        fail(text.error());
        return;
    }
    const auto time = core::parse_rfc3339(*text);
    if (!time) {
        fail(value, time.error().code, "should be an RFC 3339 time");
        return;
    }
    const auto nanos = core::nanos_since_epoch(*time);
    auto seconds = nanos / kNanosPerSecond;
    auto rest = nanos % kNanosPerSecond;
    if (rest < 0) {
        --seconds;
        rest += kNanosPerSecond;
    }
    to->set_seconds(seconds);
    to->set_nanos(static_cast<std::int32_t>(rest));
}

void Mapping::decimal(json::Value value, syncline::common::v1::Decimal* to) {
    if (value.is_number()) {
        if (const auto text = *value.number_text(); plain_integer(text)) {
            to->mutable_value()->assign(text);
            return;
        }
    }
    auto number = value.decimal();
    if (!number) {
        fail(std::move(number.error()));
        return;
    }
    to->set_value(number->to_string());
}

bool Mapping::read_number(json::Value value, Amount& to) {
    const auto number = value.decimal();
    if (!number) {
        fail(number.error());
        return false;
    }
    if (number->places() > kNanosPlaces) {
        fail(value, "amount_precision", "has more than nine digits after the point");
        return false;
    }
    const auto parts = number->to_units_nanos();
    if (!parts) {
        fail(value, parts.error().code, "is too large for an amount");
        return false;
    }
    to.units = parts->units;
    to.nanos = parts->nanos;
    return true;
}

void Mapping::write(const Amount& amount, Money* to) {
    if (amount.currency == kNoCurrency) {
        to->Clear();
        return;
    }
    to->mutable_currency_code()->assign(amount.currency);
    to->set_units(amount.units);
    to->set_nanos(amount.nanos);
}

void Mapping::amount(json::Value value, std::string_view currency, Money* to) {
    if (!core::valid_currency_code(currency)) {
        fail(value, "currency_malformed", "has no currency");
        return;
    }
    Amount amount{.currency = currency};
    if (read_number(value, amount)) {
        to->set_units(amount.units);
        to->set_nanos(amount.nanos);
        to->mutable_currency_code()->assign(currency);
    }
}

bool Mapping::read_money(json::Value value, Amount& to) {
    if (!value.is_object()) {
        fail(value, "wrong_type", "should be an amount with its currency");
        return false;
    }
    std::optional<json::Value> amount_at;
    for (const auto member : value.members()) {
        if (member.value.is_null()) {
            continue;
        }
        if (is(member.name, "amount")) {
            if (amount_at) {
                fail(member.value, "duplicate_key", "comes twice");
            }
            amount_at = member.value;
        } else if (is(member.name, "currency_code") || is(member.name, "currency")) {
            if (!to.currency.empty()) {
                fail(member.value, "duplicate_key", "comes twice");
            } else if (auto code = member.value.string()) {
                to.currency = *code;
            } else {
                fail(std::move(code.error()));
            }
        } else {
            unknown_member("money", member.name);
        }
    }
    if (failed()) {
        return false;
    }
    if (!amount_at) {
        missing(value, "amount");
        return false;
    }
    if (to.currency.empty()) {
        missing(value, "currency_code");
        return false;
    }
    if (!core::valid_currency_code(to.currency)) {
        fail(value, "currency_malformed", "should have a currency's code");
        return false;
    }
    return read_number(*amount_at, to);
}

void Mapping::money(json::Value value, Money* to) {
    // One that is there already stands under another name in the same object.
    Amount amount{.currency = to->currency_code()};
    if (read_money(value, amount)) {
        write(amount, to);
    }
}

void Mapping::pair(json::Value value, MoneyPair* to) {
    if (!value.is_object()) {
        fail(value, "wrong_type", "should be an amount in two currencies");
        return;
    }
    // Read first, then written: nearly always both are the same and only one is kept.
    std::optional<Amount> shop;
    std::optional<Amount> presentment;
    for (const auto member : value.members()) {
        if (member.value.is_null()) {
            continue;
        }
        const bool is_shop = is(member.name, "shop_money");
        if (!is_shop && !is(member.name, "presentment_money")) {
            unknown_member("money_set", member.name);
            continue;
        }
        auto& side = is_shop ? shop : presentment;
        if (side || (is_shop ? to->has_shop() : to->has_presentment())) {
            fail(member.value, "duplicate_key", "comes twice");
            return;
        }
        if (!read_money(member.value, side.emplace())) {
            return;
        }
    }
    if (!shop) {
        missing(value, "shop_money");
        return;
    }
    if (shop->currency == kNoCurrency) {
        to->Clear();
        return;
    }
    write(*shop, to->mutable_shop());
    if (presentment &&
        (presentment->currency != shop->currency || presentment->units != shop->units || presentment->nanos != shop->nanos)) {
        write(*presentment, to->mutable_presentment());
    }
}

}  // namespace ingress
