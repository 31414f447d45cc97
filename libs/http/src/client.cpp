// Why this is more than a call of http_client: its timeout counts per leg, it repeats a request on a stale connection, it takes
// replies of any size, and it shares 40 threads with the whole process (docs: "Known faults", cpprestsdk).
#include <syncline/http/client.h>

#include <cpprest/http_client.h>
#include <fmt/format.h>
#include <openssl/ssl.h>
#include <pplx/threadpool.h>
#include <syncline/core/fault.h>
#include <sys/socket.h>

#include <cerrno>
#include <condition_variable>
#include <map>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "src/client_streams.h"
#include "src/text.h"

namespace syncline::http {
namespace {

namespace cpprest = web::http;

// Connections of more targets than this are not worth keeping.
constexpr std::size_t kOriginsMax = 64;

// Thrown into cpprestsdk before a byte leaves on a kept connection that the server has closed meanwhile.
class StaleConnection final : public std::exception {};

bool closed_by_peer(int descriptor) {
    char byte = 0;
    const auto got = ::recv(descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    // Bytes without a request are no answer of ours either.
    return got >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

void refuse_stale(boost::asio::ip::tcp::socket& socket) {
    if (socket.is_open() && closed_by_peer(socket.native_handle())) {
        throw StaleConnection();
    }
}

void start_threads(int threads) {
    static std::once_flag once;
    std::call_once(once, [threads] {
        // Before the pool, so that at exit the pool's threads end before OpenSSL cleans up what they use.
        OPENSSL_init_ssl(0, nullptr);
        try {
            crossplat::threadpool::initialize_with_threads(static_cast<std::size_t>(std::max(threads, 1)));
        } catch (const std::exception&) {
            // Somebody else of this process has started the pool: its size stands.
        }
    });
}

// Failures before the connection stood; cpprestsdk tells them by text only.
bool before_anything_was_sent(std::string_view what) {
    return what.find("resolv") != std::string_view::npos || what.find("Failed to connect") != std::string_view::npos ||
           what.find("SSL handshake") != std::string_view::npos;
}

// One request under way, shared with cpprestsdk's threads, which may be late.
struct Exchange {
    std::mutex mutex;
    std::condition_variable over;
    bool is_over = false;
    bool stale = false;
    bool bad_reply = false;
    std::string failure;  // Of cpprestsdk; empty if the reply is complete.
    cpprest::http_response response;

    void finish() {
        {
            const std::lock_guard lock(mutex);
            is_over = true;
        }
        over.notify_all();
    }
    // Turns what a task left behind into plain fields; cpprestsdk's exceptions end here.
    template <typename Task>
    bool settle(Task& task) {
        try {
            task.get();
            return true;
        } catch (const StaleConnection&) {
            stale = true;
        } catch (const std::exception& e) {
            failure = e.what();
            if (failure.empty()) {
                failure = "failed";
            }
            bad_reply = failure.find("Invalid HTTP status line") != std::string::npos ||
                        failure.find("Invalid chunked response") != std::string::npos;
        }
        return false;
    }
};

class CpprestClient final : public Client {
public:
    explicit CpprestClient(ClientOptions options) : options_(std::move(options)) {}

    core::Result<Response> send(const Request& request, const core::Deadline& deadline) override {
        web::uri url;
        try {
            url = web::uri(request.url);
        } catch (const std::exception&) {
            return bad_url();
        }
        const auto scheme = lower(url.scheme());
        if ((scheme != "http" && scheme != "https") || url.host().empty() ||
            request.url.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
            return bad_url();
        }
        const auto origin = url.port() > 0 ? fmt::format("{}://{}:{}", scheme, url.host(), url.port())
                                           : fmt::format("{}://{}", scheme, url.host());
        const auto resource = url.resource().to_string();
        for (;;) {
            if (deadline.passed()) {
                return core::fail(core::ErrorKind::transient, "deadline_passed", fmt::format("no time left to call {}", origin));
            }
            bool stale = false;
            auto result = attempt(request, origin, resource, deadline, stale);
            if (!stale) {
                return result;
            }
            // Nothing has left: the pool had kept a connection that the server closed. Each turn takes one out of the pool.
        }
    }

private:
    static std::unexpected<core::Error> bad_url() {
        return core::fail(core::ErrorKind::malformed, "bad_url", "the URL cannot be used",
                          "write http:// or https://, host and path");
    }

    core::Result<Response> attempt(const Request& request, const std::string& origin, const std::string& resource,
                                   const core::Deadline& deadline, bool& stale) {
        auto body = std::make_shared<GatedBody>(request.body, [] { SYNCLINE_FAULT_POINT("half_sent"); });
        auto reply_body = std::make_shared<BoundedBody>(request.reply_bytes_max);
        auto exchange = std::make_shared<Exchange>();
        pplx::cancellation_token_source cancel;

        const bool safe = request.method == "GET" || request.method == "HEAD";
        // Without a body there is no gate: only GET and HEAD are then sure to have done nothing.
        const bool gated = !request.body.empty();
        const auto sure_nothing_happened = [&] {
            return safe || (gated && body->take_back());
        };
        try {
            auto outgoing = to_cpprest(request, resource, body);
            outgoing.set_response_stream(
                Concurrency::streams::ostream(Concurrency::streams::streambuf<std::uint8_t>(reply_body)));
            client_for(origin)->request(outgoing, cancel.get_token()).then([exchange](pplx::task<cpprest::http_response> head) {
                if (!exchange->settle(head)) {
                    return exchange->finish();
                }
                exchange->response = head.get();
                exchange->response.content_ready().then([exchange](pplx::task<cpprest::http_response> whole) {
                    exchange->settle(whole);
                    exchange->finish();
                });
            });
        } catch (const std::exception&) {
            return core::fail(core::ErrorKind::transient, "request_not_started",
                              fmt::format("the request to {} could not start", origin));
        }

        {
            std::unique_lock lock(exchange->mutex);
            if (!exchange->over.wait_for(lock, deadline.left(), [&] { return exchange->is_over; })) {
                lock.unlock();
                const bool nothing = sure_nothing_happened();
                cancel.cancel();
                return core::fail(nothing ? core::ErrorKind::transient : core::ErrorKind::unknown_outcome, "timeout",
                                  fmt::format("no answer from {} by the deadline", origin));
            }
        }
        if (exchange->stale) {
            stale = true;
            return Response{};
        }
        if (reply_body->overflowed()) {
            return core::fail(core::ErrorKind::rejected, "reply_too_large",
                              fmt::format("the answer of {} is larger than {} bytes", origin, request.reply_bytes_max));
        }
        if (!exchange->failure.empty()) {
            return failed(*exchange, origin, sure_nothing_happened);
        }
        SYNCLINE_FAULT_POINT("answer_lost");
        Response response{.status = exchange->response.status_code(), .headers = {}, .body = reply_body->release()};
        for (const auto& [name, value] : exchange->response.headers()) {
            response.headers.add(name, value);
        }
        return response;
    }

    template <typename SureNothingHappened>
    static core::Result<Response> failed(const Exchange& exchange, const std::string& origin,
                                         const SureNothingHappened& sure_nothing_happened) {
        if (before_anything_was_sent(exchange.failure)) {
            const bool tls = exchange.failure.find("SSL") != std::string::npos;
            return core::fail(core::ErrorKind::transient, tls ? "tls_failed" : "connect_failed",
                              origin + (tls ? " does not accept TLS with us" : " cannot be reached"));
        }
        if (exchange.bad_reply) {
            return core::fail(core::ErrorKind::unknown_outcome, "bad_reply", fmt::format("what {} answered is not HTTP", origin));
        }
        return core::fail(sure_nothing_happened() ? core::ErrorKind::transient : core::ErrorKind::unknown_outcome,
                          "connection_broken", fmt::format("the connection to {} broke", origin));
    }

    static cpprest::http_request to_cpprest(const Request& request, const std::string& resource,
                                            const std::shared_ptr<GatedBody>& body) {
        cpprest::http_request outgoing(request.method);
        outgoing.set_request_uri(web::uri(resource));
        const bool has_body = !request.body.empty() || (request.method != "GET" && request.method != "HEAD");
        if (has_body) {
            // An own stream also where it is empty: without one cpprestsdk would send the request twice on a stale connection.
            outgoing.set_body(Concurrency::streams::istream(Concurrency::streams::streambuf<std::uint8_t>(body)),
                              request.body.size(),
                              request.content_type.empty() ? "application/octet-stream" : request.content_type);
            if (request.content_type.empty()) {
                outgoing.headers().remove(cpprest::header_names::content_type);
            }
        }
        for (const auto& field : request.headers) {
            if (field.name != "host" && field.name != "content-length" && field.name != "connection" &&
                field.name != "transfer-encoding" &&
                field.value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos) {
                outgoing.headers().add(field.name, field.value);
            }
        }
        return outgoing;
    }

    std::shared_ptr<cpprest::client::http_client> client_for(const std::string& origin) {
        start_threads(options_.threads);
        const std::lock_guard lock(mutex_);
        if (const auto found = clients_.find(origin); found != clients_.end()) {
            return found->second;
        }
        if (clients_.size() >= kOriginsMax) {
            clients_.clear();
        }
        auto client = std::make_shared<cpprest::client::http_client>(origin, config(origin.starts_with("https:")));
        clients_.emplace(origin, client);
        return client;
    }

    [[nodiscard]] cpprest::client::http_client_config config(bool secure) const {
        cpprest::client::http_client_config config;
        // The deadline is ours; this only bounds what cpprestsdk would keep after a cancelled request.
        config.set_timeout(std::chrono::minutes{10});
        config.set_max_redirects(0);
        config.set_validate_certificates(options_.verify_tls);
        config.set_ssl_context_callback([ca_file = options_.ca_file](boost::asio::ssl::context& context) {
            SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
            if (!ca_file.empty()) {
                SSL_CTX_set_cert_store(context.native_handle(), X509_STORE_new());
                context.load_verify_file(ca_file);
            }
        });
        if (secure) {
            config.set_nativehandle_options([](cpprest::client::native_handle handle) {
                auto* const stream = static_cast<boost::asio::ssl::stream<boost::asio::ip::tcp::socket&>*>(handle);
                refuse_stale(stream->next_layer());
            });
        } else {
            config.set_nativehandle_options(
                [](cpprest::client::native_handle handle) { refuse_stale(*static_cast<boost::asio::ip::tcp::socket*>(handle)); });
        }
        return config;
    }

    const ClientOptions options_;
    std::mutex mutex_;
    std::map<std::string, std::shared_ptr<cpprest::client::http_client>> clients_;
};

}  // namespace

std::unique_ptr<Client> make_client(ClientOptions options) {
    return std::make_unique<CpprestClient>(std::move(options));
}

}  // namespace syncline::http
