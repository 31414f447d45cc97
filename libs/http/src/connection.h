// One client connection: reads a request, has it handled, writes the answer, and again. One request at a time, so pipelined
// requests are answered in their order, and nothing is read while one is being handled: that is the back-pressure.
//
// Owned by its IoLoop's lists and by the operations and Responders under way. Loop thread only, but for answer(), abandon() and
// unanswered().
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <memory>
#include <optional>
#include <string>

#include "src/io_loop.h"
#include "src/read_buffer.h"
#include "src/request_parser.h"
#include "src/responder_target.h"

namespace syncline::http {

class Connection final : public Responder::Target, public RequestParser::Events, public std::enable_shared_from_this<Connection> {
public:
    Connection(std::shared_ptr<IoLoop> loop, boost::asio::ip::tcp::socket socket);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() override;

    // Any thread: what a Responder says.
    void answer(Reply reply) override;
    void abandon() override;
    void unanswered() override;

    // What the loop says.
    void start();
    void on_answer(std::optional<Reply> reply);
    void expire();    // The time of this phase is over.
    void evict();     // The connection has to go.
    void give_way();  // The upload has to go.
    void close();
    [[nodiscard]] const Budget::Tag* tag() const { return tag_; }
    [[nodiscard]] bool holds_bytes() const { return bytes_taken_ > 0; }

    // Kept by the loop.
    Phase phase = Phase::fresh;
    core::SteadyTime since{};
    IoLoop::List::iterator place;

private:
    // The parser's events.
    bool on_head(const RequestParser& parser) override;
    bool on_body_growth(std::size_t bytes) override;

    void handshake();
    void wait_for_bytes();
    void read_more();
    void on_read(const boost::system::error_code& ec, std::size_t count);
    void process();
    void begin_request();
    void dispatch();
    void fail(RequestParser::Failure failure);
    bool refuse_at_head(Reply reply, Rejected reason);
    bool refuse_busy(Budget::Verdict verdict, Rejected total_reason);
    [[nodiscard]] static Rejected busy_reason(Budget::Verdict verdict, Rejected total_reason);
    [[nodiscard]] Reply busy_reply(Budget::Verdict verdict);
    // Answers and closes, although the request has not been read to its end.
    void cut_off(Reply reply, Rejected reason);
    void send_continue();
    void send(Reply reply);
    void write_rest(std::size_t written);
    void on_written();
    void linger();
    void discard_input();
    void release_buffer();
    void release_budget();
    void next_phase(Phase to) { loop_->move(*this, to); }
    [[nodiscard]] Counters& counters() { return loop_->door().counters; }
    [[nodiscard]] const ServerOptions& options() { return loop_->door().options; }

    const std::shared_ptr<IoLoop> loop_;
    boost::asio::ip::tcp::socket socket_;
    std::shared_ptr<boost::asio::ssl::context> tls_context_;
    std::unique_ptr<boost::asio::ssl::stream<boost::asio::ip::tcp::socket&>> tls_;
    std::string peer_;
    ReadBuffer buffer_;
    std::optional<RequestParser> parser_;
    core::SystemTime received_at_{};

    bool closed_ = false;
    bool reading_ = false;     // A read into buffer_ is under way: buffer_ stays where it is.
    bool shrinking_ = false;   // That read was cancelled to give the buffer back.
    bool in_handler_ = false;  // on_request is on the stack.
    bool continue_sent_ = false;
    bool keep_alive_ = false;
    bool linger_ = false;

    std::string tag_name_;
    Budget::Tag* tag_ = nullptr;
    std::size_t bytes_taken_ = 0;
    bool request_taken_ = false;

    std::optional<Reply> refusal_;  // Sent when the request has been read (or cannot be).
    std::optional<Reply> cut_off_;  // Sent as soon as the read under way has ended.
    std::optional<std::optional<Reply>> answered_in_handler_;

    std::string out_head_;
    std::string out_body_;
};

}  // namespace syncline::http
