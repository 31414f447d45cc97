// A client made of bare sockets: says exactly what a test wants to say, however wrong.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <syncline/core/parse.h>
#include <syncline/http/headers.h>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace syncline::http::testing {

struct RawReply {
    int status = 0;
    Headers headers;
    std::string body;
};

class RawClient {
public:
    explicit RawClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        if (socket_ < 0) {
            throw std::runtime_error(std::string("socket: ") + std::strerror(errno));
        }
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
            const std::string why = std::strerror(errno);
            ::close(socket_);
            throw std::runtime_error("connect: " + why);
        }
    }
    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;
    RawClient(RawClient&& other) noexcept : socket_(std::exchange(other.socket_, -1)), received_(std::move(other.received_)) {}
    RawClient& operator=(RawClient&&) = delete;
    ~RawClient() { hang_up(); }

    // False when the server does not take the bytes any more.
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
    void end_of_input() { ::shutdown(socket_, SHUT_WR); }
    void hang_up() {
        if (socket_ >= 0) {
            ::close(std::exchange(socket_, -1));
        }
    }

    // The next whole answer (status 0: the connection ended first, -1: nothing for so long).
    RawReply reply(std::chrono::milliseconds patience = std::chrono::seconds{10}) {
        const auto until = std::chrono::steady_clock::now() + patience;
        std::size_t head_end = 0;
        while ((head_end = received_.find("\r\n\r\n")) == std::string::npos) {
            if (const int got = receive(until); got <= 0) {
                return {.status = got, .headers = {}, .body = {}};
            }
        }
        RawReply reply;
        const std::string head = received_.substr(0, head_end + 2);
        received_.erase(0, head_end + 4);
        reply.status = core::parse_int<int>(head.substr(head.find(' ') + 1, 3)).value_or(0);
        std::size_t at = head.find("\r\n") + 2;
        while (at < head.size()) {
            const auto end = head.find("\r\n", at);
            const auto line = head.substr(at, end - at);
            reply.headers.add(line.substr(0, line.find(':')), line.substr(line.find(':') + 2));
            at = end + 2;
        }
        const auto length = reply.headers.get("content-length");
        const auto size = length.empty() || no_body_ ? std::size_t{0} : std::stoul(std::string(length));
        while (received_.size() < size) {
            if (const int got = receive(until); got <= 0) {
                return {.status = got, .headers = {}, .body = {}};
            }
        }
        reply.body = received_.substr(0, size);
        received_.erase(0, size);
        return reply;
    }
    // Answers to HEAD have a length and no body.
    void expect_no_body() { no_body_ = true; }
    // True once the server has closed its side and nothing unread is left.
    bool closed(std::chrono::milliseconds patience = std::chrono::seconds{10}) {
        return received_.empty() && receive(std::chrono::steady_clock::now() + patience) == 0;
    }
    // True while the server has neither said nor closed anything.
    bool silent() {
        pollfd waiting{.fd = socket_, .events = POLLIN, .revents = 0};
        return received_.empty() && ::poll(&waiting, 1, 0) == 0;
    }

private:
    // Bytes received; 0 at the end of the connection, -1 when time is up.
    int receive(std::chrono::steady_clock::time_point until) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
        pollfd waiting{.fd = socket_, .events = POLLIN, .revents = 0};
        if (left.count() <= 0 || ::poll(&waiting, 1, static_cast<int>(left.count())) <= 0) {
            return -1;
        }
        char bytes[16384];
        const auto got = ::recv(socket_, bytes, sizeof bytes, 0);
        if (got <= 0) {
            return 0;
        }
        received_.append(bytes, static_cast<std::size_t>(got));
        return static_cast<int>(got);
    }

    int socket_;
    std::string received_;
    bool no_body_ = false;
};

// Waits until `ready()`; false when it did not come about in time.
template <typename Ready>
bool eventually(Ready&& ready, std::chrono::milliseconds patience = std::chrono::seconds{10}) {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!ready()) {
        if (std::chrono::steady_clock::now() > until) {
            return false;
        }
        ::poll(nullptr, 0, 2);
    }
    return true;
}

}  // namespace syncline::http::testing
