// Inbound HTTP/1.1: the door of every service (webhooks, probes, metrics, admin), Boost.Beast underneath.
//
// What it promises: a slow, broken or hostile client takes nothing from the others. Header, body, time, connections, requests and
// bytes are bounded; what is over a limit is answered with problem+json and counted by reason. Framing is strict: anything two
// parsers could read differently (two lengths, length and chunks, a coding other than chunked, a bad chunk) is 400 and closes the
// connection. Pipelined requests are answered one after the other in their order. "Expect: 100-continue" is answered once the
// head has been accepted.
//
// Ownership and threads: the Server owns its io threads; it lives in the object that opened the door and its destructor stops it
// at once (call stop() first for a graceful end). `on_head` and `on_request` run on an io thread and must not block: take the
// request, hand it to a worker, answer later through the Responder from any thread.
//
//   auto server = http::Server::start({.listen = "0.0.0.0:8080"}, [](http::IncomingRequest&& request, http::Responder responder)
//   {
//       if (request.path() != "/livez") return responder.answer(http::not_found());
//       responder.answer({.status = 200, .body = "ok\n"});
//   });
//   if (!server) throw StartError(server.error());
//   …
//   (*server)->stop(deadline);
//
// Errors: start() fails with kind rejected, codes "bad_listen_address", "bad_limits", "listen_failed" (port in use …),
// "bad_certificate".
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/http/headers.h>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace syncline::http {

// What a request looks like before its body is read. Views are valid only inside the hook.
class Head {
public:
    struct Field {
        std::string_view name;  // Lower case.
        std::string_view value;
    };

    Head(std::string_view method, std::string_view target, std::string_view peer, std::span<const Field> fields,
         std::optional<std::uint64_t> content_length)
        : method_(method), target_(target), peer_(peer), fields_(fields), content_length_(content_length) {}

    [[nodiscard]] std::string_view method() const { return method_; }
    [[nodiscard]] std::string_view target() const { return target_; }  // Path and query, as sent.
    [[nodiscard]] std::string_view path() const { return target_.substr(0, target_.find('?')); }
    [[nodiscard]] std::string_view peer() const { return peer_; }  // Address without port, "127.0.0.1", "::1".
    [[nodiscard]] std::optional<std::string_view> find(std::string_view lower_case_name) const;
    [[nodiscard]] std::string_view get(std::string_view lower_case_name) const;  // Empty when absent.
    [[nodiscard]] std::span<const Field> fields() const { return fields_; }
    // nullopt: no body, or chunked.
    [[nodiscard]] std::optional<std::uint64_t> content_length() const { return content_length_; }

private:
    std::string_view method_;
    std::string_view target_;
    std::string_view peer_;
    std::span<const Field> fields_;
    std::optional<std::uint64_t> content_length_;
};

// A complete request. Owns everything it shows; movable, so that it can be handed to a worker.
class IncomingRequest {
public:
    IncomingRequest() = default;
    IncomingRequest(const IncomingRequest&) = delete;
    IncomingRequest& operator=(const IncomingRequest&) = delete;
    IncomingRequest(IncomingRequest&&) noexcept = default;
    IncomingRequest& operator=(IncomingRequest&&) noexcept = default;
    ~IncomingRequest() = default;

    // For tests and in-process callers; names become lower case.
    IncomingRequest(std::string_view method, std::string_view target, const Headers& headers, std::string body,
                    std::string_view peer = "127.0.0.1");

    [[nodiscard]] std::string_view method() const { return view(method_); }
    [[nodiscard]] std::string_view target() const { return view(target_); }  // Path and query, as sent (not percent-decoded).
    [[nodiscard]] std::string_view path() const { return target().substr(0, target().find('?')); }
    [[nodiscard]] std::string_view query() const;  // Without the question mark; empty if there is none.
    // The percent-decoded value of a query parameter, nullopt when absent.
    [[nodiscard]] std::optional<std::string> query_value(std::string_view name) const;
    [[nodiscard]] std::string_view peer() const { return view(peer_); }
    [[nodiscard]] std::optional<std::string_view> find(std::string_view lower_case_name) const;
    [[nodiscard]] std::string_view get(std::string_view lower_case_name) const;  // Empty when absent.
    [[nodiscard]] std::size_t count(std::string_view lower_case_name) const;
    [[nodiscard]] std::size_t header_count() const { return fields_.size(); }
    [[nodiscard]] std::pair<std::string_view, std::string_view> header(std::size_t index) const;

    // The raw bytes of the body, chunk framing removed. Yours: move it out, parse it in place.
    std::string body;
    // When the first byte of the request was read, and when its head was complete.
    core::SystemTime received_at{};

private:
    friend class RequestParser;
    struct Piece {
        std::uint32_t at = 0;
        std::uint32_t size = 0;
    };
    struct Field {
        Piece name;
        Piece value;
    };
    [[nodiscard]] std::string_view view(Piece piece) const { return std::string_view(text_).substr(piece.at, piece.size); }
    Piece keep(std::string_view text);
    Piece keep_lower(std::string_view text);

    std::string text_;  // Every piece of the head lies in here: one allocation a request.
    Piece method_;
    Piece target_;
    Piece peer_;
    std::vector<Field> fields_;
};

struct Reply {
    int status = 200;
    std::string body;
    std::string content_type = "text/plain; charset=utf-8";  // Not sent when there is no body.
    Headers headers;                                         // Date, Content-Length and Connection are set by the server.
    bool close = false;                                      // Close the connection after this answer.
};

// The duty to answer one request. Movable; answer() exactly once, from any thread, at any time: after stop() or when the client
// has gone it does nothing. A Responder that is destroyed unanswered answers 500 (code "unanswered").
class Responder {
public:
    class Target;  // The connection, seen from here.

    explicit Responder(std::shared_ptr<Target> target) : target_(std::move(target)) {}
    Responder(const Responder&) = delete;
    Responder& operator=(const Responder&) = delete;
    Responder(Responder&&) noexcept = default;
    Responder& operator=(Responder&& other) noexcept;
    ~Responder();

    // Does not block. A second call is a bug and stops the process.
    void answer(Reply reply);
    // Closes the connection without an answer (a stub that loses answers).
    void abandon();
    [[nodiscard]] bool pending() const { return target_ != nullptr; }

private:
    std::shared_ptr<Target> target_;
};

// What the head hook decides: read on, accounting the request to `tag` (a shop; empty: nobody), or refuse with a reply.
struct HeadDecision {
    std::string tag;
    std::optional<Reply> refusal;

    [[nodiscard]] static HeadDecision accept(std::string tag = {}) { return {.tag = std::move(tag), .refusal = std::nullopt}; }
    [[nodiscard]] static HeadDecision refuse(Reply reply) { return {.tag = {}, .refusal = std::move(reply)}; }
};

struct TlsOptions {
    std::string certificate_file;  // PEM, whole chain.
    std::string key_file;          // PEM. Both are re-read on change; a bad pair keeps the last good one and is counted.
};

struct ServerOptions {
    std::string listen = "127.0.0.1:0";  // "host:port", "[::]:port"; a numeric address. Port 0: the system chooses.
    std::string name = "http";           // Names the threads.
    int threads = 1;
    std::optional<TlsOptions> tls;

    std::size_t header_bytes_max = std::size_t{32} << 10U;  // Request line and fields → 431.
    std::size_t target_bytes_max = std::size_t{8} << 10U;   // → 414.
    std::size_t body_bytes_max = std::size_t{8} << 20U;     // → 413, before the body is read when its length is told.
    std::chrono::milliseconds header_timeout{10'000};       // First byte (or connect) to the end of the head → 408.
    std::chrono::milliseconds body_timeout{30'000};         // End of the head to the end of the body → 408.
    std::chrono::milliseconds idle_timeout{75'000};         // Between two requests; then closed without a word.
    std::chrono::milliseconds write_timeout{30'000};        // For one answer; then closed.

    // At the limit the connection that has waited longest without a complete head is closed, then the slowest upload; a new
    // one is refused only when every connection is busy.
    std::size_t connections_max = 10'000;
    std::size_t requests_in_flight_max = 1'024;                 // Handed to on_request and not yet answered → 503.
    std::size_t bytes_in_flight_max = std::size_t{128} << 20U;  // Bodies being read or not yet answered → 503.
    // The share of the two limits above that one tag may use, in percent → 429.
    unsigned tag_share_percent = 50;
    std::chrono::seconds retry_after{2};  // On 429 and 503 of the server itself.

    core::Clock* clock = nullptr;  // nullptr: the machine's. Timeouts are measured with it.
};

// Why the server itself refused or gave up; each is one counter.
enum class Rejected : std::uint8_t {
    bad_request,         // 400: framing, syntax.
    head_refused,        // By on_head.
    header_timeout,      // 408
    body_timeout,        // 408
    body_too_large,      // 413
    target_too_long,     // 414
    headers_too_large,   // 431
    tag_over_share,      // 429
    requests_in_flight,  // 503
    bytes_in_flight,     // 503
    upload_evicted,      // 503: a slow upload gave way to others.
    connection_evicted,  // Closed while waiting, because the connection limit was reached.
    connection_refused,  // No room at all: closed at once.
    idle_timeout,        // Closed after waiting too long between requests.
    write_timeout,       // The client did not take its answer.
    peer_gone,           // The client went in the middle of a request.
    tls_handshake,
    unanswered,  // 500: a handler dropped its Responder.
    count_,
};
[[nodiscard]] std::string_view to_string(Rejected reason) noexcept;

// A snapshot; counters since start, gauges now.
struct ServerStats {
    std::uint64_t connections_accepted = 0;
    std::uint64_t accept_errors = 0;  // Out of file descriptors, mostly.
    std::uint64_t certificate_reloads = 0;
    std::uint64_t certificate_reload_errors = 0;
    std::uint64_t bytes_received = 0;        // Of bodies.
    std::array<std::uint64_t, 6> replies{};  // By status class: [2] counts 2xx. Refusals included.
    std::array<std::uint64_t, static_cast<std::size_t>(Rejected::count_)> rejected{};
    std::size_t connections_open = 0;
    std::size_t requests_in_flight = 0;
    std::size_t bytes_in_flight = 0;
    [[nodiscard]] std::uint64_t rejected_for(Rejected reason) const { return rejected[static_cast<std::size_t>(reason)]; }
};

using OnHead = std::function<HeadDecision(const Head&)>;
using OnRequest = std::function<void(IncomingRequest&&, Responder)>;

class Server {
public:
    // Opens the port and starts the threads: from here on requests are served.
    [[nodiscard]] static core::Result<std::unique_ptr<Server>> start(ServerOptions options, OnRequest on_request,
                                                                     OnHead on_head = {});
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server();

    [[nodiscard]] std::uint16_t port() const;
    [[nodiscard]] std::string url() const;  // "http://127.0.0.1:41234"; an any-address is shown as loopback.
    [[nodiscard]] ServerStats stats() const;

    // Stops listening, closes what waits, lets requests that have begun finish (answered with Connection: close) until the
    // deadline, then closes everything and ends the threads. True if nothing was cut off. Blocks at most to the deadline.
    // Not from an io thread. Repeating it is harmless.
    bool stop(const core::Deadline& deadline);

private:
    class Door;
    explicit Server(std::shared_ptr<Door> door);
    std::shared_ptr<Door> door_;
};

}  // namespace syncline::http
