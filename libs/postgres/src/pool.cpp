#include "src/conninfo.h"
#include "src/driver.h"
#include "src/watchdog.h"

#include <fmt/format.h>
#include <syncline/core/assert.h>
#include <syncline/postgres/pool.h>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <vector>

namespace syncline::postgres {
namespace {

using Time = std::chrono::steady_clock::time_point;
// How long beyond its deadline a transaction may still hear from the server before its socket is closed: statement_timeout
// normally answers first.
constexpr std::chrono::seconds kGrace{1};
// A deadline further away than this is as good as none; keeps time points from overflowing.
constexpr std::chrono::hours kLongest{24};

core::Error out_of_time() {
    return {.kind = core::ErrorKind::conflict,
            .code = "statement_timeout",
            .message = "PostgreSQL: the deadline of the transaction has passed"};
}

}  // namespace

std::optional<core::Error> Transaction::refusal() const {
    if (failed_) {
        return failed_;
    }
    return std::chrono::steady_clock::now() >= until_ ? std::optional(out_of_time()) : std::nullopt;
}

core::Result<Rows> Transaction::exec(std::string_view sql, const Params& params) {
    if (auto refused = refusal()) {
        return std::unexpected(*(failed_ = std::move(refused)));
    }
    if (const auto number = params.first_with_nul(); number != 0) {
        failed_ =
            core::Error{.kind = core::ErrorKind::malformed,
                        .code = "nul_byte",
                        .message = fmt::format("text parameter ${} holds a NUL byte, which PostgreSQL cannot store", number)};
        return std::unexpected(*failed_);
    }
    auto rows = connection_.exec(std::string(sql), params);
    if (!rows) {
        failed_ = rows.error();
    }
    return rows;
}

core::Result<void> Transaction::exec_script(std::string_view sql) {
    if (auto refused = refusal()) {
        return std::unexpected(*(failed_ = std::move(refused)));
    }
    auto done = connection_.script(std::string(sql));
    if (!done) {
        failed_ = done.error();
        return std::unexpected(std::move(done.error()));
    }
    return {};
}

struct Pool::State {
    explicit State(PoolOptions given) : options(std::move(given)), conninfo(session_conninfo(options)) {
        SYNCLINE_ASSERT(options.connections_max > 0);
    }

    // The right to one of `connections_max` connections, perhaps with one that is open already.
    struct Permit {
        std::unique_ptr<Connection> connection;
        bool reused = false;
        std::uint64_t generation = 0;  // Of the url it was opened with.
    };
    struct Waiter {
        std::condition_variable wake;
        std::optional<Permit> permit;
    };

    PoolOptions options;
    core::Result<std::string> conninfo;
    mutable std::mutex mutex;
    std::condition_variable none_in_use;
    std::vector<std::unique_ptr<Connection>> idle;  // Last used at the back: taken first.
    std::deque<Waiter*> waiters;
    int permits_out = 0;
    int open = 0;
    std::uint64_t generation = 0;  // Of the url; idle connections are all of this one.
    std::uint64_t opened = 0;
    std::uint64_t discarded = 0;
    Watchdog watchdog;

    core::Result<Permit> acquire(Time until) {
        std::unique_lock lock(mutex);
        if (permits_out < options.connections_max && waiters.empty()) {
            ++permits_out;
            return take_idle();
        }
        Waiter self;
        waiters.push_back(&self);
        if (!self.wake.wait_until(lock, until, [&] { return self.permit.has_value(); })) {
            std::erase(waiters, &self);
            return core::fail(core::ErrorKind::transient, "postgres_busy",
                              fmt::format("none of {} connections became free in time", options.connections_max),
                              "raise postgres.connections_max, or look for slow transactions");
        }
        return std::move(*self.permit);
    }

    // Without a connection: it was thrown away.
    void release(Permit permit) {
        const std::lock_guard lock(mutex);
        if (permit.connection && permit.generation == generation) {
            idle.push_back(std::move(permit.connection));
        } else if (permit.connection) {
            --open;  // Its url has been replaced while it was in use; it is closed behind the lock.
        }
        if (waiters.empty()) {
            --permits_out;
            if (permits_out == 0) {
                none_in_use.notify_all();
            }
            return;
        }
        auto* next = waiters.front();
        waiters.pop_front();
        next->permit = take_idle();
        next->wake.notify_one();
    }

    Permit take_idle() {
        Permit permit;
        if (!idle.empty()) {
            permit = {std::move(idle.back()), true, generation};
            idle.pop_back();
        }
        return permit;
    }

    core::Result<void> connect(Permit& permit, Time until) {
        std::string target;
        std::uint64_t of = 0;
        {
            const std::lock_guard lock(mutex);
            of = generation;
            if (!conninfo) {
                return std::unexpected(conninfo.error());
            }
            target = *conninfo;
        }
        // libpq counts whole seconds and takes 1 for 2; of two settings the last one holds.
        const auto left = std::chrono::ceil<std::chrono::seconds>(until - std::chrono::steady_clock::now());
        if (left < options.connect_timeout) {
            target += fmt::format("connect_timeout={}", std::max<std::int64_t>(left.count(), 2));
        }
        auto fresh = Connection::open(target);
        if (!fresh) {
            return std::unexpected(std::move(fresh.error()));
        }
        permit = {std::move(*fresh), false, of};
        const std::lock_guard lock(mutex);
        ++open;
        ++opened;
        return {};
    }

    // What broke one connection (a restart, a failover) has most likely broken those that lie idle beside it.
    void discard(std::unique_ptr<Connection> broken) {
        std::vector<std::unique_ptr<Connection>> doomed;
        const std::lock_guard lock(mutex);
        doomed.swap(idle);
        const auto count = doomed.size() + (broken ? 1 : 0);
        open -= static_cast<int>(count);
        discarded += count;
    }
};

Pool::Pool(PoolOptions options) : state_(std::make_unique<State>(std::move(options))) {}

Pool::~Pool() {
    std::unique_lock lock(state_->mutex);
    state_->none_in_use.wait(lock, [&] { return state_->permits_out == 0; });
}

core::Result<void> Pool::run_transaction(const core::Deadline& deadline, const TransactionOptions& options,
                                         const std::function<core::Result<void>(Transaction&)>& body) {
    const auto left = std::min<std::chrono::nanoseconds>(deadline.left(), kLongest);
    const auto until = std::chrono::steady_clock::now() + left;
    auto permit = state_->acquire(until);
    if (!permit) {
        return std::unexpected(std::move(permit.error()));
    }

    std::string begin = "BEGIN";
    switch (options.isolation) {
        case Isolation::read_committed:
            break;
        case Isolation::repeatable_read:
            begin += " ISOLATION LEVEL REPEATABLE READ";
            break;
        case Isolation::serializable:
            begin += " ISOLATION LEVEL SERIALIZABLE";
            break;
    }
    if (options.read_only) {
        begin += " READ ONLY";
    }
    const auto limit = std::chrono::ceil<std::chrono::milliseconds>(left);
    if (limit < state_->options.statement_timeout) {
        begin += fmt::format("; SET LOCAL statement_timeout = {}", std::max<std::int64_t>(limit.count(), 1));
    }

    while (true) {
        if (!permit->connection) {
            if (auto connected = state_->connect(*permit, until); !connected) {
                state_->release({});
                return connected;
            }
        }
        core::Result<void> answer;
        bool begun = false;
        {
            const Watchdog::Watch watch(state_->watchdog, *permit->connection, until + kGrace);
            if (auto started = permit->connection->script(begin); !started) {
                answer = std::unexpected(std::move(started.error()));
            } else {
                begun = true;
                Transaction tx(*permit->connection, deadline, until);
                try {
                    answer = body(tx);
                } catch (const std::exception&) {
                    // Its text may quote data. The kit counts a bug; the place is in the debugger's hands.
                    answer =
                        core::fail(core::ErrorKind::bug, "postgres_exception", "the function that ran in the transaction threw");
                }
                if (answer && tx.failed_) {
                    // A failed statement whose error the function swallowed: the server would roll back at COMMIT anyway.
                    answer = std::unexpected(*tx.failed_);
                }
                if (answer) {
                    answer = permit->connection->commit();
                }
                if (!answer && !permit->connection->lost()) {
                    // Its own failure shows in lost().
                    (void)permit->connection->rollback();
                }
            }
        }
        if (permit->connection->lost()) {
            const bool was_idle = permit->reused && !begun;
            state_->discard(std::move(permit->connection));
            if (was_idle && std::chrono::steady_clock::now() < until) {
                // It died while it lay idle; nothing was sent on it. The next one is new.
                *permit = {};
                continue;
            }
            state_->release({});
        } else {
            state_->release(std::move(*permit));
        }
        return answer;
    }
}

core::Result<Rows> Pool::exec(const core::Deadline& deadline, std::string_view sql, const Params& params) {
    return run(deadline, [&](Transaction& tx) { return tx.exec(sql, params); });
}

core::Result<void> Pool::ping(const core::Deadline& deadline) {
    return run(deadline, [](Transaction& tx) -> core::Result<void> {
        auto rows = tx.exec("SELECT 1");
        if (!rows) {
            return std::unexpected(std::move(rows.error()));
        }
        return {};
    });
}

void Pool::use_url(std::string url) {
    std::vector<std::unique_ptr<Connection>> doomed;
    const std::lock_guard lock(state_->mutex);
    if (url == state_->options.url) {
        return;
    }
    state_->options.url = std::move(url);
    ++state_->generation;
    state_->conninfo = session_conninfo(state_->options);
    doomed.swap(state_->idle);
    state_->open -= static_cast<int>(doomed.size());
}

PoolStats Pool::stats() const {
    const std::lock_guard lock(state_->mutex);
    return {.open = state_->open,
            .in_use = state_->permits_out,
            .waiting = static_cast<int>(state_->waiters.size()),
            .opened_total = state_->opened,
            .discarded_total = state_->discarded,
            .cut_off_total = state_->watchdog.cut_total()};
}

const PoolOptions& Pool::options() const {
    return state_->options;
}

}  // namespace syncline::postgres
