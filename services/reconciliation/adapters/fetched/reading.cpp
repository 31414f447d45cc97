#include "adapters/fetched/reading.h"

#include <google/protobuf/timestamp.pb.h>

#include <syncline/common/v1/money.pb.h>
#include <syncline/core/money.h>
#include <syncline/core/parse.h>
#include <syncline/core/time.h>
#include <algorithm>
#include <utility>

namespace reconciliation {

namespace {
constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
}

void Reading::fail(json::Value where, std::string code, std::string_view what) {
    if (!error_) {
        error_ = where.malformed(std::move(code), what);
    }
}

void Reading::text(json::Value object, std::string_view name, std::string* to) {
    const auto value = object.get_present(name);
    if (!value) {
        return;
    }
    const auto text = value->string();
    if (!text) {
        fail(*value, "wrong_type", "should be a text");
        return;
    }
    to->assign(*text);
    std::erase(*to, '\0');
}

void Reading::lower(json::Value object, std::string_view name, std::string* to) {
    text(object, name, to);
    std::ranges::transform(*to, to->begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
}

std::string Reading::text(json::Value object, std::string_view name) {
    std::string value;
    text(object, name, &value);
    return value;
}

bool Reading::flag(json::Value object, std::string_view name) {
    const auto value = object.get_present(name);
    if (!value) {
        return false;
    }
    const auto flag = value->boolean();
    if (!flag) {
        fail(*value, "wrong_type", "should be true or false");
        return false;
    }
    return *flag;
}

std::int64_t Reading::integer(json::Value object, std::string_view name) {
    const auto value = object.get_present(name);
    if (!value) {
        return 0;
    }
    const auto number = value->decimal();
    const auto whole = number ? number->to_int64() : core::Result<std::int64_t>(std::unexpected(number.error()));
    if (!whole) {
        fail(*value, "wrong_type", "should be a whole number");
        return 0;
    }
    return *whole;
}

std::int64_t Reading::id(json::Value object, std::string_view name) {
    const auto value = object.get_present(name);
    if (!value) {
        return 0;
    }
    const auto gid = value->string();
    if (!gid || !gid->starts_with("gid://shopify/")) {
        fail(*value, "wrong_type", "should be a gid");
        return 0;
    }
    auto number = gid->substr(gid->rfind('/') + 1);
    const auto id = core::parse_int<std::int64_t>(number.substr(0, number.find('?')));
    if (!id || *id <= 0) {
        fail(*value, "id_not_positive", "should end in an id");
        return 0;
    }
    return *id;
}

std::int64_t Reading::id_of(json::Value object, std::string_view name) {
    const auto value = object.get_present(name);
    return value ? id(*value) : 0;
}

void Reading::time(json::Value object, std::string_view name, google::protobuf::Timestamp* (*to)(void*), void* message) {
    const auto value = object.get_present(name);
    if (!value) {
        return;
    }
    const auto text = value->string();
    const auto time = text ? core::parse_rfc3339(*text) : core::Result<core::SystemTime>(std::unexpected(text.error()));
    if (!time) {
        fail(*value, "time_malformed", "should be an RFC 3339 time");
        return;
    }
    const auto nanos = core::nanos_since_epoch(*time);
    auto* const field = to(message);
    field->set_seconds(nanos / kNanosPerSecond - (nanos % kNanosPerSecond < 0 ? 1 : 0));
    field->set_nanos(static_cast<std::int32_t>((nanos % kNanosPerSecond + kNanosPerSecond) % kNanosPerSecond));
}

void Reading::decimal(json::Value object, std::string_view name, syncline::common::v1::Decimal* to) {
    const auto value = object.get_present(name);
    if (!value) {
        return;
    }
    const auto number = value->decimal();
    if (!number) {
        fail(*value, number.error().code, "should be a number");
        return;
    }
    to->set_value(number->to_string());
}

void Reading::money(json::Value value, syncline::common::v1::Money* to) {
    const auto amount = value.decimal_of("amount");
    const auto currency = value.string_of("currencyCode");
    if (!amount || !currency || !core::valid_currency_code(*currency)) {
        fail(value, "currency_malformed", "should be an amount with its currency");
        return;
    }
    const auto parts = amount->places() <= 9 ? amount->to_units_nanos() : core::Result<core::Decimal::UnitsNanos>(std::unexpect);
    if (!parts) {
        fail(value, "amount_precision", "cannot be kept exactly");
        return;
    }
    to->set_currency_code(currency->data(), currency->size());
    to->set_units(parts->units);
    to->set_nanos(parts->nanos);
}

void Reading::pair(json::Value value, syncline::common::v1::MoneyPair* to) {
    const auto shop = value.get_present("shopMoney");
    if (!shop) {
        fail(value, "member_missing", "should have an amount in the shop's currency");
        return;
    }
    money(*shop, to->mutable_shop());
    const auto presentment = value.get_present("presentmentMoney");
    if (!presentment || failed()) {
        return;
    }
    money(*presentment, to->mutable_presentment());
    if (to->presentment().currency_code() == to->shop().currency_code() && to->presentment().units() == to->shop().units() &&
        to->presentment().nanos() == to->shop().nanos()) {
        to->clear_presentment();
    }
}

}  // namespace reconciliation
