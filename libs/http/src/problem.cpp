#include <fmt/format.h>
#include <syncline/http/problem.h>

namespace syncline::http {
namespace {

void append_json_text(std::string& out, std::string_view text) {
    out += '"';
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (byte < 0x20U) {
            out += fmt::format("\\u{:04x}", byte);
        } else {
            out += c;
        }
    }
    out += '"';
}

void append_member(std::string& out, std::string_view name, std::string_view value) {
    out += ',';
    append_json_text(out, name);
    out += ':';
    append_json_text(out, value);
}

int status_of(core::ErrorKind kind) noexcept {
    switch (kind) {
        case core::ErrorKind::malformed:
            return 400;
        case core::ErrorKind::unauthorized:
            return 401;
        case core::ErrorKind::not_ready:
            return 404;
        case core::ErrorKind::conflict:
        case core::ErrorKind::needs_decision:
            return 409;
        case core::ErrorKind::rejected:
        case core::ErrorKind::mapping_missing:
            return 422;
        case core::ErrorKind::throttled:
            return 429;
        case core::ErrorKind::transient:
            return 503;
        case core::ErrorKind::unknown_outcome:
        case core::ErrorKind::bug:
            break;
    }
    return 500;
}

}  // namespace

Reply to_reply(const Problem& problem) {
    Reply reply{.status = problem.status, .body = {}, .content_type = "application/problem+json", .headers = {}};
    auto& out = reply.body;
    out += "{\"type\":";
    append_json_text(out, "urn:syncline:problem:" + problem.code);
    append_member(out, "title", problem.title.empty() ? reason_phrase(problem.status) : std::string_view(problem.title));
    out += fmt::format(",\"status\":{}", problem.status);
    append_member(out, "code", problem.code);
    if (!problem.detail.empty()) {
        append_member(out, "detail", problem.detail);
    }
    for (const auto& [name, value] : problem.members) {
        append_member(out, name, value);
        if (name == "allow") {
            reply.headers.add("allow", value);
        }
    }
    out += '}';
    if (problem.retry_after > std::chrono::seconds{0}) {
        reply.headers.add("retry-after", std::to_string(problem.retry_after.count()));
    }
    if (problem.status == 401) {
        reply.headers.add("www-authenticate", "Bearer");
    }
    return reply;
}

Reply bad_request(std::string_view code, std::string_view detail) {
    return to_reply({.status = 400, .code = std::string(code), .title = "Bad request", .detail = std::string(detail)});
}

Reply unauthorized(std::string_view code, std::string_view detail) {
    return to_reply({.status = 401, .code = std::string(code), .title = "Not authorized", .detail = std::string(detail)});
}

Reply not_found() {
    return to_reply({.status = 404, .code = "unknown_path", .title = "No such path"});
}

Reply method_not_allowed(std::string_view allow) {
    return to_reply({.status = 405,
                     .code = "method_not_allowed",
                     .title = "This path has other methods",
                     .members = {{"allow", std::string(allow)}}});
}

Reply unavailable(std::string_view code, std::string_view detail, std::chrono::seconds retry_after) {
    return to_reply({.status = 503,
                     .code = std::string(code),
                     .title = "Not now",
                     .detail = std::string(detail),
                     .retry_after = retry_after});
}

Reply internal_error() {
    return to_reply({.status = 500, .code = "internal_error", .title = "Our fault"});
}

Reply from_error(const core::Error& error) {
    Problem problem{.status = status_of(error.kind), .code = error.code, .title = {}, .detail = error.message};
    if (!error.hint.empty()) {
        problem.members.emplace_back("hint", error.hint);
    }
    problem.retry_after = std::chrono::ceil<std::chrono::seconds>(error.retry_after);
    return to_reply(problem);
}

std::string_view reason_phrase(int status) noexcept {
    switch (status) {
        case 100:
            return "Continue";
        case 200:
            return "OK";
        case 201:
            return "Created";
        case 202:
            return "Accepted";
        case 204:
            return "No Content";
        case 301:
            return "Moved Permanently";
        case 302:
            return "Found";
        case 303:
            return "See Other";
        case 304:
            return "Not Modified";
        case 307:
            return "Temporary Redirect";
        case 308:
            return "Permanent Redirect";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 408:
            return "Request Timeout";
        case 409:
            return "Conflict";
        case 411:
            return "Length Required";
        case 413:
            return "Content Too Large";
        case 414:
            return "URI Too Long";
        case 415:
            return "Unsupported Media Type";
        case 422:
            return "Unprocessable Content";
        case 429:
            return "Too Many Requests";
        case 431:
            return "Request Header Fields Too Large";
        case 500:
            return "Internal Server Error";
        case 502:
            return "Bad Gateway";
        case 503:
            return "Service Unavailable";
        case 504:
            return "Gateway Timeout";
        default:
            return "Unknown";
    }
}

}  // namespace syncline::http
