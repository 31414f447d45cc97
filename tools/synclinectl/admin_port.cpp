#include "admin_port.h"

#include <fmt/format.h>
#include <cctype>

namespace synclinectl {
namespace {

using syncline::core::ErrorKind;
using syncline::core::fail;
using syncline::core::Result;
using syncline::http::Response;
using syncline::json::Document;

}  // namespace

std::string percent_encoded(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte) != 0 || c == '-' || c == '_' || c == '.' || c == '~') {
            out += c;
        } else {
            out += fmt::format("%{:02X}", byte);
        }
    }
    return out;
}

AdminPort::AdminPort(syncline::http::Client& client, std::string url, std::string token, std::chrono::milliseconds timeout)
    : client_(client), url_(std::move(url)), token_(std::move(token)), timeout_(timeout) {
    while (url_.ends_with('/')) {
        url_.pop_back();
    }
}

Result<Response> AdminPort::send(std::string_view method, std::string_view path, std::string body) {
    syncline::http::Request request{.method = std::string(method), .url = url_ + std::string(path), .body = std::move(body)};
    if (!token_.empty()) {
        request.headers.add("authorization", "Bearer " + token_);
    }
    if (!request.body.empty()) {
        request.content_type = "application/json";
    }
    return client_.send(request, {syncline::core::system_clock(), timeout_});
}

Result<Document> AdminPort::parsed(Result<Response> answer) {
    if (!answer) {
        // A verb that may have been carried out is not tried at the next instance.
        const bool unknown = answer.error().kind == ErrorKind::unknown_outcome;
        return fail(unknown ? ErrorKind::unknown_outcome : ErrorKind::transient, unknown ? "outcome_unknown" : "unreachable",
                    fmt::format("{}: {}", url_, answer.error().message));
    }
    auto document = Document::parse(std::move(answer->body), {.bytes_max = std::size_t{64} << 20U});
    if (answer->status >= 200 && answer->status < 300) {
        if (!document) {
            return fail(ErrorKind::transient, "bad_answer", fmt::format("{} answered something that is not JSON", url_));
        }
        return document;
    }
    std::string code = fmt::format("status_{}", answer->status);
    std::string detail;
    if (document) {
        code = std::string(document->root().string_of("code").value_or(code));
        detail = std::string(document->root().string_of("detail").value_or(""));
    }
    auto kind = ErrorKind::rejected;
    if (answer->status == 404) {
        kind = ErrorKind::not_ready;
    } else if (answer->status == 401 || answer->status == 403) {
        kind = ErrorKind::unauthorized;
    } else if (answer->status >= 500) {
        kind = ErrorKind::transient;
    }
    return fail(kind, code, detail.empty() ? fmt::format("{} answered {}", url_, answer->status) : detail);
}

Result<Document> AdminPort::get(std::string_view path, const Query& query) {
    std::string target(path);
    char separator = '?';
    for (const auto& [name, value] : query) {
        if (!value.empty()) {
            target += fmt::format("{}{}={}", separator, name, percent_encoded(value));
            separator = '&';
        }
    }
    return parsed(send("GET", target, {}));
}

Result<Document> AdminPort::post(std::string_view path, std::string body) {
    return parsed(send("POST", path, std::move(body)));
}

Result<AdminPort::Probe> AdminPort::probe(std::string_view path) {
    auto answer = send("GET", path, {});
    if (!answer) {
        return fail(ErrorKind::transient, "unreachable", fmt::format("{}: {}", url_, answer.error().message));
    }
    return Probe{answer->status, std::move(answer->body)};
}

}  // namespace synclinectl
