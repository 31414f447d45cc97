// Members of a GraphQL answer as fields of a message: what every object of an order is made of.
//
// Null and absent are the same: empty. The first member of a wrong type is kept as the error and ends the work. Lives for one
// answer, one thread.
#pragma once

#include <syncline/core/error.h>
#include <syncline/json/document.h>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace google::protobuf {
class Timestamp;
}
namespace syncline::common::v1 {
class Decimal;
class Money;
class MoneyPair;
}  // namespace syncline::common::v1

namespace reconciliation {

namespace core = syncline::core;
namespace json = syncline::json;

class Reading {
public:
    [[nodiscard]] bool failed() const { return error_.has_value(); }
    [[nodiscard]] core::Error take_error() { return std::move(*error_); }
    void fail(json::Value where, std::string code, std::string_view what);

    void text(json::Value object, std::string_view name, std::string* to);
    // Shopify's webhooks write in small letters what GraphQL writes in capitals.
    void lower(json::Value object, std::string_view name, std::string* to);
    [[nodiscard]] std::string text(json::Value object, std::string_view name);
    [[nodiscard]] bool flag(json::Value object, std::string_view name);
    // A number, or the text of one (UnsignedInt64).
    [[nodiscard]] std::int64_t integer(json::Value object, std::string_view name);
    // The number in the gid of `name`; 0 if it is null.
    [[nodiscard]] std::int64_t id(json::Value object, std::string_view name = "id");
    // The same of the object in `name`.
    [[nodiscard]] std::int64_t id_of(json::Value object, std::string_view name);
    void time(json::Value object, std::string_view name, google::protobuf::Timestamp* (*to)(void*), void* message);
    void decimal(json::Value object, std::string_view name, syncline::common::v1::Decimal* to);
    void money(json::Value value, syncline::common::v1::Money* to);
    // A MoneyBag; the customer's side is kept where it differs.
    void pair(json::Value value, syncline::common::v1::MoneyPair* to);

    template <auto Mutable, typename Message>
    void time(json::Value object, std::string_view name, Message& to) {
        time(object, name, [](void* message) { return (static_cast<Message*>(message)->*Mutable)(); }, &to);
    }
    template <auto Mutable, typename Message>
    void pair(json::Value object, std::string_view name, Message& to) {
        if (const auto value = object.get_present(name)) {
            pair(*value, (to.*Mutable)());
        }
    }
    // The elements of a list, or the nodes of a connection.
    template <typename Each>
    void each(json::Value object, std::string_view name, Each&& apply) {
        auto list = object.get_present(name);
        if (list && list->is_object()) {
            list = list->get_present("nodes");
        }
        if (!list) {
            return;
        }
        for (const auto element : list->elements()) {
            if (failed()) {
                return;
            }
            if (!element.is_null()) {
                apply(element);
            }
        }
    }

private:
    std::optional<core::Error> error_;
};

}  // namespace reconciliation
