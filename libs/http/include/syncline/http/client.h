// Outbound HTTP: one request, one attempt, one total deadline.
//
// Client is the port the rest of Syncline sees; make_client() gives the real one (cpprestsdk underneath), tests give their own.
// One client lives as long as the service and may be used from any number of threads at once. send() blocks the calling thread
// until the answer is complete or the deadline passes, never longer: connecting, TLS, sending and reading the last byte of the
// body share the one deadline. It never retries and follows no redirects: the service kit owns repetition.
//
// Errors, by what is known about the request:
//   transient        nothing can have been carried out: bad host name, connection refused, TLS refused, the deadline passed or
//   the
//                    connection broke before the body left. GET and HEAD carry nothing out, so every failure of theirs is this.
//   unknown_outcome  the request may have been carried out: no answer by the deadline, connection broken after the body left,
//   also
//                    on a kept-alive connection that the server closed meanwhile.
//   rejected         code "reply_too_large": the answer came, but is larger than reply_bytes_max. The request was carried out.
//   malformed        code "bad_url": the URL cannot be used.
//   unknown_outcome  code "bad_reply": what came back is not HTTP.
// The limit on the reply counts its body as it comes; of a single chunk or a head that never ends only the deadline is the bound.
// An HTTP status is never an error here: 500 is a Response. Error texts name scheme, host and port, never path, query, userinfo,
// headers or body.
//
//   auto client = http::make_client({.ca_file = config.ca_file});
//   auto reply = client->send({.method = "POST", .url = url, .body = json, .content_type = "application/json"}, deadline);
//   if (!reply) return std::unexpected(reply.error());
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/http/headers.h>
#include <cstddef>
#include <memory>
#include <string>

namespace syncline::http {

struct Request {
    std::string method = "GET";
    std::string url;  // http:// or https://, absolute. Userinfo in it is not sent: use a header.
    Headers headers;  // Host, Content-Length and Connection are set by the client.
    std::string body;
    std::string content_type;  // Empty: no Content-Type, or the one among `headers`.
    std::size_t reply_bytes_max = std::size_t{8} << 20U;
};

struct Response {
    int status = 0;
    Headers headers;
    std::string body;
};

class Client {
public:
    virtual ~Client() = default;
    // Blocks until the answer is complete, at most to the deadline. Any thread.
    [[nodiscard]] virtual core::Result<Response> send(const Request& request, const core::Deadline& deadline) = 0;
};

struct ClientOptions {
    std::string ca_file;     // PEM bundle that is trusted instead of the system's store; empty: the system's.
    bool verify_tls = true;  // Off only for tests.
    int threads = 4;         // Of the process-wide pool underneath; the first client of the process to send decides.
};

// Starts no thread and opens no connection until the first send().
[[nodiscard]] std::unique_ptr<Client> make_client(ClientOptions options = {});

}  // namespace syncline::http
