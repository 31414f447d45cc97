#include "src/io_loop.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <boost/asio/post.hpp>

#include "src/connection.h"
#include "src/tls_certificate.h"

namespace syncline::http {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::tcp;

constexpr auto kBufferKept = 1s;   // How long an idle connection keeps its read buffer.
constexpr auto kUploadGrace = 1s;  // An upload may be ended for others after that.
constexpr auto kLinger = 5s;
constexpr auto kLongestTick = 200ms;
constexpr std::size_t kReadBuffer = std::size_t{64} << 10U;

thread_local const IoLoop* current_loop = nullptr;

std::size_t read_buffer_size(const ServerOptions& options) {
    // A line that does not fit into the buffer could never be parsed.
    return std::max(kReadBuffer, options.header_bytes_max + std::size_t{4096});
}

}  // namespace

DoorState::DoorState(ServerOptions given, OnRequest request_hook, OnHead head_hook)
    : options(std::move(given)),
      on_request(std::move(request_hook)),
      on_head(std::move(head_hook)),
      clock(options.clock != nullptr ? *options.clock : core::system_clock()),
      parser_limits{.header_bytes_max = options.header_bytes_max,
                    .target_bytes_max = options.target_bytes_max,
                    .body_bytes_max = options.body_bytes_max},
      budget({.requests_max = options.requests_in_flight_max,
              .bytes_max = options.bytes_in_flight_max,
              .tag_requests_max = std::max<std::size_t>(1, options.requests_in_flight_max * options.tag_share_percent / 100),
              .tag_bytes_max = options.bytes_in_flight_max / 100 * options.tag_share_percent}) {}

DoorState::~DoorState() = default;

IoLoop::IoLoop(std::shared_ptr<DoorState> door, std::size_t connections_max)
    : door_(std::move(door)),
      connections_max_(connections_max),
      work_(io_.get_executor()),
      timer_(io_),
      buffers_(read_buffer_size(door_->options)) {
    const auto& options = door_->options;
    const auto limit = [this](Phase phase) -> std::chrono::nanoseconds& {
        return limits_[static_cast<std::size_t>(phase)];
    };
    limit(Phase::handshake) = options.header_timeout;
    limit(Phase::fresh) = options.header_timeout;
    limit(Phase::idle) = std::min<std::chrono::nanoseconds>(kBufferKept, options.idle_timeout);
    limit(Phase::resting) = options.idle_timeout;
    limit(Phase::head) = options.header_timeout;
    limit(Phase::body) = options.body_timeout;
    limit(Phase::writing) = options.write_timeout;
    limit(Phase::lingering) = kLinger;
    const auto shortest = std::min({options.header_timeout, options.body_timeout, options.idle_timeout, options.write_timeout});
    tick_ = std::clamp<std::chrono::milliseconds>(shortest / 4, 5ms, kLongestTick);
}

IoLoop::~IoLoop() = default;

bool IoLoop::on_own_thread() const {
    return current_loop == this;
}

void IoLoop::run() {
    current_loop = this;
    if (door_->certificate) {
        schedule_sweep();
    }
    io_.run();
    current_loop = nullptr;
    // An answer kept here would keep its connection, and that this loop.
    const std::lock_guard lock(answers_mutex_);
    ended_ = true;
    answers_.clear();
}

void IoLoop::deliver(std::shared_ptr<Connection> connection, std::optional<Reply> reply) {
    {
        const std::lock_guard lock(answers_mutex_);
        if (ended_) {
            return;
        }
        answers_.emplace_back(std::move(connection), std::move(reply));
        if (answers_.size() > 1) {
            return;  // Whoever came first has woken the loop.
        }
    }
    boost::asio::post(io_, [this, self = shared_from_this()] { take_answers(); });
}

void IoLoop::take_answers() {
    std::vector<std::pair<std::shared_ptr<Connection>, std::optional<Reply>>> taken;
    {
        const std::lock_guard lock(answers_mutex_);
        taken.swap(answers_);
    }
    for (auto& [connection, reply] : taken) {
        connection->on_answer(std::move(reply));
    }
}

void IoLoop::adopt(tcp::socket socket) {
    door_->counters.connections_accepted.fetch_add(1, std::memory_order_relaxed);
    if (door_->draining.load(std::memory_order_relaxed)) {
        return;
    }
    if (open_ >= connections_max_ && !make_room()) {
        door_->counters.reject(Rejected::connection_refused);
        return;
    }
    auto connection = std::make_shared<Connection>(shared_from_this(), std::move(socket));
    const auto phase = door_->certificate ? Phase::handshake : Phase::fresh;
    auto& to = list(phase);
    connection->phase = phase;
    connection->since = door_->clock.steady();
    connection->place = to.insert(to.end(), connection);
    ++open_;
    door_->counters.connections_open.fetch_add(1, std::memory_order_relaxed);
    schedule_sweep();
    connection->start();
}

void IoLoop::move(Connection& connection, Phase to) {
    auto& target = list(to);
    target.splice(target.end(), list(connection.phase), connection.place);
    connection.phase = to;
    // Resting goes on from idle: who has waited longest stays the first to go.
    if (to != Phase::resting) {
        connection.since = door_->clock.steady();
    }
}

void IoLoop::forget(Connection& connection) {
    // The last owner may be the list: keep it until the caller is done with it.
    auto keep = *connection.place;
    list(connection.phase).erase(connection.place);
    --open_;
    door_->counters.connections_open.fetch_sub(1, std::memory_order_relaxed);
    boost::asio::post(io_, [keep = std::move(keep)] {});
}

Connection* IoLoop::oldest(std::initializer_list<Phase> phases) {
    Connection* found = nullptr;
    for (const auto phase : phases) {
        if (!list(phase).empty() && (found == nullptr || list(phase).front()->since < found->since)) {
            found = list(phase).front().get();
        }
    }
    return found;
}

bool IoLoop::make_room() {
    auto* victim = oldest({Phase::fresh, Phase::idle, Phase::resting});
    if (victim == nullptr) {
        victim = oldest({Phase::lingering});
    }
    if (victim == nullptr) {
        victim = oldest({Phase::handshake, Phase::head});
    }
    if (victim == nullptr) {
        auto* upload = oldest({Phase::body});
        victim = upload != nullptr && door_->clock.steady() - upload->since > kUploadGrace ? upload : nullptr;
    }
    if (victim == nullptr) {
        return false;
    }
    victim->evict();
    return true;
}

void IoLoop::evict_waiting(std::size_t count) {
    while (count-- > 0) {
        auto* victim = oldest({Phase::fresh, Phase::idle, Phase::resting});
        if (victim == nullptr) {
            return;
        }
        victim->evict();
    }
}

bool IoLoop::evict_upload(const Connection& except, const Budget::Tag* tag) {
    const auto now = door_->clock.steady();
    for (const auto& upload : list(Phase::body)) {
        if (now - upload->since <= kUploadGrace) {
            return false;  // The list is in order of age.
        }
        if (upload.get() != &except && (tag == nullptr || upload->tag() == tag) && upload->holds_bytes()) {
            upload->give_way();
            return true;
        }
    }
    return false;
}

void IoLoop::drain() {
    for (const auto phase : {Phase::handshake, Phase::fresh, Phase::idle, Phase::resting}) {
        while (!list(phase).empty()) {
            list(phase).front()->close();
        }
    }
}

void IoLoop::end() {
    // A sweep that is already due cannot be cancelled any more: it must not plan the next one, or run() would never return.
    ending_ = true;
    for (auto& connections : lists_) {
        while (!connections.empty()) {
            connections.front()->close();
        }
    }
    timer_.cancel();
    work_.reset();
}

std::string_view IoLoop::date() {
    const auto now = std::chrono::floor<std::chrono::seconds>(door_->clock.now());
    if (now != date_at_ || date_.empty()) {
        date_at_ = now;
        date_ = fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(std::chrono::system_clock::to_time_t(now)));
    }
    return date_;
}

void IoLoop::schedule_sweep() {
    if (sweeping_ || ending_) {
        return;
    }
    sweeping_ = true;
    timer_.expires_after(tick_);
    timer_.async_wait([this, self = shared_from_this()](const boost::system::error_code& ec) {
        sweeping_ = false;
        if (ec) {
            return;
        }
        sweep();
        if (open_ > 0 || door_->certificate) {
            schedule_sweep();
        }
    });
}

void IoLoop::sweep() {
    if (door_->certificate) {
        door_->certificate->refresh();
    }
    const auto now = door_->clock.steady();
    for (std::size_t phase = 0; phase < lists_.size(); ++phase) {
        if (phase == static_cast<std::size_t>(Phase::handling)) {
            continue;
        }
        // expire() moves or removes: the front is another one each time.
        auto& connections = lists_[phase];
        while (!connections.empty() && connections.front()->since + limits_[phase] <= now) {
            connections.front()->expire();
        }
    }
}

}  // namespace syncline::http
