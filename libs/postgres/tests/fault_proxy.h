// A TCP relay between libpq and the server that can swallow, cut and watch for a word: the network faults of LIBRARY-FAULTS §3.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

namespace syncline::postgres::testing {

class FaultProxy {
public:
    // Relays to the server of `url`.
    explicit FaultProxy(const std::string& url);
    ~FaultProxy();
    FaultProxy(const FaultProxy&) = delete;
    FaultProxy& operator=(const FaultProxy&) = delete;

    // The same url through this relay.
    [[nodiscard]] const std::string& url() const { return url_; }
    // Nothing passes any more, in either direction; connections stay open.
    void freeze() { frozen_ = true; }
    void thaw() { frozen_ = false; }
    // The next message of the client that contains `word` still reaches the server; then the server's next answer is awaited,
    // thrown away, and the client's connection is closed.
    void lose_answer_to(std::string word);

private:
    void relay();

    std::string url_;
    std::uint16_t server_port_ = 0;
    int listener_ = -1;
    int stop_pipe_[2] = {-1, -1};
    std::atomic<bool> frozen_ = false;
    std::atomic<bool> armed_ = false;
    std::string word_;
    std::thread thread_;
};

}  // namespace syncline::postgres::testing
