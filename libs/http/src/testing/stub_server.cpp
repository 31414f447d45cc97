#include <syncline/http/testing/stub_server.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>

namespace syncline::http::testing {

class StubServer::Workers {
public:
    Workers(StubScript script, int threads) : script_(std::move(script)) {
        for (int i = 0; i < threads; ++i) {
            threads_.emplace_back([this] { work(); });
        }
    }
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;
    ~Workers() { end(); }

    void end() {
        {
            const std::lock_guard lock(mutex_);
            ended_ = true;
        }
        wake_.notify_all();
        for (auto& thread : threads_) {
            thread.join();
        }
        threads_.clear();
        std::deque<std::pair<IncomingRequest, Responder>> unanswered;
        const std::lock_guard lock(mutex_);
        unanswered.swap(waiting_);
    }

    void take(IncomingRequest&& request, Responder responder) {
        SeenRequest seen{.method = std::string(request.method()),
                         .target = std::string(request.target()),
                         .headers = {},
                         .body = request.body};
        for (std::size_t i = 0; i < request.header_count(); ++i) {
            const auto [name, value] = request.header(i);
            seen.headers.add(name, value);
        }
        {
            const std::lock_guard lock(mutex_);
            if (ended_) {
                return;
            }
            seen_.push_back(std::move(seen));
            waiting_.emplace_back(std::move(request), std::move(responder));
        }
        wake_.notify_all();
    }

    [[nodiscard]] std::vector<SeenRequest> seen() const {
        const std::lock_guard lock(mutex_);
        return seen_;
    }

    bool wait_for(std::size_t count, std::chrono::milliseconds timeout) const {
        std::unique_lock lock(mutex_);
        return wake_.wait_for(lock, timeout, [&] { return seen_.size() >= count; });
    }

    void replace(StubScript script) {
        const std::lock_guard lock(mutex_);
        script_ = std::move(script);
    }

private:
    void work() {
        for (;;) {
            std::unique_lock lock(mutex_);
            wake_.wait(lock, [&] { return ended_ || !waiting_.empty(); });
            if (ended_) {
                return;
            }
            auto [request, responder] = std::move(waiting_.front());
            waiting_.pop_front();
            const auto script = script_;
            lock.unlock();
            auto answer = script(request);
            if (answer.lose) {
                responder.abandon();
            } else {
                responder.answer(std::move(answer.reply));
            }
        }
    }

    mutable std::mutex mutex_;
    mutable std::condition_variable wake_;
    StubScript script_;
    std::deque<std::pair<IncomingRequest, Responder>> waiting_;
    std::vector<SeenRequest> seen_;
    bool ended_ = false;
    std::vector<std::thread> threads_;
};

StubServer::StubServer(StubScript script, int threads, ServerOptions options)
    : workers_(std::make_shared<Workers>(std::move(script), threads)) {
    options.name = "stub";
    auto server = Server::start(std::move(options), [workers = workers_](IncomingRequest&& request, Responder responder) {
        workers->take(std::move(request), std::move(responder));
    });
    if (!server) {
        throw std::runtime_error(server.error().message);
    }
    server_ = std::move(*server);
    url_ = server_->url();
    port_ = server_->port();
}

StubServer::~StubServer() {
    // Workers first: they answer through the server, and the server's handler holds them.
    workers_->end();
    server_.reset();
}

std::vector<SeenRequest> StubServer::requests() const {
    return workers_->seen();
}

bool StubServer::wait_for_requests(std::size_t count, std::chrono::milliseconds timeout) const {
    return workers_->wait_for(count, timeout);
}

void StubServer::answer_with(StubScript script) {
    workers_->replace(std::move(script));
}

void StubServer::shut() {
    server_.reset();
}

}  // namespace syncline::http::testing
