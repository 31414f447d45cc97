// The half of a connection that talks: answers, 100 Continue, and a close that lets the client read what was said.
#include <fmt/format.h>
#include <syncline/http/problem.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

#include "src/connection.h"

namespace syncline::http {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;
namespace asio = boost::asio;

constexpr std::size_t kSpareTextMax = std::size_t{16} << 10U;

// A line break in a value would let a handler's input write headers of its own.
void append_field(std::string& out, std::string_view name, std::string_view value) {
    out += name;
    out += ": ";
    for (const char c : value) {
        if (c != '\r' && c != '\n' && c != '\0') {
            out += c;
        }
    }
    out += "\r\n";
}

}  // namespace

void Connection::send_continue() {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    continue_sent_ = true;
    reading_ = true;  // For cut_off(): an operation is under way that has to end first.
    auto done = [this, self = shared_from_this()](const error_code& ec, std::size_t /*count*/) {
        reading_ = false;
        if (closed_) {
            return release_buffer();
        }
        if (cut_off_) {
            return send(*std::exchange(cut_off_, std::nullopt));
        }
        if (ec) {
            return close();
        }
        read_more();
    };
    const auto bytes = asio::buffer(kContinue.data(), kContinue.size());
    if (tls_) {
        asio::async_write(*tls_, bytes, std::move(done));
    } else {
        asio::async_write(socket_, bytes, std::move(done));
    }
}

void Connection::send(Reply reply) {
    counters().replied(reply.status);
    const bool bodyless = reply.status == 204 || reply.status == 304 || (reply.status >= 100 && reply.status < 200);
    const bool to_head = parser_ && parser_->is_head_method();
    const bool old_client = parser_ && parser_->http_1_0();
    keep_alive_ = keep_alive_ && !reply.close && !loop_->door().draining.load(std::memory_order_relaxed);

    auto& head = out_head_;
    head.clear();
    fmt::format_to(std::back_inserter(head), "HTTP/1.1 {} {}\r\nDate: {}\r\n", reply.status, reason_phrase(reply.status),
                   loop_->date());
    if (!bodyless) {
        if (!reply.body.empty()) {
            append_field(head, "Content-Type", reply.content_type);
        }
        fmt::format_to(std::back_inserter(head), "Content-Length: {}\r\n", reply.body.size());
    }
    for (const auto& field : reply.headers) {
        append_field(head, field.name, field.value);
    }
    if (!keep_alive_) {
        head += "Connection: close\r\n";
    } else if (old_client) {
        head += "Connection: keep-alive\r\n";
    }
    head += "\r\n";
    out_body_ = bodyless || to_head ? std::string{} : std::move(reply.body);

    std::size_t written = 0;
    if (!tls_) {
        // Most answers fit into the socket's buffer: done without a turn of the loop.
        const std::array<asio::const_buffer, 2> parts{asio::buffer(out_head_), asio::buffer(out_body_)};
        error_code ec;
        written = socket_.write_some(parts, ec);
        if (ec && ec != asio::error::would_block && ec != asio::error::try_again) {
            return close();
        }
        if (written == out_head_.size() + out_body_.size()) {
            return on_written();
        }
    }
    next_phase(Phase::writing);
    write_rest(written);
}

void Connection::write_rest(std::size_t written) {
    const auto from_head = std::min(written, out_head_.size());
    const auto from_body = written - from_head;
    const std::array<asio::const_buffer, 2> parts{asio::buffer(out_head_) + from_head, asio::buffer(out_body_) + from_body};
    auto done = [this, self = shared_from_this()](const error_code& ec, std::size_t /*count*/) {
        if (closed_) {
            return;
        }
        if (ec) {
            return close();
        }
        on_written();
        if (!closed_ && phase == Phase::idle) {
            process();
        }
    };
    if (tls_) {
        asio::async_write(*tls_, parts, std::move(done));
    } else {
        asio::async_write(socket_, parts, std::move(done));
    }
}

void Connection::on_written() {
    parser_.reset();
    release_budget();
    out_body_ = std::string{};
    if (out_head_.capacity() > kSpareTextMax) {
        out_head_ = std::string{};
    }
    if (keep_alive_) {
        return next_phase(Phase::idle);
    }
    // With bytes of the client unread, closing at once would make the network throw away the answer.
    if (linger_ || tls_ || !buffer_.empty()) {
        return linger();
    }
    close();
}

void Connection::linger() {
    next_phase(Phase::lingering);
    if (tls_) {
        tls_->async_shutdown([this, self = shared_from_this()](const error_code& /*ec*/) { close(); });
        return;
    }
    error_code ec;
    socket_.shutdown(tcp::socket::shutdown_send, ec);
    if (ec) {
        return close();
    }
    if (!buffer_.allocated()) {
        buffer_ = loop_->buffers().take();
    }
    discard_input();
}

void Connection::discard_input() {
    buffer_.consume(buffer_.bytes().size());
    const auto space = buffer_.space();
    reading_ = true;
    socket_.async_read_some(asio::buffer(space.data(), space.size()),
                            [this, self = shared_from_this()](const error_code& ec, std::size_t /*count*/) {
                                reading_ = false;
                                if (closed_) {
                                    return release_buffer();
                                }
                                if (ec) {
                                    return close();
                                }
                                discard_input();
                            });
}

}  // namespace syncline::http
