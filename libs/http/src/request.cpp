#include <syncline/core/assert.h>
#include <syncline/http/server.h>

#include "src/responder_target.h"
#include "src/text.h"

namespace syncline::http {
namespace {

std::optional<unsigned> hex_digit(char c) noexcept {
    const char l = lower(c);
    if (l >= '0' && l <= '9') {
        return static_cast<unsigned>(l - '0');
    }
    if (l >= 'a' && l <= 'f') {
        return static_cast<unsigned>(l - 'a' + 10);
    }
    return std::nullopt;
}

// A broken escape stays as it is: the reader decides whether it means anything.
std::string percent_decoded(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+') {
            out += ' ';
            continue;
        }
        if (text[i] == '%' && i + 2 < text.size()) {
            const auto high = hex_digit(text[i + 1]);
            const auto low = hex_digit(text[i + 2]);
            if (high && low) {
                out += static_cast<char>((*high << 4U) | *low);
                i += 2;
                continue;
            }
        }
        out += text[i];
    }
    return out;
}

}  // namespace

std::optional<std::string_view> Head::find(std::string_view lower_case_name) const {
    for (const auto& field : fields_) {
        if (field.name == lower_case_name) {
            return field.value;
        }
    }
    return std::nullopt;
}

std::string_view Head::get(std::string_view lower_case_name) const {
    return find(lower_case_name).value_or(std::string_view{});
}

IncomingRequest::IncomingRequest(std::string_view method, std::string_view target, const Headers& headers, std::string body_bytes,
                                 std::string_view peer)
    : body(std::move(body_bytes)) {
    method_ = keep(method);
    target_ = keep(target);
    peer_ = keep(peer);
    for (const auto& field : headers) {
        const auto name = keep_lower(field.name);
        fields_.push_back({.name = name, .value = keep(field.value)});
    }
}

IncomingRequest::Piece IncomingRequest::keep(std::string_view text) {
    const Piece piece{.at = static_cast<std::uint32_t>(text_.size()), .size = static_cast<std::uint32_t>(text.size())};
    text_ += text;
    return piece;
}

IncomingRequest::Piece IncomingRequest::keep_lower(std::string_view text) {
    const auto piece = keep(text);
    for (std::size_t i = piece.at; i < text_.size(); ++i) {
        text_[i] = lower(text_[i]);
    }
    return piece;
}

std::string_view IncomingRequest::query() const {
    const auto mark = target().find('?');
    return mark == std::string_view::npos ? std::string_view{} : target().substr(mark + 1);
}

std::optional<std::string> IncomingRequest::query_value(std::string_view name) const {
    auto rest = query();
    while (!rest.empty()) {
        const auto end = rest.find('&');
        const auto pair = rest.substr(0, end);
        const auto equals = pair.find('=');
        if (percent_decoded(pair.substr(0, equals)) == name) {
            return equals == std::string_view::npos ? std::string{} : percent_decoded(pair.substr(equals + 1));
        }
        rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    }
    return std::nullopt;
}

std::optional<std::string_view> IncomingRequest::find(std::string_view lower_case_name) const {
    for (const auto& field : fields_) {
        if (view(field.name) == lower_case_name) {
            return view(field.value);
        }
    }
    return std::nullopt;
}

std::string_view IncomingRequest::get(std::string_view lower_case_name) const {
    return find(lower_case_name).value_or(std::string_view{});
}

std::size_t IncomingRequest::count(std::string_view lower_case_name) const {
    std::size_t found = 0;
    for (const auto& field : fields_) {
        found += view(field.name) == lower_case_name ? 1U : 0U;
    }
    return found;
}

std::pair<std::string_view, std::string_view> IncomingRequest::header(std::size_t index) const {
    const auto& field = fields_.at(index);
    return {view(field.name), view(field.value)};
}

Responder& Responder::operator=(Responder&& other) noexcept {
    if (this != &other) {
        if (target_) {
            target_->unanswered();
        }
        target_ = std::move(other.target_);
    }
    return *this;
}

Responder::~Responder() {
    if (target_) {
        target_->unanswered();
    }
}

void Responder::answer(Reply reply) {
    SYNCLINE_ASSERT(target_ != nullptr);
    std::exchange(target_, nullptr)->answer(std::move(reply));
}

void Responder::abandon() {
    SYNCLINE_ASSERT(target_ != nullptr);
    std::exchange(target_, nullptr)->abandon();
}

std::string_view to_string(Rejected reason) noexcept {
    switch (reason) {
        case Rejected::bad_request:
            return "bad_request";
        case Rejected::head_refused:
            return "head_refused";
        case Rejected::header_timeout:
            return "header_timeout";
        case Rejected::body_timeout:
            return "body_timeout";
        case Rejected::body_too_large:
            return "body_too_large";
        case Rejected::target_too_long:
            return "target_too_long";
        case Rejected::headers_too_large:
            return "headers_too_large";
        case Rejected::tag_over_share:
            return "tag_over_share";
        case Rejected::requests_in_flight:
            return "requests_in_flight";
        case Rejected::bytes_in_flight:
            return "bytes_in_flight";
        case Rejected::upload_evicted:
            return "upload_evicted";
        case Rejected::connection_evicted:
            return "connection_evicted";
        case Rejected::connection_refused:
            return "connection_refused";
        case Rejected::idle_timeout:
            return "idle_timeout";
        case Rejected::write_timeout:
            return "write_timeout";
        case Rejected::peer_gone:
            return "peer_gone";
        case Rejected::tls_handshake:
            return "tls_handshake";
        case Rejected::unanswered:
            return "unanswered";
        case Rejected::count_:
            break;
    }
    return "unknown";
}

}  // namespace syncline::http
