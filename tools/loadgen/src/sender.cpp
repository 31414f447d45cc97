#include "src/sender.h"

#include <fmt/format.h>
#include <syncline/core/assert.h>
#include <syncline/core/hash.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace loadgen {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace core = syncline::core;
using asio::ip::tcp;
using std::chrono::milliseconds;
using SteadyTime = asio::steady_timer::time_point;

struct Job {
    milliseconds at{0};
    std::size_t lane = 0;
    std::string request;  // Head and body, ready to be written.
    std::size_t body_bytes = 0;
    SteadyTime due;  // When the schedule wants it.
    unsigned attempts = 0;
};

// Makes and signs requests ahead of time on a thread of its own.
class Preparer {
public:
    Preparer(const SenderOptions& options, const Source& source)
        : options_(options), source_(source), thread_([this] { run(); }) {}
    Preparer(const Preparer&) = delete;
    Preparer& operator=(const Preparer&) = delete;
    ~Preparer() {
        {
            const std::lock_guard lock(mutex_);
            stopping_ = true;
        }
        changed_.notify_all();
        thread_.join();
    }

    // Blocks until there is one; null at the end.
    std::unique_ptr<Job> take() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return !jobs_.empty() || ended_; });
        if (jobs_.empty()) {
            return nullptr;
        }
        auto job = std::move(jobs_.front());
        jobs_.pop_front();
        changed_.notify_all();
        return job;
    }

private:
    static constexpr std::size_t kAhead = 1'000;

    void run() {
        while (auto webhook = source_()) {
            auto job = prepare(*webhook);
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [&] { return jobs_.size() < kAhead || stopping_; });
            if (stopping_) {
                return;
            }
            jobs_.push_back(std::move(job));
            changed_.notify_all();
        }
        const std::lock_guard lock(mutex_);
        ended_ = true;
        changed_.notify_all();
    }

    std::unique_ptr<Job> prepare(const Webhook& webhook) const {
        auto job = std::make_unique<Job>();
        const auto secret = options_.secrets.find(webhook.shop);
        SYNCLINE_ASSERT(secret != options_.secrets.end());
        job->at = webhook.at;
        job->lane = std::hash<std::string>{}(webhook.key);
        job->body_bytes = webhook.body.size();
        if (webhook.topic == kStockTopic) {
            job->request = fmt::format(
                "POST {}/{} HTTP/1.1\r\nHost: {}:{}\r\nUser-Agent: loadgen\r\nAccept: */*\r\nContent-Type: application/json\r\n"
                "Authorization: Bearer {}\r\nX-Request-Id: {}\r\nContent-Length: {}\r\n\r\n",
                options_.stock_path, webhook.shop, options_.host, options_.port, secret->second, webhook.webhook_id,
                webhook.body.size());
            job->request += webhook.body;
            return job;
        }
        job->request = fmt::format(
            "POST {} HTTP/1.1\r\nHost: {}:{}\r\nUser-Agent: Shopify-Captain-Hook\r\nAccept: */*\r\nContent-Type: "
            "application/json\r\n"
            "X-Shopify-Topic: {}\r\nX-Shopify-Shop-Domain: {}\r\nX-Shopify-API-Version: {}\r\nX-Shopify-Webhook-Id: {}\r\n"
            "X-Shopify-Event-Id: {}\r\nX-Shopify-Triggered-At: {}\r\nX-Shopify-Hmac-Sha256: {}\r\nContent-Length: {}\r\n\r\n",
            options_.path, options_.host, options_.port, webhook.topic, webhook.domain, options_.api_version, webhook.webhook_id,
            webhook.event_id, webhook.triggered_at, signature_of(secret->second, webhook.body), webhook.body.size());
        job->request += webhook.body;
        return job;
    }

    const SenderOptions& options_;
    const Source& source_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::unique_ptr<Job>> jobs_;
    bool ended_ = false;
    bool stopping_ = false;
    std::thread thread_;
};

class Run;

// One connection and what waits for it.
class Lane {
public:
    Lane(Run& run, asio::io_context& io) : run_(run), stream_(io) {}
    void push(std::unique_ptr<Job> job) {
        jobs_.push_back(std::move(job));
        if (!busy_) {
            next();
        }
    }
    void close() { stream_.close(); }
    // What has not been begun is not begun any more.
    std::deque<std::unique_ptr<Job>> drop() { return std::exchange(jobs_, {}); }

private:
    void next();
    void connect();
    void write();
    void read();
    void answered(unsigned status, bool keep);
    void failed(const char* what, const beast::error_code& error);

    Run& run_;
    beast::tcp_stream stream_;
    beast::flat_buffer buffer_;
    std::optional<beast::http::response_parser<beast::http::string_body>> parser_;
    std::deque<std::unique_ptr<Job>> jobs_;
    std::unique_ptr<Job> current_;
    SteadyTime written_;
    bool busy_ = false;
    bool connected_ = false;
};

class Run {
public:
    Run(const SenderOptions& options, const Source& source)
        : options_(options), preparer_(options, source), dispatch_(io_), progress_(io_), stop_(io_, SIGINT, SIGTERM) {
        for (unsigned i = 0; i < std::max(1U, options.connections); ++i) {
            lanes_.push_back(std::make_unique<Lane>(*this, io_));
        }
    }

    Report run() {
        tcp::resolver resolver(io_);
        beast::error_code error;
        endpoints_ = resolver.resolve(options_.host, options_.port, error);
        if (error) {
            report_.errors["resolve"] = 1;
            return std::move(report_);
        }
        stop_.async_wait([this](const beast::error_code& cancelled, int) {
            if (!cancelled) {
                stop();
            }
        });
        start_ = std::chrono::steady_clock::now();
        show_progress();
        asio::post(io_, [this] { dispatch(); });
        io_.run();
        report_.duration = std::chrono::steady_clock::now() - start_;
        return std::move(report_);
    }

    // For lanes.
    [[nodiscard]] const SenderOptions& options() const { return options_; }
    [[nodiscard]] const tcp::resolver::results_type& endpoints() const { return endpoints_; }
    [[nodiscard]] Report& report() { return report_; }

    void finished(std::unique_ptr<Job> job, bool acknowledged) {
        if (!acknowledged && job->attempts <= options_.retries && !stopping_) {
            repeat(std::move(job));
            return;
        }
        --open_;
        if (acknowledged) {
            ++report_.acknowledged;
            report_.latency.add(std::chrono::steady_clock::now() - job->due);
        } else {
            ++(stopping_ ? report_.unfinished : report_.given_up);
        }
        if (exhausted_) {
            end_if_done();
        } else if (!options_.paced) {
            dispatch();
        }
    }

private:
    void repeat(std::unique_ptr<Job> job) {
        auto timer = std::make_shared<asio::steady_timer>(io_);
        const unsigned doubled = std::min(job->attempts - 1, 10U);
        timer->expires_after(options_.retry_wait * (1U << doubled));
        timers_.push_back(timer);
        timer->async_wait(
            [this, timer, waiting = std::make_shared<std::unique_ptr<Job>>(std::move(job))](const beast::error_code&) {
                std::erase(timers_, timer);
                if (stopping_) {
                    finished(std::move(*waiting), false);
                    return;
                }
                lane_of(**waiting).push(std::move(*waiting));
            });
    }

    Lane& lane_of(const Job& job) { return *lanes_[job.lane % lanes_.size()]; }

    [[nodiscard]] bool full() const {
        const auto most = options_.in_flight_max != 0 ? options_.in_flight_max : static_cast<unsigned>(lanes_.size()) * 4;
        return !options_.paced && open_ >= most;
    }

    // Hands out everything that is due, then sleeps until the next one is.
    void dispatch() {
        while (!stopping_ && !exhausted_ && !full()) {
            if (!upcoming_) {
                upcoming_ = preparer_.take();
            }
            if (!upcoming_) {
                exhausted_ = true;
                end_if_done();
                return;
            }
            const auto now = std::chrono::steady_clock::now();
            upcoming_->due = options_.paced ? start_ + upcoming_->at : now;
            if (upcoming_->due > now) {
                dispatch_.expires_at(upcoming_->due);
                dispatch_.async_wait([this](const beast::error_code& cancelled) {
                    if (!cancelled) {
                        dispatch();
                    }
                });
                return;
            }
            ++report_.deliveries;
            ++open_;
            auto& lane = lane_of(*upcoming_);
            lane.push(std::move(upcoming_));
        }
    }

    void show_progress() {
        if (!options_.progress) {
            return;
        }
        progress_.expires_after(std::chrono::seconds{1});
        progress_.async_wait([this](const beast::error_code& cancelled) {
            if (!cancelled) {
                options_.progress(report_);
                show_progress();
            }
        });
    }

    void stop() {
        stopping_ = true;
        exhausted_ = true;
        dispatch_.cancel();
        for (const auto& timer : std::vector(timers_)) {
            timer->cancel();
        }
        for (const auto& lane : lanes_) {
            for (auto& job : lane->drop()) {
                finished(std::move(job), false);
            }
        }
        end_if_done();
    }

    void end_if_done() {
        if (open_ > 0) {
            return;
        }
        dispatch_.cancel();
        progress_.cancel();
        stop_.cancel();
        for (const auto& lane : lanes_) {
            lane->close();
        }
    }

    const SenderOptions& options_;
    Preparer preparer_;
    asio::io_context io_{1};
    asio::steady_timer dispatch_;
    asio::steady_timer progress_;
    asio::signal_set stop_;
    tcp::resolver::results_type endpoints_;
    std::vector<std::unique_ptr<Lane>> lanes_;
    std::vector<std::shared_ptr<asio::steady_timer>> timers_;
    std::unique_ptr<Job> upcoming_;
    SteadyTime start_;
    Report report_;
    unsigned open_ = 0;  // Handed out and neither acknowledged nor given up.
    bool exhausted_ = false;
    bool stopping_ = false;
};

void Lane::next() {
    if (jobs_.empty()) {
        busy_ = false;
        return;
    }
    busy_ = true;
    current_ = std::move(jobs_.front());
    jobs_.pop_front();
    connected_ ? write() : connect();
}

void Lane::connect() {
    ++run_.report().connects;
    stream_.expires_after(run_.options().connect_timeout);
    stream_.async_connect(run_.endpoints(), [this](const beast::error_code& error, const tcp::endpoint&) {
        if (error) {
            failed("connect", error);
            return;
        }
        connected_ = true;
        beast::error_code ignored;
        stream_.socket().set_option(tcp::no_delay(true), ignored);
        write();
    });
}

void Lane::write() {
    written_ = std::chrono::steady_clock::now();
    auto& report = run_.report();
    ++report.attempts;
    report.bytes += current_->body_bytes;
    if (++current_->attempts == 1) {
        report.lag.add(written_ - current_->due);
    }
    stream_.expires_after(run_.options().request_timeout);
    asio::async_write(stream_, asio::buffer(current_->request), [this](const beast::error_code& error, std::size_t) {
        // A server that refuses early answers before it has read all: the answer counts, not the broken pipe.
        if (error && error != asio::error::broken_pipe && error != asio::error::connection_reset) {
            failed("broken", error);
            return;
        }
        read();
    });
}

void Lane::read() {
    parser_.emplace();
    parser_->body_limit(1024UL * 1024);
    beast::http::async_read(stream_, buffer_, *parser_, [this](const beast::error_code& error, std::size_t) {
        if (error) {
            failed("broken", error);
            return;
        }
        answered(parser_->get().result_int(), parser_->keep_alive());
    });
}

void Lane::answered(unsigned status, bool keep) {
    auto& report = run_.report();
    ++report.by_status[status];
    report.service.add(std::chrono::steady_clock::now() - written_);
    if (!keep) {
        stream_.close();
        buffer_.clear();
        connected_ = false;
    }
    run_.finished(std::move(current_), status >= 200 && status < 300);
    next();
}

void Lane::failed(const char* what, const beast::error_code& error) {
    if (!connected_) {
        // Not counted as an attempt that left: but it was one of the tries.
        ++current_->attempts;
    }
    ++run_.report().errors[error == beast::error::timeout ? "timeout" : what];
    stream_.close();
    buffer_.clear();
    connected_ = false;
    run_.finished(std::move(current_), false);
    next();
}

}  // namespace

core::Result<void> set_url(SenderOptions& options, std::string_view url) {
    const auto malformed = [] {
        return core::fail(core::ErrorKind::malformed, "url_malformed", "not an address of ingress",
                          "as in http://127.0.0.1:8080");
    };
    constexpr std::string_view kScheme = "http://";
    if (!url.starts_with(kScheme)) {
        return malformed();
    }
    url.remove_prefix(kScheme.size());
    const auto slash = url.find('/');
    const auto authority = url.substr(0, slash);
    const auto colon = authority.rfind(':');
    options.host = authority.substr(0, colon);
    options.port = colon == std::string_view::npos ? "80" : std::string(authority.substr(colon + 1));
    if (options.host.empty() || options.port.empty()) {
        return malformed();
    }
    if (slash != std::string_view::npos && url.size() > slash + 1) {
        options.path = url.substr(slash);
    }
    return {};
}

Report send_all(const SenderOptions& options, const Source& source) {
    return Run(options, source).run();
}

std::string signature_of(std::string_view secret, std::string_view body) {
    const auto digest = core::hmac_sha256(secret, body);
    return core::base64_encode(core::bytes_of(digest));
}

}  // namespace loadgen
