// Where a client's own words go: its owner's on_log, without repeating itself. Served by the client's thread only.
#pragma once

#include "src/conf.h"

#include <fmt/format.h>
#include <syncline/kafka/client.h>
#include <atomic>
#include <chrono>
#include <map>
#include <string_view>

namespace syncline::kafka {

class LogSink {
public:
    explicit LogSink(const ClientOptions& options) : on_log_(options.on_log) {}

    void log(int syslog_level, std::string_view facility, std::string_view text) {
        // A broker or proxy that hides its versions makes librdkafka send uncompressed, with this line as the only sign
        // (LIBRARY-FAULTS §1, #4956).
        if (text.find("does not support compression") != std::string_view::npos) {
            ++compression_refused_;
        }
        if (on_log_) {
            // One map of properties serves producers and consumers; that a key is for the other role is no news.
            on_log_(facility == "CONFWARN" ? LogLevel::debug : log_level_from(syslog_level), facility, text);
        }
    }

    // Errors of the client as a whole: the same code at most once in ten seconds.
    void error(rd_kafka_resp_err_t code, std::string_view reason) {
        const auto now = std::chrono::steady_clock::now();
        auto& last = last_[code];
        if (now - last < std::chrono::seconds{10}) {
            return;
        }
        last = now;
        if (on_log_) {
            on_log_(LogLevel::warning, "ERROR", fmt::format("{}: {}", rd_kafka_err2name(code), reason));
        }
    }

    [[nodiscard]] std::uint64_t compression_refused() const { return compression_refused_; }

private:
    std::function<void(LogLevel, std::string_view, std::string_view)> on_log_;
    std::map<rd_kafka_resp_err_t, std::chrono::steady_clock::time_point> last_;
    std::atomic<std::uint64_t> compression_refused_ = 0;
};

}  // namespace syncline::kafka
