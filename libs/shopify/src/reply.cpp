#include "syncline/shopify/reply.h"

#include <fmt/format.h>
#include <syncline/core/parse.h>
#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <utility>

namespace syncline::shopify {
namespace {

using core::ErrorKind;

constexpr auto kPatience = std::chrono::seconds{1};  // What Shopify asks for at least when it names no time.
constexpr auto kPatienceMax = std::chrono::minutes{10};
constexpr std::size_t kFieldDepthMax = 16;
constexpr std::size_t kUserErrorsMax = 1000;

// "INVALID_LOCATION" and "undefinedField" as a bounded label; empty for anything that is no plain word.
std::string word(std::string_view text) {
    std::string out;
    if (text.empty() || text.size() > 64) {
        return out;
    }
    bool after_lower = false;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte) == 0 && c != '_') {
            return {};
        }
        if (after_lower && std::isupper(byte) != 0) {
            out += '_';
        }
        after_lower = std::islower(byte) != 0;
        out += static_cast<char>(std::tolower(byte));
    }
    return out;
}

// A JSON number as points: Shopify writes 101, 1954.0 or 0.1. Anything that is no finite number is no figure.
std::optional<double> points(const std::optional<json::Value>& value) {
    if (!value) {
        return std::nullopt;
    }
    const auto text = value->number_text();
    if (!text) {
        return std::nullopt;
    }
    double number = 0;
    const auto [stop, code] = std::from_chars(text->data(), text->data() + text->size(), number);
    if (code != std::errc{} || stop != text->data() + text->size() || !std::isfinite(number) || std::abs(number) > 1e9) {
        return std::nullopt;
    }
    return number;
}

std::optional<Cost> read_cost(const json::Value& root) {
    const auto extensions = root.get_present("extensions");
    const auto cost = extensions ? extensions->get_present("cost") : std::nullopt;
    const auto requested = cost ? points(cost->get("requestedQueryCost")) : std::nullopt;
    if (!requested || *requested < 0) {
        return std::nullopt;
    }
    Cost read{.requested = *requested, .actual = points(cost->get("actualQueryCost")), .throttle = std::nullopt};
    if (const auto status = cost->get_present("throttleStatus")) {
        const auto maximum = points(status->get("maximumAvailable"));
        const auto available = points(status->get("currentlyAvailable"));
        const auto rate = points(status->get("restoreRate"));
        if (maximum && available && rate && *maximum > 0 && *rate > 0) {
            read.throttle = Throttle{.maximum = *maximum, .available = *available, .restore_rate = *rate};
        }
    }
    return read;
}

std::chrono::milliseconds missing_time(const std::optional<Cost>& cost) {
    if (!cost || !cost->throttle || cost->throttle->available >= cost->requested) {
        return kPatience;
    }
    const double seconds = (cost->requested - cost->throttle->available) / cost->throttle->restore_rate;
    const auto millis = std::chrono::milliseconds{static_cast<std::int64_t>(std::ceil(std::min(seconds, 1e6) * 1000))};
    return std::min<std::chrono::milliseconds>(millis, kPatienceMax);
}

// "order.lineItems.nodes.3": names of the document and positions only.
std::string path_text(const std::optional<json::Value>& path) {
    std::string out;
    if (!path || !path->is_array()) {
        return out;
    }
    std::size_t depth = 0;
    for (const auto part : path->elements()) {
        if (++depth > kFieldDepthMax) {
            break;
        }
        const auto name = part.string();
        const auto number = part.number_text();
        const auto text = name ? word(*name).empty() ? std::string("?") : std::string(*name)
                               : std::string(number ? number->substr(0, 20) : "?");
        out += (out.empty() ? "" : ".") + text;
    }
    return out;
}

struct TopError {
    std::string code;
    std::string path;
};

std::vector<TopError> read_errors(const json::Value& root) {
    std::vector<TopError> read;
    const auto errors = root.get_present("errors");
    if (!errors) {
        return read;
    }
    // Old doors answer {"errors": "[API] Invalid API key …"}.
    if (!errors->is_array()) {
        read.push_back({"graphql_error", ""});
        return read;
    }
    for (const auto error : errors->elements()) {
        if (read.size() >= kUserErrorsMax) {
            break;
        }
        const auto extensions = error.get_present("extensions");
        const auto code = extensions ? extensions->string_of("code") : error.string_of("code");
        auto name = code ? word(*code) : std::string();
        // Without any code and path it is the parser of documents that speaks.
        if (name.empty()) {
            name = error.get_present("path") ? "graphql_error" : "graphql_invalid";
        }
        read.push_back({std::move(name), path_text(error.get_present("path"))});
    }
    return read;
}

core::Error make(ErrorKind kind, std::string code, std::string message, std::string hint = {}) {
    return {.kind = kind, .code = std::move(code), .message = std::move(message), .hint = std::move(hint)};
}

// Codes whose meaning does not depend on the operation.
std::optional<ErrorKind> kind_of(std::string_view code) {
    struct Row {
        std::string_view code;
        ErrorKind kind;
    };
    static constexpr std::array<Row, 22> kTable{{
        {"throttled", ErrorKind::throttled},
        {"limit_reached", ErrorKind::throttled},
        {"operation_in_progress", ErrorKind::throttled},
        {"access_denied", ErrorKind::unauthorized},
        {"shop_inactive", ErrorKind::unauthorized},
        {"unauthorized", ErrorKind::unauthorized},
        {"idempotency_concurrent_request", ErrorKind::conflict},
        {"idempotency_previous_attempt_failed", ErrorKind::conflict},
        {"idempotency_key_parameter_mismatch", ErrorKind::bug},
        {"change_from_quantity_stale", ErrorKind::conflict},
        {"compare_quantity_stale", ErrorKind::conflict},
        {"stale_object", ErrorKind::conflict},
        {"max_cost_exceeded", ErrorKind::bug},
        {"graphql_invalid", ErrorKind::bug},
        {"undefined_field", ErrorKind::bug},
        {"invalid_variable", ErrorKind::bug},
        {"argument_literals_incompatible", ErrorKind::bug},
        {"missing_required_arguments", ErrorKind::bug},
        {"variable_mismatch", ErrorKind::bug},
        {"variable_requires_valid_type", ErrorKind::bug},
        {"bad_request", ErrorKind::bug},
        {"parse_error", ErrorKind::bug},
    }};
    const auto* const row = std::ranges::find(kTable, code, &Row::code);
    return row == kTable.end() ? std::nullopt : std::optional(row->kind);
}

core::Error top_error(const std::vector<TopError>& errors, const std::optional<Cost>& cost, OperationKind kind) {
    // The one that decides: nothing was carried out if THROTTLED is among them; then what a person must look at.
    const auto rank = [](const TopError& error) {
        const auto known = kind_of(error.code);
        return error.code == "throttled" ? 0 : known == ErrorKind::bug ? 1 : known ? 2 : 3;
    };
    const auto& worst = *std::ranges::min_element(errors, {}, rank);
    const auto known = kind_of(worst.code);
    const auto otherwise = kind == OperationKind::mutation ? ErrorKind::unknown_outcome : ErrorKind::conflict;
    auto error = make(known.value_or(otherwise), worst.code,
                      fmt::format("Shopify answers {}{}{}", worst.code, worst.path.empty() ? "" : " at ", worst.path));
    if (error.kind == ErrorKind::throttled) {
        error.retry_after = missing_time(cost);
    }
    if (error.code == "access_denied") {
        error.hint = "grant the app the access scope that this needs";
    }
    return error;
}

std::optional<core::Error> status_error(const http::Response& response, OperationKind kind) {
    const int status = response.status;
    if (status >= 200 && status < 300) {
        return std::nullopt;
    }
    const auto text = [&](std::string_view what) {
        return fmt::format("Shopify answers HTTP {}: {}", status, what);
    };
    switch (status) {
        case 401:
            return make(ErrorKind::unauthorized, "token_refused", text("the access token is not valid"),
                        "check the token of this shop in shops.yaml, and that the app is still installed");
        case 402:
            return make(ErrorKind::unauthorized, "shop_frozen", text("the shop is frozen"),
                        "the merchant has to settle its bill");
        case 403:
            return make(ErrorKind::unauthorized, "forbidden", text("this app may not call the shop"));
        case 404:
            return make(ErrorKind::unauthorized, "shop_not_found", text("no such shop or API version"),
                        "check domain and api_version of this shop in shops.yaml");
        case 423:
            return make(ErrorKind::unauthorized, "shop_locked", text("the shop is locked"));
        case 429:
        case 430: {
            auto error = make(ErrorKind::throttled, "too_many_requests", text("too many requests"));
            error.retry_after = kPatience;
            const auto seconds = core::Decimal::parse(response.headers.get("retry-after"));
            const auto millis = seconds ? (*seconds * core::Decimal(1000)) : seconds;
            if (const auto whole =
                    millis ? millis->rounded(0, core::Rounding::half_up).to_int64() : core::Result<std::int64_t>(0);
                whole && *whole > 0) {
                error.retry_after = std::min<std::chrono::milliseconds>(std::chrono::milliseconds{*whole}, kPatienceMax);
            }
            return error;
        }
        case 400:
        case 406:
        case 414:
        case 415:
            return make(ErrorKind::bug, "bad_request", text("the request is not understood"));
        default:
            break;
    }
    if (status >= 300 && status < 400) {
        return make(ErrorKind::unauthorized, "redirected", text("the shop has another address"),
                    "write the shop's myshopify.com domain into shops.yaml");
    }
    if (status >= 500 || status == 408) {
        return make(kind == OperationKind::mutation ? ErrorKind::unknown_outcome : ErrorKind::transient, "server_error",
                    text("the server failed"));
    }
    return make(ErrorKind::rejected, "http_refused", text("refused"));
}

// userErrors of every payload; a few payloads name their list otherwise (orderCancelUserErrors).
std::vector<UserError> read_user_errors(const json::Value& data) {
    std::vector<UserError> read;
    for (const auto payload : data.members()) {
        for (const auto list : payload.value.members()) {
            if (!list.name.ends_with("serErrors") || !list.value.is_array()) {
                continue;
            }
            for (const auto element : list.value.elements()) {
                if (read.size() >= kUserErrorsMax) {
                    return read;
                }
                UserError error;
                const auto code = element.string_of("code");
                error.code = code ? word(*code) : std::string();
                if (error.code.empty()) {
                    // Plain UserErrors have no code; of the text only fixed phrases are read, nothing of it is kept.
                    const auto said = element.string_of("message");
                    const auto message = said ? *said : std::string_view();
                    const auto says = [&](std::string_view phrase) {
                        return message.find(phrase) != std::string_view::npos;
                    };
                    error.code = says("already been taken") || says("already exists") ? "taken"
                                 : says("not found") || says("does not exist")        ? "not_found"
                                 : says("IDEMPOTENCY_KEY_PARAMETER_MISMATCH")         ? "idempotency_key_parameter_mismatch"
                                 : says("IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED")        ? "idempotency_previous_attempt_failed"
                                 : says("IDEMPOTENCY_CONCURRENT_REQUEST")             ? "idempotency_concurrent_request"
                                                                                      : "user_error";
                }
                if (const auto field = element.get_present("field")) {
                    for (const auto part : field->elements()) {
                        const auto name = part.string();
                        if (error.field.size() < kFieldDepthMax) {
                            error.field.push_back(name && !word(*name).empty() ? std::string(*name) : "?");
                        }
                    }
                }
                read.push_back(std::move(error));
            }
        }
    }
    return read;
}

}  // namespace

core::Error error_of(const std::vector<UserError>& errors) {
    if (errors.empty()) {
        return make(ErrorKind::bug, "no_user_error", "asked for the error of a call that had none");
    }
    std::string message = "Shopify refuses";
    for (std::size_t i = 0; i < std::min<std::size_t>(errors.size(), 5); ++i) {
        std::string field;
        for (const auto& part : errors[i].field) {
            field += (field.empty() ? "" : ".") + part;
        }
        message += fmt::format("{} {}{}{}", i == 0 ? "" : ",", field, field.empty() ? "" : ": ", errors[i].code);
    }
    auto error = make(kind_of(errors.front().code).value_or(ErrorKind::rejected), errors.front().code, std::move(message));
    if (error.kind == ErrorKind::throttled) {
        error.retry_after = kPatience;
    }
    return error;
}

Answer read_answer(http::Response&& response, const Operation& operation) {
    const bool mutation = operation.kind == OperationKind::mutation;
    const auto unreadable = mutation ? ErrorKind::unknown_outcome : ErrorKind::transient;
    if (auto error = status_error(response, operation.kind)) {
        return {.reply = std::unexpected(std::move(*error)), .cost = std::nullopt};
    }
    auto parsed = json::Document::parse(std::move(response.body), {.bytes_max = std::size_t{32} << 20U});
    if (!parsed || !parsed->root().is_object()) {
        return {.reply = core::fail(unreadable, "reply_malformed",
                                    fmt::format("Shopify's answer cannot be read: {}",
                                                parsed ? "not an object" : std::string_view(parsed.error().code))),
                .cost = std::nullopt};
    }
    auto document = std::make_shared<const json::Document>(std::move(*parsed));
    const auto root = document->root();
    const auto cost = read_cost(root);
    const auto data = root.get_present("data");
    const auto errors = read_errors(root);
    std::size_t denied = 0;
    if (!errors.empty()) {
        const bool only_denied = operation.denied_allowed && data && std::ranges::all_of(errors, [](const TopError& error) {
                                     return error.code == "access_denied" && error.path.find('.') != std::string::npos;
                                 });
        if (!only_denied) {
            return {.reply = std::unexpected(top_error(errors, cost, operation.kind)), .cost = cost};
        }
        denied = errors.size();
    }
    if (!data || !data->is_object()) {
        return {.reply = core::fail(mutation ? ErrorKind::unknown_outcome : ErrorKind::conflict, "reply_unexpected",
                                    "Shopify's answer holds neither data nor errors"),
                .cost = cost};
    }
    auto user_errors = read_user_errors(*data);
    return {.reply = Reply(std::move(document), *data, std::move(user_errors), denied), .cost = cost};
}

}  // namespace syncline::shopify
