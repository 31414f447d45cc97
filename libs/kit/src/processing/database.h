// How the kit uses PostgreSQL: a transaction is tried until it goes through, with growing pauses; meanwhile partitions pause
// and nothing is parked or dead-lettered. Errors that are not the database's absence come back at once.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/postgres/pool.h>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <utility>

namespace syncline::kit {

// Is this error the database's absence (or a passing quarrel inside it), so that the same transaction may be tried again?
[[nodiscard]] bool database_is_away(const core::Error& error);
[[nodiscard]] bool database_quarrels(const core::Error& error);

class Database {
public:
    static constexpr std::chrono::seconds kTransactionMax{30};

    // `available` is told of each change.
    Database(postgres::Pool& pool, std::function<void(bool available)> changed) : pool_(pool), changed_(std::move(changed)) {}

    [[nodiscard]] postgres::Pool& pool() { return pool_; }
    [[nodiscard]] core::Deadline deadline() const { return {core::system_clock(), kTransactionMax}; }

    // Tries `work` (Result<T>()) until it succeeds, `give_up` says so (then the last error), or an error of another sort comes.
    // commit_in_doubt counts as such an error unless `repeatable`.
    template <typename Work>
    auto persist(const std::function<bool()>& give_up, bool repeatable, Work&& work) -> std::invoke_result_t<Work&> {
        for (int tries = 0;; ++tries) {
            auto answer = work();
            if (answer) {
                available(true);
                return answer;
            }
            const bool doubt = answer.error().code == "commit_in_doubt";
            const bool away = database_is_away(answer.error());
            if (away) {
                available(false);
            } else if (!(doubt && repeatable) && !(database_quarrels(answer.error()) && tries < kQuarrelsMax)) {
                return answer;
            }
            if (give_up() || stopping_) {
                return answer;
            }
            pause(tries);
        }
    }

    void available(bool is);
    [[nodiscard]] bool is_available() const { return available_; }
    // Ends every wait; what is being tried fails with its last error.
    void stop();

private:
    static constexpr int kQuarrelsMax = 20;
    void pause(int tries);

    postgres::Pool& pool_;
    const std::function<void(bool)> changed_;
    std::atomic<bool> available_{true};
    std::atomic<bool> stopping_{false};
    std::mutex mutex_;
    std::condition_variable wake_;
};

}  // namespace syncline::kit
