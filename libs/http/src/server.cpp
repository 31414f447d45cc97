#include <fmt/format.h>
#include <syncline/http/server.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <charconv>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "src/connection.h"
#include "src/io_loop.h"
#include "src/tls_certificate.h"

namespace syncline::http {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::tcp;
using boost::system::error_code;

constexpr auto kAcceptBackOffFirst = 10ms;
constexpr auto kAcceptBackOffMax = 1s;
constexpr std::size_t kEvictedOnExhaustion = 16;
constexpr int kBacklog = 4096;

core::Result<tcp::endpoint> endpoint_of(std::string_view listen) {
    const auto bad = [&] {
        return core::fail(core::ErrorKind::rejected, "bad_listen_address",
                          fmt::format("\"{}\" is not an address to listen on", listen),
                          "write a numeric address and a port: 0.0.0.0:8080, [::]:8080");
    };
    const auto colon = listen.rfind(':');
    if (colon == std::string_view::npos) {
        return bad();
    }
    auto host = listen.substr(0, colon);
    const auto port_text = listen.substr(colon + 1);
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
    }
    std::uint16_t port = 0;
    const auto* const end = port_text.data() + port_text.size();
    if (const auto [stop, ec] = std::from_chars(port_text.data(), end, port); ec != std::errc{} || stop != end) {
        return bad();
    }
    if (host == "localhost") {
        host = "127.0.0.1";
    }
    error_code ec;
    const auto address = boost::asio::ip::make_address(std::string(host), ec);
    if (ec) {
        return bad();
    }
    return tcp::endpoint(address, port);
}

core::Result<void> check(const ServerOptions& options) {
    const auto bad = [](const char* what) {
        return core::fail(core::ErrorKind::rejected, "bad_limits", what);
    };
    if (options.threads < 1 || options.connections_max < 1 || options.requests_in_flight_max < 1) {
        return bad("threads, connections_max and requests_in_flight_max must be at least 1");
    }
    if (options.tag_share_percent < 1 || options.tag_share_percent > 100) {
        return bad("tag_share_percent must lie between 1 and 100");
    }
    if (options.bytes_in_flight_max / 100 * options.tag_share_percent < options.body_bytes_max + options.header_bytes_max) {
        return bad("one request of the largest size must fit into one tag's share of bytes_in_flight_max");
    }
    return {};
}

bool out_of_descriptors(const error_code& ec) {
    return ec.category() == boost::system::system_category() &&
           (ec.value() == EMFILE || ec.value() == ENFILE || ec.value() == ENOBUFS || ec.value() == ENOMEM);
}

}  // namespace

class Server::Door {
public:
    Door(ServerOptions options, OnRequest on_request, OnHead on_head)
        : state_(std::make_shared<DoorState>(std::move(options), std::move(on_request), std::move(on_head))) {}
    Door(const Door&) = delete;
    Door& operator=(const Door&) = delete;
    ~Door() { shut(); }

    core::Result<void> open() {
        const auto& options = state_->options;
        if (auto checked = check(options); !checked) {
            return checked;
        }
        const auto endpoint = endpoint_of(options.listen);
        if (!endpoint) {
            return std::unexpected(endpoint.error());
        }
        if (options.tls) {
            auto certificate = TlsCertificate::load(*options.tls);
            if (!certificate) {
                return std::unexpected(certificate.error());
            }
            state_->certificate = std::move(*certificate);
        }
        const auto threads = static_cast<std::size_t>(options.threads);
        for (std::size_t i = 0; i < threads; ++i) {
            loops_.push_back(std::make_shared<IoLoop>(state_, (options.connections_max + threads - 1) / threads));
        }
        acceptor_.emplace(loops_.front()->io());
        back_off_.emplace(loops_.front()->io());
        error_code ec;
        acceptor_->open(endpoint->protocol(), ec);
        if (!ec) {
            acceptor_->set_option(tcp::acceptor::reuse_address(true), ec);
        }
        if (!ec) {
            acceptor_->bind(*endpoint, ec);
        }
        if (!ec) {
            acceptor_->listen(kBacklog, ec);
        }
        if (ec) {
            acceptor_.reset();
            back_off_.reset();
            return core::fail(core::ErrorKind::rejected, "listen_failed",
                              fmt::format("cannot listen on {}: {}", options.listen, ec.message()),
                              "another process may have the port");
        }
        local_ = acceptor_->local_endpoint();
        accept();
        for (const auto& loop : loops_) {
            threads_.emplace_back([loop, name = options.name.substr(0, 15)] {
                ::pthread_setname_np(::pthread_self(), name.c_str());
                loop->run();
            });
        }
        return {};
    }

    [[nodiscard]] std::uint16_t port() const { return local_.port(); }

    [[nodiscard]] std::string url() const {
        const auto address = local_.address();
        const auto* const scheme = state_->options.tls ? "https" : "http";
        if (address.is_v6()) {
            const auto shown = address.is_unspecified() ? std::string("::1") : address.to_string();
            return fmt::format("{}://[{}]:{}", scheme, shown, port());
        }
        return fmt::format("{}://{}:{}", scheme, address.is_unspecified() ? std::string("127.0.0.1") : address.to_string(),
                           port());
    }

    [[nodiscard]] ServerStats stats() const {
        const auto& counters = state_->counters;
        ServerStats stats;
        stats.connections_accepted = counters.connections_accepted.load(std::memory_order_relaxed);
        stats.accept_errors = counters.accept_errors.load(std::memory_order_relaxed);
        stats.bytes_received = counters.bytes_received.load(std::memory_order_relaxed);
        for (std::size_t i = 0; i < stats.replies.size(); ++i) {
            stats.replies[i] = counters.replies[i].load(std::memory_order_relaxed);
        }
        for (std::size_t i = 0; i < stats.rejected.size(); ++i) {
            stats.rejected[i] = counters.rejected[i].load(std::memory_order_relaxed);
        }
        if (state_->certificate) {
            stats.certificate_reloads = state_->certificate->reloads();
            stats.certificate_reload_errors = state_->certificate->errors();
        }
        stats.connections_open = counters.connections_open.load(std::memory_order_relaxed);
        stats.requests_in_flight = state_->budget.requests();
        stats.bytes_in_flight = state_->budget.bytes();
        return stats;
    }

    bool stop(const core::Deadline& deadline) {
        const std::lock_guard only_one(stop_mutex_);
        if (threads_.empty()) {
            return true;
        }
        state_->draining.store(true);
        boost::asio::post(loops_.front()->io(), [this] { close_acceptor(); });
        for (const auto& loop : loops_) {
            boost::asio::post(loop->io(), [loop] { loop->drain(); });
        }
        // Polled: connections end on other threads, which shall not pay for a wake-up that is needed once in a lifetime.
        std::mutex mutex;
        std::condition_variable never;
        std::unique_lock lock(mutex);
        while (state_->counters.connections_open.load() > 0 && !deadline.passed()) {
            never.wait_for(lock, std::min<std::chrono::nanoseconds>(deadline.left(), 5ms));
        }
        const bool clean = state_->counters.connections_open.load() == 0;
        shut();
        return clean;
    }

private:
    // On the first loop's thread (or before it runs).
    void accept() {
        auto& loop = loops_[next_loop_];
        next_loop_ = (next_loop_ + 1) % loops_.size();
        acceptor_->async_accept(loop->io(), [this, loop](const error_code& ec, tcp::socket socket) {
            if (!acceptor_ || !acceptor_->is_open()) {
                return;
            }
            if (ec) {
                return accept_again_later(ec);
            }
            accept_delay_ = kAcceptBackOffFirst;
            if (loop->on_own_thread()) {
                loop->adopt(std::move(socket));
            } else {
                boost::asio::post(loop->io(), [loop, taken = std::move(socket)]() mutable { loop->adopt(std::move(taken)); });
            }
            accept();
        });
    }

    void accept_again_later(const error_code& ec) {
        if (!out_of_descriptors(ec)) {
            return accept();  // The client went away before we came to it.
        }
        state_->counters.accept_errors.fetch_add(1, std::memory_order_relaxed);
        for (const auto& loop : loops_) {
            boost::asio::post(loop->io(), [loop] { loop->evict_waiting(kEvictedOnExhaustion); });
        }
        back_off_->expires_after(accept_delay_);
        accept_delay_ = std::min<std::chrono::milliseconds>(2 * accept_delay_, kAcceptBackOffMax);
        back_off_->async_wait([this](const error_code& cancelled) {
            if (!cancelled && acceptor_ && acceptor_->is_open()) {
                accept();
            }
        });
    }

    void close_acceptor() {
        if (acceptor_) {
            error_code ignored;
            acceptor_->close(ignored);
            back_off_->cancel();
        }
    }

    void shut() {
        if (threads_.empty()) {
            return;
        }
        state_->draining.store(true);
        boost::asio::post(loops_.front()->io(), [this] { close_acceptor(); });
        for (const auto& loop : loops_) {
            boost::asio::post(loop->io(), [loop] { loop->end(); });
        }
        for (auto& thread : threads_) {
            thread.join();
        }
        threads_.clear();
        acceptor_.reset();
        back_off_.reset();
    }

    std::shared_ptr<DoorState> state_;
    std::vector<std::shared_ptr<IoLoop>> loops_;
    // After the loops: they need the first one's event loop.
    std::optional<tcp::acceptor> acceptor_;
    std::optional<boost::asio::steady_timer> back_off_;
    std::chrono::milliseconds accept_delay_ = kAcceptBackOffFirst;
    std::size_t next_loop_ = 0;
    tcp::endpoint local_;
    std::vector<std::thread> threads_;
    std::mutex stop_mutex_;
};

core::Result<std::unique_ptr<Server>> Server::start(ServerOptions options, OnRequest on_request, OnHead on_head) {
    auto door = std::make_shared<Door>(std::move(options), std::move(on_request), std::move(on_head));
    if (auto opened = door->open(); !opened) {
        return std::unexpected(opened.error());
    }
    return std::unique_ptr<Server>(new Server(std::move(door)));
}

Server::Server(std::shared_ptr<Door> door) : door_(std::move(door)) {}

Server::~Server() = default;

std::uint16_t Server::port() const {
    return door_->port();
}

std::string Server::url() const {
    return door_->url();
}

ServerStats Server::stats() const {
    return door_->stats();
}

bool Server::stop(const core::Deadline& deadline) {
    return door_->stop(deadline);
}

}  // namespace syncline::http
