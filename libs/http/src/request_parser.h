// Bytes in, one IncomingRequest out: framing and limits of a single HTTP/1.1 request, nothing about sockets.
//
// Boost.Beast parses; this class keeps the pieces, counts them against the limits and refuses what two parsers could read
// differently. Owned by one connection, used on its io thread, one object a request. put() neither blocks nor throws.
#pragma once

#include <syncline/http/server.h>
#include <boost/beast/http/basic_parser.hpp>
#include <cstdint>
#include <optional>
#include <string_view>

namespace syncline::http {

class RequestParser final : public boost::beast::http::basic_parser<true> {
public:
    struct Limits {
        std::size_t header_bytes_max = 0;
        std::size_t target_bytes_max = 0;
        std::size_t body_bytes_max = 0;
    };
    enum class Failure : std::uint8_t {
        none,
        bad_request_line,
        bad_header,
        bad_host,
        bad_length,
        bad_transfer_encoding,
        bad_chunk,
        target_too_long,
        headers_too_large,
        body_too_large,
        stopped,  // By one of the events: it has said why itself.
    };
    class Events {
    public:
        virtual ~Events() = default;
        // The head is complete and well formed. False stops parsing.
        virtual bool on_head(const RequestParser& parser) = 0;
        // The body is about to take that many bytes of memory more. False stops parsing.
        virtual bool on_body_growth(std::size_t bytes) = 0;
    };

    RequestParser(const Limits& limits, std::string_view peer, Events& events);
    RequestParser(const RequestParser&) = delete;
    RequestParser& operator=(const RequestParser&) = delete;

    struct Progress {
        std::size_t consumed = 0;
        Failure failure = Failure::none;
    };
    // Takes what it can of `bytes`. The rest is to be offered again with more behind it (or belongs to the next request, when
    // done()). After a failure the parser is finished.
    [[nodiscard]] Progress take(std::string_view bytes);

    // From now on the body's bytes are thrown away; framing and the body limit still hold.
    void discard_body() { discard_ = true; }

    [[nodiscard]] bool done() const { return is_done(); }
    [[nodiscard]] bool started() const { return got_some(); }
    [[nodiscard]] bool head_done() const { return head_done_; }
    [[nodiscard]] bool expects_continue() const { return expects_continue_; }
    [[nodiscard]] bool is_head_method() const { return is_head_method_; }
    [[nodiscard]] bool http_1_0() const { return http_1_0_; }
    [[nodiscard]] std::optional<std::uint64_t> declared_length() const;
    [[nodiscard]] std::size_t head_bytes() const { return head_bytes_; }
    [[nodiscard]] std::uint64_t body_bytes() const { return body_bytes_; }
    // Calls visit with the head; its views live only during the call.
    template <typename Visit>
    auto visit_head(Visit&& visit) const;
    // Once done(): the request, moved out.
    [[nodiscard]] IncomingRequest release() { return std::move(request_); }
    [[nodiscard]] IncomingRequest& request() { return request_; }

private:
    using error_code = boost::beast::error_code;
    using string_view = boost::beast::string_view;
    using field = boost::beast::http::field;

    void on_request_impl(boost::beast::http::verb method, string_view method_text, string_view target, int version,
                         error_code& ec) override;
    void on_response_impl(int code, string_view reason, int version, error_code& ec) override;
    void on_field_impl(field name, string_view name_text, string_view value, error_code& ec) override;
    void on_header_impl(error_code& ec) override;
    void on_body_init_impl(boost::optional<std::uint64_t> const& content_length, error_code& ec) override;
    std::size_t on_body_impl(string_view body, error_code& ec) override;
    void on_chunk_header_impl(std::uint64_t size, string_view extensions, error_code& ec) override;
    std::size_t on_chunk_body_impl(std::uint64_t remain, string_view body, error_code& ec) override;
    void on_finish_impl(error_code& ec) override;

    void fail(Failure failure, error_code& ec);
    [[nodiscard]] bool append_body(std::string_view bytes, error_code& ec);
    [[nodiscard]] Failure failure_of(const error_code& ec) const;
    void fill_fields(std::vector<Head::Field>& fields) const;

    Limits limits_;
    Events& events_;
    IncomingRequest request_;
    Failure failure_ = Failure::none;
    std::size_t head_bytes_ = 0;
    std::uint64_t body_bytes_ = 0;
    std::size_t body_reserved_ = 0;
    unsigned hosts_ = 0;
    unsigned lengths_ = 0;
    unsigned encodings_ = 0;
    bool encoding_is_chunked_ = false;
    bool line_done_ = false;
    bool head_done_ = false;
    bool expects_continue_ = false;
    bool is_head_method_ = false;
    bool http_1_0_ = false;
    bool discard_ = false;
};

template <typename Visit>
auto RequestParser::visit_head(Visit&& visit) const {
    std::vector<Head::Field> fields;
    fill_fields(fields);
    return visit(Head(request_.method(), request_.target(), request_.peer(), fields, declared_length()));
}

}  // namespace syncline::http
