#include "syncline/odoo/reply.h"

#include <syncline/core/hash.h>
#include <algorithm>
#include <array>
#include <utility>

namespace syncline::odoo {
namespace {

using core::Error;
using core::ErrorKind;

// Large enough for a batch of orders with 500 lines each, small enough for memory.
constexpr json::Limits kLimits{.depth_max = 32, .bytes_max = 32UL * 1024 * 1024, .reject_duplicate_keys = false};

struct Phrase {
    std::string_view words;
    std::string_view code;
};
// Fixed phrases of Odoo 16-19 in English; another language of the server only makes the code less precise.
constexpr std::array<Phrase, 12> kPhrases{{
    {"could not serialize", "serialization_failure"},
    {"deadlock detected", "serialization_failure"},
    {"could not obtain lock", "serialization_failure"},
    {"must be in draft", "not_draft"},
    {"VAT number", "invalid_vat"},
    {"unauthorized or invalid companies", "wrong_company"},
    {"No matching record found", "unknown_reference"},
    {"Missing required value", "required_field_missing"},
    {"is locked", "document_locked"},
    {"locked order", "document_locked"},
    {"already exists", "already_exists"},
    {"not in a state requiring confirmation", "not_confirmable"},
}};

std::string_view phrase_code(std::string_view text, std::string_view otherwise) {
    for (const auto& phrase : kPhrases) {
        if (text.find(phrase.words) != std::string_view::npos) {
            return phrase.code;
        }
    }
    return otherwise;
}

// "odoo.exceptions.UserError" → itself; anything that is not a dotted name could hold data.
std::string safe_name(std::string_view name) {
    const bool plain = !name.empty() && name.size() <= 80 && std::ranges::all_of(name, [](unsigned char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_';
    });
    return plain ? std::string(name) : std::string("an unnamed exception");
}

Error make(ErrorKind kind, std::string code, std::string message, std::string hint = {}) {
    return Error{.kind = kind, .code = std::move(code), .message = std::move(message), .hint = std::move(hint)};
}

bool is_html(const http::Response& response) {
    const auto type = response.headers.get("content-type");
    return type.find("html") != std::string_view::npos || response.body.starts_with("<");
}

// Answers that are decided before any body is read.
std::optional<Error> transport_error(const http::Response& response) {
    switch (response.status) {
        case 401:
            return make(ErrorKind::unauthorized, "api_key_refused", "Odoo refuses the API key",
                        "make a new key (Preferences, Account Security) and put it in the key file; it is re-read");
        case 408:
        case 502:
        case 504:
            return make(ErrorKind::unknown_outcome, "no_answer", "a proxy before Odoo gave no answer of its own");
        case 429: {
            auto error = make(ErrorKind::throttled, "throttled", "Odoo or a proxy before it asks for patience");
            const auto seconds = core::Decimal::parse(response.headers.get("retry-after"));
            const auto whole = seconds ? seconds->to_int64() : core::Result<std::int64_t>(1);
            error.retry_after = std::chrono::seconds(std::clamp<std::int64_t>(whole.value_or(1), 1, 300));
            return error;
        }
        case 503:
            return make(ErrorKind::transient, "unavailable", "Odoo is not available");
        case 415:
            return make(ErrorKind::bug, "wrong_content_type", "Odoo refuses the content type of the call");
        default:
            break;
    }
    if (response.status == 404 && is_html(response)) {
        // An unknown database looks the same; doctor tells them apart by the probe that never succeeds.
        return make(ErrorKind::transient, "database_unavailable", "Odoo cannot reach its database (404 with an HTML page)",
                    "check Odoo's PostgreSQL and the configured database name");
    }
    if (is_html(response)) {
        return response.status >= 500
                   ? make(ErrorKind::conflict, "html_error", "Odoo answered an error page")
                   : make(ErrorKind::transient, "not_odoo", "what answers at the target's URL is not Odoo's API");
    }
    return std::nullopt;
}

}  // namespace

bool says_serialization(std::string_view text) {
    return phrase_code(text, "") == "serialization_failure";
}

Error error_of(std::string_view exception, std::string_view text, int status) {
    const auto name = safe_name(exception);
    const auto code_or = [&](std::string_view otherwise) {
        return std::string(phrase_code(text, otherwise));
    };
    if (exception.ends_with("SerializationFailure") || exception.ends_with("DeadlockDetected") ||
        exception.ends_with("LockNotAvailable") || exception.ends_with("LockError") || says_serialization(text)) {
        return make(ErrorKind::conflict, "serialization_failure", "another transaction held the record (" + name + ")");
    }
    if (exception.ends_with("exceptions.AccessDenied") && status == 200) {
        return make(ErrorKind::unauthorized, "api_key_refused", "Odoo refuses login or API key");
    }
    if (exception.ends_with("exceptions.AccessError") || exception.ends_with("exceptions.AccessDenied") || status == 403) {
        return make(ErrorKind::needs_decision, "rights_missing", "the user has no right to do this (" + name + ")",
                    "give the user of the API key the rights named in docs/operating");
    }
    if (exception.ends_with("exceptions.MissingError")) {
        return make(ErrorKind::needs_decision, "document_vanished", "the record does not exist any more");
    }
    if (exception.ends_with("exceptions.RedirectWarning")) {
        return make(ErrorKind::needs_decision, code_or("redirect_warning"), "Odoo wants a setting to be made first");
    }
    if (exception.ends_with("exceptions.UserError") || exception.ends_with("exceptions.ValidationError")) {
        return make(ErrorKind::rejected, code_or("refused"), "Odoo refuses the record (" + name + ")");
    }
    if (exception.starts_with("psycopg2.") &&
        (exception.ends_with("OperationalError") || exception.ends_with("InterfaceError"))) {
        return make(ErrorKind::transient, "database_unavailable", "Odoo cannot reach its database");
    }
    if (exception.ends_with("werkzeug.exceptions.NotFound") || status == 404) {
        return make(ErrorKind::needs_decision, "model_or_method_missing", "Odoo does not know the model or the method",
                    "install the module (sale, account) in this database");
    }
    if (status == 422) {
        return make(ErrorKind::bug, "bad_arguments", "Odoo does not accept the arguments of the call (" + name + ")");
    }
    if (exception.ends_with("ValueError")) {
        // Unknown field, NUL in a text, a date it cannot read: the same call fails for ever.
        return make(ErrorKind::rejected, "value_refused", "Odoo cannot read a value of the record (ValueError)");
    }
    return make(ErrorKind::conflict, "server_error", "Odoo failed with " + name);
}

core::Result<Answer> read_json2(http::Response&& response) {
    if (auto error = transport_error(response)) {
        return std::unexpected(std::move(*error));
    }
    const int status = response.status;
    const bool good = status >= 200 && status < 300;
    if (good && response.body.empty()) {
        return Answer{};
    }
    auto parsed = json::Document::parse(std::move(response.body), kLimits);
    if (!parsed) {
        return good ? core::fail(ErrorKind::unknown_outcome, "reply_unreadable",
                                 "Odoo's answer is not JSON (" + parsed.error().code + ")")
                    : std::unexpected(error_of("", "", status));
    }
    const auto document = std::make_shared<const json::Document>(std::move(*parsed));
    const auto root = document->root();
    if (good) {
        return root.is_null() ? Answer{} : Answer(document, root);
    }
    // The first previews of 19 sent only a JSON string.
    if (root.is_string()) {
        return std::unexpected(error_of("", *root.string(), status));
    }
    return std::unexpected(error_of(text(root.get("name")), text(root.get("message")), status));
}

core::Result<Answer> read_jsonrpc(http::Response&& response) {
    if (auto error = transport_error(response)) {
        return std::unexpected(std::move(*error));
    }
    if (response.status < 200 || response.status >= 300) {
        return std::unexpected(error_of("", "", response.status));
    }
    auto parsed = json::Document::parse(std::move(response.body), kLimits);
    if (!parsed || !parsed->root().is_object()) {
        return core::fail(ErrorKind::unknown_outcome, "reply_unreadable", "Odoo's answer is not a JSON-RPC envelope");
    }
    const auto document = std::make_shared<const json::Document>(std::move(*parsed));
    const auto root = document->root();
    if (const auto error = root.get_present("error")) {
        const auto data = error->get_present("data");
        const auto code = error->get("code");
        const auto number = code ? code->int64().value_or(0) : 0;
        const auto name = data ? text(data->get("name")) : std::string{};
        const auto words = data ? text(data->get("message")) : std::string{};
        // 404 is the one code that says more than the name; 200 and 0 are both "Odoo Server Error".
        return std::unexpected(error_of(name, words, number == 404 && name.empty() ? 404 : 200));
    }
    const auto result = root.get_present("result");
    return result ? Answer(document, *result) : Answer{};
}

core::Result<LoadReply> read_load(const Answer& answer) {
    const auto unexpected_reply = [] {
        return core::fail(ErrorKind::conflict, "reply_unexpected", "the answer of load has neither ids nor messages");
    };
    if (!answer.value() || !answer.value()->is_object()) {
        return unexpected_reply();
    }
    const auto root = *answer.value();
    const auto member = root.get("ids");
    if (!member) {
        return unexpected_reply();
    }
    LoadReply reply;
    if (member->is_array()) {
        std::vector<std::int64_t> found;
        found.reserve(member->size());
        for (const auto element : member->elements()) {
            const auto id = element.int64();
            if (!id || *id <= 0) {
                return unexpected_reply();
            }
            found.push_back(*id);
        }
        reply.ids = std::move(found);
    } else if (!member->is_bool() && !member->is_null()) {
        return unexpected_reply();
    }
    if (const auto messages = root.get("messages")) {
        for (const auto element : messages->elements()) {
            LoadMessage message;
            const auto kind = text(element.get("type"));
            message.error = kind != "warning" && kind != "info";
            if (const auto record = element.get("record")) {
                message.record = record->int64().value_or(-1);
            }
            const auto words = text(element.get("message"));
            message.field = safe_name(text(element.get("field")));
            if (!element.get_present("field") || message.field == "an unnamed exception") {
                message.field.clear();
            }
            const auto digest = core::sha256(words);
            message.text_hash = core::hex_encode(core::bytes_of(digest).substr(0, 8));
            message.code = phrase_code(words, "load_refused");
            reply.messages.push_back(std::move(message));
        }
    }
    return reply;
}

LoadVerdict judge(const LoadReply& reply, std::size_t records) {
    LoadVerdict verdict;
    std::vector<const LoadMessage*> errors;
    for (const auto& message : reply.messages) {
        if (message.error) {
            errors.push_back(&message);
        }
    }
    if (std::ranges::any_of(errors, [](const LoadMessage* m) { return m->code == "serialization_failure"; })) {
        verdict.send_again = true;
        return verdict;
    }
    for (std::size_t i = 0; i < errors.size(); ++i) {
        const auto& message = *errors[i];
        if (message.record < 0 || std::cmp_greater_equal(message.record, records)) {
            continue;
        }
        if (i == 0 && message.record == 0) {
            const bool phantom = std::ranges::any_of(errors.begin() + 1, errors.end(), [&](const LoadMessage* other) {
                return other->text_hash == message.text_hash && other->record != 0;
            });
            const bool again = std::ranges::any_of(errors.begin() + 1, errors.end(),
                                                   [](const LoadMessage* other) { return other->record == 0; });
            if (phantom && !again) {
                continue;
            }
        }
        const auto index = static_cast<std::size_t>(message.record);
        if (std::ranges::none_of(verdict.refused, [&](const auto& r) { return r.record == index; })) {
            verdict.refused.push_back({.record = index, .code = message.code, .field = message.field});
        }
    }
    return verdict;
}

core::Result<core::Decimal> amount(const json::Value& value, int places) {
    auto number = value.decimal();
    if (!number) {
        return core::fail(ErrorKind::conflict, "reply_unexpected", "Odoo sent something else where an amount belongs");
    }
    return number->rounded(places, core::Rounding::half_up);
}

core::Result<std::optional<Reference>> reference(const json::Value& value) {
    if (value.is_bool() || value.is_null()) {
        return std::optional<Reference>{};
    }
    // read() gives [id, "name"]; with load=false, or in some versions' wizards, the bare id.
    if (value.is_number()) {
        if (const auto id = value.int64()) {
            return Reference{.id = *id, .name = {}};
        }
    }
    if (value.is_array() && value.size() >= 1) {
        auto element = value.elements().begin();
        const auto id = (*element).int64();
        Reference found;
        if (value.size() >= 2) {
            ++element;
            found.name = text(*element);
        }
        if (id) {
            found.id = *id;
            return found;
        }
    }
    return core::fail(ErrorKind::conflict, "reply_unexpected", "Odoo sent something else where a reference belongs");
}

std::string text(const std::optional<json::Value>& value) {
    if (!value) {
        return {};
    }
    const auto found = value->string();
    return found ? std::string(*found) : std::string{};
}

std::vector<std::int64_t> ids(const std::optional<json::Value>& value) {
    std::vector<std::int64_t> found;
    if (value) {
        for (const auto element : value->elements()) {
            if (const auto id = element.int64()) {
                found.push_back(*id);
            }
        }
    }
    return found;
}

bool truth(const std::optional<json::Value>& value) {
    return value && value->boolean().value_or(false);
}

}  // namespace syncline::odoo
