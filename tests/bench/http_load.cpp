// Sends prepared HTTP requests and times the answers.
//
// Closed loop (--rate 0): every connection sends its next request as soon as it has its answer; shows the throughput.
// Open loop (--rate R): requests are due R times a second whatever the answers do, and a latency counts from the moment its
// request was due, so a stall of the server shows in every request that was due meanwhile.
//
// The file holds requests one after the other: 4 bytes length (little endian), then the whole request. They are sent in turn.
// Prints one line of JSON: counts by status, latencies in microseconds, own CPU seconds, requests still unanswered.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fmt/format.h>
#include <syncline/core/parse.h>
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <deque>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::nanoseconds;

struct Options {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;
    std::string requests;
    int connections = 64;
    double rate = 0;
    double warm_up_seconds = 2;
    double seconds = 10;
    bool once = false;
};

std::vector<std::string> read_requests(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    const std::string all((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    std::vector<std::string> requests;
    for (std::size_t at = 0; at + 4 <= all.size();) {
        std::uint32_t size = 0;
        std::memcpy(&size, all.data() + at, 4);
        requests.push_back(all.substr(at + 4, size));
        at += 4 + size;
    }
    if (requests.empty()) {
        throw std::runtime_error("no requests in " + path);
    }
    return requests;
}

struct Connection {
    int socket = -1;
    std::string_view unsent;
    std::string received;
    bool busy = false;
    bool waits_to_write = false;
    Clock::time_point due;
};

class Load {
public:
    explicit Load(const Options& options)
        : options_(options), requests_(read_requests(options.requests)), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
        connections_.resize(static_cast<std::size_t>(options.connections));
        for (auto& connection : connections_) {
            connect(connection);
            idle_.push_back(&connection);
        }
    }
    Load(const Load&) = delete;
    Load& operator=(const Load&) = delete;
    ~Load() {
        for (auto& connection : connections_) {
            ::close(connection.socket);
        }
        ::close(epoll_);
    }

    void run() {
        const auto began = Clock::now();
        measure_from_ = began + seconds(options_.warm_up_seconds);
        const auto end = measure_from_ + seconds(options_.seconds);
        const auto give_up = end + std::chrono::seconds{10};
        next_due_ = began;
        const auto interval = options_.rate > 0 ? nanoseconds{static_cast<std::int64_t>(1e9 / options_.rate)} : nanoseconds{0};
        std::array<epoll_event, 256> events{};
        for (;;) {
            const auto now = Clock::now();
            if (!cpu_noted_ && now >= measure_from_) {
                cpu_at_start_ = own_cpu();
                cpu_noted_ = true;
            }
            // What was due before the end is still sent, however late: leaving it out would hide the stall that delayed it.
            const bool ended = (now >= end && (backlog_.empty() || now >= give_up)) || exhausted();
            if (ended && (in_flight_ == 0 || now >= give_up)) {
                break;
            }
            if (!ended) {
                send_due(std::min(now, end), interval);
            }
            const auto wait =
                options_.rate > 0 && now < end ? std::min(next_due_, end) - now : nanoseconds{std::chrono::milliseconds{20}};
            timespec timeout{};
            timeout.tv_nsec = std::clamp<std::int64_t>(wait.count(), 0, 20'000'000);
            const int ready = ::epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &timeout, nullptr);
            for (int i = 0; i < ready; ++i) {
                auto& connection = connections_[events[static_cast<std::size_t>(i)].data.u64];
                if ((events[static_cast<std::size_t>(i)].events & EPOLLOUT) != 0U) {
                    flush(connection);
                }
                if ((events[static_cast<std::size_t>(i)].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0U) {
                    receive(connection);
                }
            }
        }
    }

    void print() {
        std::sort(latencies_.begin(), latencies_.end());
        const auto at = [&](double share) {
            return latencies_.empty()
                       ? 0.0
                       : static_cast<double>(latencies_[std::min(
                             latencies_.size() - 1, static_cast<std::size_t>(share * static_cast<double>(latencies_.size())))]) /
                             1000.0;
        };
        std::string statuses;
        for (const auto& [status, count] : statuses_) {
            statuses += fmt::format("{}\"{}\":{}", statuses.empty() ? "" : ",", status, count);
        }
        fmt::print(
            "{{\"answered\":{},\"measured\":{},\"per_second\":{:.1f},\"p50_us\":{:.0f},\"p90_us\":{:.0f},\"p99_us\":{:.0f},"
            "\"p999_us\":{:.0f},\"max_us\":{:.0f},"
            "\"statuses\":{{{}}},\"reconnects\":{},\"unanswered\":{},\"not_sent\":{},\"cpu_seconds\":{:.3f}}}\n",
            answered_, latencies_.size(), static_cast<double>(latencies_.size()) / options_.seconds, at(0.5), at(0.9), at(0.99),
            at(0.999), at(1), statuses, reconnects_, in_flight_, exhausted() ? 0 : backlog_.size(), own_cpu() - cpu_at_start_);
    }

private:
    static Clock::duration seconds(double count) {
        return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(count));
    }

    static double own_cpu() {
        rusage used{};
        ::getrusage(RUSAGE_SELF, &used);
        const auto sum = [](const timeval& time) {
            return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
        };
        return sum(used.ru_utime) + sum(used.ru_stime);
    }

    void connect(Connection& connection) {
        connection.socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(options_.port);
        ::inet_pton(AF_INET, options_.host.c_str(), &address.sin_addr);
        if (::connect(connection.socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
            throw std::runtime_error(fmt::format("connect to port {}: {}", options_.port, std::strerror(errno)));
        }
        const int on = 1;
        ::setsockopt(connection.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.u64 = static_cast<std::uint64_t>(&connection - connections_.data());
        ::epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.socket, &event);
        connection.waits_to_write = false;
    }

    [[nodiscard]] bool exhausted() const { return options_.once && sent_ >= requests_.size(); }

    void send_due(Clock::time_point now, nanoseconds interval) {
        if (options_.rate <= 0) {
            while (!idle_.empty() && !exhausted()) {
                auto* const connection = idle_.back();
                idle_.pop_back();
                send(*connection, now);
            }
            return;
        }
        while (next_due_ <= now) {
            backlog_.push_back(next_due_);
            next_due_ += interval;
        }
        while (!backlog_.empty() && !idle_.empty() && !exhausted()) {
            auto* const connection = idle_.back();
            idle_.pop_back();
            const auto due = backlog_.front();
            backlog_.pop_front();
            send(*connection, due);
        }
    }

    void send(Connection& connection, Clock::time_point due) {
        connection.unsent = requests_[sent_++ % requests_.size()];
        connection.due = due;
        connection.busy = true;
        ++in_flight_;
        flush(connection);
    }

    void flush(Connection& connection) {
        while (!connection.unsent.empty()) {
            const auto sent =
                ::send(connection.socket, connection.unsent.data(), connection.unsent.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (sent < 0) {
                if (errno == EAGAIN) {
                    break;
                }
                return broken(connection);
            }
            connection.unsent.remove_prefix(static_cast<std::size_t>(sent));
        }
        if (const bool wants = !connection.unsent.empty(); wants != connection.waits_to_write) {
            epoll_event event{};
            event.events = wants ? EPOLLIN | EPOLLOUT : EPOLLIN;
            event.data.u64 = static_cast<std::uint64_t>(&connection - connections_.data());
            ::epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.socket, &event);
            connection.waits_to_write = wants;
        }
    }

    void receive(Connection& connection) {
        std::array<char, 16384> bytes;
        const auto got = ::recv(connection.socket, bytes.data(), bytes.size(), MSG_DONTWAIT);
        if (got <= 0) {
            if (got < 0 && errno == EAGAIN) {
                return;
            }
            return broken(connection);
        }
        connection.received.append(bytes.data(), static_cast<std::size_t>(got));
        const auto head_end = connection.received.find("\r\n\r\n");
        if (head_end == std::string::npos) {
            return;
        }
        // Both ways of writing it occur: our server's and Node's.
        auto length_at = connection.received.find("Content-Length: ");
        if (length_at > head_end) {
            length_at = connection.received.find("content-length: ");
        }
        const auto length = length_at < head_end ? std::stoul(connection.received.substr(length_at + 16)) : 0UL;
        if (connection.received.size() < head_end + 4 + length) {
            return;
        }
        const auto now = Clock::now();
        if (now >= measure_from_ && connection.due >= measure_from_) {
            latencies_.push_back((now - connection.due).count());
            ++statuses_[syncline::core::parse_int<int>(std::string_view(connection.received).substr(9, 3)).value_or(0)];
        }
        connection.received.clear();
        ++answered_;
        done(connection);
    }

    void broken(Connection& connection) {
        if (connection.busy && connection.due >= measure_from_) {
            ++statuses_[0];
        }
        ++reconnects_;
        ::close(connection.socket);
        connection.received.clear();
        connection.unsent = {};
        connect(connection);
        if (connection.busy) {
            done(connection);
        }
    }

    void done(Connection& connection) {
        connection.busy = false;
        --in_flight_;
        idle_.push_back(&connection);
    }

    const Options options_;
    const std::vector<std::string> requests_;
    int epoll_;
    std::vector<Connection> connections_;
    std::vector<Connection*> idle_;
    std::deque<Clock::time_point> backlog_;
    std::size_t sent_ = 0;
    std::size_t in_flight_ = 0;
    std::size_t reconnects_ = 0;
    std::size_t answered_ = 0;
    Clock::time_point next_due_;
    Clock::time_point measure_from_;
    bool cpu_noted_ = false;
    double cpu_at_start_ = 0;
    std::vector<std::int64_t> latencies_;
    std::map<int, std::size_t> statuses_;
};

}  // namespace

int main(int argc, char** argv) {
    Options options;
    CLI::App app{"sends prepared HTTP requests and times the answers"};
    app.add_option("--host", options.host);
    app.add_option("--port", options.port)->required();
    app.add_option("--requests", options.requests, "file of prepared requests")->required();
    app.add_option("--connections", options.connections);
    app.add_option("--rate", options.rate, "requests a second; 0: as fast as the answers come");
    app.add_option("--warm-up", options.warm_up_seconds, "seconds before measuring");
    app.add_option("--seconds", options.seconds, "seconds of measuring");
    app.add_flag("--once", options.once, "send each request of the file once, then end");
    CLI11_PARSE(app, argc, argv);
    try {
        Load load(options);
        load.run();
        load.print();
    } catch (const std::exception& e) {
        fmt::print(stderr, "{}\n", e.what());
        return 1;
    }
    return 0;
}
