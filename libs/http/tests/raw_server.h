// A server made of bare sockets, one thread a connection: answers with exactly the bytes a test wants.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace syncline::http::testing {

class RawServer {
public:
    class Peer {
    public:
        explicit Peer(int socket) : socket_(socket) {}
        // Reads until the head is there and the announced body has come. False at the end of the connection.
        bool read_request() {
            std::string bytes;
            std::size_t wanted = 0;
            while (wanted == 0 || bytes.size() < wanted) {
                char part[4096];
                const auto got = ::recv(socket_, part, sizeof part, 0);
                if (got <= 0) {
                    return false;
                }
                bytes.append(part, static_cast<std::size_t>(got));
                if (const auto end = bytes.find("\r\n\r\n"); wanted == 0 && end != std::string::npos) {
                    const auto length = bytes.find("Content-Length:");
                    wanted = end + 4 + (length < end ? std::stoul(bytes.substr(length + 15)) : 0);
                }
            }
            return true;
        }
        bool say(std::string_view bytes) {
            while (!bytes.empty()) {
                const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
                if (sent <= 0) {
                    return false;
                }
                bytes.remove_prefix(static_cast<std::size_t>(sent));
            }
            return true;
        }
        void wait(std::chrono::milliseconds time) { ::poll(nullptr, 0, static_cast<int>(time.count())); }
        // Reads nothing; returns when the other side has gone.
        void wait_for_end() {
            pollfd end{.fd = socket_, .events = POLLRDHUP, .revents = 0};
            ::poll(&end, 1, 20'000);
        }

    private:
        int socket_;
    };
    using Script = std::function<void(Peer&)>;

    explicit RawServer(Script script) : script_(std::move(script)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* const generic = reinterpret_cast<sockaddr*>(&address);
        if (::bind(listener_, generic, size) != 0 || ::listen(listener_, 16) != 0 ||
            ::getsockname(listener_, generic, &size) != 0) {
            throw std::runtime_error("raw server");
        }
        port_ = ntohs(address.sin_port);
        acceptor_ = std::thread([this] { accept(); });
    }
    RawServer(const RawServer&) = delete;
    RawServer& operator=(const RawServer&) = delete;
    ~RawServer() {
        ::shutdown(listener_, SHUT_RDWR);
        acceptor_.join();
        {
            const std::lock_guard lock(mutex_);
            for (const int socket : open_) {
                ::shutdown(socket, SHUT_RDWR);
            }
        }
        for (auto& thread : threads_) {
            thread.join();
        }
        ::close(listener_);
    }

    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/x"; }
    [[nodiscard]] int accepted() const { return accepted_; }
    // Until that many connections have been closed by the script's end.
    bool wait_for_ended(int count) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds{10}, [&] { return ended_ >= count; });
    }

private:
    void accept() {
        for (;;) {
            const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            if (socket < 0) {
                return;
            }
            ++accepted_;
            const std::lock_guard lock(mutex_);
            open_.push_back(socket);
            threads_.emplace_back([this, socket] {
                Peer peer(socket);
                script_(peer);
                const std::lock_guard ended_lock(mutex_);
                std::erase(open_, socket);
                ::close(socket);
                ++ended_;
                changed_.notify_all();
            });
        }
    }

    Script script_;
    int listener_;
    std::uint16_t port_ = 0;
    std::atomic<int> accepted_{0};
    std::mutex mutex_;
    std::condition_variable changed_;
    int ended_ = 0;
    std::vector<int> open_;
    std::thread acceptor_;
    std::vector<std::thread> threads_;
};

}  // namespace syncline::http::testing
