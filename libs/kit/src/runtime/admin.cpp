#include <fmt/format.h>
#include <syncline/kit/admin.h>

#include <syncline/core/assert.h>
#include <syncline/json/writer.h>
#include <exception>
#include <span>

namespace syncline::kit {
namespace {

int hex_digit(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

std::vector<std::string> segments_of(std::string_view path) {
    std::vector<std::string> segments;
    while (!path.empty()) {
        path.remove_prefix(path.front() == '/' ? 1 : 0);
        const auto slash = path.find('/');
        segments.emplace_back(path.substr(0, slash));
        path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash);
    }
    if (!segments.empty() && segments.back().empty()) {
        segments.pop_back();
    }
    return segments;
}

bool is_variable(std::string_view segment) {
    return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

// Fits the rest of a path to the rest of a pattern; {name...} tries the shortest stretch first.
bool fits(std::span<const std::string> pattern, std::span<const std::string> path, std::map<std::string, std::string>& values) {
    if (pattern.empty()) {
        return path.empty();
    }
    if (path.empty()) {
        return false;
    }
    const std::string_view segment = pattern.front();
    if (!is_variable(segment)) {
        return segment == path.front() && fits(pattern.subspan(1), path.subspan(1), values);
    }
    const std::string_view inner = segment.substr(1, segment.size() - 2);
    if (!inner.ends_with("...")) {
        values[std::string(inner)] = percent_decoded(path.front());
        return fits(pattern.subspan(1), path.subspan(1), values);
    }
    std::string whole;
    for (std::size_t taken = 1; taken <= path.size(); ++taken) {
        whole += (taken > 1 ? "/" : "") + percent_decoded(path[taken - 1]);
        if (fits(pattern.subspan(1), path.subspan(taken), values)) {
            values[std::string(inner.substr(0, inner.size() - 3))] = whole;
            return true;
        }
    }
    return false;
}

int status_of(core::ErrorKind kind) {
    switch (kind) {
        case core::ErrorKind::rejected:
        case core::ErrorKind::malformed:
            return 400;
        case core::ErrorKind::unauthorized:
            return 403;
        case core::ErrorKind::not_ready:
            return 404;
        case core::ErrorKind::conflict:
        case core::ErrorKind::needs_decision:
        case core::ErrorKind::mapping_missing:
            return 409;
        case core::ErrorKind::transient:
        case core::ErrorKind::throttled:
        case core::ErrorKind::unknown_outcome:
            return 503;
        case core::ErrorKind::bug:
            break;
    }
    return 500;
}

}  // namespace

std::string AdminRequest::path_value(const std::string& name) const {
    const auto found = path_values.find(name);
    return found == path_values.end() ? std::string() : found->second;
}

std::string AdminRequest::query_value(const std::string& name) const {
    const auto found = query.find(name);
    return found == query.end() ? std::string() : found->second;
}

AdminReply AdminReply::json(std::string body, int status) {
    return {.status = status, .body = std::move(body)};
}

AdminReply AdminReply::problem(int status, std::string_view code, std::string_view detail) {
    json::Writer writer;
    writer.begin_object();
    writer.key("type").string("about:blank");
    writer.key("status").integer(status);
    writer.key("code").string(code);
    writer.key("detail").string(detail);
    writer.end_object();
    return {.status = status, .body = std::move(writer).take(), .content_type = "application/problem+json"};
}

AdminReply AdminReply::problem(const core::Error& error) {
    return problem(status_of(error.kind), error.code, error.hint.empty() ? error.message : error.message + "; " + error.hint);
}

void AdminRouter::route(std::string method, std::string pattern, std::string help, Handler handler) {
    SYNCLINE_ASSERT(pattern.starts_with("/admin/"));
    auto segments = segments_of(pattern);
    routes_.push_back({.method = std::move(method),
                       .pattern = std::move(pattern),
                       .help = std::move(help),
                       .handler = std::move(handler),
                       .segments = std::move(segments)});
}

AdminReply AdminRouter::dispatch(AdminRequest request) const {
    const auto segments = segments_of(request.path);
    bool other_method = false;
    for (const auto& route : routes_) {
        std::map<std::string, std::string> values;
        if (!fits(route.segments, segments, values)) {
            continue;
        }
        if (route.method != request.method) {
            other_method = true;
            continue;
        }
        request.path_values = std::move(values);
        try {
            return route.handler(request);
        } catch (const std::exception& error) {
            return AdminReply::problem(500, "internal", fmt::format("the handler of {} failed: {}", route.pattern, error.what()));
        }
    }
    if (other_method) {
        return AdminReply::problem(405, "method_not_allowed", "this path answers another method");
    }
    return AdminReply::problem(404, "no_such_route", "no admin route has this path");
}

std::string percent_decoded(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
            out.push_back(static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2])));
            i += 2;
        } else {
            out.push_back(text[i]);
        }
    }
    return out;
}

std::map<std::string, std::string> parsed_query(std::string_view query) {
    std::map<std::string, std::string> values;
    while (!query.empty()) {
        const auto end = query.find('&');
        const auto pair = query.substr(0, end);
        const auto equals = pair.find('=');
        if (!pair.empty()) {
            std::string value(equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1));
            for (auto& c : value) {
                c = c == '+' ? ' ' : c;
            }
            values[percent_decoded(pair.substr(0, equals))] = percent_decoded(value);
        }
        query = end == std::string_view::npos ? std::string_view{} : query.substr(end + 1);
    }
    return values;
}

}  // namespace syncline::kit
