#include "tests/fault_proxy.h"

#include <netinet/in.h>
#include <poll.h>
#include <syncline/core/parse.h>
#include <sys/socket.h>
#include <unistd.h>
#include <array>
#include <list>
#include <stdexcept>
#include <vector>

namespace syncline::postgres::testing {
namespace {

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
}

struct Pair {
    int client = -1;
    int server = -1;
    bool answer_is_doomed = false;
};

void close_both(const Pair& pair) {
    ::close(pair.client);
    ::close(pair.server);
}

bool send_all(int to, const char* data, std::size_t size) {
    while (size > 0) {
        const auto sent = ::send(to, data, size, MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        data += sent;
        size -= static_cast<std::size_t>(sent);
    }
    return true;
}

}  // namespace

FaultProxy::FaultProxy(const std::string& url) {
    constexpr std::string_view kHost = "127.0.0.1:";
    const auto host = url.find(kHost);
    const auto path = url.find('/', host);
    if (host == std::string::npos || path == std::string::npos) {
        throw std::runtime_error("the relay needs a url …@127.0.0.1:port/…");
    }
    const auto before = url.substr(0, host + kHost.size());
    const auto port = core::parse_int<std::uint16_t>(std::string_view(url).substr(before.size(), path - before.size()));
    if (!port) {
        throw std::runtime_error("the relay needs a url with a port");
    }
    server_port_ = *port;
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto address = loopback(0);
    socklen_t size = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, generic, size) != 0 || ::listen(listener_, 16) != 0 || ::getsockname(listener_, generic, &size) != 0 ||
        ::pipe(stop_pipe_) != 0) {
        throw std::runtime_error("the relay cannot listen");
    }
    url_ = before + std::to_string(ntohs(address.sin_port)) + url.substr(path);
    thread_ = std::thread([this] { relay(); });
}

FaultProxy::~FaultProxy() {
    ::close(stop_pipe_[1]);
    thread_.join();
    ::close(stop_pipe_[0]);
    ::close(listener_);
}

void FaultProxy::lose_answer_to(std::string word) {
    word_ = std::move(word);
    armed_ = true;
}

void FaultProxy::relay() {
    std::list<Pair> pairs;
    std::array<char, 65'536> buffer{};
    while (true) {
        std::vector<pollfd> polled{{stop_pipe_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
        if (!frozen_) {
            for (const auto& pair : pairs) {
                polled.push_back({pair.client, POLLIN, 0});
                polled.push_back({pair.server, POLLIN, 0});
            }
        }
        ::poll(polled.data(), polled.size(), 20);
        if (polled[0].revents != 0) {
            break;
        }
        if ((polled[1].revents & POLLIN) != 0) {
            Pair pair;
            pair.client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            pair.server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            const auto address = loopback(server_port_);
            if (::connect(pair.server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
                pairs.push_back(pair);
            } else {
                close_both(pair);
            }
            continue;
        }
        if (frozen_) {
            continue;
        }
        std::size_t slot = 2;
        for (auto pair = pairs.begin(); pair != pairs.end() && slot < polled.size(); slot += 2) {
            bool open = true;
            if (polled[slot].revents != 0) {
                const auto got = ::recv(pair->client, buffer.data(), buffer.size(), 0);
                open = got > 0;
                if (open && armed_ &&
                    std::string_view(buffer.data(), static_cast<std::size_t>(got)).find(word_) != std::string_view::npos) {
                    armed_ = false;
                    pair->answer_is_doomed = true;
                }
                open = open && send_all(pair->server, buffer.data(), static_cast<std::size_t>(got));
            }
            if (open && polled[slot + 1].revents != 0) {
                const auto got = ::recv(pair->server, buffer.data(), buffer.size(), 0);
                open = got > 0 && !pair->answer_is_doomed && send_all(pair->client, buffer.data(), static_cast<std::size_t>(got));
            }
            if (open) {
                ++pair;
            } else {
                close_both(*pair);
                pair = pairs.erase(pair);
            }
        }
    }
    for (const auto& pair : pairs) {
        close_both(pair);
    }
}

}  // namespace syncline::postgres::testing
