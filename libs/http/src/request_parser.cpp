#include "src/request_parser.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <utility>

#include "src/text.h"

namespace syncline::http {
namespace {

namespace beast_http = boost::beast::http;

constexpr std::size_t kBodyStep = std::size_t{64} << 10U;
// What Beast needs of a request line and of a field beside their texts: spaces, version, colon, line end.
constexpr std::size_t kLineOverhead = 12;
constexpr std::size_t kFieldOverhead = 4;

std::string_view view(boost::beast::string_view text) {
    return {text.data(), text.size()};
}

// origin-form, asterisk-form or absolute-form. What lies in it is the handler's business, but no byte may be able to end a
// line in a log or split a path unseen.
bool acceptable_target(std::string_view target) {
    for (const char c : target) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte <= 0x20U || byte == 0x7fU) {
            return false;
        }
    }
    return target.starts_with('/') || target == "*" || target.starts_with("http://") || target.starts_with("https://");
}

// The path and query of an absolute-form target.
std::string_view origin_form(std::string_view target) {
    if (target.starts_with('/') || target == "*") {
        return target;
    }
    const auto authority = target.find("//") + 2;
    const auto path = target.find_first_of("/?", authority);
    return path == std::string_view::npos || target[path] != '/' ? std::string_view{"/"} : target.substr(path);
}

}  // namespace

RequestParser::RequestParser(const Limits& limits, std::string_view peer, Events& events) : limits_(limits), events_(events) {
    eager(true);
    // Beast's own header limit sees one unfinished line at a time; the sum is counted in on_field_impl.
    header_limit(static_cast<std::uint32_t>(limits.header_bytes_max + 2));
    body_limit(limits.body_bytes_max);
    request_.text_.reserve(1'024);
    request_.fields_.reserve(24);
    request_.peer_ = request_.keep(peer);
}

RequestParser::Progress RequestParser::take(std::string_view bytes) {
    error_code ec;
    std::size_t consumed = 0;
    // put() returns early when it has to see a whole line again; only need_more means that more bytes are wanted.
    while (consumed < bytes.size() && !is_done()) {
        const auto rest = bytes.substr(consumed);
        const auto used = put(boost::asio::const_buffer(rest.data(), rest.size()), ec);
        consumed += used;
        if (ec == beast_http::error::need_more) {
            break;
        }
        if (ec) {
            if (ec == beast_http::error::header_limit && rest.find('\n') != std::string_view::npos) {
                // Beast may see the limit before it has parsed a request line that came in parts.
                line_done_ = true;
            }
            return {.consumed = consumed, .failure = failure_of(ec)};
        }
        if (used == 0) {
            break;
        }
    }
    return {.consumed = consumed, .failure = Failure::none};
}

std::optional<std::uint64_t> RequestParser::declared_length() const {
    const auto length = content_length();
    return length ? std::optional<std::uint64_t>(*length) : std::nullopt;
}

void RequestParser::fail(Failure failure, error_code& ec) {
    failure_ = failure;
    ec = beast_http::error::bad_value;
}

RequestParser::Failure RequestParser::failure_of(const error_code& ec) const {
    if (failure_ != Failure::none) {
        return failure_;
    }
    if (ec == beast_http::error::header_limit) {
        return line_done_ ? Failure::headers_too_large : Failure::target_too_long;
    }
    if (ec == beast_http::error::body_limit) {
        return Failure::body_too_large;
    }
    if (ec == beast_http::error::bad_content_length) {
        return Failure::bad_length;
    }
    if (ec == beast_http::error::bad_transfer_encoding) {
        return Failure::bad_transfer_encoding;
    }
    if (head_done_) {
        return Failure::bad_chunk;
    }
    return line_done_ ? Failure::bad_header : Failure::bad_request_line;
}

void RequestParser::fill_fields(std::vector<Head::Field>& fields) const {
    fields.reserve(request_.fields_.size());
    for (const auto& kept : request_.fields_) {
        fields.push_back({.name = request_.view(kept.name), .value = request_.view(kept.value)});
    }
}

void RequestParser::on_request_impl(beast_http::verb method, string_view method_text, string_view target, int version,
                                    error_code& ec) {
    line_done_ = true;
    if (target.size() > limits_.target_bytes_max) {
        return fail(Failure::target_too_long, ec);
    }
    head_bytes_ = method_text.size() + target.size() + kLineOverhead;
    if (head_bytes_ > limits_.header_bytes_max) {
        return fail(Failure::headers_too_large, ec);
    }
    if (!acceptable_target(view(target))) {
        return fail(Failure::bad_request_line, ec);
    }
    request_.method_ = request_.keep(view(method_text));
    request_.target_ = request_.keep(origin_form(view(target)));
    is_head_method_ = method == beast_http::verb::head;
    http_1_0_ = version < 11;
}

void RequestParser::on_response_impl(int /*code*/, string_view /*reason*/, int /*version*/, error_code& ec) {
    fail(Failure::bad_request_line, ec);
}

void RequestParser::on_field_impl(field name, string_view name_text, string_view value, error_code& ec) {
    head_bytes_ += name_text.size() + value.size() + kFieldOverhead;
    if (head_bytes_ > limits_.header_bytes_max) {
        return fail(Failure::headers_too_large, ec);
    }
    if (head_done_) {
        return;  // A trailer: counted, and never a header.
    }
    if (name == field::host) {
        ++hosts_;
    } else if (name == field::content_length) {
        ++lengths_;
        // Beast also takes a list of equal numbers; one number is all that is sure to mean the same to everyone.
        if (lengths_ > 1 || view(value).find_first_not_of("0123456789") != std::string_view::npos) {
            return fail(Failure::bad_length, ec);
        }
    } else if (name == field::transfer_encoding) {
        ++encodings_;
        encoding_is_chunked_ = equal_ignoring_case(view(value), "chunked");
    } else if (name == field::expect) {
        if (!equal_ignoring_case(view(value), "100-continue")) {
            return fail(Failure::bad_header, ec);
        }
        expects_continue_ = true;
    }
    const auto kept_name = request_.keep_lower(view(name_text));
    request_.fields_.push_back({.name = kept_name, .value = request_.keep(view(value))});
}

void RequestParser::on_header_impl(error_code& ec) {
    if (hosts_ > 1 || (hosts_ == 0 && !http_1_0_)) {
        return fail(Failure::bad_host, ec);
    }
    if (encodings_ > 0 && (encodings_ > 1 || lengths_ > 0 || http_1_0_ || !encoding_is_chunked_ || !chunked())) {
        return fail(Failure::bad_transfer_encoding, ec);
    }
    head_done_ = true;
    if (!events_.on_head(*this)) {
        fail(Failure::stopped, ec);
    }
}

void RequestParser::on_body_init_impl(boost::optional<std::uint64_t> const& /*content_length*/, error_code& /*ec*/) {}

bool RequestParser::append_body(std::string_view bytes, error_code& ec) {
    body_bytes_ += bytes.size();
    if (discard_) {
        return true;
    }
    const auto wanted = request_.body.size() + bytes.size();
    if (wanted > body_reserved_) {
        // Memory follows the bytes that came, not the length that was promised.
        auto next = std::max({wanted, 2 * body_reserved_, kBodyStep});
        const auto length = declared_length();
        next = std::min<std::size_t>(next, length ? *length : limits_.body_bytes_max);
        if (!events_.on_body_growth(next - body_reserved_)) {
            fail(Failure::stopped, ec);
            return false;
        }
        body_reserved_ = next;
        request_.body.reserve(next);
    }
    request_.body.append(bytes);
    return true;
}

std::size_t RequestParser::on_body_impl(string_view body, error_code& ec) {
    return append_body(view(body), ec) ? body.size() : 0;
}

void RequestParser::on_chunk_header_impl(std::uint64_t /*size*/, string_view /*extensions*/, error_code& /*ec*/) {}

std::size_t RequestParser::on_chunk_body_impl(std::uint64_t /*remain*/, string_view body, error_code& ec) {
    return append_body(view(body), ec) ? body.size() : 0;
}

void RequestParser::on_finish_impl(error_code& /*ec*/) {}

}  // namespace syncline::http
