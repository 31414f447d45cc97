#include "adapters/inventory_sync.h"

#include <syncline/http/client.h>
#include <utility>

namespace reconciliation {
namespace {

namespace http = syncline::http;
namespace json = syncline::json;
using core::ErrorKind;

constexpr std::size_t kReplyBytesMax = std::size_t{8} << 20U;
constexpr int kOk = 200;
constexpr int kRedirect = 300;
constexpr int kUnauthorized = 401;
constexpr int kForbidden = 403;
constexpr int kNotFound = 404;
constexpr int kTooMany = 429;
constexpr int kServerError = 500;

// The token file of an admin port holds name:token; a file for one client may hold the token alone.
std::string token_in(const std::string& text) {
    const auto line = text.substr(0, text.find('\n'));
    const auto colon = line.find(':');
    return colon == std::string::npos ? line : line.substr(colon + 1);
}

core::Result<json::Document> read(const http::Response& answer) {
    auto document = json::Document::parse(answer.body);
    if (answer.status >= kOk && answer.status < kRedirect) {
        return document ? std::move(document)
                        : core::fail(ErrorKind::transient, "inventory_sync_malformed", "inventory-sync answered no JSON");
    }
    std::string code = "inventory_sync_refused";
    std::string detail = "inventory-sync answered " + std::to_string(answer.status);
    if (document) {
        if (const auto given = document->root().string_of("code")) {
            code = std::string(*given);
        }
        if (const auto given = document->root().string_of("detail")) {
            detail = std::string(*given);
        }
    }
    auto kind = ErrorKind::rejected;
    if (answer.status == kUnauthorized || answer.status == kForbidden) {
        kind = ErrorKind::unauthorized;
    } else if (answer.status == kNotFound) {
        kind = ErrorKind::not_ready;
    } else if (answer.status == kTooMany || answer.status >= kServerError) {
        kind = ErrorKind::transient;
    }
    return core::fail(kind, std::move(code), std::move(detail));
}

}  // namespace

InventorySync::InventorySync(http::Client& http, std::vector<std::string> urls, syncline::kit::SecretFile token)
    : http_(http), urls_(std::move(urls)), token_(std::move(token)) {}

core::Result<json::Document> InventorySync::get(std::string_view path, const core::Deadline& deadline) const {
    return send("GET", path, {}, deadline);
}

core::Result<json::Document> InventorySync::post(std::string_view path, std::string body, const core::Deadline& deadline) const {
    return send("POST", path, std::move(body), deadline);
}

core::Result<json::Document> InventorySync::send(std::string_view method, std::string_view path, std::string body,
                                                 const core::Deadline& deadline) const {
    if (urls_.empty()) {
        return core::fail(ErrorKind::rejected, "not_configured", "inventory-sync's address is not known",
                          "set stock.inventory_sync.urls");
    }
    auto failed = core::fail(ErrorKind::transient, "inventory_sync_away", "no instance of inventory-sync answers");
    for (const auto& url : urls_) {
        http::Request request{.method = std::string(method),
                              .url = url + std::string(path),
                              .headers = {},
                              .body = body,
                              .content_type = body.empty() ? "" : "application/json",
                              .reply_bytes_max = kReplyBytesMax};
        request.headers.add("Authorization", "Bearer " + token_in(token_.current()));
        const auto answer = http_.send(request, deadline);
        if (!answer) {
            failed.error().message = "no instance of inventory-sync answers: " + answer.error().message;
            continue;
        }
        return read(*answer);
    }
    return failed;
}

}  // namespace reconciliation
