// Errors as a client of ours sees them: RFC 9457 application/problem+json with a stable code.
//
//   responder.answer(http::to_reply({.status = 404, .code = "unknown_path", .title = "No such path"}));
//   → {"type":"urn:syncline:problem:unknown_path","title":"No such path","status":404,"code":"unknown_path"}
//
// Plain values; any thread. Texts never carry personal data, secrets or bytes of the request.
#pragma once

#include <syncline/core/error.h>
#include <syncline/http/server.h>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace syncline::http {

struct Problem {
    int status = 500;
    std::string code;                                          // Stable snake_case word; documented, greppable.
    std::string title;                                         // One line, the same for every occurrence of the code.
    std::string detail;                                        // What happened this time; may be empty.
    std::chrono::seconds retry_after{0};                       // Sent as Retry-After when above zero.
    std::vector<std::pair<std::string, std::string>> members;  // Further text members ("allow": "GET").
};

// The reply for a problem; "allow" among the members also becomes the Allow header.
[[nodiscard]] Reply to_reply(const Problem& problem);

// The problems every door has. `allow`: the methods that exist here, "GET, POST".
[[nodiscard]] Reply bad_request(std::string_view code, std::string_view detail);
[[nodiscard]] Reply unauthorized(std::string_view code, std::string_view detail);
[[nodiscard]] Reply not_found();
[[nodiscard]] Reply method_not_allowed(std::string_view allow);
[[nodiscard]] Reply unavailable(std::string_view code, std::string_view detail, std::chrono::seconds retry_after);
[[nodiscard]] Reply internal_error();
// For admin doors: the kind decides the status (malformed 400, unauthorized 401, not_ready 404, conflict and needs_decision 409,
// rejected 422, throttled 429, transient 503, else 500); code and message are the error's.
[[nodiscard]] Reply from_error(const core::Error& error);

// The reason phrase of a status ("Not Found"); "Unknown" for one that has none.
[[nodiscard]] std::string_view reason_phrase(int status) noexcept;

}  // namespace syncline::http
