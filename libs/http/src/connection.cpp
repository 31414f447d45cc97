#include "src/connection.h"

#include <syncline/http/problem.h>

#include <boost/asio/buffer.hpp>
#include <exception>

#include "src/tls_certificate.h"

namespace syncline::http {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;
namespace asio = boost::asio;

// A refused request whose told length is at most this is read to its end, so that the connection can go on.
constexpr std::uint64_t kDiscardMax = std::uint64_t{64} << 10U;

struct FailureText {
    int status;
    const char* code;
    const char* title;
    Rejected reason;
};

FailureText text_of(RequestParser::Failure failure) {
    using Failure = RequestParser::Failure;
    switch (failure) {
        case Failure::bad_header:
            return {400, "bad_header", "A header field cannot be read", Rejected::bad_request};
        case Failure::bad_host:
            return {400, "bad_host", "Exactly one Host field is required", Rejected::bad_request};
        case Failure::bad_length:
            return {400, "bad_content_length", "The length of the body is unclear", Rejected::bad_request};
        case Failure::bad_transfer_encoding:
            return {400, "bad_transfer_encoding", "The framing of the body is unclear", Rejected::bad_request};
        case Failure::bad_chunk:
            return {400, "bad_chunk", "The chunks of the body cannot be read", Rejected::bad_request};
        case Failure::target_too_long:
            return {414, "target_too_long", "The request target is too long", Rejected::target_too_long};
        case Failure::headers_too_large:
            return {431, "headers_too_large", "The header fields are too large", Rejected::headers_too_large};
        case Failure::body_too_large:
            return {413, "body_too_large", "The body is too large", Rejected::body_too_large};
        case Failure::bad_request_line:
        case Failure::none:
        case Failure::stopped:
            break;
    }
    return {400, "bad_request_line", "The request line cannot be read", Rejected::bad_request};
}

Reply problem_reply(int status, const char* code, const char* title, std::chrono::seconds retry_after = {}) {
    return to_reply({.status = status, .code = code, .title = title, .detail = {}, .retry_after = retry_after, .members = {}});
}

std::string address_of(const tcp::socket& socket) {
    error_code ec;
    const auto endpoint = socket.remote_endpoint(ec);
    if (ec) {
        return {};
    }
    const auto address = endpoint.address();
    if (address.is_v6() && address.to_v6().is_v4_mapped()) {
        return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
    }
    return address.to_string();
}

}  // namespace

Connection::Connection(std::shared_ptr<IoLoop> loop, tcp::socket socket) : loop_(std::move(loop)), socket_(std::move(socket)) {}

Connection::~Connection() = default;

void Connection::start() {
    error_code ignored;
    socket_.non_blocking(true, ignored);
    socket_.set_option(tcp::no_delay(true), ignored);
    peer_ = address_of(socket_);
    if (loop_->door().certificate) {
        handshake();
    } else {
        wait_for_bytes();
    }
}

void Connection::handshake() {
    tls_context_ = loop_->door().certificate->current();
    tls_ = std::make_unique<asio::ssl::stream<tcp::socket&>>(socket_, *tls_context_);
    tls_->async_handshake(asio::ssl::stream_base::server, [this, self = shared_from_this()](const error_code& ec) {
        if (closed_) {
            return;
        }
        if (ec) {
            counters().reject(Rejected::tls_handshake);
            return close();
        }
        next_phase(Phase::fresh);
        // What came with the last flight of the handshake lies inside the TLS engine: only a read sees it.
        read_more();
    });
}

void Connection::wait_for_bytes() {
    socket_.async_wait(tcp::socket::wait_read, [this, self = shared_from_this()](const error_code& ec) {
        if (closed_) {
            return;
        }
        if (ec) {
            return close();
        }
        read_more();
    });
}

void Connection::read_more() {
    if (!buffer_.allocated()) {
        buffer_ = loop_->buffers().take();
    }
    auto space = buffer_.space();
    if (space.empty()) {
        if (buffer_.capacity() >= loop_->buffers().full_size()) {
            // One line fills the whole buffer: no limit of ours lets it become that long.
            return fail(parser_->head_done() ? RequestParser::Failure::bad_chunk : RequestParser::Failure::headers_too_large);
        }
        // A grown buffer is not one of the stock's: it must never have their size.
        const auto grown = std::min(2 * buffer_.capacity(), loop_->buffers().full_size() + 1);
        buffer_.grow(grown);
        space = buffer_.space();
    }
    reading_ = true;
    const auto into = asio::buffer(space.data(), space.size());
    auto done = [this, self = shared_from_this()](const error_code& ec, std::size_t count) {
        on_read(ec, count);
    };
    if (tls_) {
        tls_->async_read_some(into, std::move(done));
    } else {
        socket_.async_read_some(into, std::move(done));
    }
}

void Connection::on_read(const error_code& ec, std::size_t count) {
    reading_ = false;
    if (closed_) {
        return release_buffer();
    }
    buffer_.commit(count);
    if (cut_off_) {
        return send(*std::exchange(cut_off_, std::nullopt));
    }
    if (std::exchange(shrinking_, false) && ec == asio::error::operation_aborted) {
        if (buffer_.empty()) {
            release_buffer();
        }
        return wait_for_bytes();
    }
    if (ec) {
        if (phase == Phase::head || phase == Phase::body) {
            counters().reject(Rejected::peer_gone);
        }
        return close();
    }
    process();
}

void Connection::process() {
    while (!closed_) {
        if (phase == Phase::fresh || phase == Phase::idle || phase == Phase::resting) {
            // RFC 9112 §2.2: an empty line before a request is to be ignored.
            while (buffer_.bytes().starts_with("\r\n")) {
                buffer_.consume(2);
            }
            if (buffer_.empty() || buffer_.bytes() == "\r") {
                return read_more();
            }
            begin_request();
        }
        const auto progress = parser_->take(buffer_.bytes());
        buffer_.consume(progress.consumed);
        if (progress.failure != RequestParser::Failure::none) {
            return fail(progress.failure);
        }
        if (!parser_->done()) {
            if (parser_->expects_continue() && parser_->head_done() && !continue_sent_ && parser_->body_bytes() == 0) {
                return send_continue();
            }
            return read_more();
        }
        dispatch();
        if (phase != Phase::idle) {
            return;
        }
    }
}

void Connection::begin_request() {
    parser_.emplace(loop_->door().parser_limits, peer_, *this);
    received_at_ = loop_->door().clock.now();
    continue_sent_ = false;
    keep_alive_ = false;
    linger_ = false;
    next_phase(Phase::head);
}

bool Connection::on_head(const RequestParser& parser) {
    if (parser.chunked() || parser.declared_length().value_or(0) > 0) {
        next_phase(Phase::body);
    }
    auto& door = loop_->door();
    if (door.on_head) {
        auto decision = parser.visit_head(door.on_head);
        if (decision.refusal) {
            return refuse_at_head(std::move(*decision.refusal), Rejected::head_refused);
        }
        tag_name_ = std::move(decision.tag);
        tag_ = door.budget.hold(tag_name_);
    }
    // Only a look: an upload that takes its time must not hold one of the places.
    if (const auto verdict = door.budget.room_for_request(tag_); verdict != Budget::Verdict::granted) {
        return refuse_busy(verdict, Rejected::requests_in_flight);
    }
    const auto bytes = parser.head_bytes();
    if (const auto verdict = door.budget.take_bytes(tag_, bytes); verdict != Budget::Verdict::granted) {
        return refuse_busy(verdict, Rejected::bytes_in_flight);
    }
    bytes_taken_ += bytes;
    return true;
}

bool Connection::on_body_growth(std::size_t bytes) {
    auto& door = loop_->door();
    auto verdict = door.budget.take_bytes(tag_, bytes);
    while (verdict != Budget::Verdict::granted) {
        const bool by_tag = verdict == Budget::Verdict::tag_reached;
        if (!loop_->evict_upload(*this, by_tag ? tag_ : nullptr)) {
            counters().reject(busy_reason(verdict, Rejected::bytes_in_flight));
            refusal_ = busy_reply(verdict);
            return false;
        }
        verdict = door.budget.take_bytes(tag_, bytes);
    }
    bytes_taken_ += bytes;
    return true;
}

bool Connection::refuse_at_head(Reply reply, Rejected reason) {
    counters().reject(reason);
    refusal_ = std::move(reply);
    const auto length = parser_->declared_length();
    const bool short_body = !parser_->chunked() && length.value_or(0) <= kDiscardMax;
    if (!short_body || (parser_->expects_continue() && length.value_or(0) > 0)) {
        return false;
    }
    parser_->discard_body();
    return true;
}

bool Connection::refuse_busy(Budget::Verdict verdict, Rejected total_reason) {
    return refuse_at_head(busy_reply(verdict), busy_reason(verdict, total_reason));
}

Rejected Connection::busy_reason(Budget::Verdict verdict, Rejected total_reason) {
    return verdict == Budget::Verdict::tag_reached ? Rejected::tag_over_share : total_reason;
}

Reply Connection::busy_reply(Budget::Verdict verdict) {
    if (verdict == Budget::Verdict::tag_reached) {
        return problem_reply(429, "over_share", "This sender uses its whole share", options().retry_after);
    }
    return problem_reply(503, "overloaded", "Too much is in flight", options().retry_after);
}

void Connection::dispatch() {
    counters().bytes_received.fetch_add(parser_->body_bytes(), std::memory_order_relaxed);
    keep_alive_ = parser_->keep_alive();
    if (refusal_) {
        return send(*std::exchange(refusal_, std::nullopt));
    }
    auto& door = loop_->door();
    if (const auto verdict = door.budget.take_request(tag_); verdict != Budget::Verdict::granted) {
        counters().reject(busy_reason(verdict, Rejected::requests_in_flight));
        return send(busy_reply(verdict));
    }
    request_taken_ = true;
    auto request = parser_->release();
    request.received_at = received_at_;
    next_phase(Phase::handling);
    if (buffer_.empty()) {
        release_buffer();
    }
    in_handler_ = true;
    try {
        door.on_request(std::move(request), Responder(shared_from_this()));
    } catch (const std::exception&) {
        // A bug of the handler. Its Responder, destroyed on the way, has answered 500.
    }
    in_handler_ = false;
    if (answered_in_handler_) {
        auto answer = *std::exchange(answered_in_handler_, std::nullopt);
        if (!answer) {
            return close();
        }
        send(std::move(*answer));
    }
}

void Connection::answer(Reply reply) {
    if (loop_->on_own_thread() && in_handler_) {
        answered_in_handler_.emplace(std::move(reply));
        return;
    }
    loop_->deliver(shared_from_this(), std::move(reply));
}

void Connection::abandon() {
    if (loop_->on_own_thread() && in_handler_) {
        answered_in_handler_.emplace(std::nullopt);
        return;
    }
    loop_->deliver(shared_from_this(), std::nullopt);
}

void Connection::unanswered() {
    counters().reject(Rejected::unanswered);
    answer(problem_reply(500, "unanswered", "Our fault"));
}

void Connection::on_answer(std::optional<Reply> reply) {
    if (closed_) {
        return release_budget();
    }
    if (!reply) {
        release_budget();
        return close();
    }
    send(std::move(*reply));
    if (phase == Phase::idle) {
        process();
    }
}

void Connection::fail(RequestParser::Failure failure) {
    linger_ = true;
    keep_alive_ = false;
    if (failure == RequestParser::Failure::stopped && refusal_) {
        return send(*std::exchange(refusal_, std::nullopt));
    }
    const auto text = text_of(failure);
    counters().reject(text.reason);
    send(problem_reply(text.status, text.code, text.title));
}

void Connection::cut_off(Reply reply, Rejected reason) {
    counters().reject(reason);
    linger_ = true;
    keep_alive_ = false;
    parser_.reset();
    release_budget();
    next_phase(Phase::writing);
    if (!reading_) {
        return send(std::move(reply));
    }
    cut_off_ = std::move(reply);
    error_code ignored;
    socket_.cancel(ignored);
}

void Connection::expire() {
    switch (phase) {
        case Phase::handshake:
            counters().reject(Rejected::tls_handshake);
            return close();
        case Phase::idle:
            if (reading_ && options().idle_timeout > std::chrono::seconds{1}) {
                shrinking_ = true;
                next_phase(Phase::resting);
                error_code ignored;
                socket_.cancel(ignored);
                return;
            }
            counters().reject(Rejected::idle_timeout);
            return close();
        case Phase::fresh:
        case Phase::resting:
            counters().reject(Rejected::idle_timeout);
            return close();
        case Phase::head:
            return cut_off(problem_reply(408, "header_timeout", "The header fields took too long"), Rejected::header_timeout);
        case Phase::body:
            return cut_off(problem_reply(408, "body_timeout", "The body took too long"), Rejected::body_timeout);
        case Phase::writing:
            counters().reject(Rejected::write_timeout);
            return close();
        case Phase::handling:
        case Phase::lingering:
        case Phase::count_:
            return close();
    }
}

void Connection::evict() {
    counters().reject(Rejected::connection_evicted);
    close();
}

void Connection::give_way() {
    cut_off(problem_reply(503, "overloaded", "Too much is in flight", options().retry_after), Rejected::upload_evicted);
}

void Connection::release_buffer() {
    if (buffer_.allocated() && !reading_) {
        loop_->buffers().give(std::move(buffer_));
    }
}

void Connection::release_budget() {
    auto& budget = loop_->door().budget;
    if (std::exchange(request_taken_, false)) {
        budget.give_request(tag_);
    }
    if (bytes_taken_ > 0) {
        budget.give_bytes(tag_, std::exchange(bytes_taken_, 0));
    }
    budget.release(tag_name_, std::exchange(tag_, nullptr));
    tag_name_.clear();
}

void Connection::close() {
    if (closed_) {
        return;
    }
    closed_ = true;
    // While a handler works on the request, its bytes are still in memory: they count until its Responder speaks.
    if (phase != Phase::handling) {
        release_budget();
    }
    error_code ignored;
    socket_.close(ignored);
    release_buffer();
    loop_->forget(*this);
}

}  // namespace syncline::http
